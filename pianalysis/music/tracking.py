"""The beats of a performance that was played without a click.

In: onsets in real milliseconds, and what a network hears of each. Out: series of beats, every one in turn, that divide in two or
in three. At each speed the likeliest is found exactly, by dynamic programming over its times and periods: where in a beat notes
begin, how long that beat is, how steadily people play. `beat_choice` chooses among them. `scripts/measure_metre_reading.py`
measures it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError
from pianalysis.music.beat_hearing import PARTS, PERIODS_MS, HeardEvents
from pianalysis.music.notes import SAME_ONSET_MS, Notes

BIN_MS: Final = 10.0
"""Beats are found this exactly, then put on the notes that are struck there."""
BANDS_MS: Final = {
    2: ((340.0, 560.0), (500.0, 860.0), (800.0, 1_300.0)),
    3: ((420.0, 720.0), (660.0, 1_050.0), (950.0, 1_500.0)),
}
"""The periods of beats that divide in two, and in three: in each band the best are found, then one of the bands is chosen."""
NEAR_HINT: Final = 1.2
"""How far the tempo may be from the one that somebody says."""
USUAL_MS: Final = 600.0
"""The period that others are compared with."""
STEADINESS: Final = 0.06
"""How much a beat's period differs from the one before, as a share of it."""
JITTER_MS: Final = ((0.7, 15.0), (0.3, 40.0))
"""How far from its place a note is played: most are near, some aren't."""
EARLY_MS: Final = 40.0
"""A note so shortly before a beat is of that beat."""
BEAT_COST: Final = 0.0
"""What a beat costs, in nats, as each is put where it fits best."""
STRAY: Final = 2e-5
"""How many notes a millisecond are in no place that is known."""
PLACES: Final = {
    2: {0.0: 0.66, 0.5: 0.35, 0.25: 0.06, 0.75: 0.10, 1 / 3: 0.01, 2 / 3: 0.015},
    3: {0.0: 0.70, 1 / 3: 0.30, 2 / 3: 0.48, 1 / 6: 0.02, 0.5: 0.07, 5 / 6: 0.07},
}
"""How often a note begins at each place of a beat that divides in two, or in three."""
PERIOD_WEIGHT, EMPTY_WEIGHT = 0.5, 0.0
"""How much what is heard of a beat's length counts, of which neighbours say the same, and places where nothing begins."""
LONGEST_MS: Final = 20 * 60_000.0
"""Longer performances aren't tracked."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Beats:
    """Beats in real ms, rising, from the first at or before the first onset to the first after the last.

    division: 2 or 3 parts. score: the log-likelihood of the onsets, in nats a note.
    """

    times_ms: Floats
    division: int
    score: float


def distinct_onsets(notes: Notes) -> Floats:
    """The onsets of notes in real ms, those of a chord as one."""
    onsets = np.sort(notes["onset_ms"].astype(np.float64))
    if not len(onsets):
        return onsets
    kept = [0]
    for place in range(1, len(onsets)):
        if onsets[place] - onsets[kept[-1]] >= SAME_ONSET_MS:
            kept.append(place)
    return onsets[kept]


def beat_candidates(onsets_ms: Floats, *, bpm: float | None = None, heard: HeardEvents | None = None) -> list[Beats]:
    """The best beats of onsets in real ms, rising, at each speed, that divide in two and in three, and those between them.

    bpm: about how many beats a minute there are, where somebody knows. heard: what is heard of the notes that begin there, in
    place of how often notes begin anywhere in a beat. `beat_choice` chooses among them. Raises
    PianalysisError for fewer than four onsets, or for music that is too long.
    """
    onsets = np.asarray(onsets_ms, np.float64)
    if len(onsets) < 4 or onsets[-1] - onsets[0] > LONGEST_MS:
        raise PianalysisError(
            f"expected 4 notes or more within {LONGEST_MS / 60_000:.0f} minutes to find beats in, found {len(onsets)} notes"
        )
    said = None if heard is None else heard_at(heard, onsets)
    if bpm is not None:
        found = [
            _tracked(onsets, said, parts, (60_000 / bpm / NEAR_HINT, 60_000 / bpm * NEAR_HINT)) for parts in PLACES
        ]
    else:
        found = [_tracked(onsets, said, parts, band) for parts, bands in BANDS_MS.items() for band in bands]
    return found + [_off_beats(beats) for beats in found if beats.division == 2]


def heard_at(heard: HeardEvents, onsets: Floats) -> HeardEvents:
    """What is heard of the event that is nearest to each onset."""
    middles = (heard.onset_ms[:-1] + heard.onset_ms[1:]) / 2
    nearest = np.searchsorted(middles, onsets)
    return HeardEvents(onsets, heard.places[nearest], heard.periods[nearest])


def _off_beats(beats: Beats) -> Beats:
    """The same half a beat later, as they are heard where a melody is syncopated throughout."""
    times = beats.times_ms
    middles = (times[:-1] + times[1:]) / 2
    return Beats(
        np.concatenate([[times[0] - (times[1] - times[0]) / 2], middles, [times[-1] + (times[-1] - times[-2]) / 2]]),
        2,
        beats.score,
    )


def level_features(onsets_ms: Floats, beats: Beats) -> Floats:
    """What tells beats from their halves and doubles in how onsets lie on them, ``[14]``."""
    times, division = beats.times_ms, beats.division
    place = np.clip(np.searchsorted(times, onsets_ms + EARLY_MS, side="right") - 1, 0, len(times) - 2)
    periods = np.diff(times)
    share = ((onsets_ms - times[place]) / periods[place] * 12).round() % 12
    inside = periods[place[0] : place[-1] + 1]
    slow = float(np.log(np.median(inside) / USUAL_MS))
    count = float(np.log(len(onsets_ms) / len(inside)))
    fit = grid_score(onsets_ms, times, division)
    struck = len(np.unique(place[share == 0])) / len(inside)
    ternary = float(division == 3)
    rough = float(np.mean(np.abs(np.diff(np.log(inside))))) if len(inside) > 1 else 0.0
    half = float(np.mean(share == 6))
    return np.array(
        [
            fit, fit * np.sqrt(len(onsets_ms)) / 10, slow, slow * slow, ternary, ternary * slow, count, count * count, struck,
            float(np.mean(share == 0)), half, ternary * half, float(np.mean((share == 3) | (share == 9))), rough,
        ]
    )  # fmt: skip


def grid_score(onsets_ms: Floats, beats_ms: Floats, division: int) -> float:
    """The log-likelihood of onsets under beats that are given, in nats a note: `Beats.score` but for the tempo's."""
    beats = np.asarray(beats_ms, np.float64)
    place = np.clip(np.searchsorted(beats, onsets_ms + EARLY_MS, side="right") - 1, 0, len(beats) - 2)
    period = np.diff(beats)[place]
    of_notes = _log_place((onsets_ms - beats[place]) / period, period, division).sum()
    return float((of_notes + _log_empty(division) * (len(beats) - 1)) / len(onsets_ms))


def heard_score(heard: HeardEvents, beats: Beats) -> float:
    """How well beats agree with what is heard of the events that they were found in, in nats an event."""
    times = beats.times_ms
    place = np.clip(np.searchsorted(times, heard.onset_ms + EARLY_MS, side="right") - 1, 0, len(times) - 2)
    period = np.diff(times)[place]
    odds = np.exp(heard.places[:, _columns(beats.division)]).T
    of_places = _log_place((heard.onset_ms - times[place]) / period, period, beats.division, odds)
    at = np.clip(np.interp(np.log(period), np.log(PERIODS_MS), np.arange(len(PERIODS_MS))), 0, len(PERIODS_MS) - 1.001)
    low = at.astype(np.int64)
    below, above = (np.take_along_axis(heard.periods, columns[:, None], 1)[:, 0] for columns in (low, low + 1))
    return float((of_places + PERIOD_WEIGHT * (below + (at - low) * (above - below))).mean())


def _log_empty(division: int) -> float:
    return float(np.log1p(-np.array(list(PLACES[division].values()))).sum())


def _log_place(share: Floats, period_ms: Floats, division: int, odds: Floats | None = None) -> Floats:
    """The log odds, a millisecond, of a note at a share of a beat that is so long.

    odds: those of each note at each of `PARTS`, ``[parts, …]``; as usual without.
    """
    usual = PLACES[division]
    known = [usual[place] / (1 - usual[place]) for place in PARTS[division]] if odds is None else odds
    total: Floats = np.full(np.broadcast(share, period_ms).shape, STRAY)
    for place, likely in zip(PARTS[division], known, strict=True):
        for whole in (0.0, 1.0) if place == 0 else (0.0,):
            for weight, jitter_ms in JITTER_MS:
                away = (share - place - whole) * period_ms / jitter_ms
                total += weight * likely * np.exp(-0.5 * away * away) / (jitter_ms * np.sqrt(2 * np.pi))
    return np.log(total)


def _tracked(onsets: Floats, heard: HeardEvents | None, division: int, band_ms: tuple[float, float]) -> Beats:
    """The best beats whose periods lie in a band."""
    steps = np.exp(np.arange(np.log(band_ms[0]), np.log(band_ms[1]) + 0.03, 0.03)) / BIN_MS
    periods = np.unique(np.rint(steps).astype(np.int64))
    lead = int(periods[-1])
    begin = onsets[0] - lead * BIN_MS
    total = int(np.ceil((onsets[-1] - begin) / BIN_MS)) + lead + 3
    log_periods = np.log(periods * BIN_MS)
    gains = _gains(onsets - begin, heard, periods, total, division)
    change = -0.5 * ((log_periods[:, None] - log_periods[None, :]) / STEADINESS) ** 2  # [period, period before]
    change -= BEAT_COST
    best, came = _forward(gains, periods, change, lead, total)
    last = int((onsets[-1] - begin) / BIN_MS) + 2
    ends = np.array([best[last : last + size, row].max() for row, size in enumerate(periods)])
    row = int(ends.argmax())
    time = last + int(best[last : last + periods[row], row].argmax())
    score = float(best[time, row]) / len(onsets)
    times = [time]
    while came[time, row] >= 0:
        time, row = time - int(periods[row]), int(came[time, row])
        times.append(time)
    times.append(time - int(periods[row]))
    return Beats(begin + BIN_MS * np.array(times[::-1], np.float64), division, score)


def _gains(onsets: Floats, heard: HeardEvents | None, periods: NDArray[np.int64], total: int, division: int) -> Floats:
    """What the notes within a beat say for it, by its first bin and its period, ``[total, periods]``."""
    gains = np.full((total, len(periods)), _log_empty(division) * (1.0 if heard is None else EMPTY_WEIGHT))
    early = int(EARLY_MS / BIN_MS)
    places = np.rint(onsets / BIN_MS).astype(np.int64)
    odds = None if heard is None else np.exp(heard.places[:, _columns(division)]).T[:, :, None]
    for column, period in enumerate(periods.tolist()):
        ago = np.arange(-early, period - early)  # a note just before a beat is of that beat
        starts = places[:, None] - ago[None, :]
        exact = onsets[:, None] - starts * BIN_MS
        said = _log_place(exact / (period * BIN_MS), np.array(period * BIN_MS), division, odds)
        if heard is not None:
            said += PERIOD_WEIGHT * _of_period(heard, period * BIN_MS)[:, None]
        inside = (starts >= 0) & (starts < total)
        gains[:, column] += np.bincount(starts[inside], said[inside], total)
    return gains


def _columns(division: int) -> slice:
    """Where the places of a division stand among those that are heard."""
    first = 0 if division == 2 else len(PARTS[2])
    return slice(first, first + len(PARTS[division]))


def _of_period(heard: HeardEvents, period_ms: float) -> Floats:
    """How likely each event's beat is so long, between the lengths that are heard."""
    place = float(np.interp(np.log(period_ms), np.log(PERIODS_MS), np.arange(len(PERIODS_MS))))
    low = min(int(place), len(PERIODS_MS) - 2)
    return np.asarray(
        heard.periods[:, low] + (place - low) * np.diff(heard.periods[:, low : low + 2])[:, 0], np.float64
    )


def _forward(
    gains: Floats, periods: NDArray[np.int64], change: Floats, first: int, total: int
) -> tuple[Floats, NDArray[np.int16]]:
    """The score of the best beats up to one at each bin with each period before it, and the period before that (-1: none).

    The first beat begins at most a beat before the first note, `first`.
    """
    best = np.full((total, len(periods)), -np.inf)
    came = np.full((total, len(periods)), -1, np.int16)
    columns = np.arange(len(periods))
    block = int(periods[0])  # beats that begin within so many bins don't depend on each other
    for begin in range(first, total, block):
        times = np.arange(begin, min(total, begin + block))
        start = np.maximum(times[:, None] - periods, 0)
        gained = gains[start, columns]
        opening = (start <= first + EARLY_MS / BIN_MS) & (start > first - periods)
        begins = np.where(opening, gained, -np.inf)
        reach = best[start] + change  # [time, period, period before]
        before = reach.argmax(axis=2)
        goes_on = np.take_along_axis(reach, before[:, :, None], axis=2)[:, :, 0] + gained
        best[times] = np.maximum(begins, goes_on)
        came[times] = np.where(goes_on > begins, before, -1)
    return best, came

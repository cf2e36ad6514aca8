"""The beats of a performance that was played without a click.

In: onsets in real milliseconds. Out: the beats, every one in turn, and whether they divide in two or in three. Of all series of
beats the likeliest is found exactly, by dynamic programming over its times and periods: where in a beat notes begin, how
steadily people play, and which tempi they play in. `scripts/measure_metre_reading.py` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError
from pianalysis.music.notes import SAME_ONSET_MS, Notes

BIN_MS: Final = 10.0
"""Beats are found this exactly, then put on the notes that are struck there."""
FASTEST_MS, SLOWEST_MS = 330.0, 1_300.0
"""Periods of beats: 182 to 46 a minute."""
USUAL_MS: Final = 620.0
"""The period that people play in most, and how far others are from it, in octaves."""
TEMPO_SPREAD: Final = 0.45
STEADINESS: Final = 0.06
"""How much a beat's period differs from the one before, as a share of it."""
JITTER_MS: Final = ((0.7, 15.0), (0.3, 40.0))
"""How far from its place a note is played: most are near, some aren't."""
EARLY_MS: Final = 40.0
"""A note so shortly before a beat is of that beat."""
BEAT_COST: Final = 0.5
"""What a beat costs, in nats, as each is put where it fits best."""
EACH_BEAT: Final = 0.15
"""How much of the tempo's prior counts again at each beat."""
STRAY: Final = 2e-5
"""How many notes a millisecond are in no place that is known."""
PLACES: Final = {
    2: {0.0: 0.66, 0.5: 0.35, 0.25: 0.06, 0.75: 0.10, 1 / 3: 0.01, 2 / 3: 0.015},
    3: {0.0: 0.70, 1 / 3: 0.30, 2 / 3: 0.48, 1 / 6: 0.02, 0.5: 0.07, 5 / 6: 0.07},
}
"""How often a note begins at each place of a beat that divides in two, or in three."""
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


def track_beats(onsets_ms: Floats, *, bpm: float | None = None, division: int | None = None) -> Beats:
    """The likeliest beats of onsets in real ms, rising. bpm: about how many beats a minute there are, where somebody knows.

    division: 2 or 3, the likelier where it isn't given. Raises PianalysisError for fewer than four onsets, or for music
    that is too long.
    """
    onsets = np.asarray(onsets_ms, np.float64)
    if len(onsets) < 4 or onsets[-1] - onsets[0] > LONGEST_MS:
        raise PianalysisError(
            f"expected 4 notes or more within {LONGEST_MS / 60_000:.0f} minutes to find beats in, found {len(onsets)} notes"
        )
    wanted = [division] if division else [2, 3]
    return max((_tracked(onsets, parts, bpm) for parts in wanted), key=lambda beats: beats.score)


def grid_score(onsets_ms: Floats, beats_ms: Floats, division: int) -> float:
    """The log-likelihood of onsets under beats that are given, in nats a note: `Beats.score` but for the tempo's."""
    beats = np.asarray(beats_ms, np.float64)
    place = np.clip(np.searchsorted(beats, onsets_ms + EARLY_MS, side="right") - 1, 0, len(beats) - 2)
    period = np.diff(beats)[place]
    of_notes = _log_place((onsets_ms - beats[place]) / period, period, division).sum()
    return float((of_notes + _log_empty(division) * (len(beats) - 1)) / len(onsets_ms))


def _log_empty(division: int) -> float:
    return float(np.log1p(-np.array(list(PLACES[division].values()))).sum())


def _log_place(share: Floats, period_ms: Floats, division: int) -> Floats:
    """The log odds, a millisecond, of a note at a share of a beat that is so long."""
    total: Floats = np.full(np.broadcast(share, period_ms).shape, STRAY)
    for place, chance in PLACES[division].items():
        for whole in (0.0, 1.0) if place == 0 else (0.0,):
            for weight, jitter_ms in JITTER_MS:
                away = (share - place - whole) * period_ms / jitter_ms
                total += weight * chance / (1 - chance) * np.exp(-0.5 * away * away) / (jitter_ms * np.sqrt(2 * np.pi))
    return np.log(total)


def _periods(division: int) -> NDArray[np.int64]:
    """The periods that are tried, in bins, each about 3 % longer than the one before."""
    steps = np.exp(np.arange(np.log(FASTEST_MS), np.log(SLOWEST_MS), 0.03)) / BIN_MS
    return np.unique(np.rint(steps).astype(np.int64))


def _tracked(onsets: Floats, division: int, bpm: float | None) -> Beats:
    periods = _periods(division)
    lead = int(periods[-1])
    begin = onsets[0] - lead * BIN_MS
    total = int(np.ceil((onsets[-1] - begin) / BIN_MS)) + lead + 1
    log_periods = np.log(periods * BIN_MS)
    usual, spread = (USUAL_MS * (1.25 if division == 3 else 1.0), TEMPO_SPREAD * np.log(2))
    if bpm is not None:
        usual, spread = 60_000 / bpm, 0.12
    prior = -0.5 * ((log_periods - np.log(usual)) / spread) ** 2
    gains = _gains(onsets - begin, periods, total, division) + EACH_BEAT * prior
    change = -0.5 * ((log_periods[:, None] - log_periods[None, :]) / STEADINESS) ** 2  # [period, period before]
    change -= BEAT_COST
    best, came = _forward(gains, periods, prior, change, int((onsets[0] - begin) / BIN_MS), total)
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


def _gains(onsets: Floats, periods: NDArray[np.int64], total: int, division: int) -> Floats:
    """What the notes within a beat say for it, by its first bin and its period, ``[total, periods]``."""
    gains = np.full((total, len(periods)), _log_empty(division))
    early = int(EARLY_MS / BIN_MS)
    places = np.rint(onsets / BIN_MS).astype(np.int64)
    for column, period in enumerate(periods.tolist()):
        ago = np.arange(-early, period - early)  # a note just before a beat is of that beat
        starts = places[:, None] - ago[None, :]
        exact = onsets[:, None] - starts * BIN_MS
        said = _log_place(exact / (period * BIN_MS), np.array(period * BIN_MS), division)
        inside = (starts >= 0) & (starts < total)
        gains[:, column] += np.bincount(starts[inside], said[inside], total)
    return gains


def _forward(
    gains: Floats, periods: NDArray[np.int64], prior: Floats, change: Floats, first: int, total: int
) -> tuple[Floats, NDArray[np.int16]]:
    """The score of the best beats up to one at each bin with each period before it, and the period before that (-1: none).

    The first beat begins at most a beat before the first note, `first`.
    """
    best = np.full((total, len(periods)), -np.inf)
    came = np.full((total, len(periods)), -1, np.int16)
    columns = np.arange(len(periods))
    for time in range(int(first), total):
        start = time - periods
        usable = start >= 0
        begins = np.where(
            usable & (start <= first + 3) & (start > first - periods),
            prior + gains[np.maximum(start, 0), columns],
            -np.inf,
        )
        reach = best[np.maximum(start, 0)] + change  # [period, period before]
        before = reach.argmax(axis=1)
        goes_on = np.where(usable, reach[columns, before] + gains[np.maximum(start, 0), columns], -np.inf)
        best[time] = np.maximum(begins, goes_on)
        came[time] = np.where(goes_on > begins, before, -1)
    return best, came

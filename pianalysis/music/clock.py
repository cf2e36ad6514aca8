"""The beat clock: real milliseconds to clock milliseconds and back.

The clock ticks at 120 quarter notes per minute: a quarter is 500 clock-ms whatever the piece's tempo. In: a score's
tempo map and time signatures, or annotated beats. Out: a `BeatClock` with the piece's bar lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import symusic
from numpy.typing import ArrayLike, NDArray

from pianalysis.errors import PianalysisError
from pianalysis.music.midi import ticks_to_ms
from pianalysis.music.notes import Notes, sort_notes

QUARTER_MS: Final = 500.0
"""A quarter note in clock milliseconds, when the tempo needs no folding."""
SIXTEENTH_MS: Final = QUARTER_MS / 4
WINDOW_MS: Final = 16_000
"""The longest window in clock milliseconds: eight bars of 4/4."""
MIN_BPM, MAX_BPM = 55.0, 125.0
"""Tempi outside are read at half or double."""

GRIDS_PER_QUARTER: Final = (4, 6)
"""Sixteenths and sixteenth triplets: what an accompaniment is snapped to where the melody sits on a grid."""
ON_GRID_MS: Final = 4.0
"""How far from the grid a melody's onsets may be and still count as on it, in clock-ms."""
EARLY_MS: Final = QUARTER_MS / 12
"""Half a sixteenth triplet, in clock-ms: what begins so shortly before a beat is snapped with it."""
WITH_LEAD_MS: Final = QUARTER_MS / 30
"""What a token's step of time may differ from the moment that is meant, and a little, in clock-ms."""
ROUNDING_MS: Final = 1e-3
"""Moments so near each other, in clock-ms, are one, but for rounding errors."""
LATE_QUARTERS: Final = 1 / 32
"""A metre that is stated so shortly after the beginning holds from it: abc2midi puts it at tick 1, with all notes."""
Floats = NDArray[np.float64]


def tempo_fold(bpm: float) -> float:
    """The power of two that brings a tempo into 55–125 quarters a minute.

    >>> tempo_fold(120), tempo_fold(180), tempo_fold(40), tempo_fold(300)
    (1.0, 0.5, 2.0, 0.25)
    """
    if not (np.isfinite(bpm) and bpm > 0):
        raise PianalysisError(f"expected a tempo above 0 bpm, found {bpm}")
    fold = 1.0
    while bpm * fold > MAX_BPM:
        fold /= 2
    while bpm * fold < MIN_BPM:
        fold *= 2
    return fold


@dataclass(frozen=True, eq=False)
class BeatClock:
    """A piecewise linear map between real and clock milliseconds, and the bar lines on the clock.

    real_ms, clock_ms: the knots, at least two, both strictly increasing. bar_lines: clock-ms of each bar's start,
    increasing; the last one closes the last bar. bpm: the piece's median tempo in quarters a minute, unfolded.
    time_signature: that of most bars.
    """

    real_ms: Floats
    clock_ms: Floats
    bar_lines: Floats
    bpm: float
    time_signature: tuple[int, int]

    def to_clock(self, real_ms: ArrayLike) -> Floats:
        """Real milliseconds to clock milliseconds; the outer segments go on for ever."""
        return _interpolate(np.asarray(real_ms, np.float64), self.real_ms, self.clock_ms)

    def to_real(self, clock_ms: ArrayLike) -> Floats:
        """Clock milliseconds to real milliseconds, the exact inverse of `to_clock`."""
        return _interpolate(np.asarray(clock_ms, np.float64), self.clock_ms, self.real_ms)

    def notes_to_clock(self, notes: Notes) -> Notes:
        """Notes in real milliseconds to notes in clock milliseconds."""
        return _map_notes(notes, self.to_clock)

    def notes_to_real(self, notes: Notes) -> Notes:
        """Notes in clock milliseconds to notes in real milliseconds."""
        return _map_notes(notes, self.to_real)

    @classmethod
    def from_score(cls, score: symusic.Score) -> BeatClock:
        """The clock of a score in ticks, from its tempo map and time signatures (120 bpm and 4/4 until the first)."""
        end_tick = max([score.tpq, *(track.end() for track in score.tracks)])
        ticks = sorted({0, end_tick, *(tempo.time for tempo in score.tempos if 0 < tempo.time < end_tick)})
        real_ms = ticks_to_ms(score, ticks)
        quarters = np.array(ticks, np.float64) / score.tpq
        bpm = _median_bpm(real_ms, quarters)
        per_quarter = QUARTER_MS * tempo_fold(bpm)
        signatures = _signature_quarters(score, end_tick)
        lines = _bar_lines(signatures, float(quarters[-1])) * per_quarter
        return cls(
            real_ms,
            quarters * per_quarter,
            _split_long_bars(lines),
            bpm,
            _main_signature(signatures, float(quarters[-1])),
        )

    @classmethod
    def from_beats(
        cls, beats_ms: ArrayLike, downbeats: ArrayLike, *, start_ms: float = 0.0, end_ms: float = 0.0
    ) -> BeatClock:
        """The clock of annotated beats: times in real milliseconds, and which of them begin a bar.

        Bars are added before the first and after the last downbeat until they cover start_ms … end_ms; clock 0 is the
        first bar line. Raises PianalysisError with fewer than two beats or without a downbeat.
        """
        beats = np.asarray(beats_ms, np.float64)
        flags = np.asarray(downbeats, bool)
        latest = np.maximum.accumulate(beats)  # a beat that isn't later than all before it is left out
        keep = np.concatenate([[True], np.diff(latest) > 1.0]) if len(beats) else np.zeros(0, bool)
        beats, flags = beats[keep], flags[keep]
        if len(beats) < 2 or not flags.any():
            raise PianalysisError(
                f"expected at least two increasing beats, one of them a downbeat, found {len(beats)} beats"
            )
        bpm = 60_000 / float(np.median(np.diff(beats)))
        per_beat = QUARTER_MS * tempo_fold(bpm)
        down = np.flatnonzero(flags)
        per_bar = int(np.median(np.diff(down))) if len(down) > 1 else 4
        clock_ms: Floats = np.arange(len(beats), dtype=np.float64) * per_beat
        start, end = _interpolate(np.array([start_ms, end_ms]), beats, clock_ms)
        bar_ms = per_bar * per_beat
        before = max(0, int(np.ceil((down[0] * per_beat - start) / bar_ms)))
        after = max(1, int(np.ceil((end - down[-1] * per_beat) / bar_ms)))
        lead_in = down[0] * per_beat - bar_ms * np.arange(before, 0, -1)
        lead_out = down[-1] * per_beat + bar_ms * np.arange(1, after + 1)
        lines = np.concatenate([lead_in, down * per_beat, lead_out])
        return cls(beats, clock_ms - lines[0], _split_long_bars(lines - lines[0]), bpm, (per_bar, 4))


def _interpolate(x: Floats, knots_x: Floats, knots_y: Floats) -> Floats:
    index = np.clip(np.searchsorted(knots_x, x, side="right") - 1, 0, len(knots_x) - 2)
    slope = (knots_y[index + 1] - knots_y[index]) / (knots_x[index + 1] - knots_x[index])
    result: Floats = knots_y[index] + (x - knots_x[index]) * slope
    return result


def _map_notes(notes: Notes, time_map: Callable[[Floats], Floats]) -> Notes:
    mapped = notes.copy()
    mapped["onset_ms"] = time_map(notes["onset_ms"])
    mapped["duration_ms"] = time_map(notes["onset_ms"] + notes["duration_ms"]) - mapped["onset_ms"]
    return mapped


def _median_bpm(real_ms: Floats, quarters: Floats) -> float:
    """The tempo at which half of the quarters are slower: a ritardando at the end doesn't move it."""
    lengths, counts = np.diff(real_ms) / np.diff(quarters), np.diff(quarters)
    order = np.argsort(lengths)
    middle = np.searchsorted(np.cumsum(counts[order]), counts.sum() / 2)
    return 60_000 / float(lengths[order][min(int(middle), len(order) - 1)])


def _signature_quarters(score: symusic.Score, end_tick: int) -> list[tuple[float, int, int]]:
    """(start in quarters, numerator, denominator) of each time signature before the end, the first at 0."""
    changes = {0.0: (4, 4)}
    for item in sorted(score.time_signatures, key=lambda signature: signature.time):
        if item.numerator > 0 and item.denominator > 0 and item.time < end_tick:
            start = item.time / score.tpq
            changes[start if start > LATE_QUARTERS else 0.0] = (item.numerator, item.denominator)
    return [(start, *signature) for start, signature in sorted(changes.items())]


def _bar_lines(signatures: list[tuple[float, int, int]], end: float) -> Floats:
    """Bar lines in quarters from 0 until one at or after the end; a change of metre begins a bar, even a short one."""
    lines: list[float] = []
    for index, (start, numerator, denominator) in enumerate(signatures):
        bar = numerator * 4 / denominator
        stop = signatures[index + 1][0] if index + 1 < len(signatures) else max(end, start + bar)
        count = max(1, int(np.ceil((stop - start) / bar - 1e-6)))
        lines.extend(start + bar * step for step in range(count))
        if index + 1 == len(signatures):
            lines.append(start + bar * count)
    return np.array(lines)


def _main_signature(signatures: list[tuple[float, int, int]], end: float) -> tuple[int, int]:
    spans: dict[tuple[int, int], float] = {}
    stops = [*(start for start, _, _ in signatures[1:]), max(end, signatures[-1][0] + 1)]
    for (start, numerator, denominator), stop in zip(signatures, stops, strict=True):
        spans[numerator, denominator] = spans.get((numerator, denominator), 0.0) + stop - start
    return max(spans, key=lambda key: spans[key])


def _split_long_bars(lines: Floats) -> Floats:
    """Bars longer than a window (a cadenza written as one bar) are cut into windows."""
    if np.diff(lines).max() <= WINDOW_MS:
        return lines
    # The last 1e-3: a bar that is one window but for a rounding error stays one bar.
    pieces = [np.arange(start, stop - 1e-3, WINDOW_MS) for start, stop in pairwise(lines)]
    return np.concatenate([*pieces, lines[-1:]])


def _bar_of(moments: Floats, bar_lines: Floats) -> NDArray[np.int64]:
    """The bar that each moment belongs to; what is less than `EARLY_MS` before a bar line belongs to the bar after it."""
    bars = np.searchsorted(bar_lines, moments + EARLY_MS, side="right") - 1
    return np.asarray(np.maximum(bars, 0), np.int64)


def _grid_points(moments: Floats, bar_lines: Floats, per_quarter: int) -> Floats:
    """The nearest point of each moment's bar, counted from its line; a bar that holds no whole steps ends in a short one."""
    bar = _bar_of(moments, bar_lines)
    steps = np.rint((moments - bar_lines[bar]) * per_quarter / QUARTER_MS)
    points: Floats = bar_lines[bar] + steps * QUARTER_MS / per_quarter
    following = np.append(bar_lines, np.inf)[bar + 1]
    return np.where(points > following - ROUNDING_MS, following, points)


def sits_on_grid(voice: Notes, bar_lines: Floats) -> bool:
    """Whether nearly every onset of a melody, in clock-ms, is a sixteenth or sixteenth triplet of its bar."""
    onsets = voice["onset_ms"]
    distances = [np.abs(_grid_points(onsets, bar_lines, grid) - onsets) for grid in GRIDS_PER_QUARTER]
    return bool(np.mean(np.minimum(*distances) <= ON_GRID_MS) >= 0.95)


def snap(notes: Notes, bar_lines: Floats, lead: Floats | None = None) -> Notes:
    """Notes in clock-ms on the nearest sixteenths, or sixteenth triplets in beats where these fit better (a new array).

    Beats and grids are counted from each bar's line, so that where a note comes to lie depends on its own bar alone: on what
    begins between `EARLY_MS` before this bar's line and `EARLY_MS` before the next one. Ends are snapped too; of two notes
    that meet on one key and onset the longer stays. lead: onsets, clock-ms, that are as they should be: what is within `WITH_LEAD_MS` of one lies there, and for the rest of its beat
    they alone say which grid fits.

    >>> from pianalysis.music.notes import make_notes
    >>> notes = make_notes([(25, 225, 60, 80), (325, 175, 64, 80), (675, 150, 67, 80)])
    >>> snap(notes, np.array([0.0, 2000.0]))["onset_ms"].round(1).tolist()
    [0.0, 333.3, 666.7]
    """
    onsets, ends = notes["onset_ms"], notes["onset_ms"] + notes["duration_ms"]
    (binary, binary_ends), (ternary, ternary_ends) = (
        (_grid_points(onsets, bar_lines, grid), _grid_points(ends, bar_lines, grid)) for grid in GRIDS_PER_QUARTER
    )
    use_ternary = _fits_ternary(onsets, bar_lines, lead if lead is not None else np.zeros(0))
    snapped = notes.copy()
    snapped["onset_ms"] = np.where(use_ternary, ternary, binary)
    if lead is not None and len(lead):
        nearest = lead[np.abs(lead[:, None] - onsets).argmin(axis=0)]
        snapped["onset_ms"] = np.where(np.abs(nearest - onsets) <= WITH_LEAD_MS, nearest, snapped["onset_ms"])
    shortest = np.where(use_ternary, QUARTER_MS / GRIDS_PER_QUARTER[1], QUARTER_MS / GRIDS_PER_QUARTER[0])
    lengths = np.where(use_ternary, ternary_ends, binary_ends) - snapped["onset_ms"]
    snapped["duration_ms"] = np.where(lengths > ROUNDING_MS, lengths, shortest)
    snapped = sort_notes(snapped)
    met = (np.diff(snapped["onset_ms"]) <= ROUNDING_MS) & (np.diff(snapped["pitch"]) == 0)
    kept: Notes = snapped[~np.append(met, np.zeros(min(len(snapped), 1), bool))]
    return kept


def _fits_ternary(onsets: Floats, bar_lines: Floats, lead: Floats) -> NDArray[np.bool_]:
    """For each onset whether sixteenth triplets fit its beat better than sixteenths: all its onsets, or those of the lead."""
    together = np.concatenate([onsets, lead])
    binary, ternary = (np.abs(_grid_points(together, bar_lines, grid) - together) for grid in GRIDS_PER_QUARTER)
    of_beat = _beat_of(together, bar_lines)
    leads = np.zeros(of_beat.max(initial=-1) + 1, bool)
    leads[of_beat[len(onsets) :]] = True
    heard = ~leads[of_beat] | (np.arange(len(together)) >= len(onsets))
    gain = np.bincount(of_beat, np.where(heard, binary - ternary, 0.0))
    return np.asarray(gain[of_beat[: len(onsets)]] > ON_GRID_MS)


def _beat_of(onsets: Floats, bar_lines: Floats) -> NDArray[np.int64]:
    """For each onset the number of its beat, a quarter of its bar or what is left of one, among those that have onsets."""
    bar = _bar_of(onsets, bar_lines)
    beat = np.floor((onsets - bar_lines[bar] + EARLY_MS) / QUARTER_MS)
    return np.asarray(np.unique(bar_lines[bar] + beat * QUARTER_MS, return_inverse=True)[1], np.int64)

"""The beat grid: the beats of every bar in any metre, on which chords stand.

In: a piece's bar lines, time signature and the length of its quarter, on the beat clock. Out: a `BeatGrid`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pianalysis.errors import PianalysisError
from pianalysis.music.clock import QUARTER_MS, BeatClock, tempo_fold

LONGEST_BEAT_MS: Final = 1_000.0
"""Beats longer than this on the clock (a slow 6/8's dotted quarters) are divided: chords change within them."""
SHORTEST_SHARE: Final = 0.5
"""What is left of a bar beside its whole beats is a beat of its own from this share of a beat on."""
TOLERANCE: Final = 0.02
"""How far two lengths may differ, in beats, and still be the same length."""

WEAK, HALF_BAR, DOWNBEAT = 0, 1, 2
"""Metric strengths of a beat."""

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class BeatGrid:
    """The n beats of a piece, from its first bar line to its last.

    borders_ms: clock-ms, rising, n + 1: beat i is from borders_ms[i] until borders_ms[i + 1]. bar: the index of each
    beat's bar among the bar lines. place: which beat of its bar it is, from 0; in a pickup as in the whole bar whose
    end it is, and in a bar that a repeat divides in two as in the whole bar. beats_in_bar: how many beats that whole
    bar has.
    """

    borders_ms: Floats
    bar: Counts
    place: Counts
    beats_in_bar: Counts

    def __len__(self) -> int:
        return len(self.bar)

    @property
    def strength(self) -> Counts:
        """`DOWNBEAT`, `HALF_BAR` or `WEAK`, a beat.

        Bars of four beats and more have a half bar: after 2 of 4, 3 of 5 and 6, 4 of 7 and 8, and after every 3 of 9.
        """
        count = self.beats_in_bar
        middle = np.where((count >= 9) & (count % 3 == 0), self.place % 3 == 0, self.place == (count + 1) // 2)
        strength: Counts = np.where(self.place == 0, DOWNBEAT, np.where(middle & (count >= 4), HALF_BAR, WEAK))
        return strength

    def index(self, times_ms: ArrayLike) -> Counts:
        """The beat in which each time lies; times before the first or after the last beat lie in that one."""
        found = np.searchsorted(self.borders_ms, np.asarray(times_ms, np.float64), side="right") - 1
        return np.clip(found, 0, len(self) - 1)


def beat_grid(bar_lines: ArrayLike, time_signature: tuple[int, int], quarter_ms: float = QUARTER_MS) -> BeatGrid:
    """The beats of the bars between bar lines.

    bar_lines: clock-ms, rising, at least two; the last one closes the last bar. time_signature: that of most bars.
    quarter_ms: a quarter in clock-ms, `QUARTER_MS` times the tempo's fold.

    A beat is a quarter in x/4, a half in x/2, a dotted quarter in 6/8, 9/8 and 12/8, two eighths in 2/4's kin 4/8, and
    in 5/8 and 7/8 two eighths but for the last, which has three. A bar of 3/8 is one beat, for its chords seldom change
    inside; where the tempo is so slow that a beat would last longer than `LONGEST_BEAT_MS`, it is three (and a beat of
    6/8 is an eighth). Bars of another length than the time signature's have as many of its beats as fit. What is left
    over stands at their beginning, as in a pickup, or at their end, where the next bar completes them or the piece
    ends; if it is shorter than half a beat it belongs to the beat beside it.

    Raises PianalysisError for fewer than two bar lines, bar lines that don't rise, or an impossible time signature.

    >>> beat_grid([0, 500, 2000, 3500], (3, 4)).place.tolist()
    [2, 0, 1, 2, 0, 1, 2]
    >>> beat_grid([0, 1500, 3000], (6, 8)).borders_ms.tolist()
    [0.0, 750.0, 1500.0, 2250.0, 3000.0]
    """
    lines = np.asarray(bar_lines, np.float64)
    _check(lines, time_signature, quarter_ms)
    lengths = np.diff(lines)
    unit_ms, groups = _beats_of(time_signature, quarter_ms)
    normal_ms, beat_ms = unit_ms * sum(groups), unit_ms * groups[0]
    slack = TOLERANCE * beat_ms
    short = lengths < normal_ms - slack
    divided = short[:-1] & short[1:] & (np.abs(lengths[:-1] + lengths[1:] - normal_ms) <= slack)
    borders, bars, places, counts = [lines[:1]], [], [], []
    for bar, length in enumerate(lengths):
        second = bar > 0 and divided[bar - 1] and not (bar > 1 and divided[bar - 2])
        first = bar < len(divided) and divided[bar] and not second
        if abs(length - normal_ms) <= slack:
            beats = np.array(groups, np.float64) * (length / sum(groups))
        else:
            beats = _odd_bar(length, beat_ms, ternary=groups[0] == 3, from_start=first or bar == len(lengths) - 1)
        pickup = (second or (bar == 0 and short[0] and not first)) and len(beats) <= len(groups)
        whole = max(len(groups), len(beats)) if pickup or first else len(beats)
        borders.append(lines[bar] + np.cumsum(beats[:-1]))
        borders.append(lines[bar + 1 : bar + 2])
        bars.append(np.full(len(beats), bar))
        places.append(np.arange(len(beats)) + (whole - len(beats) if pickup else 0))
        counts.append(np.full(len(beats), whole))
    return BeatGrid(*(np.concatenate(parts) for parts in (borders, bars, places, counts)))


def clock_beats(clock: BeatClock) -> BeatGrid:
    """The beats of a piece, from its clock."""
    return beat_grid(clock.bar_lines, clock.time_signature, QUARTER_MS * tempo_fold(clock.bpm))


def _check(lines: Floats, time_signature: tuple[int, int], quarter_ms: float) -> None:
    if lines.ndim != 1 or len(lines) < 2 or not (np.isfinite(lines).all() and (np.diff(lines) > 0).all()):
        raise PianalysisError(f"expected at least two bar lines that rise, found {lines.ravel()[:8].tolist()}")
    if time_signature[0] < 1 or time_signature[1] < 1:
        raise PianalysisError(
            f"expected a time signature like (4, 4), found {time_signature}; both numbers must be at least 1"
        )
    if not (np.isfinite(quarter_ms) and quarter_ms > 0):
        raise PianalysisError(f"expected a quarter's length above 0 ms, found {quarter_ms}")


def _beats_of(time_signature: tuple[int, int], quarter_ms: float) -> tuple[float, list[int]]:
    """The length of a metre's unit in clock-ms, and how many units each beat of a bar has.

    >>> _beats_of((7, 8), 500.0), _beats_of((3, 8), 1000.0)
    ((250.0, [2, 2, 3]), (500.0, [1, 1, 1]))
    """
    numerator, denominator = time_signature
    unit_ms = quarter_ms * 4 / denominator
    groups = [1] * numerator
    if denominator >= 8 and numerator % 3 == 0:
        groups = [3] * (numerator // 3)
    elif denominator >= 8 and numerator > 1:
        groups = [2] * (numerator // 2)
        groups[-1] += numerator % 2
    if max(groups) * unit_ms > LONGEST_BEAT_MS * (1 + TOLERANCE):
        groups = [1] * numerator
    while unit_ms * groups[0] > LONGEST_BEAT_MS * (1 + TOLERANCE):
        unit_ms, groups = unit_ms / 2, groups * 2
    return unit_ms, groups


def _odd_bar(length: float, beat_ms: float, *, ternary: bool, from_start: bool) -> Floats:
    """The lengths of the beats of a bar that isn't as long as the time signature says.

    >>> _odd_bar(1250.0, 500.0, ternary=False, from_start=False), _odd_bar(1000.0, 750.0, ternary=True, from_start=True)
    (array([250., 500., 500.]), array([500., 500.]))
    """
    whole = int(length / beat_ms + TOLERANCE)
    rest = length - whole * beat_ms
    if whole == 0 or rest <= TOLERANCE * beat_ms:
        return np.full(max(whole, 1), length / max(whole, 1))
    if rest >= (SHORTEST_SHARE - TOLERANCE) * beat_ms:
        beats = [rest, *[beat_ms] * whole]
    elif ternary:  # four eighths in 6/8: two and two
        beats = [(rest + beat_ms) / 2] * 2 + [beat_ms] * (whole - 1)
    else:
        beats = [rest + beat_ms, *[beat_ms] * (whole - 1)]
    return np.array(beats[::-1] if from_start else beats)

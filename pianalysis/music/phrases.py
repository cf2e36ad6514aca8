"""Where a melody returns: eight bars, or four, that were heard before, at the same pitch or moved.

In: one voice and its bar lines, in clock-ms. Out: `Return`s. Two stretches of bars are as alike as the share of their notes
that have a partner in the other: the same interval away as most are, at the same place in the bar give or take a sixteenth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.music.notes import Notes, sort_notes

SLOT_MS: Final = 125.0
"""A sixteenth of the clock."""
SIZES: Final = (8, 4)
"""Bars of a phrase."""
LIKENESS: Final = {8: 0.5, 4: 0.6}
"""From this share of partnered notes on, a phrase of so many bars returns: of 4,856 phrases of POP909's and OpenScore
Lieder's test songs none is so like any of the song after it."""
WORSE_HALF: Final = 0.4
"""Each half of it is at least so alike: what is half new is no return."""
FEWEST_NOTES_A_BAR: Final = 1.5
"""A stretch with fewer says too little."""
WIDEST_SHIFT: Final = 12
"""Semitones by which a phrase may have moved."""
MOVED: Final = 0.05
"""By how much more alike a moved phrase must be than one at its own pitch."""
NEARLY: Final = 0.02
"""Of earlier phrases that are so nearly alike the first is taken."""


@dataclass(frozen=True)
class Return:
    """Bars bar … bar + bars - 1 are like those from earlier_bar on, moved up by `shift` semitones.

    likeness: 0 … 1, less `MOVED` where the shift isn't 0.
    """

    bar: int
    earlier_bar: int
    bars: int
    shift: int
    likeness: float


@dataclass(frozen=True, eq=False)
class _Roll:
    """A melody on sixteenths: pitches, [bars, slots], 0 where no note begins; lengths: each bar's slots."""

    pitches: NDArray[np.int16]
    lengths: NDArray[np.int64]

    @property
    def counts(self) -> NDArray[np.int64]:
        """The notes that begin in each bar."""
        return np.asarray((self.pitches > 0).sum(axis=1), np.int64)


def returns(melody: Notes, bar_lines: NDArray[np.float64]) -> list[Return]:
    """The phrases of a melody that were heard before, by their place; no bar is in two of them.

    A phrase and the earlier one don't overlap. Of all choices that one is made which covers the most notes, weighted by
    their likeness above the threshold; eight bars before twice four.
    """
    bars = len(bar_lines) - 1
    roll = _roll(melody, np.asarray(bar_lines, np.float64))
    candidates = _candidates(roll)
    worth = np.zeros(bars + 1)
    chosen: list[Return | None] = [None] * (bars + 1)
    for stop in range(1, bars + 1):
        worth[stop] = worth[stop - 1]
        for size in SIZES:
            found = candidates.get((stop - size, size))
            if found is None:
                continue
            covered = roll.counts[stop - size : stop].sum()
            value = worth[stop - size] + covered * (1 + found.likeness - LIKENESS[size]) + size / 100
            if value > worth[stop]:
                worth[stop], chosen[stop] = value, found
    result = []
    stop = bars
    while stop > 0:
        found = chosen[stop]
        if found is not None:
            result.append(found)
        stop -= 1 if found is None else found.bars
    return result[::-1]


def likeness(melody: Notes, bar_lines: NDArray[np.float64], bar: int, earlier_bar: int, bars: int, shift: int) -> float:
    """How alike two stretches of a melody are, 0 … 1, when the earlier one is moved up by `shift` semitones."""
    roll = _roll(melody, np.asarray(bar_lines, np.float64))
    partners = _partners(roll, bar - earlier_bar)[earlier_bar : earlier_bar + bars, shift + WIDEST_SHIFT].sum()
    notes = roll.counts[bar : bar + bars].sum() + roll.counts[earlier_bar : earlier_bar + bars].sum()
    return float(partners / notes) if notes else 0.0


def _roll(melody: Notes, bar_lines: NDArray[np.float64]) -> _Roll:
    melody = sort_notes(melody)
    onset = melody["onset_ms"]
    bar = np.searchsorted(bar_lines, onset + SLOT_MS / 2, side="right") - 1
    inside = (bar >= 0) & (bar < len(bar_lines) - 1)
    bar, onset, pitch = bar[inside], onset[inside], melody["pitch"][inside]
    lengths = np.rint(np.diff(bar_lines) / SLOT_MS).astype(np.int64)
    slot = np.clip(np.rint((onset - bar_lines[bar]) / SLOT_MS).astype(np.int64), 0, None)
    pitches = np.zeros((len(lengths), int(lengths.max(initial=1)) + 1), dtype=np.int16)
    pitches[bar, np.minimum(slot, pitches.shape[1] - 1)] = pitch
    return _Roll(pitches, lengths)


def _partners(roll: _Roll, lag: int) -> NDArray[np.int64]:
    """For each bar and the bar `lag` later: how many notes of the two have a partner, for each shift, [bars - lag, 25].

    Bars of different lengths have none.
    """
    earlier, later = roll.pitches[:-lag], roll.pitches[lag:]
    shifts = np.arange(-WIDEST_SHIFT, WIDEST_SHIFT + 1)
    bars, slots = earlier.shape
    result = np.zeros((bars, len(shifts)), dtype=np.int64)
    for one, other, sign in ((earlier, later, 1), (later, earlier, -1)):
        has_partner = np.zeros((bars, slots, len(shifts)), dtype=bool)
        for offset in (-1, 0, 1):
            near = np.zeros_like(other)
            near[:, max(0, -offset) : slots - max(0, offset)] = other[:, max(0, offset) : slots - max(0, -offset)]
            step = sign * (near.astype(np.int64) - one)
            both = (one > 0) & (near > 0) & (np.abs(step) <= WIDEST_SHIFT)
            at = np.nonzero(both)
            has_partner[(*at, step[both] + WIDEST_SHIFT)] = True
        result += has_partner.sum(axis=1)
    result[roll.lengths[:-lag] != roll.lengths[lag:]] = 0
    return result


def _candidates(roll: _Roll) -> dict[tuple[int, int], Return]:
    """For each first bar and size the return that is most alike, if one is alike enough."""
    bars = len(roll.lengths)
    best: dict[tuple[int, int], Return] = {}
    for lag in range(bars - 1, min(SIZES) - 1, -1):  # the first phrase before the later ones
        partners, notes = _partners(roll, lag), np.stack([roll.counts[:-lag], roll.counts[lag:]], axis=1)
        for size in SIZES:
            if lag < size or bars - lag < size:
                continue
            alike = _share(partners, notes, size)
            alike[:, np.arange(2 * WIDEST_SHIFT + 1) != WIDEST_SHIFT] -= MOVED
            starts = np.arange(len(alike))
            shift = alike.argmax(axis=1)
            value, halves = alike[starts, shift], _share(partners, notes, size // 2)
            worse_half = np.minimum(halves[starts, shift], halves[starts + size // 2, shift])
            enough = (value >= LIKENESS[size]) & (worse_half >= WORSE_HALF)
            enough &= _sums(notes, size).min(axis=1) >= FEWEST_NOTES_A_BAR * size
            for start in starts[enough].tolist():
                key, found = (start + lag, size), float(value[start])
                if key not in best or found > best[key].likeness + NEARLY:
                    best[key] = Return(start + lag, start, size, int(shift[start]) - WIDEST_SHIFT, found)
    return best


def _sums(rows: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """The sums of each `size` rows that follow each other."""
    sums: NDArray[np.int64] = np.concatenate([np.zeros_like(rows[:1]), np.cumsum(rows, axis=0)])
    return sums[size:] - sums[:-size]


def _share(partners: NDArray[np.int64], notes: NDArray[np.int64], size: int) -> NDArray[np.float64]:
    """The likeness of each `size` bars, for each shift."""
    counts = np.maximum(_sums(notes, size).sum(axis=1), 1)
    return np.asarray(_sums(partners, size) / counts[:, None], np.float64)


def echoes(accompaniment: Notes, bar_lines: NDArray[np.float64], found: list[Return]) -> NDArray[np.float64]:
    """How alike an accompaniment is in each bar that returns and the earlier bar, 0 … 1, moved as the melody was.

    Jaccard: of all (onset on the sixteenth grid, pitch class) of the two bars the share that both have. Bars that are
    silent both times are left out.
    """
    bar_lines = np.asarray(bar_lines, np.float64)
    bars: list[set[tuple[int, int]]] = [set() for _ in bar_lines]
    place = np.searchsorted(bar_lines, accompaniment["onset_ms"] + SLOT_MS / 2, side="right") - 1
    for bar, onset, pitch in zip(place, accompaniment["onset_ms"], accompaniment["pitch"], strict=True):
        if bar >= 0:
            bars[bar].add((int(np.rint((onset - bar_lines[bar]) / SLOT_MS)), int(pitch) % 12))
    shares = []
    for item in found:
        for step in range(item.bars):
            now = bars[item.bar + step]
            then = {(slot, (pitch + item.shift) % 12) for slot, pitch in bars[item.earlier_bar + step]}
            if now | then:
                shares.append(len(now & then) / len(now | then))
    return np.array(shares)

"""How much of an accompaniment is copied from the training set, and how alike its own returns are.

In: notes in clock-ms (a beat is 500): steps and phrases are told in sixteenths and bars. Out: the longest copy in notes, and
a similarity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pianalysis.metrics.rolls import Floats, steps
from pianalysis.music.clock import SIXTEENTH_MS
from pianalysis.music.notes import Notes

PHRASE_BARS: Final = 2
FEWEST_PHRASE_NOTES: Final = 4
"""Melody phrases of fewer notes are like others by chance."""

Ids = NDArray[np.int64]


def note_steps(notes: Notes, *, step_ms: float, any_key: bool) -> Ids:
    """A number for each step from one note to the next, by onset and pitch; equal numbers, equal steps.

    A step is the time between their onsets, each rounded to `step_ms`, and the two pitches (`any_key`: only the
    interval between them).
    """
    onset, pitch = steps(notes["onset_ms"], step_ms), notes["pitch"].astype(np.int64)
    order = np.lexsort((pitch, onset))
    onset, pitch = onset[order], pitch[order]
    gap, rise = np.diff(onset), np.diff(pitch)
    numbers: Ids = (gap * 256 + rise + 128) * 128
    return numbers if any_key else numbers + pitch[:-1]


@dataclass(frozen=True, eq=False)
class CopyIndex:
    """All steps of a set of pieces one after the other (0 between pieces), and the order of all their suffixes.

    alphabet: the sorted step numbers, `text`'s ids from 1 on. order: the suffix array of `text`.
    """

    text: NDArray[np.int32]
    order: NDArray[np.int32]
    alphabet: Ids
    step_ms: float
    any_key: bool

    @classmethod
    def build(cls, pieces: Sequence[Notes], *, step_ms: float = SIXTEENTH_MS, any_key: bool = True) -> CopyIndex:
        """Index note arrays in clock-ms. `any_key`: a copy in another key is one too, as training transposes.

        Give whole pieces rather than windows that overlap: these hold the same notes many times over.
        """
        parts = [note_steps(notes, step_ms=step_ms, any_key=any_key) for notes in pieces]
        alphabet, ids = np.unique(np.concatenate([np.zeros(0, np.int64), *parts]), return_inverse=True)
        text = np.zeros(len(ids) + len(parts), np.int32)
        lengths = np.array([len(part) for part in parts], np.int64)
        text[np.arange(len(ids)) + np.repeat(np.arange(len(parts)), lengths)] = ids + 1
        return cls(text, suffix_order(text), alphabet, step_ms, any_key)

    def encode(self, notes: Notes) -> Ids:
        """The ids of a piece's steps; −1 for a step that no indexed piece has."""
        numbers = note_steps(notes, step_ms=self.step_ms, any_key=self.any_key)
        if not len(self.alphabet):
            return np.full(len(numbers), -1)
        place = np.minimum(np.searchsorted(self.alphabet, numbers), len(self.alphabet) - 1)
        return np.where(self.alphabet[place] == numbers, place + 1, -1)


def suffix_order(text: NDArray[np.int32]) -> NDArray[np.int32]:
    """The starts of all suffixes in their order, by prefix doubling: O(n log n) per doubling of the longest repeat.

    >>> suffix_order(np.array([2, 1, 2, 1, 3], np.int32)).tolist()
    [1, 3, 0, 2, 4]
    """
    rank = text.astype(np.int64)
    size, length = len(text), 1
    while True:
        key = rank * (size + 1 + int(text.max(initial=0)))
        key[: max(size - length, 0)] += rank[length:] + 1
        order = np.argsort(key)
        changes = np.diff(key[order]) != 0
        if changes.all():
            return order.astype(np.int32)
        rank = np.empty(size, np.int64)
        rank[order] = np.concatenate([[0], np.cumsum(changes)])
        length *= 2


def longest_copy(notes: Notes, index: CopyIndex) -> int:
    """The longest run of consecutive notes that also stands in an indexed piece, in notes; 0 where no two in a row do.

    Notes are in clock-ms and taken by onset, then pitch. A run is copied when its onsets, to the index's step and
    apart from where it begins, and its pitches (of an `any_key` index: apart from its key) are all the same; lengths
    and velocities don't count. Common figures make runs too: the human accompaniments of POP909's test songs (180 beats)
    have 13 notes (median; 37 at most) in common with a piece of the training set.
    """
    query = index.encode(notes)
    starts = np.flatnonzero(query > 0)
    low, high = np.zeros(len(starts), np.int64), np.full(len(starts), len(index.order), np.int64)
    depth = 0
    while len(starts):
        wanted = query[starts + depth]
        low = _bisect(index, low, high, depth, wanted)
        high = _bisect(index, low, high, depth, wanted + 1)
        found = low < high
        depth += int(found.any())
        goes_on = found & (starts + depth < len(query))
        starts, low, high = starts[goes_on], low[goes_on], high[goes_on]
    return depth + 1 if depth else 0


def _bisect(index: CopyIndex, low: Ids, high: Ids, depth: int, wanted: Ids) -> Ids:
    """Where in each stretch of the suffix order, whose suffixes agree up to `depth`, the next id reaches `wanted`."""
    low, high = low.copy(), high.copy()
    while (low < high).any():
        middle = (low + high) // 2
        place = index.order[np.minimum(middle, len(index.order) - 1)].astype(np.int64) + depth
        there = np.where(place < len(index.text), index.text[np.minimum(place, len(index.text) - 1)], 0)
        below = (there < wanted) & (low < high)
        low, high = np.where(below, middle + 1, low), np.where(below, high, np.minimum(middle, high))
    return low


def self_similarity(melody: Notes, accompaniment: Notes, *, bar_lines_ms: ArrayLike) -> float:
    """How alike the accompaniments of a melody phrase and of its returns are, from 0 to 1; NaN if no phrase returns.

    A phrase: two bars of at least four melody notes. It returns where two other bars have the same onsets, to the
    sixteenth, and the same pitches. Alike: Dice's coefficient of the accompaniments' (onset to the sixteenth, pitch)
    sets; the mean over all pairs of returns that don't overlap. All times in clock-ms.
    """
    lines = np.asarray(bar_lines_ms, np.float64)
    tunes: dict[tuple[int, ...], list[int]] = {}
    for bar, tune in enumerate(_phrases(melody, lines)):
        if len(tune) >= FEWEST_PHRASE_NOTES:
            tunes.setdefault(tuple(sorted(tune)), []).append(bar)
    below = _phrases(accompaniment, lines)
    values = [
        2 * len(below[first] & below[again]) / (len(below[first]) + len(below[again]))
        for bars in tunes.values()
        for first, again in combinations(bars, 2)
        if again - first >= PHRASE_BARS and (below[first] or below[again])
    ]
    return float(np.mean(values)) if values else float("nan")


def _phrases(notes: Notes, lines: Floats) -> list[set[int]]:
    """For each bar that a phrase can begin with: its notes' onsets in sixteenths and pitches, a number each."""
    ordered = notes[np.argsort(notes["onset_ms"])]
    half = SIXTEENTH_MS / 2  # a note just before a bar line is the bar's own
    edges = np.searchsorted(ordered["onset_ms"], lines - half)
    phrases = []
    for bar in range(len(lines) - PHRASE_BARS):
        part = ordered[edges[bar] : edges[bar + PHRASE_BARS]]
        phrases.append(set((steps(part["onset_ms"] - lines[bar], SIXTEENTH_MS) * 128 + part["pitch"]).tolist()))
    return phrases

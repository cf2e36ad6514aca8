"""What an accompaniment says at each sixteenth of where bars begin: its bass, how thick it is, where its harmony changes.

In: the notes beside a melody, in steps. Out: channels that `downbeats` hears beside the melody's.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

BESIDE: Final = 11
"""Channels; the first is 1 wherever there is an accompaniment."""
MIDDLE_C: Final = 60
BEFORE_AND_AFTER: Final = (2, 4, 8)
"""Steps before and after a place between which pitch classes are compared."""

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def accompaniment_channels(starts: Ints, ends: Ints, pitches: Ints, velocities: Ints, total: int) -> Floats:
    """What is heard at each of so many steps, ``[total, BESIDE]``; starts and ends in steps, rising starts.

    What begins before step 0 is heard from there on, not struck.
    """
    rows = np.zeros((total, BESIDE), np.float32)
    if not len(starts):
        return rows
    rows[:, 0] = 1
    ends = np.maximum(ends, starts + 1)
    struck = (starts >= 0) & (starts < total)
    at = starts[struck]
    count = np.bincount(at, minlength=total)[:total]
    rows[:, 1] = count > 0
    rows[:, 2] = np.log1p(count) / 2
    rows[:, 3] = _longest(at, np.minimum(ends[struck] - at, 32), total)
    loudness = velocities[struck].astype(np.float64)
    if len(loudness) and loudness.std() > 1:
        mean = np.bincount(at, loudness, total)[:total] / np.maximum(count, 1)
        rows[:, 4] = np.where(count > 0, np.clip((mean - loudness.mean()) / loudness.std() / 2, -1, 1), 0)
    _hear_the_bass(rows, at, pitches[struck], total)
    _hear_changes(rows, starts, ends, pitches, total)
    return rows


def _longest(at: Ints, lengths: Ints, total: int) -> Floats:
    """The length of the longest note that begins at each step, as a logarithm."""
    longest = np.zeros(total)
    np.maximum.at(longest, at, lengths)
    return np.asarray(np.log2(np.maximum(longest, 1)) / 5, np.float32)


def _hear_the_bass(rows: Floats, at: Ints, pitches: Ints, total: int) -> None:
    """Fill in the lowest notes: how low, whether lower than what is around, whether another key than before."""
    lowest = np.full(total, 128)
    np.minimum.at(lowest, at, pitches)
    places = np.flatnonzero(lowest < 128)
    if not len(places):
        return
    depth = lowest[places].astype(np.float64)
    rows[places, 5] = np.clip((MIDDLE_C - depth) / 24, -1, 1)
    around = np.array([np.mean(depth[max(0, i - 4) : i + 5]) for i in range(len(depth))])
    rows[places, 6] = np.clip((around - depth) / 12, -1, 1)
    bass = depth <= around  # of broken chords the lower notes
    tones = places[bass]
    rows[tones, 7] = np.diff(depth[bass], prepend=depth[bass][:1] - 1) != 0


def _hear_changes(rows: Floats, starts: Ints, ends: Ints, pitches: Ints, total: int) -> None:
    """Fill in how unlike the pitch classes are before and after each step."""
    edges = np.zeros((total + 1, 12))
    first, last = np.clip(starts, 0, total), np.clip(ends, 0, total)
    np.add.at(edges, (first, pitches % 12), 1)
    np.add.at(edges, (last, pitches % 12), -1)
    sums = np.concatenate([np.zeros((1, 12)), np.cumsum(np.cumsum(edges, axis=0)[:-1], axis=0)])
    steps = np.arange(total)
    for place, reach in enumerate(BEFORE_AND_AFTER):
        before = sums[steps] - sums[np.maximum(steps - reach, 0)]
        after = sums[np.minimum(steps + reach, total)] - sums[steps]
        sizes = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
        alike = (before * after).sum(axis=1) / np.maximum(sizes, 1e-9)
        rows[:, 8 + place] = np.where(sizes > 0, 1 - alike, 0.5)

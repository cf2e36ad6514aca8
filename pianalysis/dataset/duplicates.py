"""Finding pieces that stand twice, by their melody: in other keys, at other tempi, in other corpora.

In: melodies as notes on any clock that is even in time. Out: `fingerprint`s, and which pieces are another one again
(`find_twice`).

A fingerprint is a set of shingles: stretches of the melody in which a note struck again counts as one note (another
verse has other syllables). There are two kinds: intervals with rhythm, and longer ones of intervals alone, which find a
tune that is barred or dotted otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.music.notes import Notes

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

RHYTHM_STEPS: Final = 5
"""Steps from note to note in a shingle with rhythm …"""
INTERVAL_STEPS: Final = 8
"""… and in one of intervals alone, which needs more to say as much."""
SHARED_SHARE: Final = 0.405
"""Two melodies are the same from this share of shingles in common on. Of the 3,999 pieces of our five corpora 99 pairs reach
it, and by title or score each is one tune twice; the first pair that isn't, at 0.40, is an exercise in thirds that a long
fantasy runs through. Six more that are one tune lie below (0.25 to 0.39): variants that share a phrase."""
FEWEST_SHARED: Final = 10
"""So many shingles must be in common whatever the share: scales and broken triads are in every other piece."""
FEWEST_SAMPLED: Final = 3
"""… of those that are compared at all, see `MOST_SHINGLES`."""
SHORTEST_IOI_MS: Final = 25.0
NEIGHBOURS: Final = 40
"""A shingle of many pieces is counted between each of them and so many before it: a scale would pair them all."""
MOST_SHINGLES: Final = 4_000_000
"""Of more of them (some 15,000 pieces have so many) a part is compared, so that memory stays bounded. Then a short piece
may have too few left to be found."""
_MIX: Final = tuple(map(np.uint64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)))
_ONE: Final = np.uint64(1)


def fingerprint(melody: Notes) -> Hashes:
    """The shingles of a melody (one voice, sorted by onset) as rising numbers of 64 bits; the lowest bit is the kind.

    The same for a melody in another key, and at another tempo or in notes of half the value.
    """
    struck = melody[np.append(True, np.diff(melody["pitch"]) != 0)] if len(melody) else melody
    if len(struck) < 3:
        return np.zeros(0, np.uint64)
    steps = np.diff(struck["pitch"].astype(np.int64))
    waits = np.maximum(np.diff(struck["onset_ms"]), SHORTEST_IOI_MS)
    # How much longer the next note waits, in doublings: dots and triplets as played are near enough to one another.
    ratios = np.clip(np.rint(np.log2(waits[1:] / waits[:-1])), -2, 2).astype(np.int64)
    kinds = [
        _shingles(steps[:-1] * 8 + ratios, steps[:-1], RHYTHM_STEPS, 0),
        _shingles(steps, steps, INTERVAL_STEPS, 1),
    ]
    return np.unique(np.concatenate(kinds))


def _shingles(items: Places, steps: Places, length: int, kind: int) -> Hashes:
    """A hash for each stretch of so many items that turns; the same in every process, so that builds are the same bytes.

    Not of those that only rise or only fall: scales and broken chords are in every other piece.
    """
    if len(items) < length:
        return np.zeros(0, np.uint64)
    values = items.astype(np.uint64)  # negative ones wrap, each to a number of its own
    count = len(items) - length + 1
    hashes = np.zeros(count, np.uint64)
    for place in range(length):
        hashes = _mixed(hashes + values[place : place + count] + _MIX[0])
    turns = np.abs(_sums(steps, length)) < _sums(np.abs(steps), length)
    return (hashes[turns] & ~_ONE) | np.uint64(kind)


def _sums(values: Places, length: int) -> Places:
    """The sum of each stretch of so many values."""
    sums: Places = np.convolve(values, np.ones(length, np.int64), mode="valid")
    return sums


def _mixed(values: Hashes) -> Hashes:
    """SplitMix64's finisher: every bit of the input moves every bit of the output."""
    values = (values ^ (values >> np.uint64(30))) * _MIX[1]
    values = (values ^ (values >> np.uint64(27))) * _MIX[2]
    mixed: Hashes = values ^ (values >> np.uint64(31))
    return mixed


def share_compared(shingles: int) -> float:
    """What part of a corpus's shingles is compared: all of them up to `MOST_SHINGLES`."""
    return min(1.0, MOST_SHINGLES / max(shingles, 1))


def sampled(hashes: Hashes, share: float) -> Hashes:
    """The same part of every fingerprint: the lowest of all 64-bit numbers."""
    limit = np.uint64(min(int(share * 2**64), 2**64 - 1))
    return hashes[: int(np.searchsorted(hashes, limit, side="right"))].copy()


def find_twice(prints: Sequence[Hashes], splits: Sequence[str], *, share: float = 1.0) -> dict[int, int]:
    """Which pieces are another one again: the place of each to the place of the one to keep, which stands before it.

    prints: the `fingerprint`s, in the order in which pieces are to be kept; splits: of each piece; share: what part of
    every fingerprint these are (see `sampled`).
    """
    found: dict[int, int] = {}
    for later, earlier in sorted(same_melody(prints, splits, share=share)):
        if later not in found:
            found[later] = found.get(earlier, earlier)
    return found


def same_melody(
    prints: Sequence[Hashes], splits: Sequence[str], *, share: float = 1.0, least: float = SHARED_SHARE
) -> dict[tuple[int, int], float]:
    """The pairs (later, earlier) of pieces with the same melody, and the share of shingles that they have in common.

    Two pieces in one split are the same if most of both is: a tune and a potpourri with it are two. In two splits they
    are the same if most of the shorter is in the longer: a test song may not be in training, whatever stands beside it.
    The other arguments: as `find_twice` has them; `least` asks for more or for fewer pairs than are the same.
    """
    hashes = np.concatenate([np.zeros(0, np.uint64), *prints])
    owners = np.repeat(np.arange(len(prints)), [len(some) for some in prints])
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    _, split = np.unique(np.array(splits, dtype=str), return_inverse=True)
    fewest = max(FEWEST_SHARED * share, FEWEST_SAMPLED)
    found: dict[tuple[int, int], float] = {}
    for kind in (0, 1):
        of_kind = hashes & _ONE == kind
        later, earlier, shared = _pairs(hashes[of_kind], owners[of_kind])
        sizes = np.bincount(owners[of_kind], minlength=len(prints))
        both = np.stack([sizes[later], sizes[earlier]])
        common = shared / np.where(split[later] == split[earlier], both.max(0), both.min(0))
        for place in np.flatnonzero((common >= least) & (shared >= fewest)).tolist():
            pair = (int(later[place]), int(earlier[place]))
            found[pair] = max(found.get(pair, 0.0), float(common[place]))
    return found


def _pairs(hashes: Hashes, owners: Places) -> tuple[Places, Places, Places]:
    """Pairs of pieces (the later, the earlier) and how many shingles each pair shares. hashes: rising."""
    keys, counts = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for distance in range(1, NEIGHBOURS + 1):
        same = np.flatnonzero(hashes[distance:] == hashes[:-distance])
        if not len(same):
            break
        more, how_often = np.unique(owners[same + distance] << 32 | owners[same], return_counts=True)
        keys, place = np.unique(np.concatenate([keys, more]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([counts, how_often])).astype(np.int64)
    return keys >> 32, keys & (2**32 - 1), counts

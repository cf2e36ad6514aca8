"""How the chords of a piece go on: how often they change, how many there are, where they lead, how like people's.

In: chords as `ChordSpan`s, rising in time, in clock-ms. Out: plain numbers. A chord counts by its root and its triad: C7
and C are one chord, C and C minor two; the bass doesn't count, and where there is no chord the one before goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.symbols import NO_ROOT, Chord, semitones
from pianalysis.metrics.keys import Key
from pianalysis.metrics.rolls import PITCH_CLASSES, Counts, Floats

MAJOR, MINOR, DIMINISHED, AUGMENTED, OTHER = range(5)
TRIADS: Final = 5
FIFTH_DOWN: Final = 5
"""Semitones, up a fourth: the same pitch class."""
BARS: Final = 8
NAN: Final = float("nan")

Spans = Sequence[ChordSpan]
Triad = tuple[int, int]
"""Root and one of `MAJOR` … `OTHER`; NO_ROOT and `OTHER` for no chord."""


def triad_of(chord: Chord | None) -> Triad:
    """The root and the kind of triad: by the third and the fifth, `OTHER` for none such. None, a gap, is no chord.

    >>> triad_of(Chord(7, "7")), triad_of(Chord(11, "hdim7")), triad_of(Chord(0, "sus4"))
    ((7, 0), (11, 2), (0, 4))
    """
    if chord is None or chord.root == NO_ROOT:
        return NO_ROOT, OTHER
    steps = {semitones(degree) % PITCH_CLASSES for degree in chord.degrees}
    if 4 in steps:
        return chord.root, AUGMENTED if 8 in steps and 7 not in steps else MAJOR
    if 3 in steps:
        return chord.root, DIMINISHED if 6 in steps and 7 not in steps else MINOR
    return chord.root, OTHER


def progression(spans: Spans) -> list[Triad]:
    """The triads one after the other, no two neighbours alike, no chord left out."""
    triads = [triad for triad in (triad_of(span.chord) for span in spans) if triad[0] != NO_ROOT]
    return [*triads[:1], *(after for before, after in pairwise(triads) if after != before)]


def chord_changes(spans: Spans, *, bars: float) -> float:
    """How many times in a bar the chord becomes another; NaN without chords. People: 0.9 to 1.6."""
    chords = progression(spans)
    return (len(chords) - 1) / bars if chords and bars > 0 else NAN


def distinct_chords(spans: Spans, *, bar_lines_ms: ArrayLike, bars: int = BARS) -> float:
    """How many different chords sound in eight bars: the mean over eight bars after eight; NaN where there aren't eight.

    What is left at the end doesn't count. People have four to seven, a triad of the key a half bar three.
    """
    lines = np.asarray(bar_lines_ms, np.float64)[::bars]
    counts = [
        len(
            {triad_of(span.chord) for span in spans if span.onset_ms < end and span.end_ms > start} - {(NO_ROOT, OTHER)}
        )
        for start, end in pairwise(lines.tolist())
    ]
    return float(np.mean(counts)) if any(counts) else NAN


def falling_fifths(spans: Spans) -> float:
    """The share of the moves from one root to another that go down a fifth (G to C); NaN without moves.

    The strongest move of tonal music, and the commonest: chance would have it in one of eleven, people have 0.28 (pop) to
    0.45 (hymns).
    """
    roots = [root for root, _ in progression(spans)]
    moves = [(after - before) % PITCH_CLASSES for before, after in pairwise(roots) if after != before]
    return float(np.mean([move == FIFTH_DOWN for move in moves])) if moves else NAN


def final_tonic(spans: Spans, key: Key | None) -> float:
    """1 if the last chord's root is the key's tonic, 0 if it is another; NaN without a key or a chord.

    Of songs to their last bar: an excerpt may end anywhere.
    """
    chords = progression(spans)
    return float(chords[-1][0] == key.tonic) if chords and key is not None else NAN


def chord_bigrams(spans: Spans) -> Counts:
    """How often each chord goes to each: counts by triad, root motion up in semitones, and triad. Shape (5, 12, 5).

    In every key alike: G7 to C and D to G are both major, 5, major.
    """
    counts = np.zeros((TRIADS, PITCH_CLASSES, TRIADS), np.int64)
    for (root, triad), (next_root, next_triad) in pairwise(progression(spans)):
        counts[triad, (next_root - root) % PITCH_CLASSES, next_triad] += 1
    return counts


def bigram_divergence(counts: ArrayLike, reference_counts: ArrayLike) -> float:
    """The Jensen–Shannon divergence of two sets' chord bigrams, in bits: 0 for the same shares, 1 for none in common.

    counts: the sum of `chord_bigrams` over pieces (Lin 1991). NaN where a set has none. Small sets diverge by chance:
    compare with what one half of the human pieces has to the other.
    """
    shares: list[Floats] = [np.asarray(part, np.float64).ravel() for part in (counts, reference_counts)]
    if not all(part.sum() > 0 for part in shares):
        return NAN
    first, second = (part / part.sum() for part in shares)
    middle = (first + second) / 2
    return float(np.clip((_bits(first, middle) + _bits(second, middle)) / 2, 0.0, 1.0))


def _bits(shares: Floats, of: Floats) -> float:
    """The Kullback–Leibler divergence in bits."""
    there = shares > 0
    return float((shares[there] * np.log2(shares[there] / of[there])).sum())

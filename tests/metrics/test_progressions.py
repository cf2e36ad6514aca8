"""How chords go on: laws, then cases by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.symbols import NO_CHORD, Chord
from pianalysis.metrics.chords import spans_of_labels
from pianalysis.metrics.keys import Key
from pianalysis.metrics.progressions import (
    AUGMENTED,
    DIMINISHED,
    MAJOR,
    MINOR,
    OTHER,
    bigram_divergence,
    chord_bigrams,
    chord_changes,
    distinct_chords,
    falling_fifths,
    final_tonic,
    triad_of,
)

QUALITIES = ("maj", "min", "dim", "aug", "sus4", "7", "maj7", "min7", "hdim7", "dim7")
CHORDS = st.one_of(st.just(NO_CHORD), st.builds(Chord, st.integers(0, 11), st.sampled_from(QUALITIES)))
SEQUENCES = st.lists(CHORDS, max_size=12)


def bar_each(chords):
    return [ChordSpan(2000.0 * place, 2000.0 * (place + 1), chord) for place, chord in enumerate(chords)]


def in_bars(text):
    """A chord a bar of 2,000 ms."""
    labels = text.split()
    return spans_of_labels((2000.0 * place, 2000.0 * (place + 1), label) for place, label in enumerate(labels))


@given(SEQUENCES, st.integers(1, 11), st.integers(0, 11), st.booleans())
def test_nothing_depends_on_the_key(chords, semitones, tonic, is_minor):
    own, moved = bar_each(chords), bar_each([chord.transposed(semitones) for chord in chords])
    lines = np.arange(len(chords) + 1) * 2000.0
    for metric in (
        falling_fifths,
        lambda spans: chord_changes(spans, bars=len(chords)),
        lambda spans: distinct_chords(spans, bar_lines_ms=lines, bars=2),
    ):
        assert metric(moved) == pytest.approx(metric(own), nan_ok=True)
    key, there = Key(tonic, is_minor), Key((tonic + semitones) % 12, is_minor)
    assert final_tonic(moved, there) == pytest.approx(final_tonic(own, key), nan_ok=True)
    assert (chord_bigrams(moved) == chord_bigrams(own)).all()


@given(SEQUENCES)
def test_the_bigrams_are_the_changes(chords):
    counts = chord_bigrams(bar_each(chords))
    changes = chord_changes(bar_each(chords), bars=1)
    assert counts.sum() == (0 if np.isnan(changes) else changes)
    assert not counts[range(5), 0, range(5)].any()  # no chord goes to itself


COUNTS = st.lists(st.integers(0, 5), min_size=4, max_size=4).map(np.array)


@given(COUNTS, COUNTS, st.integers(1, 9))
def test_the_divergence_is_symmetric_in_0_to_1_and_of_shares(first, second, times):
    value = bigram_divergence(first, second)
    assert np.isnan(value) == (not first.any() or not second.any())
    assert bigram_divergence(second, first * times) == pytest.approx(value, nan_ok=True)
    if not np.isnan(value):
        assert 0 <= value <= 1
        assert bigram_divergence(first, first) == pytest.approx(0, abs=1e-12)
        assert value > 0 or np.allclose(first / first.sum(), second / second.sum())


def test_the_divergence_by_hand():
    assert bigram_divergence([1, 0], [0, 3]) == 1
    # (1/2, 1/2) and (1, 0): the middle is (3/4, 1/4)
    expected = (0.5 * np.log2(0.5 / 0.75) + 0.5 * np.log2(0.5 / 0.25)) / 2 + np.log2(1 / 0.75) / 2
    assert bigram_divergence([2, 2], [7, 0]) == pytest.approx(expected)


def test_bigrams_by_hand():
    counts = chord_bigrams(in_bars("C G:7 G N G:maj/3 C A:min A:min7 D:min F#:hdim7"))
    expected = np.zeros_like(counts)
    for before, motion, after in (
        (MAJOR, 7, MAJOR), (MAJOR, 5, MAJOR), (MAJOR, 9, MINOR), (MINOR, 5, MINOR), (MINOR, 4, DIMINISHED),
    ):  # fmt: skip
        expected[before, motion, after] += 1
    assert (counts == expected).all()


@pytest.mark.parametrize(
    ("label", "triad"),
    [
        *[("C", MAJOR), ("C:7", MAJOR), ("C:maj9", MAJOR), ("C:7(#9)", MAJOR), ("C:min", MINOR), ("C:minmaj7", MINOR)],
        *[("C:dim", DIMINISHED), ("C:dim7", DIMINISHED), ("C:hdim7", DIMINISHED), ("C:aug", AUGMENTED)],
        *[("C:sus4", OTHER), ("C:sus2", OTHER), ("C:5", OTHER)],
    ],
)
def test_triads(label, triad):
    ((span),) = spans_of_labels([(0.0, 1.0, label)])
    assert triad_of(span.chord) == (0, triad)


def test_changes_and_fifths_by_hand():
    own = in_bars("D:min G:7 G C C:maj7 F N F B:dim")  # D G C F B: four changes, three of them fifths down
    assert chord_changes(own, bars=8) == 4 / 8
    assert falling_fifths(own) == 3 / 4
    assert falling_fifths(in_bars("C C:min")) is not None
    assert np.isnan(falling_fifths(in_bars("C C:min C")))  # the root stays


def test_distinct_chords_by_hand():
    own = in_bars("C C:7 F C G N A:min C/3 D D G G")
    lines = np.arange(13) * 2000.0
    assert distinct_chords(own, bar_lines_ms=lines) == 4  # C F G Am in the first eight; four bars left over
    assert distinct_chords(own, bar_lines_ms=lines, bars=4) == (2 + 3 + 2) / 3
    assert np.isnan(distinct_chords(own, bar_lines_ms=lines[:8]))


def test_final_tonic_by_hand():
    own = in_bars("F G C:maj N")
    assert final_tonic(own, Key(0, False)) == 1
    assert final_tonic(own, Key(9, True)) == 0
    assert np.isnan(final_tonic(own, None))


def test_without_chords_nothing_is_defined():
    for own in ([], in_bars("N N"), [ChordSpan(0.0, 1.0, None)]):
        assert np.isnan(chord_changes(own, bars=2))
        assert np.isnan(distinct_chords(own, bar_lines_ms=np.arange(9) * 1000.0))
        assert np.isnan(falling_fifths(own))
        assert np.isnan(final_tonic(own, Key(0, False)))
        assert not chord_bigrams(own).any()
        assert np.isnan(bigram_divergence(chord_bigrams(own), chord_bigrams(in_bars("C G"))))


def test_a_falling_circle_of_fifths_is_all_of_them():
    circle = bar_each([Chord(5 * step % 12, "7") for step in range(12)])
    assert falling_fifths(circle) == 1
    assert all((b.chord.root - a.chord.root) % 12 == 5 for a, b in pairwise(circle))

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.metrics.chords import ChordAccuracy, chord_accuracy, parse_chord, recognize_chords
from pianalysis.notes import make_notes

NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def chords_of(labels, beats=4):
    """Close triads above their roots, so many beats of 500 ms each."""
    rows = []
    for place, (root, mode) in enumerate(labels):
        pitches = (36 + root, 48 + root, 55 + root, (52, 51)[mode] + root)
        rows += [(place * beats * 500, beats * 500, pitch, 80) for pitch in pitches]
    return make_notes(rows)


LABELS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 1)), min_size=1, max_size=8)


@given(LABELS)
def test_plain_triads_are_recognized(labels):
    found = recognize_chords(chords_of(labels), 4 * len(labels))
    assert found.tolist() == [list(label) for label in labels for _ in range(4)]


@given(LABELS, st.integers(1, 11))
def test_right_labels_are_right_and_transposed_ones_wrong(labels, shift):
    spans = [
        (place * 2000.0, place * 2000.0 + 2000, f"{NAMES[root]}:{('maj', 'min')[mode]}")
        for place, (root, mode) in enumerate(labels)
    ]
    assert chord_accuracy(chords_of(labels), spans) == ChordAccuracy(1, 1)
    moved = [((root + shift) % 12, mode) for root, mode in labels]
    assert chord_accuracy(chords_of(moved), spans) == ChordAccuracy(0, 0)


def test_one_beat_of_another_chord_does_not_change_it_but_more_do():
    beat = (48, 52, 57)  # A minor over C fits by 1, C major by 2/3 - 1/3 + 0.3: not better by two changes, in one beat
    for beats, expected in ((1, [0, 0]), (3, [9, 1])):
        notes = make_notes((2000 + 500 * place, 500, pitch, 80) for place in range(beats) for pitch in beat)
        after = chords_of([(0, 0)])
        after["onset_ms"] += 2000 + 500 * beats
        found = recognize_chords(np.concatenate([chords_of([(0, 0)]), notes, after]), 8 + beats)
        assert found.tolist() == [[0, 0]] * 4 + [expected] * beats + [[0, 0]] * 4


@pytest.mark.parametrize(("pitches", "expected"), [((48, 52, 55, 57), [0, 0]), ((45, 48, 52, 55), [9, 1])])
def test_where_two_triads_fit_alike_the_bass_decides(pitches, expected):
    notes = make_notes((0, 500, pitch, 80) for pitch in pitches)  # C, E, G and A
    assert recognize_chords(notes, 1).tolist() == [expected]


def test_accuracy_by_hand():
    notes = chords_of([(0, 0), (9, 1)], beats=2)  # C major until 1,000, A minor until 2,000
    labels = [(0.0, 500.0, "N"), (500.0, 1250.0, "C:maj7"), (1250.0, 1500.0, "A:sus4"), (1500.0, 2000.0, "A:maj/3")]
    labels.append((2000.0, 2500.0, "G:min"))  # nothing sounds here
    # Root: of 2,000 labelled ms, C 500 of 750, A 250 and 500 right, G wrong. Mode: of 1,750 ms, only C's 500.
    result = chord_accuracy(notes, labels)
    assert result.root == pytest.approx(1250 / 2000)
    assert result.major_minor == pytest.approx(500 / 1750)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        *[("F#:min", (6, 1)), ("Gb:minmaj7", (6, 1)), ("B:maj6", (11, 0)), ("C", (0, 0)), ("Cb:hdim7", (11, -1))],
        *[("D:aug", (2, -1)), ("D:dim7/b3", (2, -1)), ("E:7/b7", (4, 0)), ("X", (-1, -1)), ("nonsense", (-1, -1))],
    ],
)
def test_labels(label, expected):
    assert parse_chord(label) == expected


@pytest.mark.parametrize("labels", [[], [(0.0, 500.0, "N")]])
def test_nothing_to_compare_with_is_nan(labels):
    result = chord_accuracy(chords_of([(0, 0)]), labels)
    assert np.isnan([result.root, result.major_minor]).all()

"""Do notes play chords: laws, then cases by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays

from pianalysis.harmony.beats import beat_grid
from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.recognise import recognise_spans
from pianalysis.harmony.symbols import NO_CHORD, QUALITIES, Chord
from pianalysis.metrics.chords import (
    ChordAccuracy,
    chord_accuracy,
    chord_tone_share,
    root_in_bass,
    spans_of_labels,
    strong_notes_in_chord,
)
from pianalysis.music.notes import make_notes

NO_NOTES = make_notes()
CHORDS = st.one_of(
    st.just(NO_CHORD), st.builds(Chord, st.integers(0, 11), st.sampled_from([*QUALITIES]), st.integers(-1, 11))
)


@st.composite
def spans(draw):
    borders = np.cumsum([0, *draw(st.lists(st.sampled_from([250.0, 500.0, 1_000.0, 8_000.0]), max_size=8))])
    return [ChordSpan(float(a), float(b), draw(CHORDS)) for a, b in pairwise(borders)]


def transposed(chords, semitones):
    return [ChordSpan(span.onset_ms, span.end_ms, span.chord.transposed(semitones)) for span in chords]


def higher(notes, semitones):
    notes = notes.copy()
    notes["pitch"] += semitones
    return notes


@given(note_arrays(12), spans(), st.integers(0, 12))
def test_transposing_both_changes_nothing(notes, chords, semitones):
    notes["onset_ms"] /= 8
    moved, there = higher(notes, semitones), transposed(chords, semitones)
    strong = np.arange(0, 8_000, 1_000.0)
    for value, again in (
        (chord_tone_share(notes, chords), chord_tone_share(moved, there)),
        (root_in_bass(notes, chords), root_in_bass(moved, there)),
        (strong_notes_in_chord(notes, chords, strong), strong_notes_in_chord(moved, there, strong)),
    ):
        assert again == pytest.approx(value, nan_ok=True)
        assert np.isnan(value) or 0 <= value <= 1


@given(spans(), st.integers(0, 11))
def test_chords_agree_with_themselves_in_any_key(chords, semitones):
    result = chord_accuracy(chords, chords)
    assert result.root == 1 or np.isnan(result.root)
    assert np.isnan(result.root) == all(span.chord == NO_CHORD for span in chords)
    assert result.major_minor == 1 or np.isnan(result.major_minor)
    other = chord_accuracy(transposed(chords, semitones), chords)
    assert other.root == (0 if semitones else 1) or np.isnan(result.root)


@given(spans().filter(len), st.integers(2, 4))
def test_notes_of_nothing_but_the_chords_have_all_their_tones(chords, octave):
    notes = make_notes(
        (span.onset_ms, span.end_ms - span.onset_ms, 12 * octave + tone, 80)
        for span in chords
        for tone in span.chord.pitch_classes
    )
    value = chord_tone_share(notes, chords)
    assert value == pytest.approx(1) if len(notes) else np.isnan(value)


LABELS = [(0.0, 500.0, "N"), (500.0, 1250.0, "C:maj7"), (1250.0, 1500.0, "A:sus4"), (1500.0, 2000.0, "A:maj/3")]
LABELS.append((2000.0, 2500.0, "G:min"))


def test_accuracy_by_hand():
    found = spans_of_labels([(0.0, 1000.0, "C:maj"), (1000.0, 2000.0, "A:min")])  # nothing under G
    # Root: of 2,000 labelled ms, C 500 of 750, A 250 and 500 right, G wrong. Mode: of 1,750 ms, only C's 500.
    result = chord_accuracy(found, spans_of_labels(LABELS))
    assert result.root == pytest.approx(1250 / 2000)
    assert result.major_minor == pytest.approx(500 / 1750)


def test_what_is_not_defined():
    c_major = spans_of_labels([(0.0, 500.0, "C")])
    for chords in ([], spans_of_labels([(0.0, 500.0, "N"), (500.0, 900.0, "nonsense")])):
        assert np.isnan([*vars(chord_accuracy(c_major, chords)).values()]).all()
        notes = make_notes([(0, 500, 60, 80)])
        assert np.isnan(chord_tone_share(notes, chords))
        assert np.isnan(root_in_bass(notes, chords))
        assert np.isnan(strong_notes_in_chord(notes, chords, [0.0]))
    assert chord_accuracy([], c_major) == ChordAccuracy(0, 0)
    assert np.isnan(chord_tone_share(NO_NOTES, c_major))
    assert np.isnan(root_in_bass(NO_NOTES, c_major))
    assert np.isnan(strong_notes_in_chord(NO_NOTES, c_major, [0.0]))
    assert np.isnan(strong_notes_in_chord(make_notes([(0, 500, 60, 80)]), c_major, []))


def test_chord_tones_by_hand():
    chords = spans_of_labels([(0.0, 1000.0, "C:maj/7"), (1000.0, 1500.0, "N"), (1500.0, 2000.0, "A:min7")])
    notes = make_notes([
        (0, 400, 48, 80), (0, 200, 47, 80), (400, 300, 50, 80),  # C and the bass B in, D out: 600 of 900
        (900, 700, 67, 80),  # G: 100 in C, none counted under no chord, 100 in Am7
        (1900, 500, 53, 80),  # F: 100 out, what is past the chords isn't counted
    ])  # fmt: skip
    assert chord_tone_share(notes, chords) == pytest.approx((600 + 100 + 100) / (900 + 100 + 100 + 100))


def test_root_in_bass_by_hand():
    chords = spans_of_labels([
        (0.0, 2000.0, "C"), (2000.0, 3000.0, "F:maj/3"), (3000.0, 4000.0, "G"), (4000.0, 5000.0, "D"),
        (5000.0, 5250.0, "A"), (6000.0, 7000.0, "N"), (7000.0, 8000.0, "E"),
    ])  # fmt: skip
    notes = make_notes([
        (0, 500, 48, 80), (500, 500, 43, 80),  # C, and G below in the second beat: right
        (2000, 1030, 45, 80),  # A under F: wrong; 30 ms into G don't count there
        (3250, 500, 55, 80), (3000, 500, 59, 80),  # G under B, a little later: right
        (4500, 500, 38, 80),  # D in the second beat only: silence in the first, not counted
        (5000, 250, 57, 80),  # right
        (6000, 1000, 57, 80), (7000, 100, 59, 80),  # no chord isn't counted; B under E is wrong
    ])  # fmt: skip
    assert root_in_bass(notes, chords) == pytest.approx(3 / 5)


def test_strong_beats_by_hand():
    chords = spans_of_labels([(0.0, 2000.0, "C"), (2000.0, 4000.0, "G:7"), (4000.0, 6000.0, "N")])
    melody = make_notes([(30, 970, 64, 80), (1000, 900, 65, 80), (2000, 500, 65, 80), (4000, 500, 60, 80)])
    # E is struck 30 ms late: in C. F isn't in C, but in G7. At 3,000 the melody rests, at 4,000 there is no chord.
    assert strong_notes_in_chord(melody, chords, [0, 1000, 2000, 3000, 4000]) == pytest.approx(2 / 3)


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 1)), min_size=1, max_size=8), st.integers(0, 11))
def test_plain_triads_are_heard_as_their_labels(labels, shift):
    """Close triads above their roots, a bar each, as the evaluation hears them."""
    rows, wanted = [], []
    for place, (root, mode) in enumerate(labels):
        pitches = (36 + root, 48 + root, 55 + root, (52, 51)[mode] + root)
        rows += [(2000 * place, 2000, pitch, 80) for pitch in pitches]
        wanted.append(ChordSpan(2000.0 * place, 2000.0 * (place + 1), Chord(root, ("maj", "min")[mode])))
    found = recognise_spans(make_notes(rows), beat_grid(np.arange(len(labels) + 1) * 2000.0, (4, 4)))
    assert chord_accuracy(found, wanted) == ChordAccuracy(1, 1)
    if shift:
        assert chord_accuracy(transposed(found, shift), wanted) == ChordAccuracy(0, 0)

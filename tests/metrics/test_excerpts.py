"""Four bars in numbers: all features are there, some by hand, and none knows the key but as a height."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays

from pianalysis.metrics.chords import spans_of_labels
from pianalysis.metrics.excerpts import BARS, FEATURES, excerpt_features
from pianalysis.music.notes import make_notes

LINES = np.arange(5) * 2_000.0
HEIGHTS = ("pitch_mean", "pitch_lowest", "pitch_highest", "bass_mean")
NO_NOTES = make_notes()


def features(melody, below, own=(), lines=LINES):
    (row,) = excerpt_features(melody, below, own, lines)
    return dict(zip(FEATURES, row.tolist(), strict=True))


@given(note_arrays(20), note_arrays(20), st.integers(1, 12))
def test_transposed_excerpts_differ_in_heights_alone(melody, below, semitones):
    for notes in (melody, below):
        notes["pitch"] %= 116  # there is room above
    moved = [notes.copy() for notes in (melody, below)]
    for notes in moved:
        notes["pitch"] += semitones
    own = spans_of_labels([(0.0, 4_000.0, "C"), (4_000.0, 8_000.0, "G:7")])
    there = [type(span)(span.onset_ms, span.end_ms, span.chord.transposed(semitones)) for span in own]
    first, second = features(melody, below, own), features(*moved, there)
    for name in FEATURES:
        shift = semitones if name in HEIGHTS else 0
        assert second[name] == pytest.approx(first[name] + shift, nan_ok=True), name


@given(note_arrays(12), st.integers(0, 3))
def test_whole_four_bars_are_taken_one_after_the_other(notes, left_over):
    lines = np.arange(2 * BARS + 1 + left_over) * 1_500.0
    rows = excerpt_features(notes, notes, [], lines)
    assert rows.shape == (2, len(FEATURES))
    late = notes[notes["onset_ms"] >= lines[BARS] - 12.5].copy()
    late["onset_ms"] -= lines[BARS]
    alone = excerpt_features(late, late, [], lines[: BARS + 1])
    np.testing.assert_allclose(rows[1:], alone, equal_nan=True)


def test_fewer_bars_and_no_notes():
    assert excerpt_features(NO_NOTES, NO_NOTES, [], LINES[:4]).shape == (0, len(FEATURES))
    found = features(NO_NOTES, NO_NOTES)
    assert found["notes_per_beat"] == 0
    assert found["silence"] == 1
    assert np.isnan(found["pitch_mean"])


def test_features_by_hand():
    # A bar of oom-pah four times: C, then E and G twice, under a whole note of E; a wrong note at the end.
    rows = [
        (2_000 * bar + start, 500, pitch, 80)
        for bar in range(4)
        for start, pitches in ((0, (48,)), (500, (52, 55)), (1_500, (52, 55)))
        for pitch in pitches
    ]
    below = make_notes([*rows[:-1], (7_500, 250, 54, 60)])  # F sharp instead of the last G
    melody = make_notes((2_000 * bar, 2_000, 64 + 12, 80) for bar in range(4))
    own = spans_of_labels([(0.0, 8_000.0, "C")])
    found = features(melody, below, own)
    expected = {
        "notes_per_beat": 20 / 16,
        "onsets_per_beat": 12 / 16,
        "notes_per_onset": 20 / 12,
        "most_notes": 2,
        "single_notes": 4 / 12,
        "span": (7 * 3 + 2) / 12,
        "silence": 4 / 16,  # the third beat of each bar
        "pitch_lowest": 48,
        "pitch_highest": 55,
        "crossing": 0,
        "on_beat": 1,
        "on_downbeat": 1,
        "with_melody": 4 / 12,
        "bars_alike": 1,
        "bars_same": 1,
        "bars_repeated": 2 / 3,
        "pitch_classes": 4,
        "clash_rate": 0,  # E is always doubled where F sharp sounds
        "chords": 1 / 4,
        "distinct_chords": 1,
        "chord_tones": (19 * 500) / (19 * 500 + 250),
        "melody_in_chord": 1,
        "root_in_bass": 1,
        "short_notes": 0,
        "long_notes": 0,
        "length_mean": -1 / 20,
        "velocity_spread": np.std([80] * 19 + [60]),
        "first_onset": 0,
        "out_of_key": 1 / 20,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_a_grid_of_25_ms_is_all_that_is_seen():
    rows = np.random.default_rng(0).integers(1, 300, 40)
    exact = make_notes((25 * int(row), 250, 48 + int(row) % 20, 80) for row in rows)
    late = exact.copy()
    late["onset_ms"] += np.random.default_rng(1).uniform(-12, 12, len(late))
    assert features(exact, late) == pytest.approx(features(exact, exact), nan_ok=True)

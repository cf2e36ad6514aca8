"""What the harmoniser hears: the same in every key, whatever the metre, and the columns say what they should."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.harmony.beats import beat_grid
from pianalysis.harmony.features import CLASS_COLUMNS, FEATURES, STYLES, melody_features, melody_shift
from pianalysis.music.notes import make_notes, monophonic

METRES = ((4, 4), (3, 4), (2, 4), (6, 8), (7, 8), (2, 2), (5, 4))


@st.composite
def melodies(draw):
    """A voice on a grid of some metre, maybe with a pickup, and its beats; there may be no note."""
    numerator, denominator = draw(st.sampled_from(METRES))
    bar = numerator * 2_000 / denominator
    pickup = draw(st.sampled_from([0.0, 500.0]))
    count = draw(st.integers(1, 6))
    lines = np.concatenate([[0.0] if pickup else [], pickup + bar * np.arange(count + 1)])
    rows, time = [], draw(st.sampled_from([0.0, 250.0, 1_000.0]))
    for pitch in draw(st.lists(st.integers(55, 79), max_size=24)):
        length = draw(st.sampled_from([125.0, 250.0, 500.0, 1_000.0]))
        rows.append((time, length, pitch, 80))
        time += length + draw(st.sampled_from([0.0, 0.0, 500.0]))
    return make_notes(row for row in rows if row[0] < lines[-1]), beat_grid(lines, (numerator, denominator))


@given(melodies(), st.integers(-18, 18), st.sampled_from(STYLES))
def test_a_melody_moved_with_its_key_is_heard_the_same(case, semitones, style):
    melody, beats = case
    moved = melody.copy()
    moved["pitch"] += semitones
    assert (melody_shift(moved) + semitones - melody_shift(melody)) % 12 == 0 or not len(melody)
    first, second = (melody_features(each, beats, style, melody_shift(each)) for each in (melody, moved))
    assert (first == second).all()


@given(melodies(), st.sampled_from(STYLES))
def test_every_number_is_small_and_every_beat_has_its_row(case, style):
    melody, beats = case
    rows = melody_features(melody, beats, style, 0)
    assert rows.shape == (len(beats), FEATURES)
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()
    assert np.abs(rows).max() <= 6


@given(melodies())
def test_time_of_the_classes_is_the_time_of_the_notes(case):
    melody, beats = case
    voice = monophonic(melody)
    rows = melody_features(voice, beats, "pop", 0)
    shares = rows[:, :24].reshape(len(beats), 2, 12).mean(axis=1)
    time = shares.T @ np.diff(beats.borders_ms)
    end = beats.borders_ms[-1]
    inside = np.minimum(voice["onset_ms"] + voice["duration_ms"], end) - voice["onset_ms"]
    assert np.allclose(time, np.bincount(voice["pitch"] % 12, inside, 12), atol=1e-2)


@given(melodies(), st.integers(0, 11))
def test_another_key_turns_the_classes_and_nothing_else(case, shift):
    melody, beats = case
    plain, turned = (melody_features(melody, beats, "hymn", key) for key in (0, shift))
    classes = plain[:, :CLASS_COLUMNS].reshape(len(beats), -1, 12)
    assert np.allclose(np.roll(classes, shift, axis=2).reshape(len(beats), -1), turned[:, :CLASS_COLUMNS])
    assert (plain[:, CLASS_COLUMNS:] == turned[:, CLASS_COLUMNS:]).all()


def test_columns_by_hand():
    """C for an eighth, G for a dotted quarter in a bar of 2/4: two beats."""
    melody = make_notes([(0, 250, 60, 80), (250, 750, 67, 80)])
    rows = melody_features(melody, beat_grid([0, 1000], (2, 4)), "pop", 0)
    assert np.flatnonzero(rows[0, :24]).tolist() == [0, 12 + 7]  # C in the first half of the beat, G in the second
    assert np.flatnonzero(rows[1, :24]).tolist() == [7, 12 + 7]
    assert rows[0, 24:36].tolist() == [0.5, 0, 0, 0, 0, 0, 0, 0.5, 0, 0, 0, 0]  # one onset each, of two that are told
    assert rows[1, 24:36].tolist() == [0] * 12
    assert rows[0, 36:48].tolist() == pytest.approx([0.125, 0, 0, 0, 0, 0, 0, 0.375, 0, 0, 0, 0])  # of four beats
    assert np.flatnonzero(rows[0, 48:60]).tolist() == [0]  # on the beat
    assert rows[0, 60:72].tolist() == pytest.approx([0.25, 0, 0, 0, 0, 0, 0, 0.75, 0, 0, 0, 0])  # of the bar
    assert rows[1, 72:84].tolist() == pytest.approx(
        [0.75, 0, 0, 0, 0, 0, 0, 2.25, 0, 0, 0, 0]
    )  # of the melody, times 3
    assert rows[:, -3:].tolist() == [[1, 0, 0]] * 2


def test_a_tie_between_keys_does_not_depend_on_the_names_of_notes():
    """C and F sharp, as long as each other: as much of one key as of that a tritone away."""
    shifts = [melody_shift(make_notes([(0, 500, 60 + up, 80), (500, 500, 66 + up, 80)])) for up in range(12)]
    assert [(shift + up) % 12 for up, shift in enumerate(shifts)] == [shifts[0]] * 12


def test_the_key_of_a_scale():
    scale = make_notes((500 * step, 500, pitch, 80) for step, pitch in enumerate([62, 64, 66, 67, 69, 71, 73, 74]))
    assert melody_shift(scale) == 10
    assert melody_shift(make_notes()) == 0


def test_no_notes_and_another_style():
    rows = melody_features(make_notes(), beat_grid([0, 2000, 4000], (4, 4)), "classical", 0)
    assert not rows[:, :CLASS_COLUMNS].any()
    with pytest.raises(PianalysisError, match="style"):
        melody_features(make_notes(), beat_grid([0, 2000], (4, 4)), "jazz", 0)

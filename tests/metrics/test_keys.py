"""A melody's key, and what is out of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays

from pianalysis.metrics.keys import Key, find_key, out_of_key
from pianalysis.music.notes import make_notes


def tune(*pitches):
    return make_notes((500 * place, 500, pitch, 80) for place, pitch in enumerate(pitches))


ODE = tune(64, 64, 65, 67, 67, 65, 64, 62, 60, 60, 62, 64, 62, 60, 60)
GOD_REST_YE = tune(64, 64, 71, 71, 69, 67, 66, 64, 62, 64, 66, 67, 69, 71)  # E minor


def higher(notes, semitones):
    notes = notes.copy()
    notes["pitch"] += semitones
    return notes


@given(note_arrays(10), note_arrays(10), st.integers(0, 12))
def test_a_transposed_melody_has_its_key_transposed(melody, below, semitones):
    key, moved = find_key(melody), find_key(higher(melody, semitones))
    assert (key is None) == (moved is None) == (not len(melody))
    if key is not None:
        assert moved == Key((key.tonic + semitones) % 12, key.is_minor)
    value = out_of_key(key, below)
    assert out_of_key(moved, higher(below, semitones)) == pytest.approx(value, nan_ok=True)
    assert np.isnan(value) == (not len(melody) or not len(below))


@pytest.mark.parametrize(("melody", "key"), [(ODE, Key(0, False)), (GOD_REST_YE, Key(4, True))])
def test_keys_of_tunes(melody, key):
    assert find_key(melody) == key


def test_out_of_key_by_hand():
    assert out_of_key(Key(0, False), tune(48, 52, 54, 55, 61)) == pytest.approx(2 / 5)  # F sharp and C sharp
    assert out_of_key(Key(4, True), tune(40, 50, 51, 53)) == pytest.approx(
        1 / 4
    )  # D and D sharp are in E minor, F isn't


def test_a_melody_of_no_length_counts_by_its_notes():
    melody = make_notes((500 * place, 0, pitch, 80) for place, pitch in enumerate(ODE["pitch"].tolist()))
    assert find_key(melody) == Key(0, False)

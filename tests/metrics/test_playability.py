from __future__ import annotations

import numpy as np
from hypothesis import given
from strategies import note_arrays

from pianalysis.metrics.playability import Playability, playability
from pianalysis.music.notes import make_notes


def chord(onset, *pitches, length=400):
    return [(onset, length, pitch, 80) for pitch in pitches]


@given(note_arrays())
def test_shares_and_counts(notes):
    result = playability(notes)
    if len(notes):
        assert 1 <= result.notes_left + result.notes_right <= len(notes)
        assert 0 <= result.held_in_reach <= result.in_reach <= 1


@given(note_arrays())
def test_the_order_of_the_notes_does_not_matter(notes):
    sorted_notes = np.sort(notes, order=["onset_ms", "pitch", "duration_ms", "velocity"])
    assert str(playability(notes[::-1])) == str(playability(sorted_notes))


def test_a_twelfth_is_one_hands_and_more_is_for_two():
    assert playability(make_notes(chord(0, 36, 55))).in_reach == 1
    assert playability(make_notes(chord(0, 36, 56))) == Playability(1, 1, 1.0, 1.0)


def test_in_reach_by_hand():
    # Three notes 20 apart: one hand must have two of them. The second chord is two twelfths.
    notes = make_notes([*chord(0, 30, 50, 70), *chord(500, 30, 49, 70, 89)])
    assert playability(notes) == Playability(2, 2, 0.5, 0.5)


def test_a_key_held_from_before_counts_as_held():
    notes = make_notes([*chord(0, 28, length=1000), *chord(500, 50, 70), *chord(1000, 50, 70)])
    # At 500 the left hand strikes D3 and holds E1, 22 semitones below; at 1,000 that has ended.
    assert playability(notes) == Playability(1, 1, 1.0, 2 / 3)
    # Let go within 31.25 ms after the chord has begun
    assert playability(make_notes([*chord(0, 28, length=530), *chord(500, 50, 70)])).held_in_reach == 1


def test_a_spread_chord_is_one_chord():
    notes = make_notes([(0, 400, 36, 80), (10, 390, 43, 80), (20, 380, 48, 80)])
    assert playability(notes).notes_left == 3


def test_nothing():
    assert np.isnan(playability(make_notes()).in_reach)

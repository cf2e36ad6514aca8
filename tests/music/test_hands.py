from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays

from pianalysis.music.hands import FINGERS, WIDEST_SPAN, split_hands
from pianalysis.music.notes import SAME_ONSET_MS, make_notes


def chords(notes):
    notes = notes[np.argsort(notes["onset_ms"], kind="stable")]
    return np.split(notes, np.flatnonzero(np.diff(notes["onset_ms"]) > SAME_ONSET_MS) + 1) if len(notes) else []


@given(note_arrays())
def test_in_every_chord_the_right_hand_is_above_the_left(notes):
    mask = split_hands(notes)
    assert mask.shape == notes.shape
    order = np.argsort(notes["onset_ms"], kind="stable")
    ends = np.flatnonzero(np.diff(notes["onset_ms"][order]) > SAME_ONSET_MS) + 1
    for chord in np.split(order, ends):
        left, right = (notes["pitch"][chord[mask[chord] == hand]] for hand in (False, True))
        assert left.max(initial=0) <= right.min(initial=127)


@given(st.lists(st.lists(st.integers(0, 12), max_size=4), min_size=1, max_size=12), st.integers(30, 50))
def test_no_hand_reaches_beyond_a_twelfth_or_has_six_notes_where_that_can_be(steps, low):
    rows = [
        (500 * place, 400, low + step + part, 80)
        for place, chord in enumerate(steps)
        for step in chord
        for part in (0, 24)
    ]
    notes = make_notes(dict.fromkeys(rows))
    mask = split_hands(notes)
    for hand in (False, True):
        for chord in chords(notes[mask == hand]):
            assert np.ptp(chord["pitch"]) <= WIDEST_SPAN
            assert len(chord) <= FINGERS


@given(note_arrays(), st.floats(0, 5_000))
def test_order_and_a_later_beginning_do_not_matter(notes, late):
    rng = np.random.default_rng(0)
    order = rng.permutation(len(notes))
    mask = split_hands(notes)
    moved = notes.copy()
    moved["onset_ms"] = np.rint(moved["onset_ms"]) + np.rint(late)
    rounded = notes.copy()
    rounded["onset_ms"] = np.rint(rounded["onset_ms"])
    np.testing.assert_array_equal(split_hands(moved), split_hands(rounded))
    distinct = len({(n["onset_ms"], n["pitch"]) for n in notes}) == len(notes)
    if distinct:
        np.testing.assert_array_equal(split_hands(notes[order]), mask[order])


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("oom-pah", [(36,), (60, 64, 67)] * 4),
        ("octaves below chords", [(36, 48, 64, 67, 72)] * 4),
        ("high trio", [(40,), (84, 88), (40,), (84, 91)]),
    ],
)
def test_patterns_by_hand(name, pattern):
    notes = make_notes((500 * place, 400, pitch, 80) for place, chord in enumerate(pattern) for pitch in chord)
    assert split_hands(notes).tolist() == [pitch >= 60 for chord in pattern for pitch in chord], name


def test_a_scale_through_both_halves_is_handed_over_once():
    notes = make_notes((150 * place, 150, pitch, 80) for place, pitch in enumerate(range(36, 85, 2)))
    mask = split_hands(notes)
    assert not mask[0]
    assert mask[-1]
    assert np.abs(np.diff(mask.astype(int))).sum() == 1

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.metrics.repetition import CopyIndex, longest_copy, note_steps, self_similarity, suffix_order
from pianalysis.music.notes import make_notes, sort_notes

NO_NOTES = make_notes()
PIECE = st.lists(st.tuples(st.integers(0, 3), st.integers(60, 62)), max_size=12)
"""(gap in sixteenths, pitch): few of each, so that pieces have much in common."""


def piece(rows):
    onsets = np.cumsum([gap for gap, _ in rows])
    notes = [(onset * 125.0, 100, pitch, 80) for onset, (_, pitch) in zip(onsets, rows, strict=True)]
    return sort_notes(make_notes(notes))


def longest_by_loops(query, pieces, any_key):
    query, *texts = [note_steps(notes, step_ms=125, any_key=any_key).tolist() for notes in (query, *pieces)]
    best = 0
    for text in texts:
        for i in range(len(query)):
            for j in range(len(text)):
                length = 0
                while query[i + length : i + length + 1] == text[j + length : j + length + 1] != []:
                    length += 1
                best = max(best, length)
    return best + 1 if best else 0


@given(st.lists(PIECE, max_size=5), PIECE, st.booleans())
def test_no_longer_copy_is_there_and_none_shorter_is_told(rows, query, any_key):
    pieces, query = [piece(row) for row in rows], piece(query)
    index = CopyIndex.build(pieces, any_key=any_key)
    assert longest_copy(query, index) == longest_by_loops(query, pieces, any_key)


@given(st.lists(st.integers(0, 2), max_size=60))
def test_suffixes_are_in_order(text):
    assert suffix_order(np.array(text, np.int32)).tolist() == sorted(range(len(text)), key=lambda start: text[start:])


@given(PIECE.filter(lambda rows: len(rows) > 1), st.integers(-5, 6), st.integers(0, 9))
def test_a_piece_is_its_own_copy_later_and_in_another_key(rows, semitones, later):
    notes = piece(rows)
    moved = notes.copy()
    moved["pitch"] += semitones
    moved["onset_ms"] += later * 125
    moved["duration_ms"] /= 2
    assert longest_copy(moved, CopyIndex.build([notes])) == len(notes)
    exact = longest_copy(moved, CopyIndex.build([notes], any_key=False))
    assert exact == len(notes) if semitones == 0 else exact < len(notes)


def test_longest_copy_by_hand():
    trained = piece([(0, 60), (1, 62), (1, 64), (2, 65), (1, 67)])
    index = CopyIndex.build([piece([(0, 40), (3, 41)]), trained], any_key=False)
    # The last four notes of `trained` after another one, then a note that isn't its next
    assert longest_copy(piece([(0, 50), (7, 62), (1, 64), (2, 65), (1, 67), (1, 60)]), index) == 4
    assert longest_copy(piece([(0, 62), (1, 64), (1, 65), (1, 67)]), index) == 2  # one gap is another
    assert longest_copy(piece([(0, 40)]), index) == 0
    # What ends one piece and begins the next is no run
    assert longest_copy(piece([(0, 40), (3, 41), (1, 60), (1, 62), (1, 64)]), index) == 3


def test_nothing_indexed_or_asked_for():
    assert longest_copy(piece([(0, 60), (1, 62)]), CopyIndex.build([])) == 0
    assert longest_copy(piece([(0, 60), (1, 62)]), CopyIndex.build([NO_NOTES, NO_NOTES])) == 0
    assert longest_copy(NO_NOTES, CopyIndex.build([piece([(0, 60), (1, 62)])])) == 0


LINES = np.arange(0.0, 13_000, 2_000)  # six bars
PHRASE = [(0, 500, 60, 80), (500, 500, 62, 80), (1000, 500, 64, 80), (2500, 500, 65, 80)]


def at(rows, bar):
    return [(onset + 2_000 * bar, *rest) for onset, *rest in rows]


def test_self_similarity_by_hand():
    # The phrase at bars 0 and 4; bars 2 and 3 have another.
    melody = make_notes([*at(PHRASE, 0), *at(PHRASE[::-1], 4), *at([(0, 500, 72, 80)] * 4, 2)])
    below = [*at([(0, 2000, 48, 80), (2000, 2000, 43, 80)], 0), *at([(10, 500, 48, 40), (2000, 500, 41, 80)], 4)]
    below += at([(1000, 500, 43, 80)], 4)
    # One of two notes is one of three: 2 * 1 / (2 + 3)
    assert self_similarity(melody, make_notes(below), bar_lines_ms=LINES) == pytest.approx(2 / 5)


def test_the_same_below_each_return_is_one():
    melody = make_notes([note for bar in (0, 2, 4) for note in at(PHRASE, bar)])
    below = make_notes([note for bar in (0, 2, 4) for note in at([(0, 500, 48, 80)], bar)])
    assert self_similarity(melody, below, bar_lines_ms=LINES) == 1


def test_a_melody_that_never_returns_has_none():
    assert np.isnan(self_similarity(make_notes(PHRASE), make_notes(PHRASE), bar_lines_ms=LINES))
    assert np.isnan(self_similarity(NO_NOTES, NO_NOTES, bar_lines_ms=[]))
    # The same note for ever: a phrase doesn't return inside itself
    one_note = make_notes([(beat * 500.0, 500, 60, 80) for beat in range(12)])
    assert np.isnan(self_similarity(one_note, one_note, bar_lines_ms=[0.0, 2000.0, 4000.0, 6000.0]))

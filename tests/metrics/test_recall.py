from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays

from pianalysis.metrics.recall import melody_recall
from pianalysis.music.notes import make_notes

CLOSE = st.lists(st.tuples(st.integers(0, 15).map(lambda step: step * 7.0), st.just(10), st.integers(60, 61), st.just(80)), max_size=7).map(make_notes)  # fmt: skip


def most_pairs(reference, piece):
    """The size of a largest matching, by augmenting paths."""
    partners = {}
    fits = [
        [
            j
            for j, found in enumerate(piece)
            if found["pitch"] == note["pitch"] and abs(found["onset_ms"] - note["onset_ms"]) <= 20
        ]
        for note in reference
    ]

    def place(i, seen):
        for j in fits[i]:
            if j not in seen:
                seen.add(j)
                if j not in partners or place(partners[j], seen):
                    partners[j] = i
                    return True
        return False

    return sum(place(i, set()) for i in range(len(reference)))


@given(CLOSE.filter(len), CLOSE)
def test_no_pairing_finds_more(reference, piece):
    assert melody_recall(reference, piece) == most_pairs(reference, piece) / len(reference)


@given(note_arrays().filter(len), note_arrays())
def test_a_piece_that_holds_the_melody_recalls_it(melody, rest):
    assert melody_recall(melody, np.concatenate([rest, melody])) == 1


def test_by_hand():
    melody = make_notes([(0, 100, 60, 80), (500, 100, 62, 80), (1000, 100, 64, 80), (1010, 100, 64, 80)])
    piece = make_notes([(20, 9, 60, 1), (520.1, 100, 62, 80), (990, 100, 64, 80), (1000, 100, 65, 80)])
    # 60 is 20 ms late, 62 is more; one of the two 64s has no partner left.
    assert melody_recall(melody, piece) == 2 / 4
    assert melody_recall(melody, piece, tolerance_ms=21) == 3 / 4


def test_empty():
    assert np.isnan(melody_recall(make_notes(), make_notes([(0, 1, 60, 80)])))
    assert melody_recall(make_notes([(0, 1, 60, 80)]), make_notes()) == 0

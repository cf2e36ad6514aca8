"""What the table of difficulties counts, by hand."""

from __future__ import annotations

from pianalysis.music.notes import make_notes


def test_what_a_hand_is_asked_for_is_counted(script):
    """C2 held, then G2 and E3 in turn a quarter later; on the right C sharp 5, out of C major."""
    measure = script("measure_difficulty")
    notes = make_notes([(0, 1000, 36, 80), (500, 500, 43, 80), (1000, 1000, 52, 80), (0, 2000, 73, 80)])
    melody = make_notes((250 * place, 250, pitch, 80) for place, pitch in enumerate([72, 74, 76, 77, 79, 76, 74, 72]))
    hands, outside = measure.look(notes, melody, 53)
    left, right = hands
    assert (left.keys, left.spans, left.gaps_s, left.reaches) == ([1, 2, 1], [0, 7, 0], [0.5, 0.5], [7, 9])
    assert (right.keys, right.reaches, right.seconds) == ([1], [], 2.0)
    assert outside == [False, False, False, True]
    row = measure.as_row("x", measure.measure([(hands, outside)]))
    assert row == "| x | 1.25 | 2 | 1.8 | 7 | 1.00 | 2.0 | 0.00 | 9 | 0.250 |"

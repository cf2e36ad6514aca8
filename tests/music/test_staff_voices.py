"""Voices of one staff told apart: those of a choir are, those of a pianist aren't."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from pianalysis.music.staff_voices import LAYER, voices_apart
from pianalysis.music.written_parts import WrittenMeasure, WrittenNote


def note(pitch, voice, onset=0, length=1, staff=1):
    return WrittenNote(Fraction(onset), Fraction(length), pitch, 80, voice, staff)


def staves(measures):
    return [[(row.pitch, row.staff) for row in measure.notes] for measure in voices_apart(measures)]


def test_soprano_and_alto_are_told_apart_whoever_is_written_first():
    bar = WrittenMeasure([note(60, "1"), note(67, "2"), note(64, "2", onset=1)])
    assert staves([bar, bar]) == [[(60, LAYER + 1), (67, 1), (64, 1)]] * 2


def test_a_pianist_s_second_voice_that_comes_and_goes_stays():
    both, one = WrittenMeasure([note(60, "1"), note(67, "2")]), WrittenMeasure([note(60, "1")])
    assert voices_apart([both, one, one]) == [both, one, one]


def test_voices_of_chords_stay():
    bar = WrittenMeasure([note(60, "1"), note(64, "1"), note(67, "2")])
    assert voices_apart([bar]) == [bar]


def test_staves_of_one_voice_stay():
    bar = WrittenMeasure([note(72, "1"), note(48, "5", staff=2)])
    assert voices_apart([bar]) == [bar]


notes = st.builds(note, st.integers(40, 80), st.sampled_from("123"), st.integers(0, 3), st.just(1), st.integers(1, 2))


@given(st.lists(st.lists(notes, max_size=6), max_size=4))
def test_nothing_but_staves_changes(bars):
    measures = [WrittenMeasure(bar) for bar in bars]
    for before, after in zip(measures, voices_apart(measures), strict=True):
        assert [(n.onset, n.pitch, n.voice, n.staff % LAYER) for n in after.notes] == [
            (n.onset, n.pitch, n.voice, n.staff) for n in before.notes
        ]

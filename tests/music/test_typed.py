from __future__ import annotations

import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.music.typed import DOTTED, MAX_CHARACTERS, TICKS_PER_QUARTER, from_names, pitch_of, to_names

LENGTHS = [4 * TICKS_PER_QUARTER * dot / part for part in (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64) for dot in DOTTED]
WHOLE_TICKS = sorted({int(length) for length in LENGTHS if length.denominator == 1})


def rows(score, track=0):
    return [(n.time / score.tpq, n.duration / score.tpq, n.pitch) for n in score.tracks[track].notes]


@given(
    st.lists(
        st.tuples(st.sampled_from([0, *WHOLE_TICKS]), st.sampled_from(WHOLE_TICKS), st.integers(0, 127)), min_size=1
    )
)
def test_notes_come_back_from_their_names(notes):
    score = symusic.Score(TICKS_PER_QUARTER)
    score.tracks.append(symusic.Track("Melody", 0, False))
    place = 0
    for rest, length, pitch in notes:
        score.tracks[0].notes.append(symusic.Note(place + rest, length, pitch, 80))
        place += rest + length
    assert rows(from_names(to_names(score))) == rows(score)


@pytest.mark.parametrize("closed", ["|]", "||", "[|", " |", ""])
def test_bar_lines_of_all_kinds_are_bar_lines(closed):
    """A final or a double bar line, as people type them, is a bar line; the pickup before the first one stays."""
    score = from_names(f"G4/4 || C5/4 D5 E5 F5 | G5/1{closed}")
    assert [(n.time // score.tpq, n.pitch) for n in score.tracks[0].notes] == [
        *((0, 67), (1, 72), (2, 74), (3, 76), (4, 77), (5, 79))
    ]
    assert [(s.time // score.tpq, s.numerator) for s in score.time_signatures] == [(0, 1), (1, 4)]


@pytest.mark.parametrize("text", ["|: C4/4 D4 :|", "C4/4 D4 :|", "C4/4 | D4::"])
def test_repeat_signs_are_named(text):
    with pytest.raises(PianalysisError, match=r"repeat sign .*twice"):
        from_names(text)


def test_names_by_hand():
    score = from_names("C4/4 d4 | E4/2. R/8 Bb3/16 F#5/3 B#3/8.. Cb4", bpm=90, time_signature=(3, 4))
    assert rows(score)[:5] == [(0, 1, 60), (1, 1, 62), (2, 3, 64), (5.5, 0.25, 58), (5.75, 4 / 3, 78)]
    assert [pitch for _, _, pitch in rows(score)[5:]] == [60, 59]
    assert score.tempos[0].qpm == pytest.approx(90)
    assert [(t.time, t.numerator, t.denominator) for t in score.time_signatures] == [(0, 2, 4), (1920, 3, 4)]
    assert from_names("A4").tracks[0].notes[0].duration == TICKS_PER_QUARTER


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("C4/4 H4/4", r"word 2 \(character 6\).*found 'H4/4'"),
        ("C4/4 | D4/0", r"word 2 \(character 8\).*found 'D4/0'"),
        ("C4/4.5", "word 1"),
        ("G#9/4", "C-1 to G9"),
        ("R/4 |", "found none"),
        ("", "found none"),
        ("C4 " * MAX_CHARACTERS, "at most"),
    ],
)
def test_a_word_that_is_no_note_is_shown(text, says):
    with pytest.raises(PianalysisError, match=says):
        from_names(text)


def test_an_octave_that_isnt_said_is_that_of_the_note_before():
    assert [note.pitch for note in from_names("c d e").tracks[0].notes] == [60, 62, 64]
    assert [note.pitch for note in from_names("C5/4 D Bb R b C3 d").tracks[0].notes] == [72, 74, 82, 83, 48, 50]
    with pytest.raises(PianalysisError, match="expected a"):
        pitch_of("C")  # a key of the piano is one of many


@pytest.mark.parametrize("bad", [{"bpm": 5}, {"bpm": 301}, {"time_signature": (0, 4)}, {"time_signature": (3, 5)}])
def test_impossible_tempi_and_metres_are_refused(bad):
    with pytest.raises(PianalysisError, match="expected a"):
        from_names("C4", **bad)


def test_words_stand_apart_by_spaces_commas_or_semicolons():
    one, other = from_names("C4/4, D4;E4/2 ,F4"), from_names("C4/4 D4 E4/2 F4")
    assert [(n.time, n.pitch) for n in one.tracks[0].notes] == [(n.time, n.pitch) for n in other.tracks[0].notes]

from __future__ import annotations

import pytest
import symusic
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.music.typed import DOTTED, MAX_CHARACTERS, TICKS_PER_QUARTER, from_abc, from_names, read_abc, to_names

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
        ("C/4", "word 1"),
        ("G#9/4", "C-1 to G9"),
        ("R/4 |", "found none"),
        ("", "found none"),
        ("C4 " * MAX_CHARACTERS, "at most"),
    ],
)
def test_a_word_that_is_no_note_is_shown(text, says):
    with pytest.raises(PianalysisError, match=says):
        from_names(text)


@pytest.mark.parametrize("bad", [{"bpm": 5}, {"bpm": 301}, {"time_signature": (0, 4)}, {"time_signature": (3, 5)}])
def test_impossible_tempi_and_metres_are_refused(bad):
    with pytest.raises(PianalysisError, match="expected a"):
        from_names("C4", **bad)


HEAD = "X:1\nM:3/4\nL:1/8\nQ:1/4=90\nK:G\n"


@pytest.mark.parametrize(
    ("abc", "expected"),
    [
        (HEAD + "G4 A2|B6|", [(0, 2, 67), (2, 1, 69), (3, 3, 71)]),
        (HEAD + "F2 =F2 F2|F6|", [(0, 1, 66), (1, 1, 65), (2, 1, 65), (3, 3, 66)]),
        (HEAD + "D2|G6|", [(2, 1, 62), (3, 3, 67)]),
        (HEAD + '"Am"[K:C]F2 "G|7"z2|F6|', [(1, 1, 65), (3, 3, 65)]),
        (HEAD + "G6-|G6|", [(0, 6, 67)]),
        (HEAD + "|:G6|[1 A6:|[2 B6|]", [(0, 3, 67), (3, 3, 69), (6, 3, 67), (9, 3, 71)]),
        (HEAD + "|:D2|G6|B4:|", [(2, 1, 62), (3, 3, 67), (6, 2, 71), (8, 1, 62), (9, 3, 67), (12, 2, 71)]),
        (HEAD + "(3GAB G2>A2|", [(0, 1 / 3, 67), (1 / 3, 1 / 3, 69), (2 / 3, 1 / 3, 71), (1, 1.5, 67), (2.5, 0.5, 69)]),
        (HEAD + "{a}G,2 g'2 [GBd]2|", [(0, 1, 55), (1, 1, 91), (2, 1, 67), (2, 1, 71), (2, 1, 74)]),
        (HEAD + "G6|\nw: la la\n%%MIDI program 3\nA6|% B6|\n", [(0, 3, 67), (3, 3, 69)]),
        ("M:6/8\nK:D\nF|A3 d3|", [(2.5, 0.5, 66), (3, 1.5, 69), (4.5, 1.5, 74)]),
        (r"M:4/4\nL:1/4\nK:C\nC D E F|", [(0, 1, 60), (1, 1, 62), (2, 1, 64), (3, 1, 65)]),
    ],
)
def test_abc_by_hand(abc, expected):
    found = rows(from_abc(abc))
    assert found == [(pytest.approx(onset), pytest.approx(length), pitch) for onset, length, pitch in expected]


def test_abc_states_its_metre_tempo_and_key():
    score = from_abc("X:1\nM:6/8\nL:1/8\nQ:3/8=80\nK:Bm\nB|B3 d3|[M:3/4]f2 a2 b2|")
    assert [(t.time / score.tpq, t.numerator, t.denominator) for t in score.time_signatures] == [(0, 6, 8), (6, 3, 4)]
    assert score.tempos[0].qpm == pytest.approx(120, rel=1e-4)
    assert score.key_signatures[0].key == 2


def test_voices_are_tracks_and_of_two_tunes_the_first_is_read():
    two = from_abc("X:1\nM:4/4\nL:1/4\nK:C\nV:1\nCDEF|\nV:2\nC,4|\n\nX:2\nK:C\nGABc|\n")
    assert [rows(two, 0)[0], *rows(two, 1)] == [(0, 1, 60), (0, 4, 48)]
    assert len(two.tracks) == 2


@pytest.mark.parametrize(
    ("abc", "says"),
    [
        ("", "with a key"),
        ("hello", "with a key"),
        ("X:1\nL:1/4\nCDEF|", "with a key"),
        (HEAD + "G4 A2|B4 @|", "Unrecognized character: @.*“B4 @|G4 A2"),
        (HEAD + "G4 [A", "the ABC text"),
        (HEAD, "no notes"),
        (HEAD + "G" * MAX_CHARACTERS, "at most"),
    ],
)
def test_what_abc_cant_be_read_is_said_in_one_line(abc, says):
    with pytest.raises(PianalysisError, match=says) as error:
        from_abc(abc)
    assert "\n" not in str(error.value)


@given(st.lists(st.tuples(st.integers(0, 60), st.sampled_from('|:[]("!-{}>AaZz,^_=/29%\\\x00\x7fé\n')), max_size=6))
@settings(max_examples=40)
def test_damaged_abc_is_read_or_refused(edits):
    text = list(HEAD + '|:"G"c2|G4 A2|B4-B2|[1 c4:|[2 d4||')
    for place, letter in edits:
        text[place % len(text)] = letter
    try:
        assert from_abc("".join(text)).tracks
    except PianalysisError as error:
        assert "the ABC text" in str(error)  # noqa: PT017  # refused or not: both are right


def test_no_other_file_is_read(tmp_path):
    (tmp_path / "secret.abc").write_text("G6|")
    with pytest.raises(PianalysisError, match="no notes"):
        from_abc(f"{HEAD}%%abc-include {tmp_path / 'secret.abc'}\n")


def test_files_are_named(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_text(HEAD + "G6|")
    assert rows(read_abc(path)) == [(0, 3, 67)]
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(PianalysisError, match=r"tune\.abc"):
        read_abc(path)
    with pytest.raises(FileNotFoundError, match=r"not\.abc"):
        read_abc(tmp_path / "not.abc")

"""What stands in a tune in ABC beside its notes: text blocks, MIDI directives, macros, marks within chords, accents in words."""

from __future__ import annotations

import time

import pytest

from pianalysis.errors import PianalysisError
from pianalysis.music.abc_books import find_tune
from pianalysis.music.abc_notation import abc_tune, from_abc

COMMON = "X:1\nM:4/4\nL:1/4\nK:C\n"
SCALE = [(0.0, 60), (1.0, 62), (2.0, 64), (3.0, 65)]


def line(score, track=0):
    return [(note.time / score.tpq, note.pitch) for note in score.tracks[track].notes]


def words(text):
    return [item.text for item in from_abc(COMMON + text).tracks[0].lyrics]


@pytest.mark.parametrize("kind", ["text", "text obeylines", "ps", "svg"])
def test_a_block_of_text_is_no_music(kind):
    block = f"%%begin{kind}\nA Bad Cab | DEAF\n\nX:9\n%%end{kind.split()[0]}\n"
    assert line(from_abc(f"{COMMON}CD\n{block}EF|\n")) == SCALE
    assert line(from_abc(f"X:1\nM:4/4\nL:1/4\n{block}K:C\nCDEF|\n")) == SCALE


def test_a_block_without_an_end_is_a_line():
    assert line(from_abc(f"{COMMON}%%begintext\nCDEF|\n")) == SCALE


def test_many_blocks_without_ends_take_no_time():
    began = time.process_time()
    from_abc(COMMON + "CDEF|\n" + "%%begintext\n%%beginps\n" * 4_000)
    assert time.process_time() - began < 5


def test_drums_are_no_melody():
    tune = "V:1\n%%MIDI channel 10\nCCCC|\nV:2\nCDEF|\n"
    score = from_abc(COMMON + tune)
    assert line(score) == SCALE
    assert abc_tune(COMMON + tune).remarks == ()
    assert [track.is_drum for track in score.tracks] == [False, True]
    assert [t.is_drum for t in from_abc("X:1\nL:1/4\nV:1\nV:2 clef=perc\nK:C\nV:1\nC|\nV:2\nC|\n").tracks] == [
        False,
        True,
    ]


def test_a_programme_stays():
    assert from_abc(COMMON + "%%MIDI program 73\nCDEF|\n").tracks[0].program == 73
    assert from_abc("X:1\nV:1\nV:2\n%%MIDI program 2 60\nK:C\nV:1\nC|\nV:2\nE|\n").tracks[1].program == 60


@pytest.mark.parametrize(
    "head", ["%%MIDI transpose 2\nK:C\n", "K:C transpose=2\n", "K:C\n%%MIDI transpose 2\n", "V:1 transpose=2\nK:C\n"]
)
def test_a_moved_tune_has_its_key_and_chords_moved(head):
    score = from_abc("X:1\nM:4/4\nL:1/4\n" + head + '"C"CD"G7/B"EF|\n')
    assert line(score) == [(onset, pitch + 2) for onset, pitch in SCALE]
    assert [item.key for item in score.key_signatures] == [2]
    assert [item.text for item in score.markers] == ["D:maj", "A7/Db"]


def test_an_octave_moves_no_key():
    score = from_abc('X:1\nM:4/4\nL:1/4\nK:Eb clef=treble-8\n"Eb"EFGA|\n')
    assert [item.key for item in score.key_signatures] == [-3]
    assert [item.text for item in score.markers] == ["Eb:maj"]


@pytest.mark.parametrize("chord", ["[!f!CE]", '["Am"CE]', "[!1!C!3!E]", "[+f+CE]", "[{d}CE]"])
def test_marks_within_a_chord_are_no_notes(chord):
    assert line(from_abc(f"{COMMON}{chord}DEF|"))[:3] == [(0.0, 60), (0.0, 64), (1.0, 62)]


def test_macros_are_written_out_but_for_ornaments():
    tune = 'X:1\nM:4/4\nL:1/4\nm:h = CD\nm: ~E = {F}EFE\nK:C\nh"h"~EF|\n'
    assert line(from_abc(tune)) == SCALE
    assert line(from_abc(COMMON + "m:w=CD\nwEF|\n")) == SCALE


def test_a_field_goes_on():
    assert words("CDEF|\nw:one two\n+:three four\n") == ["one", "two", "three", "four"]
    assert words("CDEF|\nw:one two\n+:three four\nw:due\n") == ["one", "two", "three", "four"]


def test_three_times():
    assert line(from_abc(COMMON + "|::CDEF::|G4|")) == [
        *((onset + 4 * turn, pitch) for turn in range(3) for onset, pitch in SCALE),
        (12.0, 67),
    ]
    assert len(line(from_abc(COMMON + "CDEF::G4:|"))) == 10


def test_accents_in_words_and_titles():
    assert words('CDEF|\nw:No-\\"el f\\^ete na&iuml;ve\n') == ["No-", "ël", "fête", "naïve"]
    assert abc_tune("X:1\nT:Fran\\c{c}ois\nK:C\nC|").title == "François"


def test_chord_symbols_keep_their_parentheses():
    score = from_abc(COMMON + '"G7(#9)"C"(Am)"D"C(add9)"E"F"F|')
    assert [item.text for item in score.markers] == ["G7(#9)", "Am", "C(add9)", "F:maj"]


def test_macros_of_macros_that_blow_a_tune_up_are_refused():
    tune = f"X:1\nm:h = {'i' * 199}\nm:i = {'c' * 99}\nK:C\n" + "h\n" * 40_000
    with pytest.raises(PianalysisError, match="macros"):
        find_tune(tune, name="a.abc")


def test_a_field_that_goes_on_and_on_is_cut_and_read_in_time():
    begin = time.process_time()
    tune = find_tune("X:1\nT:a\n" + "+:a\n" * 300_000 + "K:C\nC|\n", name="a.abc")
    assert tune.body == ("C|",)
    assert time.process_time() - begin < 10  # a second

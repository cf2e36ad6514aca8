"""Tunes in ABC: laws, tunes worked out by hand, and what people's files have that readers stumble over."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.melody.find import find_melody
from pianalysis.music.abc_books import MAX_TUNE_CHARACTERS, decode
from pianalysis.music.abc_notation import abc_tune, from_abc
from pianalysis.music.abc_playing import TICKS_PER_QUARTER
from pianalysis.music.reading import read_score

HEAD = "X:1\nM:3/4\nL:1/8\nQ:1/4=90\nK:G\n"
COMMON = "X:1\nM:4/4\nL:1/4\nK:C\n"


def rows(score, track=0):
    return [(n.time / score.tpq, n.duration / score.tpq, n.pitch) for n in score.tracks[track].notes]


def line(text, head=COMMON):
    """Onsets and pitches of the melody."""
    return [(onset, pitch) for onset, _, pitch in rows(from_abc(head + text))]


def metres(score):
    return [(t.time / score.tpq, t.numerator, t.denominator) for t in score.time_signatures]


LETTERS = ("C", "^C", "D", "^D", "E", "F", "^F", "G", "^G", "A", "^A", "B")
LENGTHS = {1: "", 2: "2", 3: "3", 4: "4", 6: "6", 8: "8", 0.5: "/", 0.25: "//", 1.5: "3/2", 0.75: "3/4"}


def written(pitch):
    """A pitch in ABC, its accidental always stated."""
    octave, step = divmod(pitch, 12)
    letter = LETTERS[step] if LETTERS[step].startswith("^") else f"={LETTERS[step]}"
    return letter + ("," * (5 - octave) if octave <= 5 else "'" * (octave - 5))


NOTES = st.lists(st.tuples(st.none() | st.integers(0, 127), st.sampled_from(sorted(LENGTHS))), min_size=1, max_size=30)
BETWEEN = st.sampled_from(
    ["", " ", "|", " | ", "\n", "|\n", "\\\n|", "!trill!", '"Am"', "{ag}", "~", "%x\n", "[M:3/4]", "%\nN:B\n"]
)


@given(NOTES, st.lists(BETWEEN, min_size=30, max_size=30), st.sampled_from(["G", "Bbmin", "D dor", "none", "C ^f _e"]))
def test_a_written_melody_is_read_back(notes, between, key):
    text, expected, place = "", [], 0
    for (pitch, length), decoration in zip(notes, between, strict=False):
        text += decoration + ("z" if pitch is None else written(pitch)) + LENGTHS[length]
        if pitch is not None:
            expected.append((place, length, pitch))
        place += length
    tune = f"X:1\nM:4/4\nL:1/4\nK:{key}\ny{text}|]\n"
    if not expected:
        with pytest.raises(PianalysisError, match="found none"):
            from_abc(tune)
        return
    found = rows(from_abc(tune))
    later = found[0][0] - expected[0][0]
    assert 0 <= later < 4  # a pickup comes later in its bar
    assert [(onset - later, length, pitch) for onset, length, pitch in found] == expected


BARS = st.lists(st.lists(st.integers(60, 72), min_size=4, max_size=4), min_size=1, max_size=4)


@given(st.lists(st.tuples(BARS, st.booleans(), BARS, BARS), min_size=1, max_size=4))
def test_repeats_and_endings_are_played_out(passages):
    text, expected = "", []
    for bars, repeated, first, second in passages:
        plain, one, two = ("|".join("".join(map(written, bar)) for bar in part) for part in (bars, first, second))
        text += f"|:{plain}|1{one}:|2{two}||\n" if repeated else f"{plain}||\n"
        parts = (bars, first, bars, second) if repeated else (bars,)
        expected += [pitch for part in parts for bar in part for pitch in bar]
    score = from_abc(COMMON + text)
    assert [(onset, pitch) for onset, _, pitch in rows(score)] == list(enumerate(expected))
    assert metres(score) == [(0, 4, 4)]


@pytest.mark.parametrize(
    ("abc", "expected"),
    [
        (HEAD + "G4 A2|B6|", [(0, 2, 67), (2, 1, 69), (3, 3, 71)]),
        (HEAD + "F2 =F2 F2|F6|", [(0, 1, 66), (1, 1, 65), (2, 1, 65), (3, 3, 66)]),
        (HEAD + "D2|G6|", [(2, 1, 62), (3, 3, 67)]),
        (HEAD + '"Am"[K:C]F2 "G|7"z2|F6|', [(1, 1, 65), (3, 3, 65)]),
        (HEAD + "G6-|G6|", [(0, 6, 67)]),
        (HEAD + "^F6-|F4 F2|", [(0, 5, 66), (5, 1, 66)]),
        (HEAD + "[GB]6-|[GB]3 [G-B]3|G6|", [(0, 4.5, 67), (0, 4.5, 71), (4.5, 4.5, 67), (4.5, 1.5, 71)]),
        (HEAD + "|:G6|[1 A6:|[2 B6|]", [(0, 3, 67), (3, 3, 69), (6, 3, 67), (9, 3, 71)]),
        (HEAD + "|:D2|G6|B4:|", [(2, 1, 62), (3, 3, 67), (6, 2, 71), (8, 1, 62), (9, 3, 67), (12, 2, 71)]),
        (HEAD + "(3GAB G2>A2|", [(0, 1 / 3, 67), (1 / 3, 1 / 3, 69), (2 / 3, 1 / 3, 71), (1, 1.5, 67), (2.5, 0.5, 69)]),
        (HEAD + "(3:2:2G4G2 (3::1B6|", [(0, 4 / 3, 67), (4 / 3, 2 / 3, 67), (2, 2, 71)]),
        (HEAD + "(5GGGGG (2BB|", [(n / 5, 0.2, 67) for n in range(5)] + [(1, 0.75, 71), (1.75, 0.75, 71)]),
        (HEAD + "G<<A G>>>A G/A/4 G3//|", [(0, 0.125, 67), (0.125, 0.875, 69), (1, 0.9375, 67), (1.9375, 0.0625, 69), (2, 0.25, 67), (2.25, 0.125, 69), (2.375, 0.375, 67)]),
        (HEAD + "{a}G,2 g'2 [GBd]2|", [(0, 1, 55), (1, 1, 91), (2, 1, 67), (2, 1, 71), (2, 1, 74)]),
        (HEAD + "G6|\nw: la la\n%%MIDI program 3\nA6|% B6|\n", [(0, 3, 67), (3, 3, 69)]),
        (HEAD + "G6|Z2|A6|x4 y B2|", [(0, 3, 67), (9, 3, 69), (14, 1, 71)]),
        (HEAD + "c6|[K:C treble-8]F6|[K:C treble]F6|", [(0, 3, 72), (3, 3, 53), (6, 3, 65)]),
        ("M:6/8\nK:D\nF|A3 d3|", [(2.5, 0.5, 66), (3, 1.5, 69), (4.5, 1.5, 74)]),
        (r"M:4/4\nL:1/4\nK:C\nC D E F|", [(0, 1, 60), (1, 1, 62), (2, 1, 64), (3, 1, 65)]),
        ("M:2/4\nK:HP\nFc|", [(0, 0.25, 66), (0.25, 0.25, 73)]),
    ],
)  # fmt: skip
def test_abc_by_hand(abc, expected):
    found = rows(from_abc(abc))
    assert found == [(pytest.approx(onset), pytest.approx(length), pitch) for onset, length, pitch in expected]


def test_abc_states_its_metre_tempo_and_key():
    score = from_abc("X:1\nM:6/8\nL:1/8\nQ:3/8=80\nK:Bm\nB|B3 d3|[M:3/4][Q:1/4=60]f2 a2 b2|\nK:Eb\ne6|")
    assert metres(score) == [(0, 6, 8), (6, 3, 4)]
    assert [(t.time / score.tpq, round(t.qpm, 2)) for t in score.tempos] == [(0, 120), (6, 60)]
    assert [(k.time / score.tpq, k.key, k.tonality) for k in score.key_signatures] == [(0, 2, 1), (9, -3, 0)]


def test_a_repeat_goes_back_to_its_key():
    score = from_abc(COMMON + "|:C4|[K:D]F4:|")
    assert [(n.time / score.tpq, n.pitch) for n in score.tracks[0].notes] == [(0, 60), (4, 66), (8, 60), (12, 66)]
    assert [(k.time / score.tpq, k.key) for k in score.key_signatures] == [(0, 0), (4, 2), (8, 0), (12, 2)]


def test_odd_bars_have_metres_of_their_own():
    """A last bar that doesn't leave out what the pickup takes."""
    score = from_abc(COMMON + "|:G|CDEF|GABc:|\nccc|cccc|")
    assert metres(score)[:3] == [(0, 4, 4), (12, 1, 4), (13, 4, 4)]
    assert from_abc(COMMON + "G|:CDEF|GAB:|").time_signatures[0].numerator == 4
    assert metres(from_abc(COMMON + "G|CDEF|GA||Bc|CDEF|GAB|")) == [(0, 4, 4)]


def test_a_metre_that_isnt_stated_is_that_of_the_bars():
    assert metres(from_abc("X:1\nL:1/4\nK:C\nG|CDE|FGA|G2|")) == [(0, 3, 4)]
    assert metres(from_abc("X:1\nL:1/4\nK:C\nCDE|")) == [(0, 4, 4)]


HIGH, LOW = "CDEF|GABc|cBAG|FEDC|", "C,4|F,4|G,4|C,4|"


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ("1", "2", ["Melody", "2"]),
        ('1 name="Flute"', '2 name="Guitar"', ["Melody", "Guitar"]),
        ("1 clef=bass", "2", ["1", "2"]),
        ("1 bass", "2", ["1", "2"]),
        ("B clef=bass", "S", ["B", "S"]),
        ('1 name="Piano"', '2 name="Singer"', ["Piano", "Singer"]),
        ('1 name="Melody"', '2 name="Accordion"', ["Melody", "Accordion"]),
    ],
)
def test_the_first_voice_is_the_melody_unless_it_is_said_otherwise(first, second, names):
    text = (
        f"X:1\nM:4/4\nL:1/4\nV:{first}\nV:{second}\nK:C\n[V:{first.split()[0]}]{LOW}\n[V:{second.split()[0]}]{HIGH}\n"
    )
    assert [track.name for track in from_abc(text).tracks] == names


def test_a_voice_with_words_is_the_melody():
    score = from_abc(f"X:1\nM:4/4\nL:1/4\nK:C\nV:1\n{LOW}\nV:2\n{HIGH}\nw: a b c d e\n")
    assert [track.name for track in score.tracks] == ["1", "2"]
    assert find_melody(score).score_notes[0].pitch == 60


def test_chords_as_they_were_written_before_brackets():
    """Plus signs hold a chord, or an ornament's name."""
    assert line("+CEG+2+trill+AB|+ff+C+^FA,+D2|") == [
        *((0, 60), (0, 64), (0, 67), (2, 69), (3, 71), (4, 60), (5, 66), (5, 57), (6, 62))
    ]  # fmt: skip


def test_voices_are_tracks_and_the_first_is_the_melody():
    text = 'X:1\nM:4/4\nL:1/4\nK:C\nV:2\nV:1 name="Bass" clef=bass\n[V:1]C,4|\n[V:2]CDEF|\n[V:1]G,4|\nV:2\nGABc|\n'
    tune = abc_tune(text)
    assert [track.name for track in tune.score.tracks] == ["Melody", "Bass"]
    assert [pitch for *_, pitch in rows(tune.score)] == [60, 62, 64, 65, 67, 69, 71, 72]
    assert rows(tune.score, 1) == [(0, 4, 48), (4, 4, 55)]
    assert tune.remarks == ("of 2 voices one is taken for the melody; --track N chooses another",)


def test_overlays_begin_with_their_bar():
    score = from_abc(COMMON + "^c4 & F2 c2|c4|")
    assert rows(score) == [(0, 4, 73), (4, 4, 72)]
    assert rows(score, 1) == [(0, 2, 65), (2, 2, 72)]


def test_words_are_lyrics_verse_by_verse():
    score = from_abc(COMMON + "|:C D E2|F-F G2:|\nw: Now hap-py | songs_ *\nw: Then~I sing, too* \\-\n")
    words = [(word.time / score.tpq, word.text) for word in score.tracks[0].lyrics]
    first = [(0, "Now"), (1, "hap-"), (2, "py"), (4, "songs")]
    assert words == [*first, (8, "Then I"), (9, "sing,"), (10, "too"), (13, "-")]


# what stood in people's files, as cases for readers: lyrics, marks, parts, fermatas, bar lines, hornpipes
HYMN = "X:1\nM:3/4\nL:1/4\nQ:1/4=96\nK:G\nD|G2 B|A2 G|B2 d|d2 D|\n{}G2 B|A2 G|E2 D|G2|]\n"


def test_words_move_no_bar():
    with_words, without = (from_abc(HYMN.format(words)) for words in ("w:Now sing we all a hap-py song, oh\n", ""))
    assert rows(with_words) == rows(without)
    assert rows(without)[:2] == [(2, 1, 62), (3, 2, 67)]
    for score in (with_words, without):
        assert metres(score) == [(0, 3, 4)]
        assert [(k.time, k.key) for k in score.key_signatures] == [(0, 1)]
        assert [(t.time, round(t.qpm)) for t in score.tempos] == [(0, 96)]


def test_marks_refuse_no_tune():
    marked = "X:1\nM:4/4\nL:1/8\nK:G\nu(GA)Bc v(d2B2)|c2A2 B2G2|u(AB)cA B2D2|G8 H|]"
    plain = "X:1\nM:4/4\nL:1/8\nK:G\nGABc d2B2|c2A2 B2G2|ABcA B2D2|G8|]"
    assert rows(from_abc(marked)) == rows(from_abc(plain))


def test_hyphens_to_another_pitch_are_slurs():
    assert rows(from_abc(COMMON + "C2 E-F|G2 E2|F-E D2|C4|]")) == rows(from_abc(COMMON + "C2 EF|G2 E2|FE D2|C4|]"))
    assert [pitch for _, pitch in line("C-|D C D C|")] == [60, 62, 60, 62, 60]
    assert line("C.-C")[0] == (0, 60)
    assert len(line("C.-C")) == 1


def test_parts_are_played_in_the_headers_order():
    parts = "X:1\nP:AABB\nM:4/4\nL:1/4\nK:G\nP:A\nGABc|d2B2|cBAG|A4|\nP:B\ndedB|c2A2|BAGF|G4|\n"
    played = [pitch for *_, pitch in rows(from_abc(parts))]
    first, second = [67, 69, 71, 72, 74, 71, 72, 71, 69, 67, 69], [74, 76, 74, 71, 72, 69, 71, 69, 67, 66, 67]
    assert played == first + first + second + second
    assert [p for *_, p in rows(from_abc(parts.replace("AABB", "(AB)2A")))] == (first + second) * 2 + first
    assert [p for *_, p in rows(from_abc(parts.replace("AABB", "X1 Y2")))] == first + second


def test_a_fermata_is_a_sign():
    tune = "D|GGAB|A2 {0}G D|GABc|B2 {0}A A|\nBAGD|E2 {0}E G|FGAF|G2 {0}G|]"
    signed, plain = (rows(from_abc(COMMON + tune.format(sign))) for sign in ("!fermata!", ""))
    assert signed == plain
    assert max(onset + length for onset, length, _ in signed) == 35  # a pickup's bar and eight, the last without a beat


def test_a_pickups_bar_line_may_begin_the_next_line():
    assert line("D \\\n| G2B | A2G |", "X:1\nM:3/4\nL:1/4\nK:G\n")[:3] == [(2, 62), (3, 67), (5, 71)]
    assert line("D\n| G2B | A2G |", "X:1\nM:3/4\nL:1/4\nK:G\n")[:3] == [(2, 62), (3, 67), (5, 71)]


def test_hornpipes_and_ornaments_are_played_as_written():
    tune = "|:AG|FAdA !trill!FATd~A|"
    expected = rows(from_abc("X:1\nM:4/4\nL:1/8\nK:D\n|:AG|FAdA FAdA|"))
    assert {length for _, length, _ in expected} == {0.5}
    assert rows(from_abc(f"X:1\nR:hornpipe\nM:4/4\nL:1/8\nK:D\n{tune}")) == expected


@pytest.mark.parametrize(
    "text", ["CDEF:|GABc|1GGGG:|2cccc|]", "|:CDEF:|:GABc|1GGGG:|2cccc|]", "|:CDEF::GABc[1GGGG:||[2 cccc]|"]
)
def test_a_missing_sign_begins_a_repeat_after_the_one_before(text):
    pitches = [[60, 62, 64, 65]] * 2 + [[67, 69, 71, 72], [67] * 4, [67, 69, 71, 72], [72] * 4]
    assert [pitch for _, pitch in line(text)] == [pitch for bar in pitches for pitch in bar]


BOOK = "% my book\nL:1/4\n\nX:7\nT:First\nM:4/4\nK:G\nGABc|d4|]\n\nsome remarks|abc\n\nX:3\nT:A set, without music\n\nX:2\nT:Second\nM:3/4\nK:D\nDFA|d3|]\n"


def test_tunes_of_a_book():
    first, second = abc_tune(BOOK), abc_tune(BOOK, tune=2)
    assert (first.title, first.number, first.count, second.title) == ("First", 1, 2, "Second")
    assert rows(first.score) == [(0, 1, 67), (1, 1, 69), (2, 1, 71), (3, 1, 72), (4, 4, 74)]
    assert rows(second.score) == [(0, 1, 62), (1, 1, 66), (2, 1, 69), (3, 3, 74)]
    assert first.remarks == ("tune 1 of 2, “First”; --tune N chooses another",)
    assert second.remarks == ("tune 2 of 2, “Second”",)
    assert abc_tune(COMMON + "C4|").remarks == ()
    for wrong in (0, 3):
        with pytest.raises(PianalysisError, match=f"book: expected a tune from 1 to 2, found {wrong}"):
            abc_tune(BOOK, name="book", tune=wrong)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_encoding_and_line_end(tmp_path, encoding, end):
    path = tmp_path / "tune.abc"
    path.write_bytes("X:1\nT:Café\nM:3/4\nL:1/4\nK:G\nG3|A3|\nw: là é\n".replace("\n", end).encode(encoding))
    score = read_score(path)
    assert abc_tune(decode(path.read_bytes())).title == "Café"
    assert rows(score) == [(0, 3, 67), (3, 3, 69)]
    assert [word.text for word in score.tracks[0].lyrics] == ["là", "é"]


@pytest.mark.parametrize(
    ("abc", "says"),
    [
        ("", "with a key"),
        ("hello", "with a key"),
        ("X:1\nL:1/4\n", "with a key"),
        (HEAD, "notes after the key"),
        (HEAD + "z4|", "notes after the key"),
        (HEAD + "G,,,,,,,", "C-1 to G9"),
        (HEAD + "G99999", "a note's length"),
        (HEAD + "Z900|" * 100 + "G", "at most"),
        (HEAD + "".join(f"[V:{n}]G" for n in range(100)), "at most 64 voices"),
        (HEAD + "G" * MAX_TUNE_CHARACTERS, "at most"),
        ("X:1\nP:(((A99)99)99)\nK:C\nP:A\n" + "CDEF|" * 100, None),
        ("X:1\nP:A999\nL:1/4\nK:C\nP:A\n" + "CDEF|" * 1000, "at most"),
    ],
)
def test_what_abc_cant_be_read_is_said_in_one_line(abc, says):
    if says is None:
        assert len(from_abc(abc).tracks[0].notes) == 400
        return
    with pytest.raises(PianalysisError, match=says) as error:
        from_abc(abc)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


TUNE = (
    HEAD + '|:"G"c2|{a}G4 A2|(3ABc B2-B2|[1 [ceg]4:|[2 d>c d2||\nw: la-la | lo\n[V:2]P:B\n[K:Am]!trill!A6 & c6|Z2|:A6:|'
)
LETTER = st.sampled_from('|:[]("!-{}>AaZz,^_=/29%\\&w\x00\x7fé\n ')


@given(st.lists(st.tuples(st.integers(0, 200), LETTER), max_size=12))
@settings(max_examples=100)
def test_damaged_abc_is_read_or_refused(edits):
    text = list(TUNE)
    for place, letter in edits:
        text[place % len(text)] = letter
    _read_or_refused("".join(text))


@given(st.text(LETTER, max_size=200), st.sampled_from(["", HEAD, "X:1\nP:A2(B)3\nK:C\n"]))
@settings(max_examples=100)
def test_any_text_is_read_or_refused(text, head):
    _read_or_refused(head + text)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("abc") / "tune.abc"
    path.write_bytes(data)
    try:
        assert len(read_score(path).tracks)
    except PianalysisError as error:
        assert "tune.abc" in str(error)  # noqa: PT017  # refused or not: both are right


def _read_or_refused(text):
    try:
        score = from_abc(text)
    except PianalysisError as error:
        assert "the ABC text: expected" in str(error)  # noqa: PT017  # refused or not: both are right
        return
    assert len(score.tracks[0].notes)
    assert all(note.time >= 0 and note.duration > 0 for track in score.tracks for note in track.notes)
    assert len(score.dumps_midi())


@pytest.mark.parametrize(
    "unit",
    ['"', "{", "[", "[K:", "!", "+a", ":", "::", "|:", "[1", '["1', "(3", "a-", "a/7", "a/997", "a>", "&a", "(", "\\\n", "a|",
     "[V:1]", "[P:A]a", "w: a\n", "\nw:-", "[ceg]", "|1a:|2", "[M:3/4]a", " ", "\nQ:1/4=", "\nK:^f", "'", "[a"],
)  # fmt: skip
def test_no_text_takes_long(unit):
    began = time.process_time()
    _read_or_refused_or_none(HEAD + unit * (20_000 // len(unit)))
    assert time.process_time() - began < 5  # half a second, where nothing else runs


def _read_or_refused_or_none(text):
    try:
        from_abc(text)
    except PianalysisError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_no_other_file_is_read(tmp_path):
    (tmp_path / "secret.abc").write_text("G6|")
    with pytest.raises(PianalysisError, match="found none"):
        from_abc(f"{HEAD}%%abc-include {tmp_path / 'secret.abc'}\n")


def test_files_are_named(tmp_path):
    path = tmp_path / "tune.abc"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(PianalysisError, match=r"tune\.abc"):
        read_score(path)
    with pytest.raises(FileNotFoundError, match=r"not\.abc"):
        read_score(tmp_path / "not.abc")


def test_ticks_are_fine_enough_for_tuplets():
    assert TICKS_PER_QUARTER % (32 * 9 * 5 * 7) == 0


def test_a_unison_on_two_strings_is_tied_as_any_chord():
    assert rows(from_abc(COMMON + "[AA]2-[AA]2|A4|")) == [(0, 4, 69), (0, 4, 69), (4, 4, 69)]
    assert rows(from_abc(COMMON + "[AA-]2A2|")) == [(0, 2, 69), (0, 4, 69)]


@pytest.mark.parametrize(
    ("text", "below"),
    [
        ("(& CDEF|GABc|c4 & C,4|D,4|E,4 &)|G4|", [(0, 4, 48), (4, 4, 50), (8, 4, 52)]),
        ("C4|(& CDEF|GABc & C,4|\nD,4 &)|G4|G4|", [(4, 4, 48), (8, 4, 50)]),
        ("C4|CDEF & C,4|G4|G4|G4|", [(4, 4, 48)]),
        ("|:(& CDEF|GABc & C,4|D,4 &):|", [(0, 4, 48), (4, 4, 50), (8, 4, 48), (12, 4, 50)]),
    ],
    ids=["three bars", "over lines", "one bar", "repeated"],
)
def test_bars_that_are_written_over_again_sound_together(text, below):
    score = from_abc(COMMON + text)
    assert rows(score, 1) == below
    alone = re.sub(r"\(&|& [^|]*(?:\|[^|]*)*&\)|& C,4", "", text)
    assert rows(score) == rows(from_abc(COMMON + alone))


@pytest.mark.parametrize(
    ("text", "chord"),
    [
        ("D(Bm)", "D:maj"),
        ("Am7(F/A)", "Am7"),
        ("G*", "G:maj"),
        ("Am;D7", "Am"),
        ("Am D7", "Am"),
        ("Gm(maj7)", "Gm(maj7)"),
        ("Dm7(b5)", "Dm7(b5)"),
        ("A section", None),
        ("(Em)", "Em"),
    ],
)
def test_a_chord_with_others_beside_it_is_that_chord(text, chord):
    found = [marker.text for marker in from_abc(COMMON + f'"{text}"C4|').markers]
    assert found == ([] if chord is None else [chord])

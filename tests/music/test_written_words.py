"""Words of MusicXML scores: hyphens, held syllables, verses in their turn, the singer's among several parts, there and back."""

from __future__ import annotations

import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st
from scores import attributes, note, repeat, score
from strategies import simple_score

from pianalysis.arranging.kept import melody_track
from pianalysis.arranging.pieces import Arrangement
from pianalysis.music.musicxml import read_musicxml
from pianalysis.music.reading import read_score
from pianalysis.music.words import score_words, syllables_of
from pianalysis.output.musicxml import to_musicxml


def sung(text, kind="single", verse="1", more=""):
    return f'<lyric number="{verse}"><syllabic>{kind}</syllabic><text>{text}</text>{more}</lyric>'


def words_of(*measures, divisions=1):
    return beats(read_musicxml(score([attributes(divisions=divisions) + measures[0], *measures[1:]])).score)


def beats(read, **given):
    return [(tick / read.tpq, text) for tick, text in score_words(read, **given)]


HAPPY = [("Hap", "begin"), ("py", "end"), ("birth", "begin"), ("day", "end")]


def test_hyphens_join_what_is_one_word():
    found = words_of("".join(note("C5", 1, more=sung(*word)) for word in HAPPY))
    assert found == [(0, "Hap-"), (1, "py"), (2, "birth-"), (3, "day")]
    flags = [(one.text, one.begins, one.ends) for one in syllables_of(found)]
    assert flags == [("Hap", True, False), ("py", False, True), ("birth", True, False), ("day", False, True)]


def test_a_syllable_that_is_held_is_sung_once():
    held = note("D5", 1, more="<lyric number='1'><extend type='stop'/></lyric>")
    tied = note("E5", 1, tie="start", more=sung("men", "end")) + note("E5", 1, tie="stop", more=sung("men", "end"))
    first = note("C5", 1, more=sung("A", "begin", more="<extend type='start'/>"))
    assert words_of(first + held + tied) == [(0, "A-"), (2, "men")]
    assert words_of(note("C5", 2, more=sung("oh")) + note("D5", 2, more=sung("_"))) == [(0, "oh")]


def test_two_syllables_on_one_note_and_a_grace_note_before_it():
    elided = "<lyric><syllabic>end</syllabic><text>ly</text><elision>‿</elision><syllabic>begin</syllabic><text>a</text></lyric>"
    body = note("C5", 2, more=sung("on", "begin")) + note("B4", 0, grace=True) + note("C5", 2, more=elided)
    assert words_of(body) == [(0, "on-"), (2, "ly a-")]
    assert [one.ends for one in syllables_of(words_of(body))] == [False, False]


@pytest.mark.parametrize("verses", [("1", "2"), ("part1verse1", "part1verse2"), ("", "2")])
def test_each_turn_has_its_verse_and_the_last_verse_comes_again(verses):
    both = [sung(text, verse=verse) for text, verse in zip(("one", "two"), verses, strict=True)]
    bar = note("C5", 4, more="".join(both))
    first = (
        repeat("", ending="start 1,2")
        + note("D5", 4, more=sung("more"))
        + repeat("backward", ending="stop 1,2", times="3")
    )
    last = repeat("", ending="start 3") + note("E5", 4, more=sung("end", verse=verses[1]))
    assert words_of(bar, first, last) == [(0, "one"), (4, "more"), (8, "two"), (12, "more"), (16, "two"), (20, "end")]


def test_of_a_chord_and_of_two_voices_a_moment_has_one_word():
    chord = note("C5", 4, voice=1, more=sung("la")) + note("E5", 4, chord=True, voice=1, more=sung("la"))
    below = "<backup><duration>4</duration></backup>" + note("A4", 4, voice=2, more=sung("la"))
    assert words_of(chord + below) == [(0, "la")]


def test_of_several_parts_the_melodys_words_are_kept():
    alto = [attributes(divisions=1) + "".join(note("A4", 2, more=sung(text)) for text in ("ah", "oh"))]
    soprano = [attributes(divisions=1) + "".join(note("C5", 1, more=sung(*word)) for word in HAPPY)]
    read = read_musicxml(score(alto, soprano)).score
    track = melody_track(read, list(read.tracks[1].notes))
    assert [item.text for item in track.lyrics] == ["Hap-", "py", "birth-", "day"]
    # a piano's track has none of its own: the singer's
    silent = melody_track(read, [symusic.Note(n.time, n.duration, 84, 64) for n in read.tracks[0].notes])
    assert [item.text for item in silent.lyrics] in (["ah", "oh"], ["Hap-", "py", "birth-", "day"])


texts = st.lists(st.tuples(st.text("abcdé", min_size=1, max_size=4), st.booleans()), min_size=1, max_size=12)


@given(texts, st.lists(st.booleans(), min_size=12, max_size=12), st.booleans())
def test_our_own_scores_keep_their_words(said, rests, hyphens):
    """Whether the words were written as ABC has them, with hyphens, or as karaoke files do, with spaces."""
    mark = ("", "-") if hyphens else (" ", "")
    places = [beat for beat, silent in enumerate(rests) if not silent][: len(said)]
    wanted = [(480 * beat, text + mark[goes_on]) for beat, (text, goes_on) in zip(places, said, strict=False)]
    before = simple_score([(beat, 1, 60 + beat % 5) for beat in range(12)])
    before.tracks[0].lyrics.extend(symusic.TextMeta(*word) for word in wanted)
    after = read_musicxml(to_musicxml(before)).score
    found = syllables_of(beats(after))
    assert [(480 * one.tick, one.text, one.begins) for one in found] == [
        (one.tick, one.text, one.begins) for one in syllables_of(wanted)
    ]
    assert [one.ends for one in found[:-1]] == [one.ends for one in syllables_of(wanted)[:-1]]


def test_the_words_of_a_score_go_through_the_piece(tiny_arranger, tmp_path):
    sheet = tmp_path / "song.musicxml"
    sheet.write_bytes(score([attributes(divisions=1) + "".join(note("C5", 1, more=sung(*word)) for word in HAPPY)]))
    piece = tiny_arranger(sheet)
    wanted = [(0, "Hap-"), (1, "py"), (2, "birth-"), (3, "day")]
    assert beats(piece.score) == wanted
    assert beats(Arrangement.read(piece.save(tmp_path / "full.mid")).score) == wanted
    assert beats(read_score(piece.save_musicxml(tmp_path / "full.musicxml"))) == wanted

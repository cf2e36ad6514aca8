"""MusicXML as programs write it that don't keep to the letter: encodings, containers, words for signs, changes within a bar."""

from __future__ import annotations

import io
import zipfile

import pytest
from scores import attributes, note, score

from pianalysis.melody.find import find_melody
from pianalysis.music.musicxml import read_musicxml
from pianalysis.music.reading import read_score

KEY = "<attributes><key><fifths>{}</fifths></key></attributes>"
HEAD = attributes(divisions=4)
SONG = score([HEAD + note("C4", 16), note("D4", 16)]).decode()


def said(words):
    return f"<direction><direction-type><words>{words}</words></direction-type></direction>"


def pitches(data):
    return [item.pitch for item in read_musicxml(data).score.tracks[0].notes]


def keys(data):
    found = read_musicxml(data).score
    return [(item.time / found.tpq, item.key) for item in found.key_signatures]


@pytest.mark.parametrize(
    "data",
    [
        ('<?xml version="1.0" encoding="UTF-16"?>' + "{}").encode(),  # as a program that converts text leaves it
        ("\r\n  " + '<?xml version="1.0" encoding="UTF-8"?>' + "{}").encode(),
        ('<?xml version="1.0" encoding="UTF-8"?><!-- é -->' + "{}").encode("latin-1"),
        ('<?xml version="1.0" encoding="utf-16"?>' + "{}").encode("utf-16"),
        ('<?xml version="1.0" encoding="what"?>' + "{}").encode(),
    ],
)
def test_a_score_is_read_in_the_encoding_that_it_is_in(data):
    body = SONG[SONG.index("<score-partwise") :]
    if b"\0" in data[:8]:
        data = data.decode("utf-16").replace("{}", body).encode("utf-16")
    else:
        data = data.replace(b"{}", body.encode())
    assert pitches(data) == [60, 62]


def packed(**files):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def test_a_pdf_beside_the_score_is_passed_over():
    files = (
        '<rootfile full-path="s.pdf" media-type="application/pdf"/>'
        '<rootfile full-path="s.xml" media-type="application/vnd.recordare.musicxml+xml"/>'
    )
    container = f"<container><rootfiles>{files}</rootfiles></container>"
    assert pitches(packed(**{"META-INF/container.xml": container, "s.pdf": b"%PDF", "s.xml": SONG})) == [60, 62]


def test_what_macos_adds_is_passed_over():
    assert pitches(packed(**{"__MACOSX/._s.xml": b"\0\5\x16\7", "s.xml": SONG})) == [60, 62]


def test_divisions_may_come_after_the_first_note():
    metre, divisions = HEAD.replace("<divisions>4</divisions>", ""), "<attributes><divisions>4</divisions></attributes>"
    found = read_musicxml(score([metre + note("C4", 16) + divisions, note("D4", 8)])).score
    assert [item.duration / found.tpq for item in found.tracks[0].notes] == [4, 2]


def test_words_stand_for_signs():
    bars = [
        HEAD + note("C4", 16), said("Segno") + note("D4", 16), note("E4", 16) + said("To Coda"),
        note("F4", 16) + said("D.S. al Coda"), said("Coda") + note("G4", 16),
    ]  # fmt: skip
    assert pitches(score(bars)) == [60, 62, 64, 65, 62, 64, 67]


@pytest.mark.parametrize("words", ["voice tacet on D.S.", "2nd verse after the D.C.", "no repeat at D.S."])
def test_words_that_speak_of_a_jump_are_none(words):
    bars = [HEAD + note("C4", 16), note("D4", 16) + said(words), note("E4", 16)]
    assert pitches(score(bars)) == [60, 62, 64]


@pytest.mark.parametrize("words", ["D.S.", "Dal Segno", "(D.S. al Fine)", "2x D.S."])
def test_words_of_a_jump_are_one(words):
    assert pitches(score([HEAD + note("C4", 16), note("D4", 16) + said(words)])) == [60, 62, 60, 62]


def test_a_key_changes_where_it_stands():
    head = attributes(divisions=4, fifths=0)
    within = score([head + note("C4", 8) + KEY.format(3) + note("D4", 8), note("E4", 16)])
    assert keys(within) == [(0, 0), (2, 3)]
    assert keys(score([head + note("C4", 16) + KEY.format(-2), note("E4", 16)])) == [(0, 0), (4, -2)]
    assert keys(score([head + note("C4", 16), KEY.format(1) + note("E4", 16)])) == [(0, 0), (4, 1)]


def test_the_soprano_of_a_closed_score_is_the_melody_where_the_alto_crosses_it():
    def voice(number, *rows):
        return "".join(note(name, length, voice=number) for name, length in rows)

    back = "<backup><duration>16</duration></backup>"
    bars = [
        HEAD + voice(1, ("G4", 16)) + back + voice(2, ("E4", 8), ("B4", 8)),
        voice(1, ("A4", 4), ("A4", 4), ("G4", 8)) + back + voice(2, ("A4", 8), ("E4", 8)),
    ]
    found = read_score(score(bars), name="hymn.musicxml")
    melody = [(item.time / found.tpq, item.duration / found.tpq, item.pitch) for item in find_melody(found).score_notes]
    assert melody == [(0, 4, 67), (4, 1, 69), (5, 1, 69), (6, 2, 67)]


def sign(kind, measures=""):
    return f'<attributes><measure-style><measure-repeat type="{kind}">{measures}</measure-repeat></measure-style></attributes>'


REST = '<note><rest measure="yes"/><duration>16</duration></note>'


@pytest.mark.parametrize(
    ("measures", "found"),
    [
        ([note("C4", 16), sign("start", 1) + REST, REST, sign("stop") + note("D4", 16)], [60, 60, 60, 62]),
        ([note("C4", 16), note("D4", 16), sign("start", 2) + REST, REST, REST, REST], [60, 62, 60, 62, 60, 62]),
        ([note("C4", 16), sign("start", 1) + note("E4", 16)], [60, 64]),
        ([sign("start", 1) + REST, sign("stop") + note("C4", 16)], [60]),
    ],
    ids=["one bar", "two bars", "written out", "nothing before"],
)
def test_a_sign_for_a_bar_that_is_repeated_is_played(measures, found):
    data = score([HEAD + measures[0], *measures[1:]])
    assert pitches(data) == found
    assert read_musicxml(data).bar_lines[-1] == len(measures) * 4 * read_musicxml(data).score.tpq


def test_a_note_for_one_time_only_is_played_then():
    first = note("D4", 16).replace("<note>", '<note time-only="1">', 1)
    others = note("E4", 16).replace("<note>", '<note time-only="2,3">', 1)
    again = '<barline location="right"><repeat direction="backward" times="3"/></barline>'
    back = "<backup><duration>16</duration></backup>"
    assert pitches(score([HEAD + note("C4", 16), first + back + others + again])) == [60, 62, 60, 64, 60, 64]


def test_slashes_are_no_melody():
    slash = note("B4", 16).replace("</note>", "<notehead>slash</notehead></note>")
    cross = note("D4", 16).replace("</note>", "<notehead>x</notehead></note>")
    data = score([HEAD + slash, note("C4", 16), cross])
    assert pitches(data) == [60, 62]
    assert [item.time for item in read_musicxml(data).score.tracks[0].notes] == [
        4 * read_musicxml(data).score.tpq * bar for bar in (1, 2)
    ]

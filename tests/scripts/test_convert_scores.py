"""Small scores written by hand, made MIDI by the tools that make the archives', where they are at hand."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

import pytest
import symusic

from pianalysis.dataset.corpora import open_files, read_hymn, read_polish

PIANO = """!!!COM: Kowalska, Anna
!!!OTL: Mazurek
**kern\t**kern
*staff2\t*staff1
*Ipiano\t*Ipiano
*clefF4\t*clefG2
*M3/4\t*M3/4
4r\t4dd
=1\t=1
2.C\t4.ee 4.gg
.\t8ff
.\t4dd
=2\t=2
2C\t2cc
==\t==
*-\t*-
"""
SONG = """!!!COM: Kowalska, Anna
!!!OTL: Dumka
**kern\t**kern\t**kern
*staff3\t*staff2\t*staff1
*Ipiano\t*Ipiano\t*I{instrument}
*clefF4\t*clefG2\t*clefG2
*M2/4\t*M2/4\t*M2/4
2C\t2e 2g\t4cc
.\t.\t4b
=2\t=2\t=2
2C\t2e 2g\t2cc
==\t==\t==
*-\t*-\t*-
"""
ABC = """X:1
T:Evening
C:Nobody
M:3/4
L:1/4
Q:1/4=100
V: S clef=treble
V: A clef=treble
V: T clef=bass
V: B clef=bass
K:G
[V: S] G | "G"c2 B | (3ccc d/d/ | c2 |]
w: lyr-ics are no mu-sic
[V: A] E | E2 D | E3 | E2 |]
[V: T] c | c2 d | c3 | c2 |]
[V: B] C, | C,2 G,, | C,3 | C,2 |]
"""
LILYPOND = r"""\version "2.24.0"
\header { title = "Morning" composer = "Nobody" }
global = { \time 3/4 \partial 4 }
\score {
  <<
    \new Staff <<
      \new Voice = "sopranos" { \global g'4 | c''2 b'4 | c''2 }
      \new Voice = "altos" { \global e'4 | e'2 d'4 | e'2 }
    >>
    \new Staff <<
      \new Voice = "tenors" { \global c'4 | c'2 d'4 | c'2 }
      \new Voice = "basses" { \global c4 | c2 g,4 | c2 }
    >>
  >>
  \midi { \context { \Staff \remove "Staff_performer" } \context { \Voice \consists "Staff_performer" } }
}
"""


def bars(path):
    """(quarter, beats, beat type) of each time signature."""
    score = symusic.Score(path)
    return [(item.time / score.tpq, item.numerator, item.denominator) for item in score.time_signatures]


def converted(script, tmp_path, corpus, **files):
    """A checkout of these files, converted: the output's folder."""
    checkout = tmp_path / "christmas-carols"
    (checkout / "deep").mkdir(parents=True)
    suffix = {"polish": ".krn", "openhymnal": ".abc", "songbooks": ".ly"}[corpus]
    for name, text in files.items():
        (checkout / "deep" / f"{name}{suffix}").write_text(text, encoding="utf-8")
    assert script("convert_scores").main([corpus, str(checkout), "--output", str(tmp_path / "out")]) == 0
    return tmp_path / "out"


def test_kern_by_verovio(script, tmp_path, capsys):
    pytest.importorskip("verovio", reason="verovio reads **kern and isn't installed")
    songs = {"dumka": SONG.format(instrument="vox"), "romans": SONG.format(instrument="violn")}
    out = converted(script, tmp_path, "polish", mazurek=PIANO, **songs, broken="no kern")
    assert "broken.krn: " in capsys.readouterr().err
    found = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.mid"))
    assert found == ["instrumental/po-romans.mid", "piano/po-mazurek.mid", "songs/po-dumka.mid"]
    assert bars(out / "piano" / "po-mazurek.mid") == [(0, 1, 4), (1, 3, 4), (4, 2, 4)]
    pieces = {name: next(read_polish(open_files(out), name)) for name in ("po-dumka", "po-mazurek", "po-romans")}
    assert [(piece.title, piece.composer) for piece in pieces.values()][:2] == [
        ("Dumka", "Kowalska, Anna"), ("Mazurek", "Kowalska, Anna"),
    ]  # fmt: skip
    assert pieces["po-dumka"].melody["pitch"].tolist() == [72, 71, 72]
    assert pieces["po-dumka"].accompaniment["pitch"].tolist() == [48, 64, 67] * 2
    assert pieces["po-mazurek"].melody["pitch"].tolist() == [74, 79, 77, 74, 72]
    assert pieces["po-mazurek"].clock.bar_lines.tolist() == [0, 500, 2000, 3000]


def test_abc_by_abc2midi(script, tmp_path):
    if shutil.which("abc2midi") is None:
        pytest.skip("abc2midi (abcMIDI) is not installed")
    out = converted(script, tmp_path, "openhymnal", Evening=ABC)
    assert bars(out / "oh-Evening.mid") == [(0, 1, 4), (1, 3, 4), (7, 2, 4)]
    (piece,) = read_hymn(open_files(out), "oh-Evening")
    assert piece.title == "Evening"
    assert piece.melody["pitch"].tolist() == [67, 72, 71, 72, 72, 72, 74, 74, 72]
    assert piece.clock.bar_lines.tolist() == [0, 500, 2000, 3500, 4500]
    assert len(piece.accompaniment) == 15


def test_lilypond_by_itself(script, tmp_path):
    if shutil.which("lilypond") is None and find_spec("lilypond") is None:
        pytest.skip("LilyPond is not installed")
    out = converted(script, tmp_path, "songbooks", Morning=LILYPOND)
    assert bars(out / "cc-Morning.mid") == [(0, 1, 4), (1, 3, 4)]
    (piece,) = read_hymn(open_files(out), "cc-Morning")
    assert piece.title == "Morning"
    assert piece.melody["pitch"].tolist() == [67, 72, 71, 72]
    assert len(piece.accompaniment) == 12


@pytest.mark.parametrize(
    ("music", "lengths"),
    [
        ("abc d | e4 |", ["2", "2"]),
        ("z2 [CE]2 | c3/2 d/ e2 | f/2g//a//", ["2", "2", "1/2"]),
        ("|: a4 :| b4 |]", ["2", "2", "2"]),
        ("|: a4 |1 b4 :|2 c2 | d4 |]", ["2", "2", "2", "1", "2"]),
        ('"Am7"a2 {g}b2 !fermata!c2 % d', ["3"]),
    ],
)
def test_lengths_of_abc_bars_by_hand(script, music, lengths):
    found = script("convert_scores").abc_bars(f"X:1\nM:4/4\nL:1/8\nK:C\n{music}\n")
    assert [str(length) for length in found] == lengths


def test_a_corpus_of_nothing_and_no_folder(script, tmp_path, capsys):
    assert script("convert_scores").main(["polish", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    with pytest.raises(SystemExit):
        script("convert_scores").main(["polish", str(tmp_path / "gone"), "--output", str(tmp_path)])
    assert "found no folder" in capsys.readouterr().err

"""Melodies from files of any kind."""

from __future__ import annotations

import pytest
from conftest import EXAMPLES
from strategies import simple_score

from pianalysis.errors import PianalysisError
from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.symbols import Chord
from pianalysis.music.midi import read_midi
from pianalysis.music.reading import read_score, read_with_remarks
from pianalysis.output.musicxml import to_musicxml


def test_a_lead_sheets_symbols_are_markers(tmp_path):
    sheet = tmp_path / "sheet.xml"
    score = simple_score([(quarter, 1, 60 + quarter) for quarter in range(8)])
    sheet.write_bytes(
        to_musicxml(score, chords=[ChordSpan(0, 1500, Chord(9, "min7")), ChordSpan(1500, 4000, Chord(5))])
    )
    read = read_score(sheet)
    assert [(mark.time / read.tpq, mark.text) for mark in read.markers] == [(0, "A:min7"), (3, "F:maj")]
    assert [note.pitch for note in read.tracks[0].notes] == [*range(60, 68)]


def test_midi_is_read_as_ever_whatever_it_is_called(tmp_path):
    data = (EXAMPLES / "sakura.mid").read_bytes()
    (tmp_path / "tune.dat").write_bytes(data)
    scores = [read_score(tmp_path / "tune.dat"), read_score(data), read_midi(data)]
    assert len({score.dumps_midi() for score in scores}) == 1


TUNE = "X:1\nT:First\nM:4/4\nL:1/4\nK:G\nGABc|d4|]\n\nX:2\nT:Second\nM:3/4\nL:1/4\nK:D\nDFA|d3|]\n"


@pytest.mark.parametrize("name", ["tune.txt", "tune.abc", "tune", "TUNE.ABC", "tune.mid"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_abc_is_known_by_its_first_line(tmp_path, name, encoding):
    (tmp_path / name).write_bytes(TUNE.encode(encoding))
    read = read_with_remarks(tmp_path / name)
    assert [note.pitch for note in read.score.tracks[0].notes] == [67, 69, 71, 72, 74]
    assert read.remarks == ("tune 1 of 2, “First”; --tune N chooses another",)
    assert [note.pitch for note in read_score(TUNE.encode(encoding), tune=2).tracks[0].notes] == [62, 66, 69, 74]


def test_a_tune_is_chosen_of_abc_alone():
    with pytest.raises(PianalysisError, match="expected a tune book in ABC to choose tune 2 of"):
        read_score(EXAMPLES / "sakura.mid", tune=2)


@pytest.mark.parametrize("name", ["bad.musicxml", "bad.abc", "bad.mid"])
def test_an_error_names_the_file(tmp_path, name):
    (tmp_path / name).write_text("no")
    with pytest.raises(PianalysisError, match=name):
        read_score(tmp_path / name)

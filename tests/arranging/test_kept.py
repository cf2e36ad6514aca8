"""What stays of the melody's file, in the piece, in the file written, and in what is read of that."""

from __future__ import annotations

import pytest
import symusic
from strategies import add_track, simple_score

from pianalysis.arranging.pieces import Arrangement
from pianalysis.music.midi import read_midi


@pytest.fixture
def song():
    score = simple_score([(n, 1, 60 + n % 5) for n in range(8)], name="Words")
    track = score.tracks[0]
    track.program = 73
    track.lyrics.extend([symusic.TextMeta(480 * n, f"la{n} ") for n in range(8)])
    track.controls.append(symusic.ControlChange(0, 64, 127))
    track.controls.append(symusic.ControlChange(1920, 64, 0))
    track.pitch_bends.append(symusic.PitchBend(960, 2000))
    score.markers.extend([symusic.TextMeta(0, "Verse 1"), symusic.TextMeta(1920, "A")])
    return score


def kept(score):
    track = score.tracks[0]
    return (
        track.program,
        [(item.time, item.text) for item in track.lyrics],
        [(item.time, item.number, item.value) for item in track.controls],
        [(item.time, item.value) for item in track.pitch_bends],
    )


def test_words_bends_pedal_and_programme_stay_on_the_melodys_track(tiny_arranger, tmp_path, song):
    piece = tiny_arranger(song)
    assert kept(piece.score) == kept(song)
    assert kept(piece.score)[1]
    assert not len(piece.score.tracks[1].controls)
    path = piece.save(tmp_path / "full.mid")
    assert kept(read_midi(path)) == kept(song)
    again = Arrangement.read(path)
    assert kept(again.score) == kept(song)
    assert [len(track.notes) for track in again.score.tracks] == [len(track.notes) for track in piece.score.tracks]
    assert "la0" in path.read_bytes().decode("latin-1")


def test_markers_stay_beside_the_chords(tiny_arranger, tmp_path, song):
    piece = tiny_arranger(song, max_bars=2)
    assert [(mark.time, mark.text) for mark in piece.score.markers] == [(0, "Verse 1"), (1920, "Section A")]
    read = Arrangement.read(piece.save(tmp_path / "full.mid"))
    assert [mark.text for mark in read.score.markers] == ["Verse 1", "Section A"]
    assert read.chart == piece.chart


def test_singers_in_turn_are_on_the_melodys_track(tiny_arranger):
    score = simple_score([(n, 1, 60 + n % 5) for n in range(20)], name="Vocal 1")
    add_track(score, [(20 + n, 1, 64 + n % 5) for n in range(8)], name="Vocal 2")
    score.tracks[0].program, score.tracks[1].program = 52, 54
    melody = tiny_arranger(score).score.tracks[0]
    assert (melody.program, len(melody.notes)) == (52, 28)

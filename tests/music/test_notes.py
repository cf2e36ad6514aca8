from __future__ import annotations

import os

import numpy as np
import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays, scores, simple_score

from pianalysis import files
from pianalysis.errors import PianalysisError
from pianalysis.files import write_atomically
from pianalysis.melody.find import find_melody
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import ms_to_ticks, read_midi, ticks_to_ms, track_notes, write_midi
from pianalysis.music.notes import NOTE_DTYPE, let_go_before_restrike, make_notes, sort_notes

SMALL = simple_score([(0, 1, 60), (1, 0.5, 64), (1.5, 2, 0), (4, 1, 127)], bpm=97, metre=(3, 4)).dumps_midi()


def rows(track):
    return [(note.time, note.duration, note.pitch, note.velocity) for note in track.notes]


@given(scores())
def test_a_written_score_is_read_back_tick_for_tick(score):
    again = read_midi(score.dumps_midi())
    assert again.tpq == score.tpq
    written = [track for track in score.tracks if len(track.notes)]
    assert [sorted(rows(track)) for track in again.tracks] == [sorted(rows(track)) for track in written]
    assert [(item.time, item.mspq) for item in again.tempos] == [(item.time, item.mspq) for item in score.tempos]
    metres = [[(s.time, s.numerator, s.denominator) for s in which.time_signatures] for which in (score, again)]
    assert metres[0] == metres[1]


@given(scores(), st.lists(st.integers(0, 2_000_000), min_size=1, max_size=30))
def test_milliseconds_and_ticks_are_inverses_for_any_tempo_map(score, ticks):
    np.testing.assert_array_equal(ms_to_ticks(score, ticks_to_ms(score, ticks)), ticks)
    assert (np.diff(ticks_to_ms(score, sorted(set(ticks)))) > 0).all()


@given(scores())
def test_milliseconds_are_symusics_own_seconds(score):
    seconds = score.to("second")
    for ours, theirs in zip(score.tracks, seconds.tracks, strict=True):
        if len(ours.notes):
            starts = ticks_to_ms(score, ours.notes.numpy()["time"]) / 1_000
            np.testing.assert_allclose(starts, theirs.notes.numpy()["time"], rtol=1e-5, atol=1e-4)


def test_milliseconds_by_hand():
    score = symusic.Score(100)
    score.tempos.extend([symusic.Tempo(200, qpm=60), symusic.Tempo(300, qpm=240)])
    # 120 until the first tempo: two quarters of 500 ms, one of 1,000, then 250 each.
    assert ticks_to_ms(score, [0, 100, 200, 250, 300, 500]).tolist() == [0, 500, 1000, 1500, 2000, 2500]


@given(scores())
def test_track_notes_are_the_files_notes_sorted_and_widened(score):
    notes = track_notes(score, score.tracks)
    assert sorted(notes["pitch"].tolist()) == sorted(n.pitch for t in score.tracks for n in t.notes)
    np.testing.assert_array_equal(notes, sort_notes(notes))
    assert (notes["duration_ms"] >= 0).all()
    assert ((notes["pitch"] + 12) - notes["pitch"] == 12).all()  # in int8, 127 + 12 would be -117
    assert len(track_notes(score, [])) == 0


def test_the_highest_and_lowest_pitch_stay():
    notes = track_notes(read_midi(SMALL), read_midi(SMALL).tracks)
    assert notes["pitch"].tolist() == [60, 64, 0, 127]
    assert (notes["pitch"] + 12).tolist() == [72, 76, 12, 139]


@given(note_arrays())
def test_no_key_sounds_twice_once_let_go(notes):
    let_go = let_go_before_restrike(notes)
    assert len(let_go) == len(notes)
    np.testing.assert_array_equal(let_go["onset_ms"], sort_notes(notes)["onset_ms"])
    for pitch in np.unique(let_go["pitch"]):
        key = let_go[let_go["pitch"] == pitch]
        assert (key["duration_ms"][:-1] <= np.diff(key["onset_ms"])).all()


def test_zero_length_notes_are_read_and_written_as_they_are():
    score = simple_score([(0, 0, 60), (0, 1, 62), (1, 0, 62), (1, 1, 62), (3, 0, 64)])
    again = read_midi(score.dumps_midi())
    assert rows(again.tracks[0]) == rows(score.tracks[0])
    melody = find_melody(simple_score([(0, 0, 60), (1, 1, 62), (3, 0, 64)]))
    assert [(note.time, note.duration) for note in melody.score_notes][0::2] == [(0, 0), (1440, 0)]
    assert melody.notes["duration_ms"].tolist() == pytest.approx([0, 500, 0])
    assert BeatClock.from_score(again).bar_lines.tolist() == [0, 2000]


def test_a_piece_of_one_zero_length_note_is_read():
    score = read_midi(simple_score([(0, 0, 60)]).dumps_midi())
    assert BeatClock.from_score(score).notes_to_clock(find_melody(score).notes).tolist() == [(0, 0, 60, 80)]


def test_files_are_written_whole(tmp_path):
    path = write_midi(str(tmp_path / "out.mid"), read_midi(SMALL))
    assert rows(read_midi(path).tracks[0]) == rows(read_midi(SMALL).tracks[0])
    write_atomically(path, b"other")
    assert path.read_bytes() == b"other"
    assert os.listdir(tmp_path) == ["out.mid"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, error):
    path = write_atomically(tmp_path / "out.mid", b"old")

    def fail(*_):
        raise error

    monkeypatch.setattr(files.os, "replace", fail)
    with pytest.raises((PianalysisError, KeyboardInterrupt)):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.mid"]


@pytest.mark.parametrize("place", ["missing/out.mid", "file/out.mid", "folder"])
def test_places_that_cant_be_written_are_one_error(tmp_path, place):
    (tmp_path / "file").write_bytes(b"a file, no folder")
    (tmp_path / "folder").mkdir()
    with pytest.raises(PianalysisError, match=f"{place}: can't be written"):
        write_atomically(tmp_path / place, b"data")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_make_notes_of_nothing_has_the_fields():
    assert make_notes().dtype == NOTE_DTYPE
    assert len(make_notes()) == 0

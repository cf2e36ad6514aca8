from __future__ import annotations

import numpy as np
import pytest
import symusic
from conftest import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.arranging.arranger import LONGEST_REST_MS, Arranger, Options
from pianalysis.errors import MidiReadError, NoMelodyError, PianalysisError
from pianalysis.model.gpt2 import make_model
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import read_midi
from pianalysis.tokens import vocab

QUARTER = 480


def note_rows(track):
    return [(note.time, note.duration, note.pitch, note.velocity) for note in track.notes]


@st.composite
def melody_files(draw):
    """Any melody on any tempo map and metre: overlaps, chords, gaps, pitches off the piano, odd ticks."""
    score = symusic.Score(draw(st.sampled_from([24, 96, 220, 480])))
    tick = 0
    for _ in range(draw(st.integers(0, 3))):
        tick += draw(st.integers(1, 2_000))
        score.tempos.append(symusic.Tempo(tick, draw(st.floats(25, 280))))
    for start in sorted(draw(st.sets(st.integers(0, 3_000), max_size=2))):
        numerator, denominator = draw(st.sampled_from([(4, 4), (3, 4), (6, 8), (5, 4), (7, 8), (2, 2)]))
        score.time_signatures.append(symusic.TimeSignature(start, numerator, denominator))
    track = symusic.Track("Melody", draw(st.integers(0, 127)), False)
    row = st.tuples(st.integers(0, 6_000), st.integers(1, 2_000), st.integers(0, 127), st.integers(1, 127))
    # One key can't be struck while it sounds: such notes have no unique written form in a MIDI file.
    sounding: dict[int, int] = {}
    for onset, length, pitch, velocity in sorted(draw(st.lists(row, min_size=1, max_size=15))):
        if onset > sounding.get(pitch, -1):
            track.notes.append(symusic.Note(onset, length, pitch, velocity))
            sounding[pitch] = onset + length
    score.tracks.append(track)
    return score


@given(melody_files(), st.integers(0, 3), st.booleans())
@settings(max_examples=25)
def test_the_melody_comes_out_as_it_went_in(tiny_arranger, score, seed, keep_metre):
    data = score.dumps_midi()
    given_score = read_midi(data)
    piece = tiny_arranger(data, seed=seed, max_bars=4, temperature=1.0, top_k=0, top_p=1.0, keep_metre=keep_metre)
    written = read_midi(piece.score.dumps_midi())
    rows, given_rows = note_rows(written.tracks[0]), note_rows(given_score.tracks[0])
    assert set(rows) <= set(given_rows)
    # of a track that is chords its top line is the melody
    assert sorted(rows) == sorted(given_rows) or "left out" in piece.how_found
    assert written.tpq == given_score.tpq
    assert [(t.time, t.mspq) for t in written.tempos] == [(t.time, t.mspq) for t in given_score.tempos]
    signatures = [[(t.time, t.numerator, t.denominator) for t in s.time_signatures] for s in (written, given_score)]
    if keep_metre or signatures[1]:  # else it may have been heard
        assert signatures[0] == signatures[1]
    below = piece.accompaniment
    assert (below["onset_ms"] >= piece.bar_lines_ms[0] - 20).all()
    assert (below["onset_ms"] + below["duration_ms"] <= piece.bar_lines_ms[-1] + 20).all()
    keys = list(zip(below["onset_ms"].tolist(), below["pitch"].tolist(), strict=True))
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.mid")))
def test_every_example_is_arranged_to_its_last_bar(tiny_arranger, name):
    piece = tiny_arranger(EXAMPLES / name)
    melody = read_midi(EXAMPLES / name).tracks[0]
    assert note_rows(piece.score.tracks[0]) == note_rows(melody)
    assert [track.name for track in piece.score.tracks] == ["Melody", "Accompaniment"]
    assert [track.program for track in piece.score.tracks] == [0, 0]
    end = (piece.melody["onset_ms"] + piece.melody["duration_ms"]).max()
    assert piece.bar_lines_ms[-1] >= end - 1e-6
    assert piece.bar_lines_ms[-2] < end
    onsets = np.concatenate([piece.bar_lines_ms[:1], piece.accompaniment["onset_ms"], piece.bar_lines_ms[-1:]])
    clock = BeatClock.from_score(piece.score)
    assert np.diff(clock.to_clock(onsets)).max() <= LONGEST_REST_MS + 200  # and what snapping moves


def test_one_seed_one_file(tiny_arranger):
    first, again, other = (
        tiny_arranger(EXAMPLES / "ode_to_joy.mid", seed=seed).score.dumps_midi() for seed in (3, 3, 4)
    )
    assert first == again
    assert first != other


def test_path_bytes_and_score_are_the_same(tiny_arranger):
    path = EXAMPLES / "greensleeves.mid"
    pieces = [tiny_arranger(source, max_bars=4) for source in (path, str(path), path.read_bytes(), read_midi(path))]
    assert len({piece.score.dumps_midi() for piece in pieces}) == 1


def one_track(*notes, name="Melody", drum=False):
    score = symusic.Score(QUARTER)
    score.tracks.append(symusic.Track(name, 0, drum))
    for note in notes:
        score.tracks[0].notes.append(symusic.Note(*note))
    return score


def test_on_a_grid_the_accompaniment_is_on_the_grid(tiny_arranger):
    piece = tiny_arranger(EXAMPLES / "ode_to_joy.mid", temperature=1.0, top_k=0, top_p=1.0)
    ticks = np.array([note.time for note in piece.score.tracks[1].notes])
    assert len(ticks) > 20
    assert (np.minimum(ticks % (QUARTER // 4), ticks % (QUARTER // 6)) == 0).all()


def test_a_long_silence_inside_is_accompanied(tiny_arranger):
    score = one_track((0, QUARTER, 60, 80), (QUARTER * 60, QUARTER, 62, 80))
    piece = tiny_arranger(score)
    assert piece.bars == 16
    assert len(piece.accompaniment) > 0


def test_notes_off_the_piano_are_kept_and_said(tiny_arranger):
    piece = tiny_arranger(one_track((0, QUARTER, 120, 80), (QUARTER, QUARTER, 5, 80)))
    assert piece.melody["pitch"].tolist() == [120, 5]
    assert "2 melody notes" in piece.remarks[0]


def test_only_drums_is_refused(tiny_arranger):
    with pytest.raises(NoMelodyError, match="drums"):
        tiny_arranger(one_track((0, 10, 40, 80), drum=True))


def test_polyphony_is_said(tiny_arranger):
    chord = [(beat * QUARTER, QUARTER, pitch, 80) for beat in range(8) for pitch in (48, 60, 64, 67 + beat)]
    piece = tiny_arranger(one_track(*chord, name=""))
    assert "top line" in piece.how_found
    assert piece.melody["pitch"].tolist() == [67 + beat for beat in range(8)]


def test_composing_gives_a_melody_within_its_bars(tiny_arranger):
    first, again = (tiny_arranger.compose(seed=2, bars=10, temperature=1.0, top_k=0, top_p=1.0) for _ in range(2))
    assert first.score.dumps_midi() == again.score.dumps_midi()
    assert len(first.melody) > 0
    ends = first.melody["onset_ms"] + first.melody["duration_ms"]
    assert ends.max() <= 10 * 4 * 600 + 1
    assert (ends[:-1] <= first.melody["onset_ms"][1:] + 1e-6).all()


@pytest.mark.parametrize("bpm", [40.0, 100.0, 180.0])
def test_composing_at_any_tempo_fills_the_bars_asked_for(tiny_arranger, bpm):
    piece = tiny_arranger.compose(seed=0, bars=12, bpm=bpm, temperature=1.0, top_k=0, top_p=1.0)
    assert piece.bars <= 12
    assert piece.seconds <= 12 * 4 * 60 / bpm + 0.01
    assert piece.score.tempos[0].qpm == pytest.approx(bpm, rel=1e-4)


@pytest.mark.parametrize(
    "bad", [{"style": "jazz"}, {"density": "huge"}, {"temperature": 0}, {"top_p": 2}, {"top_k": -1}, {"max_bars": 0}]
)
def test_bad_options_are_refused(bad):
    with pytest.raises(PianalysisError, match="expected"):
        Options(**bad)


def test_files_are_saved_whole_or_not_at_all(tiny_arranger, tmp_path):
    piece = tiny_arranger(EXAMPLES / "sakura.mid", max_bars=2)
    piece.save(tmp_path / "a.mid")
    assert note_rows(read_midi(tmp_path / "a.mid").tracks[0]) == note_rows(piece.score.tracks[0])
    with pytest.raises(PianalysisError, match="folder"):
        piece.save(tmp_path / "nowhere" / "a.mid")
    assert [path.name for path in tmp_path.iterdir()] == ["a.mid"]


BEGINNINGS = {"a.mid": b"MThd", "a.musicxml": b"<?xml", "a.XML": b"<?xml", "a.wav": b"RIFF", "a.png": b"\x89PNG"}


def test_a_file_is_what_its_name_says(tiny_arranger, tmp_path):
    piece = tiny_arranger(EXAMPLES / "sakura.mid", max_bars=2)
    for name, begins in BEGINNINGS.items():
        assert piece.save(tmp_path / name).read_bytes().startswith(begins)
    with pytest.raises(PianalysisError, match=r"expected a name that ends in .mid, .* found .mp3"):
        piece.save(tmp_path / "a.mp3")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(BEGINNINGS)


def test_unreadable_input_is_named(tiny_arranger, tmp_path):
    bad = tmp_path / "song.mid"
    bad.write_bytes(b"hello")
    with pytest.raises(MidiReadError, match=r"song\.mid"):
        tiny_arranger(bad)


def test_style_density_and_melody_reach_the_prompt(monkeypatch):
    arranger = Arranger(make_model("tiny"))
    prompts = []
    monkeypatch.setattr(arranger.engine, "continue_prompt", lambda prompt, *rest: prompts.append(prompt) or [])
    arranger(EXAMPLES / "ode_to_joy.mid", style="classical", density="high", structure=False)
    assert [prompt[:3] for prompt in prompts] == [[vocab.BOS, vocab.STYLE_CLASSICAL, vocab.DENSITY_HIGH]] * 3
    assert all(prompt[-1] == vocab.SEP for prompt in prompts)

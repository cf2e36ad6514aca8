"""Streamed or whole, one take or four: the same piece. And what a process imports for it."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from threading import Thread

import numpy as np
import pytest
import symusic
from conftest import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.arranging.arranger import Arranger, Options
from pianalysis.arranging.pieces import notes_in_ticks
from pianalysis.errors import PianalysisError
from pianalysis.music.midi import ms_to_ticks, read_midi
from pianalysis.music.notes import sort_notes

ODE = EXAMPLES / "ode_to_joy.mid"
FREE = Options(temperature=1.0, top_k=0, top_p=1.0)


def data(piece):
    return piece.score.dumps_midi()


def tune(metre, bpm, seed, bars=8):
    """A score of a pickup and some bars, on the grid of the clock, sixteenths or in fast tempi eighths, from each bar's line."""
    step = 120 if bpm < 125 else 240
    score = symusic.Score(480)
    score.tempos.append(symusic.Tempo(0, bpm))
    score.time_signatures.extend([symusic.TimeSignature(0, 1, 1920 // step), symusic.TimeSignature(step, *metre)])
    score.tracks.append(symusic.Track("Melody", 0, False))
    rng, bar = np.random.default_rng(seed), metre[0] * 1920 // metre[1]
    for line, end in pairwise([0, *(step + bar * index for index in range(bars + 1))]):
        onsets = [time for time in range(line, end, step) if time == line or rng.random() < 0.7]
        for onset, following in pairwise([*onsets, end]):
            score.tracks[0].notes.append(symusic.Note(onset, following - onset, int(rng.integers(60, 80)), 80))
    return score


def rows(piece):
    """The accompaniment in ticks, in the order of the file."""
    return [(note.time, note.duration, note.pitch, note.velocity) for note in piece.score.tracks[1].notes]


def joined(piece, parts):
    """What was given out, in its order, in the piece's ticks; each key let go where it is struck again."""
    notes = np.concatenate([fresh.notes for fresh in parts])
    assert (notes == sort_notes(notes)).all()
    return [(note.time, note.duration, note.pitch, note.velocity) for note in notes_in_ticks(piece.score, notes)]


@pytest.mark.parametrize("name", ["ode_to_joy", "greensleeves", "sakura"])
@pytest.mark.parametrize("seed", [0, 5])
def test_streamed_is_whole(tiny_arranger, name, seed):
    path = EXAMPLES / f"{name}.mid"
    stream = tiny_arranger.stream(path, seed=seed, options=FREE)
    parts = [*stream]
    whole = tiny_arranger(path, seed=seed, options=FREE)
    assert data(stream.piece) == data(whole)
    assert stream.piece.remarks == whole.remarks
    done = [fresh.bars_done for fresh in parts]
    assert done == sorted(set(done))
    assert done[-1] == whole.bars == parts[0].bars
    assert max(np.diff([0, *done])) <= 3  # no rest is longer than 2 s of clock time, a bar of 4/4
    assert joined(whole, parts) == rows(whole)


@given(
    st.integers(0, 99), st.sampled_from([(9, 8), (7, 8), (3, 8), (5, 16), (2, 4), (4, 4)]), st.sampled_from([100, 170])
)
@settings(max_examples=20)
def test_streamed_is_whole_where_bars_hold_no_whole_beats(tiny_arranger, seed, metre, bpm):
    stream = tiny_arranger.stream(tune(metre, bpm, seed, bars=5), seed=seed, options=FREE)
    assert stream.bars == 6  # a pickup first
    parts = [*stream]
    assert stream.piece.source.on_grid
    assert joined(stream.piece, parts) == rows(stream.piece)


@pytest.mark.parametrize("style", ["pop", "classical"])
def test_streamed_is_whole_with_the_bundled_model(small_arranger, style):
    stream = small_arranger.stream(EXAMPLES / "greensleeves.mid", seed=1, style=style, max_bars=12)
    parts = [*stream]
    assert joined(stream.piece, parts) == rows(stream.piece)


def test_of_a_hymn_nothing_changes_but_that_a_chord_ends_with_the_next(small_arranger):
    stream = small_arranger.stream(ODE, seed=0, style="hymn")
    parts = [*stream]
    before, after = np.array(joined(stream.piece, parts)), np.array(rows(stream.piece))
    np.testing.assert_array_equal(before[:, [0, 2, 3]], after[:, [0, 2, 3]])
    assert (before[:, 1] >= after[:, 1]).all()
    cut = before[:, 1] > after[:, 1]  # by a chord of a later bar, which wasn't known
    lines = ms_to_ticks(stream.piece.score, stream.bar_lines_ms)
    assert (
        np.searchsorted(lines, after.sum(axis=1, where=[True, True, False, False]), side="right")
        > np.searchsorted(lines, after[:, 0], side="right")
    )[cut].all()


def test_notes_lie_in_the_bars_that_they_are_given_out_with(tiny_arranger):
    stream = tiny_arranger.stream(EXAMPLES / "greensleeves.mid", options=FREE)
    before = 0
    for fresh in stream:
        lines = stream.bar_lines_ms
        onsets = fresh.notes["onset_ms"]
        assert (onsets > lines[before] - 0.01).all()
        assert (onsets < lines[fresh.bars_done] - 0.0001).all()
        before = fresh.bars_done


def test_what_is_known_is_there_before_the_first_note(tiny_arranger):
    stream = tiny_arranger.stream(ODE, max_bars=4)
    whole = tiny_arranger(ODE, max_bars=4)
    assert (stream.how_found, stream.remarks, stream.bars) == (whole.how_found, whole.remarks, 4)
    np.testing.assert_array_equal(stream.melody, whole.melody)
    np.testing.assert_array_equal(stream.bar_lines_ms, whole.bar_lines_ms)
    assert stream.bars_done == 0
    with pytest.raises(PianalysisError):
        tiny_arranger.stream(ODE, density="huge")
    with pytest.raises(FileNotFoundError):
        tiny_arranger.stream("nowhere.mid")


@pytest.mark.parametrize("steps", [0, 1, 2, 5, 9])
def test_stopped_anywhere_it_is_a_shorter_piece_and_can_go_on(tiny_arranger, steps):
    whole = tiny_arranger(ODE, options=FREE)
    stream = tiny_arranger.stream(ODE, options=FREE)
    parts = [next(stream) for _ in range(steps)]
    piece = stream.piece
    assert not steps or joined(piece, parts) == rows(piece)
    melody = [(note.time, note.duration, note.pitch, note.velocity) for note in read_midi(ODE).tracks[0].notes]
    written = read_midi(data(piece)) if steps else piece.score
    assert [(n.time, n.duration, n.pitch, n.velocity) for n in written.tracks[0].notes] == melody
    count = len(piece.accompaniment)
    np.testing.assert_array_equal(
        piece.accompaniment[["onset_ms", "pitch"]], whole.accompaniment[["onset_ms", "pitch"]][:count]
    )
    assert piece.remarks[-1] == f"stopped after {stream.bars_done} of 16 bars"
    for _ in stream:
        pass
    assert data(stream.piece) == data(whole)


def test_cancelled_from_another_thread_it_ends(tiny_arranger):
    stream = tiny_arranger.stream(ODE, options=FREE)
    seen = []
    reader = Thread(target=lambda: seen.extend(stream))
    next(stream)
    stream.cancel()
    reader.start()
    reader.join(10)
    assert not reader.is_alive()
    assert seen == []
    assert 0 < stream.bars_done < stream.bars
    assert len(stream.piece.melody) == len(stream.melody)


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("workers", [1, 2])
def test_each_take_is_the_piece_of_its_seed(tiny_model, precision, workers):
    arranger = Arranger(tiny_model, precision=precision)
    seeds, bars = [3, 4, 5, 9], []
    report = lambda done, total: bars.append((done, total))  # noqa: E731
    takes = arranger.takes(ODE, seeds=seeds, options=FREE, workers=workers, progress=report, max_bars=8)
    assert [take.seed for take in takes] == seeds
    assert [data(take) for take in takes] == [
        data(arranger(ODE, seed=seed, options=FREE, max_bars=8)) for seed in seeds
    ]
    assert len({data(take) for take in takes}) == 4
    assert bars[-1] == (8, 8)
    assert all(first <= second for first, second in pairwise(bars))


def test_no_seeds_no_takes(tiny_arranger):
    assert tiny_arranger.takes(ODE, seeds=[]) == []


def test_with_the_bundled_model_too(small_arranger):
    takes = small_arranger.takes(ODE, seeds=range(2), max_bars=5)
    assert [data(take) for take in takes] == [data(small_arranger(ODE, seed=seed, max_bars=5)) for seed in range(2)]


def test_arranging_imports_no_more_than_it_needs(tmp_path):
    """`transformers` alone would take longer than the piece."""
    code = (
        "import sys; from pianalysis.cli.main import main; "
        f"code = main(['arrange', {str(ODE)!r}, '-o', 'out.mid', '--max-bars', '1']); "
        "heavy = {'transformers', 'datasets', 'matplotlib', 'accelerate', 'tokenizers', 'gradio', 'soundfile', 'pandas'}; "
        "assert code == 0 and not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)
    code = "import sys, pianalysis.cli.main, pianalysis.arranging.arranger; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)

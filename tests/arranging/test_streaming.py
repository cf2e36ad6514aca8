"""Streamed or whole, one take or four: the same piece. And what a process imports for it."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from threading import Thread

import numpy as np
import pytest
from conftest import EXAMPLES

from pianalysis.arranging.arranger import Arranger, Options
from pianalysis.errors import PianalysisError
from pianalysis.music.midi import read_midi

ODE = EXAMPLES / "ode_to_joy.mid"
FREE = Options(temperature=1.0, top_k=0, top_p=1.0)


def data(piece):
    return piece.score.dumps_midi()


@pytest.mark.parametrize("name", ["ode_to_joy", "greensleeves", "sakura"])
@pytest.mark.parametrize("seed", [0, 5])
def test_streamed_is_whole(tiny_arranger, name, seed):
    path = EXAMPLES / f"{name}.mid"
    stream = tiny_arranger.stream(path, seed=seed, options=FREE)
    given = [*stream]
    whole = tiny_arranger(path, seed=seed, options=FREE)
    assert data(stream.piece) == data(whole)
    assert stream.piece.remarks == whole.remarks
    done = [fresh.bars_done for fresh in given]
    assert done == sorted(set(done))
    assert done[-1] == whole.bars == given[0].bars
    assert max(np.diff([0, *done])) <= 3  # no rest is longer than 2 s of clock time, a bar of 4/4
    notes = np.concatenate([fresh.notes for fresh in given])
    tick_ms = 60_000 / min(tempo.qpm for tempo in whole.score.tempos) / whole.score.tpq
    assert len(notes) == len(whole.accompaniment)
    # what was snapped onto the next bar's line is given out with its own bar, before that line's lower keys
    notes = notes[np.lexsort((notes["pitch"], np.round(notes["onset_ms"] / tick_ms)))]
    np.testing.assert_array_equal(notes["pitch"], whole.accompaniment["pitch"])
    np.testing.assert_allclose(notes["onset_ms"], whole.accompaniment["onset_ms"], atol=tick_ms)
    # shorter where a key is struck again later; longer by the step from one grid to another, where a beat that begins just
    # before a bar line is snapped to triplets once more of it is known
    longer = whole.accompaniment["duration_ms"] - notes["duration_ms"]
    assert (longer <= tick_ms * whole.score.tpq / 6).all()
    assert (longer > 2 * tick_ms).mean() < 0.02


def test_notes_lie_in_the_bars_that_they_are_given_out_with(tiny_arranger):
    stream = tiny_arranger.stream(EXAMPLES / "greensleeves.mid", options=FREE)
    before = 0
    for fresh in stream:
        lines = stream.bar_lines_ms
        onsets = fresh.notes["onset_ms"]
        assert (onsets >= lines[before] - 40).all()  # snapping moves by less
        assert (onsets < lines[fresh.bars_done] + 40).all()
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
    for _ in range(steps):
        next(stream)
    piece = stream.piece
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
    takes = arranger.takes(ODE, seeds=seeds, options=FREE, workers=workers, progress=report)
    assert [take.seed for take in takes] == seeds
    assert [data(take) for take in takes] == [data(arranger(ODE, seed=seed, options=FREE)) for seed in seeds]
    assert len({data(take) for take in takes}) == 4
    assert bars[-1] == (16, 16)
    assert all(first <= second for first, second in pairwise(bars))


def test_no_seeds_no_takes(tiny_arranger):
    assert tiny_arranger.takes(ODE, seeds=[]) == []


def test_with_the_bundled_model_too():
    arranger = Arranger.from_pretrained()
    takes = arranger.takes(ODE, seeds=range(2), max_bars=5)
    assert [data(take) for take in takes] == [data(arranger(ODE, seed=seed, max_bars=5)) for seed in range(2)]


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

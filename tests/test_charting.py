"""A model that plays chords is given a chart, and the piece shows it."""

from pathlib import Path

import numpy as np
import pytest

from pianalysis import vocab
from pianalysis.arranger import Arranger
from pianalysis.charting import held_chords
from pianalysis.harmony.beats import beat_grid
from pianalysis.harmony.chart import Chart
from pianalysis.harmony.symbols import NO_CHORD
from pianalysis.model import make_model
from pianalysis.notes import PianalysisError

TUNE = Path(__file__).parents[1] / "space" / "examples" / "ode_to_joy.mid"


@pytest.fixture(scope="module")
def arranger():
    model = make_model("tiny", seed=0).eval()
    model.config.plays_chords = model.config.normalises_key = True
    return Arranger(model)


def prompts_of(arranger, monkeypatch):
    """Keeps the prompts that an arranger's engine is given."""
    prompts = []
    given = arranger.engine.continue_prompt

    def keep(prompt, *args):
        prompts.append(list(prompt))
        return given(prompt, *args)

    monkeypatch.setattr(arranger.engine, "continue_prompt", keep)
    return prompts


def test_every_window_is_written_from_its_part_of_the_chart(arranger, monkeypatch):
    prompts = prompts_of(arranger, monkeypatch)
    piece = arranger(TUNE, max_bars=12)
    assert len(prompts) > 1
    assert all(prompt.count(vocab.SEP) == 2 for prompt in prompts)
    assert len(piece.accompaniment)
    assert piece.chart is not None
    assert len(piece.chart.chords) >= 48
    first = prompts[0].index(vocab.SEP) + 1
    assert prompts[0][first] == vocab.TIME_IDS.start
    bass = piece.chart.transposed(piece.source.shift).chords[0].bass
    assert prompts[0][first + 1] == vocab.CHORD_BASS_IDS.start + bass


def test_the_chart_is_in_the_melodys_own_key(arranger):
    """A melody moved up moves its chart, though the model reads both in one key."""
    from pianalysis.notes import read_midi

    score = read_midi(TUNE)
    higher = score.shift_pitch(2)
    low, high = (arranger(item, max_bars=4).chart for item in (score, higher))
    assert high.chords == low.transposed(2).chords


def test_streamed_alone_or_beside_others_it_is_the_same_piece(arranger):
    alone = arranger(TUNE, max_bars=8, seed=1)
    beside = arranger.takes(TUNE, seeds=[0, 1], max_bars=8)[1]
    assert np.array_equal(alone.accompaniment, beside.accompaniment)
    assert alone.chart.chords == beside.chart.chords


def test_what_is_regenerated_keeps_the_chart(arranger, monkeypatch):
    piece = arranger(TUNE, max_bars=8)
    other = arranger.regenerate(piece, (3, 4), seed=5)
    assert other.chart.chords == piece.chart.chords
    assert arranger.distance(other) > 0


def test_a_model_without_chords_is_given_none(tiny_arranger, monkeypatch):
    prompts = prompts_of(tiny_arranger, monkeypatch)
    assert tiny_arranger(TUNE, max_bars=4).chart is None
    assert prompts[0].count(vocab.SEP) == 1


def test_held_chords_are_cores_with_their_bass():
    beats = beat_grid([0, 2000, 4000], (4, 4))
    chart = Chart.from_text("C9 F/G | N.C. ?", bar_lines=[0, 2000, 4000], beats=beats.borders_ms)
    c7, f_over_g, *none = held_chords(chart)
    assert (c7.start_ms, c7.bass, c7.tones) == (0.0, 0, (0, 4, 7, 10))
    assert (f_over_g.start_ms, f_over_g.bass, f_over_g.tones) == (1000.0, 7, (0, 5, 9))
    assert all((held.bass, held.tones) == (-1, ()) for held in none)
    assert NO_CHORD in chart.chords


def test_a_model_that_never_saw_hymns_says_so(tiny_arranger, arranger):
    with pytest.raises(PianalysisError, match="trained without hymns"):
        tiny_arranger(TUNE, style="hymn")
    assert arranger(TUNE, style="hymn", max_bars=2).style == "hymn"

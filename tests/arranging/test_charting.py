"""A model that plays chords is given a chart, and the piece shows it."""

from itertools import pairwise

import numpy as np
import pytest
import symusic
from conftest import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays, simple_score

from pianalysis.arranging.arranger import Arrangement, Arranger
from pianalysis.arranging.charting import EARLY_MS, chart_of, held_chords, let_go, likeliest_style, with_returns
from pianalysis.arranging.pieces import prepare
from pianalysis.errors import PianalysisError
from pianalysis.harmony.beats import beat_grid
from pianalysis.harmony.chart import Chart
from pianalysis.harmony.symbols import NO_CHORD
from pianalysis.model.gpt2 import make_model
from pianalysis.tokens import vocab
from pianalysis.tokens.windows import HeldChord

TUNE = EXAMPLES / "ode_to_joy.mid"


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
    from pianalysis.music.midi import read_midi

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


@pytest.mark.parametrize("tune", ["ah_vous_dirai_je", "lieber_augustin", "silent_night"])
@pytest.mark.parametrize("seed", [None, 0, 3])
def test_where_the_melody_returns_its_chords_do(tune, seed):
    source = prepare(EXAMPLES / f"{tune}.mid", None, None)
    assert source.earlier_bars
    chart, lines = chart_of(source, "pop", seed=seed), source.clock.bar_lines

    def bar(number):
        return [chart.at(ms) for ms in np.arange(lines[number], lines[number + 1], 250.0)]

    for number, earlier in source.earlier_bars.items():
        assert bar(number) == [chord.transposed(earlier.shift) for chord in bar(earlier.bar)]
    assert with_returns(chart, source) == chart
    assert chart_of(source, "pop", seed=seed) == chart


def test_seeds_have_charts_of_their_own():
    source = prepare(EXAMPLES / "new_world_largo.mid", None, None)
    assert len({chart_of(source, "classical", seed=seed) for seed in range(6)}) > 1


@given(note_arrays(), st.lists(st.tuples(st.integers(1, 8), st.sampled_from([(), (0, 4, 7), (2, 7, 11)])), max_size=8))
def test_letting_go_only_shortens_and_leaves_chord_tones(notes, spans):
    chords, start = [], 0.0
    for quarters, tones in spans:
        chords.append(HeldChord(start, start + 500 * quarters, tones[0] if tones else -1, tones))
        start += 500 * quarters
    shorter = let_go(notes, chords)
    assert (shorter["duration_ms"] <= notes["duration_ms"]).all()
    assert ((shorter["duration_ms"] > 0) | (shorter["duration_ms"] == notes["duration_ms"])).all()
    for old, new in zip(notes, shorter, strict=True):
        if old["duration_ms"] != new["duration_ms"]:
            end = new["onset_ms"] + new["duration_ms"]
            (begun,) = [chord for chord in chords if chord.start_ms == pytest.approx(end)]
            assert begun.tones
            assert old["pitch"] % 12 not in begun.tones
            assert old["onset_ms"] < begun.start_ms - EARLY_MS


class Ear:
    """An engine that finds melodies and chords of one style likelier than others'."""

    max_length = 2048

    def __init__(self, style):
        self.style = vocab.STYLES[style]
        self.heard = []

    def likelihood(self, ids, start):
        self.heard.append((list(ids), start))
        return (10.0 if ids[1] == self.style else 20.0), 0.0


@pytest.mark.parametrize("style", [*vocab.STYLES])
def test_the_style_is_the_one_that_melody_and_chart_are_likeliest_in(style):
    source = prepare(TUNE, None, None)
    ear = Ear(style)
    assert likeliest_style(ear, source, vocab.STYLES, chart_of(source, vocab.AUTO)) == style
    for ids, start in ear.heard:
        assert ids.count(vocab.SEP) == 2  # the melody and the chords, nothing after them
        assert ids[-1] == vocab.SEP
        assert start == 3  # after <bos>, style and density, which are given


def test_the_style_that_was_chosen_is_in_the_piece(arranger):
    piece = arranger(TUNE, max_bars=4)
    assert piece.options.style in vocab.STYLES
    asked = arranger(TUNE, max_bars=4, style=piece.options.style)
    assert asked.score.dumps_midi() == piece.score.dumps_midi()
    assert arranger.compose(seed=1, bars=4).options.style == "pop"


def test_what_it_takes_to_write_it_again_is_in_the_file(arranger, tmp_path):
    piece = arranger(TUNE, max_bars=4, seed=7, style="hymn")
    assert piece.precision == arranger.engine.precision
    assert piece.about.endswith(f"style hymn, seed 7, {piece.precision}")
    saved = symusic.Score(piece.save(tmp_path / "piece.mid"))
    first, title, *chords = saved.markers
    assert (first.time, first.text) == (0, piece.about)
    assert title.text == "Ode to Joy"  # the melody's file has it
    assert [mark.text for mark in chords] == [span.chord.symbol(piece.chart.key()) for span in piece.chart.spans]
    assert Arrangement.read(tmp_path / "piece.mid").chart == piece.chart


def test_a_pieces_chords_are_in_real_time(arranger):
    """At 96 bpm in 3/4, two bars are 3,750 ms; on the clock 3,000."""
    score = simple_score([(quarter, 1, 60 + 4 * (quarter % 3)) for quarter in range(12)], bpm=96, metre=(3, 4))
    piece = arranger(score, max_bars=2)
    assert (piece.chords[0].onset_ms, piece.chords[-1].end_ms) == pytest.approx((0.0, 3750.0))
    assert all(first.end_ms == second.onset_ms for first, second in pairwise(piece.chords))
    assert [span.chord for span in piece.chords] == [span.chord for span in piece.chart.between(0, 3000)]

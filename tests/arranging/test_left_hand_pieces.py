"""A whole piece over a figure, with the bundled model: the figure is in it, the right hand adds to it, and all else goes on as before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st
from test_streaming import FREE, joined, tune
from test_streaming import rows as in_ticks

from pianalysis.arranging.arranger import Arranger, Options
from pianalysis.arranging.figures import read_figures
from pianalysis.arranging.writing import write_together
from pianalysis.cli.main import main
from pianalysis.errors import PianalysisError
from pianalysis.music.midi import read_midi

ODE = EXAMPLES / "ode_to_joy.mid"


def left(arranger, path, seed, **asked):
    """A take that is written, the rows of its figure as they are played, and all rows of the piece."""
    (take,) = arranger._takes(path, [seed], None, None, Options(), asked)
    list(write_together(arranger.engine, [take]))
    figure = take.plan._left_hand.notes.copy()
    real = take.source.clock.notes_to_real(figure)
    return take.piece, rows(real), rows(take.piece.accompaniment)


def rows(notes):
    return {(round(onset, -1), pitch) for onset, _, pitch, _ in notes.tolist()}


@pytest.mark.parametrize(
    ("name", "bars", "asked"),
    [
        ("ode_to_joy", 4, {"left_hand": "alberti", "style": "pop"}),
        ("greensleeves", 6, {"left_hand": "waltz", "style": "classical", "density": "low"}),
        ("amazing_grace", 8, {"left_hand": "ballad,5-8:stride"}),
        ("irish_washerwoman", 10, {"left_hand": "root-fifth"}),
    ],
)
def test_the_figure_is_in_the_piece_and_the_right_hand_adds_to_it(bundled_arranger, small_arranger, name, bars, asked):
    arranger = bundled_arranger if name == "ode_to_joy" else small_arranger
    piece, figure, played = left(arranger, EXAMPLES / f"{name}.mid", 1, max_bars=bars, **asked)
    assert len(figure) > 15
    assert figure <= played
    assert len(played - figure) >= piece.bars / 3
    assert min(pitch for _, pitch in played - figure) >= 50
    stream = arranger.stream(EXAMPLES / f"{name}.mid", seed=1, max_bars=bars, **asked)
    for _ in stream:
        pass
    assert stream.piece.score.dumps_midi() == piece.score.dumps_midi()


@pytest.fixture(scope="module")
def with_chords(tiny_model):
    """A random model that is given chords, and writes whatever the grammar allows."""
    arranger = Arranger(tiny_model)
    arranger.engine.weights = replace(arranger.engine.weights, plays_chords=True, normalises_key=True)
    return arranger


METRES = [(3, 4), (5, 4), (6, 8), (9, 8), (12, 8), (7, 8), (3, 8), (5, 16), (2, 2)]


@given(st.integers(0, 99), st.sampled_from(METRES), st.sampled_from([50, 100, 170]), st.sampled_from([*read_figures()]))
@settings(max_examples=10)
def test_streamed_is_whole_in_any_metre(with_chords, seed, metre, bpm, name):
    asked = {"options": FREE, "style": "pop", "left_hand": f"{name},4:auto", "seed": seed, "ending": "none"}
    stream = with_chords.stream(tune(metre, bpm, seed, bars=5), **asked)
    parts = [*stream]
    assert joined(stream.piece, parts) == in_ticks(stream.piece)
    take = stream._take
    figure = take.source.clock.notes_to_real(take.plan._left_hand.notes)
    step = 30 * 100 / bpm * max(1.0, bpm / 125)  # a step of the clock's grid, and a little, in real ms
    for onset, _, pitch, _ in figure.tolist():
        near = stream.piece.accompaniment[stream.piece.accompaniment["pitch"] == pitch]
        assert np.abs(near["onset_ms"] - onset).min() <= 2 * step


def test_bars_that_return_are_played_again_figure_and_all(bundled_arranger):
    piece, _, _ = left(bundled_arranger, ODE, 0, left_hand="alberti", style="pop", max_bars=8)
    first = piece.source.earlier_bars
    same = [bar for bar in first if first[bar].shift == 0 and bar < 8]
    assert same

    def bar_rows(bar):
        begin, end = piece.bar_lines_ms[[bar, bar + 1]] - 5
        notes = piece.accompaniment[
            (piece.accompaniment["onset_ms"] >= begin) & (piece.accompaniment["onset_ms"] < end)
        ]
        return sorted((round(onset - begin), pitch) for onset, _, pitch, _ in notes.tolist())

    chords = [piece.chart.between(*piece.source.clock.bar_lines[[bar, bar + 1]]) for bar in range(8)]
    symbols = [[span.chord for span in bar] for bar in chords]
    alike = [bar for bar in same if symbols[bar] == symbols[first[bar].bar]]
    assert alike
    assert all(bar_rows(bar) == bar_rows(first[bar].bar) for bar in alike)


def test_some_bars_are_written_anew_over_a_figure(small_arranger):
    piece = small_arranger(ODE, seed=0, max_bars=8, style="pop")
    for keep in (None, "right"):
        new = small_arranger.regenerate(piece, (3, 6), seed=2, left_hand="octaves", style="pop", keep=keep)
        edges = piece.bar_lines_ms[[2, 6]] - 5
        inside = (new.accompaniment["onset_ms"] >= edges[0]) & (new.accompaniment["onset_ms"] < edges[1])
        old = (piece.accompaniment["onset_ms"] >= edges[0]) & (piece.accompaniment["onset_ms"] < edges[1])
        np.testing.assert_array_equal(new.accompaniment[~inside], piece.accompaniment[~old])
        low = new.accompaniment[inside & (new.accompaniment["pitch"] < 50)]
        onsets, counts = np.unique(low["onset_ms"].round(), return_counts=True)
        assert len(onsets) >= 8
        assert (counts >= 2).mean() > 0.5 or keep  # octaves
    with pytest.raises(PianalysisError, match="either the left hand's notes kept or a figure"):
        small_arranger.regenerate(piece, (3, 6), keep="left", left_hand="octaves")


def test_what_can_not_be_is_said(bundled_arranger, tiny_arranger):
    with pytest.raises(PianalysisError, match="'waltz': a hymn's left hand sings tenor and bass; choose the style"):
        bundled_arranger(ODE, style="hymn", left_hand="waltz")
    with pytest.raises(PianalysisError, match="'waltz': figures are made of chords, and this model knows none"):
        tiny_arranger(ODE, left_hand="waltz")


def test_on_the_command_line(tmp_path, capsys):
    figures = tmp_path / "mine.toml"
    figures.write_text('[tango]\n"4/4" = "1 . . 5 8 . 5 ."\n', encoding="utf-8")
    asked = ["--figures", str(figures), "--left-hand", "tango", "--left-hand", "3:auto", "--max-bars", "4"]
    assert main(["arrange", str(ODE), "-o", str(tmp_path / "full.mid"), *asked]) == 0
    assert len(read_midi(tmp_path / "full.mid").tracks[1].notes) > 8
    assert main(["arrange", str(ODE), "-o", str(tmp_path / "no.mid"), "--left-hand", "polka"]) == 2
    assert "expected a left hand of ['auto', 'block'" in capsys.readouterr().err

"""Density, register and dynamics do what they say, on the bundled model where that is the point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.arranging.arranger import Arranger, Options
from pianalysis.errors import PianalysisError
from pianalysis.music.midi import read_midi
from pianalysis.music.notes import make_notes
from pianalysis.music.typed import pitch_of

ODE = EXAMPLES / "ode_to_joy.mid"
SEEDS = range(2)
MELODIES = [EXAMPLES / f"{name}.mid" for name in ("ode_to_joy", "greensleeves")]


def notes_a_bar(pieces, first, last):
    """The mean of the pieces, bars counted from 1."""
    return np.mean(
        [
            (
                (piece.accompaniment["onset_ms"] >= piece.bar_lines_ms[first - 1])
                & (piece.accompaniment["onset_ms"] < piece.bar_lines_ms[last])
            ).sum()
            / (last - first + 1)
            for piece in pieces
        ]
    )


def test_low_is_thinner_than_mid_and_mid_than_high(small_arranger):
    low, mid, high = (
        np.mean(
            [
                notes_a_bar(small_arranger.takes(path, seeds=SEEDS, density=word, style="pop", max_bars=8), 1, 8)
                for path in MELODIES
            ]
        )
        for word in ("low", "mid", "high")
    )
    assert low * 1.25 < mid
    assert mid * 1.2 < high


def test_some_bars_are_thicker(small_arranger):
    asked = {"seeds": SEEDS, "density": "low,9-16:high", "style": "pop", "structure": False, "max_bars": 16}
    of_each = [small_arranger.takes(path, **asked) for path in MELODIES]
    thin, thick = (np.mean([notes_a_bar(pieces, *bars) for pieces in of_each]) for bars in ((1, 8), (9, 16)))
    assert thin * 1.3 < thick
    pieces = of_each[0]
    same = small_arranger(ODE, seed=0, density="low", style="pop", max_bars=8, structure=False)
    np.testing.assert_array_equal(
        pieces[0].accompaniment["pitch"][: len(same.accompaniment)], same.accompaniment["pitch"]
    )


def test_each_bar_is_written_under_its_own_density(tiny_arranger, monkeypatch):
    asked = []
    original = tiny_arranger.engine.continue_prompts
    monkeypatch.setattr(
        tiny_arranger.engine,
        "continue_prompts",
        lambda jobs, *more: (
            asked.extend((job.prompt[2], job.state.limits.first_ms, job.state.limits.length_ms) for job in jobs)
            or original(jobs, *more)
        ),
    )
    tiny_arranger(ODE, density="low,3-4:high,12:mid", max_bars=13, structure=False)
    assert asked == [
        *((5, 0, 4_000), (7, 4_000, 8_000), (5, 8_000, 16_000)),  # bars 1–2, 3–4, 5–8
        *((5, 8_000, 14_000), (6, 8_000, 10_000), (5, 8_000, 10_000)),  # 9–11, 12, 13
    ]


@pytest.mark.parametrize("text", ["", "huge", "low,", "9-16:", "0-4:low", "8-4:low", "3:4:low", "mid;low"])
def test_a_density_that_is_none_is_shown(text):
    with pytest.raises(PianalysisError, match="expected a density"):
        Options(density=text)


@pytest.fixture(scope="module")
def in_c(tiny_model):
    """An arranger that moves melodies to C major."""
    arranger = Arranger(tiny_model)
    arranger.engine.weights = replace(arranger.engine.weights, normalises_key=True)
    return arranger


@given(st.integers(21, 96), st.integers(12, 40), st.integers(-6, 5), st.integers(0, 3))
@settings(max_examples=25)
def test_no_key_outside_those_asked_for(tiny_arranger, in_c, lowest, width, transposition, seed):
    score = read_midi(ODE)
    for note in score.tracks[0].notes:
        note.pitch += transposition
    highest = min(lowest + width, 108)
    arranger = in_c if seed % 2 else tiny_arranger
    piece = arranger(score, seed=seed, lowest=lowest, highest=highest, max_bars=3, temperature=1.0, top_k=0, top_p=1.0)
    assert len(piece.accompaniment)
    assert lowest <= piece.accompaniment["pitch"].min()
    assert piece.accompaniment["pitch"].max() <= highest


@pytest.mark.parametrize("keys", [(60, 71), (20, 60), (60, 109), (80, 60)])
def test_no_room_for_an_accompaniment_is_said(keys):
    with pytest.raises(PianalysisError, match="at least an octave"):
        Options(lowest=keys[0], highest=keys[1])


def test_louder_is_louder_and_the_notes_are_the_same(small_arranger):
    pieces = [
        small_arranger(ODE, seed=1, max_bars=4, style="pop", dynamics=value) for value in (-1.0, -0.5, 0.0, 0.5, 1.0)
    ]
    means = [piece.accompaniment["velocity"].mean() for piece in pieces]
    assert min(np.diff(means)) > 5
    for piece in pieces:
        np.testing.assert_array_equal(
            piece.accompaniment[["onset_ms", "duration_ms", "pitch"]],
            pieces[2].accompaniment[["onset_ms", "duration_ms", "pitch"]],
        )


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_accents_stay_accents(first, second):
    low, high = sorted((first, second))
    notes = make_notes((step, 1, 60, velocity) for step, velocity in enumerate(range(1, 128)))
    softer, louder = (Options(dynamics=value).played(notes)["velocity"] for value in (low, high))
    assert (softer <= louder).all()
    assert (np.diff(softer) >= 0).all()
    assert softer.min() >= 1
    assert louder.max() <= 127


def test_keys_have_names():
    assert [pitch_of(text) for text in ("C2", "Bb3", "f#5", "108")] == [36, 58, 78, 108]
    for text in ("H2", "C", "C4/4", "R", "900000"):
        with pytest.raises(PianalysisError, match="expected"):
            pitch_of(text)

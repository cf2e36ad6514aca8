from __future__ import annotations

import numpy as np
import pytest
from conftest import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays
from transformers import GPT2LMHeadModel

from pianalysis import Arranger, vocab
from pianalysis.guidance import (
    CLEAR_FROM_PITCH,
    HarmonyGuidance,
    both,
    clearance,
    count_degrees,
    degrees_of,
    fit_intervals,
    fit_scale,
    melody_shares,
)
from pianalysis.metrics import pitch_consonance_score
from pianalysis.model import load_model, save_model
from pianalysis.notes import PianalysisError, make_notes
from pianalysis.run_checks import RunOptions, starting_model
from pianalysis.weights import BUNDLED, read_weights

NAMES = ("ode_to_joy", "greensleeves", "lieber_augustin", "amazing_grace")

C_THEN_E = make_notes([(0, 500, 72, 96), (500, 1_000, 76, 96)])
"""C for a quarter, then E for a half."""


@given(note_arrays())
def test_shares_are_shares_and_counts_are_of_notes_that_the_melody_covers(notes):
    shares = melody_shares(notes)
    assert shares.shape == (640, 12)
    total = shares.sum(axis=1)
    assert (np.isclose(total, 1) | (total == 0)).all()
    counts = count_degrees(notes, notes)
    assert 0 <= counts.sum() <= len(notes) + 1e-9


def test_shares_by_hand():
    shares = melody_shares(C_THEN_E)
    assert shares[0, [0, 4]] == pytest.approx([0.5, 0.5])  # a second ahead: C for 500 ms, E for 500
    assert shares[10, [0, 4]] == pytest.approx([0.25, 0.75])
    assert shares[20, [0, 4]] == pytest.approx([0, 1])
    assert shares[59, 4] == 1
    assert not shares[60:].any()


def test_counts_by_hand():
    # An A under C and then E, half a second each; a C under E alone.
    below = make_notes([(0, 500, 57, 64), (500, 500, 48, 64), (2_000, 500, 48, 64)])
    expected = np.zeros((12, 12))
    expected[0, 9], expected[4, 9], expected[4, 0] = 0.5, 0.5, 1
    assert count_degrees(C_THEN_E, below) == pytest.approx(expected)
    higher, lower = C_THEN_E.copy(), below.copy()
    higher["pitch"] += 2
    lower["pitch"] += 2
    assert count_degrees(higher, lower, shift=-2) == pytest.approx(expected)


def test_bias_by_hand():
    degrees = np.zeros((12, 12))
    degrees[4, [0, 5]] = 1, -2  # in C major, under an E a C is welcome, an F isn't
    degrees[0, 8] = -3  # nor under a C an A flat
    guidance = HarmonyGuidance(2.0, {"pop": degrees.tolist()})
    bias = guidance.pitch_bias(C_THEN_E, "pop")
    assert bias.shape == (640, 88)
    at = lambda step, pitch: bias[step, pitch - vocab.LOWEST_PITCH]  # noqa: E731
    assert at(20, 60) == pytest.approx(2)  # C under E
    assert at(20, 65) == pytest.approx(-4)  # F under E
    assert at(0, 60) == pytest.approx(1)  # half of the time ahead
    assert at(0, 56) == pytest.approx(0.5 * -6)  # A flat under C, half of the time
    assert at(60, 60) == 0
    assert at(20, 48) == at(20, 84) == at(20, 60)
    assert guidance.pitch_bias(C_THEN_E, "pop", 1.0) == pytest.approx(bias / 2)
    assert guidance.pitch_bias(C_THEN_E, "pop", 0.0) is None
    assert guidance.pitch_bias(C_THEN_E, "classical") is None
    assert guidance.pitch_bias(make_notes(), "pop") is None


@given(note_arrays(), st.integers(-6, 5))
def test_in_another_key_the_bias_is_the_same_moved(melody, shift):
    degrees = np.random.default_rng(0).normal(size=(12, 12)).tolist()
    guidance = HarmonyGuidance(1.0, {"pop": degrees})
    melody = melody[(melody["pitch"] > 40) & (melody["pitch"] < 90)]
    moved = melody.copy()
    moved["pitch"] -= shift
    here, there = guidance.pitch_bias(melody, "pop"), guidance.pitch_bias(moved, "pop", shift=shift)
    if len(melody):
        np.testing.assert_allclose(there[:, 6:80], here[:, 6 + shift : 80 + shift], atol=1e-5)


@given(note_arrays(), note_arrays())
def test_what_people_and_the_model_play_alike_asks_for_nothing(melody, below):
    counts = count_degrees(melody, below)
    assert fit_intervals(counts, counts) == pytest.approx(np.zeros(12))
    assert fit_scale(counts, counts) == pytest.approx(np.zeros(12))


def test_fits_by_hand():
    human, model = np.zeros((2, 12, 12))
    human[4, [0, 4]], model[4, [0, 4]] = (395, 195), (195, 395)  # C and E under an E: a third and a unison
    assert fit_intervals(human, model)[[4, 0, 1]] == pytest.approx([np.log(2), -np.log(2), 0])
    assert fit_scale(human, model)[[0, 4, 1]] == pytest.approx([np.log(2), -np.log(2), 0])
    intervals, scale = np.arange(12.0), np.arange(12.0) / 100
    assert degrees_of(intervals, scale)[0, 9] == pytest.approx(3.09)  # an A under a C: a minor third
    assert degrees_of(intervals, scale)[4, 0] == pytest.approx(4.0)


def test_clearance_by_hand():
    low = make_notes([(0, 500, 72, 96), (500, 500, 50, 96)])
    bias = clearance(low, 2.0)
    at = lambda step, pitch: bias[step, pitch - vocab.LOWEST_PITCH]  # noqa: E731
    assert (at(0, 72), at(0, 73), at(0, 108), at(0, 71)) == (-10, -5, -5, 0)
    assert (at(19, 73), at(20, 72)) == (-5, 0)
    assert (at(20, 50), at(20, 51)) == (-10, 0)  # under a low melody there's no room for two hands
    assert not bias[40:].any()
    assert clearance(low, 0) is None
    assert clearance(make_notes()) is None
    assert both(bias, None) is both(None, bias) is bias
    assert (both(bias, bias) == 2 * bias).all()


def test_the_bundled_model_leaves_the_melody_its_key_and_its_place():
    arranger, crossing = Arranger.from_pretrained(), {}
    for clear in (0.0, 1.0):
        found = []
        for name in NAMES:
            piece = arranger(EXAMPLES / f"{name}.mid", clear=clear, structure=False, max_bars=16)
            onset, stop = piece.melody["onset_ms"], piece.melody["onset_ms"] + piece.melody["duration_ms"]
            for note in piece.accompaniment:
                over = piece.melody["pitch"][(onset <= note["onset_ms"]) & (note["onset_ms"] < stop)]
                found += [note["pitch"] >= over[0]] if len(over) and over[0] >= CLEAR_FROM_PITCH else []
        crossing[clear] = np.mean(found)
    assert crossing[1.0] < 0.5 * crossing[0.0]


def test_what_is_saved_is_read():
    guidance = HarmonyGuidance(4.0, {"pop": [[0.5] * 12] * 12, "classical": [[-0.25] * 12] * 12})
    assert HarmonyGuidance.read(guidance.to_dict()) == guidance
    assert HarmonyGuidance.read(None) == HarmonyGuidance()
    for bad in ({"strength": 1}, [], {"strength": "x", "degrees": {}}, {"strength": 1, "degrees": {"pop": [[1, 2]]}}):
        with pytest.raises(PianalysisError, match="expected"):
            HarmonyGuidance.read(bad)


def test_the_bundled_model_keeps_to_the_melody_more_closely_the_more_it_is_asked_to():
    arranger = Arranger.from_pretrained()
    assert arranger.engine.weights.harmony.strength > 0
    values = {}
    for harmony in (0.0, arranger.engine.weights.harmony.strength / 2, None):
        melodies = [EXAMPLES / f"{name}.mid" for name in NAMES]
        pieces = [p for path in melodies for p in arranger.takes(path, seeds=range(3), harmony=harmony, max_bars=16)]
        scores = [pitch_consonance_score(p.melody, p.accompaniment, step_ms=125) for p in pieces]
        values[harmony] = np.mean(scores)
    off, half, own = values.values()
    assert off < half < own - 0.02
    assert off + 0.1 < own
    asked = arranger(EXAMPLES / "ode_to_joy.mid", harmony=arranger.engine.weights.harmony.strength, max_bars=8)
    own_piece = arranger(EXAMPLES / "ode_to_joy.mid", max_bars=8)
    assert asked.score.dumps_midi() == own_piece.score.dumps_midi()


def test_a_checkpoint_without_guidance_has_none(tiny_arranger):
    pieces = [tiny_arranger(EXAMPLES / "ode_to_joy.mid", max_bars=4, harmony=harmony) for harmony in (0.0, None, 5.0)]
    assert len({piece.score.dumps_midi() for piece in pieces}) == 1
    with pytest.raises(PianalysisError, match="harmony"):
        tiny_arranger(EXAMPLES / "ode_to_joy.mid", harmony=-1)


def test_training_goes_on_with_a_checkpoints_guidance(tmp_path):
    model = starting_model(RunOptions("data", str(tmp_path), model=BUNDLED))
    save_model(model, tmp_path / "model")
    assert read_weights(tmp_path / "model").harmony == read_weights().harmony
    assert GPT2LMHeadModel.from_pretrained(tmp_path / "model").generation_config.top_k == 50


def test_weights_in_several_files_are_read(tmp_path):
    model = load_model()
    model.save_pretrained(tmp_path, max_shard_size="4MB")
    assert not (tmp_path / "model.safetensors").exists()
    read = read_weights(tmp_path)
    assert read.digest() == read_weights().digest()
    (tmp_path / "model-00001-of-00002.safetensors").unlink(missing_ok=True)
    next(iter(tmp_path.glob("model-*.safetensors"))).unlink()
    with pytest.raises(PianalysisError, match="found none"):
        read_weights(tmp_path)

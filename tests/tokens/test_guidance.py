from __future__ import annotations

import numpy as np
import pytest
from conftest import EXAMPLES

from pianalysis.errors import PianalysisError
from pianalysis.metrics.chords import chord_tone_share
from pianalysis.model.gpt2 import load_model
from pianalysis.model.weights import read_weights
from pianalysis.music.notes import make_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.guidance import (
    BEGINNING_MS,
    CLEAR_FROM_PITCH,
    FURTHER,
    LOWEST,
    OFF_THE_BASS,
    OFF_THE_CHORD,
    both,
    clearance,
    fidelity,
)
from pianalysis.tokens.tokenizer import ChordTones

NAMES = ("ode_to_joy", "greensleeves", "lieber_augustin", "amazing_grace")

C_THEN_G = (ChordTones(0, 0, (0, 4, 7)), ChordTones(2_000, 11, (2, 5, 7, 11)))
"""C for a bar of 4/4, then G7/B."""


def test_fidelity_by_hand():
    bias = fidelity(C_THEN_G)
    assert bias.shape == (2, 640, 88)
    at = lambda part, step, pitch: bias[part, step, pitch - vocab.LOWEST_PITCH]  # noqa: E731
    assert at(LOWEST, 0, 48) == at(FURTHER, 0, 48) == 0  # C lays C's bass
    assert (at(LOWEST, 0, 52), at(FURTHER, 0, 52)) == (OFF_THE_BASS, 0)  # E is in it, but not its bass
    assert (at(LOWEST, 0, 53), at(FURTHER, 0, 53)) == (OFF_THE_CHORD + OFF_THE_BASS, OFF_THE_CHORD)
    begun = BEGINNING_MS // vocab.TIME_STEP_MS
    assert (at(LOWEST, begun, 52), at(LOWEST, begun, 53)) == (0, OFF_THE_CHORD)
    assert (at(FURTHER, 79, 53), at(FURTHER, 80, 53), at(FURTHER, 80, 48)) == (OFF_THE_CHORD, 0, OFF_THE_CHORD)
    assert (at(LOWEST, 80, 47), at(LOWEST, 80, 43), at(LOWEST, 639, 48)) == (0, OFF_THE_BASS, OFF_THE_CHORD)
    assert (bias == np.roll(bias, 12, axis=2))[:, :, 12:].all()  # the same in every octave


def test_where_no_chord_is_known_fidelity_asks_for_nothing():
    assert fidelity(()) is fidelity((ChordTones(0),)) is None
    bias = fidelity((ChordTones(0), ChordTones(1_000, 0, (0, 4, 7))))
    assert not bias[:, :40].any()
    assert bias[:, 40:].any()


def test_the_bundled_model_plays_the_chart(bundled_arranger):
    """Beside chance: each piece is also held against the next one's chart."""
    pieces = [bundled_arranger(EXAMPLES / f"{name}.mid", structure=False, max_bars=4) for name in NAMES]
    tones, others = (
        [
            chord_tone_share(piece.source.clock.notes_to_clock(piece.accompaniment), other.chart.spans)
            for piece, other in zip(pieces, pieces[shift:] + pieces[:shift], strict=True)
        ]
        for shift in (0, 1)
    )
    assert min(tones) > 0.8
    assert np.mean(tones) > np.mean(others) + 0.2


def test_clearance_by_hand():
    low = make_notes([(0, 500, 72, 96), (500, 500, 50, 96)])
    bias = clearance(low, 2.0)
    assert (bias[LOWEST] == bias[FURTHER]).all()
    at = lambda step, pitch: bias[LOWEST, step, pitch - vocab.LOWEST_PITCH]  # noqa: E731
    assert (at(0, 72), at(0, 73), at(0, 108), at(0, 71)) == (-10, -5, -5, 0)
    assert (at(19, 73), at(20, 72)) == (-5, 0)
    assert (at(20, 50), at(20, 51)) == (-10, 0)  # under a low melody there's no room for two hands
    assert not bias[:, 40:].any()
    assert clearance(low, 0) is None
    assert clearance(make_notes()) is None
    assert both(bias, None) is both(None, bias) is bias
    assert (both(bias, bias) == 2 * bias).all()


def test_the_bundled_model_leaves_the_melody_its_key_and_its_place(small_arranger):
    arranger, crossing = small_arranger, {}
    for clear in (0.0, 1.0):
        found = []
        for name in NAMES:
            piece = arranger(EXAMPLES / f"{name}.mid", clear=clear, structure=False, max_bars=8)
            onset, stop = piece.melody["onset_ms"], piece.melody["onset_ms"] + piece.melody["duration_ms"]
            for note in piece.accompaniment:
                over = piece.melody["pitch"][(onset <= note["onset_ms"]) & (note["onset_ms"] < stop)]
                found += [note["pitch"] >= over[0]] if len(over) and over[0] >= CLEAR_FROM_PITCH else []
        crossing[clear] = np.mean(found)
    assert crossing[1.0] < 0.5 * crossing[0.0]


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

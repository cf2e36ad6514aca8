from __future__ import annotations

import numpy as np
import pytest
import torch

from pianalysis import vocab
from pianalysis.metrics import count_notes, model_likelihood, pitch_consonance_score, unigram_likelihood
from pianalysis.notes import make_notes

ROW = {"input_ids": [1, 8, 6, 109, 10, 60, 750, 3, 109, 12, 48, 750, 12, 52, 750, 2], "target_start": 8, "seconds": 2.0}


class Uniform(torch.nn.Module):
    def forward(self, input_ids):
        return type("Output", (), {"logits": torch.zeros(*input_ids.shape, vocab.VOCAB_SIZE)})


def test_a_uniform_model_pays_log_801_a_token():
    result = model_likelihood(Uniform(), [ROW, ROW])
    assert result.nats == pytest.approx(2 * 8 * np.log(801), rel=1e-6)  # 8 tokens after <sep>, <eos> included
    assert (result.notes, result.windows, result.seconds) == (4, 2, 4.0)
    assert result.nats_per_note == pytest.approx(4 * np.log(801), rel=1e-6)
    assert result.bits_per_second == pytest.approx(4 * np.log2(801), rel=1e-6)


def test_unigram_by_hand():
    result = unigram_likelihood([ROW], [ROW])
    total = 801 + 8
    counts = {109: 2, 12: 3, 48: 2, 750: 3, 52: 2, 2: 2}  # one more than seen
    tokens = ROW["input_ids"][8:]
    assert result.nats == pytest.approx(-sum(np.log(counts[token] / total) for token in tokens))


def test_count_notes_ignores_the_melody():
    assert count_notes(ROW["input_ids"]) == 2


def test_pcs_by_hand():
    melody = make_notes([(0, 500, 72, 80), (500, 500, 74, 80)])
    # against C: C is a unison (1), G a fourth below it, which as an interval upwards from G is 5 semitones (0)
    below = make_notes([(0, 500, 60, 80), (0, 500, 67, 80), (500, 500, 61, 80)])
    # sixteenths: four of (1, 0), four of D against C sharp (-1)
    assert pitch_consonance_score(melody, below, step_ms=125) == pytest.approx((4 * 1 + 4 * 0 + 4 * -1) / 12)


def test_pcs_of_nothing_is_nan():
    melody = make_notes([(0, 500, 72, 80)])
    assert np.isnan(pitch_consonance_score(melody, make_notes(), step_ms=125))
    assert np.isnan(pitch_consonance_score(melody, make_notes([(600, 100, 60, 80)]), step_ms=125))

from __future__ import annotations

import numpy as np
import pytest
import torch

from pianalysis.metrics.harmony import pitch_consonance_score
from pianalysis.music.notes import make_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import count_notes
from pianalysis.training.likelihood import model_likelihood, unigram_likelihood

ROW = {"input_ids": [1, 8, 6, 109, 10, 60, 750, 3, 109, 12, 48, 750, 12, 52, 750, 2], "target_start": 8, "seconds": 2.0}


class Uniform(torch.nn.Module):
    def forward(self, input_ids, **_):
        return type("Output", (), {"logits": torch.zeros(*input_ids.shape, vocab.VOCAB_SIZE)})


def test_a_uniform_model_pays_log_801_a_token():
    result = model_likelihood(Uniform(), [ROW, ROW])
    assert result.nats == pytest.approx(2 * 8 * np.log(801), rel=1e-6)  # 8 tokens after <sep>, <eos> included
    assert (result.notes, result.windows, result.seconds) == (4, 2, 4.0)
    assert result.nats_per_note == pytest.approx(4 * np.log(801), rel=1e-6)
    assert result.bits_per_second == pytest.approx(4 * np.log2(801), rel=1e-6)


def with_chords(row):
    """The same window with two chords in it, as a row of the new form."""
    chords = [109, 36, 60, 64, 67, 120, 11]
    return row | {"input_ids": [*row["input_ids"][:8], *chords, 3, *row["input_ids"][8:]]}


LEAD_SHEET = {"input_ids": with_chords(ROW)["input_ids"][:16], "target_start": 8, "seconds": 2.0}


class Counting(Uniform):
    """A model whose logits grow with the place, so that it shows what it was given; it may play chords."""

    def __init__(self, plays_chords):
        super().__init__()
        self.given = []
        self.config = type("Config", (), {"plays_chords": plays_chords})

    def forward(self, input_ids, **_):
        self.given.append(input_ids[0].tolist())
        return super().forward(input_ids)


def test_a_model_that_knows_no_chords_is_not_given_them():
    model = Counting(False)
    assert model_likelihood(model, [with_chords(ROW), LEAD_SHEET]) == model_likelihood(Uniform(), [ROW])
    assert model.given == [ROW["input_ids"]]


def test_a_model_that_plays_chords_pays_for_the_accompaniment_alone():
    model = Counting(True)
    assert model_likelihood(model, [with_chords(ROW), LEAD_SHEET]) == model_likelihood(Uniform(), [ROW])
    assert model.given == [with_chords(ROW)["input_ids"]]


def test_chords_and_lead_sheets_change_no_unigram():
    rows = [with_chords(ROW), LEAD_SHEET]
    assert unigram_likelihood(rows, rows) == unigram_likelihood([ROW], [ROW])


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

"""Which of several takes is kept: the looks by hand and against `transformers`, and that a better piece wins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st

from pianalysis import vocab
from pianalysis.arranger import Arranger
from pianalysis.notes import PianalysisError, make_notes
from pianalysis.pieces import finish
from pianalysis.ranking import HUMAN, Look, distance, look
from pianalysis.tokenizer import WindowNotes, encode

ODE = EXAMPLES / "ode_to_joy.mid"


def data(piece):
    return piece.score.dumps_midi()


@pytest.fixture(scope="module")
def plain(tiny_model):
    return Arranger(tiny_model, precision="float32")


def test_likelihood_and_entropy_are_those_of_transformers(plain, tiny_model):
    ids = encode(WindowNotes(make_notes([(0, 500, 72, 96)]), make_notes([(0, 500, 48, 64), (500, 500, 52, 64)])))
    start = ids.index(vocab.SEP) + 1
    with torch.inference_mode():
        logs = tiny_model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    nats = -sum(float(logs[place - 1, ids[place]]) for place in range(start, len(ids)))
    entropy = -float((logs.exp() * logs)[start - 1 : -1].sum())
    assert plain.engine.likelihood(ids, start) == pytest.approx((nats, entropy), rel=1e-5)


def test_a_sequence_that_is_too_long_is_refused(plain):
    with pytest.raises(PianalysisError, match="expected up to 2048 tokens, found 2049"):
        plain.engine.likelihood([vocab.BOS] * 2049, 1)


def test_consonance_and_clashes_by_hand(plain):
    piece = plain(ODE, seed=0, max_bars=2)
    melody = piece.melody[piece.melody["onset_ms"] < piece.bar_lines_ms[-1]]
    thirds = melody.copy()
    thirds["pitch"] -= 16  # a major tenth below: consonant, and no semitone
    seen = look(plain.engine, finish(piece.source, thirds))
    assert (seen.pcs, seen.clash_rate) == (1.0, 0.0)
    thirds["pitch"] += 3  # now a minor ninth
    seen = look(plain.engine, finish(piece.source, thirds))
    assert (seen.pcs, seen.clash_rate) == (-1.0, 1.0)


def test_no_accompaniment_is_infinitely_far(plain):
    piece = plain(ODE, seed=0, max_bars=2)
    assert plain.distance(finish(piece.source, make_notes())) == np.inf


@given(st.sampled_from(sorted(HUMAN)), st.floats(-3, 3), st.floats(-3, 3), st.floats(0, 3))
def test_the_human_mean_is_nearest_and_a_clash_too_few_no_fault(style, surprise, pcs, clash):
    mean, spread = HUMAN[style]
    away = Look(
        mean.surprise + surprise * spread.surprise,
        mean.pcs + pcs * spread.pcs,
        mean.clash_rate + clash * spread.clash_rate,
    )
    assert distance(mean, style) == 0
    assert distance(away, style) == pytest.approx(np.sqrt(surprise**2 + pcs**2 + clash**2), abs=1e-9)
    assert distance(replace(mean, clash_rate=0.0), style) == 0


def test_the_best_is_one_of_the_takes_and_none_is_nearer(tiny_arranger):
    takes = tiny_arranger.takes(ODE, seeds=range(4), max_bars=4)
    best = tiny_arranger.best(ODE, seeds=range(4), max_bars=4)
    assert tiny_arranger.distance(best) == min(map(tiny_arranger.distance, takes))
    assert data(best) == data(takes[best.seed]) == data(tiny_arranger(ODE, seed=best.seed, max_bars=4))


def test_the_best_of_none_is_refused(tiny_arranger):
    with pytest.raises(PianalysisError, match="at least one seed"):
        tiny_arranger.best(ODE, seeds=[])


def test_the_right_accompaniment_beats_the_same_a_semitone_off():
    """On the bundled model: what fits the melody is nearer to people's than what doesn't."""
    arranger = Arranger.from_pretrained()
    piece = arranger(ODE, seed=0, max_bars=8)
    wrong = piece.accompaniment.copy()
    wrong["pitch"] += 1
    assert arranger.distance(piece) < arranger.distance(replace(finish(piece.source, wrong), options=piece.options))

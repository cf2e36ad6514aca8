"""How one id is drawn: the chances that temperature, top-k and top-p leave, and dynamics that may change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.model.sampling import Sampling, draw_among
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import GrammarState

ALL = Sampling(temperature=1.0, top_k=0, top_p=1.0)
NUMBERS = (np.arange(2_000) + 0.5) / 2_000


class Numbers:
    """A generator of a given number."""

    def __init__(self, number):
        self.number, self.asked = number, 0

    def random(self):
        self.asked += 1
        return self.number


def chances(ids, logits, sampling):
    """How often each id is drawn, of evenly spaced numbers."""
    drawn = [draw_among(ids, logits, sampling, Numbers(number)) for number in NUMBERS]
    return np.array([np.mean(np.array(drawn) == i) for i in ids])


def note_ids():
    return np.concatenate(
        [np.arange(span.start, span.stop) for span in GrammarState(expects="note", onset_ms=0).spans()]
    )


@given(st.lists(st.floats(-5, 5), min_size=12, max_size=12), st.booleans())
@settings(max_examples=30)
def test_uncut_the_chances_are_the_models_own(values, loud):
    ids = np.array([2, *vocab.DYNAMIC_IDS, 130, 131, 132] if loud else [40, *range(50, 61)])
    logits = np.array(values, np.float32)
    expected = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum()
    assert chances(ids, logits, ALL) == pytest.approx(expected, abs=2e-3)


CUT = Sampling(temperature=1.0, top_k=0, top_p=0.95)


def test_only_the_pitches_lose_their_tail():
    wanted = np.array([0.90, 0.06, 0.03, 0.01])
    logits = np.log(wanted).astype(np.float32)
    assert chances(np.arange(60, 64), logits, CUT) == pytest.approx(np.array([0.90, 0.06, 0, 0]) / 0.96, abs=1e-3)
    for span in (vocab.TIME_IDS, vocab.DURATION_IDS, vocab.DYNAMIC_IDS):
        assert chances(np.arange(span.start, span.start + 4), logits, CUT) == pytest.approx(wanted, abs=1e-3)


def test_a_dynamic_beside_times_by_hand():
    ids = np.array([vocab.EOS, *vocab.DYNAMIC_IDS, 130, 131])
    wanted = np.array([0.02, 0.80, 0.08, 0, 0, 0, 0, 0, 0.02, 0.06, 0.02])
    logits = np.log(wanted + 1e-30).astype(np.float32)
    assert chances(ids, logits, CUT) == pytest.approx(wanted, abs=1e-3)
    # At half the temperature a note, a time or the end are drawn by their squares; which dynamic it is stays as it was.
    colder = np.array([0.02, 0.9, 0.06, 0.02]) ** 2
    colder /= colder.sum()
    found = chances(ids, logits, Sampling(0.5, 2, 0.5))
    assert found[[0, 9, 10]] == pytest.approx(colder[[0, 2, 3]], abs=1e-3)
    assert found[[1, 2, 8]] == pytest.approx(colder[1] * np.array([0.80, 0.08, 0.02]) / 0.9, abs=1e-3)


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 5))
def test_one_number_is_used_whatever_is_drawn(number, seed):
    ids = note_ids()
    logits = np.random.default_rng(seed).normal(size=len(ids)).astype(np.float32) * 3
    numbers = Numbers(number)
    assert draw_among(ids, logits, Sampling(), numbers) in ids
    assert numbers.asked == 1


def test_temperature_does_not_touch_the_dynamics():
    ids, wanted = np.array([*vocab.DYNAMIC_IDS]), np.array([0.8, 0.1, 0.1, 0, 0, 0, 0, 0])
    logits = np.log(wanted + 1e-30).astype(np.float32)
    for temperature in (0.3, 3.0):
        assert chances(ids, logits, Sampling(temperature, 2, 0.5)) == pytest.approx(wanted, abs=1e-3)


def test_a_top_k_of_one_is_greedy_in_all():
    for ids in (note_ids(), np.arange(60, 70)):
        logits = np.random.default_rng(1).normal(size=len(ids)).astype(np.float32)
        assert chances(ids, logits, Sampling(1.0, 1, 1.0))[np.argmax(logits)] == 1

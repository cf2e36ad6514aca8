"""The metre's part of the grammar's bias: bar lines are struck, and what is struck there is the bar's bass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import OVER_A_BAR_LINE, UNDER_THE_BASS, GrammarState, metre_bias, state_after

WALTZ = tuple(range(0, 15_000, 1_500))
PROMPT = [vocab.BOS, vocab.STYLES["pop"], vocab.DENSITIES["mid"], vocab.SEP]
ALL_IDS = np.arange(vocab.VOCAB_SIZE)


def state_at(*notes: tuple[int, int]) -> GrammarState:
    """After notes, each (onset in ms, key), a quarter long."""
    state, now = replace(state_after(PROMPT, length_ms=15_000), downbeats=WALTZ), -1
    for onset, key in notes:
        if onset != now:
            state, now = state.advance(vocab.time_id(onset)), onset
        for token in (vocab.DYNAMIC_IDS[3], key, vocab.duration_id(500)):
            state = state.advance(token)
    return state


def test_bar_lines_that_are_passed_by_hand():
    bias = metre_bias(ALL_IDS, state_at((0, 48), (1_000, 60)))
    at = lambda ms: bias[vocab.time_id(ms)]  # noqa: E731
    assert [at(1_250), at(1_500), at(1_525)] == [0, 0, 0]  # a step late is on the line
    assert [at(1_550), at(3_000), at(3_050), at(4_550)] == [OVER_A_BAR_LINE * lines for lines in (1, 1, 2, 3)]
    assert bias[vocab.EOS] == 9 * OVER_A_BAR_LINE
    assert not bias[: vocab.EOS].any()
    assert not bias[list(vocab.PITCH_IDS)].any()


def test_the_bass_of_a_bar_by_hand():
    def under(state):
        state = state.advance(vocab.DYNAMIC_IDS[3])
        return [float(value) for value in metre_bias(np.array([45, 48, 50]), state)]

    assert under(state_at((0, 48)).advance(vocab.time_id(500))) == [UNDER_THE_BASS, 0, 0]
    assert under(state_at((0, 48), (0, 60), (500, 55)).advance(vocab.time_id(1_000))) == [UNDER_THE_BASS, 0, 0]
    assert under(state_at((0, 48)).advance(vocab.time_id(1_500))) == [0, 0, 0]  # a new bar has a bass of its own
    assert under(state_at((0, 48)).advance(vocab.time_id(2_000))) == [0, 0, 0]  # … or none
    assert under(state_at((500, 48)).advance(vocab.time_id(1_000))) == [0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 39), st.integers(30, 80)), max_size=12))
def test_it_only_takes_away_and_knows_the_bars_bass(places):
    notes = sorted({(375 * step, key) for step, key in places})
    state = state_at(*notes)
    bias = metre_bias(ALL_IDS, state)
    assert (bias <= 0).all()
    last = notes[-1][0] if notes else -1
    line = max((line for line in WALTZ if line <= last), default=None)
    keys = [key for onset, key in notes if onset == line]
    assert state.bass == (min(keys) if keys else 0)


@pytest.mark.parametrize("state", [GrammarState(), GrammarState(downbeats=(0, 2_000), expects="duration")])
def test_where_no_bar_line_matters_nothing_is_said(state):
    assert not metre_bias(ALL_IDS, state).any()

"""The metre's part of the grammar's bias: bar lines are struck, and what is struck there is the bar's bass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.music.clock import QUARTER_MS
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import (
    BASS_REACH,
    FIRMER,
    OVER_A_BAR_LINE,
    OVER_A_CHANGE,
    OVER_THE_BASS,
    UNDER_A_CHANGE,
    UNDER_THE_BASS,
    GrammarState,
    Limits,
    metre_bias,
    state_after,
)

WALTZ = tuple(range(0, 15_000, 1_500))
FIVE_FOUR = tuple(range(0, 15_000, 2_500))
PROMPT = [vocab.BOS, vocab.STYLES["pop"], vocab.DENSITIES["mid"], vocab.SEP]
ALL_IDS = np.arange(vocab.VOCAB_SIZE)


def state_at(*notes: tuple[int, int], downbeats: tuple[int, ...] = WALTZ) -> GrammarState:
    """After notes, each (onset in ms, key), a quarter long."""
    state, now = state_after(PROMPT, Limits(length_ms=15_000, downbeats=downbeats)), -1
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


def pitches(state: GrammarState, at_ms: int, keys: list[int]) -> list[float]:
    """The bias on some keys, as the first of an onset."""
    state = state.advance(vocab.time_id(at_ms)).advance(vocab.DYNAMIC_IDS[3])
    return [float(value) for value in metre_bias(np.array(keys), state)]


def test_bars_that_the_model_hardly_knows_begin_with_their_bass_by_hand():
    bar = state_at((0, 48), (0, 60), (500, 45), (1_000, 64), downbeats=FIVE_FOUR)  # its lowest key is 45
    far = 45 + BASS_REACH + 1
    assert pitches(bar, 2_500, [33, far - 1, far]) == [0, 0, OVER_THE_BASS]
    assert (
        pitches(bar, 2_475, [far]) == pitches(bar, 2_525, [far]) == [OVER_THE_BASS]
    )  # a step from the bar line is on it
    assert pitches(bar, 1_500, [47, far]) == [FIRMER * UNDER_THE_BASS, 0]
    assert pitches(bar, 3_000, [far]) == [0]
    assert pitches(bar, 5_000, [far]) == [0]  # a bar without a note tells nothing
    state = bar.advance(vocab.time_id(2_500))
    for token in (vocab.DYNAMIC_IDS[3], 43, vocab.duration_id(500), vocab.DYNAMIC_IDS[3]):
        state = state.advance(token)
    assert not metre_bias(ALL_IDS, state).any()  # the keys above the bass are free
    bias = metre_bias(ALL_IDS, bar)
    assert [bias[vocab.time_id(ms)] for ms in (2_525, 2_550)] == [0, FIRMER * OVER_A_BAR_LINE]


def test_what_was_written_before_the_window_begins_tells_too():
    prompt = [*PROMPT, vocab.time_id(0), vocab.DYNAMIC_IDS[3], 40, vocab.duration_id(500)]
    state = state_after(prompt, Limits(first_ms=2_500, length_ms=15_000, downbeats=FIVE_FOUR))
    assert pitches(state, 2_500, [45, 46]) == [0, OVER_THE_BASS]


@pytest.mark.parametrize(
    ("numerator", "denominator", "known"),
    [
        *[(2, 4, True), (3, 4, True), (4, 4, True), (6, 8, True), (12, 8, True), (3, 8, True)],
        *[(5, 4, False), (7, 8, False), (9, 8, False), (5, 8, False), (7, 4, False)],
    ],
)
def test_the_bars_that_a_model_knows(numerator, denominator, known):
    bar_ms = int(4 * QUARTER_MS * numerator / denominator)
    state = state_after(PROMPT, Limits(downbeats=tuple(range(0, vocab.WINDOW_MS, bar_ms))))
    assert state.bar_is_known is known
    assert state_after(PROMPT, Limits(downbeats=(0,))).bar_is_known  # a single bar line tells no length


@given(
    st.sampled_from([375, 500, 750, 1_000, 1_500, 2_000, 3_000, 4_000]),
    st.lists(st.tuples(st.integers(0, 39), st.integers(30, 80)), max_size=12),
)
def test_in_known_bars_the_keys_on_a_bar_line_are_free(bar_ms, places):
    state = state_at(
        *sorted({(375 * step, key) for step, key in places}), downbeats=tuple(range(0, vocab.WINDOW_MS, bar_ms))
    )
    later = next((line for line in state.limits.downbeats if line > max(state.onset_ms, 0)), None)
    if later is not None and later < state.limits.length_ms:
        assert not any(pitches(state, later, [*vocab.PITCH_IDS]))


@given(st.lists(st.tuples(st.integers(0, 39), st.integers(30, 80)), max_size=12), st.integers(-25, 30))
def test_only_the_distance_from_the_bar_before_matters(places, semitones):
    """Both moved by as many semitones, notes and the keys that are asked about have the same bias."""
    notes = sorted({(375 * step, 54 + (key - 54) // 3) for step, key in places if 375 * step < 12_000})
    moved = [(onset, key + semitones) for onset, key in notes]
    one, other = (state_at(*played, downbeats=FIVE_FOUR) for played in (notes, moved))
    keys = list(range(51, 79))
    assert pitches(one, 12_500, keys) == pitches(other, 12_500, [key + semitones for key in keys])


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


@pytest.mark.parametrize(
    "state", [GrammarState(), GrammarState(expects="duration", limits=Limits(downbeats=(0, 2_000)))]
)
def test_where_no_bar_line_matters_nothing_is_said(state):
    assert not metre_bias(ALL_IDS, state).any()


def wanted_at(*notes: tuple[int, int]) -> GrammarState:
    """`state_at` where chords are wanted from 0 and from 1,000 ms, and no bar lines tell anything."""
    limits = Limits(length_ms=15_000, downbeats=(0,), changes=(0, 1_000))
    state, now = state_after(PROMPT, limits), -1
    for onset, key in notes:
        if onset != now:
            state, now = state.advance(vocab.time_id(onset)), onset
        for token in (vocab.DYNAMIC_IDS[3], key, vocab.duration_id(500)):
            state = state.advance(token)
    return state


def test_wanted_chords_are_struck_as_they_begin_on_their_bass():
    bias = metre_bias(ALL_IDS, wanted_at((0, 48)))
    assert [bias[vocab.time_id(ms)] for ms in (975, 1_000, 1_025, 1_050)] == [0, 0, 0, OVER_A_CHANGE]
    assert bias[vocab.EOS] == OVER_A_CHANGE

    def at(*notes: tuple[int, int], time: int) -> list[float]:
        state = wanted_at(*notes).advance(vocab.time_id(time)).advance(vocab.DYNAMIC_IDS[3])
        return [float(value) for value in metre_bias(np.array([40, 50]), state)]

    assert at((0, 36), (1_000, 45), time=1_250) == [UNDER_A_CHANGE, 0]  # below this chord's bass, above the bar's
    assert at((0, 48), time=1_000) == [UNDER_THE_BASS, 0]  # another chord, another bass
    assert at((0, 36), time=1_250) == [0, 0]  # it wasn't struck
    assert at((0, 45), time=500) == [UNDER_A_CHANGE + UNDER_THE_BASS, 0]

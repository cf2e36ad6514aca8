"""What a chain says is exact: it agrees with trying every path."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.harmony.decoding import Chain


@st.composite
def chains(draw, most_steps=5, most_states=4):
    """Small chains of any scores, some states forbidden."""
    n, k = draw(st.integers(1, most_steps)), draw(st.integers(1, most_states))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.sampled_from([0.1, 1.0, 5.0]))
    chain = Chain(*(generator.normal(0, spread, shape) for shape in ((n, k), n, (k, k))))
    allowed = generator.random((n, k)) < draw(st.sampled_from([0.5, 1.0]))
    allowed[np.arange(n), generator.integers(0, k, n)] = True
    return chain.restricted(allowed)


def every_path(chain):
    """All paths, and the probability of each, by adding up their scores one at a time."""
    n, k = chain.emissions.shape
    paths = np.array(list(itertools.product(range(k), repeat=n)))
    scores = []
    for path in paths.tolist():
        score = chain.emissions[0, path[0]]
        for step in range(1, n):
            score += chain.emissions[step, path[step]] + chain.transitions[path[step - 1], path[step]]
            score += chain.change[step] if path[step] != path[step - 1] else 0.0
        scores.append(score)
    return paths, np.array(scores)


@given(chains())
def test_no_path_scores_more_than_the_likeliest(chain):
    paths, scores = every_path(chain)
    found = chain.likeliest()
    assert chain.score(found) == pytest.approx(scores.max())
    assert scores[(paths == found).all(axis=1)] == pytest.approx(scores.max())


@given(chains())
def test_probabilities_are_sums_over_all_paths(chain):
    paths, scores = every_path(chain)
    total = np.logaddexp.reduce(scores)
    weights = np.exp(scores - total)
    n, k = chain.emissions.shape
    expected = [[weights[paths[:, step] == state].sum() for state in range(k)] for step in range(n)]
    assert chain.log_partition() == pytest.approx(total)
    assert np.allclose(chain.marginals(), expected)


@given(chains(), st.data())
def test_what_is_held_is_a_sum_over_all_paths(chain, data):
    paths, scores = every_path(chain)
    weights = np.exp(scores - np.logaddexp.reduce(scores))
    start = data.draw(st.integers(0, len(chain) - 1))
    stop = data.draw(st.integers(start + 1, len(chain)))
    expected = [weights[(paths[:, start:stop] == state).all(axis=1)].sum() for state in range(chain.emissions.shape[1])]
    assert np.allclose(np.exp(chain.log_held(start, stop)), expected)


@given(chains(), st.data())
def test_what_is_fixed_stays_and_the_rest_is_the_best_under_it(chain, data):
    n, k = chain.emissions.shape
    paths, scores = every_path(chain)
    possible = paths[np.isfinite(scores)]
    wanted = possible[data.draw(st.integers(0, len(possible) - 1))]
    fixed = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    bound = chain.restricted(~fixed[:, None] | (np.arange(k) == wanted[:, None]))
    agreeing = (paths[:, fixed] == wanted[fixed]).all(axis=1)
    found = bound.likeliest()
    assert (found[fixed] == wanted[fixed]).all()
    assert chain.score(found) == pytest.approx(scores[agreeing].max())
    drawn = bound.sample(np.random.default_rng(0))
    assert (drawn[fixed] == wanted[fixed]).all()
    assert np.isfinite(chain.score(drawn))


@given(chains(), st.data())
def test_the_surest_states_have_the_most_right_that_can_be_expected(chain, data):
    n, k = chain.emissions.shape
    paths, scores = every_path(chain)
    weights = np.exp(scores - np.logaddexp.reduce(scores))
    groups = np.array(data.draw(st.lists(st.integers(0, 2), min_size=k, max_size=k)))
    guess = chain.surest(groups)

    def expected(guess):
        return weights @ ((paths == guess).sum(axis=1) + (groups[paths] == groups[guess]).sum(axis=1))

    possible = paths[[all(np.isfinite(chain.emissions[range(n), path])) for path in paths]]
    assert expected(guess) == pytest.approx(max(expected(path) for path in possible))


@given(chains(), st.floats(0.25, 4))
def test_a_temperature_is_a_power(chain, temperature):
    paths, scores = every_path(chain)
    weights = np.exp(scores / temperature - np.logaddexp.reduce(scores / temperature))
    expected = [weights[paths[:, 0] == state].sum() for state in range(chain.emissions.shape[1])]
    assert np.allclose(chain.at_temperature(temperature).marginals()[0], expected)


def test_samples_come_as_often_as_they_are_likely():
    """2,000 draws of a chain with 27 paths: Pearson's statistic stays below the 0.999 quantile of 26 degrees of freedom."""
    generator = np.random.default_rng(1)
    chain = Chain(generator.normal(size=(3, 3)), generator.normal(size=3), generator.normal(size=(3, 3)))
    paths, scores = every_path(chain)
    expected = 2_000 * np.exp(scores - np.logaddexp.reduce(scores))
    counts = dict.fromkeys(map(tuple, paths.tolist()), 0)
    for _ in range(2_000):
        counts[tuple(chain.sample(generator).tolist())] += 1
    found = np.array([counts[tuple(path)] for path in paths.tolist()])
    assert ((found - expected) ** 2 / expected).sum() < 54.1


@given(chains())
def test_shares_of_many_paths_are_nearly_the_probabilities(chain):
    shares = chain.shares(np.random.default_rng(0), 4_000)
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.abs(shares - chain.marginals()).max(initial=0) < 5 * np.sqrt(0.25 / 4_000)  # five standard deviations


def test_a_seed_draws_one_path_and_others_draw_others():
    generator = np.random.default_rng(2)
    chain = Chain(generator.normal(size=(40, 5)), generator.normal(size=40), generator.normal(size=(5, 5)))
    first, again, other = (chain.sample(np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert (first == again).all()
    assert (first != other).any()


def test_long_chains_of_extreme_scores_neither_overflow_nor_vanish():
    generator = np.random.default_rng(3)
    chain = Chain(generator.normal(0, 200, (3_000, 6)), generator.normal(0, 5, 3_000), generator.normal(0, 20, (6, 6)))
    chances = chain.marginals()
    assert np.isfinite(chain.log_partition())
    assert np.allclose(chances.sum(axis=1), 1)
    assert (chances.argmax(axis=1) == chain.likeliest()).mean() > 0.95  # so steep that there is hardly another path


def test_nothing_has_one_path():
    chain = Chain(np.zeros((0, 3)), np.zeros(0), np.zeros((3, 3)))
    assert chain.likeliest().shape == chain.sample(np.random.default_rng(0)).shape == (0,)
    assert chain.log_partition() == 0
    assert chain.marginals().shape == (0, 3)


@pytest.mark.parametrize(
    ("emissions", "change", "transitions", "message"),
    [
        (np.zeros(3), np.zeros(3), np.zeros((3, 3)), "emissions"),
        (np.zeros((2, 3)), np.zeros(3), np.zeros((3, 3)), "change"),
        (np.zeros((2, 3)), np.zeros(2), np.zeros((2, 3)), "transitions"),
        (np.full((2, 3), -np.inf), np.zeros(2), np.zeros((3, 3)), "allowed"),
    ],
)
def test_scores_that_do_not_fit_are_refused(emissions, change, transitions, message):
    with pytest.raises(PianalysisError, match=message):
        Chain(emissions, change, transitions)


@pytest.mark.parametrize("temperature", [0, -1, np.inf, np.nan])
def test_a_temperature_is_above_zero(temperature):
    with pytest.raises(PianalysisError, match="temperature"):
        Chain(np.zeros((1, 2)), np.zeros(1), np.zeros((2, 2))).at_temperature(temperature)


@pytest.mark.parametrize(("start", "stop"), [(-1, 1), (1, 1), (0, 3), (2, 1)])
def test_only_steps_that_are_there_can_be_held(start, stop):
    with pytest.raises(PianalysisError, match="steps"):
        Chain(np.zeros((2, 2)), np.zeros(2), np.zeros((2, 2))).log_held(start, stop)

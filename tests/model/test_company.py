"""What several threads ask for at once is done together, and comes out as if each had asked alone."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.arranging.arranger import Arranger
from pianalysis.model.company import Company
from pianalysis.model.gpt2 import make_model


@settings(max_examples=25)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.integers(1, 5))
def test_everything_is_done_once_and_never_more_than_so_many_at_once(counts, most):
    done: dict[int, int] = {}
    rounds = []

    def work(things):
        rounds.append(len(things))
        for thing in things:
            done[thing] = done.get(thing, 0) + 1

    company = Company(work, most)

    def ask(thread):
        for number in range(counts[thread]):
            thing = 100 * thread + number
            company.join([thing])
            assert done[thing] == 1

    with ThreadPoolExecutor(len(counts)) as pool:
        list(pool.map(ask, range(len(counts))))
    assert sum(rounds) == len(done) == sum(counts)
    assert max(rounds, default=0) <= most


def test_who_waits_is_worked_on_together():
    rounds, inside, all_wait = [], threading.Event(), threading.Event()

    def work(things):
        inside.set()
        assert all_wait.wait(60)
        rounds.append(sorted(things))

    company = Company(work)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(company.join, [0])
        assert inside.wait(60)
        others = [pool.submit(company.join, [2 * place, 2 * place + 1]) for place in (1, 2, 3)]
        limit = time.monotonic() + 60
        while len(company._waiting) < 3:
            assert time.monotonic() < limit
            time.sleep(0.01)
        all_wait.set()
        for asked in (first, *others):
            asked.result(60)
    assert rounds == [[0], [2, 3, 4, 5, 6, 7]]


def test_one_threads_many_things_stay_together():
    rounds = []
    Company(lambda things: rounds.append(list(things)), 2).join(range(5))
    assert rounds == [[0, 1, 2, 3, 4]]


def test_all_of_a_round_are_told_of_its_error_and_the_next_goes_on():
    inside, told = threading.Event(), []

    def work(things):
        inside.set()
        time.sleep(0.05)
        if "bad" in things:
            raise ZeroDivisionError
        told.extend(things)

    company = Company(work)
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(company.join, ["good"])
        assert inside.wait(10)
        with_it = [pool.submit(company.join, [name]) for name in ("bad", "beside")]
        first.result(10)
        raised = [asked.exception(10) for asked in with_it]
    assert isinstance(raised[0], ZeroDivisionError)
    company.join(["after"])
    assert told[0] == "good"
    assert told[-1] == "after"
    assert isinstance(raised[1], ZeroDivisionError) or "beside" in told


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_pieces_of_several_threads_are_those_of_one(precision, tune):
    arranger = Arranger(make_model("tiny", seed=0), precision=precision)
    alone = [arranger(tune, seed=seed, max_bars=4).accompaniment for seed in range(5)]
    arranger.engine.step_threads_together(3)
    with ThreadPoolExecutor(5) as pool:
        together = list(pool.map(lambda seed: arranger(tune, seed=seed, max_bars=4).accompaniment, range(5)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture
def tune(tmp_path):
    from strategies import simple_score

    path = tmp_path / "tune.mid"
    simple_score([(place, 1, 60 + 2 * (place % 5)) for place in range(16)]).dump_midi(path)
    return path

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.music.repeats import MAX_PLAYED_BARS, MAX_TIMES, Bar, Ending, play_order

BARS = st.builds(
    Bar,
    forward=st.booleans(),
    times=st.sampled_from([0, 0, 0, 2, 3, 100]),
    segno=st.booleans(),
    coda=st.booleans(),
    to_coda=st.booleans(),
    fine=st.booleans(),
    jump=st.sampled_from(["", "", "", "capo", "segno"]),
)
ENDINGS = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 2), st.lists(st.integers(1, 4), max_size=2).map(tuple)), max_size=4
)


@given(st.lists(BARS, max_size=12), ENDINGS)
def test_any_signs_come_to_an_end_and_lead_only_to_bars_that_are_there(bars, rows):
    endings = [
        Ending(first, min(first + more, len(bars) - 1), numbers) for first, more, numbers in rows if first < len(bars)
    ]
    order = play_order(bars, endings)
    assert set(order) <= set(range(len(bars)))
    assert len(order) <= (len(bars) + 1) * MAX_TIMES * 3
    if not endings and not any(bar.jump for bar in bars):
        assert set(order) == set(range(len(bars)))


@given(st.lists(st.builds(Bar, segno=st.booleans(), coda=st.booleans(), fine=st.booleans()), max_size=12))
def test_signs_that_no_jump_leads_to_change_nothing(bars):
    assert play_order(bars) == list(range(len(bars)))


def bars(count, **signs):
    """Bars with signs such as times={2: 2}."""
    return [Bar(**{name: places[n] for name, places in signs.items() if n in places}) for n in range(count)]


@pytest.mark.parametrize(
    ("written", "endings", "played"),
    [
        (bars(3, times={1: 2}), [], [0, 1, 0, 1, 2]),
        (bars(4, forward={1: True}, times={2: 3}), [], [0, 1, 2, 1, 2, 1, 2, 3]),
        (bars(4, times={1: 2, 3: 2}), [], [0, 1, 0, 1, 2, 3, 2, 3]),  # the second goes back to where the first ended
        (bars(4, times={1: 2}), [Ending(1, 1, (1,)), Ending(2, 2, (2,))], [0, 1, 0, 2, 3]),
        (bars(4, times={1: 2}), [Ending(1, 1, (1, 2)), Ending(2, 2, (3,))], [0, 1, 0, 1, 0, 2, 3]),
        (bars(4, times={1: 2, 2: 2}), [Ending(1, 1, (1,)), Ending(2, 2, (2,))], [0, 1, 0, 2, 3]),
        (bars(3, times={1: 2}), [Ending(1, 1, (1,))], [0, 1, 0, 2]),  # the second ending isn't marked
        (bars(3, times={1: 2}), [Ending(2, 2, (2,))], [0, 1, 0, 1, 2]),  # or the first isn't
        (bars(4, times={2: 2}), [Ending(1, 1, (1,)), Ending(3, 3, (2,))], [0, 1, 2, 0, 3]),  # closed before its sign
        (bars(3, times={1: 2}), [Ending(1, 1, (1,)), Ending(2, 2, (3,))], [0, 1, 0, 2]),
        (bars(3, times={1: 2}), [Ending(1, 1, (2,)), Ending(2, 2, (2,))], [0, 1, 0, 2]),
        (bars(3), [Ending(1, 1, (1,)), Ending(2, 2, (2,))], [0, 1, 0, 2]),  # the sign is forgotten
        (bars(3), [Ending(1, 2, (1,))], [0, 1, 2]),
        (bars(4, fine={1: True}, jump={3: "capo"}), [], [0, 1, 2, 3, 0, 1]),
        (bars(4, fine={2: True}, jump={3: "segno"}, segno={1: True}), [], [0, 1, 2, 3, 1, 2]),
        (bars(5, to_coda={1: True}, jump={3: "capo"}, coda={4: True}), [], [0, 1, 2, 3, 0, 1, 4]),
        (bars(4, times={1: 2}, jump={3: "capo"}), [], [0, 1, 0, 1, 2, 3, 0, 1, 2, 3]),  # no repeats after a jump
        (
            bars(5, times={1: 2}, jump={4: "capo"}, fine={2: True}),
            [Ending(1, 1, (1,)), Ending(2, 2, (2,))],
            [0, 1, 0, 2, 3, 4, 0, 2],
        ),
        (
            bars(5, times={1: 2}, jump={4: "capo"}, fine={1: True}),
            [Ending(1, 1, (1,)), Ending(2, 2, (2,))],
            [0, 1, 0, 2, 3, 4, 0, 1],
        ),
        (
            bars(4, jump={2: "segno"}, segno={1: True}, fine={3: True}),
            [Ending(2, 2, (1,)), Ending(3, 3, (2,))],
            [0, 1, 2, 1, 3],
        ),
        ([], [], []),
    ],
)
def test_orders_by_hand(written, endings, played):
    assert play_order(written, endings) == played


def test_more_bars_than_anybody_plays_are_refused():
    with pytest.raises(PianalysisError, match="more than 20,000 bars"):
        play_order([Bar(times=MAX_TIMES)] * (MAX_PLAYED_BARS // MAX_TIMES + 1))

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.harmony.beats import beat_grid, clock_beats
from pianalysis.music.clock import BeatClock

METRES = st.tuples(st.integers(1, 15), st.sampled_from([1, 2, 4, 8, 16]))
FOLDS = st.sampled_from([0.25, 0.5, 1.0, 2.0])


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30), METRES, FOLDS)
def test_beats_fill_the_bars_and_are_not_too_short(sixteenths, metre, fold):
    quarter = 500 * fold
    lines = np.concatenate([[0], np.cumsum(sixteenths)]) * quarter / 4
    beats = beat_grid(lines, metre, quarter)
    assert (beats.borders_ms[0], beats.borders_ms[-1]) == (lines[0], lines[-1])
    assert (np.diff(beats.borders_ms) > 0).all()
    assert np.isin(lines, beats.borders_ms).all()
    assert (lines[beats.bar] <= beats.borders_ms[:-1]).all()
    assert (beats.borders_ms[1:] <= lines[beats.bar + 1]).all()
    assert ((beats.place >= 0) & (beats.place < beats.beats_in_bar)).all()
    longest = np.diff(beats.borders_ms).max()
    lengths = np.diff(beats.borders_ms)
    alone = np.bincount(beats.bar)[beats.bar] == 1
    assert (lengths[~alone] >= min(longest, beat_ms(metre, quarter)) * 0.47).all()


def beat_ms(metre, quarter):
    beats = beat_grid([0, metre[0] * 4 / metre[1] * quarter], metre, quarter)
    return np.diff(beats.borders_ms).min()


@given(METRES, FOLDS, st.integers(1, 5))
def test_whole_bars_are_all_alike(metre, fold, bars):
    length = metre[0] * 4 / metre[1] * 500 * fold
    beats = beat_grid(np.arange(bars + 1) * length, metre, 500 * fold)
    count = len(beats) // bars
    assert beats.place.tolist() == list(range(count)) * bars
    assert (beats.beats_in_bar == count).all()
    assert (beats.strength[beats.place == 0] == 2).all()


@pytest.mark.parametrize(
    ("metre", "fold", "lengths"),
    [
        ((4, 4), 1, [500] * 4),
        ((5, 4), 1, [500] * 5),
        ((2, 2), 1, [1000] * 2),
        ((2, 2), 2, [1000] * 4),
        ((3, 2), 0.5, [500] * 3),
        ((6, 8), 1, [750] * 2),
        ((6, 8), 2, [500] * 6),
        ((12, 8), 1, [750] * 4),
        ((3, 8), 1, [750]),
        ((3, 8), 2, [500] * 3),
        ((4, 8), 1, [500] * 2),
        ((5, 8), 1, [500, 750]),
        ((7, 8), 1, [500, 500, 750]),
        ((1, 1), 1, [1000] * 2),
    ],
)
def test_metres(metre, fold, lengths):
    beats = beat_grid([0, sum(lengths)], metre, 500 * fold)
    assert np.diff(beats.borders_ms).tolist() == lengths


@pytest.mark.parametrize(
    ("metre", "lines", "borders", "places", "counts"),
    [
        # a pickup of three eighths: its last beat is whole
        ((4, 4), [0, 750, 2750], [0, 250, 750, 1250, 1750, 2250, 2750], [2, 3, 0, 1, 2, 3], [4] * 6),
        # an eighth, and five eighths before 6/8
        ((6, 8), [0, 250, 1750], [0, 250, 1000, 1750], [1, 0, 1], [2] * 3),
        ((6, 8), [0, 1250, 2750], [0, 500, 1250, 2000, 2750], [0, 1, 0, 1], [2] * 4),
        # the last bar lacks what the pickup has: its first beats are whole
        ((3, 4), [0, 250, 1750, 3000], [0, 250, 750, 1250, 1750, 2250, 2750, 3000], [2, 0, 1, 2, 0, 1, 2], [3] * 7),
        # a bar divided by a repeat, three quarters and one
        ((4, 4), [0, 2000, 3500, 4000, 6000], [*range(0, 6001, 500)], [0, 1, 2, 3] * 3, [4] * 12),
        # a bar of 3/4 and one of 5/4 in 4/4, a bar of 2/4 in 6/8, a sixteenth too much
        ((4, 4), [0, 2000, 3500, 6000], [*range(0, 6001, 500)], [0, 1, 2, 3, 0, 1, 2, 0, 1, 2, 3, 4], None),
        ((6, 8), [0, 1500, 2500, 4000], [0, 750, 1500, 2000, 2500, 3250, 4000], [0, 1] * 3, [2] * 6),
        ((2, 4), [0, 1000, 2125, 3125], [0, 500, 1000, 1625, 2125, 2625, 3125], [0, 1] * 3, [2] * 6),
    ],
)
def test_odd_bars(metre, lines, borders, places, counts):
    beats = beat_grid(lines, metre)
    assert beats.borders_ms.tolist() == borders
    assert beats.place.tolist() == places
    if counts:
        assert beats.beats_in_bar.tolist() == counts


def test_strength():
    assert beat_grid([0, 2000], (4, 4)).strength.tolist() == [2, 0, 1, 0]
    assert beat_grid([0, 1500], (3, 4)).strength.tolist() == [2, 0, 0]
    assert beat_grid([0, 2500], (5, 4)).strength.tolist() == [2, 0, 0, 1, 0]
    assert beat_grid([0, 500, 2500], (4, 4)).strength.tolist() == [0, 2, 0, 1, 0]


def test_the_beat_in_which_a_time_lies():
    beats = beat_grid([0, 2000], (4, 4))
    assert beats.index([-5, 0, 499, 500, 1999, 2000, 9000]).tolist() == [0, 0, 0, 1, 3, 3, 3]


@pytest.mark.parametrize("bpm", [50, 120, 180])
def test_beats_of_a_clock_are_its_beats_at_any_tempo(bpm):
    beats_ms = np.arange(17) * 60_000 / bpm
    clock = BeatClock.from_beats(beats_ms, np.arange(17) % 4 == 0, end_ms=float(beats_ms[-1]))
    assert np.allclose(clock.to_real(clock_beats(clock).borders_ms[:17]), beats_ms)


@pytest.mark.parametrize(
    ("lines", "metre", "quarter", "found"),
    [
        ([0], (4, 4), 500, "at least two bar lines"),
        ([0, 500, 500], (4, 4), 500, "bar lines that rise"),
        ([0, float("nan")], (4, 4), 500, "bar lines that rise"),
        ([0, 500], (0, 4), 500, "time signature"),
        ([0, 500], (4, 4), 0, "quarter's length"),
    ],
)
def test_what_makes_no_grid_is_refused(lines, metre, quarter, found):
    with pytest.raises(PianalysisError, match=found):
        beat_grid(lines, metre, quarter)

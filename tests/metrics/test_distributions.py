from __future__ import annotations

from math import erfc, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays

from pianalysis.metrics.distributions import FEATURES, inter_onset_ms, overlapping_area, overlapping_areas
from pianalysis.music.notes import make_notes

VALUES = st.lists(st.integers(-1000, 1000), min_size=1, max_size=40)


@given(VALUES, VALUES)
def test_a_share_and_symmetric(first, second):
    area = overlapping_area(first, second)
    assert 0 <= area <= 1
    assert overlapping_area(second, first) == pytest.approx(area)


@given(VALUES, st.randoms())
def test_the_same_values_in_any_order_overlap_wholly(values, random):
    assert overlapping_area(values, random.sample(values, len(values))) == 1


@given(VALUES, VALUES, st.sampled_from([0.25, 3, 1000]), st.integers(-500, 500))
def test_the_unit_does_not_matter(first, second, scale, shift):
    moved = [np.array(values) * scale + shift for values in (first, second)]
    assert overlapping_area(*moved) == pytest.approx(overlapping_area(first, second), abs=0.02)


def kernel_density(values, points):
    values = np.array(values, float)
    width = values.std(ddof=1) * len(values) ** -0.2
    return np.exp(-0.5 * ((points[:, None] - values) / width) ** 2).sum(axis=1) / len(values) / width / sqrt(2 * np.pi)


@given(*[st.lists(st.floats(0, 100), min_size=2, max_size=30).filter(lambda v: np.std(v) > 1) for _ in range(2)])
def test_it_is_the_integral_of_the_smaller_kernel_density(first, second):
    points = np.linspace(-500, 600, 20_001)
    smaller = np.minimum(kernel_density(first, points), kernel_density(second, points))
    assert overlapping_area(first, second) == pytest.approx(smaller.sum() * (points[1] - points[0]), abs=0.01)


def test_two_pairs_of_values_by_hand():
    # −1 and 1 against 1 and 3: standard deviation √2, kernels of h = √2 · 2^−0.2, one hump each, equal half way, at 1.
    width = sqrt(2) * 2**-0.2
    beyond = [0.5 * erfc((1 - centre) / width / sqrt(2)) for centre in (-1, 1)]  # of the first pair's kernels, above 1
    assert overlapping_area([-1, 1], [1, 3]) == pytest.approx(2 * np.mean(beyond), abs=2e-3)


def test_far_apart_constant_and_empty():
    assert overlapping_area([1, 2, 3], [901, 902, 903]) == pytest.approx(0, abs=1e-9)
    assert overlapping_area([60, 60, 60], [60]) == 1
    assert overlapping_area([60, 60, 60], [61]) == pytest.approx(0, abs=1e-9)
    assert overlapping_area([0, 5e-324], [5e-324, 0]) == 1  # the smallest number there is
    assert np.isnan(overlapping_area([], [1]))
    assert np.isnan(overlapping_area([np.nan], [1]))


def test_chords_are_one_onset():
    notes = make_notes([(500, 9, 60, 80), (0, 9, 60, 80), (10, 9, 64, 80), (20, 9, 67, 80), (750, 9, 60, 80)])
    assert inter_onset_ms(notes).tolist() == [500, 250]
    assert inter_onset_ms(notes[:1]).tolist() == inter_onset_ms(make_notes()).tolist() == []


@given(note_arrays(10).filter(lambda notes: len(inter_onset_ms(notes)) > 0), note_arrays(10))
def test_areas_of_pieces(first, second):
    assert overlapping_areas([first, second], [second, first]) == dict.fromkeys(FEATURES, 1.0)
    for name, value in overlapping_areas([first], [second]).items():
        nothing = not len(inter_onset_ms(second) if name == "inter_onset" else second)
        assert np.isnan(value) if nothing else 0 <= value <= 1


def test_intervals_between_pieces_do_not_count():
    pieces = [make_notes([(start, 9, 60, 80), (start + 100, 9, 60, 80)]) for start in (0.0, 9_000.0)]
    assert overlapping_areas(pieces, pieces[:1])["inter_onset"] == 1

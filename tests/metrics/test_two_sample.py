"""Can two sets be told apart: not what is the same, surely what isn't, and never by knowing the song."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.metrics import two_sample
from pianalysis.metrics.two_sample import (
    FOLDS,
    area_under_curve,
    check_installed,
    classifier_two_sample,
    telling_features,
)

SONGS = np.repeat(np.arange(30), 6)


@pytest.fixture(scope="module")
def rows():
    pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'pianalysis[evaluation]'")
    generator = np.random.default_rng(0)
    values = generator.normal(size=(2, len(SONGS), 8))
    values[:, ::7, 2] = np.nan  # a feature that isn't always defined
    return values


def test_two_halves_of_one_distribution_cannot_be_told(rows):
    assert classifier_two_sample(*rows, SONGS, SONGS).auc == pytest.approx(0.5, abs=0.08)


def test_different_sets_can_and_nearly_all_is_told_by_what_is_missing_too(rows):
    first, second = rows
    assert classifier_two_sample(first, second + 4, SONGS, SONGS).auc > 0.99
    second = second.copy()
    second[:, 5] = np.nan
    assert classifier_two_sample(first, second, SONGS, SONGS).auc > 0.99


def test_knowing_a_song_is_of_no_use(rows):
    """Each song is of one set and sounds like itself alone: told at once, if a row of it were learned from."""
    first, second = (half * 0.01 for half in rows)
    height = np.random.default_rng(3).normal(size=(2, 30, 8))
    first, second = (part + of[SONGS] for part, of in zip((first, second), height, strict=True))
    test = classifier_two_sample(first, second, SONGS, SONGS + 30)
    assert test.auc < 0.7
    known = classifier_two_sample(first, second, np.arange(len(SONGS)), np.arange(len(SONGS)) + 1_000)
    assert known.auc > 0.99


def test_folds_never_divide_a_song(rows):
    folds = two_sample._folds(np.concatenate([SONGS, SONGS]), seed=3)
    assert len(folds) == FOLDS
    assert (np.sum(folds, axis=0) == 1).all()  # each row is unseen once
    for unseen in folds:
        both = np.concatenate([SONGS, SONGS])
        assert not set(both[unseen]) & set(both[~unseen])


def test_a_seed_gives_the_same_and_another_another(rows):
    first, second = rows[0], rows[1] + 0.3
    scores = [classifier_two_sample(first, second, SONGS, SONGS, seed=seed).scores for seed in (1, 1, 2)]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert (scores[0] != scores[2]).any()


def test_transposing_both_sets_changes_nothing(rows):
    """A height moved by a constant splits where it did."""
    first, second = np.round(rows * 8)
    moved = classifier_two_sample(first + 7, second + 7, SONGS, SONGS)
    np.testing.assert_allclose(moved.scores, classifier_two_sample(first, second, SONGS, SONGS).scores)


def test_too_little_to_learn_from_is_nan(rows):
    first, second = rows[0][:6], rows[1][:6]
    assert np.isnan(classifier_two_sample(first, second, SONGS[:6], SONGS[:6]).auc)  # a single song
    assert np.isnan(classifier_two_sample(first, second, SONGS[:6], SONGS[:6] + 1).auc)  # one set is left to learn from
    nothing = np.zeros((0, 8))
    assert np.isnan(classifier_two_sample(nothing, nothing, [], []).auc)


def test_a_feature_that_nobody_has_is_left_out(rows):
    first, second = (np.column_stack([half, np.full(len(half), np.nan)]) for half in rows)
    expected = classifier_two_sample(*rows, SONGS, SONGS).scores
    np.testing.assert_array_equal(classifier_two_sample(first, second, SONGS, SONGS).scores, expected)


def test_songs_drawn_twice_count_twice(rows):
    test = classifier_two_sample(rows[0], rows[1] + 0.5, SONGS, SONGS)
    assert test.auc_of(np.arange(30)) == pytest.approx(test.auc)
    assert test.auc_of(np.tile(np.arange(30), 2)) == pytest.approx(test.auc)
    assert test.auc_of(np.array([4])) == area_under_curve(test.scores[test.songs == 4], test.is_second[test.songs == 4])


def test_without_scikit_learn_a_sentence_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(PianalysisError, match=r"pianalysis\[evaluation\]"):
        check_installed()
    with pytest.raises(PianalysisError, match="scikit-learn"):
        classifier_two_sample(np.zeros((2, 1)), np.zeros((2, 1)), [0, 1], [0, 1])


SCORES = st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=20)


@given(SCORES)
def test_the_area_is_what_all_pairs_say(pairs):
    scores, second = [score for score, _ in pairs], [is_second for _, is_second in pairs]
    wins = [(high > low) + (high == low) / 2 for high, a in pairs for low, b in pairs if a and not b]
    expected = np.mean(wins) if wins else np.nan
    assert area_under_curve(scores, second) == pytest.approx(expected, nan_ok=True)
    assert area_under_curve(scores, np.logical_not(second)) == pytest.approx(1 - expected, nan_ok=True)


def test_scores_that_are_not_known_are_left_out():
    assert area_under_curve([np.nan, 0.0, 1.0, np.nan], [False, False, True, True]) == 1
    assert np.isnan(area_under_curve([np.nan, 1.0], [False, True]))


def test_what_tells_most_stands_first():
    first, second = np.zeros((4, 3)), np.zeros((4, 3))
    second[:, 1] = 1
    second[:3, 2] = -1
    first[:, 0] = np.nan
    assert telling_features(first, second, ["nothing", "more", "less"]) == {"more": 1.0, "less": 0.125}

"""Can a classifier tell two sets of music apart? A classifier two-sample test (Lopez-Paz & Oquab 2017).

In: rows of features of both sets and the song of each row. Out: a `TwoSample`: the area under the ROC curve (AUC) on songs
that the classifier hasn't seen. 0.5: nobody who goes by these features can tell; 1: each time. The features are
`pianalysis.metrics.excerpts.FEATURES`.

Gradient boosting is scikit-learn's, in the extra `evaluation`; all else is NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pianalysis.errors import PianalysisError
from pianalysis.metrics.rolls import Counts, Floats

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDS: Final = 5
SETTINGS: Final = {"max_iter": 100, "learning_rate": 0.1, "max_leaf_nodes": 8, "min_samples_leaf": 10}
"""Small trees: a set has some hundreds of excerpts."""
NAN: Final = float("nan")


@dataclass(frozen=True, eq=False)
class TwoSample:
    """How well the second set's rows are told from the first's.

    scores: of each row, the first set's rows first, how surely it is of the second set, said by a classifier that saw no
    row of its song; NaN where there was none. is_second, songs: of each row.
    """

    scores: Floats
    is_second: NDArray[np.bool_]
    songs: Counts

    @property
    def auc(self) -> float:
        """The area under the ROC curve: how often a row of the second set scores above one of the first, ties half."""
        return area_under_curve(self.scores, self.is_second)

    def auc_of(self, songs: Counts) -> float:
        """The same over some songs, one that is there twice counted twice: for intervals by resampling."""
        rows = np.concatenate([np.zeros(0, np.int64), *(np.flatnonzero(self.songs == song) for song in songs)])
        return area_under_curve(self.scores[rows], self.is_second[rows])


def classifier_two_sample(
    first: ArrayLike, second: ArrayLike, first_songs: ArrayLike, second_songs: ArrayLike, *, seed: int = 0
) -> TwoSample:
    """Train and ask a classifier on `FOLDS` folds; all rows of a song, of both sets, are in one fold.

    first, second: features, shape (rows, features), NaN where one isn't defined. first_songs, second_songs: a number a
    row. The same for the same seed, which deals the songs to the folds. Scores are NaN where there are fewer than two
    songs, or where what is left to learn from has rows of one set only. Raises PianalysisError where scikit-learn isn't
    installed.
    """
    features = np.concatenate([np.asarray(first, np.float64), np.asarray(second, np.float64)])
    is_second = np.arange(len(features)) >= len(np.asarray(first))
    songs = np.concatenate([np.asarray(first_songs, np.int64), np.asarray(second_songs, np.int64)])
    scores = np.full(len(features), NAN)
    for unseen in _folds(songs, seed):
        if len(np.unique(is_second[~unseen])) == 2:
            # scikit-learn can't divide a feature that has no value at all, and nothing is learned from it
            known = ~np.isnan(features[~unseen]).all(axis=0)
            model = _classifier(seed).fit(features[~unseen][:, known], is_second[~unseen])
            scores[unseen] = model.predict_proba(features[unseen][:, known])[:, 1]
    return TwoSample(scores, is_second, songs)


def _folds(songs: Counts, seed: int) -> list[NDArray[np.bool_]]:
    """The rows of each fold; none for fewer than two songs."""
    different = len(np.unique(songs))
    if different < 2:
        return []
    folds = _sklearn().model_selection.GroupKFold(min(FOLDS, different), shuffle=True, random_state=seed)
    return [np.isin(np.arange(len(songs)), rows) for _, rows in folds.split(songs, groups=songs)]


def _classifier(seed: int) -> Any:
    return _sklearn().ensemble.HistGradientBoostingClassifier(random_state=seed, early_stopping=False, **SETTINGS)


def _sklearn() -> Any:
    try:
        import sklearn
        import sklearn.ensemble
        import sklearn.model_selection
    except ImportError:
        raise PianalysisError(
            "the classifier two-sample test needs scikit-learn, which isn't installed; "
            "run `pip install 'pianalysis[evaluation]'`"
        ) from None
    return sklearn


def check_installed() -> None:
    """Raises PianalysisError where scikit-learn isn't installed: before hours of work rather than after them."""
    _sklearn()


def area_under_curve(scores: ArrayLike, is_second: ArrayLike) -> float:
    """How often a score of the second set is above one of the first, ties half (Mann & Whitney 1947); NaN left out.

    >>> area_under_curve([0.1, 0.5, 0.5, 0.9], [False, False, True, True])
    0.875
    """
    values, second = np.asarray(scores, np.float64), np.asarray(is_second, bool)
    low, high = (np.sort(values[chosen & ~np.isnan(values)]) for chosen in (~second, second))
    if not len(low) or not len(high):
        return NAN
    below = np.searchsorted(low, high, side="left") + np.searchsorted(low, high, side="right")
    return float(below.sum() / 2 / (len(low) * len(high)))


def telling_features(first: ArrayLike, second: ArrayLike, names: Sequence[str]) -> dict[str, float]:
    """What gives the second set away: each feature's own AUC, above 0.5 where the second set has more; most telling first.

    NaN are left out, and features that are NaN throughout a set. No classifier, no songs: a place to look.
    """
    ours, theirs = np.asarray(first, np.float64), np.asarray(second, np.float64)
    is_second = np.arange(len(ours) + len(theirs)) >= len(ours)
    areas = {
        name: area_under_curve(np.concatenate([ours[:, column], theirs[:, column]]), is_second)
        for column, name in enumerate(names)
    }
    known = {name: area for name, area in areas.items() if not np.isnan(area)}
    return dict(sorted(known.items(), key=lambda item: -abs(item[1] - 0.5)))

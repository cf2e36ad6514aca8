"""How sure is a mean over songs: percentile bootstrap intervals (Efron & Tibshirani 1993).

In: a value a song. Out: `Interval`s, the same for the same values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES: Final = 1_000
CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean, its 95 % confidence interval, and the number of songs; NaN and 0 where no song has a value."""

    mean: float
    low: float
    high: float
    songs: int


def resamples(count: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Indices of `count` songs drawn with replacement, ``[RESAMPLES, count]``; the same for the same seed."""
    return np.random.default_rng(seed).integers(0, max(count, 1), (RESAMPLES, count))


def interval_of(estimate: float, resampled: ArrayLike, songs: int) -> Interval:
    """The interval of an estimate, from its values on resamples, NaN left out; widened to hold the estimate."""
    values = np.append(np.asarray(resampled, float), estimate)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values[~np.isnan(values)], [tail, 1 - tail])
    return Interval(estimate, min(float(low), estimate), max(float(high), estimate), songs)


def mean_interval(values: ArrayLike, *, seed: int = 0) -> Interval:
    """The mean of a value a song, and its interval. NaN are left out.

    >>> mean_interval([0.5, 0.5, float("nan")])
    Interval(mean=0.5, low=0.5, high=0.5, songs=2)
    """
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    if not len(known):
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    means = known[resamples(len(known), seed=seed)].mean(axis=1)
    return interval_of(float(known.mean()), means, len(known))

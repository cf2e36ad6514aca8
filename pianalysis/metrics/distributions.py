"""How alike two sets of music are in the distribution of their pitches, lengths, inter-onset intervals and velocities.

In: values; or notes in clock-ms (a beat is 500), for `CHORD_MS` is a share of a beat. Real milliseconds make no error, but
lengths that depend on the tempo. Out: overlapping areas (Yang & Lerch 2018), from 0 (nothing in common) to 1 (the same).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from pianalysis.metrics.rolls import Floats
from pianalysis.music.notes import Notes

GRID_POINTS: Final = 2_000
CHORD_MS: Final = 12.5
"""Onsets closer than this (half a step of the tokens) to the one before are one chord's: no interval between them."""
NARROWEST: Final = 1e-3
"""The narrowest kernel as a share of the span of all values: equal values alone would have a width of 0."""

FEATURES: Final = ("pitch", "duration", "inter_onset", "velocity")


def overlapping_area(values: ArrayLike, reference_values: ArrayLike) -> float:
    """The integral of the smaller of two densities: 1 for identical values, 0 for values far apart, NaN for none.

    The densities are Gaussian kernel estimates, of each sample with Scott's bandwidth (standard deviation · n^(−1/5),
    what `scipy.stats.gaussian_kde` takes), at 2,000 points from 4 bandwidths below to 4 above all values. Values stand
    at the nearest point, and each density sums to 1 over the points. Non-finite values are left out.
    """
    samples = [np.asarray(sample, np.float64).ravel() for sample in (values, reference_values)]
    samples = [np.sort(sample[np.isfinite(sample)]) for sample in samples]  # in one order: sums round alike
    if not all(len(sample) for sample in samples):
        return float("nan")
    low, high = min(sample.min() for sample in samples), max(sample.max() for sample in samples)
    if low == high:
        return 1.0
    # On a scale from 0 to 1, which changes no area: of values that differ by next to nothing a bandwidth would round to 0.
    samples = [(sample - low) / (high - low) for sample in samples]
    widths = [max(_scott(sample), NARROWEST) for sample in samples]
    start, stop = -4 * max(widths), 1 + 4 * max(widths)
    first, second = (_density(sample, width, start, stop) for sample, width in zip(samples, widths, strict=True))
    return min(1.0, float(np.minimum(first, second).sum() / ((first.sum() + second.sum()) / 2)))


def _scott(sample: Floats) -> float:
    return float(sample.std(ddof=1)) * len(sample) ** -0.2 if len(sample) > 1 else 0.0


def _density(sample: Floats, width: float, start: float, stop: float) -> Floats:
    step = (stop - start) / (GRID_POINTS - 1)
    counts = np.bincount(np.rint((sample - start) / step).astype(int), minlength=GRID_POINTS)
    reach = min(int(np.ceil(5 * width / step)), GRID_POINTS - 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    density: Floats = np.convolve(counts, kernel)[reach : reach + GRID_POINTS]
    density /= density.sum()
    return density


def inter_onset_ms(notes: Notes) -> Floats:
    """The intervals between successive onsets, those of one chord counted once."""
    gaps: Floats = np.diff(np.sort(notes["onset_ms"]))
    starts = np.flatnonzero(np.concatenate([[len(notes) > 0], gaps >= CHORD_MS]))
    onsets: Floats = np.sort(notes["onset_ms"])[starts]
    return np.diff(onsets)


def feature_values(notes_list: Sequence[Notes]) -> dict[str, Floats]:
    """The values of `FEATURES` of some pieces, pooled; intervals between onsets are taken inside each piece."""
    none: list[Floats] = [np.zeros(0)]
    return {
        "pitch": np.concatenate([*none, *(notes["pitch"] for notes in notes_list)]),
        "duration": np.concatenate([*none, *(notes["duration_ms"] for notes in notes_list)]),
        "inter_onset": np.concatenate([*none, *map(inter_onset_ms, notes_list)]),
        "velocity": np.concatenate([*none, *(notes["velocity"] for notes in notes_list)]),
    }


def overlapping_areas(notes_list: Sequence[Notes], reference_list: Sequence[Notes]) -> dict[str, float]:
    """The overlapping area of pitch, duration, inter-onset interval and velocity, each pooled over its set of pieces.

    One piece against its own reference is two lists of one; the mean of that over pieces is lower than the pooled
    value, as a piece must then be like its own reference.
    """
    ours, theirs = feature_values(notes_list), feature_values(reference_list)
    return {name: overlapping_area(ours[name], theirs[name]) for name in FEATURES}

"""Does the accompaniment fit the melody: consonance, clashes, and how much of it is owed to this very melody.

In: notes of melody and accompaniment, on one clock. Out: plain numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from pianalysis.metrics.rolls import PITCH_CLASSES, Floats, ends_ms, last_end_ms, sounding
from pianalysis.music.notes import Notes

CONSONANCE: Final = np.array([1, -1, -1, 1, 1, 0, -1, 1, 1, 1, -1, -1])
"""Of an interval in semitones, octaves aside: unison, thirds, fifth and sixths 1, fourth 0, others −1 (Yeh et al. 2021)."""

_CLASSES: Final = np.arange(PITCH_CLASSES)
_CONSONANCE: Final = CONSONANCE[(_CLASSES[:, None] - _CLASSES[None, :]) % PITCH_CLASSES]
"""Of a melody's pitch class (row) with an accompaniment's (column)."""

Metric = Callable[[Notes, Notes], float]


def pitch_consonance_score(melody: Notes, accompaniment: Notes, *, step_ms: float) -> float:
    """PCS (Yeh et al. 2021): the mean consonance of the melody with each accompaniment note that sounds with it.

    Looked at every `step_ms` (a sixteenth; notes and step on one clock). From −1 to 1; NaN where they never sound
    together.
    """
    return consonance(melody, accompaniment, step_times(melody, step_ms))


def step_times(melody: Notes, step_ms: float) -> Floats:
    """The middle of each step from 0 until the melody's end."""
    return np.arange(0.5, last_end_ms(melody) / step_ms) * step_ms


def consonance(melody: Notes, accompaniment: Notes, times_ms: Floats) -> float:
    """The mean consonance of each melody note with each accompaniment note at some rising times; NaN without any."""
    above, below = sounding(melody, times_ms), sounding(accompaniment, times_ms)
    pairs = int((above.sum(axis=1) * below.sum(axis=1)).sum())
    return float(((above @ _CONSONANCE) * below).sum() / pairs) if pairs else float("nan")


def clash_rate(melody: Notes, accompaniment: Notes) -> float:
    """The share of the melody's sounding time with a clash; NaN if it has none.

    A clash: the accompaniment sounds a pitch class a semitone from the melody's, and not the melody's own. Where there
    is no accompaniment there is no clash.
    """
    edges = np.unique(np.concatenate([part for notes in (melody, accompaniment) for part in _edges(notes)]))
    lengths, starts = np.diff(edges), edges[:-1]
    above, below = (sounding(notes, starts) > 0 for notes in (melody, accompaniment))
    beside = np.roll(below, 1, axis=1) | np.roll(below, -1, axis=1)
    total = float(lengths[above.any(axis=1)].sum())
    clashes = float(lengths[(above & beside & ~below).any(axis=1)].sum())
    return clashes / total if total > 0 else float("nan")


def _edges(notes: Notes) -> tuple[Floats, Floats]:
    onsets: Floats = notes["onset_ms"]
    return onsets, ends_ms(notes)


def coupling(metric: Metric, melody: Notes, accompaniment: Notes, other: Notes) -> float:
    """A metric's value for the true pair minus its value with another piece's accompaniment.

    What any thick, safe accompaniment would get is taken off. `metric`: of melody and accompaniment, such as
    ``partial(pitch_consonance_score, step_ms=125)``. NaN if either value is.
    """
    return metric(melody, accompaniment) - metric(melody, other)

"""Piano rolls: how many notes sound when, by key or by pitch class.

In: note arrays and moments, or steps, all in milliseconds of one clock, whichever it is. Out: arrays of counts, a row a moment.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pianalysis.music.notes import Notes

KEYS: Final = 128
PITCH_CLASSES: Final = 12

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


def ends_ms(notes: Notes) -> Floats:
    """When each note ends, in its own clock's ms."""
    ends: Floats = notes["onset_ms"] + notes["duration_ms"]
    return ends


def last_end_ms(notes: Notes) -> float:
    """When the last note has ended; 0 for no notes."""
    return float(ends_ms(notes).max(initial=0.0))


def sounding(notes: Notes, times_ms: ArrayLike, *, classes: int = PITCH_CLASSES) -> Counts:
    """How many notes of each pitch class (or, with `classes` 128, of each key) sound at each of some rising times.

    A note sounds from its onset until just before its end. Shape (times, classes).

    >>> from pianalysis.music.notes import make_notes
    >>> sounding(make_notes([(0, 500, 61, 80)]), [0, 250, 500])[:, 1].tolist()
    [1, 1, 0]
    """
    times = np.asarray(times_ms, np.float64)
    first = np.searchsorted(times, notes["onset_ms"])
    stop = np.maximum(np.searchsorted(times, ends_ms(notes)), first)
    return _roll(first, stop, notes["pitch"] % classes, (len(times), classes))


def step_roll(notes: Notes, *, step_ms: float) -> NDArray[np.bool_]:
    """Which keys sound at each step, onsets and ends rounded to the nearest. Shape (steps, 128)."""
    first, stop = steps(notes["onset_ms"], step_ms), steps(ends_ms(notes), step_ms)
    return _roll(first, np.maximum(stop, first), notes["pitch"], (int(stop.max(initial=0)), KEYS)) > 0


def steps(times_ms: NDArray[Any], step_ms: float) -> Counts:
    """Times as whole steps from 0 on, rounded to the nearest, halves up."""
    return np.maximum(np.floor(times_ms / step_ms + 0.5), 0).astype(np.int64)


def _roll(first: NDArray[Any], stop: NDArray[Any], column: NDArray[Any], shape: tuple[int, int]) -> Counts:
    rows, columns = shape
    changes = np.bincount(first * columns + column, minlength=(rows + 1) * columns)
    changes -= np.bincount(stop * columns + column, minlength=(rows + 1) * columns)
    counts: Counts = np.cumsum(changes.reshape(rows + 1, columns), axis=0)[:-1]
    return counts

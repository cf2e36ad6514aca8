"""Swing: whether a melody's eighths are long and short in turn, and such beats as they are written, in even eighths.

In: moments in units from the beginnings of their beats (`measures`). Out: the same moments, written straight.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.output.measures import EIGHTH, QUARTER, Floats, Measure

LONG: Final = 32
"""Units of the long eighth: two thirds of a beat."""
NEAR: Final = 3
"""So many units from a beat or from the short eighth an onset is still on it: a sixteenth is farther."""
THROUGHOUT: Final = 0.9
"""At least so many of the onsets between beats are short eighths where a melody swings, those of triplets not counted, …"""
BEATS: Final = 0.25
"""… in at least so many of its beats …"""
FEWEST: Final = 4
"""… and not fewer than these."""
TRIPLETS: Final = 0.25
"""At most so many of the beats with triplets or short eighths have triplets: where there are more, all is written as triplets."""


def is_swung(measures: list[Measure], onsets: Floats) -> bool:
    """Whether a melody swings throughout; onsets: in played units.

    >>> bar = Measure(0, 192, (4, 4), (0, 48, 96, 144), 0.0)
    >>> is_swung([bar], np.array([0, 32, 48, 80, 96, 128, 144, 176.0])), is_swung([bar], np.array([0, 16, 32, 48, 72.0]))
    (True, False)
    >>> twice = [bar, Measure(192, 192, (4, 4), (0, 48, 96, 144), 192.0)]
    >>> is_swung(twice, np.array([0, 32, 48, 80, 96, 128, 144, 176, 192, 208, 224, 240, 288.0]))  # and a triplet
    True
    """
    played = np.array([m.played + beat for m in measures for beat in m.beats])
    simple = np.array([not m.compound for m in measures for _ in m.beats])
    beat = np.maximum(np.searchsorted(played, onsets + NEAR, side="right") - 1, 0)
    inside = (onsets - played[beat])[simple[beat]]
    between = (inside > NEAR) & (inside < QUARTER - NEAR)
    short, second = (np.abs(inside - third) <= NEAR for third in (LONG, QUARTER - LONG))
    where = beat[simple[beat]]
    triplets = np.bincount(where, second, len(played)) > 0
    swung = (short & ~triplets[where]).sum()
    if triplets.sum() > TRIPLETS * (triplets.sum() + swung):
        return False
    between &= ~(triplets[where] & (short | second))
    return bool(swung >= max(FEWEST, BEATS * len(np.unique(where)), THROUGHOUT * between.sum()))


def swung_beats(beat: NDArray[np.int64], inside: Floats, count: int) -> NDArray[np.bool_]:
    """Of so many beats those that may be written straight: all onsets in them are on the beat or short eighths."""
    off = np.minimum(np.abs(inside), np.minimum(np.abs(inside - LONG), np.abs(inside - QUARTER)))
    return np.asarray(np.bincount(beat, off > NEAR, count) == 0, np.bool_)


def straight(inside: Floats) -> Floats:
    """Moments of a swung beat as they are written.

    >>> straight(np.array([0.0, 16.0, 32.0, 40.0, 48.0])).tolist()
    [0.0, 12.0, 24.0, 36.0, 48.0]
    """
    bent = np.interp(inside, [0, LONG, QUARTER], [0, EIGHTH, QUARTER])
    return np.where((inside < 0) | (inside > QUARTER), inside, bent)

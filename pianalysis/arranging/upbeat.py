"""Where a melody begins with an upbeat.

In: a melody's first onset and the bar that it is in. Out: whether that bar only leads to the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from pianalysis.harmony.beats import clock_beats
from pianalysis.music.clock import EARLY_MS

if TYPE_CHECKING:
    from pianalysis.arranging.pieces import Source
    from pianalysis.music.notes import Notes

LATE_SHARE: Final = 0.25
"""A melody that is silent for so much of its first bar begins with an upbeat; three of four beats are the longest."""


def begins_late(onset_ms: float, start_ms: float, end_ms: float) -> bool:
    """Whether a first note is an upbeat to the end of its bar.

    >>> begins_late(1500, 0, 2000), begins_late(500, 0, 2000), begins_late(250, 0, 2000)
    (True, True, False)
    """
    return onset_ms - start_ms >= (end_ms - start_ms) * LATE_SHARE - EARLY_MS


def has_upbeat(source: Source) -> bool:
    """Whether a melody's first bar is an upbeat: a short one, or one that it begins late in."""
    if source.bars < 2 or not len(source.voice):
        return False
    start, end = source.clock.bar_lines[source.first_bar : source.first_bar + 2].tolist()
    return is_short(source) or begins_late(first_onset_ms(source), start, end)


def is_short(source: Source) -> bool:
    """Whether a melody's first bar is the file's first and shorter than its metre says."""
    return source.first_bar == 0 and bool(clock_beats(source.clock).place[0])


def first_onset_ms(source: Source) -> float:
    """When the melody begins, in clock-ms."""
    return float(np.min(source.voice["onset_ms"]))


def after_upbeat(notes: Notes, source: Source, style: str) -> Notes:
    """What is played of an accompaniment (clock-ms) where the melody begins with an upbeat: nothing before it, nor under it.

    Hymns have a chord on it. The model writes there all the same: what it has begun it goes on with, and is as full as elsewhere.
    """
    if source.intro_bars or not has_upbeat(source):
        return notes
    sung = first_onset_ms(source) if style == "hymn" else float(source.clock.bar_lines[source.first_bar + 1])
    kept: Notes = notes[notes["onset_ms"] >= sung - EARLY_MS]
    return kept

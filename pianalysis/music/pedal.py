"""The sustain pedal: controller 64 of a track, and what it does to notes.

In: a track in ticks. Out: when the pedal is down, and notes as long as they sound with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import symusic

from pianalysis.music.notes import Notes

SUSTAIN: Final = 64
"""The controller's number, and the value from which on it is down."""
DOWN, UP = 127, 0


def pedal_spans(track: symusic.Track) -> list[tuple[int, int]]:
    """The ticks from which to which a track's pedal is down; one that is never let go is down to the track's end."""
    spans: list[tuple[int, int]] = []
    since: int | None = None
    for change in sorted((c for c in track.controls if c.number == SUSTAIN), key=lambda c: c.time):
        if change.value >= SUSTAIN and since is None:
            since = change.time
        elif change.value < SUSTAIN and since is not None:
            spans.append((since, change.time))
            since = None
    if since is not None:
        spans.append((since, max(since, int(track.end()))))
    return [span for span in spans if span[1] > span[0]]


def pedal_controls(spans: Iterable[tuple[int, int]]) -> list[symusic.ControlChange]:
    """The changes of the controller that put the pedal down from one tick to another."""
    return [
        symusic.ControlChange(tick, SUSTAIN, value)
        for start, end in spans
        for tick, value in ((start, DOWN), (end, UP))
    ]


def held_by_pedal(notes: Notes, spans_ms: Sequence[tuple[float, float]]) -> Notes:
    """Notes that sound on while the pedal is down, until their key is struck again (a new array, sorted as it was).

    >>> from pianalysis.music.notes import make_notes
    >>> held_by_pedal(make_notes([(0, 500, 60, 64), (600, 500, 62, 64)]), [(100, 1000)])["duration_ms"].tolist()
    [1000.0, 500.0]
    """
    longer = notes.copy()
    ends = notes["onset_ms"] + notes["duration_ms"]
    for start, end in spans_ms:
        held = (ends >= start) & (ends < end)
        longer["duration_ms"][held] = end - notes["onset_ms"][held]
    for pitch in np.unique(notes["pitch"]):
        index = np.flatnonzero(notes["pitch"] == pitch)
        index = index[np.argsort(notes["onset_ms"][index], kind="stable")]
        room = np.maximum(np.diff(notes["onset_ms"][index]), notes["duration_ms"][index[:-1]])
        longer["duration_ms"][index[:-1]] = np.minimum(longer["duration_ms"][index[:-1]], room)
    return longer

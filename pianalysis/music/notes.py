"""The note array that every stage passes on.

In: rows, or arrays. Out: structured arrays of notes (`NOTE_DTYPE`) in milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError

NOTE_DTYPE: Final = np.dtype([("onset_ms", "f8"), ("duration_ms", "f8"), ("pitch", "i2"), ("velocity", "i2")])
"""One note: onset and duration in milliseconds (of which clock, the function says), MIDI pitch, MIDI velocity."""
SAME_ONSET_MS: Final = 30.0
"""Onsets closer than this are one chord; a performer's fingers are not more exact."""
LONGEST_MINUTES: Final = 120.0
"""Longer pieces are neither played nor drawn."""

Notes = NDArray[np.void]


def make_notes(rows: Iterable[tuple[float, float, int, int]] = ()) -> Notes:
    """An array of notes from (onset_ms, duration_ms, pitch, velocity) rows.

    >>> make_notes([(0, 500, 60, 80)])["pitch"].tolist()
    [60]
    """
    return np.array(list(rows), dtype=NOTE_DTYPE)


def sort_notes(notes: Notes) -> Notes:
    """The notes by onset, then pitch, then length (a new array)."""
    return notes[np.lexsort((notes["duration_ms"], notes["pitch"], notes["onset_ms"]))]


def let_go_before_restrike(notes: Notes) -> Notes:
    """Notes cut off where their own key is struck again (a new array): one key can't sound twice."""
    notes = sort_notes(notes).copy()
    for pitch in np.unique(notes["pitch"]):
        index = np.flatnonzero(notes["pitch"] == pitch)
        room = np.diff(notes["onset_ms"][index])
        notes["duration_ms"][index[:-1]] = np.minimum(notes["duration_ms"][index[:-1]], room)
    return notes


def monophonic(notes: Notes) -> Notes:
    """One voice: of each chord the highest note, each note cut off where the next begins (a new array).

    >>> from pianalysis.music.notes import make_notes
    >>> monophonic(make_notes([(0, 900, 60, 80), (0, 900, 64, 80), (500, 500, 62, 80)]))["duration_ms"].tolist()
    [500.0, 500.0]
    """
    notes = sort_notes(notes)
    if not len(notes):
        return notes
    order = np.lexsort((-notes["pitch"], notes["onset_ms"]))
    kept = [int(order[0])]
    for index in order[1:]:
        if notes["onset_ms"][index] - notes["onset_ms"][kept[-1]] >= SAME_ONSET_MS:
            kept.append(int(index))
        elif notes["pitch"][index] > notes["pitch"][kept[-1]]:
            kept[-1] = int(index)
    voice = notes[sorted(kept)].copy()
    room = np.diff(voice["onset_ms"])
    voice["duration_ms"][:-1] = np.minimum(voice["duration_ms"][:-1], room)
    return voice


def check_notes(notes: Notes) -> None:
    """Raise PianalysisError for times or pitches that can't be played: not finite, off MIDI's range, or too long."""
    end_ms = notes["onset_ms"] + notes["duration_ms"]
    if not np.isfinite(end_ms).all() or (notes["duration_ms"] < 0).any():
        raise PianalysisError("expected finite onsets and durations of 0 ms or more, found others")
    if ((notes["pitch"] < 0) | (notes["pitch"] > 127)).any():
        raise PianalysisError("expected MIDI pitches from 0 to 127, found others")
    minutes = float(end_ms.max(initial=0.0)) / 60_000
    if minutes > LONGEST_MINUTES:
        raise PianalysisError(f"expected at most {LONGEST_MINUTES:.0f} minutes of music, found {minutes:,.0f}; cut it")

"""Can two hands play it?

In: notes, in milliseconds of any clock. Out: how many notes each hand has at once, and how often both are in reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.metrics.rolls import ends_ms
from pianalysis.music.hands import WIDEST_SPAN, chord_starts, split_hands
from pianalysis.music.notes import Notes

EARLY_MS: Final = 31.25
"""A note that ends so soon after a chord has begun is let go for it."""


@dataclass(frozen=True)
class Playability:
    """notes_left, notes_right: the most keys that a hand strikes at once. in_reach: the share of moments at which the
    keys that each hand strikes span at most a twelfth. held_in_reach: the same with the keys still held from before,
    which a pedal can hold too; NaN without notes.
    """

    notes_left: int
    notes_right: int
    in_reach: float
    held_in_reach: float


def playability(notes: Notes) -> Playability:
    """Notes a hand and the share of moments (chords or single notes struck) in reach, after `pianalysis.music.hands.split_hands`.

    Times in ms of any clock; give the whole piece, or the accompaniment to ask of it alone.
    """
    if not len(notes):
        return Playability(0, 0, float("nan"), float("nan"))
    notes = notes[np.lexsort((notes["pitch"], notes["onset_ms"]))]
    starts = chord_starts(notes["onset_ms"])
    chord = np.searchsorted(starts, np.arange(len(notes)), side="right") - 1
    right_hand = split_hands(notes)
    masks = (~right_hand, right_hand)
    left, right = (int(np.bincount(chord[mask], minlength=1).max()) for mask in masks)
    struck = [_spans(notes[mask], chord[mask], chord[mask] + 1, len(starts)) for mask in masks]
    until = np.searchsorted(notes["onset_ms"][starts], ends_ms(notes) - EARLY_MS)
    held = [_spans(notes[mask], chord[mask], np.maximum(until, chord + 1)[mask], len(starts)) for mask in masks]
    return Playability(left, right, _in_reach(struck), _in_reach(held))


def _spans(notes: Notes, first: NDArray[np.int64], stop: NDArray[np.int64], chords: int) -> NDArray[np.int64]:
    """From the lowest to the highest key of each chord; a note is in the chords from its `first` until its `stop`."""
    counts = stop - first
    note = np.repeat(np.arange(len(notes)), counts)
    chord = np.arange(len(note)) - np.repeat(np.cumsum(counts) - counts, counts) + first[note]
    low, high = np.full(chords, 128), np.full(chords, -1)
    np.minimum.at(low, chord, notes["pitch"][note].astype(np.int64))
    np.maximum.at(high, chord, notes["pitch"][note].astype(np.int64))
    spans: NDArray[np.int64] = np.maximum(high - low, 0)
    return spans


def _in_reach(spans: list[NDArray[np.int64]]) -> float:
    return float((np.maximum(*spans) <= WIDEST_SPAN).mean())

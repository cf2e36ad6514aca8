"""Can two hands play it?

In: notes. Out: which hand plays which, how many notes each has at once, and how often both are in reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.metrics.distributions import CHORD_MS
from pianalysis.metrics.rolls import ends_ms
from pianalysis.notes import Notes

REACH_SEMITONES: Final = 19
"""A twelfth."""
HOME_PITCHES: Final = (48, 67)
"""Where the hands lie before the first note: C3 and G4."""
EARLY_MS: Final = 2.5 * CHORD_MS
"""A note that ends so soon after a chord has begun is let go for it."""

Masks = tuple[NDArray[np.bool_], NDArray[np.bool_]]


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


def chord_starts(notes: Notes) -> NDArray[np.int64]:
    """Where in notes sorted by onset each chord begins: a note less than 12.5 ms after the one before is still its."""
    starts: NDArray[np.int64] = np.flatnonzero(np.diff(notes["onset_ms"], prepend=-np.inf) >= CHORD_MS)
    return starts


def split_hands(notes: Notes) -> Masks:
    """Which notes the left and which the right hand plays, as two masks over the notes.

    Each chord (notes struck together) is cut into a lower and an upper part, either of which may be empty: where the
    fewest semitones are out of reach, then where the hands move least (from the middle of what each struck last).
    """
    order = np.lexsort((notes["pitch"], notes["onset_ms"]))
    left = np.zeros(len(notes), bool)
    hands = [float(pitch) for pitch in HOME_PITCHES]
    bounds = [*chord_starts(notes[order]).tolist(), len(notes)]
    for first, stop in pairwise(bounds):
        chord = order[first:stop][np.argsort(notes["pitch"][order[first:stop]], kind="stable")]
        pitches = notes["pitch"][chord].tolist()
        cut = min(range(len(pitches) + 1), key=lambda place: _cost(pitches[:place], pitches[place:], hands))
        left[chord[:cut]] = True
        hands = [_middle(part, hand) for part, hand in zip((pitches[:cut], pitches[cut:]), hands, strict=True)]
    return left, ~left


def _middle(pitches: list[int], otherwise: float) -> float:
    return (pitches[0] + pitches[-1]) / 2 if pitches else otherwise


def _cost(low: list[int], high: list[int], hands: list[float]) -> tuple[int, float]:
    stretch = sum(max(0, part[-1] - part[0] - REACH_SEMITONES) for part in (low, high) if part)
    moves = sum(abs(_middle(part, hand) - hand) for part, hand in zip((low, high), hands, strict=True))
    return stretch, moves


def playability(notes: Notes) -> Playability:
    """Notes a hand and the share of moments (chords or single notes struck) in reach, after `split_hands`.

    Times in ms of any clock; give the whole piece, or the accompaniment to ask of it alone.
    """
    if not len(notes):
        return Playability(0, 0, float("nan"), float("nan"))
    notes = notes[np.lexsort((notes["pitch"], notes["onset_ms"]))]
    starts = chord_starts(notes)
    chord = np.searchsorted(starts, np.arange(len(notes)), side="right") - 1
    masks = split_hands(notes)
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
    return float((np.maximum(*spans) <= REACH_SEMITONES).mean())

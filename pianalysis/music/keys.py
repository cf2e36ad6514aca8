"""Keys: the 88 of a piano, the scale that a melody is in, and the key signatures that a score states.

In: notes, or a score's key signatures. Out: notes on the keyboard; the semitones to C major or A minor; keys, each with its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import symusic

from pianalysis.music.notes import Notes, make_notes

LOWEST_PITCH, HIGHEST_PITCH = 21, 108
"""Of a piano, as MIDI has them: A0 and C8."""
KEY_PROFILE: Final = (0.173, 0.012, 0.143, 0.013, 0.182, 0.058, 0.014, 0.155, 0.016, 0.152, 0.012, 0.07)
"""How much of a melody's time each pitch class takes, from the root of its major scale up: the mean of the training
songs of POP909 (by their key labels) and OpenScore Lieder (by their key signatures), minor keys as their relatives."""


@dataclass(frozen=True)
class KeySignature:
    """From which tick a key holds, its sharps (flats below 0), and its mode: "major", "minor", "" where nobody states it."""

    tick: int
    fifths: int
    mode: str = ""


def keys_of(score: symusic.Score) -> list[KeySignature]:
    """A score's key signatures by tick, the first at 0, each another than the one before.

    Where the file states none from the beginning, the likeliest key of the notes before the first that it states.
    """
    stated: dict[int, KeySignature] = {}
    for item in sorted(score.key_signatures, key=lambda key: key.time):
        tick, fifths = max(0, int(item.time)), int(np.clip(item.key, -7, 7))
        stated[tick] = KeySignature(tick, fifths, "minor" if item.tonality else "major")
    first = min(stated, default=None)
    onset = min((note.time for track in score.tracks for note in track.notes), default=0)
    if first is None or first > onset:
        stated = {0: KeySignature(0, _likeliest_fifths(score, first)), **stated}
    elif first:
        stated[0] = KeySignature(0, *(stated[first].fifths, stated[first].mode))
    keys: list[KeySignature] = []
    for _, key in sorted(stated.items()):
        if not keys or (keys[-1].fifths, keys[-1].mode) != (key.fifths, key.mode):
            keys.append(key)
    return keys


def _likeliest_fifths(score: symusic.Score, until: int | None) -> int:
    """Sharps (flats below 0) of the key that a score's notes before a tick are likeliest in."""
    tables = [track.notes.numpy() for track in score.tracks if len(track.notes)]
    rows = [row for table in tables for row in zip(table["time"], table["duration"], table["pitch"], strict=True)]
    notes = make_notes(
        (0, int(length), int(pitch), 64) for time, length, pitch in rows if until is None or time < until
    )
    fifths = -7 * key_shift(notes) % 12
    return fifths if fifths <= 6 else fifths - 12


def fold_to_keyboard(notes: Notes) -> Notes:
    """Pitches off the 88 keys moved by octaves onto them."""
    folded = notes.copy()
    below = np.maximum(0, -(-(LOWEST_PITCH - notes["pitch"].astype(int)) // 12))
    above = np.maximum(0, -(-(notes["pitch"].astype(int) - HIGHEST_PITCH) // 12))
    folded["pitch"] = notes["pitch"] + 12 * below - 12 * above
    return folded


def key_shift(notes: Notes) -> int:
    """The semitones, −6 … 5, that bring a melody's key to C major or A minor; 0 without notes.

    The scale is the one whose `KEY_PROFILE` makes the melody's pitch classes, weighted by their time, likeliest.

    >>> from pianalysis.music.notes import make_notes
    >>> key_shift(make_notes((500 * step, 500, pitch, 80) for step, pitch in enumerate([62, 64, 66, 67, 69, 71, 73, 74])))
    -2
    """
    if not len(notes):
        return 0
    time = np.bincount(notes["pitch"].astype(int) % 12, weights=notes["duration_ms"], minlength=12)
    costs = np.log(np.array(KEY_PROFILE) + 1e-3)
    root = int(np.argmax([time @ np.roll(costs, tonic) for tonic in range(12)]))
    return -root if root <= 6 else 12 - root

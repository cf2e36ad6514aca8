"""Keys: the 88 of a piano, and the scale that a melody is in.

In: notes. Out: notes on the keyboard; the semitones to C major or A minor.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pianalysis.music.notes import Notes

LOWEST_PITCH, HIGHEST_PITCH = 21, 108
"""Of a piano, as MIDI has them: A0 and C8."""
KEY_PROFILE: Final = (0.173, 0.012, 0.143, 0.013, 0.182, 0.058, 0.014, 0.155, 0.016, 0.152, 0.012, 0.07)
"""How much of a melody's time each pitch class takes, from the root of its major scale up: the mean of the training
songs of POP909 (by their key labels) and OpenScore Lieder (by their key signatures), minor keys as their relatives."""


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

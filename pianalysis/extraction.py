"""Melody extraction: which notes of polyphonic music are its melody.

In: notes in real milliseconds, of one keyboard. Out: which of them are the melody, one voice that may rest.

Each note is described by features of its surroundings (`note_features`: nothing absolute but time, so that a
transposed piece has the same melody). A score for each note comes from them, by a few weights set by hand
(`weigh`) or from a small dilated convolution over the notes (`MelodyNet`, trained by `scripts/train_melody.py`),
and `best_path` finds the line of the highest score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pianalysis.notes import Notes

Floats = NDArray[np.floating]
Method = Literal["learned", "by hand"]

SAME_ONSET_MS: Final = 30.0
"""Onsets closer than this are one chord; a performer's fingers are not more exact."""
REACH: Final = 24
"""How many notes before and after are a note's surroundings."""
NEAR_MS: Final = 2_000.0
"""And how far they may be."""
FAR_SEMITONES: Final = 24.0
"""What a distance in pitch is said to be when there is no note, and at most."""
ROWS: Final = 1_024
"""Notes described at a time: memory stays flat."""

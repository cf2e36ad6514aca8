"""Where a piece's key changes, and the melody and its chords as they would be in one key.

In: a score's key signatures and its clock. Out: `KeyAreas`, which move notes and chords to the first area's key and back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import symusic
from numpy.typing import ArrayLike, NDArray

from pianalysis.harmony.symbols import Chord
from pianalysis.music.clock import BeatClock
from pianalysis.music.keys import keys_of
from pianalysis.music.midi import ticks_to_ms
from pianalysis.music.notes import Notes

EARLY_MS = 30.0
"""What begins so shortly before an area, in clock-ms, is in it."""


@dataclass(frozen=True)
class KeyAreas:
    """Stretches of a piece, each in one key signature.

    starts_ms: where each begins, in clock-ms, rising. moves: the semitones, −6 … 5, that bring each to the first one's
    key; the first is 0.
    """

    starts_ms: tuple[float, ...]
    moves: tuple[int, ...]

    @classmethod
    def of(cls, score: symusic.Score, clock: BeatClock) -> KeyAreas | None:
        """Those of a score; None where its key signature is the same throughout."""
        keys = keys_of(score)
        if len({key.fifths for key in keys}) < 2:
            return None
        starts = clock.to_clock(ticks_to_ms(score, [key.tick for key in keys])).tolist()
        moves = [(7 * (keys[0].fifths - key.fifths) + 6) % 12 - 6 for key in keys]
        return cls(tuple(starts), tuple(moves))

    def at(self, times_ms: ArrayLike) -> NDArray[np.int64]:
        """The moves of what begins at these times, in clock-ms.

        >>> KeyAreas((0.0, 2000.0), (0, -3)).at([0, 1900, 1980, 4000]).tolist()
        [0, 0, -3, -3]
        """
        area = np.searchsorted(self.starts_ms, np.asarray(times_ms, np.float64) + EARLY_MS, side="right") - 1
        return np.asarray(self.moves, np.int64)[np.maximum(area, 0)]

    def in_one_key(self, notes: Notes) -> Notes:
        """Notes (a new array) moved to the first area's key."""
        moved = notes.copy()
        moved["pitch"] += self.at(notes["onset_ms"]).astype(np.int16)
        return moved

    def chords_in_one_key(self, chords: Sequence[Chord | None], times_ms: ArrayLike) -> tuple[Chord | None, ...]:
        """Chords that begin at these times moved to the first area's key."""
        return _moved(chords, self.at(times_ms).tolist())

    def back(self, chords: Sequence[Chord | None], times_ms: ArrayLike) -> tuple[Chord | None, ...]:
        """Chords in the first area's key moved to those of their own areas."""
        return _moved(chords, (-self.at(times_ms)).tolist())


def _moved(chords: Sequence[Chord | None], semitones: Iterable[int]) -> tuple[Chord | None, ...]:
    return tuple(chord.transposed(by) if chord else None for chord, by in zip(chords, semitones, strict=True))

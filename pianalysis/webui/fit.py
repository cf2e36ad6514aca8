"""How well an accompaniment fits its melody, in three numbers that a musician can read.

In: a piece. Out: a `Fit`, and sentences about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from pianalysis.arranging.arranger import Arrangement
from pianalysis.metrics.harmony import pitch_consonance_score
from pianalysis.music.clock import SIXTEENTH_MS, BeatClock
from pianalysis.music.notes import Notes

HUMAN_CONSONANCE: Final = 0.57
"""Mean pitch consonance score of the human accompaniments of POP909's 72 validation songs, each the mean of its windows."""
HUMAN_SPREAD: Final = 0.08
"""Its standard deviation over the songs."""


@dataclass(frozen=True)
class Fit:
    """melody_kept: share of the melody's notes that are in the piece unchanged. consonance: PCS, −1 to 1, None where
    melody and accompaniment never sound together. notes_per_second: of the accompaniment.
    """

    melody_kept: float
    consonance: float | None
    notes_per_second: float

    @property
    def verdict(self) -> str:
        """The consonance beside what people write, in words."""
        if self.consonance is None:
            return "melody and accompaniment never sound together"
        if self.consonance < HUMAN_CONSONANCE - HUMAN_SPREAD:
            return "spicier than most human accompaniments"
        if self.consonance > HUMAN_CONSONANCE + HUMAN_SPREAD:
            return "smoother than most human accompaniments"
        return "as consonant as human accompaniments"

    def as_dict(self) -> dict[str, Any]:
        """For the page."""
        return {
            "melody_kept": self.melody_kept,
            "consonance": None if self.consonance is None else round(self.consonance, 2),
            "notes_per_second": round(self.notes_per_second, 1),
            "human": HUMAN_CONSONANCE,
            "spread": HUMAN_SPREAD,
            "verdict": self.verdict,
        }


def measure_fit(melody: Notes, piece: Arrangement) -> Fit:
    """The fit of a piece to the melody that was given (real ms)."""
    clock = BeatClock.from_score(piece.score)
    above, below = clock.notes_to_clock(piece.melody), clock.notes_to_clock(piece.accompaniment)
    consonance = pitch_consonance_score(above, below, step_ms=SIXTEENTH_MS)
    return Fit(
        share_kept(melody, piece.melody),
        None if np.isnan(consonance) else consonance,
        len(piece.accompaniment) / max(piece.seconds, 1e-9),
    )


def share_kept(given: Notes, found: Notes) -> float:
    """The share of given notes that are found with the same onset (to 0.1 ms), length, pitch and velocity.

    >>> from pianalysis.music.notes import make_notes
    >>> share_kept(make_notes([(0, 500, 60, 80), (500, 500, 62, 80)]), make_notes([(0, 500, 60, 80)]))
    0.5
    """
    if not len(given):
        return 1.0
    there = {key(row) for row in found}
    return sum(key(row) in there for row in given) / len(given)


def key(row: Any) -> tuple[float, float, int, int]:
    """A note as what must stay the same."""
    return (
        round(float(row["onset_ms"]), 1),
        round(float(row["duration_ms"]), 1),
        int(row["pitch"]),
        int(row["velocity"]),
    )

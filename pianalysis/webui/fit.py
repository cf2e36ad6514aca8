"""How well an accompaniment fits its melody, in three numbers that a musician can read.

In: a piece. Out: a `Fit`, and sentences about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pianalysis.arranging.arranger import Arrangement
from pianalysis.arranging.ranking import read_people, spans_of, voices
from pianalysis.metrics.chords import chord_tone_share
from pianalysis.music.notes import Notes
from pianalysis.webui.answers import FitInfo


@dataclass(frozen=True)
class Fit:
    """melody_kept: share of the melody's notes that are in the piece unchanged. chord_tones: share of the accompaniment's
    sounding time in the piece's chords, 0 to 1, None where there are none. notes_per_second: of the accompaniment.
    human, spread: mean and standard deviation of `chord_tones` in people's accompaniments of the piece's style, as ranking
    has them.
    """

    melody_kept: float
    chord_tones: float | None
    notes_per_second: float
    human: float
    spread: float

    @property
    def verdict(self) -> str:
        """The chord tones beside what people write, in words."""
        if self.chord_tones is None:
            return "nothing is played under a chord"
        if self.chord_tones < self.human - self.spread:
            return "freer with its chords than most people"
        if self.chord_tones > self.human + self.spread:
            return "stricter with its chords than most people"
        return "keeps to its chords as people do"

    def as_dict(self) -> FitInfo:
        """For the page."""
        return {
            "melody_kept": self.melody_kept,
            "chord_tones": None if self.chord_tones is None else round(self.chord_tones, 2),
            "notes_per_second": round(self.notes_per_second, 1),
            "human": self.human,
            "spread": self.spread,
            "verdict": self.verdict,
        }


def measure_fit(melody: Notes, piece: Arrangement) -> Fit:
    """The fit of a piece to the melody that was given (real ms)."""
    chords = spans_of(piece)
    share = chord_tone_share(voices(piece)[1], chords) if chords else np.nan
    people = read_people()[piece.style]
    return Fit(
        share_kept(melody, piece.melody),
        None if np.isnan(share) else float(share),
        len(piece.accompaniment) / max(piece.seconds, 1e-9),
        float(people.mean.chord_tones or 0.0),
        float(people.spread.chord_tones or 0.0),
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

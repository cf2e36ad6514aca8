"""How hard a piece may be to play: what each of two hands is asked for at `easy` and `medium`.

In: a word; the notes of two hands, in ms, and the key at which the right hand's begin. Out: rules; notes let go in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from pianalysis.music.hands import LOWEST_RIGHT, chord_starts
from pianalysis.music.notes import SAME_ONSET_MS, Notes

AUTO: Final = "auto"
"""No difficulty: the model writes what it wants for two hands."""
LOWEST_BORDER: Final = 43
"""Below this G2 no right hand begins, however low the melody is."""
UNDER_THE_MELODY: Final = 12
"""In semitones: so far below the middle of a low melody the hands meet."""
LEAST_KEYS: Final = 6
"""Each hand has as many keys, however few are asked for in all."""


@dataclass(frozen=True)
class HandRule:
    """What one hand may be asked for.

    keys: how many it plays at once, held ones too. span: semitones between them. reach: semitones between any two keys of what
    it strikes and of what it struck just before. gap_ms: clock-ms between its strikes, at least; divides: they may divide a
    beat. in_scale: no accidentals but those of the chord that holds.
    """

    keys: int
    span: int
    reach: int
    gap_ms: int
    divides: bool
    in_scale: bool


@dataclass(frozen=True)
class Difficulty:
    """A rule for each hand, None for no other than that two hands can strike it; the density and the harmony where no other
    is asked for (`Options`)."""

    hands: HandRule | None
    density: str
    harmony: str


DIFFICULTIES: Final[Mapping[str, Difficulty]] = MappingProxyType(
    {
        AUTO: Difficulty(None, "mid", "balanced"),
        "easy": Difficulty(HandRule(2, 12, 12, 500, divides=False, in_scale=True), "low", "simple"),
        "medium": Difficulty(HandRule(3, 14, 19, 250, divides=True, in_scale=False), "mid", "balanced"),
        "hard": Difficulty(None, "high", "balanced"),
    }
)


def border_under(melody: Notes, lowest: int, highest: int) -> int:
    """The right hand's lowest key, of those from lowest to highest, for an accompaniment under a melody.

    F3, or lower under a low melody. It holds for a whole piece, so that a player finds each hand where it was.

    >>> from pianalysis.music.notes import make_notes
    >>> [border_under(make_notes([(0, 500, pitch, 80)]), 21, 108) for pitch in (72, 62, 40)]
    [53, 50, 43]
    """
    middle = int(np.median(melody["pitch"])) if len(melody) else LOWEST_RIGHT + UNDER_THE_MELODY
    wanted = min(LOWEST_RIGHT, max(LOWEST_BORDER, middle - UNDER_THE_MELODY))
    return int(np.clip(wanted, lowest + LEAST_KEYS, highest - LEAST_KEYS))


def let_go_in_time(notes: Notes, border: int, rule: HandRule) -> Notes:
    """Notes (a new array) that a hand lets go where it strikes what it couldn't play with them: the oldest first.

    >>> from pianalysis.music.notes import make_notes
    >>> notes = make_notes([(0, 2000, 36, 80), (0, 2000, 43, 80), (500, 500, 48, 80), (1000, 500, 60, 80)])
    >>> let_go_in_time(notes, 53, DIFFICULTIES["easy"].hands)["duration_ms"].tolist()  # C2 goes, G2 stays
    [500.0, 2000.0, 500.0, 500.0]
    """
    shorter = notes.copy()
    ends = notes["onset_ms"] + notes["duration_ms"]
    for hand in (notes["pitch"] < border, notes["pitch"] >= border):
        held: list[int] = []
        for place in np.flatnonzero(hand).tolist():
            onset = notes["onset_ms"][place]
            held = [other for other in held if ends[other] > onset]
            while not _playable(notes["pitch"][[*held, place]], rule):
                before = [other for other in held if onset - notes["onset_ms"][other] >= SAME_ONSET_MS]
                if not before:  # what is struck together is another rule's
                    break
                first = min(before, key=lambda other: (notes["onset_ms"][other], notes["pitch"][other]))
                shorter["duration_ms"][first] = onset - notes["onset_ms"][first]
                held.remove(first)
            held.append(place)
    return shorter


def can_play(notes: Notes, border: int, rule: HandRule) -> bool:
    """Whether each hand can strike what it strikes at once; as some bars that were written otherwise can't be."""
    for hand in (notes[notes["pitch"] < border], notes[notes["pitch"] >= border]):
        starts = chord_starts(hand["onset_ms"])
        if any(not _playable(chord["pitch"], rule) for chord in np.split(hand, starts[1:]) if len(chord)):
            return False
    return True


def _playable(pitches: np.ndarray, rule: HandRule) -> bool:
    return len(pitches) <= rule.keys and int(pitches.max()) - int(pitches.min()) <= rule.span

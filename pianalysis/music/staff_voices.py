"""Voices that share a staff of a score, such as soprano and alto, told apart: each is a melody of its own.

In: the measures of a part. Out: the same, where each voice of such a staff has a staff number of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pianalysis.music.written_parts import WrittenMeasure, WrittenNote

LAYER: Final = 1_000
"""What is added to a staff's number for each voice below its first."""
TOGETHER_SHARE: Final = 0.8
"""Voices that share a staff are both there in so many of its measures; those of a pianist come and go."""
ALONE_SHARE: Final = 0.95
"""… and so many of the notes of each stand alone."""


def voices_apart(measures: Sequence[WrittenMeasure]) -> list[WrittenMeasure]:
    """Measures whose notes have a staff number for each voice, where voices share a staff throughout; the first keeps its own.

    Which voice is the first: the one that is higher on the whole.
    """
    layers: dict[tuple[int, str], int] = {}
    for staff in sorted({note.staff for measure in measures for note in measure.notes}):
        for layer, voice in enumerate(_sharing(staff, measures)):
            layers[staff, voice] = staff + LAYER * layer
    if not layers:
        return list(measures)
    return [
        replace(
            measure,
            notes=[replace(note, staff=layers.get((note.staff, note.voice), note.staff)) for note in measure.notes],
        )
        for measure in measures
    ]


def _sharing(staff: int, measures: Sequence[WrittenMeasure]) -> list[str]:
    """The voices of a staff that share it throughout, the highest first; [] where they don't."""
    rows: defaultdict[str, list[list[WrittenNote]]] = defaultdict(list)
    played = 0
    for measure in measures:
        here: defaultdict[str, list[WrittenNote]] = defaultdict(list)
        for note in measure.notes:
            if note.staff == staff and not note.grace:
                here[note.voice].append(note)
        played += bool(here)
        for voice, notes in here.items():
            rows[voice].append(notes)
    if len(rows) < 2 or not all(_is_voice(found, played) for found in rows.values()):
        return []
    return sorted(rows, key=lambda voice: -_height(rows[voice]))


def _is_voice(found: Sequence[Sequence[WrittenNote]], played: int) -> bool:
    notes = sum(map(len, found))
    onsets = sum(len({note.onset for note in measure}) for measure in found)
    return len(found) >= TOGETHER_SHARE * played and onsets >= ALONE_SHARE * notes


def _height(found: Sequence[Sequence[WrittenNote]]) -> float:
    """The mean pitch of a voice."""
    pitches = [note.pitch for measure in found for note in measure]
    return sum(pitches) / len(pitches)

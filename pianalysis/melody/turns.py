"""A melody that several tracks sing in turn: a duet, or verses and choruses on tracks of their own.

In: a score in ticks, its tracks as they are scored, the line of the likeliest. Out: that line with the notes of others where it
rests.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import symusic

from pianalysis.melody.names import NameSays
from pianalysis.melody.track_scores import ScoredTrack
from pianalysis.melody.voices import ONE_VOICE_SHARE

TURN_QUARTERS: Final = 6
"""A singer who is silent for so long may leave a turn to another; in a shorter rest the other only answers."""
FEWEST_NOTES: Final = 4
"""Of a turn that is one: with fewer somebody has called in between."""
LEGATO: Final = 4
"""A note that lasts no longer than a quarter divided by so much into the next singer's turn is still within its own."""
NUMBER: Final = re.compile(r"\s*[#(]*\b(\d{1,2}|i{1,3}|[ab])\b[)]*\s*$", re.IGNORECASE)


def in_turn(scored: Sequence[ScoredTrack]) -> list[ScoredTrack]:
    """The tracks, after the first of `scored`, that may sing the melody where that one rests.

    They are one voice, and as their names say a melody as it is; of two voices or solos whose names say less, those that are
    called the same but for a number and are played on the same programme.
    """
    first, *others = scored
    if first.part.one_voice < ONE_VOICE_SHARE:
        return []
    return [other for other in others if other.part.one_voice >= ONE_VOICE_SHARE and _is_partner(first, other)]


def _is_partner(first: ScoredTrack, other: ScoredTrack) -> bool:
    if first.says == other.says == NameSays.MELODY:
        return True
    numbered = NUMBER.sub("", first.part.name).lower() == NUMBER.sub("", other.part.name).lower()
    return first.says == other.says == NameSays.PERHAPS and numbered and first.part.program == other.part.program


def where_it_rests(
    line: Sequence[symusic.Note], other: Sequence[symusic.Note], ticks_per_quarter: int
) -> list[symusic.Note]:
    """The notes of another line that sound where a line rests for long enough, unchanged; [] where they are too few for a turn.

    >>> line = [symusic.Note(0, 480, 60, 80), symusic.Note(4800, 480, 62, 80)]
    >>> other = [symusic.Note(480 * beat, 480, 70 + beat, 80) for beat in range(12)]
    >>> [note.pitch for note in where_it_rests(line, other, 480)]
    [71, 72, 73, 74, 75, 76, 77, 78, 79]
    """
    rests = _rests(line, TURN_QUARTERS * ticks_per_quarter)
    over = ticks_per_quarter // LEGATO
    found: list[symusic.Note] = []
    for start, stop in rests:
        turn = [note for note in other if start - over <= note.time < stop and note.time + note.duration <= stop + over]
        found += turn if len(turn) >= FEWEST_NOTES else []
    return found


def _rests(line: Sequence[symusic.Note], shortest: int) -> list[tuple[int, int]]:
    """When a line rests, in ticks, the time before its first note and that after its last included."""
    sounding = sorted((note.time, note.time + note.duration) for note in line)
    far = sounding[-1][1] + 2**30
    rests, end = [], 0
    for (_, stop), (start, _) in pairwise([(0, 0), *sounding, (far, far)]):
        end = max(end, stop)
        if start - end >= shortest:
            rests.append((end, start))
    return rests

"""Written notes as they sound: measures in the order of playing, grace notes given time, ties joined.

In: the measures of a part, and when each is played. Out: notes in ticks, and what is sung to them, by staff.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import groupby
from typing import Final

import symusic

from pianalysis.music.written_parts import WrittenMeasure, WrittenNote
from pianalysis.music.written_words import verse_sung

TICKS_PER_QUARTER: Final = 10_080
"""A multiple of 32, 9, 5 and 7: all but the oddest tuplets are whole ticks."""
GRACE_TICKS: Final = TICKS_PER_QUARTER // 8
"""How long a grace note is, at most."""


@dataclass
class PlayedNote:
    """A note from `onset` to `end` in ticks, how it was written, and what is sung to it this time."""

    onset: int
    end: int
    written: WrittenNote
    word: str = ""


@dataclass
class PlayedStaff:
    """What is played from one staff, in ticks: notes by onset and pitch, and the words by onset."""

    notes: dict[tuple[int, int], symusic.Note] = field(default_factory=dict)
    words: dict[int, str] = field(default_factory=dict)


def to_ticks(quarters: Fraction) -> int:
    """Quarters as the nearest whole ticks."""
    return round(quarters * TICKS_PER_QUARTER)


def perform(measures: Sequence[WrittenMeasure], schedule: Iterable[tuple[int, Fraction]]) -> dict[int, PlayedStaff]:
    """A part by staff, for (number of the measure, its start in quarters) in the order of playing."""
    voices: defaultdict[str, list[PlayedNote]] = defaultdict(list)
    turns: Counter[int] = Counter()
    for number, start in schedule:
        turns[number] += 1
        written = measures[number].notes if number < len(measures) else []
        notes = [note for note in written if not note.passes or turns[number] in note.passes]
        verse = verse_sung((note.words for note in notes), turns[number])
        for note in notes:
            onset, end = to_ticks(start + note.onset), to_ticks(start + note.onset + note.length)
            voices[note.voice].append(PlayedNote(onset, end, note, dict(note.words).get(verse, "")))
    for voice in voices.values():
        voice.sort(key=lambda note: (note.onset, not note.written.grace))
        _give_time_to_graces(voice)
    played = sorted((note for voice in voices.values() for note in voice), key=lambda note: (note.onset, note.end))
    staves: defaultdict[int, PlayedStaff] = defaultdict(PlayedStaff)
    for heard in _joined(played):
        staff, key = staves[heard.written.staff], (heard.onset, heard.written.pitch)
        length = max(1, heard.end - heard.onset)
        if (
            key not in staff.notes or staff.notes[key].duration < length
        ):  # two voices on one key: the longer one is heard
            staff.notes[key] = symusic.Note(heard.onset, length, heard.written.pitch, heard.written.velocity)
        if heard.word:
            staff.words.setdefault(heard.onset, heard.word)
    return dict(sorted(staves.items()))


def _give_time_to_graces(voice: list[PlayedNote]) -> None:
    """Put a voice's grace notes before the note they lean on, in place; the note before makes room.

    Where there is none, at the very beginning, the note that they lean on begins later.
    """
    before: list[PlayedNote] = []
    for onset, together in groupby(list(voice), key=lambda note: note.onset):
        chord = list(together)
        graces = [note for note in chord if note.written.grace]
        main = [note for note in chord if not note.written.grace]
        if graces:
            count = max(note.written.slot for note in graces) + 1
            earliest = before[0].onset if before else 0
            room = onset - earliest if onset else min((note.end - note.onset for note in main), default=GRACE_TICKS)
            each = max(1, min(GRACE_TICKS, room // (2 * count)))
            first = max(0, onset - count * each)
            for note in graces:
                note.onset = first + note.written.slot * each
                note.end = note.onset + each
            for note in before:
                if first < note.end <= onset:
                    note.end = first
            if not onset:
                for note in main:
                    note.onset = count * each
        before = main or before


def _joined(notes: Iterable[PlayedNote]) -> list[PlayedNote]:
    """The notes with those that are tied made one. A tie ends at a note of its pitch that begins where it does.

    Only what is played counts: a tie into a first ending is one into the second as well. A tie without an end is none.
    """
    joined: list[PlayedNote] = []
    open_ties: defaultdict[tuple[int, int], list[PlayedNote]] = defaultdict(list)
    for note in notes:
        written = note.written
        waiting = open_ties[written.pitch, note.onset] if written.tie_stop else []
        if waiting:
            same_voice = [other for other in waiting if other.written.voice == written.voice]
            held = (same_voice or waiting)[0]
            waiting.remove(held)
            held.end = note.end
        else:
            held = note
            joined.append(note)
        if written.tie_start:
            open_ties[written.pitch, note.end].append(held)
    return joined

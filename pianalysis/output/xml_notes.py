"""Notes and rests as MusicXML writes them, each spelled in the key and the chord that hold where it begins.

In: the events of a measure (`spelling`). Out: `<note>` elements, in the order that MusicXML's schema has.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

from pianalysis.harmony.symbols import Chord as NamedChord
from pianalysis.music.keys import KeySignature
from pianalysis.music.words import Syllable
from pianalysis.output.measures import Measure
from pianalysis.output.spelling import Event, spell_pitch

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

FORTE_VELOCITY: Final = 90
"""MusicXML states loudness as a percentage of this velocity."""
ACCIDENTALS: Final = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


def add(parent: Element, name: str, text: str | int | None = None, **attributes: str) -> Element:
    """A new child of an element, with text where it is given."""
    child = ElementTree.SubElement(parent, name, attributes)
    if text is not None:
        child.text = str(text)
    return child


class Speller:
    """What pitches are called, by where they begin: each measure's key, and the chords."""

    def __init__(
        self,
        measures: Sequence[Measure],
        keys: Sequence[KeySignature],
        chords: Mapping[int, Sequence[tuple[int, NamedChord]]],
    ) -> None:
        """keys: a measure's each. chords: of each measure's index, with the units from its start (`places_of`)."""
        self.keys = keys
        self._starts = [measure.start for measure in measures]
        held = [
            (measures[index].start + offset, chord) for index, row in sorted(chords.items()) for offset, chord in row
        ]
        self._chord_starts, self._chords = [start for start, _ in held], [chord for _, chord in held]

    def pitch(self, pitch: int, onset: int) -> tuple[str, int, int]:
        """Step, alteration and octave of a MIDI pitch that is struck at a written moment."""
        held = bisect_right(self._chord_starts, onset) - 1
        fifths = self.keys[max(bisect_right(self._starts, onset) - 1, 0)].fifths
        return spell_pitch(pitch, fifths, self._chords[held] if held >= 0 else None)

    def accidentals(self, events: list[Event], fifths: int) -> dict[tuple[int, int], str]:
        """What stands before which notes of a staff in a measure, by (start, pitch)."""
        in_force: dict[tuple[str, int], int] = {}
        shown: dict[tuple[int, int], str] = {}
        for event in sorted((e for e in events if e.chord is not None and not e.tied), key=lambda event: event.start):
            if event.chord is None:
                continue
            for pitch, _ in event.chord.keys:
                step, alteration, octave = self.pitch(pitch, event.chord.onset)
                if in_force.get((step, octave), key_alteration(step, fifths)) != alteration:
                    shown[event.start, pitch] = ACCIDENTALS[alteration]
                in_force[step, octave] = alteration
        return shown


def key_alteration(step: str, fifths: int) -> int:
    """What a key signature does to a step.

    >>> key_alteration("F", 1), key_alteration("B", -1), key_alteration("C", 1)
    (1, -1, 0)
    """
    place = "FCGDAEB".index(step)
    return int(place < fifths) - int(place >= 7 + fifths)


class NoteWriter:
    """Writes one event's notes; the elements' order is MusicXML's."""

    def __init__(self, parent: Element, event: Event, voice: str, stem: str, staff: int) -> None:
        self.parent, self.event, self.voice, self.stem, self.staff = parent, event, voice, stem, staff

    def write(
        self,
        speller: Speller,
        accidentals: dict[tuple[int, int], str],
        *,
        hidden: bool,
        syllables: Sequence[Syllable] = (),
    ) -> None:
        """The event's rest, hidden where another voice makes it needless, or its notes, from the lowest up."""
        if self.event.chord is None:
            hide = hidden and not self.event.triplet  # a bracket over hidden rests says nothing
            note = add(self.parent, "note", **({"print-object": "no"} if hide else {}))
            add(note, "rest", **({"measure": "yes"} if self.event.whole else {}))
            self._finish(note, accidental="", is_first=True)
            return
        for index, (pitch, velocity) in enumerate(self.event.chord.keys):
            note = add(self.parent, "note", dynamics=f"{100 * velocity / FORTE_VELOCITY:.2f}")
            if index:
                add(note, "chord")
            step, alteration, octave = speller.pitch(pitch, self.event.chord.onset)
            element = add(note, "pitch")
            add(element, "step", step)
            if alteration:
                add(element, "alter", alteration)
            add(element, "octave", octave)
            self._finish(note, accidental=accidentals.get((self.event.start, pitch), ""), is_first=not index)
            if not index:
                _add_lyric(note, syllables)

    def _finish(self, note: Element, *, accidental: str, is_first: bool) -> None:
        event = self.event
        add(note, "duration", event.length)
        ties = [kind for kind, there in (("stop", event.tied), ("start", event.ties)) if there]
        for kind in ties:
            add(note, "tie", type=kind)
        add(note, "voice", self.voice)
        if not event.whole:
            add(note, "type", event.name)
            for _ in range(event.dots):
                add(note, "dot")
        if accidental and not event.tied:
            add(note, "accidental", accidental)
        if event.triplet:
            modification = add(note, "time-modification")
            add(modification, "actual-notes", 3)
            add(modification, "normal-notes", 2)
            if event.name != event.triplet or event.dots:
                add(modification, "normal-type", event.triplet)
        if self.stem and event.chord is not None:
            add(note, "stem", self.stem)
        if self.staff:
            add(note, "staff", self.staff)
        for level, beam in enumerate(event.beams if is_first else (), start=1):
            add(note, "beam", beam, number=str(level))
        if ties or (event.bracket and is_first):
            notations = add(note, "notations")
            for kind in ties:
                add(notations, "tied", type=kind)
            if event.bracket and is_first:
                add(notations, "tuplet", type=event.bracket, number="1")


def _add_lyric(note: Element, syllables: Sequence[Syllable]) -> None:
    """Syllables under a note; several of them are written as one."""
    if not syllables:
        return
    begins, ends = syllables[0].begins, syllables[-1].ends
    lyric = add(note, "lyric", number="1")
    add(lyric, "syllabic", ("single" if ends else "begin") if begins else "end" if ends else "middle")
    add(lyric, "text", "".join(item.text + (" " if item.ends else "") for item in syllables).strip())

"""A part of a MusicXML score, measure by measure, as it is written.

In: a <part> element. Out: `WrittenMeasure`s whose times are quarters from the measure's start, pitches as they sound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final
from xml.etree.ElementTree import Element

from pianalysis.music.directions import Direction, Marks, read_barline, read_direction
from pianalysis.music.metres import MOST_BEATS
from pianalysis.music.written_chords import harte_label
from pianalysis.music.written_words import Words, read_lyrics
from pianalysis.music.xmlfiles import MusicXmlError, fraction, whole_number

STEPS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
FORTE_VELOCITY: Final = 90
"""MusicXML states loudness as a percentage of this velocity."""
PLAIN_VELOCITY: Final = 80
"""How loud a score is that says nothing of it."""
LONGEST_QUARTERS: Final = 1_000
"""No note or rest is longer: a number past it is an error of the program that wrote the file."""
PERCUSSION_CHANNEL: Final = 10


@dataclass(frozen=True)
class WrittenNote:
    """A note: onset and length in quarters from the measure's start, sounding pitch. A grace note has no length.

    slot: which of several grace notes in a row it is, from 0; those of a chord have the same.
    """

    onset: Fraction
    length: Fraction
    pitch: int
    velocity: int
    voice: str
    staff: int
    slot: int = 0
    tie_start: bool = False
    tie_stop: bool = False
    words: Words = ()
    passes: tuple[int, ...] = ()
    """The times through a repeat at which it is played, from 1; () for all."""

    @property
    def grace(self) -> bool:
        """Whether it is one: it has no time of its own."""
        return not self.length


@dataclass
class WrittenMeasure:
    """A measure of one part, times in quarters from its start.

    end: where its content ends, 0 where there is but a rest for the whole of it. chords: (onset, label). metre: (beats, beat type), () where it has none (senza misura),
    None where it states nothing new. keys: (onset, (sharps, flats below 0; mode)), as they sound.
    """

    notes: list[WrittenNote] = field(default_factory=list)
    chords: list[tuple[Fraction, str]] = field(default_factory=list)
    tempi: list[tuple[Fraction, float]] = field(default_factory=list)
    end: Fraction = Fraction(0)
    metre: tuple[int, int] | tuple[()] | None = None
    keys: list[tuple[Fraction, tuple[int, str]]] = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)


@dataclass(frozen=True)
class Instruments:
    """What a part is played on: the instrument of a note that names none, and those that are drums."""

    usual: str = ""
    drums: frozenset[str] = frozenset()

    @classmethod
    def of(cls, score_part: Element | None) -> Instruments:
        """Those of a <score-part>: drums play on MIDI's percussion channel."""
        found = [] if score_part is None else list(score_part.iter("midi-instrument"))
        drums = (i for i in found if whole_number(i.findtext("midi-channel"), 0) == PERCUSSION_CHANNEL)
        return cls(found[0].get("id", "") if found else "", frozenset(item.get("id", "") for item in drums))


def read_part(part: Element, instruments: Instruments, name: str) -> list[WrittenMeasure]:
    """The measures of a <part>; drums are left out. Raises MusicXmlError, which begins with `name`."""
    reader = _PartReader(instruments)
    first = fraction(part.findtext(".//divisions"))  # some programs write a note before it
    reader.divisions = first if first and first > 0 else reader.divisions
    measures = []
    for number, element in enumerate(part.iter("measure"), start=1):
        try:
            measures.append(reader.read(element))
            reader.repeat(measures)
        except MusicXmlError as error:
            raise MusicXmlError(f"{name}: measure {number}, part {part.get('id', '?')}: {error}") from None
    return measures


class _PartReader:
    """Reads the measures of one part one after the other; what holds from one to the next is kept here."""

    def __init__(self, instruments: Instruments) -> None:
        self.instruments = instruments
        self.divisions = Fraction(1)
        self.shifts: dict[int, tuple[int, int]] = {}  # (steps, semitones) from written to sounding, by staff; 0 is all
        self.velocities: dict[int, int] = {}  # by staff; 0 is all
        self.unpitched_staves: set[int] = set()  # those with a percussion clef
        self.repeating: dict[int, int] = {}  # how many measures a sign (%) stands for, by staff; 0 is all

    def read(self, element: Element) -> WrittenMeasure:
        """The next measure."""
        self.measure = WrittenMeasure()
        self.implicit = element.get("implicit") == "yes"
        self.now = self.chord_onset = Fraction(0)
        self.slots: dict[tuple[Fraction, str], int] = {}
        for child in element:
            self._read_child(child)
            self.measure.end = max(self.measure.end, self.now)
        return self.measure

    def repeat(self, measures: list[WrittenMeasure]) -> None:
        """Write into the last of some measures, in place, what a sign in it says is played once more."""
        for staff, count in self.repeating.items():
            if count >= len(measures) or any(staff in (0, note.staff) for note in measures[-1].notes):
                continue
            before = measures[-1 - count]
            measures[-1].notes += [replace(note, words=()) for note in before.notes if staff in (0, note.staff)]
            measures[-1].end = max(measures[-1].end, before.end)

    def _read_child(self, child: Element) -> None:
        match child.tag:
            case "note":
                self._note(child)
            case "backup":
                self.now = max(Fraction(0), self.now - self._duration(child))
            case "forward":
                self.now += self._duration(child)
            case "attributes":
                self._attributes(child)
            case "harmony":
                label = harte_label(child, self._shift(whole_number(child.findtext("staff"), 1)))
                if label is not None:
                    self.measure.chords.append((self._moment(child), label))
            case "direction" | "sound":
                self._direction(child)
            case "barline":
                read_barline(child, self.measure.marks)

    def _duration(self, element: Element) -> Fraction:
        text = element.findtext("duration")
        value = fraction(text)
        if value is None or not 0 <= value <= LONGEST_QUARTERS * self.divisions:
            raise MusicXmlError(
                f"expected a number as <duration>, no longer than {LONGEST_QUARTERS} quarters, found {text!r}"
            )
        return value / self.divisions

    def _moment(self, element: Element) -> Fraction:
        """Where a direction or chord symbol stands: here, or the offset that it states away."""
        return max(Fraction(0), self.now + (fraction(element.findtext("offset")) or 0) / self.divisions)

    def _shift(self, staff: int) -> tuple[int, int]:
        return self.shifts.get(staff, self.shifts.get(0, (0, 0)))

    def _attributes(self, element: Element) -> None:
        text = element.findtext("divisions")
        if text is not None:
            divisions = fraction(text)
            if divisions is None or divisions <= 0:
                raise MusicXmlError(f"expected a number above 0 as <divisions>, found {text!r}")
            self.divisions = divisions
        for item in element.iter("transpose"):
            octaves = whole_number(item.findtext("octave-change"), 0)
            semitones = whole_number(item.findtext("chromatic"), 0)
            steps = whole_number(item.findtext("diatonic"), round(semitones * 7 / 12))
            self.shifts[whole_number(item.get("number"), 0)] = (steps + 7 * octaves, semitones + 12 * octaves)
        for clef in element.iter("clef"):
            staff = whole_number(clef.get("number"), 1)
            self.unpitched_staves.discard(staff)
            if (clef.findtext("sign") or "").strip() == "percussion":
                self.unpitched_staves.add(staff)
        for style in element.findall("measure-style"):
            if (sign := style.find("measure-repeat")) is not None:
                staff = whole_number(style.get("number"), 0)
                self.repeating.pop(staff, None)
                if sign.get("type") == "start":
                    self.repeating[staff] = max(1, whole_number(sign.text, 1))
        if (key := element.find("key")) is not None and key.find("fifths") is not None:
            steps, semitones = self._shift(1)
            fifths = whole_number(key.findtext("fifths"), 0) + 7 * semitones - 12 * steps
            self.measure.keys.append((self.now, (fifths, (key.findtext("mode") or "").strip())))
        if (time := element.find("time")) is not None:
            self.measure.metre = _metre(time)

    def _direction(self, element: Element) -> None:
        found: Direction = read_direction(element, self.measure.marks)
        if found.tempo is not None:
            self.measure.tempi.append((self._moment(element), found.tempo))
        if found.velocity is not None:
            staff = whole_number(element.findtext("staff"), 0)
            if not staff:
                self.velocities.clear()
            self.velocities[staff] = found.velocity

    def _note(self, element: Element) -> None:
        grace = element.find("grace") is not None
        rest = element.find("rest")
        if rest is not None and rest.get("measure") == "yes" and not self.implicit:
            return  # as long as the measure, whatever the program wrote
        length = Fraction(0) if grace else self._duration(element)
        in_chord = element.find("chord") is not None
        onset = self.chord_onset if in_chord else self.now
        if not in_chord:
            self.chord_onset = self.now
            self.now += length
        pitch, staff = element.find("pitch"), whole_number(element.findtext("staff"), 1)
        if pitch is None or self._is_drum(element, staff) or _is_unplayed(element) or not (length or grace):
            return
        voice = (element.findtext("voice") or "1").strip()
        slot = self.slots.get((onset, voice), -1) + (not in_chord)
        if grace:
            self.slots[onset, voice] = slot
        ties = _ties(element)
        self.measure.notes.append(
            WrittenNote(
                onset,
                length,
                self._pitch(pitch, staff),
                self._velocity(element, staff),
                voice,
                staff,
                max(slot, 0) if grace else 0,
                "start" in ties,
                "stop" in ties,
                read_lyrics(element),
                tuple(map(int, re.findall(r"\d{1,2}", element.get("time-only", "")))),
            )
        )

    def _is_drum(self, note: Element, staff: int) -> bool:
        instrument = note.find("instrument")
        played_on = self.instruments.usual if instrument is None else instrument.get("id", "")
        return staff in self.unpitched_staves or played_on in self.instruments.drums

    def _pitch(self, element: Element, staff: int) -> int:
        step = (element.findtext("step") or "").strip().upper()
        octave = fraction(element.findtext("octave"))
        if step not in STEPS or octave is None:
            found = f"{element.findtext('step')!r} and {element.findtext('octave')!r}"
            raise MusicXmlError(f"expected a step from A to G and an octave, found {found}")
        semitones = STEPS[step] + whole_number(element.findtext("alter"), 0) + self._shift(staff)[1]
        pitch = 12 * (round(octave) + 1) + semitones
        if not 0 <= pitch <= 127:
            raise MusicXmlError(f"expected a pitch from 0 to 127 (60 is middle C), found {pitch}")
        return pitch

    def _velocity(self, element: Element, staff: int) -> int:
        own = fraction(element.get("dynamics"))
        if own is None:
            return self.velocities.get(staff, self.velocities.get(0, PLAIN_VELOCITY))
        return max(1, min(127, round(FORTE_VELOCITY * own / 100)))


def _is_unplayed(note: Element) -> bool:
    """Whether a note is a cue of what others play, or a slash, which says that chords are played in its rhythm."""
    return note.find("cue") is not None or (note.findtext("notehead") or "").strip() == "slash"


def _metre(time: Element) -> tuple[int, int] | tuple[()] | None:
    """Beats and beat type; sums (3+2 over 8, or 3/8 + 2/4) as one metre. () without one, None for what can't be read."""
    if time.find("senza-misura") is not None:
        return ()
    beats = [item.text or "" for item in time.findall("beats")]
    types = [whole_number(item.text, 0) for item in time.findall("beat-type")]
    counts = [sum(whole_number(part, 0) for part in text.split("+")) for text in beats]
    if not counts or len(counts) != len(types) or not all(0 < n <= 64 for n in counts):
        return None
    if not all(n in (1, 2, 4, 8, 16, 32, 64) for n in types):
        return None
    largest = max(types)
    total = sum(count * largest // kind for count, kind in zip(counts, types, strict=True))
    return (total, largest) if total <= MOST_BEATS else None


def _ties(element: Element) -> set[str]:
    """`start` and `stop`: as <tie> says, which is for playing, or else as the drawn <tied> does."""
    played = {tie.get("type", "") for tie in element.findall("tie")}
    return played or {tie.get("type", "") for tie in element.findall("notations/tied")}

"""A piece as a score to read: MusicXML, the melody on a staff of its own, the piano on two.

In: a score in ticks with the melody on track 1 and the accompaniment on track 2, as `Arrangement.score` is. Out: bytes.
Times in it are those of the nearest sixteenths or triplets: what was played freely is written plainly.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

import numpy as np
import symusic

from pianalysis.errors import PianalysisError
from pianalysis.files import write_atomically
from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.symbols import Chord as NamedChord
from pianalysis.music.clock import QUARTER_MS, BeatClock, tempo_fold
from pianalysis.music.hands import split_hands
from pianalysis.music.keys import key_shift
from pianalysis.music.notes import Notes, make_notes
from pianalysis.output.chord_symbols import harmony_element, places_of
from pianalysis.output.grids import is_exact, write_notes
from pianalysis.output.marks import Mark, pedal_marks, slowing_marks
from pianalysis.output.measures import (
    QUARTER,
    SIXTEENTH,
    THIRTYSECOND,
    TRIPLET_SIXTEENTH,
    Chord,
    Measure,
    measures_of,
    tempo_marks,
    voices_of,
    without_silence,
)
from pianalysis.output.spelling import Event, events_of, spell_pitch
from pianalysis.version import __version__

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pianalysis.arranging.arranger import Arrangement

DOCTYPE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
    '"-//Recordings//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
FORTE_VELOCITY: Final = 90
"""MusicXML states loudness as a percentage of this velocity."""
CLEFS: Final = {"treble": ("G", "2"), "bass": ("F", "4")}
BASS_BELOW: Final = 55
MELODY_VOICES, RIGHT_VOICES, LEFT_VOICES = ("1", "2"), ("1", "2"), ("5", "6")
ACCIDENTALS: Final = {-2: "flat-flat", -1: "flat", 0: "natural", 1: "sharp", 2: "double-sharp"}


def save_musicxml(path: str | os.PathLike[str], piece: Arrangement, *, title: str = "") -> Path:
    """Write a piece as MusicXML, whole or not at all. Raises PianalysisError for a name that doesn't end so."""
    target = Path(path)
    if target.suffix.lower() not in (".musicxml", ".xml"):
        raise PianalysisError(f"{target}: expected a name that ends in .musicxml or .xml")
    return write_atomically(target, to_musicxml(piece.score, title=title, chords=piece.chords))


def to_musicxml(score: symusic.Score, *, title: str = "", chords: Sequence[ChordSpan] = ()) -> bytes:
    """MusicXML 4.0 of a melody (track 1) and its accompaniment (track 2, may be missing).

    chords: in real ms, as `Arrangement.chords`; their symbols stand above the melody, spelled in the score's key.
    The metres, tempi and key are the score's own; a key it doesn't state is guessed. Raises PianalysisError without notes.
    """
    if not score.tracks or not any(len(track.notes) for track in score.tracks):
        raise PianalysisError("expected a piece with notes, found none")
    melody, below = [*score.tracks, symusic.Track("", 0, False)][:2]
    measures, melody_notes, below_notes = _written(score, melody, below)
    fifths = key_of(score)
    hand = split_hands(_as_notes(below_notes))
    right, left = ([note for note, r in zip(below_notes, hand, strict=True) if r == wanted] for wanted in (True, False))
    root = ElementTree.Element("score-partwise", version="4.0")
    _add_header(root, title)
    top = _Part(root, "P1", [voices_of(melody_notes, sung=True)], [MELODY_VOICES])
    top.write(measures, fifths, score, places_of(chords, score, measures))
    piano = _Part(root, "P2", [voices_of(right), voices_of(left)], [RIGHT_VOICES, LEFT_VOICES])
    piano.write(measures, fifths, None, marks=pedal_marks(score, measures))
    ElementTree.indent(root)
    return f"{DOCTYPE}{ElementTree.tostring(root, encoding='unicode')}\n".encode()


def key_of(score: symusic.Score) -> int:
    """Sharps (flats below 0) of a score's key: what it states first, or, where it states none or C, what is likeliest."""
    stated = next((key.key for key in sorted(score.key_signatures, key=lambda key: key.time)), 0)
    if stated:
        return int(np.clip(stated, -7, 7))
    tables = [track.notes.numpy() for track in score.tracks if len(track.notes)]
    notes = make_notes(
        (0, int(d), int(p), 64) for table in tables for d, p in zip(table["duration"], table["pitch"], strict=True)
    )
    fifths = -7 * key_shift(notes) % 12
    return fifths if fifths <= 6 else fifths - 12


def _written(
    score: symusic.Score, melody: symusic.Track, below: symusic.Track
) -> tuple[list[Measure], list[Chord], list[Chord]]:
    """Measures and both tracks' notes on their grid: sixteenths, or 32nds where the beat clock counts a slow quarter twice.

    Where the melody is exact, triplets and 32nds are written too: in what was played freely they would be chance.
    """
    clock = BeatClock.from_score(score)
    free = (THIRTYSECOND if tempo_fold(clock.bpm) > 1 else SIXTEENTH,)
    tables = [track.notes.numpy() for track in (melody, below)]
    ends = [np.asarray(table["time"], np.int64) + table["duration"] for table in tables]
    shortest = SIXTEENTH * score.tpq / QUARTER  # even a note without length takes room
    begins = [table["time"] + shortest for table in tables]
    end = max(float(moments.max(initial=0)) for moments in (*ends, *begins))
    measures = measures_of(score, end * QUARTER / score.tpq)
    first = next(table for table in tables if len(table["time"]))
    exact = is_exact(first["time"] * QUARTER / score.tpq)
    steps = (SIXTEENTH, TRIPLET_SIXTEENTH, THIRTYSECOND) if exact else free
    parts = [write_notes(score, track, measures, steps) for track in (melody, below)]
    measures = without_silence(measures, min(note.onset for part in parts for note in part))
    return measures, parts[0], parts[1]


def _as_notes(chords: list[Chord]) -> Notes:
    """Written notes in ms at 120 quarters a minute."""
    scale = QUARTER_MS / QUARTER
    return make_notes((c.onset * scale, (c.end - c.onset) * scale, c.keys[0][0], c.keys[0][1]) for c in chords)


def _add(parent: Element, name: str, text: str | int | None = None, **attributes: str) -> Element:
    child = ElementTree.SubElement(parent, name, attributes)
    if text is not None:
        child.text = str(text)
    return child


def _add_header(root: Element, title: str) -> None:
    if title:
        _add(_add(root, "work"), "work-title", title)
    encoding = _add(_add(root, "identification"), "encoding")
    _add(encoding, "software", f"Pianalysis {__version__}")
    parts = _add(root, "part-list")
    for part, name in (("P1", "Melody"), ("P2", "Piano")):
        _add(_add(parts, "score-part", id=part), "part-name", name)


class _Part:
    """One part while it is written: its staves' voices, and which accidentals hold in the measure in hand."""

    def __init__(self, root: Element, name: str, staves: list[list[list[Chord]]], names: list[tuple[str, str]]) -> None:
        self.element = _add(root, "part", id=name)
        self.staves, self.names = staves, names

    def write(
        self,
        measures: list[Measure],
        fifths: int,
        tempo_of: symusic.Score | None,
        chords: Mapping[int, list[tuple[int, NamedChord]]] = MappingProxyType({}),
        marks: Mapping[int, Sequence[Mark]] = MappingProxyType({}),
    ) -> None:
        """All measures; with tempo marks where `tempo_of` is a score. chords, marks: of each measure's index (`places_of`)."""
        self.fifths = fifths
        tempi = tempo_marks(tempo_of, measures) if tempo_of is not None else {}
        slower = slowing_marks(tempo_of, measures) if tempo_of is not None else {}
        shift = int(measures[0].pickup)
        for index, measure in enumerate(measures):
            attributes = {"number": str(index + 1 - shift)} | ({"implicit": "yes"} if measure.pickup else {})
            element = _add(self.element, "measure", **attributes)
            self._add_attributes(element, measures, index)
            for offset, bpm, printed in tempi.get(index, []):
                _add_tempo(element, measure, offset, bpm, printed=printed)
            for mark in [*marks.get(index, ()), *slower.get(index, ())]:
                mark(element)
            self._add_voices(element, measure, chords.get(index, []))
            if index + 1 == len(measures):
                _add(_add(element, "barline", location="right"), "bar-style", "light-heavy")

    def _add_attributes(self, element: Element, measures: list[Measure], index: int) -> None:
        metre = measures[index].metre
        if index and metre == measures[index - 1].metre:
            return
        attributes = _add(element, "attributes")
        if not index:
            _add(attributes, "divisions", QUARTER)
            _add(_add(attributes, "key"), "fifths", self.fifths)
        time = _add(attributes, "time")
        _add(time, "beats", metre[0])
        _add(time, "beat-type", metre[1])
        if not index:
            if len(self.staves) > 1:
                _add(attributes, "staves", len(self.staves))
            for number, clef in enumerate(self._clefs(), start=1):
                sign, line = CLEFS[clef]
                child = _add(attributes, "clef", **({"number": str(number)} if len(self.staves) > 1 else {}))
                _add(child, "sign", sign)
                _add(child, "line", line)

    def _clefs(self) -> list[str]:
        if len(self.staves) > 1:
            return ["treble", "bass"]
        pitches = [pitch for voice in self.staves[0] for chord in voice for pitch, _ in chord.keys]
        return ["bass" if pitches and np.median(pitches) < BASS_BELOW else "treble"]

    def _add_voices(self, element: Element, measure: Measure, chords: list[tuple[int, NamedChord]]) -> None:
        """The staves' voices one after the other, each chord's symbol before what it stands above in the first of them."""
        first = True
        for staff, (voices, names) in enumerate(zip(self.staves, self.names, strict=True), start=1):
            spelled = [events_of(voice, measure) for voice in voices]
            used = [n for n, events in enumerate(spelled) if n == 0 or any(event.chord for event in events)]
            accidentals = self._accidentals([event for number in used for event in spelled[number]])
            for number in used:
                if not first:
                    _add(_add(element, "backup"), "duration", measure.length)
                symbols, first = chords if first else [], False
                stem = ("up", "down")[number] if len(used) > 1 else ""
                last = max((event.start for event in spelled[number] if event.chord), default=-1)
                for event in spelled[number]:
                    for offset, chord in symbols:
                        if event.start <= offset < event.start + event.length:
                            element.append(harmony_element(chord, self.fifths, offset - event.start))
                    writer = _NoteWriter(element, event, names[number], stem, staff if len(self.staves) > 1 else 0)
                    hidden = number > 0 or (len(used) > 1 and event.start > last)
                    writer.write(self.fifths, accidentals, hidden=hidden)

    def _accidentals(self, events: list[Event]) -> dict[tuple[int, int], str]:
        """What stands before which notes of a staff in a measure, by (start, pitch)."""
        in_force: dict[tuple[str, int], int] = {}
        shown: dict[tuple[int, int], str] = {}
        for event in sorted((e for e in events if e.chord is not None and not e.tied), key=lambda event: event.start):
            for pitch, _ in event.chord.keys if event.chord else ():
                step, alteration, octave = spell_pitch(pitch, self.fifths)
                if in_force.get((step, octave), key_alteration(step, self.fifths)) != alteration:
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


class _NoteWriter:
    """Writes one event's notes; the elements' order is MusicXML's."""

    def __init__(self, parent: Element, event: Event, voice: str, stem: str, staff: int) -> None:
        self.parent, self.event, self.voice, self.stem, self.staff = parent, event, voice, stem, staff

    def write(self, fifths: int, accidentals: dict[tuple[int, int], str], *, hidden: bool) -> None:
        """The event's rest, hidden where another voice makes it needless, or its notes, from the lowest up."""
        if self.event.chord is None:
            note = _add(self.parent, "note", **({"print-object": "no"} if hidden else {}))
            _add(note, "rest", **({"measure": "yes"} if self.event.whole else {}))
            self._finish(note, accidental="", is_first=True)
            return
        for index, (pitch, velocity) in enumerate(self.event.chord.keys):
            note = _add(self.parent, "note", dynamics=f"{100 * velocity / FORTE_VELOCITY:.2f}")
            if index:
                _add(note, "chord")
            step, alteration, octave = spell_pitch(pitch, fifths)
            element = _add(note, "pitch")
            _add(element, "step", step)
            if alteration:
                _add(element, "alter", alteration)
            _add(element, "octave", octave)
            self._finish(note, accidental=accidentals.get((self.event.start, pitch), ""), is_first=not index)

    def _finish(self, note: Element, *, accidental: str, is_first: bool) -> None:
        event = self.event
        _add(note, "duration", event.length)
        ties = [kind for kind, there in (("stop", event.tied), ("start", event.ties)) if there]
        for kind in ties:
            _add(note, "tie", type=kind)
        _add(note, "voice", self.voice)
        if not event.whole:
            _add(note, "type", event.name)
            for _ in range(event.dots):
                _add(note, "dot")
        if accidental and not event.tied:
            _add(note, "accidental", accidental)
        if event.triplet:
            modification = _add(note, "time-modification")
            _add(modification, "actual-notes", 3)
            _add(modification, "normal-notes", 2)
        if self.stem and event.chord is not None:
            _add(note, "stem", self.stem)
        if self.staff:
            _add(note, "staff", self.staff)
        for level, beam in enumerate(event.beams if is_first else (), start=1):
            _add(note, "beam", beam, number=str(level))
        if ties or (event.bracket and is_first):
            notations = _add(note, "notations")
            for kind in ties:
                _add(notations, "tied", type=kind)
            if event.bracket and is_first:
                _add(notations, "tuplet", type=event.bracket, number="1")


def _add_tempo(element: Element, measure: Measure, offset: int, bpm: float, *, printed: bool) -> None:
    dotted = measure.compound and measure.metre[0] % 3 == 0
    if printed:
        direction = _add(element, "direction", placement="above")
        metronome = _add(_add(direction, "direction-type"), "metronome")
        _add(metronome, "beat-unit", "quarter")
        if dotted:
            _add(metronome, "beat-unit-dot")
        _add(metronome, "per-minute", round(bpm * 2 / 3 if dotted else bpm))
        if offset:
            _add(direction, "offset", offset)
        _add(direction, "sound", tempo=f"{bpm:.2f}")
    else:
        sound = _add(element, "sound", tempo=f"{bpm:.2f}")
        if offset:
            _add(sound, "offset", offset)

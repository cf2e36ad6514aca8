"""A piece as a score to read: MusicXML, the melody on a staff of its own, the piano on two.

In: a score in ticks with the melody on track 1 and the accompaniment on track 2, as `Arrangement.score` is. Out: bytes.
Times in it are those of the nearest sixteenths or triplets: what was played freely is written plainly.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree

import numpy as np
import symusic

from pianalysis.errors import PianalysisError
from pianalysis.files import write_atomically
from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.stated import other_markers
from pianalysis.harmony.symbols import Chord as NamedChord
from pianalysis.music.clock import QUARTER_MS, BeatClock, tempo_fold
from pianalysis.music.hands import EASY_SPAN, FINGERS, split_hands
from pianalysis.music.keys import KeySignature, keys_of
from pianalysis.music.notes import Notes, make_notes
from pianalysis.music.words import Syllable, score_words, syllables_of
from pianalysis.output.chord_symbols import harmony_element, places_of
from pianalysis.output.grids import Grid, grid_of, is_exact, write_notes
from pianalysis.output.marks import Mark, pedal_marks, slowing_marks
from pianalysis.output.measures import (
    QUARTER,
    SIXTEENTH,
    SMALLEST,
    THIRTYSECOND,
    TRIPLET_SIXTEENTH,
    Chord,
    Measure,
    measures_of,
    tempo_marks,
    voices_of,
    without_silence,
)
from pianalysis.output.spelling import events_of
from pianalysis.output.swing import is_swung
from pianalysis.output.xml_notes import NoteWriter, Speller, add
from pianalysis.version import __version__

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from pianalysis.arranging.arranger import Arrangement

DOCTYPE: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC '
    '"-//Recordings//DTD MusicXML 4.0 Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
CLEFS: Final = {"treble": ("G", "2"), "bass": ("F", "4")}
BASS_BELOW: Final = 55
MIDDLE_C: Final = 60
LOWEST_UPPER, HIGHEST_LOWER = 52, 71
"""Below E3 a note needs four ledger lines under the upper staff; above B4 it needs more than four over the lower one."""
MELODY_VOICES, RIGHT_VOICES, LEFT_VOICES = ("1", "2"), ("1", "2"), ("5", "6")


def save_musicxml(path: str | os.PathLike[str], piece: Arrangement, *, title: str = "") -> Path:
    """Write a piece as MusicXML, whole or not at all. Raises PianalysisError for a name that doesn't end so."""
    target = Path(path)
    if target.suffix.lower() not in (".musicxml", ".xml"):
        raise PianalysisError(f"{target}: expected a name that ends in .musicxml or .xml")
    return write_atomically(target, to_musicxml(piece.score, title=title, chords=piece.chords, border=piece.border))


def to_musicxml(
    score: symusic.Score, *, title: str = "", chords: Sequence[ChordSpan] = (), border: int | None = None
) -> bytes:
    """MusicXML 4.0 of a melody (track 1) and its accompaniment (track 2, may be missing).

    chords: in real ms, as `Arrangement.chords`; their symbols stand above the melody, spelled in the key that holds there.
    border: the right hand's lowest key; None where the notes tell the hands. The metres, tempi, keys, lyrics and markers are the
    score's own; a key it doesn't state is guessed. Raises PianalysisError without notes.
    """
    if not score.tracks or not any(len(track.notes) for track in score.tracks):
        raise PianalysisError("expected a piece with notes, found none")
    melody, below = [*score.tracks, symusic.Track("", 0, False)][:2]
    written = _written(score, melody, below)
    measures = written.measures
    right, left = _hands(written.below, border)
    root = ElementTree.Element("score-partwise", version="4.0")
    _add_header(root, title)
    symbols = places_of(chords, score, measures)
    speller = Speller(measures, signatures_of(score, measures), symbols)
    top = _Part(root, "P1", [voices_of(written.melody, sung=True)], [MELODY_VOICES], speller)
    bars = [measure.start for measure in measures] + [measures[-1].start + measures[-1].length]
    top.write(measures, _marks(score, written, title), symbols, written.syllables)
    piano = _Part(root, "P2", [voices_of(right, bars), voices_of(left, bars)], [RIGHT_VOICES, LEFT_VOICES], speller)
    piano.write(measures, pedal_marks(score, measures))
    ElementTree.indent(root)
    return f"{DOCTYPE}{ElementTree.tostring(root, encoding='unicode')}\n".encode()


def signatures_of(score: symusic.Score, measures: Sequence[Measure]) -> list[KeySignature]:
    """The key of each measure: the score's own, each from the bar line that is nearest to where it is stated."""
    keys = keys_of(score)
    played = np.array([measure.played for measure in measures])
    found = [keys[0]] * len(measures)
    for key in keys:
        first = int(np.abs(played - key.tick * QUARTER / score.tpq).argmin()) if key.tick else 0
        found[first:] = [key] * (len(measures) - first)
    return found


@dataclass(frozen=True)
class _Written:
    """Measures and both tracks' notes on their grid; whether they swing; the syllables by the onset they are sung at."""

    measures: list[Measure]
    melody: list[Chord]
    below: list[Chord]
    swing: bool
    syllables: dict[int, list[Syllable]]


def _written(score: symusic.Score, melody: symusic.Track, below: symusic.Track) -> _Written:
    """Notes on sixteenths, or on 32nds where the beat clock counts a slow quarter twice.

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
    first = next(table for table in tables if len(table["time"]))["time"] * QUARTER / score.tpq
    steps = (SIXTEENTH, TRIPLET_SIXTEENTH, THIRTYSECOND) if is_exact(first) else free
    swing = is_swung(measures, first)
    grids = [grid_of(score, track, measures, steps, swing=swing, apart=track is melody) for track in (melody, below)]
    top = write_notes(score, melody, measures, grids[0], sung=True)
    lower = write_notes(score, below, measures, grids[1])
    syllables = _sung(score, melody, grids[0])
    return _Written(without_silence(measures, [*top, *lower]), top, lower, swing, syllables)


def _sung(score: symusic.Score, melody: symusic.Track, grid: Grid) -> dict[int, list[Syllable]]:
    """The score's syllables by the written onsets of the notes that are nearest to them, none farther than a beat."""
    onsets = np.unique(melody.notes.numpy()["time"])
    sung: dict[int, list[Syllable]] = {}
    for syllable in syllables_of(score_words(score)) if len(onsets) else []:
        nearest = onsets[np.abs(onsets - syllable.tick).argmin()]
        if abs(int(nearest) - syllable.tick) <= score.tpq:
            place = grid.place(np.array([nearest], np.float64) * QUARTER / score.tpq)
            sung.setdefault(int(place[0]), []).append(syllable)
    return sung


def _hands(below: list[Chord], border: int | None) -> tuple[list[Chord], list[Chord]]:
    """What stands on the upper and on the lower staff: what each hand plays, but nothing far below or above its staff.

    Keys of the right hand below middle C stand with those that the left one strikes at once, where it reaches them all.
    border: the right hand's lowest key; then nothing else counts.
    """
    if border is not None:
        return [n for n in below if n.keys[0][0] >= border], [n for n in below if n.keys[0][0] < border]
    right = split_hands(_as_notes(below))
    upper = np.array(
        [
            note.keys[0][0] >= LOWEST_UPPER and (bool(is_right) or note.keys[0][0] > HIGHEST_LOWER)
            for note, is_right in zip(below, right, strict=True)
        ],
        bool,
    )
    onsets, pitches = np.array([note.onset for note in below]), np.array([note.keys[0][0] for note in below])
    for onset in np.unique(onsets):
        struck = onsets == onset
        keys = pitches[struck]
        if not upper[struck].all() and keys.max() < MIDDLE_C and np.ptp(keys) <= EASY_SPAN and len(keys) <= FINGERS:
            upper[struck] = False
    both = ([note for note, up in zip(below, upper, strict=True) if up == wanted] for wanted in (True, False))
    return next(both), next(both)


def _as_notes(chords: list[Chord]) -> Notes:
    """Written notes in ms at 120 quarters a minute."""
    scale = QUARTER_MS / QUARTER
    return make_notes((c.onset * scale, (c.end - c.onset) * scale, c.keys[0][0], c.keys[0][1]) for c in chords)


def _add_header(root: Element, title: str) -> None:
    if title:
        add(add(root, "work"), "work-title", title)
    encoding = add(add(root, "identification"), "encoding")
    add(encoding, "software", f"Pianalysis {__version__}")
    parts = add(root, "part-list")
    for part, name in (("P1", "Melody"), ("P2", "Piano")):
        add(add(parts, "score-part", id=part), "part-name", name)


class _Part:
    """One part while it is written: its staves' voices, and the names that its pitches have."""

    def __init__(
        self,
        root: Element,
        name: str,
        staves: list[list[list[Chord]]],
        names: list[tuple[str, str]],
        speller: Speller,
    ) -> None:
        self.element = add(root, "part", id=name)
        self.staves, self.names, self.speller = staves, names, speller

    def write(
        self,
        measures: list[Measure],
        marks: Mapping[int, Sequence[Mark]] = MappingProxyType({}),
        chords: Mapping[int, list[tuple[int, NamedChord]]] = MappingProxyType({}),
        syllables: Mapping[int, Sequence[Syllable]] = MappingProxyType({}),
    ) -> None:
        """All measures. marks, chords: of each measure's index. syllables: of each onset."""
        self.syllables = dict(syllables)
        shift = int(measures[0].pickup)
        for index, measure in enumerate(measures):
            attributes = {"number": str(index + 1 - shift)} | ({"implicit": "yes"} if measure.pickup else {})
            element = add(self.element, "measure", **attributes)
            self._add_attributes(element, measures, index)
            for mark in marks.get(index, ()):
                mark(element)
            self._add_voices(element, measure, index, chords.get(index, []))
            if index + 1 == len(measures):
                add(add(element, "barline", location="right"), "bar-style", "light-heavy")

    def _add_attributes(self, element: Element, measures: list[Measure], index: int) -> None:
        metre, key, before = measures[index].metre, self.speller.keys[index], max(index - 1, 0)
        new_key, new_metre = (
            not index or key != self.speller.keys[before],
            not index or metre != measures[before].metre,
        )
        if not new_key and not new_metre:
            return
        attributes = add(element, "attributes")
        if not index:
            add(attributes, "divisions", QUARTER)
        if new_key:
            signature = add(attributes, "key")
            add(signature, "fifths", key.fifths)
            if key.mode:
                add(signature, "mode", key.mode)
        if new_metre:
            time = add(attributes, "time")
            add(time, "beats", metre[0])
            add(time, "beat-type", metre[1])
        if not index:
            self._add_staves(attributes)

    def _add_staves(self, attributes: Element) -> None:
        if len(self.staves) > 1:
            add(attributes, "staves", len(self.staves))
        for number, clef in enumerate(self._clefs(), start=1):
            sign, line = CLEFS[clef]
            child = add(attributes, "clef", **({"number": str(number)} if len(self.staves) > 1 else {}))
            add(child, "sign", sign)
            add(child, "line", line)

    def _clefs(self) -> list[str]:
        if len(self.staves) > 1:
            return ["treble", "bass"]
        pitches = [pitch for voice in self.staves[0] for chord in voice for pitch, _ in chord.keys]
        return ["bass" if pitches and np.median(pitches) < BASS_BELOW else "treble"]

    def _add_voices(self, element: Element, measure: Measure, index: int, chords: list[tuple[int, NamedChord]]) -> None:
        """The staves' voices one after the other, each chord's symbol before what it stands above in the first of them."""
        first, fifths = True, self.speller.keys[index].fifths
        for staff, (voices, names) in enumerate(zip(self.staves, self.names, strict=True), start=1):
            spelled = [events_of(voice, measure) for voice in voices]
            used = [n for n, events in enumerate(spelled) if n == 0 or any(event.chord for event in events)]
            accidentals = self.speller.accidentals([event for number in used for event in spelled[number]], fifths)
            for number in used:
                if not first:
                    add(add(element, "backup"), "duration", measure.length)
                symbols, first = chords if first else [], False
                stem = ("up", "down")[number] if len(used) > 1 else ""
                last = max((event.start for event in spelled[number] if event.chord), default=-1)
                for event in spelled[number]:
                    for offset, chord in symbols:
                        if event.start <= offset < event.start + event.length:
                            element.append(harmony_element(chord, fifths, offset - event.start))
                    writer = NoteWriter(element, event, names[number], stem, staff if len(self.staves) > 1 else 0)
                    hidden = number > 0 or (len(used) > 1 and event.start > last)
                    sung = self.syllables.pop(event.chord.onset, ()) if event.chord else ()
                    writer.write(self.speller, accidentals, hidden=hidden, syllables=sung)


def _marks(score: symusic.Score, written: _Written, title: str) -> dict[int, list[Mark]]:
    """What stands above each measure, by its index: swing, markers that are no chords, tempi."""
    marks: dict[int, list[Mark]] = {}
    played = np.array([measure.played for measure in written.measures])
    for tick, text in other_markers(score):
        if text.casefold() == title.casefold():
            continue  # it stands above the score
        index = max(0, int(np.searchsorted(played, tick * QUARTER / score.tpq + SMALLEST, side="right")) - 1)
        marks.setdefault(index, []).append(partial(_add_rehearsal, text=text))
    for index, slower in slowing_marks(score, written.measures).items():
        marks.setdefault(index, []).extend(slower)
    for index, tempi in tempo_marks(score, written.measures).items():
        measure = written.measures[index]
        marks.setdefault(index, []).extend(
            partial(_add_tempo, measure=measure, offset=offset, bpm=bpm, printed=printed)
            for offset, bpm, printed in tempi
        )
    if written.swing:
        marks.setdefault(0, []).append(_add_swing)
    return marks


def _add_swing(element: Element) -> None:
    """Eighths are played long and short, two to one."""
    direction = add(element, "direction", placement="above")
    add(add(direction, "direction-type"), "words", "Swing", **{"font-style": "normal", "font-weight": "bold"})
    swing = add(add(direction, "sound"), "swing")
    add(swing, "first", 2)
    add(swing, "second", 1)
    add(swing, "swing-type", "eighth")


def _add_rehearsal(element: Element, text: str) -> None:
    direction = add(element, "direction", placement="above")
    add(add(direction, "direction-type"), "rehearsal", text)


def _add_tempo(element: Element, measure: Measure, offset: int, bpm: float, *, printed: bool) -> None:
    dotted = measure.compound and measure.metre[0] % 3 == 0
    if printed:
        direction = add(element, "direction", placement="above")
        metronome = add(add(direction, "direction-type"), "metronome")
        add(metronome, "beat-unit", "quarter")
        if dotted:
            add(metronome, "beat-unit-dot")
        add(metronome, "per-minute", round(bpm * 2 / 3 if dotted else bpm))
        if offset:
            add(direction, "offset", offset)
        add(direction, "sound", tempo=f"{bpm:.2f}")
    else:
        sound = add(element, "sound", tempo=f"{bpm:.2f}")
        if offset:
            add(sound, "offset", offset)

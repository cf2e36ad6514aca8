"""MusicXML scores, read as they are played: notes in ticks, words, chord symbols, bar lines.

In: a path or bytes of .musicxml, .xml or .mxl. Out: `SheetMusic`, whose `score` is what `read_midi` gives for a MIDI file.

The standard library's XML reader and the modules beside this one do it, because no library serves: `music21` takes half a
second to import and brings matplotlib and more, `partitura` brings SciPy and lxml, and `verovio`, in C++, plays a score but
tells nothing of its chord symbols and takes a damaged one for a good one. `music21` and `verovio` are oracles in the tests.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Final
from xml.etree.ElementTree import Element

import symusic

from pianalysis.errors import PianalysisError
from pianalysis.music.metres import COMMON, metre_of_bar
from pianalysis.music.midi import MAX_NOTES, check_limits
from pianalysis.music.performance import TICKS_PER_QUARTER, perform, to_ticks
from pianalysis.music.repeats import Bar, Ending, play_order
from pianalysis.music.staff_voices import LAYER, voices_apart
from pianalysis.music.written_parts import Instruments, WrittenMeasure, read_part
from pianalysis.music.xmlfiles import MusicXmlError, read_tree, whole_number

MAX_PARTS: Final = 128
MAX_QUARTERS: Final = 200_000
"""As many as have a tick of 32 bits."""


@dataclass(frozen=True, eq=False)
class SheetMusic:
    """A score as it is played, with its repeats written out.

    score: in ticks, a track for each staff with notes, and with the words sung to them as its lyrics; a bar that isn't as long as its metre has a time signature of its own.
    chords: (start, end, label) in ticks, as Harte et al. (2005) write them; none may hold at the beginning. bar_lines: ticks,
    the last one closes the last bar. pickup: the first bar is shorter than its metre.
    """

    score: symusic.Score
    chords: tuple[tuple[int, int, str], ...]
    bar_lines: tuple[int, ...]
    pickup: bool
    title: str
    composer: str


@dataclass(frozen=True)
class _Part:
    name: str
    program: int
    measures: list[WrittenMeasure]


@dataclass(frozen=True)
class _Written:
    """A written bar of the whole score: its length and metre, and what holds at its start."""

    length: Fraction
    metre: tuple[int, int] | tuple[()]
    key: tuple[int, str] | None
    tempo: float | None
    chord: str | None
    chords: tuple[tuple[Fraction, str], ...]
    tempi: tuple[tuple[Fraction, float], ...]
    keys: tuple[tuple[Fraction, tuple[int, str]], ...]
    """Those that don't stand at its start."""

    @property
    def nominal(self) -> Fraction | None:
        """How long a full bar is."""
        return Fraction(4 * self.metre[0], self.metre[1]) if self.metre else None


def read_musicxml(source: str | os.PathLike[str] | bytes, *, name: str = "", apart: bool = False) -> SheetMusic:
    """Read a score from a path or from bytes; `name` is what errors call the source (default: its path).

    apart: the voices of a staff that two or more share throughout, as soprano and alto do, have a track each.

    Raises FileNotFoundError, or MusicXmlError for what is no MusicXML score, holds no notes, or is past the limits (those of
    `read_midi`, and `MAX_XML_BYTES`).
    """
    name = name or ("the MusicXML data" if isinstance(source, bytes) else str(source))
    root = read_tree(source, name=name)
    if root.tag == "score-timewise":
        root = _partwise(root)
    if root.tag != "score-partwise":
        raise MusicXmlError(f"{name}: expected a MusicXML score (<score-partwise>), found <{root.tag[:40]}>")
    elements = root.findall("part")
    if len(elements) > MAX_PARTS:
        raise MusicXmlError(f"{name}: {len(elements):,} parts are too many; scores up to {MAX_PARTS} parts are read")
    parts = [_read_part(root, element, name) for element in elements]
    if apart:
        parts = [replace(part, measures=voices_apart(part.measures)) for part in parts]
    try:
        sheet = _play(root, parts)
        check_limits(sheet.score, name)
    except PianalysisError as error:
        text = str(error)
        raise MusicXmlError(text if text.startswith(f"{name}: ") else f"{name}: {text}") from None
    return sheet


def _read_part(root: Element, element: Element, name: str) -> _Part:
    listed = root.findall("part-list/score-part")
    about = next((item for item in listed if item.get("id") == element.get("id")), None)
    title, program = "", 1
    if about is not None:
        title = " ".join((about.findtext("part-name") or "").split())
        program = whole_number(about.findtext("midi-instrument/midi-program"), 1)
    return _Part(title, min(max(program, 1), 128) - 1, read_part(element, Instruments.of(about), name))


def _partwise(root: Element) -> Element:
    """A score written measure by measure, each with all parts, as one written part by part."""
    result = Element("score-partwise")
    parts: dict[str, Element] = {}
    for child in root:
        if child.tag != "measure":
            result.append(child)
            continue
        for part in child.findall("part"):
            owner = parts.setdefault(part.get("id", ""), Element("part", part.attrib))
            measure = Element("measure", child.attrib)
            measure.extend(list(part))
            owner.append(measure)
    result.extend(parts.values())
    return result


def _play(root: Element, parts: Sequence[_Part]) -> SheetMusic:
    """The score as it sounds. Raises PianalysisError, which doesn't name the file."""
    bars = _written_bars(parts)
    order = play_order(*_marks(parts, len(bars)))
    starts = [Fraction(0)]
    for number in order:
        starts.append(starts[-1] + bars[number].length)
    if starts[-1] > MAX_QUARTERS:
        raise MusicXmlError(f"{float(starts[-1]):,.0f} quarter notes are too many; up to {MAX_QUARTERS:,} are read")
    count = sum(len(part.measures[number].notes) for part in parts for number in order if number < len(part.measures))
    if count > MAX_NOTES:
        raise MusicXmlError(f"{count:,} notes are too many; files up to {MAX_NOTES:,} notes are read")
    score = symusic.Score(TICKS_PER_QUARTER)
    for part in parts:
        _add_tracks(score, part, [*zip(order, starts, strict=False)])
    played = [bars[number] for number in order]
    lines = _add_bars(score, played, starts)
    _add_keys_and_tempi(score, played, starts)
    pickup = bool(played) and played[0].nominal is not None and lines[1] < to_ticks(played[0].nominal)
    return SheetMusic(
        score,
        _chords(order, played, starts),
        tuple(lines),
        pickup,
        _text(root, "work/work-title") or _text(root, "movement-title"),
        next(
            (
                _text(item, ".")
                for item in root.findall("identification/creator")
                if item.get("type", "composer") == "composer"
            ),
            "",
        ),
    )


def _text(root: Element, path: str) -> str:
    element = root.find(path)
    return "" if element is None else " ".join((element.text or "").split())


def _written_bars(parts: Sequence[_Part]) -> list[_Written]:
    """The bars of all parts together: as long as the longest part's, or where all are silent as the metre says.

    Where no metre is stated each bar is as long as it is, a silent one as the one before it.
    """
    chords_of = max(parts, key=lambda part: sum(len(m.chords) for m in part.measures), default=None)
    metre: tuple[int, int] | tuple[()] = ()
    length = Fraction(4)
    key: tuple[int, str] | None = None
    tempo: float | None = None
    chord: str | None = None
    bars = []
    for number in range(max((len(part.measures) for part in parts), default=0)):
        row = [part.measures[number] for part in parts if number < len(part.measures)]
        metre = next((m.metre for m in row if m.metre is not None), metre)
        keys = next((m.keys for m in row if m.keys), [])
        key = next((stated for onset, stated in reversed(keys) if not onset), key)
        length = max(m.end for m in row) or (Fraction(4 * metre[0], metre[1]) if metre else length)
        tempi = tuple(sorted(item for m in row for item in m.tempi))
        own = chords_of.measures[number] if chords_of and number < len(chords_of.measures) else WrittenMeasure()
        chords = tuple(_side_by_side(own, length))
        later = tuple(item for item in keys if item[0])
        bars.append(_Written(length, metre, key, tempo, chord, chords, tempi, later))
        key = later[-1][1] if later else key
        tempo = tempi[-1][1] if tempi else tempo
        chord = chords[-1][1] if chords else chord
    return bars


def _side_by_side(measure: WrittenMeasure, length: Fraction) -> list[tuple[Fraction, str]]:
    """The chords of a bar, by onset. Several over one note share its time, on whole quarters where there are enough.

    Many programs write them so: which beat each of them is on stands nowhere.
    """
    rows: dict[Fraction, list[str]] = {}
    for onset, label in sorted(measure.chords, key=lambda item: item[0]):
        row = rows.setdefault(onset, [])
        if label not in row[-1:]:
            row.append(label)
    borders = sorted({length, *rows, *(note.onset for note in measure.notes)})
    placed = []
    for onset, labels in rows.items():
        room = next((border for border in borders if border > onset), onset) - onset
        for index, label in enumerate(labels):
            share = index * room / len(labels)
            placed.append((onset + (Fraction(int(share + Fraction(1, 2))) if room >= len(labels) else share), label))
    return placed


def _marks(parts: Sequence[_Part], count: int) -> tuple[list[Bar], list[Ending]]:
    """What all parts say about where playing goes on."""
    bars, endings = [], []
    rows = [[part.measures[n].marks for part in parts if n < len(part.measures)] for n in range(count)]
    coda_signs = [n for n, row in enumerate(rows) if any(m.coda_sign for m in row)]
    said = any(m.coda for row in rows for m in row)
    opened: tuple[int, tuple[int, ...]] | None = None
    for n, row in enumerate(rows):
        # the last coda sign is where the coda is; one before it, where the music leaves for it
        reached = coda_signs[-1:] == [n] and not said
        bars.append(
            Bar(
                forward=any(m.forward for m in row),
                times=max((m.times for m in row), default=0),
                segno=any(m.segno for m in row),
                coda=reached or any(m.coda for m in row),
                to_coda=any(m.to_coda for m in row)
                or (n in coda_signs and not reached and not any(m.coda for m in row)),
                fine=any(m.fine for m in row),
                jump=next((m.jump for m in row if m.jump), ""),
            )
        )
        if (numbers := next((m.ending for m in row if m.ending is not None), None)) is not None:
            if opened is not None:
                endings.append(Ending(opened[0], n - 1, opened[1]))
            opened = (n, numbers)
        if opened is not None and any(m.ends for m in row):
            endings.append(Ending(opened[0], n, opened[1]))
            opened = None
    if opened is not None:  # an ending that nothing closes is its first bar
        endings.append(Ending(opened[0], opened[0], opened[1]))
    return bars, endings


def _add_tracks(score: symusic.Score, part: _Part, schedule: Sequence[tuple[int, Fraction]]) -> None:
    """A track for each staff of a part that has notes; of two staves they are named as the hands, voices apart numbered."""
    staves = perform(part.measures, schedule)
    written = {staff % LAYER for staff in staves}
    for number, played in staves.items():
        layer, staff = divmod(number, LAYER)
        hand = {1: " RH", 2: " LH"}.get(staff, f" {staff}") if len(written) > 1 else ""
        layered = f" {layer + 1}" if layer else ""
        track = symusic.Track(f"{part.name}{hand}{layered}".strip(), part.program, False)
        track.notes.extend(played.notes.values())
        track.lyrics.extend(symusic.TextMeta(tick, text) for tick, text in sorted(played.words.items()))
        score.tracks.append(track)


def _add_bars(score: symusic.Score, played: Sequence[_Written], starts: Sequence[Fraction]) -> list[int]:
    """The bar lines in ticks, with time signatures for them. A bar that a repeat sign or a phrase cuts in two is one bar."""
    lines: list[int] = []
    metre, number = None, 0
    while number < len(played):
        bar, length, size = played[number], played[number].length, 1
        following = played[number + 1] if number + 1 < len(played) else None
        if following and following.metre == bar.metre and length + following.length == bar.nominal:
            length, size = length + following.length, 2
        stated = bar.metre or COMMON
        now = stated if bar.metre and length == bar.nominal else metre_of_bar(length, stated[1])
        if now != metre:
            score.time_signatures.append(symusic.TimeSignature(to_ticks(starts[number]), *now))
            metre = now
        lines.append(to_ticks(starts[number]))
        number += size
    return [*lines, to_ticks(starts[-1])]


def _add_keys_and_tempi(score: symusic.Score, played: Sequence[_Written], starts: Sequence[Fraction]) -> None:
    """Keys and tempi where they change as it is played: a repeat goes back to those of its beginning."""
    key: tuple[int, str] | None = None
    tempo: float | None = None
    for bar, start in zip(played, starts, strict=False):
        for onset, stated in ((Fraction(0), bar.key), *bar.keys):
            if stated is not None and stated != key:
                key = stated
                _add_key(score, to_ticks(start + onset), key)
        for onset, bpm in ((Fraction(0), bar.tempo), *bar.tempi):
            if bpm is not None and bpm != tempo:
                tempo = bpm
                score.tempos.append(symusic.Tempo(to_ticks(start + onset), bpm))


def _add_key(score: symusic.Score, tick: int, key: tuple[int, str]) -> None:
    """A key signature, in place of one that is at the same tick."""
    fifths = (key[0] + 7) % 12 - 7 if abs(key[0]) > 7 else key[0]
    if len(score.key_signatures) and score.key_signatures[-1].time == tick:
        score.key_signatures.pop(-1)
    score.key_signatures.append(symusic.KeySignature(tick, fifths, int(key[1] == "minor")))


def _chords(
    order: Sequence[int], played: Sequence[_Written], starts: Sequence[Fraction]
) -> tuple[tuple[int, int, str], ...]:
    """The chords as they sound. Where playing jumps, the chord that was written to hold there does."""
    changes: dict[int, str | None] = {}
    for place, (number, bar) in enumerate(zip(order, played, strict=True)):
        if place and order[place - 1] != number - 1:
            changes[to_ticks(starts[place])] = bar.chord
        changes.update((to_ticks(starts[place] + onset), label) for onset, label in bar.chords)
    ticks = [*sorted(changes), to_ticks(starts[-1])]
    spans: list[tuple[int, int, str]] = []
    for start, end in pairwise(ticks):
        label = changes[start]
        if label is None or end <= start:
            continue
        if spans and spans[-1][1:] == (start, label):
            spans[-1] = (spans[-1][0], end, label)
        else:
            spans.append((start, end, label))
    return tuple(spans)

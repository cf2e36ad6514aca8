"""Chord symbols as MusicXML writes them, and where in a score's measures they stand.

In: chord spans in real milliseconds, a score and its measures. Out: `<harmony>` elements; `written_chords` reads them back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree

import numpy as np
import symusic

from pianalysis.harmony.chart import ChordSpan
from pianalysis.harmony.symbols import NO_CHORD, Chord
from pianalysis.music.midi import ms_to_ticks
from pianalysis.music.written_chords import KINDS
from pianalysis.output.measures import QUARTER, SMALLEST, Measure

NOTE: Final = re.compile(r"([A-G])(b*|#*)(?![#b])")


def places_of(
    spans: Sequence[ChordSpan], score: symusic.Score, measures: Sequence[Measure]
) -> dict[int, list[tuple[int, Chord]]]:
    """For each measure's index the chords that begin in it: units from its start, on 64ths, and the chord.

    What holds as the first measure begins stands there. Gaps and a silence before the first chord aren't written.
    """
    played = np.array([measure.played for measure in measures])
    ticks = ms_to_ticks(score, [span.onset_ms for span in spans]) if spans else np.zeros(0, np.int64)
    places: dict[tuple[int, int], Chord] = {}
    for span, moment in zip(spans, (ticks * QUARTER / score.tpq).tolist(), strict=True):
        index = max(0, int(np.searchsorted(played, moment + SMALLEST, side="right")) - 1)
        offset = round((moment - played[index]) / SMALLEST) * SMALLEST
        if span.chord is not None and offset < measures[index].length and (places or span.chord != NO_CHORD):
            places[index, max(0, offset)] = span.chord
    written: dict[int, list[tuple[int, Chord]]] = {}
    for (index, offset), chord in sorted(places.items(), key=lambda place: place[0]):
        written.setdefault(index, []).append((offset, chord))
    return written


def harmony_element(chord: Chord, fifths: int, offset: int = 0) -> ElementTree.Element:
    """A chord's symbol, spelled in a key of so many sharps (flats below 0), so many units after where it is put.

    >>> ElementTree.tostring(harmony_element(Chord(9, "min7", 7), 0), encoding="unicode")[:88]
    '<harmony placement="above"><root><root-step>A</root-step></root><kind text="m7">minor-se'
    """
    element = ElementTree.Element("harmony", placement="above")
    if chord == NO_CHORD:
        root = ElementTree.SubElement(element, "root")
        ElementTree.SubElement(root, "root-step", text="").text = "C"
        ElementTree.SubElement(element, "kind", text=chord.symbol()).text = "none"
    else:
        _add_chord(element, chord, chord.symbol(fifths))
    if offset:
        ElementTree.SubElement(element, "offset").text = str(offset)
    return element


def _add_chord(element: ElementTree.Element, chord: Chord, symbol: str) -> None:
    above, _, bass = symbol.rpartition("/") if chord.bass != chord.root else (symbol, "", "")
    root = NOTE.match(above)
    _add_note(element, "root", above)
    wanted = {_numbered(degree) for degree in chord.degrees}
    kind = min(KINDS, key=lambda name: len(wanted ^ set(KINDS[name].items())))
    text = above[root.end() :] if root else ""
    ElementTree.SubElement(element, "kind", text=text).text = kind
    if bass:
        _add_note(element, "bass", bass)
    own = KINDS[kind]
    new = sorted(wanted - set(own.items()))
    for number, alteration in new:
        altered = number in own and (number, own[number]) not in wanted
        usual = own[number] if altered else -1 if number == 7 else 0  # an added seventh is a minor one
        _add_degree(element, number, alteration - usual, "alter" if altered else "add")
    for number in sorted(own.keys() - {number for number, _ in wanted}):
        _add_degree(element, number, 0, "subtract")


def _add_note(element: ElementTree.Element, name: str, text: str) -> None:
    match = NOTE.match(text)
    step, accidentals = match.groups() if match else (text[:1], "")
    note = ElementTree.SubElement(element, name)
    ElementTree.SubElement(note, f"{name}-step").text = step
    if accidentals:
        ElementTree.SubElement(note, f"{name}-alter").text = str(accidentals.count("#") - accidentals.count("b"))


def _add_degree(element: ElementTree.Element, number: int, alteration: int, kind: str) -> None:
    """What the symbol's text says already isn't printed a second time."""
    degree = ElementTree.SubElement(element, "degree", {"print-object": "no"})
    for name, value in (("value", number), ("alter", alteration), ("type", kind)):
        ElementTree.SubElement(degree, f"degree-{name}").text = str(value)


def _numbered(degree: str) -> tuple[int, int]:
    """A degree's number and its alteration from the major scale.

    >>> _numbered("b7"), _numbered("#11")
    ((7, -1), (11, 1))
    """
    return int(degree.strip("b#")), degree.count("#") - degree.count("b")

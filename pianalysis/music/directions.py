"""What MusicXML says over the staff and at bar lines: tempo, loudness, and where playing goes on.

In: <direction>, <sound> and <barline> elements. Out: a `Direction`, and `Marks` on a measure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal
from xml.etree.ElementTree import Element

from pianalysis.music.xmlfiles import fraction, whole_number

FORTE_VELOCITY: Final = 90
DYNAMICS: Final = {
    "pppp": 12, "ppp": 20, "pp": 33, "p": 49, "mp": 64, "mf": 80, "f": 96, "ff": 112, "fff": 120, "ffff": 126,
}  # fmt: skip
"""Velocities of the marks, as the usual notation programs play them."""
UNITS: Final = {
    "breve": Fraction(8), "whole": Fraction(4), "half": Fraction(2), "quarter": Fraction(1), "eighth": Fraction(1, 2),
    "16th": Fraction(1, 4), "32nd": Fraction(1, 8),
}  # fmt: skip
SLOWEST_BPM, FASTEST_BPM = 5, 2_000
NO_JUMP: Final = (
    r"(?<!\bon )(?<!\bthe )(?<!\bafter )(?<!\bat )(?<!\bin )(?<!\bno )(?<!\buntil )(?<!\bbefore )(?<!\bfor )(?<!\bto )"
)
"""Before the words of a jump that only speak of it: “tacet on D.S.”"""
CAPO: Final = re.compile(NO_JUMP + r"(?:\bd\. ?c\b|\bda ?capo\b)", re.IGNORECASE)
SEGNO: Final = re.compile(NO_JUMP + r"(?:\bd\. ?s\b|\bd[ae]l ?segno\b)", re.IGNORECASE)
SEGNO_HERE: Final = re.compile(r"\W*segno\W*", re.IGNORECASE)
CODA_HERE: Final = re.compile(r"\W*coda\W*", re.IGNORECASE)
"""Words in the place of the signs."""
TO_CODA: Final = re.compile(r"\bto (the )?coda\b", re.IGNORECASE)
FINE: Final = re.compile(r"\W*(\d+ ?x )?fine\W*", re.IGNORECASE)


@dataclass
class Marks:
    """Where playing goes on, as one measure says it: the fields of `repeats.Bar`, and what still has to be made sense of.

    coda_sign: a coda sign without a word on whether it is left or reached here. ending: the numbers of an ending that
    begins here, None for none. ends: one ends here.
    """

    forward: bool = False
    times: int = 0
    segno: bool = False
    coda: bool = False
    to_coda: bool = False
    fine: bool = False
    jump: Literal["", "capo", "segno"] = ""
    coda_sign: bool = False
    ending: tuple[int, ...] | None = None
    ends: bool = False


@dataclass(frozen=True)
class Direction:
    """Quarters a minute and a velocity, from here on; None where nothing is said."""

    tempo: float | None = None
    velocity: int | None = None


def read_direction(element: Element, marks: Marks) -> Direction:
    """A <direction> or a <sound> by itself: the result, and `marks` changed in place."""
    sound = element if element.tag == "sound" else element.find("sound")
    _read_signs(element, marks)
    tempo, velocity = _metronome(element.find("direction-type/metronome")), None
    for mark in element.findall("direction-type/dynamics/*"):
        velocity = DYNAMICS.get(mark.tag, velocity)
    if sound is not None:
        _read_sound(sound, marks)
        if (stated := fraction(sound.get("tempo"))) is not None:
            tempo = _in_range(stated)
        if (loudness := fraction(sound.get("dynamics"))) is not None:
            velocity = max(1, min(127, round(FORTE_VELOCITY * loudness / 100)))
    return Direction(tempo, velocity)


def _read_signs(element: Element, marks: Marks) -> None:
    marks.segno |= element.find("direction-type/segno") is not None
    marks.coda_sign |= element.find("direction-type/coda") is not None
    words = " ".join(item.text or "" for item in element.findall("direction-type/words"))
    if CAPO.search(words):
        marks.jump = "capo"
    elif SEGNO.search(words):
        marks.jump = "segno"
    elif TO_CODA.search(words):
        marks.to_coda = True
    elif FINE.fullmatch(words):
        marks.fine = True
    elif SEGNO_HERE.fullmatch(words):
        marks.segno = True
    elif CODA_HERE.fullmatch(words):
        marks.coda_sign = True


def _read_sound(sound: Element, marks: Marks) -> None:
    if sound.get("dacapo") == "yes":
        marks.jump = "capo"
    if sound.get("dalsegno") is not None:
        marks.jump = "segno"
    marks.segno |= sound.get("segno") is not None
    marks.coda |= sound.get("coda") is not None
    marks.to_coda |= sound.get("tocoda") is not None
    marks.fine |= sound.get("fine") is not None
    marks.forward |= sound.get("forward-repeat") == "yes"


def _metronome(element: Element | None) -> float | None:
    """Quarters a minute; None for one that compares two note lengths, or says no number."""
    if element is None:
        return None
    units = [child for child in element if child.tag in ("beat-unit", "beat-unit-dot")]
    number = re.search(r"\d{1,4}(\.\d{1,3})?", element.findtext("per-minute") or "")
    if number is None or not units or units[0].text not in UNITS:
        return None
    dots = len(units) - 1
    return _in_range(UNITS[units[0].text] * (2 - Fraction(1, 2 ** min(dots, 4))) * Fraction(number[0]))


def _in_range(bpm: Fraction) -> float | None:
    return float(bpm) if SLOWEST_BPM <= bpm <= FASTEST_BPM else None


def read_barline(element: Element, marks: Marks) -> None:
    """A <barline>: its repeat sign and ending, added to `marks` in place."""
    marks.segno |= element.find("segno") is not None
    marks.coda_sign |= element.find("coda") is not None
    if (repeat := element.find("repeat")) is not None:
        if repeat.get("direction") == "forward":
            marks.forward = True
        else:
            marks.times = max(2, whole_number(repeat.get("times"), 2))
    if (ending := element.find("ending")) is not None:
        if ending.get("type") == "start":
            marks.ending = ending_numbers(ending.get("number") or ending.text or "")
        else:
            marks.ends = True


def ending_numbers(text: str) -> tuple[int, ...]:
    """The passes that an ending is for.

    >>> ending_numbers("1"), ending_numbers("1, 2"), ending_numbers("1.-3."), ending_numbers("")
    ((1,), (1, 2), (1, 2, 3), ())
    """
    found: set[int] = set()
    for first, last in re.findall(r"(\d{1,2})(?:\W*[-–]\W*(\d{1,2}))?", text):
        found.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(found - {0}))

"""What the fields of ABC say: key, metre, tempo, unit of length, order of parts.

In: a field's text. Out: numbers. What can't be read says nothing: tunes have all sorts of remarks there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

LETTERS: Final = "CDEFGAB"
SHARPS: Final = "FCGDAEB"
"""In the order in which a signature has them."""
MODES: Final = {"maj": 0, "ion": 0, "mix": -1, "dor": -2, "m": -3, "min": -3, "aeo": -3, "phr": -4, "loc": -5, "lyd": 1}
MINOR: Final = ("m", "min", "aeo")
KEY: Final = re.compile(r"([A-G])([#b♯♭]?)[ \t]*([A-Za-z]*)")
ACCIDENTAL: Final = re.compile(r"(\^\^|\^|__|_|=)([A-Ga-g])")
ALTERATIONS: Final = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
METRE: Final = re.compile(r"\(?([\d+ ]{1,20})\)?\s*/\s*(\d{1,2})\b")
WORDS: Final = {
    **{"larghissimo": 20, "adagissimo": 24, "sostenuto": 28, "grave": 32, "largo": 40, "lento": 50, "larghetto": 60},
    **{"adagio": 68, "adagietto": 74, "andante": 80, "andantino": 88, "marcia moderato": 84, "moderato": 108},
    **{"andante moderato": 96, "allegretto": 112, "allegro moderato": 116, "allegro": 126, "animato": 132},
    **{"agitato": 140, "veloce": 148, "mosso vivo": 156, "vivace": 164, "vivacissimo": 172, "allegrissimo": 176},
    **{"presto": 184, "prestissimo": 210},
}
"""Quarters a minute of tempi that are words, as abcjs has them."""
TEMPI: Final = (10, 600)
MAX_PARTS: Final = 1_000


@dataclass(frozen=True)
class Key:
    """A signature: how C, D, … B are altered, its sharps (flats negative), and whether it is minor."""

    alterations: tuple[int, ...] = (0,) * 7
    sharps: int = 0
    minor: bool = False


def parse_key(text: str) -> Key | None:
    """The key of ``K:``; None where the field names none (it may state a clef alone).

    >>> parse_key("Gm").sharps, parse_key("D exp _b^f").alterations, parse_key("Ador").sharps, parse_key("clef=bass")
    (-2, (0, 0, 0, 1, 0, 0, -1), 1, None)
    """
    plain = re.sub(r"\b[a-z-]+=\S+", "", text).strip()
    if text.strip().lower() == "hp":
        return Key(_altered(2), 2)
    if not text.strip() or plain.startswith("none"):
        return Key()
    found = KEY.match(plain)
    stated = {LETTERS.index(letter.upper()): ALTERATIONS[sign] for sign, letter in ACCIDENTAL.findall(plain)}
    if found is None:
        return Key(_stated((0,) * 7, stated)) if stated else None
    letter, accidental, word = found.groups()
    mode = word.lower() if word == "m" else word.lower()[:3]
    tonic = SHARPS.index(letter) - 1 + {"#": 7, "♯": 7, "b": -7, "♭": -7}.get(accidental, 0)
    sharps = max(-14, min(14, tonic + MODES.get(mode, 0)))
    altered = (0,) * 7 if re.search(r"\bexp\b", plain) else _altered(sharps)
    return Key(_stated(altered, stated), max(-7, min(7, sharps)), mode in MINOR)


def _altered(sharps: int) -> tuple[int, ...]:
    """How each letter is altered by a signature of so many sharps or, negative, flats."""
    row = [0] * 7
    for index in range(abs(sharps)):
        letter = SHARPS[index % 7] if sharps > 0 else SHARPS[6 - index % 7]
        row[LETTERS.index(letter)] += 1 if sharps > 0 else -1
    return tuple(row)


def _stated(altered: tuple[int, ...], stated: dict[int, int]) -> tuple[int, ...]:
    return tuple(stated.get(place, altered[place]) for place in range(7))


def parse_transposition(text: str) -> int | None:
    """The semitones by which a clef or ``transpose=`` moves what is played; None where a field says nothing of it.

    >>> parse_transposition("C clef=treble-8"), parse_transposition("C transpose=-2"), parse_transposition("G")
    (-12, -2, None)
    """
    moved = re.search(r"\btranspose=\s*(-?\d{1,2})\b", text)
    octave = re.search(r"\boctave=\s*(-?\d)\b", text)
    clef = re.search(r"\b(?:treble|alto|tenor|bass|soprano|mezzosoprano|baritone)\d?([-+])8\b", text)
    if not moved and not octave and not clef:
        return 0 if re.search(r"\b(clef=|treble|alto|tenor|bass)\b", text) else None
    return (
        (int(moved[1]) if moved else 0)
        + (12 * int(octave[1]) if octave else 0)
        + ({"-": -12, "+": 12}[clef[1]] if clef else 0)
    )


def parse_metre(text: str) -> tuple[int, int] | None:
    """The metre of ``M:``; None for none, and where MIDI has no such metre.

    >>> parse_metre("C|"), parse_metre("6/8"), parse_metre("(2+3)/8"), parse_metre("none")
    ((2, 2), (6, 8), (5, 8), None)
    """
    if text.strip() in ("C", "C|"):
        return (4, 4) if text.strip() == "C" else (2, 2)
    found = METRE.search(text)
    if found is None:
        return None
    numerator, denominator = sum(map(int, re.findall(r"\d+", found[1]))), int(found[2])
    return (numerator, denominator) if 1 <= numerator <= 64 and denominator in (1, 2, 4, 8, 16, 32) else None


def parse_length(text: str) -> Fraction | None:
    """The unit of length of ``L:``, as a part of a whole note."""
    found = re.match(r"(\d{1,3})(?:\s*/\s*(\d{1,3}))?", text)
    if found is None or not int(found[1]) or not int(found[2] or 1):
        return None
    return Fraction(int(found[1]), int(found[2] or 1))


def default_length(metre: tuple[int, int] | None) -> Fraction:
    """The unit where no ``L:`` is: a sixteenth in metres shorter than three quarters, else an eighth."""
    return Fraction(1, 16) if metre and 4 * metre[0] < 3 * metre[1] else Fraction(1, 8)


def parse_tempo(text: str, metre: tuple[int, int] | None) -> float | None:
    """The quarters a minute of ``Q:``. A number alone counts the metre's beats, ``C`` too.

    >>> parse_tempo("3/8=80", (6, 8)), parse_tempo('"Lively" 120', (4, 4)), parse_tempo('"Adagio"', None)
    (120.0, 120.0, 68.0)
    """
    word = re.search(r'"([^"]*)"', text)
    plain = re.sub(r'"[^"]*"?', " ", text)
    beats, _, speed = plain.rpartition("=")
    number = re.search(r"\d{1,4}(?:\.\d{1,3})?", speed)
    if number is None:
        known = WORDS.get(word[1].strip().lower()) if word else None
        return float(known) if known else None
    fractions = [
        Fraction(int(over), int(under)) for over, under in re.findall(r"(\d{1,3})/(\d{1,3})", beats) if int(under)
    ]
    times = re.search(r"C(\d{1,2})", beats)
    beat = sum(fractions) or Fraction(int(times[1]) if times else 1, metre[1] if metre else 4)
    bpm = float(number[0]) * 4 * float(beat)
    return bpm if TEMPI[0] <= bpm <= TEMPI[1] else None


def parse_parts(text: str) -> list[str]:
    """The order of the parts in a header's ``P:``; [] for one that can't be read.

    >>> parse_parts("AABB"), parse_parts("(AB)2.C3"), parse_parts("A")
    (['A', 'A', 'B', 'B'], ['A', 'B', 'A', 'B', 'C', 'C', 'C'], ['A'])
    """
    stack: list[list[str]] = [[]]
    last: list[str] = []
    for letter, mark, times in re.findall(r"([A-Z])|([()])|(\d{1,3})", text):
        if letter:
            last = [letter]
            stack[-1] += last
        elif mark == "(":
            stack.append([])
        elif mark:
            if len(stack) == 1:
                return []
            last = stack.pop()
            stack[-1] += last
        else:
            stack[-1] += last * (int(times) - 1)
            last = []
        if sum(map(len, stack)) > MAX_PARTS or len(stack) > MAX_PARTS:
            return []
    return stack[0] if len(stack) == 1 else []

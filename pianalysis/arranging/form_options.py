"""What a user may ask of a piece's form: `FormOptions`, a part of `Options`.

In: words and numbers. Out: the same, checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Any, Final, TypedDict, cast

from pianalysis.errors import PianalysisError

LONGEST_INTRO: Final = 8
MOST_VERSES: Final = 8
FARTHEST: Final = 36
"""Semitones that a piece is transposed by at most."""
SLOWEST_BPM, FASTEST_BPM = 20.0, 300.0
AUTO, PLAIN, RITARDANDO, NONE = "auto", "plain", "ritardando", "none"
ENDINGS: Final = (AUTO, PLAIN, RITARDANDO, NONE)
KEY: Final = re.compile(r"([A-G])([#b♯♭]?)[ -]?(major|minor|maj|min|m|)", re.IGNORECASE)
"""A tonic as people write it, and, where they say it, its mode."""
TONICS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
FIFTHS: Final = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}


@dataclass(frozen=True)
class NamedKey:
    """tonic: a pitch class. is_minor: None where nobody said. fifths: the sharps (flats below 0) of its major scale."""

    tonic: int
    is_minor: bool | None
    fifths: int


def read_key(text: str) -> NamedKey:
    """A key as people write it. Raises PianalysisError for another text.

    >>> read_key("E minor"), read_key("Bb").is_minor
    (NamedKey(tonic=4, is_minor=True, fifths=4), None)
    """
    found = KEY.fullmatch(text.strip())
    if found is None:
        raise PianalysisError(f"expected a key such as G, Bb or E minor, found {text!r}")
    letter, sign, mode = found[1].upper(), found[2].lower(), found[3]
    semitones = (sign in ("#", "♯") and sign != "") - (sign in ("b", "♭") and sign != "")
    is_minor = None if not mode else mode == "m" or mode.lower().startswith("min")
    return NamedKey((TONICS[letter] + semitones) % 12, is_minor, FIFTHS[letter] + 7 * semitones)


@dataclass(frozen=True, kw_only=True)
class FormOptions:
    """What a piece is besides a melody and what is played under it.

    intro: so many bars of introduction. ending: ``"plain"``, a last chord that stays; ``"ritardando"``, slowing down to it;
    ``"none"``, as the model writes it; ``"auto"``, plain where the melody ends and the chart does so on the tonic, else none. pedal: with the sustain
    pedal, a new one for each chord. transpose: by so many semitones, or key: to that key (``"G"``, ``"E minor"``). bpm: quarters
    a minute, instead of the file's own tempo; changes of tempo keep their proportions. verses: so often the melody is played, each
    time with another accompaniment on the same chart.
    """

    intro: int = 0
    ending: str = AUTO
    pedal: bool = False
    transpose: int = 0
    key: str | None = None
    bpm: float | None = None
    verses: int = 1

    def check_form(self) -> None:
        """Raise PianalysisError for values out of range, and for those that contradict each other."""
        if not (isinstance(self.intro, int) and 0 <= self.intro <= LONGEST_INTRO):
            raise PianalysisError(f"expected an introduction of 0 to {LONGEST_INTRO} bars, found {self.intro}")
        if self.ending not in ENDINGS:
            raise PianalysisError(f"expected one of the endings {[*ENDINGS]}, found {self.ending!r}")
        if not (isinstance(self.transpose, int) and -FARTHEST <= self.transpose <= FARTHEST):
            raise PianalysisError(
                f"expected to transpose by -{FARTHEST} to {FARTHEST} semitones, found {self.transpose}"
            )
        if self.key is not None:
            read_key(self.key)
            if self.transpose:
                raise PianalysisError(
                    f"expected either semitones to transpose by or a key, found both, {self.transpose} and {self.key!r}"
                )
        if self.bpm is not None and not SLOWEST_BPM <= self.bpm <= FASTEST_BPM:
            raise PianalysisError(f"expected {SLOWEST_BPM:g} to {FASTEST_BPM:g} bpm, found {self.bpm:g}")
        if not (isinstance(self.verses, int) and 1 <= self.verses <= MOST_VERSES):
            raise PianalysisError(f"expected 1 to {MOST_VERSES} verses, found {self.verses}")


class FormChanges(TypedDict, total=False):
    """Fields of `FormOptions` as keywords."""

    intro: int
    ending: str
    pedal: bool
    transpose: int
    key: str | None
    bpm: float | None
    verses: int


LAID_OUT: Final = ("intro", "transpose", "key", "bpm", "verses")
"""What is decided once: a piece that is there has it or hasn't."""


def unchanged_form(asked: FormOptions, own: FormOptions | None) -> FormChanges:
    """The form that a piece has, for options that are asked of some of its bars.

    own: the piece's options, None where nobody knows. Raises PianalysisError where another form is asked for.
    """
    kept: dict[str, Any] = {}
    defaults: dict[str, Any] = {field.name: field.default for field in fields(FormOptions)}
    for name in LAID_OUT:
        wanted, there = getattr(asked, name), getattr(own, name) if own else defaults[name]
        if wanted not in (defaults[name], there):
            raise PianalysisError(
                f"{name} {wanted}: a piece that is there keeps its form; arrange the melody anew for it"
            )
        kept[name] = there
    slower = (asked.ending == RITARDANDO, own is not None and own.ending == RITARDANDO)
    if slower == (True, False):
        raise PianalysisError("a piece that is there keeps its tempo; arrange the melody anew for a ritardando")
    return cast(FormChanges, kept)

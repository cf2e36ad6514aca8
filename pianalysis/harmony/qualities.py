"""The qualities of chords: degrees of the major scale, by Harte's shorthand and as people write them after the root.

In: `7(b9)` of Harte's or people's `7b9`. Out: degrees, tones, and the names again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from pianalysis.errors import PianalysisError

PITCH_CLASSES: Final = 12

DEGREES: Final[dict[str, tuple[str, ...]]] = {
    "maj": ("1", "3", "5"),
    "min": ("1", "b3", "5"),
    "dim": ("1", "b3", "b5"),
    "aug": ("1", "3", "#5"),
    "sus4": ("1", "4", "5"),
    "7": ("1", "3", "5", "b7"),
    "maj7": ("1", "3", "5", "7"),
    "min7": ("1", "b3", "5", "b7"),
    "hdim7": ("1", "b3", "b5", "b7"),
    "dim7": ("1", "b3", "b5", "bb7"),
    "sus2": ("1", "2", "5"),
    "maj6": ("1", "3", "5", "6"),
    "min6": ("1", "b3", "5", "6"),
    "minmaj7": ("1", "b3", "5", "7"),
    "9": ("1", "3", "5", "b7", "9"),
    "maj9": ("1", "3", "5", "7", "9"),
    "min9": ("1", "b3", "5", "b7", "9"),
    "11": ("1", "3", "5", "b7", "9", "11"),
    "maj11": ("1", "3", "5", "7", "9", "11"),
    "min11": ("1", "b3", "5", "b7", "9", "11"),
    "13": ("1", "3", "5", "b7", "9", "11", "13"),
    "maj13": ("1", "3", "5", "7", "9", "11", "13"),
    "min13": ("1", "b3", "5", "b7", "9", "11", "13"),
    "5": ("1", "5"),
    "1": ("1",),
}
"""Degrees of the major scale in each quality, by Harte's shorthand and `mir_eval`'s additions to it."""

CORE_QUALITIES: Final = ("maj", "min", "dim", "aug", "sus4", "7", "maj7", "min7", "hdim7", "dim7")
"""What `Chord.core` brings every quality to: the harmoniser's chords."""

SUFFIXES: Final = {
    "maj": "", "min": "m", "dim": "dim", "aug": "aug", "sus4": "sus4", "7": "7", "maj7": "maj7", "min7": "m7",
    "hdim7": "m7b5", "dim7": "dim7", "sus2": "sus2", "maj6": "6", "min6": "m6", "minmaj7": "mMaj7", "9": "9",
    "maj9": "maj9", "min9": "m9", "11": "11", "maj11": "maj11", "min11": "m11", "13": "13", "maj13": "maj13",
    "min13": "m13", "5": "5", "1": "1",
    "sus4(b7)": "7sus4", "sus4(b7,9)": "9sus4", "sus2(b7)": "7sus2", "aug(b7)": "7#5", "aug(7)": "maj7#5",
    "aug(b7,9)": "9#5", "maj(9)": "add9", "min(9)": "madd9", "maj6(9)": "6/9", "min6(9)": "m6/9", "minmaj7(9)": "mMaj9",
}  # fmt: skip
"""What people write after the root; other qualities are composed of the shorthand's and what is added."""

ALTERATIONS: Final = ("b9", "#9", "#11", "b13")
SCALE: Final = (0, 2, 4, 5, 7, 9, 11)
DEGREE: Final = re.compile(r"([b#]*)(1[0-3]|[1-9])")


def semitones(degree: str) -> int:
    """Semitones from the root up to a degree of its major scale.

    >>> semitones("b3"), semitones("#11"), semitones("bb7")
    (3, 18, 9)
    """
    match = DEGREE.fullmatch(degree)
    if match is None:
        raise PianalysisError(f"expected a degree such as 5, b7 or #11, found {degree!r}")
    octaves, step = divmod(int(match[2]) - 1, len(SCALE))
    return 12 * octaves + SCALE[step] + match[1].count("#") - match[1].count("b")


QUALITIES: Final[dict[str, tuple[int, ...]]] = {
    name: tuple(semitones(degree) % PITCH_CLASSES for degree in degrees) for name, degrees in DEGREES.items()
}
"""Semitones above the root of each quality, by Harte's shorthand; within an octave, from the root up by degree."""


@lru_cache(maxsize=4096)
def degrees_of(quality: str) -> tuple[str, ...]:
    """The degrees of a quality in Harte's notation. Raises PianalysisError for what is none."""
    match = re.fullmatch(r"(\w*)(?:\(([^()]+)\))?", quality)
    if match is None or (match[1] and match[1] not in DEGREES) or not quality:
        raise PianalysisError(
            f"{quality!r} is no quality that is understood; expected one of {', '.join(DEGREES)}, or one with degrees: 7(b9)"
        )
    degrees = list(DEGREES[match[1]]) if match[1] else ["1"]
    for word in match[2].split(",") if match[2] else ():
        degree = word.strip().removeprefix("*")
        semitones(degree)
        if not word.strip().startswith("*"):
            degrees.append(degree)
        elif degree in degrees and degree != "1":
            degrees.remove(degree)
        else:
            raise PianalysisError(f"{quality!r} leaves out {degree}, which isn't there to be left out")
    return _ordered(degrees)


def _ordered(degrees: Iterable[str]) -> tuple[str, ...]:
    """Degrees by number, once each; those of the same number by height."""
    return tuple(sorted(set(degrees), key=lambda degree: (int(degree.strip("b#")), semitones(degree))))


@lru_cache(maxsize=4096)
def named(degrees: tuple[str, ...]) -> str:
    """The quality of these degrees: the shorthand with the fewest changes, the first of the table where several do."""

    def changes(name: str) -> int:
        return len(set(degrees) ^ set(DEGREES[name]))

    name = min(DEGREES, key=changes)
    words = [f"*{degree}" for degree in DEGREES[name] if degree not in degrees]
    words += [degree for degree in degrees if degree not in DEGREES[name]]
    return f"{name}({','.join(words)})" if words else name


@lru_cache(maxsize=4096)
def core_quality(quality: str, minor_third: bool) -> str:
    """The nearest core quality; minor_third: what a chord without third or fourth gets. "" for no chord's "".

    >>> core_quality("min9", False), core_quality("sus2", True), core_quality("aug(b7)", False)
    ('min7', 'min', '7')
    """
    degrees = set(degrees_of(quality)) if quality else set()
    if not degrees:
        return ""
    if not degrees & {"3", "b3"}:
        if degrees & {"4", "11"}:
            return "sus4"
        degrees.add("b3" if minor_third else "3")
    if "3" in degrees:
        if "#5" in degrees and "5" not in degrees:
            return "7" if "b7" in degrees else "aug"
        return "7" if "b7" in degrees else "maj7" if "7" in degrees else "maj"
    if "b5" in degrees and "5" not in degrees:
        return "hdim7" if "b7" in degrees else "dim7" if "bb7" in degrees else "dim"
    return "min7" if "b7" in degrees else "min"


@lru_cache(maxsize=4096)
def suffix(quality: str) -> str:
    """What people write after the root for a quality.

    >>> suffix("sus4(b7)"), suffix("7(b9)"), suffix("min7(11)"), suffix("7(*5,b5,b9)"), suffix("maj(*5)")
    ('7sus4', '7b9', 'm7(add11)', '7(b5,b9)', '(no5)')
    """
    degrees = degrees_of(quality)
    name = min(SUFFIXES, key=lambda other: len(set(degrees) ^ set(degrees_of(other))))
    gone = [degree for degree in degrees_of(name) if degree not in degrees]
    new = [degree for degree in degrees if degree not in degrees_of(name)]
    words = []
    if "5" in gone and (fifth := next((degree for degree in ("b5", "#5") if degree in new), "")):
        words.append(fifth)
        gone.remove("5")
        new.remove(fifth)
    seventh = bool({"b7", "7"} & set(degrees))
    words += [degree if seventh and degree in ALTERATIONS else f"add{degree}" for degree in new]
    words += [f"no{degree}" for degree in gone]
    if not words or (len(words) == 1 and words[0] in ("b5", *ALTERATIONS) and SUFFIXES[name] in ("7", "maj7", "m7")):
        return SUFFIXES[name] + "".join(words)
    return f"{SUFFIXES[name]}({','.join(words)})"


# --- what people write -----------------------------------------------------------------------------------

KINDS: Final = ("hdim", "dim", "seventh", "alt", "add", "no", "sus", "altered", "maj", "min", "aug", "sixnine", "number", "comma")  # fmt: skip
_WORDS: Final = re.compile(
    r"(?P<hdim>ø7?|h(?:alf)?-?dim7?)"
    r"|(?P<dim>dim|°|o(?![mn]))"
    r"|(?P<seventh>(?:maj|Maj|MAJ|ma|Ma|M|j|Δ)(?P<size>7|9|11|13)|Δ)"
    r"|(?P<alt>alt)"
    r"|(?P<add>add(?P<added>[b#+-]*(?:1[0-3]|[2-9])))"
    r"|(?P<no>(?:no|omit)(?P<gone>[b#]*(?:1[0-3]|[2-9])))"
    r"|(?P<sus>sus(?P<which>24|2|4)?)"
    r"|(?P<altered>(?:[b#]|(?!^)[+-])(?:5|9|11|13|6)|(?<=[(,])b7)"
    r"|(?P<maj>major|Major|maj|Maj|MAJ|ma(?![jd])|Ma(?![jd])|M)"
    r"|(?P<min>minor|min|MIN|Min|mi|m|-)"
    r"|(?P<aug>augmented|aug|\+)"
    r"|(?P<sixnine>6/?9)"
    r"|(?P<number>13|11|9|7|6|5|4|2|1)"
    r"|(?P<comma>[(),]|/(?=\d)|dom(?=\d))"
)


def heard(body: str) -> tuple[str, ...] | None:
    """The degrees of what people write after a root; None where a part of it isn't understood.

    >>> heard("m7b5"), heard("6/9"), heard("+7")
    (('1', 'b3', 'b5', 'b7'), ('1', '3', '5', '6', '9'), ('1', '3', '#5', 'b7'))
    """
    reading = _Reading()
    place = 0
    while place < len(body):
        match = _WORDS.match(body, place)
        if match is None or not reading.take(match, first=body[:place] in ("", "(")):
            return None
        place = match.end()
    return reading.degrees() if body.count("(") == body.count(")") else None


class _Reading:
    """What has been read of a quality: a third, a fifth, a seventh, and what is stacked, added and left out."""

    def __init__(self) -> None:
        self.third, self.fifth, self.seventh = "3", "5", ""
        self.kind = ""  # the triad's word, said once
        self.stack = 0
        self.other: list[str] = []
        self.added: list[str] = []
        self.gone: list[str] = []

    def take(self, match: re.Match[str], *, first: bool) -> bool:
        """Read one word; whether it may stand where it does."""
        word = next(name for name in KINDS if match[name] is not None)
        if word in ("maj", "min", "dim", "aug", "hdim"):
            return self._take_triad(word, first)
        if word == "seventh":
            return self._take_stack(int(match["size"] or 7), major=True)
        if word == "number":
            return self._take_number(int(match["number"]), first)
        if word == "sus":
            self.third = ""
            self.other += {"2": ["2"], "24": ["2", "4"]}.get(match["which"] or "4", ["4"])
        elif word == "altered":
            return self._take_altered(match["altered"])
        elif word == "add":
            self.added.append(match["added"].replace("+", "#").replace("-", "b"))
        elif word == "no":
            self.gone.append(match["gone"])
        elif word == "sixnine":
            self.other += ["6", "9"]
        elif word == "alt":
            self.fifth = "#5"
            self.other += ["b9", "#9"]
            return self._take_stack(7, major=False) if not self.stack else True
        return True

    def _take_triad(self, word: str, first: bool) -> bool:
        if word == "maj" and self.kind == "min":  # CmMaj
            return self._take_stack(7, major=True)
        if self.kind or not (first or (word == "aug" and self.stack)):
            return False
        self.kind = word
        if word in ("min", "dim", "hdim"):
            self.third = "b3"
        self.fifth = {"dim": "b5", "hdim": "b5", "aug": "#5"}.get(word, "5")
        if word == "hdim":
            self.seventh, self.stack = "b7", 7
        return True

    def _take_stack(self, size: int, *, major: bool) -> bool:
        if self.stack > 7 and (major, size, self.seventh) == (True, 7, "b7"):  # Cm9(maj7)
            size = self.stack
        elif self.stack:
            return False
        self.stack = size
        self.seventh = "7" if major else "bb7" if self.kind == "dim" else "b7"
        return True

    def _take_number(self, number: int, first: bool) -> bool:
        if number in (7, 9, 11, 13):
            if self.stack:  # C7(13), C7/9
                self.other.append(str(number))
                return number > self.stack
            return self._take_stack(number, major=self.kind == "maj")
        if number == 6:
            self.other.append("6")
        elif number in (2, 4) and (first or self.kind):
            self.other.append("9" if number == 2 else "4")
        elif number == 5 and self.kind == "aug":  # C+5
            return True
        elif number in (5, 1) and first:
            self.third, self.fifth = "", self.fifth if number == 5 else ""
        else:
            return False
        return True

    def _take_altered(self, word: str) -> bool:
        degree = word.replace("+", "#").replace("-", "b")
        if degree in ("b5", "#5"):
            if self.fifth != "5":  # C7(b5,#5)
                self.added.append(degree)
            self.fifth = degree if self.fifth == "5" else self.fifth
        else:
            self.added.append(degree)
        return True

    def degrees(self) -> tuple[str, ...]:
        stacked = [str(number) for number in (9, 11, 13) if number <= self.stack]
        there = [self.third, self.fifth, self.seventh, *stacked, *self.other]
        kept = [degree for degree in there if degree and not {degree, degree.strip("b#")} & set(self.gone)]
        return _ordered(["1", *kept, *self.added])

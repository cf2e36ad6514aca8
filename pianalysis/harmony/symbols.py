"""Chord symbols: as people write them (`Am7`, `F/C`) and as Harte et al. (2005) write them (`A:min7`, `F:maj/5`).

In: text. Out: `Chord`s, and text again, spelled in a key.

The reader is ours because none of the libraries serves. `music21.harmony` takes half a second to import, reads `C-7` as
C flat with a seventh and refuses `Bb7`, `C△`, `Cø`, `C(add9)` and `N.C.`; `pychord` refuses `C△`, `Cø`, `C°7`, `C+`,
`CmMaj7`, `C-7`, `C(add9)` and `N.C.`; `mir_eval.chord` reads Harte's notation alone, brings SciPy and takes a second.
`music21` and `mir_eval` are oracles in the tests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from pianalysis.errors import PianalysisError
from pianalysis.harmony.qualities import (
    CORE_QUALITIES,
    DEGREES,
    PITCH_CLASSES,
    QUALITIES,
    core_quality,
    degrees_of,
    heard,
    named,
    semitones,
    suffix,
)

__all__ = (
    "CORE_QUALITIES",
    "DEGREES",
    "NO_CHORD",
    "NO_ROOT",
    "PITCH_CLASSES",
    "QUALITIES",
    "Chord",
    "key_fifths",
    "parse_chord",
    "semitones",
)

NO_ROOT: Final = -1
MAX_CHARACTERS: Final = 100
"""Of one symbol."""

STEPS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
BASS_DEGREES: Final = ("1", "b2", "2", "b3", "3", "4", "b5", "5", "b6", "6", "b7", "7")
HARTE: Final = re.compile(r"([A-G])([b#]*)(?::(?=[\w(])(\w*)(?:\(([^()]+)\))?)?(?:/([b#]*\d+))?")
NO_CHORD_NAMES: Final = frozenset({"N", "NC", "N.C.", "N.C", "X"})
UNDERSTOOD: Final = (
    "write a root A–G (with # or b), then what is heard above it, such as m, 7, maj7, m7, dim, aug, sus4, m7b5, 6, 9, "
    "add9, and /G for a bass: Am7, F/C, Bb7sus4, C#m7b5; N.C. for no chord; or as Harte writes it, A:min7"
)

_SPELLINGS: Final = str.maketrans({
    "♭": "b", "♯": "#", "𝄫": "bb", "𝄪": "##", "△": "Δ", "∆": "Δ", "Ø": "ø", "∅": "ø", "º": "°", "˚": "°",
    "–": "-", "−": "-", "‑": "-", "⁶": "6", "⁷": "7", "⁹": "9", "¹": "1", "³": "3", "⁵": "5", "²": "2", "⁴": "4",
})  # fmt: skip


@dataclass(frozen=True)
class Chord:
    """A chord: root and bass as pitch classes 0 … 11, and its quality.

    A quality is a name of `QUALITIES`, or one with Harte's list of degrees that come to it or (`*`) are left out, such as
    `7(b9)`, `sus4(b7)`, `7(*5,b5)`; what has a shorter name gets it, so `7(9)` is `9`. No chord (`N.C.`) is `NO_CHORD`:
    root and bass −1, quality "". Raises PianalysisError for another quality, root or bass.

    >>> Chord(9, "min7").pitch_classes, Chord(5, "maj", 0).bass, Chord(7, "7").transposed(5)
    ((9, 0, 4, 7), 0, Chord(root=0, quality='7', bass=0))
    """

    root: int
    quality: str = "maj"
    bass: int = NO_ROOT

    def __post_init__(self) -> None:
        if self.root == NO_ROOT and self.quality == "" and self.bass == NO_ROOT:
            return
        if not 0 <= self.root < PITCH_CLASSES or not NO_ROOT <= self.bass < PITCH_CLASSES:
            raise PianalysisError(f"expected a root and a bass from 0 to 11, found {self.root} and {self.bass}")
        if self.bass == NO_ROOT:
            object.__setattr__(self, "bass", self.root)
        if self.quality not in QUALITIES:
            object.__setattr__(self, "quality", named(degrees_of(self.quality)))

    @property
    def degrees(self) -> tuple[str, ...]:
        """The degrees of the major scale on the root that the quality has; () for no chord."""
        return degrees_of(self.quality) if self.quality else ()

    @property
    def pitch_classes(self) -> tuple[int, ...]:
        """The chord's tones from the root up, a bass that is none of them last; () for no chord."""
        if self.root == NO_ROOT:
            return ()
        steps = QUALITIES.get(self.quality) or tuple(semitones(degree) for degree in self.degrees)
        return tuple(dict.fromkeys((*((self.root + step) % PITCH_CLASSES for step in steps), self.bass)))

    def transposed(self, semitones: int) -> Chord:
        """The chord so many semitones higher."""
        if self.root == NO_ROOT:
            return self
        return replace(self, root=(self.root + semitones) % PITCH_CLASSES, bass=(self.bass + semitones) % PITCH_CLASSES)

    def core(self, fifths: int | None = None) -> Chord:
        """The chord with the nearest of the `CORE_QUALITIES`, root and bass as they are.

        A seventh stays where the triad has one among them; sixths, minor chords' major sevenths and all that is added
        go. A chord that has neither third nor fourth (sus2, 5) gets the third of a key of so many sharps (flats below
        0), major without one: of POP909's sus2, two in three (by time) stand where their key has a major third.

        >>> parse_chord("C13").core().quality, parse_chord("Dsus2").core(fifths=0).quality
        ('7', 'min')
        """
        return replace(self, quality=core_quality(self.quality, _minor_third_in(self.root, fifths)))

    def harte(self) -> str:
        """The chord as Harte writes it, flats for the black keys but F sharp: `parse_chord` gives it back.

        >>> Chord(10, "sus4(b7)").harte(), Chord(5, "maj", 0).harte(), NO_CHORD.harte()
        ('Bb:sus4(b7)', 'F:maj/5', 'N')
        """
        if self.root == NO_ROOT:
            return "N"
        label = f"{_note_name(_position(self.root, 0))}:{self.quality}"
        return label if self.bass == self.root else f"{label}/{self._bass_degree()}"

    def _bass_degree(self) -> str:
        above = (self.bass - self.root) % PITCH_CLASSES
        own = (degree for degree in self.degrees if semitones(degree) == above)
        return next(own, BASS_DEGREES[above])

    def symbol(self, fifths: int = 0, *, german: bool = False) -> str:
        """The chord as people write it, spelled in a key of so many sharps (flats below 0): `parse_chord` gives it back.

        The root is spelled so that the chord's tones lie near the key's on the circle of fifths, without double
        accidentals: in C (and A minor) Ab and G#dim7. german: H for B, B for B flat.

        >>> Chord(8).symbol(), Chord(8, "dim7").symbol(), Chord(10, "min7", 5).symbol(-1), Chord(2, "maj", 6).symbol()
        ('Ab', 'G#dim7', 'Bbm7/F', 'D/F#')
        """
        if self.root == NO_ROOT:
            return "N.C."
        root = _root_position(self.root, self.degrees, fifths)
        text = _note_name(root, german) + suffix(self.quality)
        return text if self.bass == self.root else f"{text}/{_note_name(self._bass_position(root, fifths), german)}"

    def _bass_position(self, root: int, fifths: int) -> int:
        above = (self.bass - self.root) % PITCH_CLASSES
        own = [root + _fifths_above(degree) for degree in self.degrees if semitones(degree) % PITCH_CLASSES == above]
        single = [place for place in own if FLATTEST <= place <= SHARPEST]
        return single[0] if single else _position(self.bass, min(max((root + fifths) // 2, FLATTEST + 5), SHARPEST - 6))


NO_CHORD: Final = Chord(NO_ROOT, "")


def key_fifths(tonic: int, minor: bool = False) -> int:
    """The sharps (flats below 0) of a key whose tonic is that pitch class, −5 … 6.

    >>> key_fifths(5), key_fifths(9, minor=True), key_fifths(6)
    (-1, 0, 6)
    """
    return (7 * (tonic + 3 * minor) + 5) % PITCH_CLASSES - 5


def _minor_third_in(root: int, fifths: int | None) -> bool:
    """Whether the third above a root is minor in a key's major scale."""
    if fifths is None or root == NO_ROOT:
        return False
    scale = {(7 * (fifths + step)) % PITCH_CLASSES for step in range(-1, 6)}
    return (root + 4) % PITCH_CLASSES not in scale and (root + 3) % PITCH_CLASSES in scale


# --- spelling: notes as places on the line of fifths, F −1, C 0, G 1 … --------------------------------------------

FLATTEST: Final = -8  # F flat
SHARPEST: Final = 12  # B sharp


def _note_name(position: int, german: bool = False) -> str:
    letter, alteration = "FCGDAEB"[(position + 1) % 7], (position + 1) // 7
    name = letter + ("#" * alteration if alteration > 0 else "b" * -alteration)
    return {"B": "H", "Bb": "B"}.get(name, name) if german else name


def _fifths_above(degree: str) -> int:
    """How far a degree is from its root on the line of fifths.

    >>> [_fifths_above(degree) for degree in ("5", "3", "b3", "b7", "bb7", "#11")]
    [1, 4, -3, -2, -9, 6]
    """
    number = (int(degree.strip("b#")) - 1) % 7
    return (0, 2, 4, -1, 1, 3, 5)[number] + 7 * (degree.count("#") - degree.count("b"))


def _position(pitch_class: int, fifths: int) -> int:
    """A note's place among the twelve from five fifths below a tonic to six above."""
    return next(place for place in range(fifths - 5, fifths + 7) if (7 * place - pitch_class) % PITCH_CLASSES == 0)


@lru_cache(maxsize=8192)
def _root_position(root: int, degrees: tuple[str, ...], fifths: int) -> int:
    """The root's place with which the chord's tones lie nearest to the middle of the key's scale.

    C flat, F flat, E sharp and B sharp only where the key has them.
    """
    names = range(min(-6, fifths - 1), max(10, fifths + 5) + 1)
    places = [place for place in names if (7 * place - root) % PITCH_CLASSES == 0]
    middle = fifths + 2
    return min(places, key=lambda place: sum(abs(place + _fifths_above(degree) - middle) for degree in degrees))


# --- reading -----------------------------------------------------------------------------------------------------


def parse_chord(text: str, *, german: bool = False) -> Chord:
    """The chord that a text names, in people's notation or Harte's.

    german: H is B, B is B flat, and Fis, Es, As and the like are understood. `N`, `N.C.` and Harte's `X` (a chord that
    has no name) are no chord. Raises PianalysisError that shows the text and says what is understood.

    >>> parse_chord("C△") == parse_chord("C:maj7"), parse_chord("F/C") == parse_chord("F:maj/5")
    (True, True)
    >>> parse_chord("H7", german=True).harte(), parse_chord("Bb7sus4").harte(), parse_chord("C-7b5").harte()
    ('B:7', 'Bb:sus4(b7)', 'C:hdim7')
    """
    chord = _parsed(text, german) if len(text) <= MAX_CHARACTERS else None
    if chord is None:
        hint = "; German note names are read with german=True" if text.strip().startswith("H") and not german else ""
        raise PianalysisError(f"{text.strip()[:40]!r} is no chord that is understood; {UNDERSTOOD}{hint}")
    return chord


@lru_cache(maxsize=4096)
def _parsed(text: str, german: bool) -> Chord | None:
    text = unicodedata.normalize("NFC", text).strip().translate(_SPELLINGS)
    if text.upper() in NO_CHORD_NAMES:
        return NO_CHORD
    harte = HARTE.fullmatch(text)
    if harte and (":" in text or (harte[5] and not german)):
        return _from_harte(harte)
    for root, rest in _notes(text, german):
        for body, bass in _basses(rest, root, german):
            degrees = heard(body)
            if degrees is not None:
                return Chord(root, named(degrees), bass)
    return None


def _from_harte(match: re.Match[str]) -> Chord | None:
    letter, accidentals, shorthand, extra, bass = match.groups()
    root = (STEPS[letter] + accidentals.count("#") - accidentals.count("b")) % PITCH_CLASSES
    quality = (shorthand or "") + (f"({extra})" if extra else "") or "maj"
    try:
        above = semitones(bass) if bass else 0
        return Chord(root, named(degrees_of(quality)), (root + above) % PITCH_CLASSES)
    except PianalysisError:
        return None


def _notes(text: str, german: bool) -> Iterator[tuple[int, str]]:
    """The pitch classes that a text may begin with, and what follows: fewer accidentals first (`Abb5` is A flat's)."""
    if german and (match := re.match(r"[A-H]", text)):
        letter, rest = match[0], text[1:]
        step = 11 if letter == "H" else 10 if letter == "B" else STEPS[letter]
        yield from ((step, rest),) if not re.match(r"[b#]", rest) else ()
        for name, shift in (("is", 1), ("#", 1), ("es", -1), ("b", -1), ("s", -1)):
            natural = 11 if letter == "B" else step  # Bb is B flat for Germans too
            if rest.startswith(name) and (name != "s" or letter in "AE"):
                yield (natural + shift) % PITCH_CLASSES, rest[len(name) :]
        return
    if match := re.match(r"([A-G])(b{1,2}|#{1,2}|)", text):
        step, accidentals = STEPS[match[1]], match[2]
        for count in range(min(1, len(accidentals)), len(accidentals) + 1):
            shift = count if accidentals.startswith("#") else -count
            yield (step + shift) % PITCH_CLASSES, text[1 + count :]


def _basses(rest: str, root: int, german: bool) -> Iterator[tuple[str, int]]:
    """The ways to part what follows a root into quality and bass: after the last stroke, or nowhere (`6/9`)."""
    body, stroke, note = rest.rpartition("/")
    if stroke:
        for bass, behind in _notes(note, german):
            if not behind:
                yield body, bass
    yield rest, root

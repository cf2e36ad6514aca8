"""The chord symbols of MusicXML as Harte et al. (2005) write them.

In: a <harmony> element. Out: a label such as `A:min7` or `F:maj/3`.
"""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

from pianalysis.music.xmlfiles import whole_number

STEPS: Final = "CDEFGAB"
SEMITONES: Final = (0, 2, 4, 5, 7, 9, 11)

Degrees = dict[int, int]
"""Each degree of a chord and its alteration from the major scale on the root: a minor triad is {1: 0, 3: -1, 5: 0}."""

SHORTHANDS: Final[dict[str, Degrees]] = {
    "maj": {1: 0, 3: 0, 5: 0},
    "min": {1: 0, 3: -1, 5: 0},
    "dim": {1: 0, 3: -1, 5: -1},
    "aug": {1: 0, 3: 0, 5: 1},
    "sus2": {1: 0, 2: 0, 5: 0},
    "sus4": {1: 0, 4: 0, 5: 0},
    "maj6": {1: 0, 3: 0, 5: 0, 6: 0},
    "min6": {1: 0, 3: -1, 5: 0, 6: 0},
    "7": {1: 0, 3: 0, 5: 0, 7: -1},
    "maj7": {1: 0, 3: 0, 5: 0, 7: 0},
    "min7": {1: 0, 3: -1, 5: 0, 7: -1},
    "minmaj7": {1: 0, 3: -1, 5: 0, 7: 0},
    "dim7": {1: 0, 3: -1, 5: -1, 7: -2},
    "hdim7": {1: 0, 3: -1, 5: -1, 7: -1},
    "9": {1: 0, 3: 0, 5: 0, 7: -1, 9: 0},
    "maj9": {1: 0, 3: 0, 5: 0, 7: 0, 9: 0},
    "min9": {1: 0, 3: -1, 5: 0, 7: -1, 9: 0},
}
"""Harte's shorthands; every other chord is the nearest of these with degrees added and left out."""

KINDS: Final[dict[str, Degrees]] = {
    "major": SHORTHANDS["maj"],
    "minor": SHORTHANDS["min"],
    "augmented": SHORTHANDS["aug"],
    "diminished": SHORTHANDS["dim"],
    "dominant": SHORTHANDS["7"],
    "major-seventh": SHORTHANDS["maj7"],
    "minor-seventh": SHORTHANDS["min7"],
    "diminished-seventh": SHORTHANDS["dim7"],
    "augmented-seventh": {1: 0, 3: 0, 5: 1, 7: -1},
    "half-diminished": SHORTHANDS["hdim7"],
    "major-minor": SHORTHANDS["minmaj7"],
    "minor-major": SHORTHANDS["minmaj7"],
    "major-sixth": SHORTHANDS["maj6"],
    "minor-sixth": SHORTHANDS["min6"],
    "dominant-ninth": SHORTHANDS["9"],
    "major-ninth": SHORTHANDS["maj9"],
    "minor-ninth": SHORTHANDS["min9"],
    "dominant-11th": {**SHORTHANDS["9"], 11: 0},
    "major-11th": {**SHORTHANDS["maj9"], 11: 0},
    "minor-11th": {**SHORTHANDS["min9"], 11: 0},
    "dominant-13th": {**SHORTHANDS["9"], 11: 0, 13: 0},
    "major-13th": {**SHORTHANDS["maj9"], 11: 0, 13: 0},
    "minor-13th": {**SHORTHANDS["min9"], 11: 0, 13: 0},
    "suspended-second": SHORTHANDS["sus2"],
    "suspended-fourth": SHORTHANDS["sus4"],
    "power": {1: 0, 5: 0},
    "pedal": {1: 0},
    "other": {1: 0},
}
"""Each <kind> that states its tones. The Neapolitan and the augmented sixths say a function: they aren't read.

Some programs write `major-minor` for `minor-major`, which MusicXML's list has.
"""


def harte_label(harmony: Element, shift: tuple[int, int] = (0, 0)) -> str | None:
    """The label of a chord symbol, `N` for no chord, None for one that states no root and tones.

    shift: by how many steps of the scale and semitones its part sounds higher than it is written.

    >>> from xml.etree.ElementTree import fromstring
    >>> harte_label(fromstring("<harmony><root><root-step>A</root-step></root><kind>minor-seventh</kind></harmony>"))
    'A:min7'
    """
    kind = (harmony.findtext("kind") or "").strip()
    if kind == "none":
        return "N"
    root = _named_pitch(harmony, "root")
    if root is None or kind not in KINDS:
        return None
    degrees = dict(KINDS[kind])
    for item in harmony.iter("degree"):
        _apply(degrees, item)
    return f"{_note_name(root, shift)}:{quality_of(degrees)}{_bass(harmony, root, degrees)}"


def quality_of(degrees: Degrees) -> str:
    """A chord's quality by Harte: a shorthand, with degrees added, and `*` before those that are left out.

    >>> quality_of({1: 0, 3: 0, 5: 0, 7: -1}), quality_of({1: 0, 3: 0, 5: -1, 7: -1}), quality_of({1: 0, 5: 0})
    ('7', '7(b5,*5)', '(1,5)')
    """
    if 3 not in degrees and 2 not in degrees and 4 not in degrees:
        return f"({','.join(_degree(*item) for item in sorted(degrees.items()))})"

    def changes(name: str) -> list[str]:
        tones = set(SHORTHANDS[name].items())
        added = [_degree(*item) for item in sorted(degrees.items() - tones)]
        return added + [f"*{_degree(*item)}" for item in sorted(tones - degrees.items())]

    best = min(SHORTHANDS, key=lambda name: len(changes(name)) + sum(c.startswith("*") for c in changes(name)))
    return best + (f"({','.join(changes(best))})" if changes(best) else "")


def _degree(number: int, alteration: int) -> str:
    return ("b" * -alteration if alteration < 0 else "#" * alteration) + str(number)


def _apply(degrees: Degrees, element: Element) -> None:
    """A <degree> done to a chord, in place. An added seventh is a minor one where nothing else is said."""
    value = whole_number(element.findtext("degree-value"), 0)
    alteration = max(-2, min(2, whole_number(element.findtext("degree-alter"), 0)))
    if not 1 <= value <= 13:
        return
    match (element.findtext("degree-type") or "").strip():
        case "subtract":
            degrees.pop(value, None)
        case "alter" if value in degrees:
            degrees[value] = max(-2, min(2, degrees[value] + alteration))
        case _:
            degrees[value] = alteration - (1 if value == 7 else 0)


def _named_pitch(harmony: Element, name: str) -> tuple[int, int] | None:
    """(step from C, semitones from C) of the root or the bass."""
    step = (harmony.findtext(f"{name}/{name}-step") or "").strip().upper()
    if step not in STEPS or len(step) != 1:
        return None
    place = STEPS.index(step)
    return place, SEMITONES[place] + max(-2, min(2, whole_number(harmony.findtext(f"{name}/{name}-alter"), 0)))


def _note_name(root: tuple[int, int], shift: tuple[int, int]) -> str:
    octaves, place = divmod(root[0] + shift[0], 7)
    alteration = root[1] + shift[1] - 12 * octaves - SEMITONES[place]
    return STEPS[place] + ("b" * -alteration if alteration < 0 else "#" * alteration)


def _bass(harmony: Element, root: tuple[int, int], degrees: Degrees) -> str:
    """The bass as a degree above the root, from <bass>, or else from the inversion."""
    bass = _named_pitch(harmony, "bass")
    if bass is None:
        inversion = whole_number(harmony.findtext("inversion"), 0)
        tones = sorted(degrees)
        return "/" + _degree(tones[inversion], degrees[tones[inversion]]) if 0 < inversion < len(tones) else ""
    octaves, steps = divmod(bass[0] - root[0], 7)
    alteration = bass[1] - root[1] - 12 * octaves - SEMITONES[steps]
    return "" if (steps, alteration) == (0, 0) else "/" + _degree(steps + 1, alteration)

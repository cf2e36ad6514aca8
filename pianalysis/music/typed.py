"""Typed melodies: note names to a `symusic.Score`, and notes back to names."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

import symusic

from pianalysis.errors import PianalysisError
from pianalysis.music.metres import bar_ticks, metre_of_lines, read_metre, with_bar_lines

TICKS_PER_QUARTER: Final = 960
"""Every length from a whole note to a dotted sixty-fourth, triplets and quintuplets included, is whole ticks."""
MAX_CHARACTERS: Final = 100_000
VELOCITY: Final = 80
MIDDLE_OCTAVE: Final = 4
"""Of middle C."""
WORD: Final = re.compile(r"(?:([A-Ga-g])(##?|bb?|♯|♭)?(-?\d)?|[Rr])(?:/(\d{1,2})(\.{0,2}))?")
BAR_LINES: Final = ("|", "|]", "[|")
"""A double one is two; what begins or ends a piece is one, too."""
REPEAT_SIGNS: Final = ("|:", ":|", ":")
BAR_LINE_OR_WORD: Final = re.compile(r"\|[]:]|[\[:]\||\||[^\s,;|\[\]:]+|[^\s,;]")
"""Words stand apart by spaces, commas or semicolons."""
STEPS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
DOTTED: Final = (Fraction(1), Fraction(3, 2), Fraction(7, 4))


def from_names(text: str, *, bpm: float = 100.0, time_signature: tuple[int, int] | None = None) -> symusic.Score:
    """A score from note names: ``C4/4`` is middle C, a quarter long.

    A word is a letter, ``#`` or ``b``, the octave, ``/`` and the length as a part of a whole note, with dots; ``R`` rests.
    A word without an octave is in that of the one before it, the first in the fourth; one without a length is as long as the
    one before it, the first a quarter. Where the first bar line ``|`` comes before
    a whole bar is full, what stands before it is a pickup. time_signature: where it isn't given, that of the bars between bar
    lines; without bar lines the score states none. Raises PianalysisError that shows the word that isn't understood, or for a
    tempo or metre out of range.

    >>> [(n.time, n.duration, n.pitch) for n in from_names("C4/4 Bb3/8. | R/16 D4").tracks[0].notes]
    [(0, 960, 60), (960, 720, 58), (1920, 240, 62)]
    """
    if not 20 <= bpm <= 300:
        raise PianalysisError(f"expected a tempo of 20 to 300 bpm, found {bpm:g}")
    if time_signature is not None:
        read_metre("/".join(map(str, time_signature)))
    _check_length(text, "the typed notes")
    score = symusic.Score(TICKS_PER_QUARTER)
    score.tempos.append(symusic.Tempo(0, bpm))
    track = symusic.Track("Melody", 0, False)
    place, length, number, octave = Fraction(0), Fraction(1, 4), 0, MIDDLE_OCTAVE
    lines: list[Fraction] = []
    for found in BAR_LINE_OR_WORD.finditer(text):
        if found[0] in BAR_LINES:
            lines += [place] if place and place not in lines[-1:] else []
            continue
        number += 1
        if found[0] in REPEAT_SIGNS:
            raise PianalysisError(
                f"the typed notes, character {found.start() + 1}: expected notes and bar lines |, found the repeat sign {found[0]!r}; type "
                "what is repeated twice"
            )
        where = f"the typed notes, word {number} (character {found.start() + 1})"
        pitch, stated = _read_word(found[0], where, octave)
        length = stated or length
        octave = _octave(found[0], octave)
        start, stop = (round(4 * TICKS_PER_QUARTER * moment) for moment in (place, place + length))
        if pitch is not None:
            track.notes.append(symusic.Note(start, stop - start, pitch, VELOCITY))
        place += length
    if not len(track.notes):
        raise PianalysisError('the typed notes: expected notes such as "C4/4 D4/4 E4/2", found none')
    score.tracks.append(track)
    metre = time_signature or metre_of_lines(lines)
    if metre is None:
        return score
    first = round(4 * TICKS_PER_QUARTER * lines[0]) if lines else 0
    return with_bar_lines(score, first if first < bar_ticks(score, metre) else 0, metre)


def _octave(word: str, before: int) -> int:
    """The octave that the words after this one are in."""
    match = WORD.fullmatch(word)
    return int(match[3]) if match and match[3] else before


def _read_word(word: str, where: str, before: int | None = None) -> tuple[int | None, Fraction | None]:
    """Pitch (None for a rest) and length as a part of a whole note (None where it isn't stated).

    before: the octave of a word that states none; None: each has to.
    """
    match = WORD.fullmatch(word)
    bare = match is not None and match[1] and not match[3] and before is None
    if match is None or bare or (match[4] and not int(match[4])):
        raise PianalysisError(f"{where}: expected a note such as C4/4, F#5/8. or Bb3/2, or a rest R/4, found {word!r}")
    letter, accidental, octave, part, dots = match.groups()
    length = Fraction(1, int(part)) * DOTTED[len(dots)] if part else None
    if letter is None:
        return None, length
    sharps = (accidental or "").count("#") + (accidental or "").count("♯")
    flats = (accidental or "").count("b") + (accidental or "").count("♭")
    pitch = 12 * (int(octave or before or 0) + 1) + STEPS[letter.upper()] + sharps - flats
    if not 0 <= pitch <= 127:
        raise PianalysisError(f"{where}: expected a pitch from C-1 to G9, found {word!r}")
    return pitch, length


def pitch_of(text: str) -> int:
    """The MIDI pitch of a key, by its name or number. Raises PianalysisError for another text.

    >>> pitch_of("C4"), pitch_of("Bb2"), pitch_of("60")
    (60, 46, 60)
    """
    pitch = int(text) if re.fullmatch(r"\d{1,3}", text) else _read_word(text, "the key")[0]
    if pitch is None or "/" in text:
        raise PianalysisError(f"expected a key such as C2, F#5 or 60, found {text!r}")
    return pitch


def to_names(score: symusic.Score) -> str:
    """The notes of a score's first track as names, the inverse of `from_names`.

    Raises PianalysisError for what names can't say: chords, overlaps, and lengths that are no dotted part of a whole note.

    >>> to_names(from_names("C4/4 C#4/12 R/8. E4/2"))
    'C4/4 C#4/12 R/8. E4/2'
    """
    notes = sorted(score.tracks[0].notes, key=lambda note: (note.time, note.pitch))
    ends = [0, *(note.time + note.duration for note in notes)]
    words = []
    for note, before in zip(notes, ends, strict=False):
        if note.time < before:
            raise PianalysisError(f"expected one voice, found two notes at once at tick {note.time}")
        if note.time > before:
            words.append(f"R/{_part(note.time - before, score.tpq)}")
        words.append(f"{NAMES[note.pitch % 12]}{note.pitch // 12 - 1}/{_part(note.duration, score.tpq)}")
    return " ".join(words)


def _part(ticks: int, tpq: int) -> str:
    for dots, factor in enumerate(DOTTED):
        part = 4 * tpq * factor / ticks if ticks > 0 else Fraction(1, 2)
        if part.denominator == 1 and part < 100:
            return f"{part}{'.' * dots}"
    raise PianalysisError(f"expected a dotted or plain part of a whole note, found {Fraction(ticks, 4 * tpq)} of one")


def _check_length(text: str, name: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise PianalysisError(f"{name}: expected at most {MAX_CHARACTERS:,} characters, found {len(text):,}")

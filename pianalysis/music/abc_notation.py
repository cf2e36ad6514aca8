"""Tunes in ABC notation (abcnotation.com, version 2.1) to a `symusic.Score`.

In: a text; which tune of a book. Out: the tune as it is played, in ticks, and what it is called.
What is read: pitch, length, bars, repeats, endings, parts and their order, tuplets, ties, broken rhythms, voices, overlays,
changes of key, metre, tempo and unit, chord symbols and words, macros; of ``%%`` directives the MIDI channel, programme and
transposition of a voice. Grace notes, ornaments, D.C. and D.S. aren't played.
"""

from __future__ import annotations

from dataclasses import dataclass

import symusic

from pianalysis.music.abc_books import find_tune
from pianalysis.music.abc_fields import parse_parts
from pianalysis.music.abc_playing import to_score
from pianalysis.music.abc_voices import read_voices


@dataclass(frozen=True)
class AbcTune:
    """A tune that was read: its notes, its title, and its number, from 1, of how many in the book."""

    score: symusic.Score
    title: str
    number: int
    count: int
    remarks: tuple[str, ...] = ()


def abc_tune(text: str, *, name: str = "the ABC text", tune: int | None = None) -> AbcTune:
    """Read a tune, the first one where none is asked for.

    Raises PianalysisError that names the source where there is no such tune, or nothing in it that can be played.
    """
    found = find_tune(text, name=name, number=1 if tune is None else tune)
    voices = read_voices(found, name=name)
    order = next((value for letter, value in found.header if letter == "P"), "")
    score = to_score(voices, parse_parts(order), name=name)
    remarks = []
    if found.count > 1:
        remarks.append(found.called + ("" if tune is not None else "; --tune N chooses another"))
    sung = sum(not voice.sound.is_drum for voice in voices)
    if sung > 1:
        remarks.append(f"of {sung} voices one is taken for the melody; --track N chooses another")
    return AbcTune(score, found.title, found.number, found.count, tuple(remarks))


def from_abc(text: str, *, name: str = "the ABC text", tune: int | None = None) -> symusic.Score:
    """A score from ABC: repeats played, ties joined, grace notes left out, chord symbols as markers, words as lyrics.

    A pickup is put at the end of a bar of its own. ``X:`` may be missing; ``\\n`` stands for a line's end in a text of
    one line. Raises PianalysisError as `abc_tune` does.

    >>> [(n.time / 10080, n.duration / 10080, n.pitch) for n in from_abc("M:3/4\\nL:1/4\\nK:G\\nD|G2F|").tracks[0].notes]
    [(2.0, 1.0, 62), (3.0, 2.0, 67), (5.0, 1.0, 66)]
    """
    return abc_tune(text, name=name, tune=tune).score

"""What a text in ABC holds beside music: blocks of text and PostScript, what ``%%MIDI`` says of a voice, macros (``m:``).

In: lines. Out: lines of fields and music alone, with macros written out; a `VoiceSound`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pianalysis.errors import PianalysisError

BLOCK: Final = re.compile(r"%%begin([a-z]{1,8})\b")
BLOCK_END: Final = re.compile(r"%%end([a-z]{1,8})\b")
MIDI_LINE: Final = re.compile(r"\s*%%MIDI\s+(.*)")
MIDI_SAYS: Final = re.compile(r"MIDI\s+(channel|program|transpose)\s+(.*)")
PERCUSSION_CHANNEL: Final = 10
NOT_MUSIC: Final = re.compile(r'("[^"]*"|![^!|]*!|\[[A-Za-z]:[^\]]*\])')
MACRO: Final = re.compile(r"\s*([^\s=]{1,20})\s*=\s*(.{1,200})")
MAX_MACROS: Final = 50
LONGEST_LINE: Final = 20_000
"""Of characters, with macros written out, or with all that a field goes on with."""
MOST_WRITTEN: Final = 400_000
"""Of characters that macros may add to a tune."""


@dataclass(frozen=True)
class VoiceSound:
    """How a voice sounds: its programme, from 0, whether it is drums, the semitones that it is moved by, whether its clef is a low one."""

    program: int = 0
    is_drum: bool = False
    moved: int = 0
    is_low: bool = False


def music_lines(lines: Sequence[str]) -> list[str]:
    """Lines without blocks such as ``%%begintext`` … ``%%endtext``; ``%%MIDI`` lines as fields (``I:MIDI``), which they are.

    >>> music_lines(["K:C", "%%begintext", "A bad cab", "%%endtext", "%%MIDI program 73", "CDE|"])
    ['K:C', 'I:MIDI program 73', 'CDE|']
    """
    ends = {found[1]: at for at, line in enumerate(lines) if (found := BLOCK_END.match(line))}
    kept: list[str] = []
    inside = ""
    for at, line in enumerate(lines):
        if inside:
            found = BLOCK_END.match(line)
            inside = "" if found and found[1] == inside else inside
        elif (found := BLOCK.match(line)) and ends.get(found[1], -1) > at:
            inside = found[1]
        else:
            said = MIDI_LINE.match(line)
            kept.append(f"I:MIDI {said[1]}" if said else line)
    return kept


def sound_said(sound: VoiceSound, text: str) -> VoiceSound:
    """How a voice sounds after an ``I:`` field; the same where that says nothing of it.

    >>> sound_said(VoiceSound(), "MIDI channel 10").is_drum, sound_said(VoiceSound(), "MIDI program 2 73").program
    (True, 73)
    """
    found = MIDI_SAYS.match(text)
    numbers = re.findall(r"-?\d{1,3}", re.sub(r"%.*", "", found[2])) if found else []
    if found is None or not numbers:
        return sound
    if found[1] == "channel":
        return replace(sound, is_drum=int(numbers[0]) == PERCUSSION_CHANNEL)
    if found[1] == "program":
        return replace(sound, program=max(0, min(127, int(numbers[-1]))))
    return replace(sound, moved=int(numbers[0]))


def written_out(lines: Sequence[str], fields: Iterable[tuple[str, str]]) -> list[str]:
    """Lines of music with the macros that some fields define written out.

    A macro whose sign stands at a note (``~G2``) is an ornament, which isn't played: that note stays as it is written.
    Raises PianalysisError where they make the tune too long.

    >>> written_out(["h|D4|", '"h"D4|'], [("m", "h = C2E2")])
    ['C2E2|D4|', '"h"D4|']
    """
    found = [MACRO.match(value) for letter, value in fields if letter == "m"]
    macros = [(one[1], one[2].strip()) for one in found if one and not re.search("[A-Ga-gnzZxX|]", one[1])][:MAX_MACROS]
    if not macros:
        return list(lines)
    out, added = [], 0
    for line in lines:
        out.append(line if re.match(r"[A-Za-z+]:(?![|:])", line) else _written_out(line, macros))
        added += len(out[-1]) - len(line)
        if added > MOST_WRITTEN:
            raise PianalysisError(
                f"expected macros (m:) that add up to {MOST_WRITTEN:,} characters to a tune, found more"
            )
    return out


def _written_out(line: str, macros: Sequence[tuple[str, str]]) -> str:
    for sign, music in macros:
        pieces = NOT_MUSIC.split(line)
        pieces[::2] = [piece.replace(sign, music) for piece in pieces[::2]]
        line = "".join(pieces)[:LONGEST_LINE]
    return line

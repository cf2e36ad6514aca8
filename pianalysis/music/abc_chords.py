"""The chord symbols of a tune in ABC (`"Am"A2 "D7"d2`), and when each of them is played.

In: the text of a tune, and what turns such a text into a score (`typed`). Out: moments in ticks and symbols as they are typed.
Each symbol is put into the tune as keys far below any melody, struck with the note that it stands above, so that repeats,
tuplets and metres are abc2midi's own affair; then the keys are read off.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import symusic

from pianalysis.errors import PianalysisError

TOKEN: Final = re.compile(
    r'(?P<quoted>"[^"\n]*")|(?P<skipped>![^!\n]*!|\+[a-z]+\+|\{[^}\n]*\}|%.*|^[A-Za-z]:.*$|\[[A-Za-z]:[^\]\n]*\])'
    r"|(?P<chord>\[(?=[\^_=A-Ga-g])[^\]\n|]*\])|(?P<note>[\^_=]*[A-Ga-g][,']*)|(?P<rest>[zx])|(?P<left_out>[-~T])",
    re.MULTILINE,
)
SYMBOL: Final = re.compile(r"\(?([A-G][^()\s]*|N\.?C\.?)\)?")
"""A chord symbol; texts that begin with ^, _, <, > or @ are remarks."""
LETTER: Final = re.compile(r"[A-G][b#]?")
MARKS: Final = {12 + step: f"={letter},,,," for letter, step in zip("CDEFGAB", (0, 2, 4, 5, 7, 9, 11), strict=True)}
"""The white keys of the lowest octave, by pitch: one for each digit of a symbol's number in the binary system."""
MOST_SYMBOLS: Final = 2 ** len(MARKS) - 1
"""Different ones in a tune."""


def abc_chords(text: str, played: Callable[[str], symusic.Score]) -> list[tuple[int, str]]:
    """When, in ticks, each chord symbol of a tune is played; [] where it has none, or what can't be read so.

    text: a whole tune. played: gives its score. Where a symbol stands before the end, or a bar line alone, it is the next
    note's. Letters alone are given as Harte writes them (`A:maj`), for they may be the names of sections elsewhere.
    """
    head, key, body = _parts(text)
    names: list[str] = []
    marked = TOKEN.sub(_Marker(names), body)
    if not names or len(names) > MOST_SYMBOLS:
        return []
    try:
        score = played(f"{head}{key}{marked}")
    except PianalysisError:
        return []
    numbers: dict[int, int] = {}
    for track in score.tracks:
        for note in track.notes:
            if note.pitch in MARKS:
                numbers[note.time] = numbers.get(note.time, 0) | 1 << [*MARKS].index(note.pitch)
    return [(tick, names[number - 1]) for tick, number in sorted(numbers.items()) if number <= len(names)]


def _parts(text: str) -> tuple[str, str, str]:
    """What comes before a tune's key, the key's line, and the tune."""
    key = re.search(r"^K:.*$", text, re.MULTILINE)
    return (text[: key.start()], key[0], text[key.end() :]) if key else (text, "", "")


class _Marker:
    """Replaces the tokens of a tune: symbols go, and the note after them gets their marks. Ties and ornaments go: marks have none."""

    def __init__(self, names: list[str]) -> None:
        self.names, self.pending = names, ""

    def __call__(self, found: re.Match[str]) -> str:
        if found["quoted"]:
            symbol = SYMBOL.fullmatch(found["quoted"][1:-1].strip())
            if symbol:
                self.pending = self._marks(symbol[1])
            return ""
        ornament = (found["skipped"] or "")[:1] in ("!", "+") and "fermata" not in found["skipped"]
        if found["left_out"] or ornament:
            return ""
        marks, text = self.pending, found[0]
        if found["skipped"] is not None or not marks:
            return text
        self.pending = ""
        if found["chord"]:
            return f"[{text[1:-1].replace('-', '')}{marks}]"
        return f"[{marks}]" if found["rest"] else f"[{text}{marks}]"

    def _marks(self, symbol: str) -> str:
        """The keys of a symbol's number, which is its place among those of the tune, from 1."""
        name = f"{symbol}:maj" if LETTER.fullmatch(symbol) else symbol
        if name not in self.names:
            self.names.append(name)
        number = self.names.index(name) + 1
        return "".join(mark for digit, mark in enumerate(MARKS.values()) if number >> digit & 1)

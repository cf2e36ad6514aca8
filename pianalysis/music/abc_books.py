"""Tunes in ABC as text: files in any encoding, tune books, and the lines of one tune.

In: bytes or text. Out: tunes, each with its title, its place in the book, its header and its music line by line.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

from pianalysis.errors import PianalysisError
from pianalysis.music.abc_around import holds_tune, typed, unwrapped
from pianalysis.music.abc_directives import LONGEST_LINE, music_lines, written_out
from pianalysis.music.abc_texts import accented
from pianalysis.music.midi_texts import guess_encoding

MAX_CHARACTERS: Final = 10_000_000
"""Of a book."""
MAX_TUNE_CHARACTERS: Final = 100_000
FIELD: Final = re.compile(r"([A-Za-z+]):(?![|:])(.*)", re.DOTALL)
"""A line that says something, such as ``M:3/4``; ``E:|`` is a note before a bar line."""
SHARED_FIELDS: Final = "LMQ"
"""What the head of a book says for all its tunes."""
LONGEST_FIELD: Final = 500
HEAD_BYTES: Final = 64 * 1024
"""Of a text, in which a tune must show."""
TEXT_FIELDS: Final = "ABCDFGHNORSTZ"
"""What a header says in words, which may go on in lines of their own."""
GUESSED_WORDS: Final = 400
"""Of a book that isn't Unicode, so many words tell what it is in …"""
FEWEST_STRANGE: Final = 4
"""… if they have so many bytes that aren't ASCII."""


@dataclass(frozen=True)
class Tune:
    """One tune of a book: its number, from 1, of how many; its header's fields in order; its music, line by line."""

    title: str
    number: int
    count: int
    header: tuple[tuple[str, str], ...]
    body: tuple[str, ...]

    @property
    def called(self) -> str:
        """Which one it is, in words.

        >>> Tune("Second", 2, 5, (), ()).called
        'tune 2 of 5, “Second”'
        """
        return f"tune {self.number} of {self.count}" + (f", “{self.title}”" if self.title else "")


def decode(data: bytes) -> str:
    """Text in UTF-8, UTF-16, UTF-32 or, where it is neither, in the likeliest of older encodings: Latin-1 as Windows has it,
    Cyrillic, Japanese, Chinese, Korean (`guess_encoding`).

    >>> decode("é".encode("utf-16")), decode("K:C".encode("utf-16-le")), decode("é".encode("latin-1")), decode("é".encode())
    ('é', 'K:C', 'é', 'é')
    >>> decode("T:メロディ\\nK:C".encode("cp932")), decode("T:Вечерний звон\\nK:C".encode("cp1251"))
    ('T:メロディ\\nK:C', 'T:Вечерний звон\\nK:C')
    """
    if data[:4] in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        return data.decode("utf-32", errors="replace")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    zeros = data[:200].count(0), data[:200:2].count(0)
    if 3 * zeros[0] > len(data[:200]):
        return data.decode("utf-16-be" if zeros[1] > zeros[0] // 2 else "utf-16-le", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode(_older_encoding(data), errors="replace")


def _older_encoding(data: bytes) -> str:
    """What bytes that aren't Unicode are in: an accent among plain letters is Latin-1's, words without any are another script's."""
    words = [word for word in re.findall(rb"[A-Za-z\x80-\xff]+", data) if not word.isascii()][:GUESSED_WORDS]
    strange, letters = sum(byte > 0x7F for word in words for byte in word), sum(map(len, words))
    return guess_encoding(words) if strange >= max(FEWEST_STRANGE, letters / 2) else "cp1252"


def looks_like_abc(data: bytes) -> bool:
    """Whether bytes hold tunes in ABC: they begin with fields, the number ``X:`` or a key ``K:`` among the first, or both follow.

    >>> looks_like_abc(b"X:1\\nT:A tune\\n"), looks_like_abc(b"MThd"), looks_like_abc(b"To whom it may concern: no")
    (True, False, False)
    >>> looks_like_abc(b"Hi,\\n> X:1\\n> K:C\\n> CD|")
    True
    """
    text = decode(data[:HEAD_BYTES]).lstrip("\ufeff")
    return _begins_with_fields(unwrapped(text)[:4_000]) or holds_tune(text)


def _begins_with_fields(text: str) -> bool:
    fields = 0
    for line in text.splitlines():
        if line.startswith("%abc") or re.match(r"\s*X:\s*\d", line) or (line.startswith("K:") and fields):
            return True
        if line.strip() and not line.startswith("%"):
            if not FIELD.match(line):
                return False
            fields += 1
    return False


def find_tune(text: str, *, name: str, number: int = 1) -> Tune:
    """The tune of that number, from 1, in a text of one or several.

    ``X:`` may be missing; ``\\n`` stands for a line's end in a text of one line. A tune ends with an empty line. Raises
    PianalysisError that names the source, where there is none with a key or not so many.
    """
    if len(text) > MAX_CHARACTERS:
        raise PianalysisError(f"{name}: expected at most {MAX_CHARACTERS:,} characters, found {len(text):,}")
    parts = _parts(text)
    if not parts:
        raise PianalysisError(
            f"{name}: expected ABC notation with a key, such as K:C, on the line before the notes, found none"
        )
    if not 1 <= number <= len(parts):
        raise PianalysisError(f"{name}: expected a tune from 1 to {len(parts)}, found {number}")
    lines = parts[number - 1]
    size = sum(len(line) + 1 for line in lines)
    if size > MAX_TUNE_CHARACTERS:
        raise PianalysisError(f"{name}: expected a tune of at most {MAX_TUNE_CHARACTERS:,} characters, found {size:,}")
    return _tune(lines, number, len(parts))


def _parts(text: str) -> list[list[str]]:
    """The lines of each tune that has a key; where none has one, of those that have music."""
    if "\n" not in text.strip():
        text = text.replace("\\n", "\n")
    text = unwrapped(text.replace("\0", " ").lstrip("\ufeff"))
    text = "\n".join(music_lines(text.split("\n")))
    head, *tunes = re.split(r"^[ \t]*(?=X:)", text, flags=re.MULTILINE)
    shared = [line for line in head.splitlines() if (found := FIELD.match(line)) and found[1] in SHARED_FIELDS]
    if not tunes:
        tunes, shared = [head], []
    keyed = [[*shared, *lines] for tune in tunes if (lines := _lines(tune))]
    return keyed or [[*shared, *lines] for tune in tunes if (lines := _lines(tune, keyless=True))]


def _lines(tune: str, *, keyless: bool = False) -> list[str]:
    """A tune's lines to the first empty one after its music began, without comments.

    [] for one without a key or, keyless, without fields and music. A field that goes on with ``+:`` is one line; a text in the
    header that goes on without is its first line.
    """
    lines: list[str] = []
    has_key, sounds, waits = keyless, False, False
    for raw in tune.splitlines():
        if not raw.strip():
            if sounds:
                break
            waits = has_key
            continue
        line = re.sub(r"(?<!\\)%.*", "", raw).strip()
        field = FIELD.match(line)
        if waits and not sounds and line and not field and "|" not in line:
            break  # a text about a tune of which the header is all there is
        has_key = has_key or line.startswith("K:")
        if line.startswith("+:") and lines and FIELD.match(lines[-1][:3]):
            lines[-1] = f"{lines[-1]} {line[2:].strip()}"[:LONGEST_LINE]
        elif field or not _goes_on(lines, line, has_key=has_key):
            sounds = sounds or bool(line and has_key and not field)
            lines += [line if field else typed(line)] if line else []
    whole = has_key and (not keyless or (sounds and FIELD.match(lines[0])))
    return lines if whole else []


def _goes_on(lines: list[str], line: str, *, has_key: bool) -> bool:
    """Whether a line of a header that is no field goes on with the text of the one before."""
    before = FIELD.match(lines[-1]) if lines else None
    return bool(line and before and before[1] in TEXT_FIELDS and not has_key)


def _tune(lines: list[str], number: int, count: int) -> Tune:
    """Its header ends with its key, or before the first line of music."""
    keyless = not any(line.startswith("K:") for line in lines)
    stop = next(
        index + line.startswith("K:")
        for index, line in enumerate(lines)
        if line.startswith("K:") or (("|" in line or keyless) and not FIELD.match(line))
    )
    fields = [found.groups() for line in lines[:stop] if (found := FIELD.match(line))]
    header = tuple((letter, value.strip()[:LONGEST_FIELD]) for letter, value in fields)
    title = accented(next((value for letter, value in header if letter == "T" and value), ""))
    return Tune(title[:100], number, count, header, tuple(written_out(lines[stop:], [*header, *_macros(lines[stop:])])))


def _macros(lines: list[str]) -> list[tuple[str, str]]:
    """Those that stand in a tune's body."""
    return [("m", line[2:]) for line in lines if line.startswith("m:")]

"""The words under the notes of a MusicXML score: what is sung to a note, verse by verse.

In: a <note> element. Out: (verse, text), where a hyphen at a text's end says that its word goes on, as `words` reads them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element

Words = tuple[tuple[int, str], ...]
"""What is sung to one note: verses, counted from 1, and their texts."""

GOES_ON: Final = ("begin", "middle")
VERSE: Final = re.compile(r"[1-9][0-9]{0,2}$")
HELD: Final = "-_–—―"
"""What some programs write as the text under a note that a syllable is held on to."""


def read_lyrics(note: Element) -> Words:
    """What is sung to a note: () where nothing is, or where a syllable is only held.

    >>> from xml.etree.ElementTree import fromstring
    >>> read_lyrics(fromstring("<note><lyric number='2'><syllabic>begin</syllabic><text>Hap</text></lyric></note>"))
    ((2, 'Hap-'),)
    """
    found: dict[int, str] = {}
    for lyric in note.findall("lyric"):
        number = VERSE.search((lyric.get("number") or "").strip())
        text, kind = " ".join(_texts(lyric)), (lyric.findtext("syllabic[last()]") or "single").strip()
        if text := text.strip().rstrip(HELD).strip():
            found.setdefault(int(number[0]) if number else 1, text + "-" * (kind in GOES_ON))
    return tuple(sorted(found.items()))


def verse_sung(notes: Iterable[Words], turn: int) -> int:
    """The verse of a measure that is played for the `turn`-th time, from 1: its own, or the last before that.

    A measure that holds later verses only, as second endings do, has the first of them. 0 where nothing is sung.

    >>> verse_sung([((1, "la"), (2, "lo")), ()], 3), verse_sung([((2, "lo"),)], 1)
    (2, 2)
    """
    verses = {verse for words in notes for verse, _ in words}
    return max((verse for verse in verses if verse <= turn), default=min(verses, default=0))


def _texts(lyric: Element) -> list[str]:
    """The texts of a lyric: several where syllables are sung to one note."""
    return [" ".join((item.text or "").split()) for item in lyric.findall("text")]

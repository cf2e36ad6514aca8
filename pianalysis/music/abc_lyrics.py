"""The words under a line of music in ABC (``w:``).

In: what stands after ``w:``. Out: for each note a syllable, `ABSENT` for none, or `NEXT_BAR`.
"""

from __future__ import annotations

import re
from typing import Final

from pianalysis.music.abc_texts import accented

ABSENT: Final = ""
"""A note without a syllable: one that is held from the note before, or left out."""
NEXT_BAR: Final = "|"
WORD: Final = re.compile(r"(?P<text>(?:\\-|[^\s*_|-])+)(?P<hyphen>\s*-)?|(?P<mark>[-*_|])")


def parse_words(text: str) -> list[str]:
    """The syllables of a line, each with a hyphen at its end where its word goes on.

    >>> parse_words("Now hap-py songs__ of~the | day *")
    ['Now', 'hap-', 'py', 'songs', '', '', 'of the', '|', 'day', '']
    """
    words = []
    for found in WORD.finditer(accented(text)):
        if found["mark"] == NEXT_BAR:
            words.append(NEXT_BAR)
        elif found["mark"]:
            words.append(ABSENT)
        else:
            plain = found["text"].replace("\\-", "-").replace("~", " ").strip()
            words.append(plain + ("-" if found["hyphen"] else ""))
    return words

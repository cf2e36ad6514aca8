"""Tunes in ABC within other text: mails that quote them, web pages, answers in Markdown, texts that an editor has made pretty.

In: a text. Out: the same with its tunes as they stand in a file of their own, line by line.
"""

from __future__ import annotations

import html
import re
from itertools import pairwise
from typing import Final

QUOTED: Final = re.compile(r"^[ \t]*>[> \t]*(?=X:)", re.MULTILINE)
"""Before the first line of a tune that a mail quotes …"""
QUOTE: Final = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE)
"""… and before all others. No line of music begins so: it is what stands after a note."""
FENCE: Final = re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE)
"""Around a tune in Markdown."""
PAGE: Final = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!DOCTYPE\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)  # fmt: skip
BLOCK: Final = re.compile(
    r"</?(?:html|body|pre|textarea|script|table|ul|ol|h\d|blockquote|center|article|section|main)\b[^<>]*>",
    re.IGNORECASE,
)
"""Tags at which a tune in a web page begins or ends."""
BREAK: Final = re.compile(r"<br\b[^<>]*>[ \t]*\n?|</(?:p|div|tr|li)\s*>[ \t]*\n?", re.IGNORECASE)
TAG: Final = re.compile(r"</?(?:code|div|span|font|strong|em|p|td|tr|li)\b[^<>]*>|<a\s+\w+=[^<>]*>|</a>", re.IGNORECASE)
"""Those that can't be music: <B c> is a broken rhythm."""
NUMBER: Final = re.compile(r"^[ \t]*X:[ \t]*\d", re.MULTILINE)
KEY: Final = re.compile(r"^[ \t]*K:", re.MULTILINE)
PRETTY: Final = str.maketrans("“”„‟’‘′–—\u00a0", '""""\'\'\'-- ')
"""What editors put for the signs of music that one types: quotation marks around chords, octaves, ties."""
FEWEST_LINES: Final = 6
"""Of a text that is taken for double-spaced."""


def unwrapped(text: str) -> str:
    r"""A text with its tunes as they are: without a mail's quotation marks, Markdown's fences, a web page's tags, empty lines between
    all lines.

    >>> unwrapped("> X:1\n> K:C\n> C>D|"), unwrapped("X:1\r\r\nK:C\r\r\nCD|")
    ('X:1\nK:C\nC>D|', 'X:1\nK:C\nCD|')
    """
    text = re.sub(r"\r*\n|\r", "\n", text)
    if PAGE.match(text):
        text = _of_page(text)
    if QUOTED.search(text):
        text = QUOTE.sub("", text)
    return _single_spaced(FENCE.sub("", text))


def holds_tune(text: str) -> bool:
    """Whether a text, a web page or another, holds a tune with a number and a key."""
    found = NUMBER.search(plain := unwrapped(text))
    return found is not None and KEY.search(plain, found.end()) is not None


def _of_page(text: str) -> str:
    """A web page without tags: lines where it breaks them, an empty one where a block begins or ends."""
    return html.unescape(TAG.sub("", BREAK.sub("\n", BLOCK.sub("\n\n", text))))


def _single_spaced(text: str) -> str:
    """A text without the empty lines that stand between any two of its lines, if they do."""
    lines = text.strip("\n").split("\n")
    filled = [bool(line.strip()) for line in lines]
    if sum(filled) < FEWEST_LINES or any(one and other for one, other in pairwise(filled)):
        return text
    return "\n".join(line for line in lines if line.strip())


def typed(line: str) -> str:
    """A line of music with the signs that one types, where an editor has put prettier ones.

    >>> typed("“Am”c’–c’")
    '"Am"c\\'-c\\''
    """
    return line.translate(PRETTY)

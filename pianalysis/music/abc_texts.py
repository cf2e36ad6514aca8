"""Letters beyond ASCII as texts in ABC may write them: after a backslash, as TeX has them, or as HTML does.

In: a title or words as written. Out: as read.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

ACCENTS: Final = {
    "'": "\u0301",
    "`": "\u0300",
    '"': "\u0308",
    "^": "\u0302",
    "~": "\u0303",
    "c": "\u0327",
    "v": "\u030c",
    "u": "\u0306",
}
LETTERS: Final = {
    "aa": "å",
    "AA": "Å",
    "ae": "æ",
    "AE": "Æ",
    "oe": "œ",
    "OE": "Œ",
    "ss": "ß",
    "/o": "ø",
    "/O": "Ø",
    "dh": "ð",
    "th": "þ",
}
MARK: Final = re.compile(
    r"\\(?:u(?P<code>[0-9A-Fa-f]{4})|(?P<letter>aa|AA|ae|AE|oe|OE|ss|/[oO]|dh|th)|(?P<accent>['`\"^~cvu])\{?(?P<on>[A-Za-z])\}?)"
)


def accented(text: str) -> str:
    r"""A text with its accents in place.

    >>> accented(r"f\^ete"), accented(r"Fran\c{c}ois"), accented("na&iuml;ve"), accented(r'\u00e9t\"u')
    ('fête', 'François', 'naïve', 'étü')
    """
    return html.unescape(MARK.sub(_letter, text)) if "\\" in text or "&" in text else text


def _letter(found: re.Match[str]) -> str:
    if found["code"]:
        letter = chr(int(found["code"], 16))
        return letter if letter.isprintable() else ""
    if found["letter"]:
        return LETTERS[found["letter"]]
    together = unicodedata.normalize("NFC", found["on"] + ACCENTS[found["accent"]])
    return together if len(together) == 1 else found[0]

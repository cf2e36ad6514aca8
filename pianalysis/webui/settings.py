"""What a user may set on the page, and what of it this version of the arranger knows.

In: values as the page or a client sends them. Out: `Options`; errors are sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from pianalysis.arranging.arranger import Options
from pianalysis.errors import PianalysisError

MAX_SEED: Final = 2**32 - 1
WORDS: Final = ("style", "density", "harmony", "left_hand", "difficulty", "ending", "key", "time_signature")
KNOWN: Final = tuple(field.name for field in fields(Options) if field.name != "figures")
"""All but a file of figures: a page reads no files of the machine that it runs on."""
NUMBERS: Final = tuple(name for name in KNOWN if name not in (*WORDS, "max_bars"))
"""What this version of the arranger lets one set, besides words and the number of bars."""
WHOLE: Final = {"top_k", "max_bars", "lowest", "highest", "intro", "transpose", "tune", "verses"}


def read_options(values: Mapping[str, Any]) -> Options:
    """Options from what was sent; names left out, None and "" keep the default. Raises PianalysisError."""
    chosen: dict[str, Any] = {}
    for name, value in values.items():
        if name not in KNOWN:
            raise PianalysisError(f"expected settings among {', '.join(KNOWN)}, found {name!r}")
        if value is None or value == "":
            continue
        kind = str if name in WORDS else int if name in WHOLE else float
        try:
            chosen[name] = kind(value)
        except (TypeError, ValueError, OverflowError):
            raise PianalysisError(f"expected {name} as a number, found {value!r}") from None
    if chosen.get("max_bars") == 0:
        del chosen["max_bars"]
    return Options(**chosen)


def read_seed(value: Any) -> int:
    """A seed from what was sent. Raises PianalysisError."""
    try:
        seed = int(value)
    except (TypeError, ValueError, OverflowError):
        raise PianalysisError(f"expected the seed as a whole number, found {value!r}") from None
    if not 0 <= seed <= MAX_SEED:
        raise PianalysisError(f"expected a seed from 0 to {MAX_SEED}, found {seed}")
    return seed

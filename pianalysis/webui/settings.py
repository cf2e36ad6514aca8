"""What a user may set on the page, and what of it this version of the arranger knows.

In: values as the page or a client sends them. Out: `Options`; errors are sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from pianalysis.arranger import Options
from pianalysis.notes import PianalysisError

MAX_SEED: Final = 2**32 - 1
KINDS: Final[Mapping[str, type]] = {
    "style": str,
    "density": str,
    "temperature": float,
    "top_k": int,
    "top_p": float,
    "max_bars": int,
}


def read_options(values: Mapping[str, Any]) -> Options:
    """Options from what was sent; names left out, None and "" keep the default. Raises PianalysisError."""
    known = {field.name for field in fields(Options)}
    chosen: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise PianalysisError(f"expected settings among {', '.join(sorted(known))}, found {name!r}")
        if value is None or value == "":
            continue
        try:
            chosen[name] = KINDS[name](value)
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

"""What a user may set on the page, and what of it this version of the arranger knows.

In: values as the page or a client sends them. Out: `Options`; errors are sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from pianalysis.arranging.arranger import Options
from pianalysis.arranging.figures import AUTO, read_figures
from pianalysis.arranging.form_options import (
    ENDINGS,
    FARTHEST,
    FASTEST_BPM,
    LAID_OUT,
    LONGEST_INTRO,
    MOST_VERSES,
    RITARDANDO,
    SLOWEST_BPM,
)
from pianalysis.arranging.options import MOST_CLEAR
from pianalysis.errors import PianalysisError
from pianalysis.harmony.richness import RICHNESS
from pianalysis.music.difficulty import DIFFICULTIES
from pianalysis.tokens import vocab
from pianalysis.webui import limits
from pianalysis.webui.refusals import RefusedError

MAX_SEED: Final = 2**32 - 1
WORDS: Final = ("style", "density", "harmony", "left_hand", "difficulty", "ending", "key", "time_signature")
SWITCHES: Final = ("structure", "ignore_chords", "pedal", "keep_metre")
KNOWN: Final = tuple(field.name for field in fields(Options) if field.name != "figures")
"""All but a file of figures: a page reads no files of the machine that it runs on."""
NUMBERS: Final = tuple(name for name in KNOWN if name not in (*WORDS, "max_bars"))
"""What this version of the arranger lets one set, besides words and the number of bars."""
WHOLE: Final = {"top_k", "max_bars", "lowest", "highest", "intro", "transpose", "tune", "verses"}
OF_THE_WHOLE: Final = (*LAID_OUT, "max_bars", "time_signature", "pickup", "keep_metre", "tune", "ignore_chords")
"""What a piece is written with once, and no bars of it alone can have otherwise."""
TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def read_options(values: Mapping[str, Any]) -> Options:
    """Options from what was sent; names left out, None and "" keep the default. Raises PianalysisError."""
    return Options(**read_changes(values))


def changed_options(own: Options, values: Mapping[str, Any]) -> Options:
    """A piece's options, for some bars of it changed by what was sent; its form stays. Raises PianalysisError."""
    changes = {name: value for name, value in read_changes(values).items() if name not in OF_THE_WHOLE}
    if changes.get("style") == vocab.AUTO:
        del changes["style"]
    if changes.get("ending") == RITARDANDO:
        del changes["ending"]
    return replace(own, **changes)


def read_changes(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of `Options` from what was sent. Raises PianalysisError for an unknown name or a value of another kind."""
    if not isinstance(values, Mapping):
        raise RefusedError(f"expected settings by name, found {_short(values)}", "bad_setting")
    chosen: dict[str, Any] = {}
    for name, value in values.items():
        if name not in KNOWN:
            raise PianalysisError(f"expected settings among {', '.join(KNOWN)}, found {_short(name)}")
        if value is None or value == "":
            continue
        chosen[name] = _read(name, value)
    if chosen.get("max_bars") == 0:
        del chosen["max_bars"]
    return chosen


def _read(name: str, value: Any) -> Any:
    if name in SWITCHES:
        word = str(int(value) if isinstance(value, float) and value in (0, 1) else value).lower()
        if word in TRUE or word in FALSE:
            return word in TRUE
        raise PianalysisError(f"expected {name} as true or false, found {_short(value)}")
    if name in WORDS:
        if isinstance(value, str) and len(value) <= limits.TEXT_CHARACTERS:
            return value
        raise PianalysisError(f"expected {name} as a word, found {_short(value)}")
    try:
        return int(value) if name in WHOLE else float(value)
    except (TypeError, ValueError, OverflowError):
        raise PianalysisError(f"expected {name} as a number, found {_short(value)}") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def read_seed(value: Any) -> int:
    """A seed from what was sent. Raises PianalysisError."""
    try:
        seed = int(value)
    except (TypeError, ValueError, OverflowError):
        raise PianalysisError(f"expected the seed as a whole number, found {_short(value)}") from None
    if not 0 <= seed <= MAX_SEED:
        raise PianalysisError(f"expected a seed from 0 to {MAX_SEED}, found {seed}")
    return seed


def choices() -> dict[str, list[str]]:
    """The words that may be chosen, by setting; the first is the default."""
    words: dict[str, list[str]] = {
        "style": [vocab.AUTO, *vocab.STYLES],
        "density": [*vocab.DENSITIES],
        "harmony": [*RICHNESS],
        "left_hand": [AUTO, *read_figures()],
        "difficulty": [*DIFFICULTIES],
        "ending": [*ENDINGS],
    }
    defaults = {name: getattr(Options, name) for name in words}
    return {
        name: [defaults[name], *(word for word in known if word != defaults[name])] for name, known in words.items()
    }


def ranges() -> dict[str, dict[str, float | None]]:
    """The numbers that may be set: low, high and the default (None: as it is, or as the checkpoint has it)."""
    spans: dict[str, tuple[float, float]] = {
        "intro": (0, LONGEST_INTRO),
        "verses": (1, MOST_VERSES),
        "transpose": (-FARTHEST, FARTHEST),
        "bpm": (SLOWEST_BPM, FASTEST_BPM),
        "temperature": (0.1, 2),
        "top_k": (0, 800),
        "top_p": (0.05, 1),
        "max_bars": (1, limits.BARS),
        "lowest": (vocab.LOWEST_PITCH, vocab.HIGHEST_PITCH),
        "highest": (vocab.LOWEST_PITCH, vocab.HIGHEST_PITCH),
        "dynamics": (-1, 1),
        "clear": (0, MOST_CLEAR),
        "pickup": (0, 31),
        "tune": (1, 10_000),
    }
    defaults = Options()
    return {name: {"low": low, "high": high, "default": getattr(defaults, name)} for name, (low, high) in spans.items()}


def switches() -> dict[str, bool]:
    """What is on or off, and how it is where nobody says."""
    return {name: bool(getattr(Options(), name)) for name in SWITCHES}

"""The figures of the left hand: a table of words that says which degree of a chord is played where in a bar.

In: a file in TOML, `data/figures.toml` or one of a user's; its head says how one is written. Out: `Figure`s, and what one plays
in a stretch of beats. `left_hand` makes notes of it.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pianalysis.errors import PianalysisError
from pianalysis.files import DATA

AUTO: Final = "auto"
"""Where a figure is asked for: none; the model writes both hands."""
FIGURES_FILE: Final = DATA / "figures.toml"
PARTS: Final = {"1/4": (False, 1), "2/4": (False, 2), "3/4": (False, 3), "4/4": (False, 4), "3/8": (True, 1), "6/8": (True, 2)}  # fmt: skip
"""The kinds of parts that bars are put together from: whether a beat divides in three, and how many beats there are."""
CLOSE: Final = "abc"
"""The chord in close position, from its lowest tone up."""
TONIC: Final = "T"
HOLD, REST, LAYER = ".", "-", "&"
MOST_WORDS: Final = 64
"""In a layer: sixteenth notes of sixteen beats, more than a part has."""
MOST_BYTES: Final = 1_000_000
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")
_KEY: Final = re.compile(r"T|[abc]|[b#]*(?:1[0-3]|[1-9]),?")


@dataclass(frozen=True)
class Strike:
    """What is struck together: from one moment to another, in beats from the beginning of its part.

    keys: degrees of the chord (`"1"`, `"b7"`, `"5,"`), letters of `CLOSE`, or `TONIC`.
    """

    start: Fraction
    end: Fraction
    keys: tuple[str, ...]


Pattern = tuple[Strike, ...]


@dataclass(frozen=True)
class Figure:
    """A figure: what is played in each of the `PARTS` that it has, rising in time. about: a few words on it."""

    name: str
    parts: Mapping[tuple[bool, int], Pattern]
    about: str = ""

    def of(self, ternary: bool, beats: int) -> Pattern:
        """What is played in so many beats that divide in two, or in three.

        >>> [strike.keys for strike in read_figures()["waltz"].of(False, 5)]
        [('1',), ('a', 'b', 'c'), ('a', 'b', 'c'), ('1',), ('a', 'b', 'c')]
        """
        begin, strikes = 0, []
        for size in groups(ternary, beats):
            strikes += [_later(strike, begin) for strike in self._part(ternary, size)]
            begin += size
        return tuple(strikes)

    def _part(self, ternary: bool, size: int) -> Pattern:
        """That of one part, made of others where the figure doesn't have it."""
        sizes = sorted(known for divided, known in self.parts if divided == ternary)
        if size in sizes:
            return self.parts[ternary, size]
        if longer := [known for known in sizes if known > size]:
            return _cut(self.parts[ternary, longer[0]], size)
        if sizes:  # only shorter ones
            first = 2 if size == 4 and 2 in sizes else sizes[-1]
            return (*self._part(ternary, first), *(_later(s, first) for s in self._part(ternary, size - first)))
        # a beat of three is like a bar of three beats, and a bar of three beats like one
        if ternary:
            return tuple(_scaled(strike, Fraction(1, 3)) for strike in self.of(False, 3 * size))
        bars = -(-size // 3)
        return _cut(tuple(_scaled(strike, Fraction(3)) for strike in self.of(True, bars)), size)


def groups(ternary: bool, beats: int) -> list[int]:
    """The parts that so many beats are divided into.

    >>> [groups(False, beats) for beats in (4, 5, 6, 7, 9, 11)], [groups(True, beats) for beats in (2, 3, 4)]
    ([[4], [3, 2], [3, 3], [4, 3], [3, 3, 3], [4, 4, 3]], [[2], [1, 1, 1], [2, 2]])
    """
    if ternary:
        return [2] * (beats // 2) if beats % 2 == 0 else [1] * beats
    if beats <= 4:
        return [beats] * bool(beats)
    if beats == 5:
        return [3, 2]
    if beats % 3 == 0 and beats % 4:
        return [3] * (beats // 3)
    return [4, *groups(ternary, beats - 4)]


def _later(strike: Strike, by: int) -> Strike:
    return Strike(strike.start + by, strike.end + by, strike.keys)


def _scaled(strike: Strike, factor: Fraction) -> Strike:
    return Strike(strike.start * factor, strike.end * factor, strike.keys)


def _cut(pattern: Pattern, beats: int) -> Pattern:
    """The beginning of a pattern."""
    return tuple(Strike(s.start, min(s.end, Fraction(beats)), s.keys) for s in pattern if s.start < beats)


# --- reading -------------------------------------------------------------------------------------------------------


def read_figures(path: str | os.PathLike[str] | None = None) -> dict[str, Figure]:
    """The figures by their names: those that come with the package, and those of a file of a user's.

    Raises PianalysisError that names file, figure and part for what isn't understood, FileNotFoundError for no file.
    """
    own = _parsed(Path(path).name, _read(Path(path))) if path is not None else {}
    return _built_in() | own


@lru_cache
def _built_in() -> dict[str, Figure]:
    return _parsed(FIGURES_FILE.name, _read(FIGURES_FILE))


def _read(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise PianalysisError(f"{path}: expected at most {MOST_BYTES:,} bytes of figures, found more")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: there is no such file of figures") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PianalysisError(
            f'{path}: expected figures in TOML, such as [tango] and "4/4" = "1 . . 5": {error}'
        ) from None
    except OSError as error:
        raise PianalysisError(f"{path}: can't be read ({error.strerror}); expected a file of figures") from None


def _parsed(name: str, tables: Mapping[str, Any]) -> dict[str, Figure]:
    return {figure: _figure(f"{name}, figure {figure!r}", figure, table) for figure, table in tables.items()}


def _figure(where: str, name: str, table: Any) -> Figure:
    if not _NAME.fullmatch(name) or name == AUTO:
        raise PianalysisError(f"{where}: expected a name of small letters, digits and -, other than {AUTO}")
    if not isinstance(table, dict):
        raise PianalysisError(
            f"{where}: expected a table of parts, [{name}] and below it such as " + '"4/4" = "1 . 5 ."'
        )
    lines = {key: text for key, text in table.items() if key != "about"}
    unknown = [key for key in lines if key not in PARTS]
    if unknown or not lines or not all(isinstance(text, str) for text in table.values()):
        raise PianalysisError(f"{where}: expected words for one or more of {', '.join(PARTS)}, found {[*table]}")
    parts = {PARTS[key]: parse_words(text, PARTS[key][1], f"{where}, {key}") for key, text in lines.items()}
    return Figure(name, parts, table.get("about", ""))


def parse_words(text: str, beats: int, where: str = "a figure") -> Pattern:
    """What some words play in so many beats. Raises PianalysisError for words that aren't understood.

    >>> [(float(s.start), float(s.end), s.keys) for s in parse_words("1 . abc -", 2)]
    [(0.0, 1.0, ('1',)), (1.0, 1.5, ('a', 'b', 'c'))]
    """
    strikes = [strike for layer in text.split(LAYER) for strike in _layer(layer.split(), beats, where)]
    if not strikes:
        raise PianalysisError(f"{where}: expected something to be played, found rests alone")
    return tuple(sorted(strikes, key=lambda strike: strike.start))


def _layer(words: list[str], beats: int, where: str) -> list[Strike]:
    if not 0 < len(words) <= MOST_WORDS:
        raise PianalysisError(f"{where}: expected 1 to {MOST_WORDS} words in each layer, found {len(words)}")
    strikes: list[Strike] = []
    sounding = False
    for place, word in enumerate(words):
        start, end = (Fraction(beats * edge, len(words)) for edge in (place, place + 1))
        if word == HOLD:
            if not sounding:
                raise PianalysisError(
                    f"{where}: expected something before {HOLD} that it holds, found none; {REST} is a rest"
                )
            strikes[-1] = Strike(strikes[-1].start, end, strikes[-1].keys)
            continue
        sounding = word != REST
        if sounding:
            strikes.append(Strike(start, end, _keys(word, where)))
    return strikes


def _keys(word: str, where: str) -> tuple[str, ...]:
    """What one word strikes.

    >>> _keys("1+8", ""), _keys("abc", ""), _keys("1+bc", "")
    (('1', '8'), ('a', 'b', 'c'), ('1', 'b', 'c'))
    """
    keys: list[str] = []
    for part in word.split("+"):
        keys += part if part and set(part) <= set(CLOSE) else [part]
    wrong = [key for key in keys if not _KEY.fullmatch(key)]
    if wrong or len(set(keys)) < len(keys):
        raise PianalysisError(
            f"{where}: {word!r} isn't understood; expected degrees such as 1, 5, b7, 10 or 5, (an octave lower), tones of the close chord (a, b, c), "
            f"{TONIC}, several joined by +, each once, or {HOLD} or {REST}"
        )
    return tuple(keys)

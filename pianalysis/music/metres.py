"""A score with other bar lines: a metre that is said beside the file, a pickup, or both.

In: a score in ticks, and words such as 3/4 and 1/2. Out: a copy whose notes are the same and whose time signatures are others.
A pickup, or any first bar that is cut short, has a time signature of its own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Final

import symusic

from pianalysis.errors import PianalysisError

Metre = tuple[int, int]
LARGEST: Final = 32
"""The largest number of beats in a bar, and the shortest beat."""
DENOMINATORS: Final = (1, 2, 4, 8, 16, 32)
FINEST_BEAT: Final = 64
"""The shortest beat of a bar that isn't as long as its metre says."""
MOST_BEATS: Final = 255
"""What a MIDI file can count in a bar."""
COMMON: Final[Metre] = (4, 4)
"""What holds where nothing is stated."""
METRE_OF_BAR: Final = {
    Fraction(top, bottom): (top, bottom)
    for top, bottom in ((2, 4), (3, 4), (4, 4), (5, 4), (6, 4), (3, 8), (7, 8), (9, 8))
}
"""What a bar of so many whole notes is taken for where only its bar lines tell."""


def read_metre(text: str) -> Metre:
    """A metre as people write it. Raises PianalysisError for another text.

    >>> read_metre("6/8")
    (6, 8)
    """
    found = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(\d{1,2})\s*", text)
    if found is None or not 1 <= int(found[1]) <= LARGEST or int(found[2]) not in DENOMINATORS:
        raise PianalysisError(f"expected a metre (time signature) such as 4/4, 3/4 or 6/8, found {text!r}")
    return int(found[1]), int(found[2])


def read_pickup(text: str | float) -> Fraction:
    """A pickup's length in quarters: 1, 0.5, 1/2 or 3/2; 0 is none. Raises PianalysisError for another text.

    >>> read_pickup("1/2"), read_pickup(1.5)
    (Fraction(1, 2), Fraction(3, 2))
    """
    try:
        pickup = Fraction(text).limit_denominator(96)
    except (ValueError, ZeroDivisionError, OverflowError):
        pickup = Fraction(-1)
    if not 0 <= pickup < LARGEST:
        raise PianalysisError(
            f"expected a pickup in quarter notes, such as 1, 0.5 or 3/2, or 0 for none, found {text!r}"
        )
    return pickup


def quarters_of(metre: Metre) -> Fraction:
    """The quarters in a bar."""
    return Fraction(4 * metre[0], metre[1])


def metre_of_bar(quarters: Fraction, beat: int) -> Metre:
    """A metre whose bar is so many quarters long, in a metre's beats (such as 8 for eighths) or the longest that do.

    What no metre can say exactly takes the next longer one: the change that follows cuts it off.

    >>> metre_of_bar(Fraction(3, 2), 4), metre_of_bar(Fraction(257, 16), 4), metre_of_bar(Fraction(1, 3), 4)
    ((3, 8), (129, 32), (6, 64))
    """
    sizes = (*DENOMINATORS, FINEST_BEAT)
    counts = {size: quarters * size / 4 for size in sizes if quarters * size / 4 <= MOST_BEATS} or {
        1: Fraction(MOST_BEATS)
    }
    exact = [size for size, count in counts.items() if size >= beat and count.denominator == 1]
    size = min(exact, default=max(counts))
    return max(1, math.ceil(counts[size])), size


def metre_of_lines(lines: Sequence[Fraction]) -> Metre | None:
    """The metre of bars that end at these places, in whole notes; None without a line.

    It is that of most bars, of equally many the first; the pickup doesn't count where there are others, and a bar that no
    common metre has is read as in 4/4.

    >>> metre_of_lines([Fraction(1, 4), Fraction(1), Fraction(7, 4)]), metre_of_lines([Fraction(1, 4)])
    ((3, 4), (4, 4))
    """
    if not lines:
        return None
    bars = [stop - start for start, stop in pairwise(lines)] or [lines[0]]
    return METRE_OF_BAR.get(max(bars, key=bars.count), COMMON)


def stated_metre(score: symusic.Score) -> Metre:
    """The metre that holds for most of a score, 4/4 where it states none."""
    end = max([score.tpq, *(track.end() for track in score.tracks)])
    spans: dict[Metre, int] = {}
    for start, stop, metre in _spans(score, end):
        spans[metre] = spans.get(metre, 0) + stop - start
    return max(spans, key=lambda metre: spans[metre])


def first_full_bar(score: symusic.Score) -> int:
    """The tick of the first bar line at which no cut-off bar begins: past a pickup that the score states as one."""
    end = max([score.tpq, *(track.end() for track in score.tracks)])
    spans = _spans(score, end)
    start, stop, metre = spans[0]
    cut_off = len(spans) > 1 and stop - start < bar_ticks(score, max(metre, spans[1][2], key=quarters_of))
    return stop if cut_off else start


def bar_ticks(score: symusic.Score, metre: Metre) -> int:
    """The ticks of a bar of a metre in a score."""
    return max(1, int(score.tpq * quarters_of(metre)))


def _spans(score: symusic.Score, end: int) -> list[tuple[int, int, Metre]]:
    """(first tick, the one after the last, metre) of each time signature in turn, from tick 0."""
    changes = {0: COMMON}
    for item in sorted(score.time_signatures, key=lambda signature: signature.time):
        if item.numerator > 0 and item.denominator > 0 and item.time < end:
            late = item.time > score.tpq // 32  # some programs put the first one at tick 1, with all notes
            changes[item.time if late else 0] = (item.numerator, item.denominator)
    starts = sorted(changes)
    return [(start, stop, changes[start]) for start, stop in pairwise([*starts, max(end, starts[-1] + 1)])]


def with_bar_lines(score: symusic.Score, line: int, metre: Metre | None = None) -> symusic.Score:
    """A copy with a bar line at a tick, and bars counted from there on and back from there.

    metre: that of all bars; None keeps the score's own, whose changes stay where they stand after that line. What comes
    before the first whole bar is a short bar with a metre of its own.
    """
    end = max([score.tpq, *(track.end() for track in score.tracks)])
    if metre is None:
        spans = _spans(score, end)
        held = [span[2] for span in spans if span[0] <= max(line, first_full_bar(score))][-1]
        later = [(start, other) for start, _, other in spans if start > line and start > first_full_bar(score)]
    else:
        held, later = metre, []
    first = line % bar_ticks(score, held)
    placed = [(0, metre_of_bar(Fraction(first, score.tpq), held[1]))] if first else []
    copy = score.copy()
    copy.time_signatures.clear()
    for tick, (numerator, denominator) in [*placed, (first, held), *later]:
        copy.time_signatures.append(symusic.TimeSignature(tick, numerator, denominator))
    return copy

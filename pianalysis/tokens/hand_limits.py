"""What two hands may strike where a piece is to be easy to play: which keys, and when, after what they struck before.

In: a rule for each hand (`music.difficulty`), and what is struck. Out: the keys that may be struck next, for the grammar.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from pianalysis.music.difficulty import HandRule
from pianalysis.music.notes import Notes
from pianalysis.tokens import vocab

Hand = tuple[int, int] | None
"""The lowest and the highest key of what a hand struck last; None before its first."""
Hands = tuple[Hand, Hand]
"""The left one and the right one."""
NOWHERE: Final[Hands] = (None, None)
EVERY_CLASS: Final = frozenset(range(12))


@dataclass(frozen=True)
class HandLimits:
    """What holds for two hands.

    border: the right hand's lowest key. times: when something may be struck, rising: clock-ms, or window ms on its grid
    (`on_window`). classes: from when on which pitch classes may be, rising in time; () for all.
    """

    rule: HandRule
    border: int
    times: tuple[float, ...]
    classes: tuple[tuple[float, frozenset[int]], ...] = ()

    def on_window(self, start_ms: float) -> HandLimits:
        """The same on a window's clock and grid."""
        begin = bisect_left(self.times, start_ms - vocab.TIME_STEP_MS)
        stop = bisect_right(self.times, start_ms + vocab.WINDOW_MS)
        return replace(
            self,
            times=tuple(_on_grid(time - start_ms) for time in self.times[begin:stop]),
            classes=tuple((_on_grid(time - start_ms), classes) for time, classes in self.classes),
        )

    def transposed(self, semitones: int) -> HandLimits:
        """The same in another key."""
        classes = tuple((time, frozenset((one + semitones) % 12 for one in found)) for time, found in self.classes)
        return replace(self, border=self.border + semitones, classes=classes)

    def steps(self, first: int, stop: int) -> list[int]:
        """The grid steps from first to stop, not included, at which something may be struck."""
        step = vocab.TIME_STEP_MS
        begin, end = bisect_left(self.times, first * step), bisect_left(self.times, stop * step)
        return [int(time) // step for time in self.times[begin:end]]

    def is_time(self, onset_ms: float) -> bool:
        """Whether something may be struck at an onset, give or take half a step of the grid."""
        near = bisect_left(self.times, onset_ms - vocab.TIME_STEP_MS / 2)
        return near < len(self.times) and self.times[near] <= onset_ms + vocab.TIME_STEP_MS / 2

    def keys(self, keys: range, onset_ms: float, struck: Iterable[int], before: Hands) -> list[range]:
        """Those of some keys that may be struck next, as rising spans. struck: the keys of this onset so far, rising.

        There are none off the `times`. A hand that was where it couldn't have been goes anywhere.
        """
        if not self.is_time(onset_ms):
            return []
        struck = [*struck]
        left = _in_reach([key for key in struck if key < self.border], before[0], self.rule)
        right = _in_reach([key for key in struck if key >= self.border], before[1], self.rule)
        classes = self._classes_at(onset_ms)
        parts = (
            _common(left, keys.start, min(keys.stop, self.border)),
            _common(right, max(keys.start, self.border), keys.stop),
        )
        found = [key for part in parts for key in part if key % 12 in classes]
        return _spans(found)

    def _classes_at(self, onset_ms: float) -> frozenset[int]:
        begun = bisect_right(self.classes, onset_ms + vocab.TIME_STEP_MS / 2, key=lambda item: item[0])
        return self.classes[max(begun - 1, 0)][1] if self.classes else EVERY_CLASS

    def after(self, struck: Iterable[int], before: Hands) -> Hands:
        """Where the hands are when some keys have been struck together."""
        struck = [*struck]
        sides = [key for key in struck if key < self.border], [key for key in struck if key >= self.border]
        left, right = ((min(side), max(side)) if side else hand for side, hand in zip(sides, before, strict=True))
        return left, right

    def after_all(self, notes: Notes) -> Hands:
        """Where the hands are after sorted notes."""
        hands = []
        for side in (notes[notes["pitch"] < self.border], notes[notes["pitch"] >= self.border]):
            last = side["pitch"][side["onset_ms"] > side["onset_ms"].max(initial=0.0) - vocab.TIME_STEP_MS]
            hands.append((int(last.min()), int(last.max())) if len(last) else None)
        return hands[0], hands[1]

    def allow(self, notes: Notes, before: Hands = NOWHERE) -> bool:
        """Whether sorted notes may be struck as they stand, by hands that come from somewhere."""
        for onset in np.unique(notes["onset_ms"]).tolist():
            struck = sorted(notes["pitch"][notes["onset_ms"] == onset].tolist())
            for count, key in enumerate(struck):
                if not self.keys(range(key, key + 1), onset, struck[:count], before):
                    return False
            before = self.after(struck, before)
        return True


def _in_reach(struck: list[int], before: Hand, rule: HandRule) -> range:
    """The keys that a hand may add to those that it strikes now, after what it struck before."""
    if len(struck) >= rule.keys:
        return range(0)
    low, high = vocab.LOWEST_PITCH, vocab.HIGHEST_PITCH
    if before is not None and before[1] - before[0] <= rule.reach:
        low, high = before[1] - rule.reach, before[0] + rule.reach
    if struck:
        low, high = struck[-1] + 1, min(high, struck[0] + rule.span)
    return range(low, high + 1)


def _common(keys: range, start: int, stop: int) -> range:
    return range(max(keys.start, start), min(keys.stop, stop))


def _spans(keys: list[int]) -> list[range]:
    """Rising keys as spans."""
    spans: list[range] = []
    for key in keys:
        if spans and spans[-1].stop == key:
            spans[-1] = range(spans[-1].start, key + 1)
        else:
            spans.append(range(key, key + 1))
    return spans


def _on_grid(time_ms: float) -> int:
    return int(np.floor(time_ms / vocab.TIME_STEP_MS + 0.5)) * vocab.TIME_STEP_MS

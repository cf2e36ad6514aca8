"""The bars before a melody: a phrase of it, played by the piano alone, which leads into its first chord.

In: a source with its chart, and the bars that are free. Out: an `Introduction`: the phrase's melody and chords, in their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import Chart
from pianalysis.harmony.symbols import Chord
from pianalysis.music.clock import ROUNDING_MS, BeatClock
from pianalysis.music.hands import FINGERS, WIDEST_SPAN
from pianalysis.music.notes import SAME_ONSET_MS, Notes, make_notes, sort_notes

if TYPE_CHECKING:
    from pianalysis.arranging.pieces import Source

DOMINANT: Final = 7
"""Semitones from a root up to its dominant's."""
DOMINANTS: Final = ("maj", "7", "sus4")


@dataclass(frozen=True, eq=False)
class Introduction:
    """line: what the piano plays of the melody, on the piece's clock. bars: of the piece. phrase: which one it is, in a word."""

    line: Notes
    bars: range
    phrase: str
    lines_ms: tuple[float, ...]
    chart: Chart
    from_ms: tuple[float, ...]
    turn_ms: float
    turn: Chord | None

    def chord_at(self, ms: float) -> Chord | None:
        """The chord at a time on the piece's clock; before the introduction what it begins with."""
        if self.turn is not None and ms >= self.turn_ms:
            return self.turn
        bar = int(np.clip(np.searchsorted(self.lines_ms, ms, side="right") - 1, 0, len(self.from_ms) - 1))
        return self.chart.at(self.from_ms[bar] + max(0.0, ms - self.lines_ms[bar]))


def introduction(
    source: Source, chart: Chart, tune: range, clock: BeatClock, bars: range, begin_ms: float
) -> Introduction:
    """An introduction on the tune's first phrase where that ends on the dominant of its first chord, else on its last one.

    tune: its whole bars, in the file; chart: theirs. clock, bars: the piece's. begin_ms: when the melody begins. Where the last
    phrase ends on the chord that the tune begins with, that chord's dominant takes the end of the last bar.
    """
    lines_ms = clock.bar_lines[bars.start : bars.stop + 1].tolist()
    home = chart.at(float(source.clock.bar_lines[tune.start]) + 1.0)
    opening = _ends_on_dominant(source, chart, tune[: len(bars)], home) and len(bars) <= len(tune)
    chosen = [*tune[: len(bars)]] if opening else [tune[(index - len(bars)) % len(tune)] for index in range(len(bars))]
    from_ms = [float(source.clock.bar_lines[bar]) for bar in chosen]
    line = _line(source, chosen, lines_ms)
    turn_ms, turn = float(lines_ms[-1]), None
    if not opening and home and chart.at(_last_beat_ms(source, chosen[-1])) == home:
        turn_ms = _second_half_ms(clock, bars[-1])
        turn = Chord((home.root + DOMINANT) % 12, "7")
        if (line["onset_ms"] >= turn_ms - ROUNDING_MS).any() or turn_ms >= begin_ms:
            turn_ms, turn = float(lines_ms[-1]), None
    line = _until(line, min(turn_ms, begin_ms))
    word = "first" if opening else "last"
    return Introduction(line, bars, word, tuple(lines_ms), chart, tuple(from_ms), turn_ms, turn)


def _last_beat_ms(source: Source, bar: int) -> float:
    """A moment in a bar's last beat, on the file's clock."""
    return float(source.clock.bar_lines[bar + 1]) - 1.0


def _ends_on_dominant(source: Source, chart: Chart, phrase: Sequence[int], home: Chord | None) -> bool:
    last = chart.at(_last_beat_ms(source, phrase[-1]))
    if not last or not home:
        return False
    return (last.root - home.root) % 12 == DOMINANT and last.core().quality in DOMINANTS


def _second_half_ms(clock: BeatClock, bar: int) -> float:
    """Where the second half of a bar begins, on a beat; the bar's end where it is a single beat."""
    grid = clock_beats(clock)
    beats = np.flatnonzero(grid.bar == bar)
    if len(beats) < 2:
        return float(clock.bar_lines[bar + 1])
    return float(grid.borders_ms[beats[(len(beats) + 1) // 2]])


def _line(source: Source, chosen: Sequence[int], lines_ms: Sequence[float]) -> Notes:
    """The voice of some bars of the file in the piece's bars; what goes on in the next one does so if that follows here too."""
    parts = [make_notes()]
    for index, bar in enumerate(chosen):
        start, end = source.clock.bar_lines[bar : bar + 2].tolist()
        onsets = source.voice["onset_ms"]
        notes = source.voice[(onsets >= start - ROUNDING_MS) & (onsets < end - ROUNDING_MS)].copy()
        notes["onset_ms"] += lines_ms[index] - start
        notes = notes[notes["onset_ms"] < lines_ms[index + 1] - ROUNDING_MS]
        goes_on = chosen[index + 1 : index + 2] == [bar + 1] or index + 1 == len(chosen)
        parts.append(_until(notes, lines_ms[-1] if goes_on else lines_ms[index + 1]))
    return sort_notes(np.concatenate(parts))


def _until(notes: Notes, end_ms: float) -> Notes:
    """Notes that begin before a moment, cut off there (a new array)."""
    kept = notes[notes["onset_ms"] < end_ms - ROUNDING_MS].copy()
    kept["duration_ms"] = np.minimum(kept["duration_ms"], end_ms - kept["onset_ms"])
    return kept


def with_line(below: Notes, line: Notes) -> Notes:
    """An accompaniment with a line on top (a new array), as two hands can play it, both in the same ms.

    What is struck with a note of the line gives way where it is the same key or higher, or where it is out of both hands' reach.

    >>> below = make_notes([(0, 500, 40, 64), (0, 500, 60, 64), (0, 500, 79, 64)])
    >>> with_line(below, make_notes([(0, 500, 76, 80)]))["pitch"].tolist()
    [40, 60, 76]
    """
    if not len(line):
        return below
    dropped = np.zeros(len(below), bool)
    for onset, pitch in zip(line["onset_ms"].tolist(), line["pitch"].tolist(), strict=True):
        together = np.flatnonzero(np.abs(below["onset_ms"] - onset) < SAME_ONSET_MS)
        kept = fits_under(pitch, below["pitch"][together].tolist())
        dropped[together[[key not in kept for key in below["pitch"][together].tolist()]]] = True
    return sort_notes(np.concatenate([below[~dropped], line]))


def fits_under(top: int, keys: Sequence[int]) -> list[int]:
    """Of some keys those that two hands strike together with one above them: those in the middle are left out first.

    >>> fits_under(84, [36, 48, 60, 72]), fits_under(84, [36, 43, 48, 58, 62])
    ([36, 48, 72], [36, 43, 48])
    """
    kept = sorted(key for key in set(keys) if key < top)
    right = [key for key in kept if top - key <= WIDEST_SPAN][1 - FINGERS :]
    left = [key for key in kept if key not in right and key - kept[0] <= WIDEST_SPAN][:FINGERS]
    return [*left, *right]

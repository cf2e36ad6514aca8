"""Cutting a piece into windows: as many whole bars as fit in 16,000 clock-ms.

In: melody and accompaniment in real milliseconds and their `BeatClock`. Out: `Window`s of grid notes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from pianalysis import vocab
from pianalysis.clock import QUARTER_MS, BeatClock
from pianalysis.melody import monophonic
from pianalysis.notes import Notes, sort_notes
from pianalysis.tokenizer import WindowNotes, encode, quantize

MAX_TOKENS: Final = 2048
"""A denser window is cut to fewer bars."""
DENSITY_CUTS: Final = (3.4, 4.9)
"""Accompaniment notes per beat (500 clock-ms) at the terciles of the training windows of both corpora."""


@dataclass(frozen=True, eq=False)
class Window:
    """Some whole bars of a piece: `notes` are grid notes from `start_ms` (clock-ms) on, `length_ms` clock-ms long."""

    start_bar: int
    bars: int
    start_ms: float
    length_ms: float
    notes: WindowNotes


def bars_in_window(bar_lines: np.ndarray, start_bar: int) -> int:
    """How many whole bars from `start_bar` on fit in one window; at least one.

    >>> bars_in_window(np.arange(0.0, 40_000, 2_000), 3), bars_in_window(np.arange(0.0, 40_000, 1_500), 0)
    (8, 10)
    """
    limit = bar_lines[start_bar] + vocab.WINDOW_MS + 1e-6
    return max(1, int(np.searchsorted(bar_lines, limit, side="right")) - 1 - start_bar)


def density_of(count: int, length_ms: float) -> str:
    """The density word of so many accompaniment notes in so many clock-ms."""
    per_beat = count / (length_ms / QUARTER_MS)
    return tuple(vocab.DENSITIES)[int(np.searchsorted(DENSITY_CUTS, per_beat, side="right"))]


def notes_between(notes: Notes, start_ms: float, length_ms: float) -> Notes:
    """Grid notes whose rounded onset is inside the window, counted from its start. `notes`: sorted, in clock-ms."""
    half = vocab.TIME_STEP_MS / 2
    first, last = np.searchsorted(notes["onset_ms"], [start_ms - vocab.TIME_STEP_MS, start_ms + length_ms + half])
    part = notes[first:last].copy()
    part["onset_ms"] -= start_ms
    grid = quantize(part)
    return grid[grid["onset_ms"] < length_ms]


def make_window(melody: Notes, accompaniment: Notes, bar_lines: np.ndarray, start_bar: int, style: str) -> Window:
    """The window that starts at a bar. Notes are in clock-ms and sorted; the melody is one voice."""
    bars = bars_in_window(bar_lines, start_bar)
    while True:
        start = float(bar_lines[start_bar])
        length = min(float(bar_lines[start_bar + bars]) - start, float(vocab.WINDOW_MS))
        above, below = notes_between(melody, start, length), notes_between(accompaniment, start, length)
        notes = WindowNotes(above, below, style, density_of(len(below), length))
        if bars == 1 or len(encode(notes)) <= MAX_TOKENS:
            return Window(start_bar, bars, start, length, notes)
        bars -= 1


def cut_windows(
    melody: Notes, accompaniment: Notes, clock: BeatClock, *, style: str = "pop", every_bar: bool = False
) -> Iterator[Window]:
    """The windows of a piece, one after the other (or one starting at every bar), from its first bar.

    Kept are those between the first and the last melody note, interludes included; windows that lie wholly before or
    after the melody, and single bars of over `MAX_TOKENS` tokens, are not.
    """
    voice = monophonic(clock.notes_to_clock(melody))
    below = sort_notes(clock.notes_to_clock(accompaniment))
    if not len(voice):
        return
    # A note less than half a step before a bar line (a rounding error is enough) is the bar's own on the grid.
    first, last = (float(onset) + vocab.TIME_STEP_MS / 2 for onset in voice["onset_ms"][[0, -1]])
    bar = 0
    while bar < len(clock.bar_lines) - 1 and clock.bar_lines[bar] <= last:
        window = make_window(voice, below, clock.bar_lines, bar, style)
        if window.start_ms + window.length_ms > first and len(encode(window.notes)) <= MAX_TOKENS:
            yield window
        bar += 1 if every_bar else window.bars

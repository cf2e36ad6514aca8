"""Cutting a piece into windows: as many whole bars as fit in 16,000 clock-ms.

In: melody and accompaniment in real milliseconds, their `BeatClock`, chords on the clock. Out: `Window`s of grid notes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

import numpy as np

from pianalysis.music.clock import QUARTER_MS, BeatClock
from pianalysis.music.notes import Notes, monophonic, sort_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.tokenizer import ChordTones, WindowNotes, encode, quantize

MAX_TOKENS: Final = 2048
"""A denser window is cut to fewer bars."""
DENSITY_CUTS: Final = (3.07, 4.55)
"""Accompaniment notes per beat (500 clock-ms) at the terciles of the training windows of all corpora, one at every bar."""
LEAD_SHEET_DENSITY: Final = "mid"
"""The word in a lead sheet, which has no accompaniment to count."""
_NO_CHORD: Final[tuple[int, tuple[int, ...]]] = (-1, ())


@dataclass(frozen=True, eq=False)
class Window:
    """Some whole bars of a piece: `notes` are grid notes from `start_ms` (clock-ms) on, `length_ms` clock-ms long."""

    start_bar: int
    bars: int
    start_ms: float
    length_ms: float
    notes: WindowNotes


@dataclass(frozen=True)
class HeldChord:
    """A chord that holds from `start_ms` to `end_ms` (clock-ms): its bass and tones as pitch classes, in any order.

    No chord: bass −1, no tones.
    """

    start_ms: float
    end_ms: float
    bass: int = -1
    tones: tuple[int, ...] = ()


def bars_in_window(bar_lines: np.ndarray, start_bar: int) -> int:
    """How many whole bars from `start_bar` on fit in one window; at least one.

    >>> bars_in_window(np.arange(0.0, 40_000, 2_000), 3), bars_in_window(np.arange(0.0, 40_000, 1_500), 0)
    (8, 10)
    """
    limit = bar_lines[start_bar] + vocab.WINDOW_MS + 1e-6
    return max(1, int(np.searchsorted(bar_lines, limit, side="right")) - 1 - start_bar)


def density_of(count: int, length_ms: float, cuts: tuple[float, float] = DENSITY_CUTS) -> str:
    """The density word of so many accompaniment notes in so many clock-ms. cuts: notes per beat, as `DENSITY_CUTS`.

    >>> [density_of(count, 2_000, cuts=(3.0, 5.0)) for count in (11, 12, 19, 20)]
    ['low', 'mid', 'mid', 'high']
    """
    per_beat = count / (length_ms / QUARTER_MS)
    return tuple(vocab.DENSITIES)[int(np.searchsorted(cuts, per_beat, side="right"))]


def notes_between(notes: Notes, start_ms: float, length_ms: float) -> Notes:
    """Grid notes whose rounded onset is inside the window, counted from its start. `notes`: sorted, in clock-ms."""
    half = vocab.TIME_STEP_MS / 2
    first, last = np.searchsorted(notes["onset_ms"], [start_ms - vocab.TIME_STEP_MS, start_ms + length_ms + half])
    part = notes[first:last].copy()
    part["onset_ms"] -= start_ms
    grid = quantize(part)
    return grid[grid["onset_ms"] < length_ms]


def chords_between(chords: Sequence[HeldChord], start_ms: float, length_ms: float) -> tuple[ChordTones, ...]:
    """The chords of a window as its tokens say them: on the grid, from 0 on, equal neighbours merged.

    chords: rising in time; where one begins, the one before is over. Where none of them holds there is no chord, but for
    a single step, which is a rounding error's. Where none of them reaches into the window, the result is empty.
    """
    changes: dict[int, tuple[int, tuple[int, ...]]] = {}
    end = 0
    for chord in chords:
        first, last = _step(chord.start_ms - start_ms), _step(chord.end_ms - start_ms)
        if last <= max(first, 0):
            continue
        if first * vocab.TIME_STEP_MS >= length_ms:
            break
        if first > end + 1:
            changes[end] = _NO_CHORD
        elif not changes:
            first = 0
        changes[first] = (chord.bass, tuple(sorted(chord.tones)))
        end = last
    if changes and (end + 1) * vocab.TIME_STEP_MS < length_ms:
        changes[end] = _NO_CHORD
    kinds = [None, *changes.values()]
    return tuple(
        ChordTones(step * vocab.TIME_STEP_MS, *kind)
        for (step, kind), before in zip(changes.items(), kinds, strict=False)
        if kind != before
    )


def _step(time_ms: float) -> int:
    """The nearest step of the grid; a half goes up, as in `quantize`."""
    return floor(time_ms / vocab.TIME_STEP_MS + 0.5 + 1e-6)


def make_window(
    melody: Notes,
    accompaniment: Notes | None,
    bar_lines: np.ndarray,
    start_bar: int,
    style: str,
    chords: Sequence[HeldChord] | None = None,
) -> Window:
    """The window that starts at a bar. Notes are in clock-ms and sorted; the melody is one voice.

    chords, accompaniment: as `cut_windows` has them.
    """
    bars = bars_in_window(bar_lines, start_bar)
    while True:
        start = float(bar_lines[start_bar])
        length = min(float(bar_lines[start_bar + bars]) - start, float(vocab.WINDOW_MS))
        above = notes_between(melody, start, length)
        below = None if accompaniment is None else notes_between(accompaniment, start, length)
        density = LEAD_SHEET_DENSITY if below is None else density_of(len(below), length)
        held = None if chords is None else chords_between(chords, start, length)
        notes = WindowNotes(above, below, style, density, held)
        if bars == 1 or _fits(notes):
            return Window(start_bar, bars, start, length, notes)
        bars -= 1


def _fits(notes: WindowNotes) -> bool:
    """Whether a window has at most `MAX_TOKENS` tokens; counted out only where so many notes and chords can have more."""
    most = 6 + 4 * (len(notes.melody) + len(notes.below)) + 14 * len(notes.chords or ())
    return most <= MAX_TOKENS or len(encode(notes)) <= MAX_TOKENS


def cut_windows(
    melody: Notes,
    accompaniment: Notes | None,
    clock: BeatClock,
    *,
    style: str = "pop",
    every_bar: bool = False,
    chords: Sequence[HeldChord] | None = None,
) -> Iterator[Window]:
    """The windows of a piece, one after the other (or one starting at every bar), from its first bar.

    Kept are those between the first and the last melody note, interludes included; windows that lie wholly before or
    after the melody, and single bars of over `MAX_TOKENS` tokens, are not.

    chords: rising in time, where one begins the one before is over; None for windows of the form that says nothing of
    chords. accompaniment: None for a lead sheet, which has chords.
    """
    voice = monophonic(clock.notes_to_clock(melody))
    below = None if accompaniment is None else sort_notes(clock.notes_to_clock(accompaniment))
    if not len(voice):
        return
    # A note less than half a step before a bar line (a rounding error is enough) is the bar's own on the grid.
    first, last = (float(onset) + vocab.TIME_STEP_MS / 2 for onset in voice["onset_ms"][[0, -1]])
    bar = 0
    while bar < len(clock.bar_lines) - 1 and clock.bar_lines[bar] <= last:
        window = make_window(voice, below, clock.bar_lines, bar, style, chords)
        if window.start_ms + window.length_ms > first and _fits(window.notes):
            yield window
        bar += 1 if every_bar else window.bars

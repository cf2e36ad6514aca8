"""Notes to a picture: a piano roll.

In: note arrays in real milliseconds. Out: a PNG. The picture library is imported when used.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pianalysis.files import check_folder, write_atomically
from pianalysis.music.notes import Notes, check_notes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
MELODY_COLOUR, ACCOMPANIMENT_COLOUR = "#D55E00", "#0072B2"
"""Vermilion and blue of Okabe and Ito's palette, told apart by every kind of eye."""
FAINTEST: Final = 0.2
"""Opacity of velocity 1; velocity 127 is opaque."""
PAGE_WIDTH_IN, HEADER_IN, MARGIN_IN, DOTS_PER_INCH = 16.0, 0.75, 0.55, 110
LABEL_SIZE, LABEL_POINTS = 8, (10, 18)
"""Of chord symbols, and the height of their two lines above a row, in points."""
SYSTEMS, SYSTEM_S = 10, 20.0
"""As many rows as a page has before they get longer than this."""


def save_png(
    path: str | os.PathLike[str],
    melody: Notes,
    accompaniment: Notes,
    *,
    bar_lines_ms: ArrayLike,
    title: str = "",
    max_seconds: float = 60.0,
    labels: Sequence[tuple[float, str]] = (),
) -> Path:
    """Draw the whole piece as a piano roll in rows of whole bars: about ten of 20 s to `max_seconds`, or more of them.

    melody, accompaniment: real milliseconds; the louder a note, the more opaque. bar_lines_ms: the bars' starts; the
    first is bar 1. labels: what stands above the music, such as chord symbols, from which moment on, in real ms and
    rising; where they are too dense for the page some are left out. The file appears whole or not at all. Raises PianalysisError for times or pitches out of range, and
    if the file can't be written.
    """
    target = Path(path)
    check_folder(target)
    both = np.concatenate([melody, accompaniment])
    check_notes(both)
    from matplotlib.figure import Figure  # the object API: no pyplot, no state shared with the caller's plots

    ends_s = (both["onset_ms"] + both["duration_ms"]) / 1_000
    bars_s = np.unique(np.asarray(bar_lines_ms, dtype=np.float64)) / 1_000
    rows = systems(bars_s, float(ends_s.max(initial=1.0)), max_seconds)
    low, high = int(both["pitch"].min(initial=55)) - 2, int(both["pitch"].max(initial=65)) + 2
    row_in = min(max((high - low) * 0.036, 0.9), max(30 / len(rows), 0.9), 2.4)
    height_in = HEADER_IN + len(rows) * (row_in + MARGIN_IN)
    figure = Figure(figsize=(PAGE_WIDTH_IN, height_in), dpi=DOTS_PER_INCH, facecolor="white")
    margin = MARGIN_IN / PAGE_WIDTH_IN
    _draw_header(figure, title, height_in)
    for number, (start, end) in enumerate(rows):
        bottom = height_in - HEADER_IN - number * (row_in + MARGIN_IN) - row_in
        axes = figure.add_axes((margin, bottom / height_in, 1 - 2 * margin, row_in / height_in))
        axes.set_xlim(start, start + max(last - first for first, last in rows))
        axes.set_ylim(low - 0.5, high + 0.5)
        _draw_grid(axes, bars_s, end)
        _draw_notes(axes, accompaniment, ACCOMPANIMENT_COLOUR, start, end)
        _draw_notes(axes, melody, MELODY_COLOUR, start, end)
        _draw_labels(axes, _labels_of(labels, start, end))
    data = io.BytesIO()
    figure.savefig(data, format="png")
    return write_atomically(target, data.getvalue())


def systems(bars_s: Floats, end_s: float, max_seconds: float = 60.0) -> list[tuple[float, float]]:
    """Where each row of a piano roll starts and ends, in seconds: whole bars, from 0 to the bar line after `end_s`.

    >>> systems(np.arange(0.0, 33.0, 4.0), 31.0)
    [(0.0, 20.0), (20.0, 32.0)]
    """
    row_s = min(max(end_s / SYSTEMS, SYSTEM_S), max(max_seconds, 1.0))
    breaks = np.append(bars_s[bars_s < end_s], bars_s[bars_s >= end_s][:1] if (bars_s >= end_s).any() else end_s)
    start, rows = min(0.0, float(breaks[0])), []
    while start < breaks[-1]:
        fitting = breaks[(breaks > start) & (breaks <= start + row_s)]
        stop = float(fitting[-1]) if len(fitting) else start + row_s  # a bar longer than a row is cut
        rows.append((start, stop))
        start = stop
    return rows


def _draw_header(figure: Figure, title: str, height_in: float) -> None:
    left, middle = MARGIN_IN / PAGE_WIDTH_IN, 1 - 0.3 / height_in
    figure.text(
        left, middle, title[:80], fontsize=15, fontweight="bold", color="#222222", va="center", parse_math=False
    )
    for offset_in, colour, text in ((3.1, MELODY_COLOUR, "melody"), (2.1, ACCOMPANIMENT_COLOUR, "accompaniment")):
        x = 1 - left - offset_in / PAGE_WIDTH_IN
        figure.text(x, middle, "■ ", fontsize=13, color=colour, va="center", ha="right")
        figure.text(x, middle, text, fontsize=10, color="#222222", va="center")
    figure.text(1 - left, middle, "paler = softer", fontsize=8, color="#777777", va="center", ha="right")


def _draw_grid(axes: Axes, bars_s: Floats, end: float) -> None:
    """Black keys, octaves, numbered bar lines and seconds of one row; `end` is where its music stops."""
    (start, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    keys = np.arange(np.ceil(bottom), top, dtype=np.int64)
    axes.barh(keys[np.isin(keys % 12, (1, 3, 6, 8, 10))], end - start, 1, start, color="#F1F2F5", zorder=0)
    octaves = keys[keys % 12 == 0]
    axes.hlines(octaves - 0.5, start, end, colors="#D5D8DE", linewidths=0.6, zorder=1)
    axes.set_yticks(octaves, [f"C{key // 12 - 1}" for key in octaves], fontsize=8, color="#444444")
    shown = np.flatnonzero((bars_s >= start) & (bars_s <= end))
    axes.vlines(bars_s[shown], bottom, top, colors="#B4B9C2", linewidths=0.7, zorder=1, clip_on=False)
    bar_s = float(np.median(np.diff(bars_s))) if len(bars_s) > 1 else end - start
    every = next((step for step in (1, 2, 4, 8, 16) if step * bar_s > 0.02 * (right - start)), 32)
    for bar in shown[(shown % every == 0) & (bars_s[shown] < end)]:
        axes.annotate(str(bar + 1), (bars_s[bar], top), (1, 2), textcoords="offset points", fontsize=7, color="#777777")
    step_s = next(step for step in (1, 2, 5, 10, 30, 60, 600, 6_000) if (right - start) / step <= 15)
    seconds = np.arange(np.ceil(start / step_s) * step_s, end, step_s)
    axes.set_xticks(seconds, [f"{second:.0f} s" for second in seconds], fontsize=7, color="#777777")
    axes.tick_params(length=0, pad=2)
    axes.spines[:].set_visible(False)


def _labels_of(labels: Sequence[tuple[float, str]], start: float, end: float) -> list[tuple[float, str]]:
    """The labels of a row, in seconds, with the one before at its beginning: what it says still holds.

    >>> _labels_of([(0, "C"), (3_000, "F"), (5_000, "G")], 2.0, 4.0)
    [(2.0, 'C'), (3.0, 'F')]
    """
    before = [(start, text) for ms, text in labels if ms / 1_000 < start][-1:]
    inside = [(ms / 1_000, text) for ms, text in labels if start <= ms / 1_000 < end]
    return [*(before if not inside or inside[0][0] > start else ()), *inside]


def _draw_labels(axes: Axes, labels: Sequence[tuple[float, str]]) -> None:
    """Texts from moments in seconds on, above the bars' numbers; what would lie on the one before is raised, or left out."""
    start, right = axes.get_xlim()
    points_a_second = (PAGE_WIDTH_IN - 2 * MARGIN_IN) * 72 / (right - start)
    free = [start] * len(LABEL_POINTS)  # from when on there is room in each line
    for moment, text in labels:
        line = next((line for line, until in enumerate(free) if until <= moment), None)
        if line is not None:
            free[line] = moment + (len(text) * LABEL_SIZE * 0.65 + 3) / points_a_second
            place = (1, LABEL_POINTS[line])
            axes.annotate(
                text,
                (moment, axes.get_ylim()[1]),
                place,
                textcoords="offset points",
                fontsize=LABEL_SIZE,
                color="#222222",
            )


def _draw_notes(axes: Axes, notes: Notes, colour: str, start: float, end: float) -> None:
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgb

    left = np.maximum(notes["onset_ms"] / 1_000, start)
    right = np.minimum((notes["onset_ms"] + notes["duration_ms"]) / 1_000, end)
    seen = right > left
    left, right, pitch = left[seen], right[seen], notes["pitch"][seen]
    half = 0.65  # of a semitone: a little over its row, so that single notes are no hairlines
    corners = np.stack([left, pitch - half, left, pitch + half, right, pitch + half, right, pitch - half], axis=1)
    opacity = FAINTEST + (1 - FAINTEST) * np.clip(notes["velocity"][seen], 1, 127) / 127
    colours = np.column_stack([np.tile(to_rgb(colour), (len(left), 1)), opacity])
    shapes = list(corners.reshape(-1, 4, 2))  # not snapped to whole pixels: they would differ in height
    axes.add_collection(PolyCollection(shapes, facecolors=colours, edgecolors="white", linewidths=0.3, snap=False))

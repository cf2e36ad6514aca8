"""Pictures of an evaluation: distributions, metrics with intervals, piano rolls side by side, sampling settings.

In: songs, pieces and figures. Out: PNG files, whole or not at all.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pianalysis.evaluation.sampling_grid import TEMPERATURES, TOP_PS
from pianalysis.evaluation.songs import Song
from pianalysis.evaluation.summary import Pieces
from pianalysis.files import write_atomically
from pianalysis.metrics.distributions import feature_values
from pianalysis.metrics.names import HUMAN, METRICS
from pianalysis.music.clock import QUARTER_MS
from pianalysis.music.notes import Notes
from pianalysis.output.picture import ACCOMPANIMENT_COLOUR, MELODY_COLOUR
from pianalysis.publishing.corpora_facts import title_of
from pianalysis.publishing.tables import SETTINGS_SHOWN, SHORT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS: Final = ("#222222", "#999999", "#E69F00", "#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""Of systems in their order, from Okabe and Ito's palette; human black."""
AXES: Final = {
    "pitch": ("MIDI pitch", np.arange(20.5, 109, 1.0)),
    "duration": ("length, beats", np.arange(-0.0625, 4.2, 0.125)),
    "inter_onset": ("from onset to onset, beats", np.arange(-0.03125, 2.1, 0.0625)),
    "velocity": ("velocity", np.arange(-4, 133, 8.0)),
}
"""Titles and edges of bins, with the grid's values in the middle of theirs; what is beyond is in the last."""
ROLL_MS: Final = 16_000.0
DOTS_PER_INCH: Final = 110


def _figure(width_in: float, height_in: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), layout="constrained")


def _save(figure: Figure, path: Path) -> Path:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=DOTS_PER_INCH)
    return write_atomically(path, data.getvalue())


def draw_distributions(corpora: Mapping[str, Mapping[str, Pieces]], path: Path) -> Path:
    """A row a corpus, a column a feature: shares of notes, human against each system; `corpora`: their systems' pieces."""
    figure = _figure(15, 3.1 * len(corpora))
    grid = figure.subplots(len(corpora), len(AXES), squeeze=False)
    for row, (corpus, systems) in zip(grid, corpora.items(), strict=True):
        for number, (label, pieces) in enumerate(systems.items()):
            values = feature_values([take.accompaniment for takes in pieces for take in takes])
            for axes, (name, (title, edges)) in zip(row, AXES.items(), strict=True):
                scaled = values[name] / QUARTER_MS if name in ("duration", "inter_onset") else values[name]
                counts, _ = np.histogram(np.clip(scaled, edges[0], edges[-1]), edges)
                share = counts / max(counts.sum(), 1)
                colour = COLOURS[number % len(COLOURS)]
                if label == HUMAN:
                    axes.stairs(share, edges, color=colour, fill=True, alpha=0.2, label=label)
                else:
                    axes.stairs(share, edges, color=colour, linewidth=1.4, label=label)
                axes.set_xlabel(title, fontsize=8)
                axes.tick_params(labelsize=7)
        row[0].set_ylabel(f"{title_of(corpus)}\nshare of notes", fontsize=9)
    grid[0, 0].legend(fontsize=8)
    return _save(figure, path)


def draw_metrics(corpora: Mapping[str, Mapping[str, Any]], path: Path, metrics: Sequence[str] = SHORT) -> Path:
    """A panel a metric: each system's mean and interval in each corpus; a line at the human mean. `corpora`: figures."""
    columns = 4
    rows = sum(map(len, corpora.values()))
    figure = _figure(17, max(2.3, 0.7 + 0.11 * rows) * -(-len(metrics) // columns))
    panels = figure.subplots(-(-len(metrics) // columns), columns, squeeze=False).ravel()
    for axes in panels[len(metrics) :]:
        axes.set_visible(False)
    for axes, name in zip(panels, metrics, strict=False):
        ticks: list[str] = []
        for corpus, systems in corpora.items():
            human = systems.get(HUMAN, {}).get(name, {}).get("mean")
            start = len(ticks)
            for number, (label, figures) in enumerate(systems.items()):
                _draw_interval(axes, len(ticks), figures.get(name), COLOURS[number % len(COLOURS)])
                ticks.append(f"{label}, {title_of(corpus)}")
            if human is not None:
                axes.plot([human, human], [start - 0.4, len(ticks) - 0.6], color=COLOURS[0], linewidth=0.8, alpha=0.5)
        axes.set_yticks(range(len(ticks)), ticks, fontsize=6)
        axes.invert_yaxis()
        axes.set_title(METRICS[name].label, fontsize=8)
        axes.tick_params(axis="x", labelsize=7)
        axes.grid(axis="x", alpha=0.3)
    return _save(figure, path)


def _draw_interval(axes: Axes, row: int, figures: Mapping[str, Any] | None, colour: str) -> None:
    if figures is None or figures["mean"] is None:
        return
    axes.plot([figures["low"], figures["high"]], [row, row], color=colour, linewidth=3, alpha=0.45)
    axes.plot(figures["mean"], row, "o", color=colour, markersize=4)


def draw_rolls(songs: Sequence[Song], systems: Mapping[str, Pieces], path: Path) -> Path:
    """A row a song, a column a system: the first 16,000 clock-ms, melody above accompaniment."""
    figure = _figure(5.2 * len(systems), 1.9 * len(songs) + 0.4)
    grid = figure.subplots(len(songs), len(systems), squeeze=False)
    for row, song, number in zip(grid, songs, range(len(songs)), strict=True):
        pieces = [takes[number][0] for takes in systems.values()]
        pitches = np.concatenate([part["pitch"] for piece in pieces for part in (piece.melody, piece.accompaniment)])
        for axes, label, piece in zip(row, systems, pieces, strict=True):
            _draw_roll(axes, piece.accompaniment, ACCOMPANIMENT_COLOUR)
            _draw_roll(axes, piece.melody, MELODY_COLOUR)
            lines = song.clock.bar_lines
            for line in lines[lines <= ROLL_MS]:
                axes.axvline(line / QUARTER_MS, color="#B4B9C2", linewidth=0.6, zorder=0)
            axes.set(xlim=(0, ROLL_MS / QUARTER_MS), ylim=(pitches.min(initial=60) - 2, pitches.max(initial=72) + 2))
            axes.set_title(f"{song.name}, {label}", fontsize=9)
            axes.tick_params(labelsize=7)
    for axes in grid[-1]:
        axes.set_xlabel("beats", fontsize=8)
    return _save(figure, path)


def _draw_roll(axes: Axes, notes: Notes, colour: str) -> None:
    shown = notes[notes["onset_ms"] < ROLL_MS]
    bottom, width, left = shown["pitch"] - 0.5, shown["duration_ms"] / QUARTER_MS, shown["onset_ms"] / QUARTER_MS
    axes.barh(bottom, width, 1.0, left, align="edge", color=colour, edgecolor="white", linewidth=0.2)


def draw_settings(rows: Sequence[Mapping[str, Any]], human: Mapping[str, Any], path: Path, title: str) -> Path:
    """A panel a metric: how it moves with temperature, a line a top-p, a dashed one at the human value."""
    columns = 4
    figure = _figure(14, 2.5 * -(-len(SETTINGS_SHOWN) // columns))
    figure.suptitle(title, fontsize=10)
    panels = figure.subplots(-(-len(SETTINGS_SHOWN) // columns), columns, squeeze=False).ravel()
    for axes, name in zip(panels, SETTINGS_SHOWN, strict=True):
        for top_p, colour in zip(TOP_PS, COLOURS[3:], strict=False):
            line = [row for row in rows if row["top_p"] == top_p]
            means = [row["distance"] if name == "distance" else row["metrics"][name]["mean"] for row in line]
            values = [np.nan if mean is None else mean for mean in means]
            axes.plot([row["temperature"] for row in line], values, marker=".", color=colour, label=f"top-p {top_p:g}")
        if name != "distance" and human[name]["mean"] is not None:
            axes.axhline(human[name]["mean"], color=COLOURS[0], linestyle="--", linewidth=0.9, label=HUMAN)
        axes.set_title("distance from the human pieces" if name == "distance" else METRICS[name].label, fontsize=9)
        axes.set_xticks(TEMPERATURES)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.3)
    panels[1].legend(fontsize=7)
    return _save(figure, path)

"""The report of an evaluation: a Markdown file with its tables, and its plots.

In: an `Evaluation`. Out: report.md and PNG files in a folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pianalysis.evaluation.likelihoods import spaced
from pianalysis.evaluation.plots import draw_distributions, draw_metrics, draw_rolls, draw_settings
from pianalysis.evaluation.run import CHORDS, OTHER, Evaluation
from pianalysis.files import write_atomically
from pianalysis.metrics.names import HUMAN
from pianalysis.publishing.corpora_facts import title_of
from pianalysis.publishing.tables import (
    ARRANGEMENTS,
    SETTINGS,
    TELLING,
    arrangement_tables,
    likelihood_table,
    settings_table,
    telling_table,
)

REPORT_FILE: Final = "report.md"
ROLLS_A_CORPUS: Final = 4
SETTINGS_LEGEND: Final = (
    "Distance: the mean, over consonance, coupling, clashes, density, polyphony, entropies, scale, groove and empty "
    "beats, of |mean difference from the human value| in human standard deviations, and over overlapping areas of "
    "pitch, length and inter-onset, of 1 − area. The smallest is the nearest to the human pieces."
)


def write_report(evaluation: Evaluation, folder: Path, command: str) -> Path:
    """Write the report and its plots. command: what made it."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = evaluation.figures
    parts = ["# Evaluation", f"`{command}`", "## Likelihood", _likelihood(figures)]
    if evaluation.pieces:
        parts += ["## Whole songs", arrangement_tables(figures), *_telling(figures), *_pictures(evaluation, folder)]
        speeds = (f"{label}: {seconds:.1f}" for label, seconds in evaluation.cpu_seconds_a_minute.items())
        parts.append(f"CPU seconds to arrange a minute of music, one thread: {', '.join(speeds)}.")
    compared = {place: row[SETTINGS] for place, row in figures.items() if SETTINGS in row}
    if compared:
        parts += ["## Sampling settings", SETTINGS_LEGEND, *_settings(compared, folder)]
    return write_atomically(folder / REPORT_FILE, ("\n\n".join(parts) + "\n").encode())


def _likelihood(figures: Mapping[str, Any]) -> str:
    """The table of the first model, and of each other one."""
    parts = ["Nats per accompaniment note.", likelihood_table(dict(figures))]
    for label in dict.fromkeys(label for row in figures.values() for label in row["others"]):
        rows = {place: {**row, "model": row["others"][label]} for place, row in figures.items()}
        parts.append(f"The same, this model being {label}:\n\n{likelihood_table(rows)}")
    return "\n\n".join(parts)


def _telling(figures: Mapping[str, Any]) -> list[str]:
    """What gives each system away, corpus by corpus; nothing where no excerpt is long enough."""
    parts = []
    for place, row in figures.items():
        found = {label: areas for label, areas in row.get(ARRANGEMENTS, {}).get(TELLING, {}).items() if areas}
        if found:
            corpus = place.split("/")[0]
            parts.append(f"What gives them away, {title_of(corpus)}:\n\n{telling_table(found)}")
    return parts


def _pictures(evaluation: Evaluation, folder: Path) -> list[str]:
    pieces = {corpus: of_corpus.systems for corpus, of_corpus in evaluation.pieces.items()}
    draw_distributions(pieces, folder / "distributions.png")
    systems = {
        place.split("/")[0]: row[ARRANGEMENTS]["systems"]
        for place, row in evaluation.figures.items()
        if ARRANGEMENTS in row
    }
    draw_metrics(systems, folder / "metrics.png")
    parts = ["![metrics with intervals](metrics.png)", "![distributions](distributions.png)"]
    for corpus, of_corpus in evaluation.pieces.items():
        numbers = spaced(range(len(of_corpus.songs)), ROLLS_A_CORPUS)
        shown = {
            label: [of_system[number] for number in numbers]
            for label, of_system in of_corpus.systems.items()
            if label not in (OTHER, CHORDS)
        }
        draw_rolls([of_corpus.songs[number] for number in numbers], shown, folder / f"rolls_{corpus}.png")
        parts.append(f"![piano rolls, {HUMAN} and ours](rolls_{corpus}.png)")
    return parts


def _settings(compared: Mapping[str, Any], folder: Path) -> list[str]:
    parts = []
    for place, settings in compared.items():
        corpus = place.split("/")[0]
        title = f"{title_of(corpus)}, songs: {settings['songs']}, model: {settings['model']}"
        draw_settings(settings["rows"], settings["human"], folder / f"settings_{corpus}.png", title)
        parts += [f"**{title}**", settings_table(settings["rows"], settings["human"])]
        parts.append(f"![sampling settings](settings_{corpus}.png)")
    return parts

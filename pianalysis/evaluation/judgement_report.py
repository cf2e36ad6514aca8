"""The report of a judgement: a Markdown file with its table, and pictures.

In: a `Judgement`. Out: report.md and PNG files in a folder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pianalysis.evaluation.judged_songs import JUDGED
from pianalysis.evaluation.judging import Judgement
from pianalysis.evaluation.plots import draw_distributions, draw_metrics, draw_rolls
from pianalysis.files import write_atomically
from pianalysis.publishing.tables import telling_table

REPORT_FILE: Final = "report.md"
ROLLS: Final = 4


def write_judgement(judgement: Judgement, folder: Path, command: str) -> Path:
    """Write the report and its pictures. command: what made it."""
    folder.mkdir(parents=True, exist_ok=True)
    draw_metrics({JUDGED: judgement.systems}, folder / "metrics.png")
    draw_distributions({JUDGED: judgement.pieces}, folder / "distributions.png")
    shown = {system: pieces[:ROLLS] for system, pieces in judgement.pieces.items()}
    draw_rolls(judgement.songs[:ROLLS], shown, folder / "rolls.png")
    telling = {label: areas for label, areas in judgement.figures["telling"].items() if areas}
    parts = ["# Judgement", f"`{command}`", judgement.table()]
    if telling:
        parts += ["## What gives them away", telling_table(telling)]
    parts += [f"![{name}]({name}.png)" for name in ("metrics", "distributions", "rolls")]
    if judgement.remarks:
        parts += ["## Remarks", "\n".join(f"* {remark}" for remark in judgement.remarks)]
    return write_atomically(folder / REPORT_FILE, ("\n\n".join(parts) + "\n").encode())

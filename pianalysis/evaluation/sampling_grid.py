"""Sampling settings: how each metric moves with temperature and top-p, and which setting comes nearest to the human pieces.

In: figures of the same songs, one summary a setting. Out: a distance, rows for tables and plots.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any, Final

import numpy as np

from pianalysis.arranging.arranger import Options
from pianalysis.metrics.names import TWO_SAMPLE

TEMPERATURES: Final = (0.7, 0.8, 0.9, 1.0, 1.1)
TOP_PS: Final = (0.9, 0.95, 1.0)
COMPARED: Final = (
    *("clash_rate", "out_of_key", "chord_changes", "notes_per_beat", "polyphony", "pitch_class_entropy_1"),
    *("groove_consistency", "empty_beat_rate"),
)
"""Metrics whose human value is the aim, each in human standard deviations."""
SHARES_COMPARED: Final = ("chord_root", "chord_tones", "root_in_bass")
"""How well the song's chords are played. The human value is the aim here too, as a plain share: people hardly differ
(POP909: 0.05 in roots, 0.03 in chord tones), so in their standard deviations these alone would decide."""
AREAS_COMPARED: Final = ("area_pitch", "area_duration", "area_inter_onset")
"""Overlapping areas, whose aim is 1."""


def grid(options: Options) -> list[Options]:
    """All settings: each temperature with each top-p."""
    return [replace(options, temperature=t, top_p=p) for t, p in product(TEMPERATURES, TOP_PS)]


def setting_name(options: Options) -> str:
    """A setting's name among systems."""
    return f"temperature {options.temperature:g}, top-p {options.top_p:g}"


def distance(figures: Mapping[str, Any], spread: Mapping[str, float]) -> float:
    """How far a setting's pieces are from the human ones; 0 for the same, NaN where nothing is known.

    The mean of |mean difference from the human value|, of the metrics in `COMPARED` over the human standard deviation
    between songs, of those in `SHARES_COMPARED` as it is; of 1 − overlapping area, of `AREAS_COMPARED`; and of how far the
    two-sample test's AUC is from 0.5, from 0 to 1. So no metric alone can win.
    """
    parts = [1 - figures[name]["mean"] for name in AREAS_COMPARED if figures[name]["mean"] is not None]
    if figures[TWO_SAMPLE]["mean"] is not None:
        parts.append(2 * abs(figures[TWO_SAMPLE]["mean"] - 0.5))
    units = {**dict.fromkeys(SHARES_COMPARED, 1.0), **{name: spread[name] for name in COMPARED}}
    for name, unit in units.items():
        minus = figures[name]["minus_human"]["mean"]
        if minus is not None and unit > 0:
            parts.append(abs(minus) / unit)
    return float(np.mean(parts)) if parts else float("nan")


def grid_figures(
    systems: Mapping[str, Mapping[str, Any]], settings: list[Options], spread: Mapping[str, float]
) -> list[dict[str, Any]]:
    """A row a setting: temperature, top_p, distance and metrics."""
    return [
        {
            "temperature": options.temperature,
            "top_p": options.top_p,
            "distance": round(distance(systems[setting_name(options)], spread), 6),
            "metrics": systems[setting_name(options)],
        }
        for options in settings
    ]

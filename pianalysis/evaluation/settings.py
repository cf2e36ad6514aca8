"""Sampling settings: how each metric moves with temperature and top-p, and which setting comes nearest to the human pieces.

In: figures of the same songs, one summary a setting. Out: a distance, rows for tables and plots.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any, Final

import numpy as np

from pianalysis.arranger import Options

TEMPERATURES: Final = (0.7, 0.8, 0.9, 1.0, 1.1)
TOP_PS: Final = (0.9, 0.95, 1.0)
COMPARED: Final = (
    *("pcs", "pcs_coupling", "clash_rate", "notes_per_beat", "polyphony", "pitch_class_entropy_1"),
    *("pitch_class_entropy_4", "scale_consistency", "groove_consistency", "empty_beat_rate"),
)
"""Metrics whose human value is the aim, each in human standard deviations."""
AREAS_COMPARED: Final = ("area_pitch", "area_duration", "area_inter_onset")
"""Overlapping areas, whose aim is 1."""


def grid(options: Options) -> list[Options]:
    """All settings: each temperature with each top-p."""
    return [replace(options, temperature=t, top_p=p) for t, p in product(TEMPERATURES, TOP_PS)]


def setting_name(options: Options) -> str:
    """A setting's name among systems."""
    return f"temperature {options.temperature:g}, top-p {options.top_p:g}"


def distance(figures: Mapping[str, Any], spread: Mapping[str, float]) -> float:
    """How far a setting's pieces are from the human ones; 0 for the same.

    The mean of |mean difference from the human value| / human standard deviation over songs, of the metrics in
    `COMPARED`, and of 1 − overlapping area, of `AREAS_COMPARED`. So no metric alone, least of all consonance, can win.
    """
    parts = [1 - figures[name]["mean"] for name in AREAS_COMPARED if figures[name]["mean"] is not None]
    for name in COMPARED:
        minus = figures[name]["minus_human"]["mean"]
        if minus is not None and spread[name] > 0:
            parts.append(abs(minus) / spread[name])
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

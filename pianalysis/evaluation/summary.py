"""Values a song to means with intervals, beside the human ones.

In: the songs of a corpus and the accompaniments that each system wrote for them. Out: plain dicts, as the report's
JSON has them: of each system and metric ``{"mean", "low", "high", "songs", "sd", "minus_human": {"mean", "low", "high", "songs"}}``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.evaluation.bootstrap import Interval, interval_of, mean_interval, resamples
from pianalysis.evaluation.measures import AREAS, piece_measures
from pianalysis.evaluation.references import fitted, partner
from pianalysis.evaluation.songs import Song
from pianalysis.metrics.distributions import FEATURES, feature_values, overlapping_area
from pianalysis.metrics.repetition import CopyIndex
from pianalysis.notes import Notes

HUMAN: Final = "human"
HUMAN_RANGE: Final = (10, 90)
"""The percentiles of the human notes per beat between which a piece's density counts as human."""
IN_RANGE: Final = "human_density"

Values = dict[str, NDArray[np.float64]]
"""A metric's value of each song, its mean over takes."""


@dataclass(frozen=True, eq=False)
class Voices:
    """A piece: the melody as written and the accompaniment, in clock-ms."""

    melody: Notes
    accompaniment: Notes


Pieces = Sequence[Sequence[Voices]]
"""The pieces of one system: of each song each take."""


def measure_system(songs: Sequence[Song], pieces: Pieces, index: CopyIndex | None) -> Values:
    """All metrics of each song. The coupling's other accompaniment is the system's own for another song."""
    rows = []
    for number, (song, takes) in enumerate(zip(songs, pieces, strict=True)):
        there = partner(number, len(songs))
        values = []
        for take, voices in enumerate(takes):
            other = None
            if there != number:
                other = fitted(pieces[there][take].accompaniment, songs[there].length_ms, song.length_ms)
            values.append(piece_measures(song, voices.melody, voices.accompaniment, other, index))
        rows.append({name: _mean([value[name] for value in values]) for name in values[0]})
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def summarise(
    songs: Sequence[Song],
    systems: Mapping[str, Pieces],
    index: CopyIndex | None = None,
    *,
    progress: Callable[[int], Any] | None = None,
) -> dict[str, dict[str, Any]]:
    """Of each system of one corpus (`HUMAN` among them) all metrics, with intervals over songs."""
    measured: dict[str, Values] = {}
    for name, pieces in systems.items():
        measured[name] = measure_system(songs, pieces, index)
    low, high = np.percentile(measured[HUMAN]["notes_per_beat"], HUMAN_RANGE)
    for values in measured.values():
        values[IN_RANGE] = ((values["notes_per_beat"] >= low) & (values["notes_per_beat"] <= high)).astype(float)
    features = {name: _features(pieces) for name, pieces in systems.items()}
    summary: dict[str, dict[str, Any]] = {}
    for name, values in measured.items():
        summary[name] = {
            metric: {
                **as_json(mean_interval(column)),
                "sd": _json_number(np.nanstd(column)) if not np.isnan(column).all() else None,
                "minus_human": as_json(mean_interval(column - measured[HUMAN][metric])),
            }
            for metric, column in values.items()
        }
        summary[name].update(_areas(features[name], features[HUMAN], same=name == HUMAN))
        if progress is not None:
            progress(1)
    return summary


def as_json(interval: Interval) -> dict[str, Any]:
    """An interval as JSON has it: None for what isn't known."""
    values = {"mean": interval.mean, "low": interval.low, "high": interval.high}
    return {**{name: _json_number(value) for name, value in values.items()}, "songs": interval.songs}


def _json_number(value: float | np.floating[Any]) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


SongFeatures = list[dict[str, NDArray[np.float64]]]


def _features(pieces: Pieces) -> SongFeatures:
    """Of each song the values whose distributions are compared, takes pooled."""
    return [feature_values([voices.accompaniment for voices in takes]) for takes in pieces]


def _areas(ours: SongFeatures, human: SongFeatures, *, same: bool) -> dict[str, Any]:
    """Overlapping areas of all songs' notes with the human ones; of the human set, of one half of its songs with the other."""
    if same:
        ours, human = human[::2], human[1::2]
    result = {}
    for name in FEATURES:
        own, theirs = ([song[name].astype(np.float64) for song in songs] for songs in (ours, human))
        estimate = _area(own, theirs)
        drawn = [resamples(len(part), seed=seed) for seed, part in enumerate((own, theirs))]
        if not same:
            drawn[1] = drawn[0]  # the same songs of both
        if np.isnan(estimate):
            interval = Interval(estimate, estimate, estimate, 0)
        else:
            values = [_area([own[i] for i in a], [theirs[i] for i in b]) for a, b in zip(*drawn, strict=True)]
            interval = interval_of(estimate, values, len(own))
        result[AREAS[name]] = as_json(interval)
    return result


def _area(ours: Sequence[NDArray[np.float64]], human: Sequence[NDArray[np.float64]]) -> float:
    if not ours or not human:
        return float("nan")
    return overlapping_area(np.concatenate(ours), np.concatenate(human))

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
from pianalysis.evaluation.piece_metrics import own_chords, piece_measures
from pianalysis.evaluation.references import fitted, partner
from pianalysis.evaluation.songs import Song
from pianalysis.metrics import excerpts
from pianalysis.metrics.distributions import FEATURES, feature_values, overlapping_area
from pianalysis.metrics.names import AREAS, BIGRAMS, HUMAN, TWO_SAMPLE
from pianalysis.metrics.progressions import bigram_divergence, chord_bigrams
from pianalysis.metrics.repetition import CopyIndex
from pianalysis.metrics.two_sample import classifier_two_sample, telling_features
from pianalysis.music.notes import Notes

HUMAN_RANGE: Final = (10, 90)
"""The percentiles of the human notes per beat between which a piece's density counts as human."""
IN_RANGE: Final = "human_density"

Values = dict[str, NDArray[np.float64]]
"""A metric's value of each song, its mean over takes."""
Drawn = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Songs drawn from each of two sets."""


@dataclass(frozen=True, eq=False)
class Voices:
    """A piece: the melody as written and the accompaniment, in clock-ms."""

    melody: Notes
    accompaniment: Notes


Pieces = Sequence[Sequence[Voices]]
"""The pieces of one system: of each song each take."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of one system. values: a song, by metric. Then what sets of songs are compared by, of each song,
    its takes together: spread, the values whose distributions are compared; bigrams, of its own chords, counts; excerpts,
    rows of `pianalysis.metrics.excerpts.FEATURES`.
    """

    values: Values
    spread: list[dict[str, NDArray[np.float64]]]
    bigrams: list[NDArray[np.int64]]
    excerpts: list[NDArray[np.float64]]


def measure_system(songs: Sequence[Song], pieces: Pieces, index: CopyIndex | None) -> Measured:
    """All that is measured of each song. The coupling's other accompaniment is the system's own for another song."""
    measured, rows = Measured({}, [], [], []), []
    for number, (song, takes) in enumerate(zip(songs, pieces, strict=True)):
        there = partner(number, len(songs))
        own = [own_chords(song, voices.accompaniment) for voices in takes]
        values = []
        for take, (voices, chords) in enumerate(zip(takes, own, strict=True)):
            other = None
            if there != number:
                other = fitted(pieces[there][take].accompaniment, songs[there].length_ms, song.length_ms)
            values.append(piece_measures(song, voices.melody, voices.accompaniment, other, index, chords))
        rows.append({name: _mean([value[name] for value in values]) for name in values[0]})
        measured.spread.append(feature_values([voices.accompaniment for voices in takes]))
        measured.bigrams.append(np.sum([chord_bigrams(chords) for chords in own], axis=0))
        features = [
            excerpts.excerpt_features(song.melody, voices.accompaniment, chords, song.clock.bar_lines)
            for voices, chords in zip(takes, own, strict=True)
        ]
        measured.excerpts.append(np.concatenate(features))
    measured.values.update({name: np.array([row[name] for row in rows]) for name in rows[0]})
    return measured


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def measure_systems(
    songs: Sequence[Song],
    systems: Mapping[str, Pieces],
    index: CopyIndex | None = None,
    *,
    progress: Callable[[int], Any] | None = None,
) -> dict[str, Measured]:
    """Each system of one corpus, measured; beside `HUMAN`, where that is among them. progress: called with 1 for each."""
    measured: dict[str, Measured] = {}
    for name, pieces in systems.items():
        measured[name] = measure_system(songs, pieces, index)
        if progress is not None:
            progress(1)
    if HUMAN in measured:
        low, high = np.percentile(measured[HUMAN].values["notes_per_beat"], HUMAN_RANGE)
        for system in measured.values():
            notes = system.values["notes_per_beat"]
            system.values[IN_RANGE] = ((notes >= low) & (notes <= high)).astype(float)
    return measured


def summarise(measured: Mapping[str, Measured], *, classify: bool = True) -> dict[str, dict[str, Any]]:
    """Of each measured system all metrics, with intervals over songs; where `HUMAN` is among them beside it.

    classify: whether the classifier two-sample test is asked too, which needs scikit-learn and more than a few songs.
    """
    human, summary = measured.get(HUMAN), {}
    for name, system in measured.items():
        summary[name] = {metric: _of_column(metric, column, human) for metric, column in system.values.items()}
        if human is not None:
            summary[name].update(_of_sets(system, human, same=name == HUMAN, classify=classify))
    return summary


def _of_column(metric: str, column: NDArray[np.float64], human: Measured | None) -> dict[str, Any]:
    """One metric of one system: its mean over songs, its spread, and how far it is from people's."""
    figure = as_json(mean_interval(column))
    figure["sd"] = _json_number(np.nanstd(column)) if not np.isnan(column).all() else None
    if human is not None:
        figure["minus_human"] = as_json(mean_interval(column - human.values[metric]))
    return figure


def telling(measured: Mapping[str, Measured], count: int = 6) -> dict[str, dict[str, float]]:
    """Of each system but the human one: the features of excerpts that give it away most, each with its own AUC.

    Nothing where `HUMAN` isn't among them.
    """
    if HUMAN not in measured:
        return {}
    human = _stacked(measured[HUMAN].excerpts)
    found = {}
    for name, system in measured.items():
        if name != HUMAN:
            areas = telling_features(human, _stacked(system.excerpts), [*excerpts.FEATURES])
            found[name] = {feature: round(area, 6) for feature, area in [*areas.items()][:count]}
    return found


def as_json(interval: Interval) -> dict[str, Any]:
    """An interval as JSON has it: None for what isn't known."""
    values = {"mean": interval.mean, "low": interval.low, "high": interval.high}
    return {**{name: _json_number(value) for name, value in values.items()}, "songs": interval.songs}


def _json_number(value: float | np.floating[Any]) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _of_sets(ours: Measured, human: Measured, *, same: bool, classify: bool) -> dict[str, Any]:
    """What compares all of a system's songs with the human ones; of the human set, one half of its songs with the other.

    Intervals draw the same songs of both, or of each half its own.
    """
    own, theirs = (slice(None, None, 2), slice(1, None, 2)) if same else (slice(None), slice(None))
    counts = len(ours.bigrams[own]), len(human.bigrams[theirs])
    draws = [resamples(count, seed=seed if same else 0) for seed, count in enumerate(counts)]
    drawn = [*zip(*draws, strict=True)]
    result = {
        AREAS[name]: _area(
            [song[name] for song in ours.spread[own]], [song[name] for song in human.spread[theirs]], drawn
        )
        for name in FEATURES
    }
    result[BIGRAMS] = _divergence(ours.bigrams[own], human.bigrams[theirs], drawn)
    # of the human songs every other four bars from the rest: halves of the songs would differ by their songs
    sides = [[rows[(song + side) % 2 :: 2] for song, rows in enumerate(human.excerpts)] for side in (0, 1)]
    if classify:
        result[TWO_SAMPLE] = _told_apart(*(sides if same else (human.excerpts, ours.excerpts)))
    return {name: as_json(interval) for name, interval in result.items()}


def _interval(estimate: float, value_of: Callable[[Drawn], float], drawn: Sequence[Drawn], songs: int) -> Interval:
    """The interval of an estimate by its values on the songs drawn; none where it isn't known."""
    if np.isnan(estimate):
        return Interval(estimate, estimate, estimate, 0)
    return interval_of(estimate, [value_of(songs_of) for songs_of in drawn], songs)


def _area(
    ours: Sequence[NDArray[np.float64]], human: Sequence[NDArray[np.float64]], drawn: Sequence[Drawn]
) -> Interval:
    """The overlapping area of all songs' notes with the human ones."""

    def area(songs: Drawn) -> float:
        parts = [
            np.concatenate([np.zeros(0), *(of[i] for i in some)]) for of, some in zip((ours, human), songs, strict=True)
        ]
        return overlapping_area(*parts)

    everything = np.arange(len(ours)), np.arange(len(human))
    return _interval(area(everything), area, drawn, len(ours))


def _divergence(
    ours: Sequence[NDArray[np.int64]], human: Sequence[NDArray[np.int64]], drawn: Sequence[Drawn]
) -> Interval:
    """The divergence of all songs' chord bigrams from the human ones'."""
    counts = [np.array(of, np.int64).reshape(len(of), chord_bigrams([]).size) for of in (ours, human)]

    def divergence(songs: Drawn) -> float:
        return bigram_divergence(*(of[some].sum(axis=0) for of, some in zip(counts, songs, strict=True)))

    everything = np.arange(len(ours)), np.arange(len(human))
    return _interval(divergence(everything), divergence, drawn, len(ours))


def _told_apart(human: Sequence[NDArray[np.float64]], ours: Sequence[NDArray[np.float64]]) -> Interval:
    """The classifier two-sample test; its interval resamples the unseen songs, the classifiers stay the same."""
    songs = [np.repeat(np.arange(len(of)), [len(rows) for rows in of]) for of in (human, ours)]
    test = classifier_two_sample(_stacked(human), _stacked(ours), *songs)
    drawn = [(some, some) for some in resamples(len(ours))]
    return _interval(test.auc, lambda songs: test.auc_of(songs[0]), drawn, len(ours))


def _stacked(rows: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.zeros((0, len(excerpts.FEATURES))), *rows])

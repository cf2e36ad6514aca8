"""An evaluation from beginning to end, resumable: likelihoods, arrangements beside references, figures.

In: a dataset, models, how much of it. Out: the figures as JSON has them, and the pieces that plots show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from pianalysis.arranging.arranger import Options
from pianalysis.dataset.rows import load_rows
from pianalysis.errors import PianalysisError
from pianalysis.evaluation.likelihoods import likelihoods, rows_of_corpora, spaced
from pianalysis.evaluation.references import chords_by_rule, fitted, partner
from pianalysis.evaluation.sampling_grid import grid, grid_figures, setting_name
from pianalysis.evaluation.songs import Song, read_song
from pianalysis.evaluation.summary import Pieces, Voices, measure_systems, summarise, telling
from pianalysis.evaluation.takes import MadeTake, ModelName, Take, make_takes
from pianalysis.evaluation.training_set import copy_index
from pianalysis.metrics.names import HUMAN
from pianalysis.metrics.two_sample import check_installed
from pianalysis.model.gpt2 import PRESETS
from pianalysis.model.weights import read_weights
from pianalysis.music.midi import write_midi
from pianalysis.processes import Map, workers
from pianalysis.publishing.tables import ARRANGEMENTS, SETTINGS, TELLING

OTHER, CHORDS = "other song's", "block chords"
GIVEN: Final = ", people's chords"
"""Added to the name of a model that is given them."""
NO_SONG_LIMIT: Final = 10**9


@dataclass(frozen=True)
class EvaluationOptions:
    """What is evaluated. models: folders or Hub ids, "" the bundled one. songs: a corpus (0: only likelihoods).

    splits: likelihoods are taken of each, arrangements made of the last. limit: windows a corpus and split.
    best: whether the best of the takes (`pianalysis.arranging.ranking`) is shown beside their mean. given: whether models that play
    chords are also shown with the songs' own, which tells how closely they keep to a chart. settings: whether sampling
    settings are compared, on `settings_songs` songs a corpus, by the first model.
    """

    dataset: str
    models: tuple[str, ...] = ("",)
    splits: tuple[str, ...] = ("test",)
    songs: int = 40
    seconds: float = 90.0
    takes: int = 1
    best: bool = False
    given: bool = False
    seed: int = 0
    options: Options = field(default_factory=Options)
    settings: bool = False
    settings_songs: int = 8
    preset: str = "small"
    limit: int | None = None
    num_proc: int = 1
    threads: int = 1

    def __post_init__(self) -> None:
        if self.songs < 0 or self.takes < 1 or self.settings_songs < 1 or not self.seconds > 0:
            raise PianalysisError(
                f"expected songs from 0, takes and settings' songs from 1 and seconds above 0, found {self.songs}, "
                f"{self.takes}, {self.settings_songs} and {self.seconds:g}"
            )
        if self.best and self.takes < 2:
            raise PianalysisError(f"expected 2 takes or more to choose the best of, found {self.takes}")


class Bar(Protocol):
    """What a progress bar is asked to do: `tqdm` can."""

    def update(self, n: float) -> Any: ...


ShowProgress = Callable[[str, float, str], AbstractContextManager[Bar]]
"""Called with what is done, how much of it there is, and in what unit."""


@dataclass(frozen=True, eq=False)
class CorpusPieces:
    """The songs of a corpus that were arranged, and the pieces of each system, human first."""

    songs: list[Song]
    systems: dict[str, Pieces]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """figures: by "corpus/split". pieces: by corpus. cpu_seconds_a_minute: of music, by model."""

    figures: dict[str, dict[str, Any]]
    pieces: dict[str, CorpusPieces]
    cpu_seconds_a_minute: dict[str, float]


def name_models(sources: Sequence[str]) -> list[ModelName]:
    """The models with names for tables: their size's, or where two are of one size the folder's or repository's."""
    sizes = {preset["n_embd"]: name for name, preset in PRESETS.items()}
    loaded = [read_weights(source or None) for source in sources]
    labels = [sizes.get(weights.width, f"width {weights.width}") for weights in loaded]
    for number, (label, source) in enumerate(zip(tuple(labels), sources, strict=True)):
        if labels.count(label) > 1 or label in (HUMAN, OTHER, CHORDS):
            labels[number] = re.sub(r"[^\w.]+", "-", source).strip("-") or "bundled"
    if len(set(labels)) < len(labels):
        raise PianalysisError(f"expected different models, found {[*sources]}")
    return [
        ModelName(source, label, weights.digest(), weights.plays_chords)
        for source, label, weights in zip(sources, labels, loaded, strict=True)
    ]


def evaluate(asked: EvaluationOptions, folder: Path, show: ShowProgress) -> Evaluation:
    """Evaluate; what was finished in the folder before is not done again. All models are sampled as the first is.

    Raises PianalysisError for what can't be loaded, and where songs are asked for and scikit-learn isn't installed.
    """
    if asked.songs:
        check_installed()
    first = read_weights(asked.models[0] or None)
    asked = replace(asked, options=asked.options.resolved(first.sampling))
    with workers(asked.num_proc, asked.threads) as run:
        return _evaluate(asked, folder, show, run)


def _evaluate(asked: EvaluationOptions, folder: Path, show: ShowProgress, run: Map) -> Evaluation:
    models = name_models(asked.models)
    figures: dict[str, dict[str, Any]] = {}
    for split in asked.splits:
        windows = sum(map(len, rows_of_corpora(asked.dataset, split, asked.limit).values()))
        with show(f"likelihood, {split}", windows * (len(models) + 1), "windows") as bar:
            rows = likelihoods(
                asked.dataset,
                split,
                models,
                preset=asked.preset,
                folder=folder,
                limit=asked.limit,
                run=run,
                progress=bar.update,
            )
        figures.update({f"{corpus}/{split}": row for corpus, row in rows.items()})
    if not asked.songs:
        return Evaluation(figures, {}, {})
    pieces, made = _arrange(asked, models, folder, show, run)
    index = copy_index(asked.dataset)
    for corpus, of_corpus in pieces.items():
        with show(f"measuring, {corpus}", len(of_corpus.systems), "systems") as bar:
            measured = measure_systems(of_corpus.songs, of_corpus.systems, index, progress=bar.update)
        row, about = figures[f"{corpus}/{asked.splits[-1]}"], _about(asked, of_corpus.songs)
        row[ARRANGEMENTS] = {**about, "systems": summarise(measured), TELLING: telling(measured)}
        if asked.settings:
            row[SETTINGS] = _compare_settings(asked, models[0], of_corpus.songs, folder, show, run)
    return Evaluation(figures, pieces, _speeds(made))


def _about(asked: EvaluationOptions, songs: Sequence[Song]) -> dict[str, Any]:
    seconds = None if np.isinf(asked.seconds) else asked.seconds
    options = asked.options
    settings: dict[str, Any] = {"temperature": options.temperature, "top_k": options.top_k, "top_p": options.top_p}
    settings |= {"style": options.style, "density": options.density}
    settings["chord_sources"] = sorted({song.chord_source for song in songs} - {""})
    return {"songs": len(songs), "seconds": seconds, "takes": asked.takes, "seed": asked.seed, **settings}


def read_songs(dataset: str, split: str, seconds: float) -> dict[str, list[Song]]:
    """The songs of a split by corpus; left out are alternative versions, and pieces without a melody or an accompaniment.

    So lead sheets are too: there is nothing human to compare with.
    """
    songs: dict[str, list[Song]] = {}
    for row in load_rows(dataset, "notes", split):
        if row["version"] == 0 and len(row["melody"]) and len(row["accompaniment"]):
            songs.setdefault(row["corpus"], []).append(read_song(row, seconds))
    return dict(sorted(songs.items()))


def _arrange(
    asked: EvaluationOptions, models: Sequence[ModelName], folder: Path, show: ShowProgress, run: Map
) -> tuple[dict[str, CorpusPieces], list[MadeTake]]:
    """The pieces of all systems, by corpus; the MIDI files of all are in the folder."""
    everything = read_songs(asked.dataset, asked.splits[-1], asked.seconds)
    chosen = {corpus: spaced(songs, asked.songs) for corpus, songs in everything.items()}
    asked_of = [
        (model, given) for model in models for given in (False, True) if not given or _can_be_given(asked, model)
    ]
    takes = [
        take
        for songs in chosen.values()
        for model, given in asked_of
        for take in _takes(asked, model, songs, asked.options, given)
    ]
    made = _make(takes, "arranging", asked, folder, show, run)
    written = iter(made)
    pieces = {}
    for corpus, songs in chosen.items():
        systems = references(songs, everything[corpus])
        for label, of_system in systems.items():
            _write_midi(songs, of_system, folder / "pieces" / label.replace("'", ""))
        for model, given in asked_of:
            of_model = [next(written) for _ in range(len(songs) * asked.takes)]
            systems[f"{model.label}{GIVEN if given else ''}"] = _pieces(of_model, asked.takes)
            if asked.best and not given:
                systems[f"{model.label}, best of {asked.takes}"] = _pieces(_best(of_model, asked.takes), 1)
        pieces[corpus] = CorpusPieces(songs, systems)
    return pieces, made


def references(songs: Sequence[Song], everything: Sequence[Song]) -> dict[str, Pieces]:
    """The human accompaniment, that of another song (of all there are) and block chords, one take of each song."""
    systems: dict[str, Pieces] = {HUMAN: [[Voices(song.melody, song.accompaniment)] for song in songs]}
    places = {id(song): number for number, song in enumerate(everything)}
    others = [everything[partner(places[id(song)], len(everything))] for song in songs]
    if len(everything) > 1:
        systems[OTHER] = [
            [Voices(song.melody, fitted(other.accompaniment, other.length_ms, song.length_ms))]
            for song, other in zip(songs, others, strict=True)
        ]
    systems[CHORDS] = [[Voices(song.melody, chords_by_rule(song))] for song in songs]
    return systems


def _can_be_given(asked: EvaluationOptions, model: ModelName) -> bool:
    return asked.given and model.plays_chords


def _takes(
    asked: EvaluationOptions, model: ModelName, songs: Sequence[Song], options: Options, given: bool = False
) -> list[Take]:
    return [
        Take(model, song, seed, options, given)
        for song in songs
        for seed in range(asked.seed, asked.seed + asked.takes)
    ]


def _make(
    takes: Sequence[Take], what: str, asked: EvaluationOptions, folder: Path, show: ShowProgress, run: Map
) -> list[MadeTake]:
    with show(what, sum(round(take.song.seconds) for take in takes), "s of music") as bar:
        return make_takes(
            takes,
            folder,
            run=run,
            progress=lambda take: bar.update(round(take.song.seconds)),
        )


def _pieces(made: Sequence[MadeTake], takes: int) -> Pieces:
    """Takes, each song's one after the other, as pieces by song."""
    voices = [Voices(take.melody, take.accompaniment) for take in made]
    return [voices[start : start + takes] for start in range(0, len(voices), takes)]


def _best(made: Sequence[MadeTake], takes: int) -> list[MadeTake]:
    """Of each song's takes the nearest to human ones."""
    songs = [made[start : start + takes] for start in range(0, len(made), takes)]
    return [min(of_song, key=lambda take: take.distance) for of_song in songs]


def _write_midi(songs: Sequence[Song], pieces: Pieces, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for song, (voices,) in zip(songs, pieces, strict=True):
        write_midi(folder / f"{song.name}.mid", song.score(voices.accompaniment))


def _compare_settings(
    asked: EvaluationOptions, model: ModelName, songs: Sequence[Song], folder: Path, show: ShowProgress, run: Map
) -> dict[str, Any]:
    """All settings of the grid on some of the songs of a corpus."""
    some, settings = spaced(songs, asked.settings_songs), grid(asked.options)
    takes = [take for options in settings for take in _takes(asked, model, some, options)]
    made = _make(takes, f"settings, {some[0].corpus}", asked, folder, show, run)
    of_each = len(some) * asked.takes
    systems: dict[str, Pieces] = {HUMAN: [[Voices(song.melody, song.accompaniment)] for song in some]}
    systems |= {
        setting_name(options): _pieces(made[number * of_each : (number + 1) * of_each], asked.takes)
        for number, options in enumerate(settings)
    }
    figures = summarise(measure_systems(some, systems))
    spread = {name: figure.get("sd") or 0.0 for name, figure in figures[HUMAN].items()}
    rows = grid_figures(figures, settings, spread)
    return {"model": model.label, "songs": len(some), "human": figures[HUMAN], "rows": rows}


def _speeds(made: Sequence[MadeTake]) -> dict[str, float]:
    """CPU seconds a minute of music, by model."""
    speeds = {}
    for label in dict.fromkeys(take.take.model.label for take in made):
        of_model = [take for take in made if take.take.model.label == label]
        minutes = sum(take.take.song.seconds for take in of_model) / 60
        speeds[label] = sum(take.cpu_seconds for take in of_model) / minutes
    return speeds

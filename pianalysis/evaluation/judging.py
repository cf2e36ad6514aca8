"""Any system's music judged by the whole yardstick, beside references where there are some.

In: folders of MIDI (or scores by name): melodies, arrangements of them by one system or several, references, chords. Out: a
`Judgement`: figures with intervals as JSON has them, a table, and what is to be said of how it was read.

What is measured and what each figure means: docs/metrics.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from pianalysis.errors import PianalysisError
from pianalysis.evaluation.folders import CHARTS, MELODIES, MIDI, Folder, Source, in_all, read_folders
from pianalysis.evaluation.judged_songs import GIVEN, NOWHERE, STATED, JudgedSong, read_song
from pianalysis.evaluation.songs import BY_RULE, Song
from pianalysis.evaluation.summary import Measured, Pieces, measure_systems, summarise, telling
from pianalysis.metrics.names import BIGRAMS, HUMAN, METRICS, TWO_SAMPLE
from pianalysis.publishing.tables import systems_table

FEWEST_SONGS: Final = 10
"""Of fewer songs a classifier that is to know them from others has too few to learn from."""
OURS_ALONE: Final = ("seam_pcs", "seam_density", "longest_copy")
"""Metrics of our own models: of their windows' joints, and against their training set."""
OF_THE_SONGS_CHORDS: Final = ("chord_tones", "chord_root", "chord_major_minor", "root_in_bass")
CHORDS_FROM: Final = {
    GIVEN: "given in files",
    STATED: "stated in the melodies' files",
    BY_RULE: "recognised in the references, which agree with them by nature",
    NOWHERE: "given nowhere",
}
HOW_TO_READ: Final = (
    "Means over songs with 95 % bootstrap intervals over songs; in brackets the mean difference from the reference of the same "
    "song. *human*: the references; where a figure compares sets of songs, one half of the references with the other. Everything is "
    "measured on the beat clock, from the bar in which the melody begins to the bar in which it ends. What each metric is, what "
    "people's music has and what it doesn't tell: docs/metrics.md."
)


@dataclass(frozen=True, eq=False)
class Judgement:
    """What was found.

    figures: as JSON has them: songs, systems (of each metric mean, low, high, songs, sd, and minus_human where there are
    references), left_out (metrics that aren't there, and why), telling, chords (how many songs have them from where) and by_song.
    remarks: a sentence for each file without partner or of which something is to be said. songs, pieces: what was measured.
    """

    figures: dict[str, Any]
    remarks: tuple[str, ...]
    songs: tuple[Song, ...] = field(repr=False)
    pieces: Mapping[str, Pieces] = field(repr=False)

    @property
    def systems(self) -> dict[str, dict[str, Any]]:
        """The figures of each system."""
        systems: dict[str, dict[str, Any]] = self.figures["systems"]
        return systems

    def table(self) -> str:
        """A Markdown table, a row a metric, a column a system, and under it how to read it and what isn't there."""
        left_out = [f"* {reason}" for reason in dict.fromkeys(self.figures["left_out"].values())]
        parts = [self.about(), systems_table(self.systems, METRICS), HOW_TO_READ]
        return "\n\n".join([*parts, *(["Left out:\n\n" + "\n".join(left_out)] if left_out else [])])

    def about(self) -> str:
        """What was judged, in a sentence."""
        songs = len(self.songs)
        chords = " and ".join(
            f"{CHORDS_FROM[source]}{'' if count == songs else f' ({count})'}"
            for source, count in self.figures["chords"].items()
        )
        return f"{songs} song{'' if songs == 1 else 's'}; the songs' chords: {chords}:"


def judge(
    melodies: Folder,
    arrangements: Folder | Mapping[str, Folder],
    *,
    references: Folder | None = None,
    chords: Folder | None = None,
    melody_track: int | str | None = None,
    progress: Callable[[str], Any] | None = None,
) -> Judgement:
    """Judge arrangements of melodies.

    melodies, references, chords: a folder each, or a mapping from names to paths or `symusic.Score`s. Files belong together by
    their names without suffix; where a folder has files of one name in folders inside it, these folders are part of the name.
    arrangements: likewise, or several by the name of their system:
    ``{"ours": "out/", "theirs": {"song": score}}``; songs that not all of them have are left out. chords: charts as text, labels with seconds, or
    scores with chord symbols. melody_track: the arrangements' melody, a track's number from 1 or its name; without it the melody's
    notes are found by pitch and time. progress: called with the name of each song before it is read.

    Raises PianalysisError where nothing can be judged. A song that can't be read is left out, with a remark.
    """
    systems = _systems(arrangements)
    wanted: dict[str, tuple[Folder, str, Sequence[str]]] = {"melodies": (melodies, "melodies", MELODIES)}
    wanted |= {f"arrangements of {name}": (folder, "arrangements", MIDI) for name, folder in systems.items()}
    wanted |= {"references": (references, "references", MIDI)} if references is not None else {}
    wanted |= {"chords": (chords, "chords", CHARTS)} if chords is not None else {}
    files = read_folders(wanted)
    charts = files.pop("chords", {})
    names, remarks = in_all(files)
    if chords is not None and (missing := [name for name in names if name not in charts]):
        remarks.append(f"{', '.join(missing[:5])}: no chords of that name, for {len(missing)} of {len(names)} songs")
    songs: list[JudgedSong] = []
    for name in names:
        if progress is not None:
            progress(name)
        try:
            songs.append(
                read_song(
                    name,
                    files["melodies"][name],
                    {system: files[f"arrangements of {system}"][name] for system in systems},
                    (HUMAN, files["references"][name]) if references is not None else None,
                    charts.get(name),
                    melody_track,
                )
            )
            remarks += songs[-1].remarks
        except (PianalysisError, FileNotFoundError) as error:
            remarks.append(f"{error}; {name} is left out")
    if not songs:
        raise PianalysisError("; ".join(["expected a song that can be judged, found none", *remarks[:3]]))
    return _judged(songs, remarks)


def _systems(arrangements: Folder | Mapping[str, Folder]) -> dict[str, Folder]:
    """Each system's arrangements; of one that has no name it is its folder's."""
    if not isinstance(arrangements, Mapping):
        return {_free(Path(arrangements).resolve().name or "arrangements"): arrangements}
    if any(_is_song(value) for value in arrangements.values()):
        return {"arrangements": arrangements}
    return {_free(name): folder for name, folder in arrangements.items()}


def _is_song(source: object) -> bool:
    """Whether it is a song's music rather than a system's folder or songs."""
    if isinstance(source, str | os.PathLike):
        return Path(source).suffix.lower() in MIDI and not Path(source).is_dir()
    return not isinstance(source, Mapping)


def _free(name: str) -> str:
    """A system's name, which isn't the references'."""
    return f"{name} (system)" if name == HUMAN else name


def _judged(songs: Sequence[JudgedSong], remarks: Sequence[str]) -> Judgement:
    systems = [*songs[0].voices]
    pieces: dict[str, Pieces] = {system: [[song.voices[system]] for song in songs] for system in systems}
    judged = [song.song for song in songs]
    measured = measure_systems(judged, pieces)
    for system in measured.values():
        for name in OURS_ALONE:
            system.values.pop(name, None)
    sources = [song.chord_source for song in judged]
    left_out = _left_out(measured, judged)
    figures = {
        "songs": len(songs),
        "chords": {source: sources.count(source) for source in CHORDS_FROM if source in sources},
        "systems": summarise(measured, classify=TWO_SAMPLE not in left_out),
        "left_out": left_out,
        "telling": telling(measured),
        "by_song": {name: _by_song(system, judged) for name, system in measured.items()},
    }
    return Judgement(figures, tuple(remarks), tuple(judged), pieces)


def _by_song(system: Measured, songs: Sequence[Song]) -> dict[str, dict[str, float | None]]:
    """Each song's values, None where one isn't defined."""
    return {
        song.piece_id: {
            name: None if np.isnan(column[row]) else round(float(column[row]), 6)
            for name, column in system.values.items()
        }
        for row, song in enumerate(songs)
    }


def _left_out(measured: Mapping[str, Measured], songs: Sequence[Song]) -> dict[str, str]:
    """The metrics that can't be measured here, and why."""
    reasons: dict[str, str] = {}
    if not any(song.chords for song in songs):
        why = "agreement with the songs' chords: there are neither chords nor references; what is heard in each arrangement is"
        reasons |= dict.fromkeys(OF_THE_SONGS_CHORDS, f"{why} under “its own chords”")
    if len(songs) < 2:
        why = "what is owed to this very melody: it takes another song's accompaniment, and there is one song"
        reasons |= dict.fromkeys(("pcs_coupling", "clash_coupling"), why)
    if HUMAN not in measured:
        why = "overlapping areas, chord bigrams, human density and the classifier's AUC: they compare with references, and there are none"
        areas = [name for name in METRICS if name.startswith("area_")]
        return reasons | dict.fromkeys([*areas, BIGRAMS, "human_density", TWO_SAMPLE], why)
    long_enough = min(sum(len(rows) > 0 for rows in system.excerpts) for system in measured.values())
    if long_enough < FEWEST_SONGS:
        reasons[TWO_SAMPLE] = (
            f"the classifier two-sample test: it takes {FEWEST_SONGS} songs of four bars or more, and there are {long_enough}"
        )
    elif find_spec("sklearn") is None:
        reasons[TWO_SAMPLE] = (
            "the classifier two-sample test: scikit-learn isn't installed; run `pip install 'pianalysis[evaluation]'`"
        )
    return reasons


def names_of(folders: Sequence[str]) -> dict[str, Source]:
    """Folders by their names, or by those that are said: ``ours=out/``. Raises PianalysisError for a name that is there twice.

    >>> names_of(["ours=out", "b/theirs"])
    {'ours': 'out', 'theirs': 'b/theirs'}
    """
    named: dict[str, Source] = {}
    for item in folders:
        label, _, folder = item.rpartition("=") if not Path(item).exists() else ("", "", item)
        label = label or Path(folder).resolve().name
        if label in named:
            raise PianalysisError(
                f"expected a name of its own for each system, found {label} twice; write NAME={folder}"
            )
        named[label] = folder
    return named

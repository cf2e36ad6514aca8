"""Arrangements of songs by models, made once and kept: a MIDI file and a JSON file each.

In: songs, models and settings. Out: `MadeTake`s. A run that is interrupted goes on with those still missing.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from pianalysis.arranging.arranger import Arranger, Options
from pianalysis.digests import code_digest
from pianalysis.errors import PianalysisError
from pianalysis.evaluation.songs import Song
from pianalysis.files import write_atomically
from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import Chart
from pianalysis.metrics.chords import spans_of_labels
from pianalysis.music.midi import read_midi
from pianalysis.music.notes import Notes, make_notes
from pianalysis.processes import Map

NOT_DECIDING: Final = ("output.audio", "output.picture", "output.musicxml", "publishing.hub", "processes")
"""Modules that are used on the way, but not for the notes that are written."""


@dataclass(frozen=True)
class ModelName:
    """A model: where it is loaded from ("": the bundled one), its name in tables, the digest of its weights, and whether
    it plays chords.
    """

    source: str
    label: str
    digest: str
    plays_chords: bool = False


@dataclass(frozen=True, eq=False)
class Take:
    """One arrangement to be made. given: from the song's own chords instead of those that are found for its melody."""

    model: ModelName
    song: Song
    seed: int = 0
    options: Options = field(default_factory=Options)
    given: bool = False

    @property
    def key(self) -> str:
        """What the arrangement depends on, in 16 hexadecimal digits: weights, settings, seed, song and our own code."""
        asked = {
            **asdict(self.options),
            "seed": self.seed,
            "chords": self.song.chords if self.given else None,
            "weights": self.model.digest,
            "code": code_digest("arranging.arranger", "evaluation.takes", without=NOT_DECIDING),
        }
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
        for array in (self.song.melody, self.song.clock.real_ms, self.song.clock.clock_ms, self.song.clock.bar_lines):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    def stem(self, folder: Path) -> Path:
        """Where its files are, without suffix."""
        return folder / "pieces" / self.model.label / f"{self.song.name}-seed{self.seed}-{self.key}"


@dataclass(frozen=True, eq=False)
class MadeTake:
    """An arrangement: melody and accompaniment as written, in clock-ms; the CPU seconds that it took; remarks.

    distance: from what people play (`ranking`).
    """

    take: Take
    melody: Notes
    accompaniment: Notes
    cpu_seconds: float
    remarks: tuple[str, ...]
    distance: float = float("nan")


def make_takes(
    takes: Sequence[Take],
    folder: Path,
    *,
    run: Map = map,
    progress: Callable[[Take], None] | None = None,
) -> list[MadeTake]:
    """All takes, in order; those whose files are in the folder are read, the others are made.

    run: maps over takes (`workers`). progress: called with each take that is ready. Raises PianalysisError for a model that can't be loaded.
    """
    waiting = [take for take in takes if not is_made(take, folder)]
    for take in takes:
        if progress is not None and is_made(take, folder):
            progress(take)
    for take in waiting:
        take.stem(folder).parent.mkdir(parents=True, exist_ok=True)
    # where each goes is said here: a worker would read the code's digest anew, and somebody may be editing it
    for take, _ in zip(waiting, run(_make_at, [(take, take.stem(folder)) for take in waiting]), strict=True):
        if progress is not None:
            progress(take)
    return [read_take(take, folder) for take in takes]


def is_made(take: Take, folder: Path) -> bool:
    """Whether a take's files are there, whole: the JSON is written last."""
    stem = take.stem(folder)
    return stem.with_suffix(".json").exists() and stem.with_suffix(".mid").exists()


def _make_at(item: tuple[Take, Path]) -> None:
    make_take(*item)


def make_take(take: Take, stem: Path) -> None:
    """Arrange a song and keep the result, in files of this stem."""
    began = time.process_time()
    arranger = _arranger(take.model.source, take.model.digest)
    chart = song_chart(take.song) if take.given else None
    piece = arranger(take.song.score(), seed=take.seed, chart=chart, options=take.options, keep_metre=True)
    seconds = time.process_time() - began
    piece.save(stem.with_suffix(".mid"))
    about = {"cpu_seconds": round(seconds, 3), "music_seconds": round(take.song.seconds, 3), "remarks": piece.remarks}
    about["distance"] = arranger.distance(piece)
    settings = asdict(piece.options or take.options)  # the style that was chosen among them
    write_atomically(stem.with_suffix(".json"), (json.dumps({**about, **settings}) + "\n").encode())


def song_chart(song: Song) -> Chart:
    """A song's own chords on its beats."""
    spans = spans_of_labels(song.chords)
    return Chart.from_spans(spans, bar_lines=song.clock.bar_lines, beats=clock_beats(song.clock).borders_ms)


@lru_cache(maxsize=2)
def _arranger(source: str, digest: str) -> Arranger:
    import torch

    arranger = Arranger.from_pretrained(source or None)
    arranger.engine.threads = torch.get_num_threads()
    if arranger.engine.weights.digest() != digest:
        raise PianalysisError(f"{source}: the weights changed while it was evaluated; run it again")
    return arranger


def read_take(take: Take, folder: Path) -> MadeTake:
    """A finished take, from its files."""
    stem = take.stem(folder)
    score = read_midi(stem.with_suffix(".mid"))
    about = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
    voices = [take.song.notes_of(score, track) for track in range(len(score.tracks))]
    below = voices[1] if len(voices) > 1 else make_notes()
    return MadeTake(take, voices[0], below, about["cpu_seconds"], tuple(about["remarks"]), about["distance"])

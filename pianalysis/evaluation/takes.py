"""Arrangements of songs by models, made once and kept: a MIDI file and a JSON file each.

In: songs, models and settings. Out: `MadeTake`s. A run that is interrupted goes on with those that lack.
"""

from __future__ import annotations

import ast
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Final

import numpy as np

from pianalysis.arranger import Arranger, Options
from pianalysis.evaluation.songs import Song
from pianalysis.evaluation.workers import Map
from pianalysis.notes import Notes, PianalysisError, make_notes, read_midi, write_atomically

PACKAGE: Final = Path(__file__).parents[1]
NOT_DECIDING: Final = {"render", "hub"}
"""Modules that the arranger may use, but not for the notes that it writes."""


@dataclass(frozen=True)
class ModelName:
    """A model: where it is loaded from ("": the bundled one), its name in tables, the digest of its weights."""

    source: str
    label: str
    digest: str


@dataclass(frozen=True, eq=False)
class Take:
    """One arrangement to be made."""

    model: ModelName
    song: Song
    seed: int = 0
    options: Options = field(default_factory=Options)

    @property
    def key(self) -> str:
        """What the arrangement depends on, in 16 hexadecimal digits: weights, settings, seed, song and our own code."""
        asked = {
            **asdict(self.options),
            "seed": self.seed,
            "weights": self.model.digest,
            "code": code_digest("arranger"),
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


@cache
def code_digest(*modules: str) -> str:
    """A digest of some modules and all that they import: results of other code are not gone on with."""
    found: set[str] = set()
    for name in modules:
        _add_imported(name, found)
    digest = hashlib.sha256()
    for name in sorted(found):
        digest.update((PACKAGE / f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]


def _add_imported(name: str, found: set[str]) -> None:
    """Add a module and the package's flat modules that it imports, and those that they import."""
    found.add(name)
    for node in ast.walk(ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pianalysis":
            inner = (node.module or "").split(".")[1:2] or [alias.name for alias in node.names]
            for other in set(inner) - found - NOT_DECIDING:
                if (PACKAGE / f"{other}.py").exists():
                    _add_imported(other, found)


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
    work = partial(make_take, folder=folder)
    for take, _ in zip(waiting, run(work, waiting), strict=True):
        if progress is not None:
            progress(take)
    return [read_take(take, folder) for take in takes]


def is_made(take: Take, folder: Path) -> bool:
    """Whether a take's files are there, whole: the JSON is written last."""
    stem = take.stem(folder)
    return stem.with_suffix(".json").exists() and stem.with_suffix(".mid").exists()


def make_take(take: Take, folder: Path) -> None:
    """Arrange a song and keep the result."""
    stem, began = take.stem(folder), time.process_time()
    arranger = _arranger(take.model.source, take.model.digest)
    piece = arranger(take.song.score(), seed=take.seed, options=take.options)
    seconds = time.process_time() - began
    piece.save(stem.with_suffix(".mid"))
    about = {"cpu_seconds": round(seconds, 3), "music_seconds": round(take.song.seconds, 3), "remarks": piece.remarks}
    about["distance"] = arranger.distance(piece)
    write_atomically(stem.with_suffix(".json"), (json.dumps({**about, **asdict(take.options)}) + "\n").encode())


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

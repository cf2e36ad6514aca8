"""Made-up songs as rows and as a tiny dataset with both configs, for tests of the evaluation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import datasets
import numpy as np

from pianalysis.dataset.corpora import Piece
from pianalysis.dataset.rows import FEATURES, notes_row, piece_windows, window_row
from pianalysis.music.clock import BeatClock
from pianalysis.music.notes import make_notes


def piece_of(melody, accompaniment, *, beats_ms, downbeats, chords=()):
    """A piece with annotated beats."""
    clock = BeatClock.from_beats(beats_ms, downbeats)
    voices = make_notes(melody), make_notes(accompaniment)
    source = "label" if chords else ""
    return Piece("1", 0, "pop909", "pop", "", "", "", *voices, clock, "", tuple(chords), source)


def row_of(*voices, **clock):
    """A row of the config `notes`."""
    return notes_row(piece_of(*voices, **clock), "test")


def waltz_piece(bars=12, *, first_bar=2, quarter_ms=600):
    """A piece in 3/4: a melody note a beat from `first_bar` on, a bass note a bar from the beginning."""
    beats = np.arange(3 * bars + 1) * quarter_ms
    melody = [(beat, quarter_ms, 60 + index % 8, 80) for index, beat in enumerate(beats[3 * first_bar : -1])]
    below = [(beat, 3 * quarter_ms, 48, 64) for beat in beats[:-1:3]]
    return piece_of(melody, below, beats_ms=beats, downbeats=np.arange(len(beats)) % 3 == 0)


def waltz(*args, **kwargs):
    """The row of a `waltz_piece`."""
    return notes_row(waltz_piece(*args, **kwargs), "test")


def write_dataset(folder: Path) -> Path:
    """Three test songs of one corpus and two of another, and as many for training."""
    sizes = {"pop909": (500, 600, 700), "openscore_lieder": (650, 800)}
    for split in ("train", "test"):
        rows = {config: [] for config in FEATURES}
        for corpus, lengths in sizes.items():
            for number, quarter_ms in enumerate(lengths):
                piece = waltz_piece(8 + number, first_bar=number, quarter_ms=quarter_ms)
                piece = replace(piece, corpus=corpus, piece_id=f"{split}{number}")
                rows["notes"].append(notes_row(piece, split))
                rows["windows"] += [window_row(piece, w, i, shift=0) for i, w in enumerate(piece_windows(piece))]
        for config, features in FEATURES.items():
            (folder / config).mkdir(parents=True, exist_ok=True)
            table = datasets.Dataset.from_list(rows[config], features=features)
            table.to_parquet(folder / config / f"{split}-00000-of-00001.parquet")
    return folder

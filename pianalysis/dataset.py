"""The dataset's rows: one a piece (config `notes`), one a window (config `windows`).

In: pieces. Out: rows with typed features; and the windows of a prepared folder or of the Hub, loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import datasets
import numpy as np

from pianalysis.clock import QUARTER_MS, BeatClock, tempo_fold
from pianalysis.corpora import Piece
from pianalysis.notes import Notes
from pianalysis.tokenizer import encode, to_events
from pianalysis.vocab import SEP
from pianalysis.windows import Window, cut_windows

_NOTE: Final = datasets.List(
    {
        "onset_ms": datasets.Value("float64"),
        "duration_ms": datasets.Value("float64"),
        "pitch": datasets.Value("int16"),
        "velocity": datasets.Value("int16"),
    }
)
_CHORD: Final = datasets.List(
    {"onset_ms": datasets.Value("float64"), "end_ms": datasets.Value("float64"), "label": datasets.Value("string")}
)
_PIECE: Final = {"piece_id": datasets.Value("string"), "version": datasets.Value("int32")}

NOTES_FEATURES: Final = datasets.Features(
    {
        **_PIECE,
        "split": datasets.Value("string"),
        "corpus": datasets.Value("string"),
        "title": datasets.Value("string"),
        "composer": datasets.Value("string"),
        "license": datasets.Value("string"),
        "bpm": datasets.Value("float64"),
        "time_signature": datasets.Value("string"),
        "beats_ms": datasets.List(datasets.Value("float64")),
        "downbeats_ms": datasets.List(datasets.Value("float64")),
        "key": datasets.Value("string"),
        "chords": _CHORD,
        "melody": _NOTE,
        "accompaniment": _NOTE,
    }
)
"""One row a piece: notes in real milliseconds, beats, chords and what the catalogue says."""

WINDOWS_FEATURES: Final = datasets.Features(
    {
        **_PIECE,
        "corpus": datasets.Value("string"),
        "window": datasets.Value("int32"),
        "start_bar": datasets.Value("int32"),
        "bars": datasets.Value("int32"),
        "start_ms": datasets.Value("float64"),
        "seconds": datasets.Value("float64"),
        "bpm": datasets.Value("float64"),
        "time_signature": datasets.Value("string"),
        "density": datasets.Value("string"),
        "input_ids": datasets.List(datasets.Value("int16")),
        "target_start": datasets.Value("int32"),
        "training_sequence": datasets.List(datasets.Value("int16")),
    }
)
"""One row a window: the token ids, where the accompaniment begins in them, and the same as the event view."""

FEATURES: Final = {"notes": NOTES_FEATURES, "windows": WINDOWS_FEATURES}


def notes_row(piece: Piece, split: str) -> dict[str, Any]:
    """The row of a piece in the config `notes`."""
    clock = piece.clock
    return {
        "piece_id": piece.piece_id,
        "version": piece.version,
        "split": split,
        "corpus": piece.corpus,
        "title": piece.title,
        "composer": piece.composer,
        "license": piece.license,
        "bpm": clock.bpm,
        "time_signature": _signature(clock),
        "beats_ms": beats_ms(clock).tolist(),
        "downbeats_ms": clock.to_real(clock.bar_lines).tolist(),
        "key": piece.key,
        "chords": [{"onset_ms": start, "end_ms": end, "label": label} for start, end, label in piece.chords],
        "melody": _note_rows(piece.melody),
        "accompaniment": _note_rows(piece.accompaniment),
    }


def _note_rows(notes: Notes) -> list[dict[str, Any]]:
    rounded = notes.copy()
    for name in ("onset_ms", "duration_ms"):
        rounded[name] = np.round(notes[name], 3)  # a microsecond: what is beyond is rounding noise of the tempo map
    return [dict(zip(notes.dtype.names or (), row, strict=True)) for row in rounded.tolist()]


def _signature(clock: BeatClock) -> str:
    return "/".join(map(str, clock.time_signature))


def beats_ms(clock: BeatClock) -> np.ndarray:
    """The piece's quarter beats in real ms, from the first bar line to the last."""
    quarter = QUARTER_MS * tempo_fold(clock.bpm)
    return clock.to_real(np.arange(clock.bar_lines[0], clock.bar_lines[-1] + 1e-6, quarter))


def window_row(piece: Piece, window: Window, index: int) -> dict[str, Any]:
    """The row of a window in the config `windows`; `index` counts the piece's windows from 0."""
    ids = encode(window.notes)
    start, end = piece.clock.to_real([window.start_ms, window.start_ms + window.length_ms])
    return {
        "piece_id": piece.piece_id,
        "version": piece.version,
        "corpus": piece.corpus,
        "window": index,
        "start_bar": window.start_bar,
        "bars": window.bars,
        "start_ms": float(start),
        "seconds": float(end - start) / 1_000,
        "bpm": piece.clock.bpm,
        "time_signature": _signature(piece.clock),
        "density": window.notes.density,
        "input_ids": ids,
        "target_start": ids.index(SEP) + 1,
        "training_sequence": to_events(window.notes),
    }


def piece_windows(piece: Piece, *, every_bar: bool = False) -> Iterator[Window]:
    """The windows of a piece, in its corpus's style."""
    return cut_windows(piece.melody, piece.accompaniment, piece.clock, style=piece.style, every_bar=every_bar)


def load_windows(path: str | os.PathLike[str], split: str) -> datasets.Dataset:
    """The windows of one split, from a folder that `prepare_dataset.py` made or from a dataset repository on the Hub."""
    folder = Path(path)
    if not folder.is_dir():
        return datasets.load_dataset(str(path), "windows", split=split)
    files = sorted(str(file) for file in (folder / "windows").glob(f"{split}-*.parquet"))
    if not files:
        raise FileNotFoundError(f"{folder}: expected windows/{split}-*.parquet, found none; run prepare_dataset.py")
    return datasets.load_dataset("parquet", data_files={split: files}, split=split)

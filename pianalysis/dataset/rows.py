"""The dataset's rows: one a piece (config `notes`), one a window (config `windows`).

In: pieces. Out: rows with typed features; and the windows of a prepared folder or of the Hub, loaded.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pianalysis.arranging.charting import held_chords
from pianalysis.dataset.corpora import ChordSource, Piece
from pianalysis.dataset.piece_chords import chord_rows, piece_chart
from pianalysis.errors import PianalysisError
from pianalysis.harmony.chart import Chart
from pianalysis.music.clock import QUARTER_MS, BeatClock, tempo_fold
from pianalysis.music.notes import Notes
from pianalysis.tokens.events import to_events
from pianalysis.tokens.grammar import voice_start
from pianalysis.tokens.tokenizer import encode
from pianalysis.tokens.vocab import SEP
from pianalysis.tokens.windows import MAX_TOKENS, Window, bars_in_window, cut_windows

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
        "chord_source": datasets.Value("string"),
        "melody": _NOTE,
        "accompaniment": _NOTE,
    }
)
"""One row a piece: notes in real milliseconds, beats, chords (Harte's names) and what the catalogue says.

chord_source: label, written or rule, see `ChordSource`. A lead sheet's accompaniment is empty."""

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
        "key_shift": datasets.Value("int8"),
        "input_ids": datasets.List(datasets.Value("int16")),
        "target_start": datasets.Value("int32"),
        "accompaniment_start": datasets.Value("int32"),
        "training_sequence": datasets.List(datasets.Value("int16")),
    }
)
"""One row a window: the token ids, and the same as the event view.

target_start: where the chords begin in the ids, which the model learns to write, and the accompaniment after them;
accompaniment_start: where that begins, in a lead sheet, which has none, the ids' length."""

SHORT_WINDOW_TOKENS: Final = 60
PARTS_FOLDER: Final = ".parts"
REPORT_FILE: Final = "build_report.json"
"""A build writes it last: a folder that has parts of a build and no report is not finished."""

FEATURES: Final = {"notes": NOTES_FEATURES, "windows": WINDOWS_FEATURES}


Charted = tuple[Chart, ChordSource]
"""What `piece_chart` gives, and who has it already hands on."""


def notes_row(piece: Piece, split: str, charted: Charted | None = None) -> dict[str, Any]:
    """The row of a piece in the config `notes`."""
    clock = piece.clock
    chart, source = charted or piece_chart(piece)
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
        "chords": chord_rows(piece, chart),
        "chord_source": source,
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


def window_row(piece: Piece, window: Window, index: int, *, shift: int) -> dict[str, Any]:
    """The row of a window in the config `windows`; `index` counts the piece's windows from 0.

    shift: the piece's `key_shift`, which no window says alone.
    """
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
        "key_shift": shift,
        "input_ids": ids,
        "target_start": ids.index(SEP) + 1,
        "accompaniment_start": voice_start(ids),
        "training_sequence": to_events(window.notes),
    }


def window_digest(ids: list[int]) -> int | None:
    """A number of 64 bits for a window's ids; None for one of so few notes that it may be like another by chance."""
    if len(ids) < SHORT_WINDOW_TOKENS:
        return None
    return int.from_bytes(hashlib.blake2b(" ".join(map(str, ids)).encode(), digest_size=8).digest(), "little")


def piece_windows(piece: Piece, charted: Charted | None = None, *, every_bar: bool = False) -> Iterator[Window]:
    """The windows of a piece, in its corpus's style, with its chords."""
    chart, _ = charted or piece_chart(piece)
    below = None if piece.lead_sheet else piece.accompaniment
    return cut_windows(
        piece.melody, below, piece.clock, style=piece.style, every_bar=every_bar, chords=held_chords(chart)
    )


DROP_REASONS: Final = (
    "before the melody begins",
    "after the melody has ended",
    f"a single bar of over {MAX_TOKENS:,} tokens",
)


def dropped_windows(bar_lines: np.ndarray, kept: list[Window], *, every_bar: bool = False) -> Counter[str]:
    """How many windows of a piece were not kept, by `DROP_REASONS`.

    bar_lines: of the whole piece, clock-ms; kept: its windows, at least one, as `piece_windows` gives them.
    """
    before, after, dense = DROP_REASONS
    bars_at = {window.start_bar: 1 if every_bar else window.bars for window in kept}
    first, last = kept[0].start_bar, kept[-1].start_bar
    dropped: Counter[str] = Counter()
    bar = 0
    while bar < len(bar_lines) - 1:
        if bar not in bars_at:
            dropped[before if bar < first else after if bar > last else dense] += 1
        if every_bar or first < bar < last:
            bar += bars_at.get(bar, 1)
        else:  # the last window before the first kept one ends where that begins
            fits = bars_at.get(bar) or bars_in_window(bar_lines, bar)
            bar = min(bar + fits, first) if bar < first else bar + fits
    return dropped


def load_windows(path: str | os.PathLike[str], split: str) -> datasets.Dataset:
    """The windows of one split, from a folder that `prepare_dataset.py` made or from a dataset repository on the Hub.

    Raises FileNotFoundError where the split isn't there, for a folder also if its build was interrupted; PianalysisError
    for a file in a folder that can't be read.
    """
    return load_rows(path, "windows", split)


def load_rows(path: str | os.PathLike[str], config: str, split: str) -> datasets.Dataset:
    """The rows of one config (`FEATURES`) and split, as `load_windows` gives them."""
    folder = Path(path)
    if not folder.is_dir():
        return datasets.load_dataset(str(path), config, split=split)
    if (folder / PARTS_FOLDER).exists() and not (folder / REPORT_FILE).exists():
        raise FileNotFoundError(f"{folder}: expected a finished dataset, found an interrupted build; run it again")
    files = sorted((folder / config).glob(f"{split}-*.parquet"))
    if not files:
        raise FileNotFoundError(f"{folder}: expected {config}/{split}-*.parquet, found none; run prepare_dataset.py")
    try:
        return datasets.load_dataset("parquet", data_files={split: [*map(str, files)]}, split=split)
    except (datasets.exceptions.DatasetGenerationError, pa.ArrowException, OSError) as error:
        raise _unreadable(files, error) from None


def _unreadable(files: list[Path], error: Exception) -> PianalysisError:
    """What is wrong with the first of some parquet files that can't be read; else with all of them together."""
    for file in files:
        try:
            for _ in pq.ParquetFile(file).iter_batches():
                pass
        except (pa.ArrowException, OSError) as cause:
            return PianalysisError(
                f"{file}: expected a whole parquet file, found one that is cut off or damaged ({_line(cause)});"
                " build or download the dataset again"
            )
    return PianalysisError(
        f"{files[0].parent}: expected parquet files with the same columns, found others"
        f" ({_line(error.__cause__ or error)}); build or download the dataset again"
    )


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:120]

"""Windows of an easy kind of music, which a tiny model learns in seconds: a melody, and a fifth below each note."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import numpy as np

from pianalysis.music.notes import make_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.events import to_events
from pianalysis.tokens.tokenizer import ChordTones, WindowNotes, encode


def window_row(
    generator: np.random.Generator, notes: int = 12, *, chords: bool = False, lead_sheet: bool = False
) -> dict[str, Any]:
    """A row with the columns that training reads. chords: a fifth of each second note and the one below it, too."""
    onsets = np.arange(notes) * 500.0
    pitches = generator.integers(60, 80, notes)
    melody = make_notes((onset, 500, pitch, 96) for onset, pitch in zip(onsets, pitches, strict=True))
    below = make_notes((onset, 500, pitch - 7, 64) for onset, pitch in zip(onsets, pitches, strict=True))
    held = tuple(
        ChordTones(int(onset), int(pitch - 7) % 12, tuple(sorted({int(pitch) % 12, int(pitch - 7) % 12})))
        for onset, pitch in zip(onsets[::2], pitches[::2], strict=True)
    )
    window = WindowNotes(melody, None if lead_sheet else below, chords=held if chords or lead_sheet else None)
    ids = encode(window)
    return {
        "corpus": "folder",
        "input_ids": ids,
        "target_start": ids.index(vocab.SEP) + 1,
        "seconds": notes / 2,
        "key_shift": 0,
        "training_sequence": to_events(window),
    }


def write_windows(folder: Path, *, train: int = 64, validation: int = 8, chords: bool = False) -> Path:
    """A dataset of ours, with the config `windows` only, in a folder; with chords every fourth window is a lead sheet."""
    generator = np.random.default_rng(0)
    (folder / "windows").mkdir(parents=True, exist_ok=True)
    for split, count in (("train", train), ("validation", validation)):
        rows = datasets.Dataset.from_list(
            [
                window_row(generator, 8 + index % 5, chords=chords, lead_sheet=chords and index % 4 == 3)
                for index in range(count)
            ]
        )
        rows.to_parquet(folder / "windows" / f"{split}-00000-of-00001.parquet")
    return folder

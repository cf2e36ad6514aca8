"""The accompaniments of the training set on their clocks, read fast, and their index of copies.

In: a dataset with the config `notes`. Out: note arrays in clock-ms, a `CopyIndex`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from pianalysis.dataset.rows import load_rows
from pianalysis.evaluation.songs import clock_of
from pianalysis.metrics.repetition import CopyIndex
from pianalysis.music.notes import NOTE_DTYPE, Notes

CLOCK_COLUMNS = ["beats_ms", "downbeats_ms", "bpm", "time_signature"]


def copy_index(dataset: str) -> CopyIndex:
    """What an accompaniment could have been copied from: all training pieces, alternative versions included."""
    return CopyIndex.build(list(training_accompaniments(dataset)))


def training_accompaniments(dataset: str) -> Iterator[Notes]:
    """The accompaniment of each training piece, in clock-ms."""
    rows = load_rows(dataset, "notes", "train").select_columns([*CLOCK_COLUMNS, "accompaniment"]).with_format("arrow")
    for batch in rows.iter(100):
        clocks = batch.select(CLOCK_COLUMNS).to_pylist()
        for clock, notes in zip(clocks, _arrays(batch["accompaniment"]), strict=True):
            yield clock_of(clock).notes_to_clock(notes)


def _arrays(column: Any) -> Iterator[Notes]:
    """The note arrays of an Arrow column of lists of notes: a Python object a note would take minutes."""
    for chunk in column.chunks:
        offsets, values = chunk.offsets.to_numpy(), chunk.values
        fields = {name: values.field(name).to_numpy() for name in NOTE_DTYPE.names or ()}
        for start, stop in itertools.pairwise(offsets):
            notes = np.zeros(stop - start, NOTE_DTYPE)
            for name, values_of in fields.items():
                notes[name] = values_of[start:stop]
            yield notes

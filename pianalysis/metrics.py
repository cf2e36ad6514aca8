"""How good is a model, how good is a piece.

In: a model and tokenized windows, or the notes of a piece. Out: plain numbers, by the field's names.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pianalysis import vocab
from pianalysis.notes import Notes

CONSONANCE: Final = np.array([1, -1, -1, 1, 1, 0, -1, 1, 1, 1, -1, -1])
"""Of an interval in semitones, octaves aside: unison, thirds, fifth and sixths 1, fourth 0, others −1 (Yeh et al. 2021)."""

FLAT_NATS: Final = float(np.log(vocab.VOCAB_SIZE))


@dataclass(frozen=True)
class Likelihood:
    """Negative log-likelihood of all tokens after ``<sep>``, ``<eos>`` included, no mask applied.

    nats: the sum. notes: accompaniment notes. seconds: of music. windows: how many.
    """

    nats: float
    notes: int
    seconds: float
    windows: int

    @property
    def nats_per_note(self) -> float:
        """The one number: nats per accompaniment note."""
        return self.nats / max(self.notes, 1)

    @property
    def bits_per_second(self) -> float:
        """Bits per second of music."""
        return self.nats / float(np.log(2)) / max(self.seconds, 1e-9)


def count_notes(ids: Sequence[int] | NDArray[Any]) -> int:
    """Accompaniment notes in a window's ids: the NOTE_ON_… tokens with a dynamic."""
    array = np.asarray(ids)
    return int(((array >= vocab.DYNAMIC_IDS.start) & (array < vocab.DYNAMIC_IDS.stop)).sum())


def model_likelihood(model: Any, rows: Iterable[dict[str, Any]]) -> Likelihood:
    """The likelihood of windows under a model; `rows` have input_ids, target_start, seconds and key_shift.

    A model that knows one key (`normalises_key` in its config) is given each window in it, as it is in use: the shift
    is read off the melody alone.
    """
    import torch

    from pianalysis.model import normalises_key
    from pianalysis.training import token_losses, transpose_ids

    to_its_key = normalises_key(model)
    nats, notes, seconds, windows = 0.0, 0, 0.0, 0
    with torch.inference_mode():
        for row in rows:
            ids = torch.tensor([list(row["input_ids"])])
            if to_its_key:
                ids = transpose_ids(ids, row["key_shift"])
            nats += float(token_losses(model, ids)[0, row["target_start"] - 1 :].sum(dtype=torch.float64))
            notes, seconds, windows = notes + count_notes(row["input_ids"]), seconds + row["seconds"], windows + 1
    return Likelihood(nats, notes, seconds, windows)


def unigram_likelihood(train: Iterable[dict[str, Any]], rows: Iterable[dict[str, Any]]) -> Likelihood:
    """The likelihood of windows when every token is drawn by its frequency after ``<sep>`` in training (plus one)."""
    counts = np.ones(vocab.VOCAB_SIZE)
    for row in train:
        counts += np.bincount(row["input_ids"][row["target_start"] :], minlength=vocab.VOCAB_SIZE)
    cost = -np.log(counts / counts.sum())
    nats, notes, seconds, windows = 0.0, 0, 0.0, 0
    for row in rows:
        nats += float(cost[np.asarray(row["input_ids"][row["target_start"] :])].sum())
        notes, seconds, windows = notes + count_notes(row["input_ids"]), seconds + row["seconds"], windows + 1
    return Likelihood(nats, notes, seconds, windows)


def pitch_consonance_score(melody: Notes, accompaniment: Notes, *, step_ms: float) -> float:
    """PCS (Yeh et al. 2021): the mean consonance of the melody with each accompaniment note that sounds with it.

    Looked at every `step_ms` (a sixteenth; notes and step on one clock). From −1 to 1; NaN where they never sound
    together.
    """
    if not len(melody) or not len(accompaniment):
        return float("nan")
    end = float((melody["onset_ms"] + melody["duration_ms"]).max())
    times = np.arange(0.5, end / step_ms) * step_ms  # the middle of each sixteenth
    intervals: list[NDArray[Any]] = []
    for time in times:
        above, below = (
            notes["pitch"][(notes["onset_ms"] <= time) & (notes["onset_ms"] + notes["duration_ms"] > time)].astype(int)
            for notes in (melody, accompaniment)
        )
        if len(above) and len(below):
            intervals.append((above[:, None] - below[None, :]).ravel() % 12)
    return float(CONSONANCE[np.concatenate(intervals)].mean()) if intervals else float("nan")

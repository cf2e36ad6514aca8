"""How well a model foresees music: nats per accompaniment note.

In: a model and tokenized windows. Out: a `Likelihood`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pianalysis import vocab

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

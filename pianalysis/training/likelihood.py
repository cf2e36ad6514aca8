"""How well a model foresees music: nats per accompaniment note.

In: a model and tokenized windows. Out: a `Likelihood`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import count_notes, voice_start
from pianalysis.tokens.tokenizer import without_chords

FLAT_NATS: Final = float(np.log(vocab.VOCAB_SIZE))


@dataclass(frozen=True)
class Likelihood:
    """Negative log-likelihood of the accompaniment: all tokens after the last ``<sep>``, ``<eos>`` included, no mask applied.

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


def _accompanied(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows with something after their last ``<sep>``: all but lead sheets."""
    return (row for row in rows if voice_start(row["input_ids"]) < len(row["input_ids"]))


def model_likelihood(model: Any, rows: Iterable[dict[str, Any]]) -> Likelihood:
    """The likelihood of windows under a model; `rows` have input_ids, seconds and key_shift. Lead sheets are left out.

    A model that knows one key (`normalises_key` in its config) is given each window in it, as it is in use: the shift
    is read off the melody alone. A model that plays chords (`plays_chords`) is given them where a window has them; for
    another one they are taken out.
    """
    import torch

    from pianalysis.model.gpt2 import normalises_key, plays_chords
    from pianalysis.training.batches import transpose_ids

    to_its_key, with_chords = normalises_key(model), plays_chords(model)
    nats, notes, seconds, windows = 0.0, 0, 0.0, 0
    with torch.inference_mode():
        for row in _accompanied(rows):
            window = row["input_ids"] if with_chords else without_chords(row["input_ids"])
            ids = torch.tensor(window)
            if to_its_key:
                ids = transpose_ids(ids, row["key_shift"])
            nats += float(token_losses(model, ids[None])[0, voice_start(window) - 1 :].sum(dtype=torch.float64))
            notes, seconds, windows = notes + count_notes(row["input_ids"]), seconds + row["seconds"], windows + 1
    return Likelihood(nats, notes, seconds, windows)


def unigram_likelihood(train: Iterable[dict[str, Any]], rows: Iterable[dict[str, Any]]) -> Likelihood:
    """The likelihood of windows when every token is drawn by its frequency after the last ``<sep>`` in training (plus one).

    Lead sheets, which have nothing there, are left out.
    """
    counts = np.ones(vocab.VOCAB_SIZE)
    for row in train:
        ids = row["input_ids"]
        counts += np.bincount(ids[voice_start(ids) :], minlength=vocab.VOCAB_SIZE)
    cost = -np.log(counts / counts.sum())
    nats, notes, seconds, windows = 0.0, 0, 0.0, 0
    for row in _accompanied(rows):
        ids = row["input_ids"]
        nats += float(cost[np.asarray(ids[voice_start(ids) :])].sum())
        notes, seconds, windows = notes + count_notes(row["input_ids"]), seconds + row["seconds"], windows + 1
    return Likelihood(nats, notes, seconds, windows)


def token_losses(model: nn.Module, input_ids: torch.Tensor) -> torch.Tensor:
    """Negative log-likelihood in nats of every token but the first, ``[batch, length − 1]``, in float32."""
    logits = model(input_ids=input_ids, use_cache=False).logits[:, :-1].float()
    targets = input_ids[:, 1:]
    # A token a row: over the last axis the softmax takes a fifth of the time.
    return cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)

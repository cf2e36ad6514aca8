"""Training: windows in, checkpoint out, on `transformers.Trainer`.

The loss is on the accompaniment and, weighted down, on the melody. Validation reports nats per accompaniment note.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import datasets
import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from transformers import EvalPrediction, Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pianalysis import vocab

LENGTH_MULTIPLE: Final = 64
"""Batches are padded to a multiple of this: fewer shapes, faster kernels."""
TRANSPOSITIONS: Final = range(-6, 6)


def transpose_ids(ids: torch.Tensor, semitones: int) -> torch.Tensor:
    """Ids with every pitch moved by some semitones; by fewer where the keyboard ends.

    >>> transpose_ids(torch.tensor([129, 12, 60, 750]), 2).tolist()
    [129, 12, 62, 750]
    """
    pitched = (ids >= vocab.LOWEST_PITCH) & (ids <= vocab.HIGHEST_PITCH)
    if not bool(pitched.any()):
        return ids
    low, high = int(ids[pitched].min()), int(ids[pitched].max())
    shift = min(max(semitones, vocab.LOWEST_PITCH - low), vocab.HIGHEST_PITCH - high)
    return torch.where(pitched, ids + shift, ids)


@dataclass(frozen=True)
class WindowCollator:
    """Rows to a padded batch: input_ids and weights ``[batch, length]``, notes and seconds ``[batch]``.

    weights: 1 on the accompaniment's tokens (``<eos>`` included), `melody_weight` before, 0 on padding and on
    ``<bos>``. `transpose` moves each row by a random number of semitones.
    """

    max_length: int = 1024
    melody_weight: float = 0.2
    transpose: bool = False

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        tensors = [torch.tensor(row["input_ids"][: self.max_length], dtype=torch.long) for row in rows]
        if self.transpose:
            shifts = torch.randint(TRANSPOSITIONS.start, TRANSPOSITIONS.stop, (len(rows),)).tolist()
            tensors = [transpose_ids(ids, shift) for ids, shift in zip(tensors, shifts, strict=True)]
        longest = max(len(ids) for ids in tensors)
        length = min(-(-longest // LENGTH_MULTIPLE) * LENGTH_MULTIPLE, self.max_length)
        input_ids = torch.full((len(rows), length), vocab.PAD)
        weights = torch.zeros(len(rows), length)
        for index, (ids, row) in enumerate(zip(tensors, rows, strict=True)):
            input_ids[index, : len(ids)] = ids
            weights[index, 1 : len(ids)] = 1.0
            weights[index, 1 : row["target_start"]] = self.melody_weight
        loud = (input_ids >= vocab.DYNAMIC_IDS.start) & (input_ids < vocab.DYNAMIC_IDS.stop)
        seconds = torch.tensor([float(row["seconds"]) for row in rows])
        return {"input_ids": input_ids, "weights": weights, "notes": loud.sum(1).float(), "seconds": seconds}


def token_losses(model: nn.Module, input_ids: torch.Tensor) -> torch.Tensor:
    """Negative log-likelihood in nats of every token but the first, ``[batch, length − 1]``, in float32."""
    logits = model(input_ids=input_ids).logits[:, :-1].float()
    return cross_entropy(logits.transpose(1, 2), input_ids[:, 1:], reduction="none")


class WindowTrainer(Trainer):
    """`Trainer` with the weighted loss; evaluation collects, per window, accompaniment nats, notes and seconds."""

    def __init__(self, *, train_collator: WindowCollator, eval_collator: WindowCollator, **kwargs: Any) -> None:
        super().__init__(data_collator=train_collator, compute_metrics=note_metrics, **kwargs)
        self._eval_collator = eval_collator

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        train_collator, self.data_collator = self.data_collator, self._eval_collator
        try:
            return super().get_eval_dataloader(eval_dataset)
        finally:
            self.data_collator = train_collator

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        losses = token_losses(model, inputs["input_ids"])
        weights = inputs["weights"][:, 1:]
        loss = (losses * weights).sum() / weights.sum()
        return (loss, losses) if return_outputs else loss

    def prediction_step(
        self, model: nn.Module, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: Any = None
    ) -> Any:
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            loss, losses = self.compute_loss(model, inputs, return_outputs=True)
        nats = (losses * (inputs["weights"][:, 1:] == 1.0)).sum(1)
        return loss.detach(), nats, torch.stack([inputs["notes"], inputs["seconds"]], dim=1)


def note_metrics(prediction: EvalPrediction) -> dict[str, float]:
    """Nats per accompaniment note and bits per second of music, over all windows."""
    nats = float(np.sum(prediction.predictions, dtype=np.float64))
    notes, seconds = np.asarray(prediction.label_ids, np.float64).sum(0)
    return {"nats_per_note": nats / max(notes, 1.0), "bits_per_second": nats / np.log(2) / max(seconds, 1e-9)}


class TimeLimit(TrainerCallback):
    """Stops cleanly, with a checkpoint to resume from, when the minutes are over."""

    def __init__(self, minutes: float) -> None:
        self.deadline_s = time.monotonic() + 60 * minutes

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if time.monotonic() > self.deadline_s:
            control.should_save = control.should_training_stop = True


def with_lengths(windows: datasets.Dataset) -> datasets.Dataset:
    """The dataset with a column `length`, tokens a row, for batches of like lengths."""
    import pyarrow.compute as pc

    if "length" in windows.column_names:
        return windows
    lengths = pc.list_value_length(windows.data.column("input_ids")).to_pylist()
    return windows.add_column("length", lengths)


class MuonWithAdamW(torch.optim.Optimizer):
    """`torch.optim.Muon` on the hidden layers' matrices, AdamW on everything else, as one optimizer.

    Both read their learning rate from this optimizer's groups, so that one schedule moves both.
    """

    def __init__(
        self, matrices: list[nn.Parameter], others: list[nn.Parameter], lr: float, weight_decay: float
    ) -> None:
        super().__init__([{"params": matrices}, {"params": others}], {"lr": lr, "weight_decay": weight_decay})
        self._parts = (
            torch.optim.Muon(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=lr, betas=(0.9, 0.98), weight_decay=0.0),
        )

    def step(self, closure: Any = None) -> Any:
        for group, part in zip(self.param_groups, self._parts, strict=True):
            part.param_groups[0]["lr"] = group["lr"]
            part.step()

    def state_dict(self) -> dict[str, Any]:
        return {
            "groups": [{"lr": group["lr"]} for group in self.param_groups],
            "parts": [part.state_dict() for part in self._parts],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for group, saved in zip(self.param_groups, state_dict["groups"], strict=True):
            group["lr"] = saved["lr"]
        for part, saved in zip(self._parts, state_dict["parts"], strict=True):
            part.load_state_dict(saved)


def make_optimizer(model: nn.Module, name: str, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW, or Muon for the matrices of the blocks with AdamW for the rest; no decay on vectors and embeddings."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and ".h." in n]
    others = [p for n, p in model.named_parameters() if not (p.ndim == 2 and ".h." in n)]
    if name == "muon":
        return MuonWithAdamW(matrices, others, learning_rate, weight_decay)
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.98))

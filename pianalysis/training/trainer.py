"""Training: windows in, loss out, on `transformers.Trainer`.

In: a model and tokenized windows. Out: a `WindowTrainer` whose loss is on chords and accompaniment and, weighted down, on
the melody, and whose validation reports nats per accompaniment note. `runs` makes runs of it: options, resuming, the Hub.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import (
    EvalPrediction,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from pianalysis.tokens import vocab
from pianalysis.training.batches import BucketSampler, WindowCollator
from pianalysis.training.likelihood import token_losses
from pianalysis.training.optimizers import make_optimizer


class WindowTrainer(Trainer):
    """`Trainer` with the weighted loss; evaluation collects, per window, accompaniment nats, notes and seconds.

    The loss of a step is the weighted mean over all its tokens, however many processes and accumulated batches they
    are spread over. The log has, beside the library's entries, the tokens seen and the minutes that training took.
    """

    def __init__(
        self,
        *,
        train_collator: WindowCollator,
        eval_collator: WindowCollator,
        optimizer_name: str = "adamw",
        **kwargs: Any,
    ) -> None:
        super().__init__(data_collator=self._collate, compute_metrics=note_metrics, **kwargs)
        self.model_accepts_loss_kwargs = True  # says that `compute_loss` divides by the whole step's weights itself
        self._train_collator, self._eval_collator = train_collator, eval_collator
        self._sampler: BucketSampler | None = None
        self._optimizer_name = optimizer_name
        self.add_callback(FollowEpoch(self))
        self._begin_s = time.monotonic()
        self._minutes_before: float | None = None

    def _get_train_sampler(self, train_dataset: Any = None) -> torch.utils.data.Sampler[int]:
        rows: Any = self.train_dataset if train_dataset is None else train_dataset
        arguments = self.args
        batch_size = arguments.train_batch_size * arguments.gradient_accumulation_steps * arguments.world_size
        self._sampler = BucketSampler(rows["length"], batch_size, arguments.seed)
        return self._sampler

    def set_epoch(self, epoch: int) -> None:
        """Which epoch's order and augmentation to use: the loader of a resumed run doesn't tell the sampler itself."""
        if self._sampler is not None:
            self._sampler.set_epoch(epoch)

    def create_optimizer(self, *args: Any, **kwargs: Any) -> torch.optim.Optimizer:
        if self.optimizer is None:
            model: Any = self.model
            self.optimizer = make_optimizer(
                model, self._optimizer_name, self.args.learning_rate, self.args.weight_decay
            )
        return self.optimizer

    def _collate(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        return self._train_collator(rows, epoch=self._sampler.epoch if self._sampler else 0)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        train_collator, self.data_collator = self.data_collator, self._eval_collator
        try:
            return super().get_eval_dataloader(eval_dataset)
        finally:
            self.data_collator = train_collator

    def get_batch_samples(self, epoch_iterator: Any, num_batches: int, device: torch.device) -> tuple[list[Any], Any]:
        batches = list(islice(epoch_iterator, num_batches))
        if not batches:
            return batches, None
        counts = [torch.stack([batch["weights"].sum(), (batch["input_ids"] != vocab.PAD).sum()]) for batch in batches]
        total = torch.stack(counts).sum(0).to(device)
        if self.args.world_size > 1:
            total = self.accelerator.gather(total[None]).sum(0)
        self.state.num_input_tokens_seen += int(total[1])
        return batches, total[0]

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        losses = token_losses(model, inputs["input_ids"])
        weights = inputs["weights"][:, 1:]
        if num_items_in_batch is None:
            loss = (losses * weights).sum() / weights.sum()
        else:  # accumulated batches' gradients are added, but those of all processes averaged
            loss = (losses * weights).sum() / num_items_in_batch * self.args.world_size
        return (loss, losses) if return_outputs else loss

    def prediction_step(
        self, model: nn.Module, inputs: dict[str, Any], prediction_loss_only: bool, ignore_keys: Any = None
    ) -> Any:
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            loss, losses = self.compute_loss(model, inputs, return_outputs=True)
        nats = (losses * inputs["target"][:, 1:]).sum(1)
        return loss.detach(), nats, torch.stack([inputs["notes"], inputs["seconds"]], dim=1)

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        if self._minutes_before is None:  # what a resumed run took before
            self._minutes_before = max((entry.get("minutes", 0.0) for entry in self.state.log_history), default=0.0)
        logs["minutes"] = round(self._minutes_before + (time.monotonic() - self._begin_s) / 60, 2)
        logs["tokens"] = self.state.num_input_tokens_seen
        super().log(logs, *args, **kwargs)


def note_metrics(prediction: EvalPrediction) -> dict[str, float]:
    """Nats per accompaniment note and bits per second of music, over all windows."""
    nats = float(np.sum(prediction.predictions, dtype=np.float64))
    notes, seconds = np.asarray(prediction.label_ids, np.float64).sum(0)
    return {"nats_per_note": nats / max(notes, 1.0), "bits_per_second": nats / np.log(2) / max(seconds, 1e-9)}


class FollowEpoch(TrainerCallback):
    """Tells a trainer's sampler which epoch begins."""

    def __init__(self, trainer: WindowTrainer) -> None:
        self.trainer = trainer

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        self.trainer.set_epoch(int(state.epoch or 0))

"""When a training run ends: validation that stops falling, or the time that is over.

In: a trainer's state after a step or an evaluation. Out: whether it goes on, and at what learning rate.
"""

from __future__ import annotations

import math
import time
from functools import partial
from typing import Any, Final

from accelerate.utils import broadcast_object_list
from transformers import EarlyStoppingCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pianalysis.training.options import RunOptions
from pianalysis.training.words import in_evaluations, say

WAITED: Final = "early_stopping_patience_counter"
DECAY_FROM: Final = "decay_from"


class TimeLimit(TrainerCallback):
    """Stops cleanly, with a checkpoint to resume from, when the minutes are over: by the first process's clock."""

    def __init__(self, minutes: float) -> None:
        self.deadline_s = time.monotonic() + 60 * minutes
        self.reached = False
        self.why = "the time is over"

    def end_now(self, why: str | None = None) -> None:
        """Let the run end after the step in hand; why: in words, if it isn't the time."""
        self.deadline_s = -math.inf
        self.why = why or self.why

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        over = [time.monotonic() > self.deadline_s]
        if args.world_size > 1:  # all stop at the same step, or they would wait for each other for ever
            over = broadcast_object_list(over)
        if over[0]:
            self.reached = control.should_save = control.should_training_stop = True


class Patience(EarlyStoppingCallback):
    """Early stopping that knows the flat part of a schedule, resumes, and counts a trained model's own value.

    * Where validation stops falling in the flat part of the schedule wsd, the decay begins there and then, as
      validation falls in it; where it stops falling in the decay, or in any other schedule, the run ends.
    * The count and the decay's beginning go on in a resumed run, so that it ends where the uninterrupted one does.
    * An evaluation before the first step (`TrainingArguments.eval_on_start`) is the value to beat.
    * When the decay begins, and when the run ends by it, it is said.
    """

    def __init__(self, patience: int) -> None:
        super().__init__(patience)
        self.decay_from: int | None = None
        self.ended_early = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        super().on_train_begin(args, state, control, **kwargs)  # type: ignore[no-untyped-call]
        saved = _saved(state)
        self.early_stopping_patience_counter = saved.get(WAITED, 0)
        self.decay_from = saved.get(DECAY_FROM)
        if self.decay_from is not None:
            _decay_from(self.decay_from, state, kwargs["lr_scheduler"])

    def on_evaluate(  # type: ignore[override]  # the base class isn't typed
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **kwargs: Any,
    ) -> None:
        if state.global_step == 0:
            state.best_metric = metrics[f"eval_{args.metric_for_best_model}"]
            return
        super().on_evaluate(args, state, control, metrics, **kwargs)  # type: ignore[no-untyped-call]
        waited_enough = self.early_stopping_patience_counter >= self.early_stopping_patience
        scheduler = kwargs["lr_scheduler"]
        if not waited_enough:
            return
        fallen = f"validation hasn't fallen for {in_evaluations(self.early_stopping_patience)}{_best_in_words(state)}"
        if self.decay_from is None and state.global_step < _planned_decay(scheduler):
            control.should_training_stop = False
            self.early_stopping_patience_counter, self.decay_from = 0, state.global_step
            _decay_from(self.decay_from, state, scheduler)
            _say_once(
                state,
                f"{fallen}: from step {state.global_step} on the learning rate falls, to 0 at step {state.max_steps}",
            )
        elif state.global_step < state.max_steps:
            self.ended_early = True
            _say_once(state, f"{fallen}: the run ends early, at step {state.global_step} of {state.max_steps}")

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Say that the decay begins where it was planned."""
        planned = _planned_decay(kwargs["lr_scheduler"])
        if self.decay_from is None and 0 < planned == state.global_step < state.max_steps:
            _say_once(
                state, f"as planned, from step {planned} on the learning rate falls, to 0 at step {state.max_steps}"
            )

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        attributes = {WAITED: self.early_stopping_patience_counter, DECAY_FROM: self.decay_from}
        return {"args": {"patience": self.early_stopping_patience}, "attributes": attributes}


def _say_once(state: TrainerState, text: str) -> None:
    """Say something in the first of several processes."""
    if state.is_world_process_zero:
        say(text)


def _best_in_words(state: TrainerState) -> str:
    """The value that wasn't bettered, and where it is from."""
    if state.best_metric is None:
        return ""
    where = f"at step {state.best_global_step}" if state.best_global_step else "before the first step"
    return f" (the best: {state.best_metric:.4f} nats per note, {where})"


def is_finished(state: TrainerState, options: RunOptions) -> bool:
    """Whether a run with this state has nothing left to do."""
    saved = _saved(state)
    begun = saved.get(DECAY_FROM)
    end = options.max_steps if begun is None else min(options.max_steps, begun + options.decay_steps)
    return bool(state.global_step >= end or saved.get(WAITED, 0) >= options.patience)


def decay_from(state: TrainerState) -> int | None:
    """The step at which `Patience` began the decay; None where it began as planned, or not yet."""
    return _saved(state).get(DECAY_FROM)


def _saved(state: TrainerState) -> dict[str, Any]:
    """The attributes of `Patience` in a checkpoint's state; empty in a new one's."""
    callbacks: Any = state.stateful_callbacks
    saved = callbacks.get(Patience.__name__) if isinstance(callbacks, dict) else None
    return dict(saved["attributes"]) if isinstance(saved, dict) else {}


def _planned_decay(scheduler: Any) -> int:
    """The step at which a schedule's flat part ends; 0 for a schedule that has none."""
    known = getattr(scheduler.lr_lambdas[0], "keywords", {})
    return int(known["num_warmup_steps"] + known["num_stable_steps"]) if "num_stable_steps" in known else 0


def _decay_from(step: int, state: TrainerState, scheduler: Any) -> None:
    """End a schedule's flat part at a step, and the run where the decay is over, in place."""
    moved = []
    for before in scheduler.lr_lambdas:
        stable = max(step - before.keywords["num_warmup_steps"], 0)
        moved.append(partial(before.func, **before.keywords | {"num_stable_steps": stable}))
    scheduler.lr_lambdas = moved
    warmup, decay = (moved[0].keywords[name] for name in ("num_warmup_steps", "num_decay_steps"))
    state.max_steps = min(state.max_steps, max(step, warmup) + decay)

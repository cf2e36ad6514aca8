"""Training runs: what was asked for in, a trained checkpoint out. Resumed, published, or refused before the first step.

In: `RunOptions`. Out: a folder with checkpoints to resume from and, in `best/`, the model, tokenizer, card and record of
the best one; and a model repository on the Hub, if asked for.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from accelerate.utils import broadcast_object_list
from safetensors.torch import load_file
from transformers import GPT2LMHeadModel, TrainerCallback, TrainerState, TrainingArguments

from pianalysis.dataset.rows import load_windows
from pianalysis.dataset.splitting import VALIDATION_SONGS
from pianalysis.errors import PianalysisError
from pianalysis.files import write_atomically
from pianalysis.model.gpt2 import PRESETS, normalises_key
from pianalysis.model.hf_tokenizer import make_hf_tokenizer
from pianalysis.processes import keep_freed_memory
from pianalysis.publishing.model_card import save_records
from pianalysis.publishing.models import named_in_card
from pianalysis.publishing.records import RunRecord, history_before
from pianalysis.tokens import vocab
from pianalysis.tokens.windows import MAX_TOKENS
from pianalysis.training.batches import WindowCollator, with_lengths
from pianalysis.training.checkpoints import checkpoints_in, newest_whole
from pianalysis.training.checks import BEST, RUN_FILE, check, share_of, starting_model
from pianalysis.training.cpu_kernels import use_cpu_kernels
from pianalysis.training.ending import push_at_the_end
from pianalysis.training.options import RunOptions as RunOptions
from pianalysis.training.saving import (
    TRAINER_STATE,
    SafeTrainer,
    SealCheckpoints,
    checkpoint_from_hub,
    readable_writing,
)
from pianalysis.training.stopping import Patience, TimeLimit, decay_from, is_finished
from pianalysis.training.trainer import WindowTrainer
from pianalysis.training.words import say

CTRL_C: Final = (
    "\npianalysis train: Ctrl-C: the run ends after the step in hand, with a checkpoint to --resume from; Ctrl-C again "
    "stops at once\n"
)
ONE_KEY_SECONDS: Final = 2.0
"""A second SIGINT that soon is the same key press: the terminal sends it to all processes, and so does torch's launcher."""
FALLEN_NO_MORE: Final = "validation fell no more"
Callback = TypeVar("Callback", bound=TrainerCallback)


@dataclass(frozen=True)
class RunResult:
    """nats_per_note: the best validation. folder: of the best checkpoint. url: the commit on the Hub, if published."""

    nats_per_note: float
    folder: Path
    url: str | None


def train(options: RunOptions) -> RunResult:
    """Train, or go on training, until validation stops falling, the steps are done or the time is over.

    Raises PianalysisError, before the first step, for what can't work: a dataset that isn't ours or fails its checks, a
    model of another vocabulary, an output folder that holds another run, a repository that may not be written. Of several
    processes the first one says so, and the others end.
    """
    from accelerate import PartialState

    keep_freed_memory()
    if options.threads:
        torch.set_num_threads(options.threads)
    processes = PartialState(cpu=options.cpu)
    model = _check_alone(options, processes) or starting_model(options)
    folder = Path(options.output_dir)
    windows = {split: load_windows(options.dataset, split) for split in ("train", "validation")}
    trainer = make_trainer(options, model, windows)
    start: list[Path | None] = [None]
    began = options
    if processes.is_main_process:
        began = _as_it_was(options, folder)
        history_before(options.model)  # while the Hub, if the model is from there, is at hand
        claim(folder, options)
        start = [_where_to_begin(options, folder)] if options.resume else start
        _say_what_is_validated_on(windows["validation"])
    if processes.num_processes > 1:
        start = broadcast_object_list(start)
    if start[0] and is_finished(state := TrainerState.load_from_json(str(start[0] / TRAINER_STATE)), options):
        return _finish_again(trainer, options, began, state, len(windows["train"]))
    # A model that goes on from a trained one has a value to beat.
    trainer.args.eval_on_start = start[0] is None and options.model not in PRESETS
    with _asked_to_end(trainer):
        trainer.train(resume_from_checkpoint=str(start[0]) if start[0] else None)
    return _finish(trainer, options, len(windows["train"]))


def _finish_again(
    trainer: WindowTrainer, options: RunOptions, began: RunOptions, state: TrainerState, train_windows: int
) -> RunResult:
    """End a run that was over already: what it left stays as it is, and only what is missing is made again.

    began: what it was asked for then, which its record and card say.
    """
    trainer.state = state
    best = Path(options.output_dir) / BEST
    there = _best_is_of(best, state)
    if trainer.is_world_process_zero():
        claim(best.parent, began)
        say(
            f"the run was over, at step {state.global_step}: {'nothing is trained' if there else 'its best is saved again'}"
        )
        if there and options.push_to_hub:
            card = best / "README.md"
            write_atomically(card, named_in_card(card.read_text(encoding="utf-8"), options.push_to_hub).encode())
    if there:
        return _finish(trainer, options, train_windows, save=False)
    if state.best_global_step:
        take_best(trainer, options)
    asked = replace(began, output_dir=options.output_dir, push_to_hub=options.push_to_hub, private=options.private)
    return _finish(trainer, replace(asked, tag=options.tag, threads=options.threads), train_windows)


def _as_it_was(options: RunOptions, folder: Path) -> RunOptions:
    """What the run in a folder was asked for when it ran last; what is asked for now if there was none."""
    try:
        before = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return options
    known = {item.name: before[item.name] for item in fields(options) if item.name in before}
    return replace(options, **known)


def _best_is_of(best: Path, state: TrainerState) -> bool:
    """Whether the folder `best` was written when a run with this state was over."""
    file = best / TRAINER_STATE
    if not (file.exists() and (best / "model.safetensors").exists() and (best / "README.md").exists()):
        return False
    saved = json.loads(file.read_text(encoding="utf-8"))
    same = ("global_step", "best_global_step", "best_metric")
    return all(saved.get(name) == getattr(state, name) for name in same)


@contextmanager
def _asked_to_end(trainer: WindowTrainer) -> Iterator[None]:
    """In it the first Ctrl-C and SIGTERM, of a service manager or a machine that goes away, end the run as its time does.

    The second Ctrl-C is a KeyboardInterrupt.
    """

    first_s = math.inf

    def end(number: int, _: Any) -> None:
        nonlocal first_s
        if number == signal.SIGTERM:
            limit.end_now()
            return
        if time.monotonic() - first_s > ONE_KEY_SECONDS:
            raise KeyboardInterrupt
        if first_s < math.inf:
            return
        first_s = time.monotonic()
        limit.end_now("stopped by Ctrl-C")
        if trainer.is_world_process_zero():
            with suppress(OSError, ValueError):  # not print: what was interrupted may be in the middle of it
                os.write(sys.stderr.fileno(), CTRL_C.encode())

    limit = _the(TimeLimit, trainer)
    if threading.current_thread() is not threading.main_thread():  # Python handles signals in the first one only
        yield
        return
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _the(kind: type[Callback], trainer: WindowTrainer) -> Callback:
    """The callback of a kind that `make_trainer` gave a trainer."""
    return next(item for item in trainer.callback_handler.callbacks if isinstance(item, kind))


def _check_alone(options: RunOptions, processes: Any) -> GPT2LMHeadModel | None:
    """`check` in the first process; its model there, None in the others."""
    problem: list[PianalysisError | None] = [None]
    model = None
    if processes.is_main_process:
        try:
            model = check(options, processes.num_processes)
        except PianalysisError as error:
            problem = [error]
    if processes.num_processes > 1:
        problem = broadcast_object_list(problem)
    if problem[0] is not None:
        if processes.is_main_process:
            raise problem[0]
        raise SystemExit(2)
    return model


def _finish(trainer: WindowTrainer, options: RunOptions, train_windows: int, *, save: bool = True) -> RunResult:
    """Save the best, unless it is there, and publish it, unless the run ended before its end and that isn't asked for."""
    folder, best_metric = Path(options.output_dir), trainer.state.best_metric
    limit, main_process = _the(TimeLimit, trainer), trainer.is_world_process_zero()
    if limit.reached and main_process:
        say(f"{limit.why} at step {trainer.state.global_step}; go on with --resume")
    if best_metric is not None and save:
        if not trainer.state.best_global_step:
            take_best(trainer, options)
        _save_best(trainer, options, folder / BEST, train_windows)
    url = None
    if options.push_to_hub and main_process:
        pushed = _the(SealCheckpoints, trainer).pushed
        url = push_at_the_end(options, trainer.state, stopped=limit.reached, pushed=pushed)
    if best_metric is None:  # stopped before the first evaluation
        return RunResult(float("nan"), next(iter(checkpoints_in(folder)), folder), url)
    return RunResult(float(best_metric), folder / BEST, url)


def claim(folder: Path, options: RunOptions) -> None:
    """Make the output folder this run's."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PianalysisError(f"{folder}: can't be written ({error.strerror}); choose another folder") from None
    write_atomically(folder / RUN_FILE, (json.dumps(asdict(options), indent=1) + "\n").encode())


def _where_to_begin(options: RunOptions, folder: Path) -> Path | None:
    """The checkpoint to resume from: the newest whole one here, else the one on the Hub, else none."""
    found = newest_whole(folder, say)
    if found is None and options.push_to_hub:
        found = checkpoint_from_hub(options, folder)
    if found is None:
        say("there is no checkpoint to go on from; the run begins at its first step")
    return found


def _say_what_is_validated_on(rows: Any) -> None:
    """Say how many songs the best checkpoint is chosen on, where they are few."""
    songs = set(rows["piece_id"]) if "piece_id" in rows.column_names else set()
    if 0 < len(songs) < VALIDATION_SONGS:
        words = "one song" if len(songs) == 1 else f"{len(songs)} songs"
        say(f"validation is {len(rows)} windows of {words}: it tells checkpoints apart, and little of other music")


def take_best(trainer: WindowTrainer, options: RunOptions) -> None:
    """Give a trainer the best weights of its run, in place: of a checkpoint, or those it began with if none was better."""
    model: Any = trainer.model
    step = trainer.state.best_global_step
    if step:
        best = load_file(Path(options.output_dir) / f"checkpoint-{step}" / "model.safetensors")
    else:
        best = starting_model(options).state_dict()
        if trainer.is_world_process_zero():
            say(f"no evaluation was better than {options.model} was before the first step: the best is what it was")
    model.load_state_dict(best, strict=False)  # the tied head isn't stored


def make_trainer(options: RunOptions, model: GPT2LMHeadModel, windows: dict[str, Any]) -> WindowTrainer:
    """The trainer of a run: collators, optimizer, schedule, early stopping, logs, checkpoints, the Hub."""
    transpose = options.transpose or ("key" if normalises_key(model) else "random")
    if transpose == "key" and "key_shift" not in windows["train"].column_names:
        raise PianalysisError(f"{options.dataset}: expected a column key_shift, found none; build the dataset again")
    model.config.normalises_key = transpose == "key"
    model.config.plays_chords = windows["train"][0]["input_ids"].count(vocab.SEP) > 1  # a build has one form of window
    if options.cpu or not torch.cuda.is_available():
        if options.compile:  # what it makes of plain attention beats PyTorch's own kernel
            model.set_attn_implementation("eager")
        else:
            use_cpu_kernels(model)
    validation = windows["validation"]
    if 0 < options.eval_windows < len(validation):
        step = len(validation) / options.eval_windows
        validation = validation.select([int(index * step) for index in range(options.eval_windows)])
    limit = TimeLimit(math.inf if options.time_limit is None else options.time_limit)
    callbacks: list[TrainerCallback] = [SealCheckpoints(options), Patience(options.patience), limit]
    trainer = SafeTrainer(
        model=model,
        args=_arguments(options),
        train_dataset=with_lengths(windows["train"]),
        eval_dataset=validation,
        processing_class=make_hf_tokenizer(),
        callbacks=callbacks,
        optimizer_name=options.optimizer,
        train_collator=WindowCollator(
            options.max_length, options.melody_weight, transpose, options.tempo_share, options.seed
        ),
        eval_collator=WindowCollator(MAX_TOKENS, options.melody_weight, "key" if transpose == "key" else "none"),
    )
    return trainer


def _arguments(options: RunOptions) -> TrainingArguments:
    from accelerate import PartialState

    share = share_of(options, PartialState(cpu=options.cpu).num_processes)
    half = options.bf16 or (not options.cpu and torch.cuda.is_available() and torch.cuda.is_bf16_supported())
    decay = {"num_decay_steps": min(options.decay_steps, max(options.max_steps - options.warmup_steps, 1))}
    arguments = TrainingArguments(
        output_dir=options.output_dir,
        per_device_train_batch_size=share,
        per_device_eval_batch_size=max(share, 8),
        gradient_accumulation_steps=options.accumulate,
        learning_rate=options.learning_rate,
        lr_scheduler_type="warmup_stable_decay" if options.schedule == "wsd" else "cosine",
        lr_scheduler_kwargs=decay if options.schedule == "wsd" else {},
        warmup_steps=options.warmup_steps,
        max_steps=options.max_steps,
        weight_decay=options.weight_decay,
        max_grad_norm=1.0,
        eval_strategy="steps",
        save_strategy="steps",
        eval_steps=options.eval_steps,
        save_steps=options.eval_steps,
        save_total_limit=3,
        logging_steps=min(50, options.eval_steps),
        load_best_model_at_end=True,  # what early stopping asks for
        metric_for_best_model="nats_per_note",
        greater_is_better=False,
        remove_unused_columns=False,
        dataloader_num_workers=0,
        bf16=half,
        use_cpu=options.cpu,
        torch_compile=options.compile,
        report_to=[name for name in ("tensorboard", "trackio") if find_spec(name)],
        seed=options.seed,
        data_seed=options.seed,
        ddp_find_unused_parameters=False,
    )
    # One process uses one device. Left to itself it would spread over all it sees, with a batch each.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def _save_best(trainer: WindowTrainer, options: RunOptions, best: Path, train_windows: int) -> None:
    """Write the folder `best`, whole or not at all."""
    temporary = best.with_name(f".{best.name}.tmp")
    main_process = trainer.is_world_process_zero()
    with readable_writing(
        temporary, main_process=main_process, hint="make room, then repeat the command with --resume"
    ):
        if main_process:
            shutil.rmtree(temporary, ignore_errors=True)
        trainer.save_model(str(temporary))  # by all processes: they may hold a part each
        if main_process:
            state = TrainerState.load_from_json(_state_file(trainer, temporary))
            (temporary / "training_args.bin").unlink(missing_ok=True)  # pickled, and of no use to who loads the model
            shown = {item.name: getattr(options, item.name) for item in fields(options)}
            ending = _the(TimeLimit, trainer)
            early = FALLEN_NO_MORE if state.global_step < state.max_steps else ""
            record = RunRecord.of(
                state,
                shown,
                device=_device(trainer),
                windows=train_windows,
                decay_from=decay_from(state),
                ended=ending.why if ending.reached else early,
                corpora=_corpora(trainer.train_dataset),
            )
            save_records(temporary, [*history_before(options.model), record], trainer.model, options.push_to_hub)
            shutil.rmtree(best, ignore_errors=True)
            os.replace(temporary, best)
    trainer.accelerator.wait_for_everyone()


def _corpora(rows: Any) -> list[str]:
    """The corpora that windows are of."""
    return list(rows.unique("corpus")) if "corpus" in rows.column_names else []


def _state_file(trainer: WindowTrainer, folder: Path) -> str:
    """Save the trainer's state, without the path of this machine that is in it."""
    path = folder / TRAINER_STATE
    trainer.state.save_to_json(str(path))
    state = json.loads(path.read_text(encoding="utf-8"))
    # what the end adds isn't in the last checkpoint, from which the same files must come when the best is saved again
    state["log_history"] = [entry for entry in state["log_history"] if "train_runtime" not in entry]
    step = state["best_global_step"]
    state["best_model_checkpoint"] = f"checkpoint-{step}" if step else None
    write_atomically(path, (json.dumps(state, indent=1) + "\n").encode())
    return str(path)


def _device(trainer: WindowTrainer) -> str:
    processes = trainer.args.world_size
    if trainer.args.device.type == "cuda":
        return f"{processes} × {torch.cuda.get_device_name()}"
    threads = processes * torch.get_num_threads()
    return f"{threads} CPU thread{'' if threads == 1 else 's'}"

"""Training runs: what was asked for in, a trained checkpoint out. Resumed, published, or refused before the first step.

In: `RunOptions`. Out: a folder with checkpoints to resume from and, in `best/`, the model, tokenizer, card and record of
the best one; and a model repository on the Hub, if asked for.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

import torch
from safetensors import SafetensorError
from transformers import (
    EarlyStoppingCallback,
    GPT2LMHeadModel,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from pianalysis import hub
from pianalysis.checkpoints import (
    HUB_CHECKPOINT,
    MODEL_FILES,
    CheckpointError,
    checkpoints_in,
    newest_whole,
    seal,
)
from pianalysis.checks import ValidationReport
from pianalysis.dataset import load_windows
from pianalysis.hub_errors import HubError, readable_errors
from pianalysis.model import PRESETS, load_model, make_generation_config, make_model, normalises_key
from pianalysis.model_cards import RunRecord, history_before, save_records
from pianalysis.notes import PianalysisError, write_atomically
from pianalysis.optimizers import make_optimizer
from pianalysis.tokenizer import make_hf_tokenizer
from pianalysis.training import TimeLimit, Transpose, WindowCollator, WindowTrainer, with_lengths
from pianalysis.validation import check_row

RUN_FILE: Final = "run.json"
BEST: Final = "best"
EVAL_MAX_LENGTH: Final = 2048
CHECKED_WINDOWS: Final = 200
"""Of each split so many windows, evenly spaced, are checked before the first step."""
HubStrategy = Literal["end", "every_save", "checkpoint"]
MAY_CHANGE: Final = (
    *("output_dir", "max_steps", "decay_steps", "eval_steps", "patience", "time_limit", "resume", "threads", "cpu"),
    *("compile", "bf16", "push_to_hub", "hub_strategy", "private", "tag"),
)
"""What a run may be resumed with that differs from how it began."""


@dataclass(frozen=True)
class RunOptions:
    """What a run is asked to do. batch_size: windows a step, over all processes and accumulated batches.

    decay_steps: the last steps, in which the rate falls to 0 (schedule wsd). eval_windows: validation windows, evenly
    spaced, 0 for all. patience: evaluations without improvement before stopping. time_limit: minutes.
    """

    dataset: str
    output_dir: str
    model: str = "canonical"
    batch_size: int = 16
    accumulate: int = 1
    max_length: int = 1024
    learning_rate: float = 1.5e-3
    optimizer: str = "adamw"
    schedule: str = "wsd"
    weight_decay: float = 0.1
    dropout: float = 0.0
    melody_weight: float = 0.2
    transpose: Transpose | None = None
    tempo_share: float = 0.0
    max_steps: int = 10_000
    warmup_steps: int = 200
    decay_steps: int = 2_000
    eval_steps: int = 250
    eval_windows: int = 200
    patience: int = 5
    time_limit: float | None = None
    seed: int = 0
    plain_init: bool = False
    compile: bool = False
    bf16: bool = False
    cpu: bool = False
    threads: int | None = None
    resume: bool = False
    push_to_hub: str | None = None
    hub_strategy: HubStrategy = "end"
    private: bool = False
    tag: str | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", "accumulate", "max_length", "max_steps", "eval_steps", "patience"):
            if getattr(self, name) < 1:
                raise PianalysisError(f"expected {name} of at least 1, found {getattr(self, name)}")
        if not 0 < self.learning_rate < 1:
            raise PianalysisError(f"expected a learning rate above 0 and below 1, found {self.learning_rate}")


@dataclass(frozen=True)
class RunResult:
    """nats_per_note: the best validation. folder: of the best checkpoint. url: the commit on the Hub, if published."""

    nats_per_note: float
    folder: Path
    url: str | None


def train(options: RunOptions) -> RunResult:
    """Train, or go on training, until validation stops falling, the steps are done or the time is over.

    Raises PianalysisError, before the first step, for what can't work: a dataset that isn't ours or fails its checks, a
    model of another vocabulary, an output folder that holds another run, a repository that may not be written.
    """
    if options.threads:
        torch.set_num_threads(options.threads)
    folder = Path(options.output_dir)
    if options.push_to_hub:
        hub.check_access(options.push_to_hub, repo_type="model", private=options.private)
    claim(folder, options)
    windows = {split: checked_windows(options.dataset, split) for split in ("train", "validation")}
    model = starting_model(options)
    trainer = make_trainer(options, model, windows)
    main_process = trainer.is_world_process_zero()
    start = newest_whole(folder, say) if options.resume and main_process else None
    start = _agreed(start, trainer)
    if options.resume and start is None and options.push_to_hub:
        start = _checkpoint_from_hub(options.push_to_hub, folder)
    trainer.train(resume_from_checkpoint=str(start) if start else None)
    best = folder / BEST
    url = None
    if main_process:
        _save_best(trainer, options, best, len(windows["train"]))
    trainer.accelerator.wait_for_everyone()
    if main_process and options.push_to_hub:
        url = publish(best, options)
    return RunResult(float(trainer.state.best_metric or float("nan")), best, url)


def say(text: str) -> None:
    """A line for whoever watches the run, beside the progress bar."""
    print(f"pianalysis train: {text}", file=sys.stderr, flush=True)


def claim(folder: Path, options: RunOptions) -> None:
    """Make the output folder this run's. Raises PianalysisError if it holds another run, or one not to be resumed."""
    asked = asdict(options)
    record = folder / RUN_FILE
    if record.exists():
        before = json.loads(record.read_text(encoding="utf-8"))
        differing = [name for name in asked if name not in MAY_CHANGE and asked[name] != before.get(name)]
        if differing:
            found = ", ".join(f"{name} {before.get(name)!r} instead of {asked[name]!r}" for name in differing)
            raise PianalysisError(f"{folder}: holds another run ({found}); choose another --output-dir")
        if checkpoints_in(folder) and not options.resume:
            raise PianalysisError(
                f"{folder}: holds this run's checkpoints; go on with --resume, or choose another folder"
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise PianalysisError(f"{folder}: expected an empty folder or a run of ours, found other files; choose another")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PianalysisError(f"{folder}: can't be written ({error.strerror}); choose another folder") from None
    write_atomically(record, (json.dumps(asked, indent=1) + "\n").encode())


def checked_windows(dataset: str, split: str) -> Any:
    """The windows of a split, after the checks of `validate` on some of them. Raises PianalysisError."""
    try:
        with readable_errors(dataset, "dataset"):
            windows = load_windows(dataset, split)
    except (FileNotFoundError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise PianalysisError(f"{dataset}: expected a dataset with windows of the split {split} ({first})") from None
    report = _check_sample(windows, f"{dataset}, {split}")
    if not report.ok:
        raise PianalysisError(
            f"{dataset}: the dataset fails its checks ({', '.join(report.faults)}); see `pianalysis validate {dataset}`"
        )
    return windows


def _check_sample(windows: Any, source: str) -> ValidationReport:
    report = ValidationReport(source)
    for index in range(0, len(windows), max(len(windows) // CHECKED_WINDOWS, 1)):
        check_row(windows[index], report, f"row {index}")
    if not len(windows):
        report.fault("no windows")
    return report


def starting_model(options: RunOptions) -> GPT2LMHeadModel:
    """A fresh model of a preset, or one from a folder or the Hub to go on from. Raises PianalysisError."""
    if options.model in PRESETS:
        return make_model(options.model, seed=options.seed, dropout=options.dropout, structured=not options.plain_init)
    try:
        with readable_errors(options.model, "model"):
            model = load_model(options.model)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise PianalysisError(
            f"{options.model}: expected one of {[*PRESETS]}, or a model in a folder or on the Hub ({first})"
        ) from None
    _check_tokenizer(options.model)
    model.generation_config = make_generation_config()
    for name in ("resid_pdrop", "embd_pdrop", "attn_pdrop"):
        setattr(model.config, name, options.dropout)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = options.dropout
    return model


def _check_tokenizer(source: str) -> None:
    from transformers import AutoTokenizer

    try:
        found = AutoTokenizer.from_pretrained(source).get_vocab()
    except (OSError, ValueError):
        return  # a model without a tokenizer of its own gets ours
    if found != make_hf_tokenizer().get_vocab():
        raise PianalysisError(
            f"{source}: its tokenizer has another vocabulary ({len(found)} tokens) than the dataset's ids are of; "
            "take a model that was trained on this project's tokens"
        )


def make_trainer(options: RunOptions, model: GPT2LMHeadModel, windows: dict[str, Any]) -> WindowTrainer:
    """The trainer of a run: collators, optimizer, schedule, early stopping, logs, checkpoints, the Hub."""
    transpose = options.transpose or ("key" if normalises_key(model) else "random")
    model.config.normalises_key = transpose == "key"
    if options.compile:
        # The fused kernels that torch.compile makes of plain attention beat the CPU's own.
        model.set_attn_implementation("eager")
    validation = windows["validation"]
    if 0 < options.eval_windows < len(validation):
        step = len(validation) / options.eval_windows
        validation = validation.select([int(index * step) for index in range(options.eval_windows)])
    callbacks: list[TrainerCallback] = [SealCheckpoints(options), EarlyStoppingCallback(options.patience)]
    if options.time_limit is not None:
        callbacks.append(TimeLimit(options.time_limit))
    trainer = SafeTrainer(
        model=model,
        args=_arguments(options),
        train_dataset=with_lengths(windows["train"]),
        eval_dataset=validation,
        processing_class=make_hf_tokenizer(),
        callbacks=callbacks,
        optimizers=(make_optimizer(model, options.optimizer, options.learning_rate, options.weight_decay), None),
        train_collator=WindowCollator(
            options.max_length, options.melody_weight, transpose, options.tempo_share, options.seed
        ),
        eval_collator=WindowCollator(EVAL_MAX_LENGTH, options.melody_weight, "key" if transpose == "key" else "none"),
    )
    return trainer


def _arguments(options: RunOptions) -> TrainingArguments:
    from accelerate import PartialState

    processes = PartialState(cpu=options.cpu).num_processes
    share, rest = divmod(options.batch_size, processes * options.accumulate)
    if rest or not share:
        raise PianalysisError(
            f"expected a batch size that {processes} processes and {options.accumulate} accumulated batches can share "
            f"equally, found {options.batch_size}"
        )
    decay = {"num_decay_steps": min(options.decay_steps, max(options.max_steps - options.warmup_steps, 1))}
    return TrainingArguments(
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
        save_total_limit=2,
        logging_steps=min(50, options.eval_steps),
        load_best_model_at_end=True,
        metric_for_best_model="nats_per_note",
        greater_is_better=False,
        remove_unused_columns=False,
        dataloader_num_workers=0,
        bf16=options.bf16,
        use_cpu=options.cpu,
        torch_compile=options.compile,
        report_to=[name for name in ("tensorboard", "trackio") if find_spec(name)],
        seed=options.seed,
        data_seed=options.seed,
        ddp_find_unused_parameters=False,
    )


class SafeTrainer(WindowTrainer):
    """A trainer that leaves nothing half-written: a checkpoint that can't be finished is taken away, with one error."""

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        with _whole_or_not(Path(self.args.output_dir or "."), self.state.global_step):
            super()._save_checkpoint(model, trial)


@contextmanager
def _whole_or_not(folder: Path, step: int) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:  # torch raises RuntimeError where the disk is full
        shutil.rmtree(folder / f"checkpoint-{step}", ignore_errors=True)
        last = next((str(item) for item in checkpoints_in(folder)), "none yet")
        reason = str(error).strip().splitlines()[0][:200]
        raise CheckpointError(
            f"{folder}: checkpoint {step} can't be written ({reason}); make room, then go on with --resume "
            f"(the last good checkpoint: {last})"
        ) from error


class SealCheckpoints(TrainerCallback):
    """After each checkpoint: its list of files, which makes it whole, and its copy on the Hub if that was asked for."""

    def __init__(self, options: RunOptions) -> None:
        self.options = options

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if not state.is_world_process_zero:
            return
        folder = Path(self.options.output_dir)
        checkpoint = folder / f"checkpoint-{state.global_step}"
        with _whole_or_not(folder, state.global_step):
            seal(checkpoint)
        if self.options.push_to_hub and self.options.hub_strategy != "end":
            try:
                publish(checkpoint, self.options, whole=self.options.hub_strategy == "checkpoint")
            except HubError as error:  # the training is worth more than this copy; the next save tries again
                say(f"checkpoint {state.global_step} isn't on the Hub: {error}")


def publish(folder: Path, options: RunOptions, *, whole: bool = False) -> str:
    """Publish a checkpoint's model files; with `whole` also all that resuming needs. Returns the commit's address."""
    repo_id = options.push_to_hub
    if repo_id is None:
        raise ValueError("expected a repository to publish to, found none")
    tag = options.tag if folder.name == BEST else None
    with tempfile.TemporaryDirectory() as place:
        stage = Path(place)
        for pattern in MODEL_FILES:
            for file in folder.glob(pattern):
                (stage / file.name).symlink_to(file.resolve())
        if whole:
            (stage / HUB_CHECKPOINT).mkdir()
            for file in folder.iterdir():
                (stage / HUB_CHECKPOINT / file.name).symlink_to(file.resolve())
        return hub.publish_folder(
            stage,
            repo_id,
            repo_type="model",
            message=f"Train: {folder.name}",
            private=options.private,
            tag=tag,
            delete_patterns=[f"{HUB_CHECKPOINT}/*"] if whole else None,
        )


def _checkpoint_from_hub(repo_id: str, folder: Path) -> Path | None:
    """The checkpoint that `hub_strategy="checkpoint"` left on the Hub, copied into a run's folder."""
    try:
        found = hub.fetch_folder(repo_id, repo_type="model", allow_patterns=[f"{HUB_CHECKPOINT}/*"]) / HUB_CHECKPOINT
    except HubError:
        return None
    if not (found / "trainer_state.json").exists():
        return None
    step = json.loads((found / "trainer_state.json").read_text(encoding="utf-8"))["global_step"]
    say(f"going on from step {step}, found on the Hub in {repo_id}")
    shutil.copytree(found, folder / f"checkpoint-{step}")
    return newest_whole(folder, say)


def _agreed(start: Path | None, trainer: WindowTrainer) -> Path | None:
    """What the main process found, known to all."""
    from accelerate.utils import broadcast_object_list

    found: Path | None = broadcast_object_list([start])[0]
    return found


def _save_best(trainer: WindowTrainer, options: RunOptions, best: Path, train_windows: int) -> None:
    shutil.rmtree(best, ignore_errors=True)
    trainer.save_model(str(best))
    trainer.state.save_to_json(str(best / "trainer_state.json"))
    shown = {item.name: getattr(options, item.name) for item in fields(options)}
    record = RunRecord.of(trainer.state, shown, device=_device(trainer), windows=train_windows)
    save_records(best, [*history_before(options.model), record], trainer.model)


def _device(trainer: WindowTrainer) -> str:
    processes = trainer.args.world_size
    if trainer.args.device.type == "cuda":
        return f"{processes} × {torch.cuda.get_device_name()}"
    return f"{processes * torch.get_num_threads()} CPU threads"

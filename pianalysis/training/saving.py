"""A run's checkpoints, written whole or not at all, and their copies on the Hub.

In: a trainer at a step. Out: a sealed checkpoint, a repository's commit, or one error that says what to do.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pianalysis.errors import PianalysisError
from pianalysis.hub_errors import HubError
from pianalysis.publishing import hub
from pianalysis.publishing.models import model_files
from pianalysis.publishing.records import RECORDS_FILE, read_records
from pianalysis.training.checkpoints import (
    HUB_CHECKPOINT,
    CheckpointError,
    checkpoints_in,
    newest_whole,
    seal,
)
from pianalysis.training.checks import MAY_CHANGE, RUN_FILE, refuse_differing
from pianalysis.training.options import RunOptions
from pianalysis.training.stopping import is_finished
from pianalysis.training.trainer import WindowTrainer
from pianalysis.training.words import say

TRAINER_STATE: Final = "trainer_state.json"
GO_ON: Final = "make room, then go on with --resume"
WRITING: Final = re.compile(
    r"PytorchStreamWriter|inline_container|iostream|No space left|File too large", re.IGNORECASE
)
"""What torch's RuntimeErrors say where the disk is full."""


class SafeTrainer(WindowTrainer):
    """A trainer that leaves nothing half-written: a checkpoint that can't be finished is taken away, with one error."""

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        checkpoint = Path(self.args.output_dir or ".") / f"checkpoint-{self.state.global_step}"
        main_process = self.is_world_process_zero()
        with readable_writing(checkpoint, main_process=main_process, hint=GO_ON):
            super()._save_checkpoint(model, trial)
            self.accelerator.wait_for_everyone()  # each process writes its own random state


@contextmanager
def readable_writing(folder: Path, *, main_process: bool, hint: str) -> Iterator[None]:
    """Take a folder away that can't be finished, and say so in one CheckpointError; other errors pass."""
    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        if isinstance(error, RuntimeError) and not WRITING.search(str(error)):
            raise
        if main_process:
            shutil.rmtree(folder, ignore_errors=True)
        last = next((str(item) for item in checkpoints_in(folder.parent)), "none yet")
        reason = str(error).strip().splitlines()[0][:200]
        raise CheckpointError(
            f"{folder}: can't be written ({reason}); {hint} (the last good checkpoint: {last})"
        ) from error


class SealCheckpoints(TrainerCallback):
    """After each checkpoint: its list of files, which makes it whole, and its copy on the Hub if that was asked for."""

    def __init__(self, options: RunOptions) -> None:
        self.options = options
        self.pushed: int | None = None  # the step of the newest checkpoint that is on the Hub

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """A resumed run's best checkpoint lies in this folder, wherever the run began; without it the next best counts."""
        if state.best_global_step:
            best = Path(self.options.output_dir) / f"checkpoint-{state.best_global_step}"
            if best.exists():
                state.best_model_checkpoint = str(best)
            else:
                state.best_metric = state.best_global_step = state.best_model_checkpoint = None

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        if not state.is_world_process_zero:
            return
        checkpoint = Path(self.options.output_dir) / f"checkpoint-{state.global_step}"
        with readable_writing(checkpoint, main_process=True, hint=GO_ON):
            seal(checkpoint)
        if self.options.push_to_hub and self.options.hub_strategy != "end":
            try:
                publish(checkpoint, self.options, whole=self.options.hub_strategy == "checkpoint")
                self.pushed = state.global_step
            except HubError as error:  # the training is worth more than this copy; the next save tries again
                say(f"checkpoint {state.global_step} isn't on the Hub: {error}")


def publish(folder: Path, options: RunOptions, *, whole: bool = False, last: bool = False) -> str:
    """Publish a checkpoint's model files; with `whole` also all that resuming needs. Returns the commit's address.

    last: the run is over, so that nothing is to be resumed from and the commit has its tag.
    """
    repo_id = options.push_to_hub
    if repo_id is None:
        raise ValueError("expected a repository to publish to, found none")
    files = model_files(folder)
    if whole:
        inside = {item.relative_to(folder).as_posix(): item for item in folder.rglob("*") if item.is_file()}
        inside[RUN_FILE] = folder.parent / RUN_FILE
        files |= {f"{HUB_CHECKPOINT}/{name}": path for name, path in inside.items() if path.is_file()}
    to = hub.Publication(
        repo_id,
        "model",
        message=f"Train: {folder.name}",
        private=options.private,
        tag=options.tag if last else None,
        # The finished model's repository holds no checkpoint to resume from, and so nothing pickled.
        delete_patterns=[f"{HUB_CHECKPOINT}/*"] if whole or last else None,
    )
    return hub.publish_files(files, to)


def checkpoint_from_hub(options: RunOptions, folder: Path) -> Path | None:
    """The checkpoint that `hub_strategy="checkpoint"` left on the Hub, copied into a run's folder; None if there's none.

    Raises PianalysisError where the finished model of this very run is there: it would only be made again.
    """
    from huggingface_hub.errors import RepositoryNotFoundError

    repo_id = options.push_to_hub
    try:
        wanted = [f"{HUB_CHECKPOINT}/*", TRAINER_STATE, RECORDS_FILE]
        found = hub.fetch_folder(str(repo_id), repo_type="model", allow_patterns=wanted)
    except HubError as error:
        if isinstance(error.__cause__, RepositoryNotFoundError):
            return None
        raise  # a checkpoint may be there: beginning anew would overwrite it
    if not (found / HUB_CHECKPOINT / TRAINER_STATE).exists():
        _refuse_finished(found, options)
        return None
    found = found / HUB_CHECKPOINT
    refuse_differing(json.loads((found / RUN_FILE).read_text(encoding="utf-8")), options, str(repo_id))
    step = json.loads((found / TRAINER_STATE).read_text(encoding="utf-8"))["global_step"]
    say(f"going on from step {step}, found on the Hub in {repo_id}")
    arriving = folder / ".arriving.tmp"
    shutil.rmtree(arriving, ignore_errors=True)
    shutil.copytree(found, arriving)
    (arriving / RUN_FILE).unlink()
    os.replace(arriving, folder / f"checkpoint-{step}")
    return newest_whole(folder, say)


def _refuse_finished(found: Path, options: RunOptions) -> None:
    """Raise PianalysisError if a repository's files are those of this run's end, by its state and its record."""
    records = read_records(found)
    if not records or not (found / TRAINER_STATE).exists():
        return
    elsewhere = ("dataset", "model")  # folders by other names there
    theirs, ours = records[-1].options, asdict(options)
    names = [name for name in theirs if name in ours and name not in (*MAY_CHANGE, *elsewhere)]
    over = is_finished(TrainerState.load_from_json(str(found / TRAINER_STATE)), options)
    if over and all(theirs[name] == ours[name] for name in names):
        raise PianalysisError(
            f"{options.push_to_hub}: this run is over, and its model is there already; nothing is trained or pushed "
            "(to train it anew, leave out --resume)"
        )

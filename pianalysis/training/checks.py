"""What can be known of a training run before its first step.

In: `RunOptions`. Out: nothing, or one clear error: a dataset that fails its checks, a model of another vocabulary, an
output folder that holds another run, a repository that may not be written.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pianalysis.dataset.checks import ValidationReport
from pianalysis.dataset.rows import load_windows
from pianalysis.dataset.validation import check_row
from pianalysis.errors import PianalysisError
from pianalysis.hub_errors import HubError, readable_errors
from pianalysis.model.gpt2 import PRESETS, load_model, make_model, set_dropout
from pianalysis.model.weights import WEIGHTS_FILE, read_vocabulary, read_weights
from pianalysis.publishing import hub
from pianalysis.tokens import vocab
from pianalysis.tokens.windows import MAX_TOKENS
from pianalysis.training.checkpoints import checkpoints_in, damage
from pianalysis.training.options import RunOptions

if TYPE_CHECKING:
    from transformers import GPT2LMHeadModel

RUN_FILE: Final = "run.json"
BEST: Final = "best"
CHECKED_WINDOWS: Final = 200
"""Of each split so many windows, evenly spaced, are checked before the first step."""
MAY_CHANGE: Final = (
    *("output_dir", "max_steps", "decay_steps", "eval_steps", "patience", "time_limit", "resume", "threads", "cpu"),
    *("compile", "bf16", "push_to_hub", "push_best", "hub_strategy", "private", "tag"),
)
"""What a run may be resumed with that differs from how it began."""


def check(options: RunOptions, processes: int = 1) -> GPT2LMHeadModel:
    """Everything that can be known before the first step; the model that the run begins with. Raises PianalysisError."""
    if options.push_to_hub:
        tag = None if is_over(options) else options.tag  # a run that is over has given its tag, and gives it no other
        hub.check_access(options.push_to_hub, repo_type="model", private=options.private, tag=tag)
    refuse_other_run(Path(options.output_dir), options)
    share_of(options, processes)
    if options.optimizer == "muon" and os.environ.get("ACCELERATE_USE_FSDP", "").lower() == "true":
        raise PianalysisError("muon needs whole matrices, and FSDP shares them out; take --optimizer adamw")
    for split in ("train", "validation"):
        checked_windows(options.dataset, split)
    model = starting_model(options)
    if options.resume:
        refuse_diverged(Path(options.output_dir))
    return model


def is_over(options: RunOptions) -> bool:
    """Whether a run that is to be resumed has nothing left to do, by the state in its newest checkpoint."""
    from transformers import TrainerState

    from pianalysis.training.stopping import is_finished

    for checkpoint in checkpoints_in(Path(options.output_dir))[:1] if options.resume else []:
        try:
            return is_finished(TrainerState.load_from_json(str(checkpoint / "trainer_state.json")), options)
        except (OSError, ValueError, TypeError):  # damaged: the run goes on from another
            return False
    return False


def refuse_diverged(folder: Path) -> None:
    """Raise PianalysisError if the checkpoint that a run would go on from isn't one: if its weights are NaN, for one."""
    newest = next((item for item in checkpoints_in(folder) if not damage(item)), None)
    if newest is not None and (newest / WEIGHTS_FILE).is_file():
        try:
            read_weights(newest)
        except PianalysisError as error:
            raise PianalysisError(f"{error} (to go on from the checkpoint before, delete this one)") from None


def refuse_other_run(folder: Path, options: RunOptions) -> None:
    """Raise PianalysisError if the output folder holds another run, one that isn't to be resumed, or other files."""
    if folder.exists() and not folder.is_dir():
        raise PianalysisError(f"{folder}: expected a folder, found a file")
    record = folder / RUN_FILE
    begun = bool(checkpoints_in(folder)) or (folder / BEST).exists()
    if begun and record.exists():
        refuse_differing(json.loads(record.read_text(encoding="utf-8")), options, str(folder))
        if not options.resume:
            raise PianalysisError(
                f"{folder}: holds this run's checkpoints; go on with --resume, or choose another folder"
            )
    elif not record.exists() and folder.is_dir() and any(item.name[0] != "." for item in folder.iterdir()):
        raise PianalysisError(f"{folder}: expected an empty folder or a run of ours, found other files; choose another")


def refuse_differing(before: dict[str, Any], options: RunOptions, where: str) -> None:
    """Raise PianalysisError if a run's record says that it is another than what is asked for."""
    asked = asdict(options)
    differing = [name for name in asked if name not in MAY_CHANGE and asked[name] != before.get(name)]
    if differing:
        found = ", ".join(f"{name} {before.get(name)!r} instead of {asked[name]!r}" for name in differing)
        raise PianalysisError(f"{where}: holds another run ({found}); choose another --output-dir")


def checked_windows(dataset: str, split: str) -> Any:
    """The windows of a split, after the checks of `validate` on some of them. Raises PianalysisError."""
    if not Path(dataset).exists() and not hub.REPO_ID.fullmatch(dataset):
        raise PianalysisError(f"{dataset}: expected a dataset, a folder or ORG/NAME on the Hub, found neither")
    try:
        with readable_errors(dataset, "dataset"):
            windows = load_windows(dataset, split)
    except HubError:
        raise
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
    if not Path(options.model).exists() and not hub.REPO_ID.fullmatch(options.model):
        raise PianalysisError(
            f"{options.model}: expected one of {[*PRESETS]}, a model's folder, or ORG/NAME on the Hub, found none of them"
        )
    with readable_errors(options.model, "model"):
        model = load_model(options.model)
        _check_tokenizer(options.model)
    if model.config.n_positions < MAX_TOKENS:
        raise PianalysisError(
            f"{options.model}: expected a model of at least {MAX_TOKENS} positions, which the longest windows need, found "
            f"{model.config.n_positions}; go on from another, or begin with one of {[*PRESETS]}"
        )
    set_dropout(model, options.dropout)
    return model


def _check_tokenizer(source: str) -> None:
    found = read_vocabulary(source)
    if found is not None and not vocab.is_this_table(found):  # a model without a tokenizer of its own gets ours
        raise PianalysisError(
            f"{source}: its tokenizer has another vocabulary ({len(found)} tokens) than the dataset's ids are of; "
            "take a model that was trained on this project's tokens"
        )


def share_of(options: RunOptions, processes: int) -> int:
    """Windows of a batch for one process and one accumulated part."""
    share, rest = divmod(options.batch_size, processes * options.accumulate)
    if rest or not share:
        raise PianalysisError(
            f"expected a batch size that {processes} processes and {options.accumulate} accumulated batches can share "
            f"equally, found {options.batch_size}"
        )
    return share

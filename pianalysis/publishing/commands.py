"""The commands that made a checkpoint, as they run where they are printed: folders and steps included.

In: the records of its runs. Out: lines of a shell. A run's folder is the one that it had, below this one, or runs/1,
runs/2 … where that isn't known; each run goes on from the one before it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pianalysis.files import DATA
from pianalysis.model.gpt2 import PRESETS

if TYPE_CHECKING:
    from pianalysis.publishing.records import RunRecord

BUNDLED_FOLDER: Final = "pianalysis/data/"
_OUTPUT: Final = re.compile(r"--output-dir (\S+)")


def commands(records: Sequence[RunRecord]) -> list[str]:
    """Lines that make a checkpoint anew, one run after the other; a comment says where a run ended before its end."""
    folders, lines = outputs(records), []
    for number, (record, folder) in enumerate(zip(records, folders, strict=True)):
        before = places(records[:number])[-1] if number else None
        lines += _run(record, folder, before)
        lines += record.after.splitlines()
    return lines


def outputs(records: Sequence[RunRecord]) -> list[str]:
    """The folder of each run, no two the same."""
    found: list[str] = []
    for number, record in enumerate(records, start=1):
        folder = str(record.options.get("output_dir") or f"runs/{number}")
        found.append(f"{folder}-{number}" if folder in found else folder)
    return found


def places(records: Sequence[RunRecord]) -> list[str]:
    """Where the model of each run is when its commands are over: its best, or what was made of that."""
    made = [_OUTPUT.findall(record.after) for record in records]
    return [after[-1] if after else f"{folder}/best" for after, folder in zip(made, outputs(records), strict=True)]


def _run(record: RunRecord, folder: str, before: str | None) -> list[str]:
    """The command of one run, after what must be known of its end. before: the place of the model that it goes on from."""
    options = dict(record.options) | _steps(record)
    if before and not (on_the_hub(options["model"]) or str(options["model"]).startswith(BUNDLED_FOLDER)):
        options["model"] = before
    comment = _end(record, int(options.get("max_steps", record.steps)))
    words = [_program(record)]
    for name, value in (options | {"output_dir": folder}).items():
        if value is True:
            words.append(f"--{name.replace('_', '-')}")
        elif value is not None and value is not False:  # 0 is said too
            words.append(f"--{name.replace('_', '-')} {shlex.quote(str(value))}")
    return [*comment, " ".join(words)]


def _program(record: RunRecord) -> str:
    devices = re.match(r"(\d+) × ", record.device)
    if devices and int(devices[1]) > 1:
        return f"accelerate launch --num_processes {devices[1]} scripts/train.py"
    return "pianalysis train"


def _steps(record: RunRecord) -> dict[str, Any]:
    """The steps of a schedule wsd that learns as the run did, which may have ended in its flat part, or fallen early."""
    options = record.options
    if options.get("schedule") != "wsd" or not {"max_steps", "decay_steps", "warmup_steps"} <= options.keys():
        return {}
    most, decay = int(options["max_steps"]), int(options["decay_steps"])
    if record.decay_from is not None:
        end = min(most, record.decay_from + decay)
        return {"max_steps": end, "decay_steps": end - record.decay_from}
    flat_until = most - min(decay, max(most - int(options["warmup_steps"]), 1))
    return {"max_steps": record.steps, "decay_steps": 0} if record.steps <= flat_until and record.steps < most else {}


def _end(record: RunRecord, steps: int) -> list[str]:
    if record.steps >= steps:
        return []
    return [f"# ended at step {record.steps:,} of {steps:,}{f' ({record.ended})' if record.ended else ''}"]


def on_the_hub(name: Any) -> str | None:
    """A name that is a repository's, and no preset or folder."""
    text = str(name)
    local = text in PRESETS or text.startswith((".", "/", "data/", "runs/"))
    return text if text.count("/") == 1 and not local else None


def shown_path(path: str, home: str) -> str:
    """A path as others may read it, none of this machine's: below this folder as it is, another one by its name in `home`.

    >>> [shown_path(path, "runs") for path in ("runs/waltz/best", "tries/waltz", "/home/me/tries/waltz/best")]
    ['runs/waltz/best', './tries/waltz', 'runs/waltz/best']
    """
    given = Path(path)
    if given.resolve().is_relative_to(DATA):
        return f"{BUNDLED_FOLDER}{given.resolve().name}"
    if not given.is_absolute() and ".." not in given.parts:
        text = given.as_posix()
        return text if text.startswith((f"{home}/", "data/", "runs/")) else f"./{text}"
    parts = given.resolve().parts
    whole = parts[-1] == "best" or re.fullmatch(r"checkpoint-\d+", parts[-1])
    return "/".join((home, *(parts[-2:] if whole else parts[-1:])))

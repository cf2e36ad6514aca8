"""Checkpoints of a run: which is whole, which is damaged, which to go on from.

In: a run's folder. Out: the newest checkpoint whose files are those that were written. A checkpoint is whole when the
list of its files' sizes and hashes, written last, is there and right.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pianalysis.errors import PianalysisError
from pianalysis.files import write_atomically

MANIFEST: Final = "manifest.json"
HUB_CHECKPOINT: Final = "last-checkpoint"
"""Where a Hub repository keeps the checkpoint to resume from; the name that `transformers` gives it."""


class CheckpointError(PianalysisError):
    """A checkpoint that can't be written or gone on from."""


def checkpoints_in(folder: Path) -> list[Path]:
    """The checkpoints of a run, newest first."""
    found = [item for item in folder.glob("checkpoint-*") if re.fullmatch(r"checkpoint-\d+", item.name)]
    return sorted(found, key=step_of, reverse=True)


def step_of(checkpoint: Path) -> int:
    """The training step that a checkpoint was written at.

    >>> step_of(Path("runs/small/checkpoint-500"))
    500
    """
    return int(checkpoint.name.rsplit("-", 1)[1])


def seal(checkpoint: Path) -> None:
    """Write the list of a checkpoint's files, which makes it whole."""
    files = {name: _identity(checkpoint / name) for name in _names(checkpoint)}
    write_atomically(checkpoint / MANIFEST, (json.dumps(files, indent=1) + "\n").encode())


def damage(checkpoint: Path) -> str:
    """What is wrong with a checkpoint, in words; empty for a whole one."""
    try:
        listed = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return f"it was not written to its end (no {MANIFEST})"
    for name, identity in listed.items():
        if not (checkpoint / name).is_file():
            return f"{name} is missing"
        if _identity(checkpoint / name) != identity:
            return f"{name} is not what was written"
    return ""


def newest_whole(folder: Path, say: Callable[[str], None]) -> Path | None:
    """The newest whole checkpoint of a run, or None. Damaged newer ones are removed, and `say` is told."""
    for checkpoint in checkpoints_in(folder):
        fault = damage(checkpoint)
        if not fault:
            return checkpoint
        say(f"{checkpoint} is damaged: {fault}; it is removed, and the one before is used")
        shutil.rmtree(checkpoint)
    return None


def _names(checkpoint: Path) -> list[str]:
    """All its files but the list, by their paths inside it: sharded states lie in folders."""
    files = (item.relative_to(checkpoint).as_posix() for item in checkpoint.rglob("*") if item.is_file())
    return sorted(name for name in files if name != MANIFEST)


def _identity(file: Path) -> list[int | str]:
    with file.open("rb") as opened:
        return [file.stat().st_size, hashlib.file_digest(opened, "sha256").hexdigest()]

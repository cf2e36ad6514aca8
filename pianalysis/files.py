"""Files: written whole or not at all, and where those that come with the package lie.

In: bytes. Out: a path.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from pianalysis.errors import PianalysisError

DATA: Final = Path(__file__).with_name("data")
"""What the package brings along: weights, splits, samples, templates."""


def write_atomically(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write a file whole or not at all: a temporary neighbour is renamed over it. Raises PianalysisError."""
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, target)
    except OSError as error:
        raise PianalysisError(
            f"{target}: can't be written ({error.strerror}); choose a folder that exists and is writable"
        ) from None
    finally:
        with suppress(OSError):  # gone already when all went well, and never there in a folder that isn't
            temporary.unlink()
    return target


def check_folder(target: Path) -> None:
    """Raise PianalysisError where a file's folder isn't there: before the work rather than after it."""
    if not target.parent.is_dir():
        raise PianalysisError(f"{target}: there is no folder {target.parent}; make it first")

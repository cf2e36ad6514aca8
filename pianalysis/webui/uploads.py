"""The page's own folder of files: what people upload, and what is made for them; nobody else's.

In: what a request says of an uploaded file. Out: its bytes. The folder is made when the page starts, tidied while it runs and
deleted when it ends.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from pianalysis.webui import limits
from pianalysis.webui.refusals import RefusedError

FOLDER_VARIABLE: Final = "GRADIO_TEMP_DIR"
"""Where Gradio looks for the folder of uploads."""
FILES_LAST_S: Final = 3600.0
MOST_BYTES: Final = 512 * 2**20
"""Of the whole folder; the oldest files go first."""
EVERY_S: Final = 60.0
PREFIX: Final = "pianalysis-"
NOT_THERE: Final = "That file isn't on the server, or not any more. Choose it again."


class PageFolder:
    """A folder of the page's own, in the one that the system, or GRADIO_TEMP_DIR, has for such files."""

    def __init__(self, inside: Path | None = None) -> None:
        above = inside or Path(os.environ.get(FOLDER_VARIABLE) or tempfile.gettempdir())
        above.mkdir(parents=True, exist_ok=True)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=above)).resolve()
        self._ended = threading.Event()

    def start(self) -> None:
        """Say to Gradio where it is, and tidy it now and then, until `end`."""
        os.environ[FOLDER_VARIABLE] = str(self.path)
        threading.Thread(target=self._keep_tidy, daemon=True).start()

    def _keep_tidy(self) -> None:
        while not self._ended.wait(EVERY_S):
            tidy(self.path)

    def end(self) -> None:
        """Delete the folder."""
        self._ended.set()
        shutil.rmtree(self.path, ignore_errors=True)


def folder_of_uploads() -> Path:
    """Where Gradio puts uploaded files now."""
    return Path(os.environ.get(FOLDER_VARIABLE) or Path(tempfile.gettempdir(), "gradio"))


def tidy(folder: Path, *, older_than_s: float = FILES_LAST_S, most_bytes: int = MOST_BYTES) -> int:
    """Delete files that are old, and the oldest of too many bytes, and folders that are left empty. What is left, in bytes.

    Links are deleted, not followed.
    """
    limit = time.time() - older_than_s
    found: list[tuple[float, int, Path]] = []
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                status = (path := Path(root, name)).lstat()
                found.append((status.st_mtime, status.st_size, path))
    left = sum(size for _, size, _ in found)
    for modified, size, path in sorted(found):
        if modified < limit or left > most_bytes:
            with suppress(OSError):
                path.unlink()
                left -= size
                if path.parent != folder:
                    path.parent.rmdir()
    for root, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):  # it isn't empty, or somebody is writing into it just now
            if Path(root) != folder and Path(root).lstat().st_mtime < time.time() - EVERY_S:
                os.rmdir(root)
    return left


def read_upload(file: Any) -> tuple[str, bytes]:
    """Of an uploaded file, what its owner called it, and its bytes, at most one more than may be.

    Only a regular file that lies in the folder of uploads is read, and through no link. Raises RefusedError.
    """
    row = file if isinstance(file, Mapping) else file.model_dump()
    said = row.get("path")
    if not isinstance(said, str) or "\0" in said:
        raise RefusedError(NOT_THERE, "not_readable")
    path = Path(said)
    name = str(row.get("orig_name") or path.name)[: limits.TITLE_CHARACTERS]
    return Path(name.replace("\\", "/")).name, _read_inside(path, folder_of_uploads())


def _read_inside(path: Path, folder: Path) -> bytes:
    """A regular file's bytes, if it lies in a folder: the path is resolved, and what is opened is looked at, not its name."""
    try:
        place, allowed = path.resolve(strict=True), folder.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        raise RefusedError(NOT_THERE, "not_readable") from None
    if place == allowed or not place.is_relative_to(allowed) or path.is_symlink():
        raise RefusedError(NOT_THERE, "not_readable")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(place, flags)
    except OSError:
        raise RefusedError(NOT_THERE, "not_readable") from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise RefusedError(NOT_THERE, "not_readable")
    with os.fdopen(handle, "rb") as stream:
        return stream.read(limits.FILE_BYTES + 1)

"""Commands in processes of their own that don't import torch and transformers again: five seconds of CPU saved each time.

A server that has imported them (`multiprocessing`'s forkserver) forks them off. Each has its own signals, exit code and
output, as a command started from a shell has; where there is no fork they are started as usual.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
if sys.platform == "linux":
    CONTEXT.set_forkserver_preload(["pianalysis.cli.main", "pianalysis.training.runs"])


class Forked:
    """`pianalysis` with some words, begun. env: changes of the environment; largest_file: for it the disk is full past that."""

    def __init__(
        self, argv: list[str], log: Path, *, env: dict[str, str] | None = None, largest_file: int | None = None
    ):
        self.log = log
        self.process = CONTEXT.Process(target=_run, args=(argv, log, env or {}, largest_file))
        self.process.start()

    @property
    def is_running(self) -> bool:
        return self.process.is_alive()

    def send_signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def wait(self) -> int:
        """Its exit code, that of a signal below 0."""
        self.process.join()
        return self.process.exitcode

    @property
    def output(self) -> str:
        return self.log.read_text()


def _run(argv: list[str], log: Path, env: dict[str, str], largest_file: int | None) -> None:
    os.environ.update(env)
    with log.open("wb") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2))
    if largest_file is not None:
        import resource  # POSIX alone has it

        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    from pianalysis.cli.main import main

    sys.exit(main(argv))

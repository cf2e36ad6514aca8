"""Commands in processes of their own that don't import torch and transformers again: five seconds of CPU saved each time.

A server that has imported them (`multiprocessing`'s forkserver) forks them off. Each has its own signals, exit code and
output, as a command started from a shell has; where there is no fork they are started as usual.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from hub_place import constants_at

CONTEXT = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
if sys.platform == "linux":
    CONTEXT.set_forkserver_preload(
        ["pianalysis.cli.main", "pianalysis.training.runs", "pianalysis.dataset.building", "pianalysis.evaluation.run"]
    )


def killed_after(files: int, work: Callable[..., object], *arguments: object, **settings: object) -> int:
    """The exit code of a process that works and is killed when so many of its files are whole.

    work: a function of a module that can be imported, as its arguments must be. settings: what is other in that process,
    "package.module.NAME" and its value.
    """
    process = CONTEXT.Process(target=_until_killed, args=(files, work, arguments, settings))
    process.start()
    process.join()
    return process.exitcode


def _until_killed(files: int, work: Callable[..., object], arguments: tuple[object, ...], settings: dict) -> None:
    real, done = os.replace, 0

    def replace(source: str, target: str) -> None:
        nonlocal done
        real(source, target)
        done += 1
        if done == files:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = replace
    for name, value in settings.items():
        module, _, own = name.rpartition(".")
        setattr(importlib.import_module(module), own, value)
    with open(os.devnull, "w", encoding="utf-8") as nothing, redirect_stdout(nothing), redirect_stderr(nothing):
        work(*arguments)


class Forked:
    """`pianalysis` with some words, begun.

    env: changes of the environment, the Hub's place among them; largest_file: for it the disk is full past that.
    """

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
    if "HF_ENDPOINT" in env:
        from huggingface_hub import constants

        for name, value in constants_at(env["HF_ENDPOINT"], Path(env["HF_HOME"])).items():
            setattr(constants, name, value)
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

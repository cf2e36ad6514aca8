"""Processes that do what mustn't be done in the server's own: read strangers' files, render sound.

In: a function, its arguments and a time limit. Out: what it returns. A fault there ends that process, not the server; work that
takes too long or too much memory is ended, and only so much of it may wait.
"""

from __future__ import annotations

import os
import pickle
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Final

from pianalysis.errors import PianalysisError
from pianalysis.processes import end_with_parent
from pianalysis.webui.refusals import SERVER_SENTENCE, RefusedError

MEMORY_BYTES: Final = 4 * 2**30
"""Of addresses; libraries alone take one or two of these, hardly any of it memory."""
NICENESS: Final = 5
"""Who listens while a piece is written comes first."""
START_S: Final = 60.0
TOO_SLOW: Final = "That takes longer than the {limit:.0f} s that there are for it here. Give less of it."
TOO_MANY: Final = "Too many people want that just now. Try again in a minute."
CRASHED: Final = "That can't be worked on here: it ends the program that tries. Give another file."


class _Worker:
    """A process that works, and the line to it."""

    def __init__(self, memory_bytes: int) -> None:
        context = get_context("spawn")
        self.line: Connection
        self.line, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_work, args=(theirs, memory_bytes), daemon=True)
        self.process.start()
        theirs.close()

    def end(self) -> None:
        """End it at once."""
        with suppress(OSError, ValueError):
            self.process.kill()
            self.process.join(5)
        self.line.close()


class Workshop:
    """So many processes, started when they are wanted first."""

    def __init__(self, workers: int = 1, *, waiting: int = 16, memory_bytes: int = MEMORY_BYTES) -> None:
        """waiting: how many calls may wait for a process."""
        self._memory_bytes = memory_bytes
        self._places: queue.Queue[_Worker | None] = queue.Queue()
        for _ in range(workers):
            self._places.put(None)
        self._room = threading.Semaphore(workers + waiting)

    def call(self, work: Callable[..., Any], *arguments: Any, limit_s: float) -> Any:
        """What a function of a module returns, called in another process; arguments and result are pickled.

        Raises the PianalysisError that it raises, and RefusedError where it takes too long, its process ends, or too many
        calls are waiting.
        """
        if not self._room.acquire(blocking=False):
            raise RefusedError(TOO_MANY, "busy")
        try:
            worker = self._places.get()
            try:
                worker = worker if worker is not None and worker.process.is_alive() else _Worker(self._memory_bytes)
                found, result = _asked(worker, (work, arguments), limit_s)
            except BaseException:
                if worker is not None:
                    worker.end()
                worker = None
                raise
            finally:
                self._places.put(worker)
        finally:
            self._room.release()
        if found:
            return result
        raise result if isinstance(result, PianalysisError) else RefusedError(SERVER_SENTENCE, "server")

    def warm_up(self, work: Callable[..., Any], *arguments: Any) -> None:
        """Start a process and have it import what a function needs."""
        with suppress(PianalysisError):
            self.call(work, *arguments, limit_s=START_S)

    def end(self) -> None:
        """End the processes that are at rest; the others end with this one."""
        with suppress(queue.Empty):
            while True:
                worker = self._places.get_nowait()
                if worker is not None:
                    worker.end()


def _asked(worker: _Worker, task: tuple[Any, ...], limit_s: float) -> tuple[bool, Any]:
    """Whether the work was done, and its result, or the error that it ended with."""
    try:
        worker.line.send(task)
        if not worker.line.poll(limit_s):
            raise RefusedError(TOO_SLOW.format(limit=limit_s), "timeout")
        found, result = pickle.loads(worker.line.recv_bytes())
        return bool(found), result
    except (EOFError, OSError):
        raise RefusedError(CRASHED, "not_readable") from None


def _work(line: Connection, memory_bytes: int) -> None:
    """What a process does until the server ends."""
    end_with_parent()
    _limit(memory_bytes)
    while True:
        try:
            work, arguments = line.recv()
        except (EOFError, OSError):
            return
        try:
            answer: tuple[bool, Any] = (True, work(*arguments))
        except PianalysisError as error:
            answer = (False, error)
        except MemoryError:
            answer = (
                False,
                RefusedError("That takes more memory than there is for it here. Give less of it.", "too_large"),
            )
        except Exception as error:  # said in the server's log, not to strangers
            print(f"pianalysis: a workshop's process: {type(error).__name__}: {error}", flush=True)
            answer = (False, None)
        line.send_bytes(_pickled(answer))


def _pickled(answer: tuple[bool, Any]) -> bytes:
    try:
        return pickle.dumps(answer)
    except Exception:
        return pickle.dumps((False, None))


def _limit(memory_bytes: int) -> None:
    """Keep this process behind those who listen, and within so much memory, where the system can."""
    with suppress(AttributeError, OSError):
        os.nice(NICENESS)
    try:
        import resource
    except ImportError:
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

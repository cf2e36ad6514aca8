"""Work on several processes, results in the order of the work.

In: how many processes and threads. Out: what maps a function over items as `map` does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from pianalysis.building import end_with
from pianalysis.memory import keep_freed_memory

Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


@contextmanager
def workers(num_proc: int = 1, threads: int = 1) -> Iterator[Map]:
    """A `map` on so many processes of so many threads each. An error or Ctrl-C inside ends them all."""
    if num_proc <= 1:
        yield map
        return
    # Fresh processes, not forks: forking a process whose libraries run threads can hang.
    pool = ProcessPoolExecutor(num_proc, get_context("spawn"), initializer=_start, initargs=(os.getpid(), threads))
    try:
        yield pool.map
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _start(parent: int, threads: int) -> None:
    import torch

    keep_freed_memory()
    torch.set_num_threads(threads)
    end_with(parent)


def default_processes() -> int:
    """Two where there are two cores, or one."""
    return min(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)

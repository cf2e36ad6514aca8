"""Work on several processes, results in the order of the work.

In: a function and what to call it with. Out: what it returned, as it comes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

from pianalysis.building import end_with

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_all(
    function: Callable[[Item], Result], items: Sequence[Item], *, num_proc: int = 1, threads: int = 1
) -> Iterator[Result]:
    """`function` of each item, in order, on so many processes of so many threads. An error or Ctrl-C ends them all."""
    if num_proc <= 1 or len(items) <= 1:
        yield from map(function, items)
        return
    # Fresh processes, not forks: forking a process whose libraries run threads can hang.
    pool = ProcessPoolExecutor(
        min(num_proc, len(items)), get_context("spawn"), initializer=_start, initargs=(os.getpid(), threads)
    )
    try:
        yield from pool.map(function, items)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _start(parent: int, threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
    end_with(parent)


def default_processes() -> int:
    """Two where there are two cores, or one."""
    return min(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)

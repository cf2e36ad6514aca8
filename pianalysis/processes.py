"""Processes: work on several of them, results in the order of the work, and the memory that one keeps.

In: how many processes and threads. Out: what maps a function over items as `map` does. Whether the allocator took what
was asked of it; libraries that aren't glibc don't know these settings.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from typing import Any, Final

# Names and numbers of glibc's malloc.h.
M_TRIM_THRESHOLD: Final = -1
M_TOP_PAD: Final = -2
M_MMAP_MAX: Final = -4
MOST_PROCESSES: Final = 61 if sys.platform == "win32" else 1024
"""Windows waits for no more at once, and `ProcessPoolExecutor` refuses them there."""
M_ARENA_MAX: Final = -8
M_MMAP_THRESHOLD: Final = -3
SETTINGS: Final = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, -1), (M_TOP_PAD, 64 * 2**20))

Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


@contextmanager
def workers(num_proc: int = 1, threads: int | None = None) -> Iterator[Map]:
    """A `map` on so many processes. An error or Ctrl-C inside ends them all.

    threads: of torch in each, which then keeps the memory that it frees; None where torch isn't used.
    """
    if num_proc <= 1:
        yield map
        return
    # Fresh processes, not forks: forking a process whose libraries run threads can hang.
    pool = ProcessPoolExecutor(
        min(num_proc, MOST_PROCESSES), get_context("spawn"), initializer=_start, initargs=(threads,)
    )
    try:
        yield pool.map
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _start(threads: int | None) -> None:
    end_with_parent()
    if threads is not None:
        import torch

        keep_freed_memory()
        torch.set_num_threads(threads)


def default_processes() -> int:
    """Two where there are two cores, or one."""
    return min(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def end_with_parent() -> None:
    """End this process when its parent is gone: a pool's workers would wait for ever for one that was killed.

    By a handle on the parent, not by its number: Windows gives an orphan its parent's number for ever.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def keep_freed_memory() -> bool:
    """Let the process keep the memory that it frees, for what it allocates next. Whether the C library can do that.

    By itself glibc gives every large block back to the system, so that each training step on a CPU asks for the same
    gigabytes again, page by page, and has them cleared. The price is fragments: up to half as much memory again.
    """
    return _set_allocator(SETTINGS)


def give_back_freed_memory() -> bool:
    """Let the process give freed memory back to the system, for one that runs for weeks. Whether the C library can do that.

    By itself glibc has up to eight heaps a processor, each with what its threads left, and learns from large blocks not to
    map them by themselves any more.
    """
    return _set_allocator(((M_ARENA_MAX, 2), (M_MMAP_THRESHOLD, 2**20), (M_TRIM_THRESHOLD, 2**20)))


def _set_allocator(settings: Iterable[tuple[int, int]]) -> bool:
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; TypeError: Windows
        return False
    taken = [mallopt(name, value) == 1 for name, value in settings]
    return all(taken)

"""The process's memory: what training and evaluation ask of the C library's allocator.

In: nothing. Out: whether the allocator took it; libraries that aren't glibc don't know these settings.
"""

from __future__ import annotations

import ctypes
from typing import Final

# Names and numbers of glibc's malloc.h.
M_TRIM_THRESHOLD: Final = -1
M_TOP_PAD: Final = -2
M_MMAP_MAX: Final = -4
SETTINGS: Final = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, -1), (M_TOP_PAD, 64 * 2**20))


def keep_freed_memory() -> bool:
    """Let the process keep the memory that it frees, for what it allocates next. Whether the C library can do that.

    By itself glibc gives every large block back to the system, so that each training step on a CPU asks for the same
    gigabytes again, page by page, and has them cleared. The price is fragments: up to half as much memory again.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library; TypeError: Windows
        return False
    return all(mallopt(name, value) == 1 for name, value in SETTINGS)

"""Freed memory is kept: the same block, asked for again, isn't fetched page by page from the system again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PAGES_FETCHED = """
import resource, sys
from pianalysis.processes import keep_freed_memory
if sys.argv[1] == "kept" and not keep_freed_memory():
    raise SystemExit("not taken")
def touch():
    bytearray(b"x" * 2**25)
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    touch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages_fetched(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", PAGES_FETCHED, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")
def test_memory_that_is_kept_is_not_fetched_again():
    assert pages_fetched("kept") * 100 < pages_fetched("given back")

"""Freed memory is kept: the same block, asked for again, isn't fetched page by page from the system again."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from pathlib import Path

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


ORPHANS = """
import os, sys, time
from operator import call
from pianalysis.processes import workers
if __name__ == "__main__":
    with workers(2) as run:
        print(*set(run(call, [os.getpid] * 8)), flush=True)
        time.sleep(60)
"""


def is_running(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the processes off /proc")
def test_workers_end_with_a_parent_that_was_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(ORPHANS, encoding="utf-8")
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    pids = list(map(int, parent.stdout.readline().split()))
    assert pids
    assert all(map(is_running, pids))
    parent.kill()
    parent.wait()
    limit = time.monotonic() + 20
    while any(map(is_running, pids)):
        assert time.monotonic() < limit, "they outlive their parent"
        time.sleep(0.05)

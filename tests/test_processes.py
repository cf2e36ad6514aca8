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


MAPPED_BLOCKS = """
import sys
from pathlib import Path
from pianalysis.processes import give_back_freed_memory
if sys.argv[1] == "bounded" and not give_back_freed_memory():
    raise SystemExit("not taken")
def held():
    return int(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")))
bytearray(b"x" * 2**24)  # glibc learns from it to map blocks of that size no more
kept = [bytearray(b"x" * 2**22) if place % 2 else bytearray(b"x" * 2**22 + b"y") for place in range(40)]
before = held()
del kept[1::2]  # between others, so that the heap can't shrink at its end
print(before - held())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the settings are glibc's")
def test_memory_between_others_goes_back_to_the_system():
    """4 MB blocks, every other one freed: 80 MB, in kB."""
    command = [sys.executable, "-c", MAPPED_BLOCKS]
    given, held = (
        int(subprocess.run([*command, how], capture_output=True, text=True, check=True).stdout)
        for how in ("bounded", "")
    )
    assert given > 70_000
    assert held < given / 2


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

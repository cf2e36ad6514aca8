"""Running the page's modules outside of a browser: `node` of this environment, else the system's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

OLDEST = 20  # from there on, node reads modules in plain .js files
LIMIT_S = 120


def node(*words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run node, warnings off; skips the test where there is none that is new enough."""
    program = shutil.which("node", path=str(Path(sys.executable).parent)) or shutil.which("node")
    if program is None:
        pytest.skip("there is no node on this machine")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=LIMIT_S, check=True).stdout
    if int(said.lstrip("v").split(".")[0]) < OLDEST:
        pytest.skip(f"node {said.strip()} is older than {OLDEST}")
    environment = os.environ | {"NODE_NO_WARNINGS": "1"}
    return subprocess.run(
        [program, *words],
        input=given,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT_S,
    )

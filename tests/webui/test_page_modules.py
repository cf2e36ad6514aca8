"""What of the page's modules needs no browser: their own tests, run by `node --test`."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_scripts import node

FILES = sorted((Path(__file__).parent / "page").glob("*.test.mjs"))


def test_there_are_tests_to_run():
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name.partition(".")[0])
def test_a_module_passes_its_own_tests(file):
    done = node("--test", str(file))
    assert done.returncode == 0, done.stdout + done.stderr

"""The rooms: README names each with its promise, and each names its files."""

from __future__ import annotations

import ast
import re

import pytest
from conftest import ROOT

PACKAGE = ROOT / "pianalysis"
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def promise(room):
    return ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8")))


def test_the_readme_has_every_room_and_its_promise():
    rows = dict(re.findall(r"^\| `pianalysis/(\w+)/` \| (.*?) \|", README, re.MULTILINE))
    assert rows == {room: promise(room).splitlines()[0] for room in ROOMS}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_each_of_its_files_is(room):
    names = re.findall(r"^(\w+): ", promise(room).partition("\n\n")[2].partition("\n\n")[2], re.MULTILINE)
    assert names == sorted(path.stem for path in (PACKAGE / room).glob("*.py") if path.stem != "__init__")


def test_what_belongs_to_no_room_is_named_too():
    for path in PACKAGE.glob("*.py"):
        if not path.stem.startswith("__"):
            assert f"`{path.name}`" in README


def test_no_doctest_is_where_none_are_looked_for():
    """In pyproject.toml pytest is told to leave these files out."""
    left_out = re.findall(r"--ignore=(\S+?)[\s\"]", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert left_out
    assert [name for name in left_out if ">>>" in (ROOT / name).read_text(encoding="utf-8")] == []

from __future__ import annotations

import re
import shlex

import pytest
from conftest import ROOT

from pianalysis.cli.main import build_parser

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(pianalysis [^#\n]+)", README.replace("\\\n", " "), re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_in_the_readme_is_understood(line):
    args = build_parser().parse_args(shlex.split(line)[1:])
    assert callable(args.run)


def test_the_readme_shows_every_command():
    assert {line.split()[1] for line in COMMANDS} == {
        *(
            "arrange",
            "compose",
            "regenerate",
            "chords",
            "tracks",
            "demo",
            "tokens",
            "vocab",
            "prepare",
            "validate",
            "train",
            "evaluate",
            "publish",
        ),
    }


def test_what_the_readme_links_exists_and_is_absolute():
    """README is the package's page too, where nothing lies beside it."""
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert all(target.startswith("https://") for target in targets)
    home = re.search(r'^Repository = "(.*)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)[1]
    ours = [re.sub(r"^(raw|blob|tree)/main/", "", target[len(home) + 1 :]) for target in targets if home in target]
    assert len(ours) > 5
    assert all((ROOT / target).exists() for target in ours), ours


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("README.md", "summary"),
        ("README.md", "shown"),
        ("docs/results.md", "likelihood"),
        ("docs/results.md", "evaluation"),
        ("docs/results.md", "metre"),
        ("docs/results.md", "generation"),
        ("docs/harmony.md", "tunes"),
        ("docs/harmony.md", "harmony"),
        ("docs/how-it-works.md", "tokens"),
    ],
)
def test_figures_were_filled_in(page, name):
    text = (ROOT / page).read_text(encoding="utf-8")
    filled = re.search(f"<!-- {name} -->(.*?)<!-- /{name} -->", text, re.DOTALL)
    assert filled is not None
    assert len(filled[1].strip()) > 100

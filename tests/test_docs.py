"""The pages: what they link is there, the commands they show run, and the notebook's cells do."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import types
import unicodedata
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml
from conftest import EXAMPLES, ROOT

from pianalysis import __version__
from pianalysis.arranging.arranger import Arranger
from pianalysis.cli.main import build_parser, main

DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")), EXAMPLES / "README.md"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HOME = PROJECT["urls"]["Repository"]
COLAB = "https://colab.research.google.com/github" + HOME.removeprefix("https://github.com")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^()\s]+)\)")


def prose(page):
    """A page without its code, in which brackets are no links."""
    return re.sub(r"`[^`\n]*`", "`", FENCE.sub("", page.read_text(encoding="utf-8")))


def name(page):
    return page.relative_to(ROOT).as_posix()


def anchors(page):
    """The names that a page's headings have, on GitHub and in mkdocs."""
    found = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    plain = [unicodedata.normalize("NFKD", heading).lower() for heading in found]
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading)).strip("-") for heading in plain}


def target(page, link):
    """The file that a link means, and the place in it; None for other people's pages."""
    path, _, anchor = unquote(link).partition("#")
    for start in (HOME, COLAB):
        if re.match(f"{re.escape(start)}/(blob|raw|tree)/", path):
            return ROOT / path[len(start) + 1 :].split("/", 2)[2], anchor
    if re.match(r"\w+:", path):
        return None
    return (page.parent / path if path else page), anchor


def faults(page):
    for link in LINK.findall(prose(page)):
        if (found := target(page, link)) is None:
            continue
        path, anchor = found
        if not path.exists():
            yield f"{link}: there is no such file"
        elif anchor.startswith("pianalysis."):  # mkdocstrings gives each name that it documents an anchor
            if f"::: {anchor}" not in path.read_text(encoding="utf-8").splitlines():
                yield f"{link}: not in the reference"
        elif anchor and anchor not in anchors(path):
            yield f"{link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_a_page_links_is_there(page):
    assert not [*faults(page)]


def test_a_link_to_nowhere_is_found(tmp_path):
    """The check itself: it must see what it is there for."""
    page = tmp_path / "page.md"
    page.write_text(
        f"# A heading, and more\n[a](#a-heading-and-more) [b](page.md#heading) [c](gone.md) [d]({HOME}/blob/main/gone.md) `[e](no.md)`\n"
        f"[f]({HOME}/blob/main/README.md) [g](https://example.org/x)\n",
        encoding="utf-8",
    )
    assert [fault.partition(": ")[0] for fault in faults(page)] == [
        "page.md#heading",
        "gone.md",
        f"{HOME}/blob/main/gone.md",
    ]


def commands(page, program):
    """The lines of a page's shell blocks that call a program, joined where a backslash ends them."""
    blocks = [body for kind, body in FENCE.findall(page.read_text(encoding="utf-8")) if kind == "sh"]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith(f"{program} ")]


@pytest.fixture(scope="module")
def parser():
    return build_parser()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_of_a_page_is_understood(page, parser):
    for words in commands(page, "pianalysis"):
        assert callable(parser.parse_args(words).run), words


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_script_of_a_page_is_there_with_its_options(page):
    for script, *words in commands(page, "python"):
        if script.startswith("-"):
            continue
        text = (ROOT / script).read_text(encoding="utf-8")
        assert [word for word in words if word.startswith("--") and f'"{word}"' not in text] == []


@pytest.mark.parametrize("how_to", ["arrange", "chords"])
def test_what_a_how_to_shows_runs_line_by_line(how_to, tmp_path, monkeypatch):
    """With the fast model and a few bars, each line in the folder that those before it left behind."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(EXAMPLES / "ode_to_joy.mid", "melody.mid")
    lines = commands(DOCS / "how-to" / f"{how_to}.md", "pianalysis")
    assert len(lines) > 4
    for words in lines:
        if words[0] in ("arrange", "regenerate"):
            words += ["--model", "small"]
        if words[0] == "arrange":
            words += ["--max-bars", "4"]
        assert main(words) == 0, words
        written = words[words.index("-o") + 1] if "-o" in words else "."
        assert Path(written).exists(), words
    assert Path("full.mid").stat().st_size > 500


NOTEBOOK = json.loads((DOCS / "notebooks" / "pianalysis.ipynb").read_text(encoding="utf-8"))


def cells():
    return ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]


def test_the_notebook_clones_the_repository_and_carries_no_output():
    setup = cells()[0].splitlines()
    assert [line.split()[0] for line in setup] == ["!git", "%cd", "%pip"]
    assert setup[0].split()[-1] == HOME
    assert setup[1].split()[1] == HOME.rpartition("/")[2]
    assert all(not cell.get("outputs") for cell in NOTEBOOK["cells"])
    assert len({cell["id"] for cell in NOTEBOOK["cells"]}) == len(NOTEBOOK["cells"])


def test_the_notebooks_cells_run(tmp_path, monkeypatch, small_arranger):
    """Without Jupyter: its display keeps what it is given, lines for the shell are left out, and fewer bars and the fast model do."""
    shown = []
    stand_in = types.ModuleType("IPython.display")
    stand_in.Audio = stand_in.Image = lambda path: Path(path)
    stand_in.display = lambda path: shown.append((path.name, path.stat().st_size))
    package = types.ModuleType("IPython")
    package.version_info = (9, 0)  # matplotlib looks at it
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", stand_in)
    monkeypatch.setattr(Arranger, "from_pretrained", lambda: small_arranger)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(EXAMPLES, tmp_path / "space" / "examples")
    names = {}
    for cell in cells():
        code = "\n".join(line for line in cell.splitlines() if not line.startswith(("!", "%")))
        exec(compile(ast.parse(code.replace("BARS = 16", "BARS = 4")), "cell", "exec"), names)
    assert [file for file, _ in shown] == ["piece.png", "piece.wav", "changed.wav"]
    assert all(size > 10_000 for _, size in shown)
    assert names["BARS"] == 4
    assert names["changed"].chart.text() != names["piece"].chart.text()
    assert Path("changed.mid").exists()
    assert Path("changed.musicxml").exists()


def test_the_documentation_is_built_without_a_warning(tmp_path):
    pytest.importorskip("mkdocstrings", reason="the pages need the extra `docs`")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "-f", ROOT / ".ci" / "mkdocs.yml"]
    done = subprocess.run(
        [*command, "-d", tmp_path / "site"],
        capture_output=True,
        text=True,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    reference = (tmp_path / "site" / "reference" / "arranging.html").read_text(encoding="utf-8")
    assert 'id="pianalysis.arranging.arranger.Arranger.__call__"' in reference


def test_all_pages_are_in_the_documentations_table():
    """mkdocs tells of pages that are left out, but not where it isn't installed."""
    table = (ROOT / ".ci" / "mkdocs.yml").read_text(encoding="utf-8")
    named = re.findall(r"[\w/-]+\.md\b", table)
    assert sorted(named) == sorted(page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))


def test_who_is_to_be_cited_is_the_project_that_this_is():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["version"] == __version__
    assert cited["repository-code"] == HOME
    assert cited["license"] == PROJECT["license"]
    assert [author["name"] for author in cited["authors"]] == [author["name"] for author in PROJECT["authors"]]
    assert cited["title"] in (ROOT / "model_card.md").read_text(encoding="utf-8")


def test_the_workflows_test_what_the_project_says_that_it_runs_on():
    jobs = {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
        for path in (ROOT / ".github" / "workflows").glob("*.yml")
    }
    matrix = jobs["ci"]["test"]["strategy"]["matrix"]
    assert matrix["os"] == ["ubuntu-latest", "macos-latest", "windows-latest"]
    assert f">={matrix['python'][0]}" == PROJECT["requires-python"]
    stated = {text.rpartition(" :: ")[2] for text in PROJECT["classifiers"] if ":: Python :: 3." in text}
    assert stated <= {*matrix["python"]}
    (newest,) = matrix["transformers"]
    assert newest in PROJECT["optional-dependencies"]["train"]
    oldest = newest.partition(",")[0].partition(">=")[2]
    assert {row["transformers"] for row in matrix["include"]} == {f"transformers~={oldest}.0"}
    assert {row["os"] for row in matrix["include"]} == {*matrix["os"]}
    assert "make docs" in [step.get("run") for step in jobs["docs"]["build"]["steps"]]
    assert jobs["release"]["publish"]["permissions"] == {"id-token": "write"}

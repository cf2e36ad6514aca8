"""The Space as it's published: to a local Hub, fetched from there, and started with nothing but what was uploaded."""

from __future__ import annotations

import json
import re
import sys
import urllib.request
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from conftest import EXAMPLES, ROOT

from pianalysis.publishing.hub import fetch_folder

pytest_plugins = ["hub_fixtures", "demo_fixtures"]
pytestmark = pytest.mark.skipif(find_spec("gradio") is None, reason="the demo needs the extra `space`")
sys.path.insert(0, str(ROOT / "scripts"))

import publish_space  # noqa: E402


def front_matter(text):
    return yaml.safe_load(text.split("---")[1])


ALONE = """
import json, os, re, runpy, sys
from importlib.metadata import packages_distributions
owners, allowed = packages_distributions(), {*json.loads(os.environ["ALLOWED"])}
class Only:  # whatever else is installed here isn't there
    def find_spec(self, name, path=None, target=None):
        of = {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners.get(name.partition(".")[0], ())}
        if of and not of & allowed:
            raise ModuleNotFoundError(f"{name} is not in the requirements", name=name)
sys.meta_path.insert(0, Only())
if __name__ == "__main__":  # and not in the processes that it starts
    import pianalysis.webui.server, pianalysis.webui.api, gradio, mcp.server, librosa
    import pianalysis.hearing.listening, pianalysis.webui.heard, matplotlib.pyplot
    assert sys.modules["pianalysis"].__file__.startswith(os.getcwd()), sys.modules["pianalysis"]
    runpy.run_path("app.py", run_name="__main__")
"""


def closure(names):
    """Distributions, and all that they need."""
    from importlib.metadata import PackageNotFoundError, distribution

    from packaging.requirements import Requirement

    todo, found = [Requirement(name) for name in names], set()
    while todo:
        item = todo.pop()
        name = re.sub(r"[-_.]+", "-", item.name).lower()
        if (name, frozenset(item.extras)) in found:
            continue
        found.add((name, frozenset(item.extras)))
        try:
            needs = [Requirement(text) for text in distribution(item.name).requires or []]
        except PackageNotFoundError:
            continue
        extras = ["", *item.extras]
        todo += [need for need in needs if not need.marker or any(need.marker.evaluate({"extra": e}) for e in extras)]
    return {name for name, _ in found}


def test_what_is_published_starts_and_answers_by_itself_with_what_its_requirements_bring(
    hub_client, tmp_path, start, capsys
):
    command = ["me/demo", "--dataset", "me/music"]
    assert publish_space.main(command) == 0
    assert "/spaces/me/demo/commit/" in capsys.readouterr().out
    assert publish_space.main(command) == 0  # nothing changed, no new commit
    assert hub_client.history("spaces", "me/demo") == ["initial commit", f"Pianalysis {version('pianalysis')}"]
    assert hub_client.hub.repos["spaces", "me/demo"].sdk == "gradio"

    folder = Path(fetch_folder("me/demo", repo_type="space"))
    card = front_matter((folder / "README.md").read_text(encoding="utf-8"))
    assert (card["sdk"], card["sdk_version"], card["app_file"]) == ("gradio", version("gradio"), "app.py")
    assert (card["python_version"], card["datasets"]) == ("3.11", ["me/music"])
    assert "models" not in card
    pinned = (folder / "requirements.txt").read_text().split()
    assert all("==" in line for line in pinned)
    assert f"torch=={version('torch').split('+')[0]}" in pinned
    assert not list(folder.rglob("*.pyc"))

    alone = tmp_path / "alone"  # a copy: what the Hub's cache holds are links
    alone.mkdir()
    for path in folder.rglob("*"):
        if path.is_file():
            target = alone / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    page = alone / "pianalysis" / "webui" / "static" / "index.html"
    page.write_text(page.read_text(encoding="utf-8") + "<!-- from the Space -->", encoding="utf-8")
    (alone / "alone.py").write_text(ALONE, encoding="utf-8")
    allowed = closure(line for line in pinned if "==" in line) | {"pip", "setuptools", "pianalysis", "wheel"}
    assert "pytest" not in allowed
    around = {"PYTHONPATH": str(alone), "HF_HUB_OFFLINE": "1", "ALLOWED": json.dumps(sorted(allowed))}
    process, address = start(alone, "alone.py", **around)
    try:
        with urllib.request.urlopen(address) as answer:
            assert "<!-- from the Space -->" in answer.read().decode()
        from gradio_client import Client, handle_file

        made = Client(address, verbose=False).predict(
            file=handle_file(EXAMPLES / "sakura.mid"), max_bars=1, api_name="/arrange"
        )
        assert Path(made).name == "sakura-0.mid"
    finally:
        process.terminate()
        process.wait(timeout=20)


def test_a_model_of_its_own_is_named_in_card_and_app(tmp_path):
    target = tmp_path / "space"
    index = ["--torch-index", "file:///wheels"]
    assert publish_space.main(["--output", str(target), "--model", "me/model", *index]) == 0
    assert front_matter((target / "README.md").read_text(encoding="utf-8"))["models"] == ["me/model"]
    assert "setdefault(\"PIANALYSIS_MODEL\", 'me/model')" in (target / "app.py").read_text(encoding="utf-8")
    compile((target / "app.py").read_text(encoding="utf-8"), "app.py", "exec")
    lines = (target / "requirements.txt").read_text().splitlines()
    assert lines[0] == "--extra-index-url file:///wheels"
    assert f"torch=={version('torch').split('+')[0]}+cpu" in lines
    assert front_matter((target / "README.md").read_text(encoding="utf-8"))["preload_from_hub"] == ["me/model"]


def test_the_card_has_all_that_the_hub_shows(tmp_path):
    target = tmp_path / "space"
    assert publish_space.main(["--output", str(target), "--model", "me/model"]) == 0
    card = front_matter((target / "README.md").read_text(encoding="utf-8"))
    wanted = {"title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version", "app_file", "pinned"}
    assert wanted | {"license", "models", "tags", "short_description"} <= {*card}
    assert len(card["short_description"]) <= 60
    assert len(card["emoji"]) == 1
    assert isinstance(card["python_version"], str)
    assert {card["colorFrom"], card["colorTo"]} <= {
        "red",
        "yellow",
        "green",
        "blue",
        "indigo",
        "purple",
        "pink",
        "gray",
    }
    assert (target / card["app_file"]).is_file()


def test_an_output_that_is_there_already_is_left_alone(tmp_path, capsys):
    assert publish_space.main(["--output", str(tmp_path)]) == 2
    assert "expected a folder that isn't there yet" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

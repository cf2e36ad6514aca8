"""The how-to pages for those who train, publish, judge and show: line by line, in small, against a Hub on this machine."""

from __future__ import annotations

import json
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import EXAMPLES
from corpus import make_pop909, song_with_tune
from judged import blocks, score_of, song_of
from test_docs import DOCS, FENCE, commands

from pianalysis.cli.main import main
from pianalysis.model.gpt2 import save_model

pytest_plugins = ["hub_fixtures"]

SMALL = {
    "arrange": ["--max-bars", "1"],
    "train": [
        "--model",
        "tiny",
        "--optimizer",
        "adamw",
        "--max-steps",
        "2",
        "--eval-steps",
        "1",
        "--warmup-steps",
        "1",
        "--decay-steps",
        "1",
        "--batch-size",
        "2",
        "--cpu",
    ],
    "prepare": ["--num-proc", "1"],
}
"""What is added to a page's commands, so that they take seconds; of options said twice the last one counts."""
PLACES = re.compile(r"\bORG/[A-Z]+")


def run_line_by_line(page, **more):
    """A page's commands, each in the folder that those before it left behind, and on the Hub under a name of its own."""
    lines = commands(DOCS / "how-to" / f"{page}.md", "pianalysis")
    for number, words in enumerate(lines):
        here = [word if words[0] == "arrange" else PLACES.sub(f"pianalysis/line{number}", word) for word in words]
        assert main([*here, *SMALL.get(words[0], []), *more.get(words[0], [])]) == 0, words
    return [words[0] for words in lines]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a melody and three pieces of one's own, in which the commands are run."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(EXAMPLES / "ode_to_joy.mid", "melody.mid")
    Path("my_pieces").mkdir()
    for number in range(3):
        Path("my_pieces", f"{number}.mid").write_bytes(song_with_tune(number + 1))
    return tmp_path


def test_training_on_ones_own_music(place, monkeypatch):
    root, splits = make_pop909(place / "pop909")
    monkeypatch.setattr("pianalysis.dataset.download.pop909_archive", lambda: root)
    shutil.copy(splits, place / "pop909.json")
    monkeypatch.setattr("pianalysis.dataset.sources.SPLITS_FOLDER", place)
    run_line_by_line("train")
    assert Path("runs/mine/best/config.json").exists()
    assert Path("runs/small/best/config.json").exists()
    assert Path("full.mid").exists()


def test_publishing(place, hub_client, tiny_model, monkeypatch):
    save_model(tiny_model, place / "runs/mine/best")
    Path("data").mkdir()
    assert main(["prepare", "--corpus", "folder", "--root", "my_pieces/", "--output", "data/mine"]) == 0
    run = run_line_by_line("publish", arrange=["--model", "pianalysis/line0"], train=["--output-dir", "runs/other"])
    assert run.count("publish") == 2
    published = {name: hub_client.files(*name) for name in hub_client.hub.repos}
    assert sorted(kind for kind, _ in published) == ["datasets", "models", "models", "models"]
    for (kind, _), files in published.items():
        assert "README.md" in files if kind == "datasets" else "model.safetensors" in files


def test_judging(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pianalysis.evaluation.bootstrap.RESAMPLES", 10)
    for number in range(3):
        melody, below = song_of(number)
        for folder, voices in {
            "melodies": [melody], "out": [melody, below], "other": [melody, blocks(melody)], "people": [melody, below]
        }.items():  # fmt: skip
            Path(folder).mkdir(exist_ok=True)
            Path(folder, f"{number}.mid").write_bytes(score_of(*voices).dumps_midi())
    assert run_line_by_line("evaluate") == ["evaluate"] * 2
    assert {*json.loads(Path("figures.json").read_text())["systems"]} >= {"ours", "theirs"}
    assert [*Path("report").glob("*.md")]
    (code,) = [body for kind, body in FENCE.findall((DOCS / "how-to" / "evaluate.md").read_text()) if kind == "python"]
    capsys.readouterr()
    exec(compile(code, "evaluate.md", "exec"), {})
    assert "ours" in capsys.readouterr().out


def test_the_demo_and_the_space(tmp_path, hub_client, script, monkeypatch):
    if find_spec("gradio") is None:
        pytest.skip("the demo needs the extra `space`")
    monkeypatch.chdir(tmp_path)
    served = []
    monkeypatch.setattr("pianalysis.webui.server.serve", lambda **asked: served.append(asked))
    assert run_line_by_line("space") == ["demo"] * 2
    assert served == [
        {"model": None, "host": None, "port": None, "browser": True},
        {"model": "runs/mine/best", "host": None, "port": 7860, "browser": False},
    ]
    publish_space = script("publish_space")
    lines = [words[1:] for words in commands(DOCS / "how-to" / "space.md", "python")]
    assert len(lines) == 3
    for number, words in enumerate(lines):
        assert publish_space.main([PLACES.sub(f"pianalysis/line{number}", word) for word in words]) == 0
    assert {("spaces", "pianalysis/line0"), ("spaces", "pianalysis/line1")} <= hub_client.hub.repos.keys()
    assert Path("space_folder/app.py").exists()

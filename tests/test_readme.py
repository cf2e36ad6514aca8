from __future__ import annotations

import glob
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from conftest import EXAMPLES, ROOT

from pianalysis.cli.main import build_parser, main
from pianalysis.music.midi import read_midi

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^(pianalysis [^#\n]+)", README.replace("\\\n", " "), re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_in_the_readme_is_understood(line):
    args = build_parser().parse_args(shlex.split(line)[1:])
    assert callable(args.run)


def hummed(path):
    """Seven tones of half a second, with a soft beginning and an overtone."""
    soundfile = pytest.importorskip("soundfile")
    seconds = np.arange(11_025) / 22_050
    shape = np.minimum(1, np.minimum(seconds, 0.5 - seconds) * 25)
    phases = [2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * seconds for pitch in (60, 62, 64, 65, 67, 65, 64)]
    tones = [0.3 * shape * (np.sin(phase) + 0.4 * np.sin(2 * phase)) for phase in phases]
    soundfile.write(path, np.concatenate(tones), 22_050)


def test_its_first_commands_run_line_by_line(tmp_path, monkeypatch):
    """With the fast model, a melody of eight bars and a few of them. The page, training and judging: `test_how_to.py`."""
    monkeypatch.chdir(tmp_path)
    score = read_midi(EXAMPLES / "ode_to_joy.mid")
    score.tracks[0].notes = [note for note in score.tracks[0].notes if note.time < 8 * 4 * score.tpq]
    for name in ("melody.mid", "song.mid"):
        Path(name).write_bytes(score.dumps_midi())
    hummed("hum.wav")
    block = README.partition("## On the command line")[2].partition("## The demo")[0]
    lines = [line for line in COMMANDS if line in block and line.split()[1] not in ("demo", "evaluate")]
    assert len(lines) > 12
    for line in lines:
        words = [
            file for word in shlex.split(line)[1:] for file in (sorted(glob.glob(word)) if "*" in word else [word])
        ]
        words += ["--model", "small"] if words[0] in ("arrange", "regenerate", "compose") else []
        words += ["--max-bars", "4"] if words[0] == "arrange" and "--verses" not in words else []
        assert main(words) == 0, line


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

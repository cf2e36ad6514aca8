"""The programs that docs/how-to/space.md shows, run against a demo."""

from __future__ import annotations

import re
import shutil

import pytest
from conftest import EXAMPLES, ROOT

pytest_plugins = ["demo_fixtures"]
PAGE = ROOT / "docs" / "how-to" / "space.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_what_the_page_shows_runs_from_top_to_bottom(demo, tmp_path, monkeypatch, capsys):
    pytest.importorskip("gradio_client")
    monkeypatch.chdir(tmp_path)
    shutil.copy(EXAMPLES / "ode_to_joy.mid", "melody.mid")
    program = "\n".join(BLOCKS).replace("http://127.0.0.1:7860", demo)
    assert len(BLOCKS) == 5
    names = {}
    exec(compile(program.replace("seed=7,", "seed=7, max_bars=2,"), str(PAGE), "exec"), names)
    said = capsys.readouterr().out
    assert "melody C major 4/4 0.0 ['MELODY']" in said
    assert "bad_setting" in said
    assert len(names["done"]["bar_lines_ms"]) == 9
    assert names["again"]["chart"].splitlines()[0].split(" | ")[1].startswith(names["other"])
    assert names["again"]["chords"] != names["done"]["chords"]

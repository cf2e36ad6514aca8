"""The script that asks whether accompaniments keep the metre, on a few bars."""

from __future__ import annotations

import json

import pytest
from conftest import EXAMPLES, ROOT
from songs import write_dataset

from pianalysis.model.gpt2 import make_model, save_model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    model = make_model("tiny", seed=0)
    model.config.plays_chords = True
    save_model(model, folder)
    return str(folder)


def test_each_metre_has_its_share(script, model, tmp_path, capsys):
    tunes = [str(ROOT / "scripts" / "odd_metres.abc"), str(EXAMPLES / "minuet_in_g.mid")]
    argv = ["--tunes", *tunes, "--model", model, "--songs", "2", "--bars", "4", "--json", str(tmp_path / "metre.json")]
    assert script("evaluate_metre").main(argv) == 0
    figures = json.loads((tmp_path / "metre.json").read_text())
    assert figures.keys() == {"3/4", "12/8", "12/8 with pickup", "5/4", "5/4 with pickup", "7/8", "7/8 with pickup"}
    assert figures["5/4"]["tunes"] == 2
    assert all(0 <= row["share"] <= 1 and row["human"] is None for row in figures.values())
    assert "| 7/8 with pickup | 2 |" in capsys.readouterr().out


def test_songs_of_a_dataset_have_peoples_share_beside(script, model, tmp_path):
    dataset = write_dataset(tmp_path / "waltzes")
    argv = [
        "--dataset",
        str(dataset),
        "--model",
        model,
        "--songs",
        "1",
        "--bars",
        "4",
        "--json",
        str(tmp_path / "m.json"),
    ]
    assert script("evaluate_metre").main(argv) == 0
    assert any(row["human"] is not None for row in json.loads((tmp_path / "m.json").read_text()).values())


def test_without_tunes_it_says_what_it_wants(script, tmp_path, capsys):
    assert script("evaluate_metre").main(["--tunes", str(tmp_path)]) == 2
    assert "expected tunes" in capsys.readouterr().err

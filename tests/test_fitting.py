"""The recipes that fit a checkpoint's guidance and the looks that takes are ranked by, on made-up songs."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
from songs import write_dataset

from pianalysis.model import make_model, save_model
from pianalysis.weights import read_weights


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = write_dataset(tmp_path_factory.mktemp("waltzes"))
    for path in folder.glob("*/test-*.parquet"):
        shutil.copy(path, path.with_name(path.name.replace("test", "validation")))
    return str(folder)


@pytest.mark.parametrize("one_key", [False, True])
def test_the_round_nearest_to_people_goes_into_the_checkpoint(script, dataset, tmp_path, capsys, one_key):
    model = make_model("tiny", seed=0)
    model.config.normalises_key = one_key
    save_model(model, tmp_path)
    before = json.loads((tmp_path / "generation_config.json").read_text())
    argv = ["--dataset", dataset, "--model", str(tmp_path), "--windows", "3", "--times", "1", "3"]
    assert script("fit_harmony").main(argv) == 0
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines() if re.match(r"\| (pop|classical)", line)]
    harmony = read_weights(tmp_path).harmony
    assert harmony.strength == 1
    for style in {row[1].strip() for row in rows}:
        values = np.array([[float(cell) for cell in row[2:7]] for row in rows if row[1].strip() == style])
        assert values[:, 0].tolist() == [0, 1, 3]
        away = np.abs(values[:, 1] - values[:, 2]) + np.abs(values[:, 3] - values[:, 4])
        assert (np.abs(harmony.degrees[style]).max() > 0) == (away.argmin() > 0)  # the first round has no guidance
    after = json.loads((tmp_path / "generation_config.json").read_text())
    assert {**after, "harmony": None} == {**before, "harmony": None}


def test_the_looks_of_human_pieces_are_printed_as_the_module_has_them(script, dataset, tmp_path, capsys):
    save_model(make_model("tiny", seed=0), tmp_path)
    assert script("fit_ranking").main(["--dataset", dataset, "--model", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.strip().splitlines()
    assert [re.match(r' *"(\w+)": \(Look\(.*\), Look\(.*\)\),$', line)[1] for line in lines] == ["classical", "pop"]


def test_a_folder_without_a_dataset_is_one_line(script, tmp_path, capsys):
    for name in ("fit_harmony", "fit_ranking"):
        assert script(name).main(["--dataset", str(tmp_path)]) == 2
        assert "expected" in capsys.readouterr().err

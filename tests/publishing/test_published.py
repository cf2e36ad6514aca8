"""From MIDI files to a dataset on a Hub that a user loads without our package, over HTTP."""

from __future__ import annotations

import json
import re

import pytest
from conftest import ROOT
from corpus import make_pop909, song

from pianalysis import hub_errors
from pianalysis.cli.main import main
from pianalysis.dataset.checks import ValidationReport

pytest_plugins = ["hub_fixtures"]

NO_PACKAGE = "import sys; sys.modules['pianalysis'] = None\n"
LOAD = """
import runpy
sys.argv[1:] = sys.argv[2:]
try:
    runpy.run_path(sys.argv.pop(1), run_name="__main__")
except SystemExit as ended:
    assert not ended.code
"""
VALIDATE = """
del sys.modules["pianalysis"]  # from here on it's there
from pianalysis.cli import main
sys.stderr = sys.stdout
for name in ("me/music", "me/none"):
    code = main(["validate", name])
    print(f"{name}: {code}")
"""
CHECK = """
import json
from datasets import load_dataset
name, revision = "me/music", sys.argv[1]
test = load_dataset(name, "windows", split="test")
try:
    import pianalysis
except ImportError:
    print(json.dumps({
        "windows": {split: len(rows) for split, rows in load_dataset(name, "windows").items()},
        "notes": {split: list(rows["piece_id"]) for split, rows in load_dataset(name, "notes").items()},
        "default": load_dataset(name, split="test").column_names == load_dataset(name, "notes", split="test").column_names,
        "stream": list(load_dataset(name, "windows", split="test", streaming=True)) == test.to_list(),
        "old": load_dataset(name, "windows", split="test", revision=revision).num_rows,
        "types": [str(test.features[column].feature.dtype) for column in ("input_ids", "training_sequence")],
    }))
"""


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(hub_errors, "FIRST_WAIT_SECONDS", 0.01)


@pytest.fixture
def prepare(tmp_path):
    root, splits = make_pop909(tmp_path / "corpus")

    def run(*options, repo="me/music"):
        argv = ["prepare", "--corpus", "pop909", "--root", root, "--splits", splits, "--push-to-hub", repo]
        return main([*argv, "--output", str(tmp_path / "out"), *options])

    return run


def test_prepared_and_published_it_is_loaded_without_our_package(hub_client, prepare, capsys):
    assert prepare("--limit", "1") == 0
    first = re.search(r"published: .*/datasets/me/music/commit/(\w+)", capsys.readouterr().out)[1]
    assert prepare("--every-bar", "--versions") == 0
    words = [first, str(ROOT / "scripts" / "load_published.py"), "me/music", "--revision", first]
    got, said = hub_client.run(NO_PACKAGE + CHECK + LOAD + VALIDATE, *words).split("\n", 1)
    got = json.loads(got)
    pieces = {"train": ["001"] * 2 + ["002"] * 2 + ["005"] * 2, "validation": ["003"], "test": ["004"]}
    assert got.pop("notes") == pieces
    assert got.pop("windows") == {"train": 6 * 20, "validation": 3, "test": 3}
    assert got == {"default": True, "stream": True, "old": 3, "types": ["int16", "int16"]}
    card = hub_client.files("datasets", "me/music")["README.md"].decode()
    assert 'load_dataset("me/music", "windows", split="train")' in card
    assert "starts at every bar" in card
    assert "windows, train: 3 rows" in said
    assert "streamed, test: 004 from bar 16" in said
    assert "samples          126, train 120, validation 3, test 3" in said
    assert said.splitlines()[-3] == "me/music: 0"
    assert re.search("error: .*me/none.*\nme/none: 2", said)


def test_shards_of_an_older_build_do_not_stay_behind(hub_client, prepare, monkeypatch):
    with monkeypatch.context() as small:
        small.setattr("pianalysis.dataset.building.PIECES_PER_PART", 1)
        small.setattr("pianalysis.dataset.building.ROWS_PER_SHARD", {"notes": 1, "windows": 1})
        assert prepare() == 0
    assert "windows/train-00002-of-00003.parquet" in hub_client.files("datasets", "me/music")
    assert prepare() == 0
    assert [name for name in hub_client.files("datasets", "me/music") if name.startswith("windows/train")] == [
        "windows/train-00000-of-00001.parquet"
    ]


def test_what_may_not_be_published_is_refused_before_the_work(hub_client, prepare, tmp_path, monkeypatch, capsys):
    assert prepare(repo="somebody/music") == 2
    assert "no right to publish under somebody" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert prepare("--private") == 0
    assert hub_client.hub.repos["datasets", "me/music"].private
    invalid = ValidationReport("out")
    invalid.fault("a piece in two splits")
    monkeypatch.setattr("pianalysis.dataset.validation.validate", lambda _: invalid)
    assert prepare(repo="me/leaky") == 2
    assert "not published: the dataset is not valid" in capsys.readouterr().err
    assert ("datasets", "me/leaky") not in hub_client.hub.repos


def test_a_folder_of_ones_own_says_so_in_its_card(hub_client, tmp_path):
    (tmp_path / "mine").mkdir()
    for number in range(3, 9):
        (tmp_path / "mine" / f"{number}.mid").write_bytes(song(number))
    argv = ["prepare", "--corpus", "folder", "--root", str(tmp_path / "mine"), "--output", str(tmp_path / "out")]
    assert main(argv) == 0
    card = (tmp_path / "out" / "README.md").read_text()
    assert "A folder of MIDI files" in card
    assert "license:\n- unknown" in card
    assert not re.search("POP909:|Lieder Corpus|openscore", card)

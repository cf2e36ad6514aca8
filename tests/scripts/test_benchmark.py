from __future__ import annotations

import json
import sys

import pytest
from conftest import ROOT
from corpus import make_pop909

from pianalysis.dataset.building import BuildOptions, build_dataset
from pianalysis.dataset.card import scale_section
from pianalysis.dataset.sources import CorpusSource

MIDITOK = """
class Track:
    ids = [1, 2, 3]


class REMI:
    def __call__(self, path):
        assert path.read_bytes().startswith(b"MThd")
        return [Track(), Track()]
"""


@pytest.fixture
def corpus(tmp_path):
    return make_pop909(tmp_path / "corpus")


def test_ours_and_miditok_are_measured_on_the_same_songs(script, forks, corpus, tmp_path, monkeypatch, capsys):
    forks(script("benchmark"))
    (tmp_path / "lib" / "miditok-9.9.dist-info").mkdir(parents=True)
    (tmp_path / "lib" / "miditok.py").write_text(MIDITOK)
    (tmp_path / "lib" / "miditok-9.9.dist-info" / "METADATA").write_text("Name: miditok\nVersion: 9.9\n")
    monkeypatch.setattr("pianalysis.dataset.sources.SPLITS_FOLDER", tmp_path)
    (tmp_path / "pop909.json").write_text((tmp_path / "corpus" / "splits.json").read_text())
    monkeypatch.setattr(sys, "path", [*sys.path])
    argv = ["dataset", "--root", corpus[0], "--limit", "2", "--num-proc", "1", "--rounds", "1"]
    argv += ["--miditok", str(tmp_path / "lib"), "--work-dir", str(tmp_path), "--json", str(tmp_path / "b.json")]
    assert script("benchmark").main(argv) == 0
    sys.modules.pop("miditok", None)
    results = json.loads((tmp_path / "b.json").read_text())
    assert results["miditok"]["version"] == "9.9"
    assert results["miditok"]["tokens"] == 2 * 2 * 3
    assert [run["files"] for run in results["memory"]["runs"]] == [2, 20]
    assert [run["windows"] for run in results["memory"]["runs"]] == [6, 60]
    assert results["song_seconds"] == pytest.approx(40, abs=4)
    assert all(50 < run["peak_mb"] < 4_000 for run in results["memory"]["runs"])
    assert results["memory"]["growth"] < 1.5
    table = capsys.readouterr().out
    assert "MidiTok 9.9, REMI" in table
    assert f"{results['ratio']['windows']:.2f} × MidiTok" in table
    assert f"| ratio | {results['ratio']['windows']:.2f} |" in scale_section(results)


def test_without_miditok_one_sentence_says_what_to_install(script, corpus, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "miditok", None)
    assert script("benchmark").main(["dataset", "--root", corpus[0]]) == 2
    assert "pip install --no-deps --target DIR miditok" in capsys.readouterr().err


FIGURES = {
    "songs": 815,
    "song_seconds": 240.0,
    "processes": 2,
    "cores": 2,
    "windows": {"files_per_second": 120.0},
    "miditok": {"files_per_second": 60.0},
    "ratio": {"windows": 2.0},
    "build": {"files_per_second": 50.0, "bytes_per_file": 40_000.0},
    "memory": {"runs": [{"files": 815, "peak_mb": 300.0}, {"files": 8_150, "peak_mb": 310.0}]},
}


def test_what_a_million_files_cost_is_reckoned_by_hand():
    text = scale_section(FIGURES)
    assert "| **a million files** | 6 hours, 40 GB of parquet" in text  # 20,000 s; 40,000 bytes each
    assert "peak memory of one process, 8,150 files" in text.replace(
        "… ten times as many", "peak memory of one process"
    )


def test_the_card_is_written_from_a_build_and_a_benchmark(script, corpus, tmp_path, capsys):
    build_dataset(BuildOptions((CorpusSource("pop909", *corpus),)), tmp_path / "out")
    (tmp_path / "b.json").write_text(json.dumps(FIGURES))
    argv = ["--dataset", str(tmp_path / "out"), "--benchmark", str(tmp_path / "b.json"), "--repo-id", "me/music"]
    write = script("write_dataset_card").main
    assert write([*argv, "--output", str(tmp_path / "card.md")]) == 0
    card = (tmp_path / "card.md").read_text()
    published = (tmp_path / "out" / "README.md").read_text()
    picture = "![density, dynamics, round-trip errors, tokens in use](build_report.png)\n\n"
    assert card.startswith(published.replace("ORG/NAME", "me/music").replace(picture, "").rstrip() + "\n")
    assert card.endswith("\n" + scale_section(FIGURES))
    assert write(["--dataset", str(tmp_path), "--output", str(tmp_path / "none.md")]) == 2
    assert "expected a finished build" in capsys.readouterr().err


def test_the_repositorys_own_card_was_filled_by_code():
    from huggingface_hub import DatasetCard

    card = DatasetCard.load(ROOT / "dataset_card.md")
    assert {config["config_name"] for config in card.data.configs} == {"windows", "notes"}
    assert card.data.license == ["cc-by-4.0", "cc0-1.0", "mit", "other"]
    for words in ("a million files", "round-trip error", "POP909 | train |", "key_shift", "density terciles"):
        assert words in card.text
    assert not {"{{", "{%", "More Information Needed"} & set(card.text.split())


def test_our_training_step_is_measured_beside_a_plain_loop(script, forks, tmp_path, capsys):
    forks(script("benchmark_training"))
    argv = ["training", "--model", "tiny", "--batch-size", "2", "--length", "64", "--steps", "2", "--rounds", "1"]
    assert script("benchmark").main([*argv, "--cpu", "--json", str(tmp_path / "t.json")]) == 0
    (row,) = json.loads((tmp_path / "t.json").read_text())["training"]
    assert row["ratio"] == pytest.approx(row["ours_tokens_per_second"] / row["loop_tokens_per_second"])
    assert row["ours_tokens_per_second"] > 10
    assert 100 < row["ours_peak_mb"] < 4_000
    assert f"| {row['ratio']:.2f} | {row['ours_peak_mb']:,.0f} |" in capsys.readouterr().out

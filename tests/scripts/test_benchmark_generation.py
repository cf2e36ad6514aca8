"""The stage `generation` of the benchmark, on the tiny model; its table by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pianalysis.model.gpt2 import BUNDLED
from pianalysis.model.weights import read_weights


def test_the_engine_is_measured_beside_the_plain_ways(script, forks, tmp_path, capsys, monkeypatch):
    """Over windows of four seconds."""
    generation = script("benchmark_generation")
    forks(generation)
    for name, few in (("WINDOW_SECONDS", 4.0), ("UNCACHED_STEPS", 2), ("READ_BYTES", 2**22), ("COLD_SECONDS", 4)):
        monkeypatch.setattr(generation, name, few)
    argv = ["generation", "--model", "tiny", "--rounds", "1", "--seconds", "4", "--json", str(tmp_path / "g.json")]
    assert script("benchmark").main(argv) == 0
    results = json.loads((tmp_path / "g.json").read_text())["generation"]
    ways = results["ways"]
    assert set(ways) == {
        *("generate ×1", "generate ×4", "plain loop ×1", "no cache ×1"),
        *(f"engine {precision} ×{rows}" for precision in ("float32", "int8") for rows in (1, 4)),
    }
    assert all(way["tokens_per_second"] > 0 and way["music_per_second"] > 0 for way in ways.values())
    assert ways["engine float32 ×1"]["tokens_per_second"] > ways["generate ×1"]["tokens_per_second"]
    assert results["limit_tokens_per_second"]["int8"] == pytest.approx(
        4 * results["limit_tokens_per_second"]["float32"]
    )
    (piece,) = results["pieces"]
    assert piece["music_per_second"] == pytest.approx(4 / piece["seconds"])
    assert piece["notes"] > 0
    assert 50 < piece["peak_mb"] < 2_000
    assert 0 < results["first_notes_seconds"] < results["cold_seconds"]
    assert script("benchmark_generation").generation_table(results) in capsys.readouterr().out


def test_weights_are_named_and_the_bundled_ones_by_default(script, tmp_path):
    benchmark = script("benchmark_generation")
    folder = benchmark.checkpoint(None, tmp_path)
    assert folder == BUNDLED
    digest = read_weights().digest()
    tokens = sum(run["tokens"] for run in json.loads(Path(BUNDLED, "training.json").read_text())) / 1e6
    named = benchmark.name_weights(None, folder)
    assert named.startswith("the bundled checkpoint: ")
    assert named.endswith(f"M parameters, trained on {tokens:,.0f} M tokens, digest {digest}")
    untrained = benchmark.name_weights("tiny", benchmark.checkpoint("tiny", tmp_path / "model"))
    assert untrained.startswith("a tiny: 0.")
    assert "without training" in untrained
    assert benchmark.name_weights(str(tmp_path / "model"), str(tmp_path / "model")).startswith("model: ")


def test_the_table_by_hand(script):
    results = {
        **{"model": None, "weights": "somebody, digest 0123", "cores": 2, "machine": "x86_64", "threads": 1},
        "ways": {"engine int8 ×1": {"tokens_per_second": 500.0, "music_per_second": 20.0}},
        "tokens_per_music_second": 25.0,
        "limit_tokens_per_second": {"float32": 250.0, "int8": 1_000.0},
        **{"first_notes_seconds": 0.25, "one_take_seconds": 2.0, "four_takes_ratio": 1.5, "cold_seconds": 4.0},
        "pieces": [{"music_seconds": 960, "seconds": 64.0, "music_per_second": 15.0, "peak_mb": 400.4}],
    }
    table = script("benchmark_generation").generation_table(results)
    assert table.splitlines()[0] == (
        "`scripts/benchmark.py generation` on 2 cores (x86_64), 1 thread for the plain ways, one for the engine. "
        "The weights are those of somebody, digest 0123."
    )
    for line in (
        "| engine int8 ×1 | 500 | 20.0 |",
        "| limit: reading the int8 weights once a token | 1,000 | 40.0 |",
        "| 16 min | 64.0 s | 15.0 | 400 MB |",
    ):
        assert line in table.splitlines()
    assert "after 0.25 s; 30 s of melody take 2.0 s, four takes of it 1.50 × that" in table

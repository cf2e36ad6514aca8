"""The recipes in scripts/ that make pictures and cards, on tiny models."""

from __future__ import annotations

import copy
import json
import re
import shutil
from dataclasses import replace

import pytest
import torch
from easy_music import write_windows
from safetensors.torch import load_file

from pianalysis.model.gpt2 import load_model
from pianalysis.publishing.corpora_facts import CORPORA
from pianalysis.publishing.records import read_records
from pianalysis.training.runs import RunOptions, train


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_windows(tmp_path_factory.mktemp("easy"), train=16)


def test_overfitting_is_shown_in_a_picture(script, tmp_path, capsys):
    few = write_windows(tmp_path / "few", train=8)
    argv = ["--dataset", str(few), "--output-dir", str(tmp_path / "runs"), "--image", str(tmp_path / "o.png")]
    argv += [
        "--model",
        "tiny",
        "--max-steps",
        "200",
        "--eval-steps",
        "10",
        "--learning-rate",
        "0.02",
        "--patience",
        "2",
    ]
    assert script("show_overfitting").main(argv) == 0
    assert (tmp_path / "o.png").read_bytes().startswith(b"\x89PNG")
    (plain,), (augmented,) = (read_records(tmp_path / "runs" / number / "best") for number in ("1", "2"))
    assert plain.options["transpose"] == "none"
    assert augmented.options["tempo_share"] == 0.2
    assert plain.steps < 200  # early stopping ended it
    said = capsys.readouterr().out
    assert f"stopped at step {plain.steps}" in said
    assert f"{plain.best_nats_per_note:.3f} nats per note at its best" in said


def test_a_run_is_bundled_with_its_history_and_figures(script, dataset, tmp_path, capsys):
    first = RunOptions(
        str(dataset), str(tmp_path / "first"), model="tiny", max_steps=4, eval_steps=2, cpu=True, threads=1
    )
    before = train(first).folder
    second = RunOptions(str(dataset), str(tmp_path / "second"), model=str(before), max_steps=4, eval_steps=2, cpu=True)
    best = train(second).folder
    assert [record.steps for record in read_records(best)] == [4, 4]
    row = {"nats_per_note": 5.25, "bits_per_second": 41.0, "windows": 8, "notes": 96}
    likelihood = {f"{corpus}/test": {"model": row, "unigram": row, "untrained": row} for corpus in [*CORPORA][:2]}
    (tmp_path / "likelihood.json").write_text(json.dumps(likelihood))
    argv = ["--model", str(best), "--likelihood", str(tmp_path / "likelihood.json"), "--dataset", str(dataset)]
    run = {"name": "base", "learning_rate": 0.003, "batch_size": 8, "steps": 9, "tokens": 7e5, "minutes": 1.5}
    search = {"model": "tiny", "windows": 7, "how": "by hand", "runs": [run | {"nats_per_note": 4.0}]}
    search["runs"].append(run | {"name": "AdamW", "nats_per_note": 3.75})
    (tmp_path / "search.json").write_text(json.dumps(search))
    step = {"model": "tiny", "batch_size": 16, "length": 1024, "threads": 2, "bf16": False, "device": "2 cores"}
    step |= {"ours_tokens_per_second": 4500.2, "loop_tokens_per_second": 3000.1, "ratio": 1.5}
    (tmp_path / "speed.json").write_text(json.dumps({"training": [step | {"ours_peak_mb": 99, "loop_peak_mb": 98}]}))
    argv += ["--search", str(tmp_path / "search.json"), "--speed", str(tmp_path / "speed.json")]
    argv += ["--output", str(tmp_path / "bundle"), "--card", str(tmp_path / "card.md"), "--note", "Mind the gap."]
    assert script("bundle_checkpoint").main(argv) == 0
    assert "in float16" in capsys.readouterr().out
    assert script("bundle_checkpoint").main(argv) == 2  # as after a run that got no better, whose best it began with
    assert "doesn't have yet, found the same" in capsys.readouterr().err
    stored = load_file(tmp_path / "bundle" / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    assert load_model(tmp_path / "bundle").num_parameters() == load_model(best).num_parameters()
    third = replace(second, model=str(tmp_path / "bundle"), output_dir=str(tmp_path / "third"))
    assert load_model(train(third).folder).dtype == torch.float32  # a half-precision model is gone on with in full
    card = (tmp_path / "card.md").read_text()
    assert "| POP909, test | 8 | 96 | 5.25 | 5.25 | 5.25 | 41.0 |" in card
    assert "value: 5.25" in card
    assert "Mind the gap." in card
    assert "**Size:** the preset `tiny`." in card
    assert "| AdamW | 0.003 | 8 | 9 | 0.70 | 3.750 | -0.250 |\n| base |" in card
    assert "(`scripts/benchmark.py training`; 2 cores, 2 threads, float32, not compiled;" in card
    assert "`tiny`, by hand,\nthe rate" in card
    assert "| tiny | 16 | 1,024 | 4,500 | 3,000 | 1.50 | 99 | 98 |" in card
    assert re.findall(r"^pianalysis train .*--output-dir (\S+) --model (\S+)", card, re.MULTILINE) == [
        ("runs/first", "tiny"),
        ("runs/second", "runs/first/best"),
    ]
    assert "](bundle/training_curves.png)" in card
    assert "overfitting.png" not in card
    assert "{{" not in card


def test_a_bundle_that_half_precision_spoils_is_not_written(script, dataset, tmp_path, capsys, monkeypatch):
    options = RunOptions(str(dataset), str(tmp_path / "run"), model="tiny", max_steps=2, eval_steps=2, cpu=True)
    best = train(options).folder
    (tmp_path / "likelihood.json").write_text("{}")
    argv = ["--model", str(best), "--likelihood", str(tmp_path / "likelihood.json"), "--dataset", str(dataset)]
    argv += ["--output", str(tmp_path / "bundle")]
    bundle = script("bundle_checkpoint")
    monkeypatch.setattr(bundle, "MOST_LOST", -1)
    assert bundle.main(argv) == 2
    assert "nothing was written" in capsys.readouterr().err
    model = load_model(best)
    with torch.no_grad():
        model.transformer.h[0].mlp.c_fc.weight[0, 0] = 1e6  # float16 ends at 65,504
    model.save_pretrained(best)
    assert bundle.main(argv) == 2
    assert "the tensor h.0.mlp.c_fc.weight has values that are NaN or infinite" in capsys.readouterr().err
    assert not (tmp_path / "bundle").exists()


def test_a_search_runs_each_setting_once_and_goes_on(script, dataset, tmp_path, capsys):
    argv = ["--dataset", str(dataset), "--output-dir", str(tmp_path / "s"), "--model", "tiny", "--max-steps", "8"]
    argv += ["--cpu", "--threads", "1", "--only", "base", "each piece in C major or A minor", "half the batch"]
    argv += ["--seeds", "2", "--json", str(tmp_path / "s.json")]
    search = script("search_settings")
    assert search.main(argv) == 0
    results = {row["name"]: row for row in json.loads((tmp_path / "s.json").read_text())["runs"]}
    assert [*results] == ["base", "base, seed 1", "each piece in C major or A minor", "half the batch"]
    assert results["half the batch"]["steps"] == 16
    assert results["half the batch"]["batch_size"] == 4
    assert results["base, seed 1"]["nats_per_note"] != results["base"]["nats_per_note"]
    table = capsys.readouterr().out
    assert f"| {results['base']['nats_per_note']:.3f} | +0.000 |" in table
    assert search.main(argv) == 0  # nothing is trained again
    assert table.splitlines()[-6:] == capsys.readouterr().out.splitlines()
    assert search.main([*argv[:6], "--only", "luck"]) == 2


@pytest.fixture(scope="module")
def off_by_noise(dataset, tmp_path_factory):
    """Weights of a trained model; and a run and the one it went on from whose weights are off them by the same noise."""
    root = tmp_path_factory.mktemp("noise")
    options = RunOptions(str(dataset), str(root / "1"), model="tiny", max_steps=60, eval_steps=30, cpu=True, threads=1)
    first = train(replace(options, learning_rate=1e-2, warmup_steps=2, decay_steps=30)).folder
    second = train(replace(options, output_dir=str(root / "2"), model=str(first), max_steps=2, eval_steps=2)).folder
    trained = load_model(second)
    for folder, sign in ((second, 1), (first, -1)):
        model, generator = copy.deepcopy(trained), torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(sign * 0.05 * torch.randn(parameter.shape, generator=generator))
        model.save_pretrained(folder)
    return trained.state_dict(), second, first


def averaging(dataset, output, *models):
    return ["--models", *map(str, models), "--dataset", str(dataset), "--output-dir", str(output)]


def test_an_average_that_is_better_is_a_checkpoint_with_its_history(script, dataset, off_by_noise, tmp_path, capsys):
    trained, second, first = off_by_noise
    argv = averaging(dataset, tmp_path / "averaged", second, first)
    assert script("average_checkpoints").main([*argv, "--shares", "0.9", "0.1", "--shares", "0.5", "0.5"]) == 0
    *_, last = capsys.readouterr().out.splitlines()
    averaged = load_model(tmp_path / "averaged").state_dict()
    for name, weights in trained.items():
        torch.testing.assert_close(averaged[name], weights, rtol=0, atol=1e-6)
    *earlier, record = read_records(tmp_path / "averaged")
    assert [*earlier, replace(record, after="", after_nats_per_note=None)] == read_records(second)
    assert last == f"{record.after_nats_per_note:.4f} nats per note: average by 0.5 0.5"
    assert "--models runs/2/best runs/1/best --shares 0.5 0.5 --dataset data/" in record.after
    card = (tmp_path / "averaged" / "README.md").read_text()
    assert record.after in card
    assert f"value: {record.after_nats_per_note:.3f}".rstrip("0") in card
    assert f"{record.after_nats_per_note:.3f} nats per note instead of" in card
    assert {file.name for file in second.iterdir()} >= {file.name for file in (tmp_path / "averaged").iterdir()}
    assert script("average_checkpoints").main([*argv, "--shares", "0.5", "0.5"]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("models", "shares", "said"),
    [
        ("21", "0.5 0.4", "add to 1"),
        ("21", "nan nan", "add to 1"),
        ("21", "1", "2 shares"),
        ("21", "1 0", "nothing is written"),
        ("12", "0.5 0.5", "went on from"),
        ("22", "0.5 0.5", "went on from"),
        ("0", "1", "expected the `best` folder"),
        ("20", "0.5 0.5", "went on from"),
    ],
)
def test_averages_that_are_no_use_are_not_written(
    script, dataset, off_by_noise, tmp_path, capsys, models, shares, said
):
    _, second, first = off_by_noise
    folders = {"0": tmp_path / "none", "1": first, "2": second}
    argv = averaging(dataset, tmp_path / "averaged", *(folders[number] for number in models))
    assert script("average_checkpoints").main([*argv, "--shares", *shares.split()]) == 2
    assert said in capsys.readouterr().err
    assert not [*tmp_path.iterdir()]


def test_averages_want_a_dataset_and_models_of_one_kind(script, dataset, off_by_noise, tmp_path, capsys):
    _, second, first = off_by_noise
    shares = ["--shares", "0.5", "0.5"]
    assert (
        script("average_checkpoints").main([*averaging(tmp_path / "no", tmp_path / "a", second, first), *shares]) == 2
    )
    assert "expected a dataset" in capsys.readouterr().err
    other = shutil.copytree(first, tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"normalises_key": True}))
    assert script("average_checkpoints").main([*averaging(dataset, tmp_path / "a", second, other), *shares]) == 2
    assert "one way of transposing" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()

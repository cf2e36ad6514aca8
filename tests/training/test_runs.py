"""Training runs, whole: they learn, stop, go on after a kill, refuse what can't work, and leave nothing half-written."""

from __future__ import annotations

import json
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from easy_music import write_windows
from forked import Forked
from safetensors.torch import load_file

from pianalysis.dataset.rows import load_windows
from pianalysis.model.gpt2 import load_model
from pianalysis.model.weights import read_weights
from pianalysis.publishing.records import read_records
from pianalysis.training.checkpoints import MANIFEST, checkpoints_in, damage
from pianalysis.training.likelihood import model_likelihood
from pianalysis.training.runs import RunOptions, train


@pytest.fixture(scope="module")
def easy_dataset(tmp_path_factory):
    return write_windows(tmp_path_factory.mktemp("easy"))


def easy_options(dataset: Path, output_dir: Path) -> RunOptions:
    """A run of seconds that learns the easy music."""
    return RunOptions(
        dataset=str(dataset),
        output_dir=str(output_dir),
        model="tiny",
        batch_size=8,
        learning_rate=1e-2,
        optimizer="muon",
        warmup_steps=2,
        decay_steps=20,
        max_steps=40,
        eval_steps=10,
        dropout=0.1,
        cpu=True,
        threads=1,
    )


@pytest.fixture
def options(easy_dataset, tmp_path):
    return easy_options(easy_dataset, tmp_path / "run")


@pytest.fixture(scope="module")
def whole(easy_dataset, tmp_path_factory):
    """That run from its beginning to its end; nothing may be changed in it."""
    return train(easy_options(easy_dataset, tmp_path_factory.mktemp("whole") / "run"))


def copy_of(whole, folder: Path) -> Path:
    """The whole run's folder, to be spoilt, without what it made in the end."""
    shutil.copytree(whole.folder.parent, folder)
    shutil.rmtree(folder / "best")
    return folder


def arguments(options: RunOptions) -> list[str]:
    """The same as a command's arguments."""
    words = []
    for name, value in vars(options).items():
        if value is True:
            words.append(f"--{name.replace('_', '-')}")
        elif value is not None and value is not False:
            words += [f"--{name.replace('_', '-')}", str(value)]
    return words


def start(options: RunOptions, **more) -> Forked:
    """The run in a process of its own; what it says lies beside its folder."""
    return Forked(["train", *arguments(options)], Path(options.output_dir + ".log"), **more)


def weights(folder: str | Path) -> dict[str, torch.Tensor]:
    return load_file(Path(folder) / "model.safetensors")


def assert_same_weights(one: str | Path, other: str | Path) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_training_learns_reports_and_records(whole, options, tiny_model):
    result = whole
    state = json.loads((result.folder / "trainer_state.json").read_text())
    values = [entry["eval_nats_per_note"] for entry in state["log_history"] if "eval_nats_per_note" in entry]
    validation = load_windows(options.dataset, "validation")
    assert values[-1] < model_likelihood(tiny_model, validation).nats_per_note / 2
    assert result.nats_per_note == min(values)
    # what the Trainer reports is what the metric, window by window, gives for the saved weights
    best = model_likelihood(load_model(result.folder), validation)
    assert best.nats_per_note == pytest.approx(min(values), rel=1e-4)
    assert (result.folder / "generation_config.json").exists()
    (record,) = read_records(result.folder)
    assert record.steps == 40
    assert record.tokens == state["num_input_tokens_seen"] > 10_000
    assert f"{result.nats_per_note:.3f}" in (result.folder / "README.md").read_text()
    assert checkpoints_in(result.folder.parent)
    for checkpoint in checkpoints_in(result.folder.parent):
        assert damage(checkpoint) == ""
        assert json.loads((checkpoint / "generation_config.json").read_text())["top_k"] == 50
        assert (checkpoint / "tokenizer.json").exists()


def test_a_run_on_windows_with_chords_makes_a_model_that_plays_them(options, tmp_path):
    dataset = write_windows(tmp_path / "chords", chords=True)
    result = train(replace(options, dataset=str(dataset)))
    model, validation = load_model(result.folder), load_windows(str(dataset), "validation")
    assert model.config.plays_chords
    assert read_weights(result.folder).plays_chords
    # Given the chords it foresees the accompaniment, and what the Trainer reports leaves lead sheets out.
    with_chords = model_likelihood(model, validation)
    assert with_chords.windows < len(validation)
    assert with_chords.nats_per_note == pytest.approx(result.nats_per_note, rel=1e-4)
    state = json.loads((result.folder / "trainer_state.json").read_text())
    best = min(state["log_history"], key=lambda entry: entry.get("eval_nats_per_note", np.inf))
    assert with_chords.bits_per_second == pytest.approx(best["eval_bits_per_second"], rel=1e-4)
    model.config.plays_chords = False
    assert model_likelihood(model, validation).nats_per_note > with_chords.nats_per_note


def test_a_run_without_chords_makes_a_model_without(options):
    result = train(replace(options, max_steps=2, eval_steps=2))
    assert load_model(result.folder).config.plays_chords is False
    assert not read_weights(result.folder).plays_chords
    configuration = json.loads((result.folder / "config.json").read_text())
    del configuration["plays_chords"]  # as models of before chords came have it
    (result.folder / "config.json").write_text(json.dumps(configuration))
    assert not read_weights(result.folder).plays_chords
    assert load_model(result.folder).config.plays_chords is False


def test_a_run_stopped_by_its_time_limit_reaches_the_same_weights(whole, options, tmp_path):
    halves = replace(options, output_dir=str(tmp_path / "halves"))
    train(replace(halves, time_limit=0.0))
    assert [item.name for item in checkpoints_in(tmp_path / "halves")] == ["checkpoint-1"]
    again = train(replace(halves, resume=True))
    assert_same_weights(whole.folder, again.folder)
    assert again.nats_per_note == whole.nats_per_note


def test_a_run_asked_to_end_saves_a_checkpoint_and_reaches_the_same_weights(whole, options, tmp_path):
    ended = replace(options, output_dir=str(tmp_path / "ended"))
    process = start(ended)
    while process.is_running and not (tmp_path / "ended" / "checkpoint-10").exists():
        time.sleep(0.001)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 0, process.output
    newest = checkpoints_in(tmp_path / "ended")[0]
    assert damage(newest) == ""
    assert f"the time is over at step {newest.name.removeprefix('checkpoint-')}; go on with --resume" in process.output
    assert newest.name != "checkpoint-40"
    assert_same_weights(whole.folder, train(replace(ended, resume=True)).folder)


@pytest.mark.parametrize("moment", ["step", "checkpoint"])
def test_a_killed_run_reaches_the_same_weights(whole, options, tmp_path, moment):
    killed = replace(options, output_dir=str(tmp_path / "killed"))
    process = start(killed)
    half_written = tmp_path / "killed" / "checkpoint-20" / ("model.safetensors" if moment == "checkpoint" else MANIFEST)
    while process.is_running and not half_written.exists():
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "best").exists()
    assert bool(damage(tmp_path / "killed" / "checkpoint-20")) == (moment == "checkpoint")
    again = train(replace(killed, resume=True))
    assert_same_weights(whole.folder, again.folder)


def test_a_damaged_newest_checkpoint_is_said_and_the_one_before_used(whole, options, tmp_path, capsys):
    spoilt = copy_of(whole, tmp_path / "spoilt")
    newest, before = checkpoints_in(spoilt)[:2]
    data = bytearray((newest / "optimizer.pt").read_bytes())
    data[len(data) // 2] ^= 1
    (newest / "optimizer.pt").write_bytes(data)
    capsys.readouterr()
    again = train(replace(options, output_dir=str(spoilt), resume=True))
    said = capsys.readouterr().err
    assert f"{newest} is damaged: optimizer.pt is not what was written" in said
    assert before.exists()
    assert_same_weights(whole.folder, again.folder)


def test_a_full_disk_gives_one_error_and_keeps_the_last_good_checkpoint(options, tmp_path):
    full = replace(options, output_dir=str(tmp_path / "full"))
    train(replace(full, max_steps=10))
    # no file may grow as large as the optimizer's
    limit = (checkpoints_in(tmp_path / "full")[0] / "optimizer.pt").stat().st_size - 1_000
    shutil.rmtree(tmp_path / "full" / "best")
    process = start(replace(full, resume=True), largest_file=limit)
    assert process.wait() == 2
    output = process.output
    (error,) = [line for line in output.splitlines() if line.startswith("pianalysis: error:")]
    assert "checkpoint-20: can't be written" in error
    assert "checkpoint-10" in error
    assert "Traceback" not in output
    assert [item.name for item in checkpoints_in(tmp_path / "full")] == ["checkpoint-10"]
    assert damage(tmp_path / "full" / "checkpoint-10") == ""


def losses(folder: Path) -> list[float]:
    state = json.loads((folder / "best" / "trainer_state.json").read_text())
    return [entry[key] for entry in state["log_history"] for key in ("loss", "eval_loss") if key in entry]


def test_accumulated_batches_are_one_batch(options, tmp_path):
    exact = replace(options, transpose="random", dropout=0.0, max_steps=20)
    train(exact)
    train(replace(exact, output_dir=str(tmp_path / "parts"), accumulate=4))
    whole = losses(Path(exact.output_dir))
    assert len(whole) >= 4
    assert losses(tmp_path / "parts") == pytest.approx(whole, rel=1e-4)


def test_a_finished_run_is_only_saved_again(whole, options, tmp_path):
    steps = [item.name for item in checkpoints_in(whole.folder.parent)]
    again = train(replace(options, output_dir=str(copy_of(whole, tmp_path / "copy")), resume=True))
    assert [item.name for item in checkpoints_in(tmp_path / "copy")] == steps
    assert_same_weights(whole.folder, again.folder)
    assert again.nats_per_note == whole.nats_per_note
    assert model_likelihood(load_model(again.folder), load_windows(options.dataset, "validation")).nats_per_note == (
        pytest.approx(again.nats_per_note, rel=1e-4)
    )


def test_the_melodys_weight_does_not_change_what_is_measured(options, tmp_path):
    first = [
        train(replace(options, output_dir=str(tmp_path / str(weight)), melody_weight=weight, max_steps=1, eval_steps=1))
        for weight in (0.0, 0.2, 1.0)
    ]
    # after one warm-up step the weights are nearly the same, and so must the measure be
    assert [result.nats_per_note for result in first] == pytest.approx([first[0].nats_per_note] * 3, rel=0.02)


def test_early_stopping_stops_what_overfits(tmp_path):
    few = write_windows(tmp_path / "few", train=8)
    run = RunOptions(
        dataset=str(few),
        output_dir=str(tmp_path / "run"),
        model="tiny",
        batch_size=8,
        learning_rate=2e-2,
        transpose="none",
        max_steps=2_000,
        eval_steps=20,
        patience=2,
        cpu=True,
        threads=1,
    )
    result = train(run)
    state = json.loads((result.folder / "trainer_state.json").read_text())
    values = [entry["eval_nats_per_note"] for entry in state["log_history"] if "eval_nats_per_note" in entry]
    assert state["global_step"] < 2_000
    # resumed after its first worse evaluation, it waits for one more, not for two
    for checkpoint in checkpoints_in(tmp_path / "run")[:1]:
        shutil.rmtree(checkpoint)
    again = train(replace(run, resume=True))
    resumed = json.loads((again.folder / "trainer_state.json").read_text())
    assert resumed["global_step"] == state["global_step"]
    assert again.nats_per_note == result.nats_per_note
    assert values[-1] > min(values) == result.nats_per_note
    assert model_likelihood(load_model(result.folder), load_windows(str(few), "validation")).nats_per_note == (
        pytest.approx(min(values), rel=1e-4)
    )


def test_training_keeps_the_memory_that_it_frees(options, monkeypatch):
    asked: list[bool] = []
    monkeypatch.setattr("pianalysis.training.runs.keep_freed_memory", lambda: asked.append(True))
    train(replace(options, max_steps=1, eval_steps=1))
    assert asked

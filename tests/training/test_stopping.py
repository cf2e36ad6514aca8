"""When runs end: the patience that begins the decay, the value of the model begun with, processes that stop together."""

from __future__ import annotations

import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from easy_music import write_windows
from forked import Forked
from test_runs import arguments, assert_same_weights, easy_options, losses
from transformers import TrainerControl, TrainerState, TrainingArguments, get_scheduler

from pianalysis.publishing.records import read_records
from pianalysis.training.checkpoints import checkpoints_in
from pianalysis.training.runs import RunOptions, train
from pianalysis.training.stopping import Patience, is_finished


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Eight windows: soon overfitted."""
    return write_windows(tmp_path_factory.mktemp("few"), train=8)


@pytest.fixture
def options(few, tmp_path):
    return RunOptions(
        dataset=str(few),
        output_dir=str(tmp_path / "run"),
        model="tiny",
        batch_size=8,
        learning_rate=2e-2,
        transpose="none",
        warmup_steps=2,
        decay_steps=40,
        max_steps=1_000,
        eval_steps=10,
        patience=2,
        cpu=True,
        threads=1,
    )


def saved_state(folder: Path) -> TrainerState:
    return TrainerState.load_from_json(str(folder / "trainer_state.json"))


def make_patience(tmp_path, schedule, **kwargs):
    """A `Patience` of two evaluations on a schedule of 1,000 steps, and what it is called with."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = get_scheduler(schedule, optimizer, 10, 1_000, scheduler_specific_kwargs=kwargs)
    arguments = TrainingArguments(
        str(tmp_path), load_best_model_at_end=True, eval_strategy="steps", save_strategy="steps", eval_steps=1,
        save_steps=1, metric_for_best_model="nats", greater_is_better=False, use_cpu=True,
    )  # fmt: skip
    state, control = TrainerState(max_steps=1_000), TrainerControl()
    patience = Patience(2)
    patience.on_train_begin(arguments, state, control, lr_scheduler=scheduler)
    return patience, (arguments, state, control), scheduler


def evaluate(patience, given, scheduler, step, value):
    """An evaluation as the trainer makes it: callbacks first, then its own note of the best."""
    _, state, control = given
    state.global_step = step
    patience.on_evaluate(*given, {"eval_nats": value}, lr_scheduler=scheduler)
    if step and (state.best_metric is None or value < state.best_metric):
        state.best_metric, state.best_global_step = value, step
    return control.should_training_stop


def test_in_the_flat_part_patience_begins_the_decay_and_in_the_decay_it_ends_the_run(tmp_path):
    patience, given, scheduler = make_patience(tmp_path, "warmup_stable_decay", num_decay_steps=100)
    assert [evaluate(patience, given, scheduler, step, 5.0) for step in (100, 200, 300)] == [False] * 3
    rate = scheduler.lr_lambdas[0]
    assert [rate(step) for step in (299, 300, 350, 400)] == pytest.approx([1, 1, 0.5, 0])
    assert given[1].max_steps == 400
    assert not evaluate(patience, given, scheduler, 320, 4.0)
    assert [evaluate(patience, given, scheduler, step, 4.5) for step in (340, 360)] == [False, True]


def test_without_a_flat_part_patience_ends_the_run(tmp_path):
    patience, given, scheduler = make_patience(tmp_path, "cosine")
    assert [evaluate(patience, given, scheduler, step, 5.0) for step in (100, 200, 300)] == [False, False, True]
    assert given[1].max_steps == 1_000


def test_the_value_before_the_first_step_is_the_one_to_beat(tmp_path):
    patience, given, scheduler = make_patience(tmp_path, "cosine")
    values = [(0, 3.0), (100, 3.1), (200, 3.2)]
    assert [evaluate(patience, given, scheduler, *value) for value in values] == [False, False, True]
    assert given[1].best_global_step is None


def test_a_run_whose_decay_came_early_resumes_to_the_same_weights(options, tmp_path):
    whole = train(options)
    state = saved_state(whole.folder)
    begun = state.stateful_callbacks["Patience"]["attributes"]["decay_from"]
    assert begun is not None
    assert state.global_step <= begun + options.decay_steps < options.max_steps
    assert is_finished(state, options)
    rates = {entry["step"]: entry["learning_rate"] for entry in state.log_history if "learning_rate" in entry}
    assert rates[begun] == pytest.approx(2e-2)
    assert rates[begun + 20] < 1.2e-2
    # Resumed in the decay, or after its end, it is the same run.
    first = replace(options, output_dir=str(tmp_path / "first"))
    shutil.copytree(options.output_dir, first.output_dir)
    shutil.rmtree(Path(first.output_dir) / "best")
    shutil.rmtree(checkpoints_in(Path(first.output_dir))[0])
    again = train(replace(first, resume=True))
    assert_same_weights(whole.folder, again.folder)
    assert saved_state(again.folder).global_step == state.global_step


def test_what_training_did_not_better_stays_as_it_was(options, tmp_path):
    trained = train(options)
    spoiling = replace(options, output_dir=str(tmp_path / "worse"), model=str(trained.folder), learning_rate=0.5)
    result = train(replace(spoiling, max_steps=20))
    assert_same_weights(trained.folder, result.folder)
    assert result.nats_per_note == pytest.approx(trained.nats_per_note, rel=1e-4)
    state = saved_state(result.folder)
    values = {e["step"]: e["eval_nats_per_note"] for e in state.log_history if "eval_nats_per_note" in e}
    assert values[0] == result.nats_per_note < min(values[10], values[20])
    assert state.best_model_checkpoint is None
    # Saved again from its last checkpoint it is the same.
    shutil.rmtree(result.folder)
    assert_same_weights(trained.folder, train(replace(spoiling, max_steps=20, resume=True)).folder)


def launch(run: RunOptions) -> str:
    """A run in two processes, told of each other as torch's launcher tells them; what they said.

    `accelerate launch --cpu --num_processes 2` starts one, unless it starts them by MPI.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    shared |= {"ACCELERATE_USE_CPU": "true", "ACCELERATE_MIXED_PRECISION": "no"}
    processes = [
        Forked(
            ["train", *arguments(run)],
            Path(f"{run.output_dir}.{rank}.log"),
            env=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    assert [process.wait() for process in processes] == [0, 0], processes[0].output[-3_000:]
    if (Path(run.output_dir) / "best").exists():
        assert read_records(Path(run.output_dir) / "best")[0].device == "2 CPU threads"  # one in each process
    return "".join(process.output for process in processes)


def test_two_processes_stop_together_in_an_epoch_and_resume_to_the_same_weights(options, tmp_path):
    """An epoch is eight steps: the run is stopped in its first, and ends in its second."""
    data = write_windows(tmp_path / "data")
    run = replace(options, dataset=str(data), transpose="random", dropout=0.1, max_steps=10, decay_steps=5)
    launch(run)
    halves = replace(run, output_dir=str(tmp_path / "halves"))
    assert launch(replace(halves, time_limit=0.0)).count("the time is over at step 1") == 1
    assert [item.name for item in checkpoints_in(tmp_path / "halves")] == ["checkpoint-1"]
    launch(replace(halves, resume=True))
    best = [Path(item.output_dir) / "best" for item in (run, halves)]
    assert_same_weights(*best)
    logs = [saved_state(folder) for folder in best]
    assert logs[0].global_step == 10
    assert logs[0].num_input_tokens_seen == logs[1].num_input_tokens_seen


def test_two_processes_have_the_loss_curve_of_one(tmp_path):
    data = write_windows(tmp_path / "data")
    one = replace(easy_options(data, tmp_path / "1"), transpose="random", dropout=0.0, max_steps=20, decay_steps=10)
    train(one)
    launch(replace(one, output_dir=str(tmp_path / "2")))
    assert len({read_records(tmp_path / processes / "best")[0].tokens for processes in ("1", "2")}) == 1
    curves = [losses(tmp_path / processes) for processes in ("1", "2")]
    assert len(curves[0]) >= 4
    assert curves[1] == pytest.approx(curves[0], rel=1e-4)

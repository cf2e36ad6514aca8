"""What a run says when it ends: what is on the Hub and what isn't, where the model is, and how to go on."""

from __future__ import annotations

import os
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import datasets
import pytest
from easy_music import write_windows
from test_runs import start
from test_stopping import evaluate, make_patience
from transformers import TrainerState

from pianalysis import hub_errors
from pianalysis.cli.main import main
from pianalysis.errors import PianalysisError
from pianalysis.hub_errors import HubError
from pianalysis.training import ending
from pianalysis.training.checkpoints import checkpoints_in, damage
from pianalysis.training.ending import interrupted_in_words, publish_patiently, push_at_the_end
from pianalysis.training.runs import RunOptions, _say_what_is_validated_on, train

pytest_plugins = ["hub_fixtures"]
REPO = "me/tiny"


@pytest.fixture(scope="module")
def easy(tmp_path_factory):
    return write_windows(tmp_path_factory.mktemp("easy"), train=16)


@pytest.fixture
def options(easy, tmp_path):
    """Four steps."""
    return RunOptions(
        str(easy), str(tmp_path / "run"), model="tiny", batch_size=4, warmup_steps=1, decay_steps=2, max_steps=4,
        eval_steps=2, push_to_hub=REPO, cpu=True, threads=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("songs", "said"), [(1, "6 windows of one song"), (2, "6 windows of 2 songs"), (3, ""), (0, "")]
)
def test_a_run_says_where_it_validates_on_few_songs(capsys, songs, said):
    column = {"piece_id": [str(index % songs) for index in range(6)]} if songs else {"input_ids": [[1]] * 6}
    _say_what_is_validated_on(datasets.Dataset.from_dict(column))
    err = capsys.readouterr().err
    assert said in err
    assert bool(said) == bool(err)


def test_the_beginning_of_the_decay_and_early_stopping_are_said(tmp_path, capsys):
    patience, given, scheduler = make_patience(tmp_path, "warmup_stable_decay", num_decay_steps=100)
    for step in (100, 200, 300):
        evaluate(patience, given, scheduler, step, 5.0)
    fallen = "validation hasn't fallen for 2 evaluations (the best: 5.0000 nats per note, at step 100)"
    assert f"{fallen}: from step 300 on the learning rate falls, to 0 at step 400" in capsys.readouterr().err
    for step in (320, 340):
        evaluate(patience, given, scheduler, step, 5.0)
    assert f"{fallen}: the run ends early, at step 340 of 400" in capsys.readouterr().err


def test_a_planned_decay_is_said_once_when_it_begins(tmp_path, capsys):
    patience, (arguments, state, control), scheduler = make_patience(
        tmp_path, "warmup_stable_decay", num_decay_steps=100
    )
    for state.global_step in range(890, 910):
        patience.on_step_end(arguments, state, control, lr_scheduler=scheduler)
    said = "as planned, from step 900 on the learning rate falls, to 0 at step 1000"
    assert capsys.readouterr().err.count("learning rate") == 1 == said.count("learning rate")


class Hub:
    """A Hub that is gone for some seconds of a clock that only sleeping moves."""

    def __init__(self, back_s, trouble=ConnectionError):
        self.now, self.back, self.waits, self.trouble = 0.0, back_s, [], trouble

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds

    def publish(self, folder, options, *, last):
        if self.now >= self.back:
            return "https://hub/commit/1"
        raise HubError("no connection to the Hub") from self.trouble("refused")


def patiently(hub, options, monkeypatch):
    monkeypatch.setattr(ending, "publish", hub.publish)
    return publish_patiently(Path("runs/x/best"), options, last=True, clock=hub.clock, sleep=hub.sleep)


def test_a_hub_that_is_gone_is_asked_again_for_minutes(options, monkeypatch, capsys):
    hub = Hub(back_s=480)
    assert patiently(hub, options, monkeypatch) == "https://hub/commit/1"
    assert sum(hub.waits) >= 480
    assert hub.waits[:4] == [15, 30, 60, 120]
    said = capsys.readouterr().err.splitlines()
    assert len(said) == len(hub.waits)
    assert all("the model is safe in runs/x/best; trying again in" in line for line in said)


def test_a_hub_that_stays_away_leaves_a_command_that_publishes_later(options, monkeypatch):
    hub = Hub(back_s=1e9)
    with pytest.raises(HubError, match=r"safe in runs/x/best; .* `pianalysis publish runs/x/best me/tiny --tag v1`"):
        patiently(hub, replace(options, tag="v1"), monkeypatch)
    assert sum(hub.waits) == ending.PATIENCE_S >= 5 * 60


def test_what_waiting_does_not_mend_is_said_at_once(options, monkeypatch):
    hub = Hub(back_s=1e9, trouble=KeyError)
    with pytest.raises(HubError, match="the model is safe in"):
        patiently(hub, options, monkeypatch)
    assert not hub.waits


@pytest.mark.parametrize(
    ("stopped", "push_best", "pushed", "evaluated", "said"),
    [
        (False, False, None, True, "pushed to me/tiny: the best (step 2, 3.0000 nats per note)"),
        (True, True, None, True, "pushed to me/tiny: the best so far (step 2, 3.0000 nats per note)"),
        (True, False, None, True, "not pushed to me/tiny: the best so far (step 2, 3.0000 nats per note), in"),
        (True, False, None, True, "nothing of this run is there"),
        (True, False, 4, True, "checkpoint 4 is there"),
        (True, True, 4, False, "as there was no evaluation yet; checkpoint 4 is there"),
    ],
)
def test_what_was_pushed_and_what_not_is_said(
    options, monkeypatch, capsys, stopped, push_best, pushed, evaluated, said
):
    monkeypatch.setattr(ending, "publish", Hub(0).publish)
    state = TrainerState(best_metric=3.0 if evaluated else None, best_global_step=2)
    url = push_at_the_end(replace(options, push_best=push_best), state, stopped=stopped, pushed=pushed)
    err = capsys.readouterr().err
    assert said in err
    assert (url is not None) == (": the best" in err and "not pushed" not in err)


def test_push_best_without_a_place_is_refused(options):
    with pytest.raises(PianalysisError, match="--push-to-hub ORG/NAME"):
        replace(options, push_to_hub=None, push_best=True)


def test_a_finished_run_resumed_makes_no_new_commit(hub_client, options, capsys):
    run = replace(options, tag="v1")
    first = train(run)
    assert "pushed to me/tiny: the best (step" in capsys.readouterr().err
    history = hub_client.history("models", REPO)
    assert history == ["initial commit", "Train: best"]
    again = train(replace(run, resume=True))
    assert again == first
    assert "the run was over, at step 4: nothing is trained" in capsys.readouterr().err
    shutil.rmtree(first.folder)  # and made again, it is the same to the byte
    assert train(replace(run, resume=True, patience=9)) == first
    assert hub_client.history("models", REPO) == history
    shutil.rmtree(run.output_dir)  # on another machine
    with pytest.raises(PianalysisError, match="me/tiny: this run is over, and its model is there already"):
        train(replace(run, resume=True, tag=None))
    assert hub_client.history("models", REPO) == history
    assert train(replace(run, resume=True, tag=None, seed=1)).url  # another run, which may take its place
    assert len(hub_client.history("models", REPO)) == 3


def ticking():
    """A clock that goes on by a second whenever it is looked at."""
    return SimpleNamespace(monotonic=iter(range(10**6)).__next__)


def test_a_run_that_its_time_stops_pushes_its_best_when_asked(hub_client, options, monkeypatch, capsys):
    monkeypatch.setattr("pianalysis.training.stopping.time", ticking())
    stopped = train(
        replace(options, max_steps=100, time_limit=3 / 60)
    )  # the clock's ticks: one when it is made, one a step
    assert stopped.url is None
    said = capsys.readouterr().err
    assert "not pushed to me/tiny: the best so far (step " in said
    assert ("models", REPO) not in hub_client.hub.repos
    asked = replace(options, max_steps=100, resume=True, push_best=True, time_limit=1 / 60, hub_strategy="checkpoint")
    monkeypatch.setattr("pianalysis.training.stopping.time", ticking())
    assert train(asked).url
    assert "pushed to me/tiny: the best so far" in capsys.readouterr().err
    files = hub_client.files("models", REPO)
    assert "last-checkpoint/optimizer.pt" in files  # what --resume needs stays
    assert files["model.safetensors"] == (stopped.folder / "model.safetensors").read_bytes()


def test_a_best_is_published_by_hand_and_its_card_names_the_place(hub_client, options, capsys):
    best = train(replace(options, push_to_hub=None)).folder
    assert main(["publish", str(best), REPO, "--private", "--tag", "v1"]) == 0
    assert f"published: {hub_client.endpoint}/me/tiny/commit/" in capsys.readouterr().out
    assert hub_client.hub.repos["models", REPO].private
    files = hub_client.files("models", REPO)
    assert '"me/tiny"' in files["README.md"].decode()
    assert files["model.safetensors"] == (best / "model.safetensors").read_bytes()
    assert not [name for name in files if name.endswith((".pt", ".pth", ".bin"))]
    assert main(["publish", str(best.parent), REPO]) == 2
    assert f"this is a run's folder: publish {best}" in capsys.readouterr().err
    assert main(["publish", str(best / "none"), REPO]) == 2
    assert "expected a model's folder, found nothing" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="sends a signal as a terminal on Linux does")
def test_ctrl_c_saves_a_checkpoint_and_speaks_of_resume(options, tmp_path):
    run = replace(options, push_to_hub=None, max_steps=2_000, decay_steps=10, eval_steps=2)
    process = start(run)
    while process.is_running and not list(Path(run.output_dir).glob("checkpoint-2")):
        time.sleep(0.005)
    for _ in range(2):  # one key press: the terminal's signal, and that of a launcher
        process.send_signal(signal.SIGINT)
    assert process.wait() == 0, process.output
    output = process.output
    newest = checkpoints_in(Path(run.output_dir))[0]
    assert damage(newest) == ""
    step = newest.name.removeprefix("checkpoint-")
    assert "Ctrl-C: the run ends after the step in hand, with a checkpoint to --resume from" in output
    assert f"stopped by Ctrl-C at step {step}; go on with --resume" in output
    assert "Traceback" not in output
    assert f"the newest checkpoint is {newest}: repeat the command with --resume" in interrupted_in_words(
        run.output_dir
    )


def test_ctrl_c_at_once_says_what_there_is(options, monkeypatch, capsys, tmp_path):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pianalysis.training.runs.train", interrupted)
    argv = ["train", "--dataset", options.dataset, "--output-dir", str(tmp_path / "none"), "--model", "tiny"]
    assert main(argv) == 130
    said = capsys.readouterr().err
    assert "stopped before the first checkpoint was written" in said
    assert "the piece in hand" not in said


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(hub_errors, "FIRST_WAIT_SECONDS", 0.01)

"""The whole loop through a Hub: a dataset there, `accelerate launch`, a model there, `from_pretrained`, a piece."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest
import torch
from conftest import EXAMPLES, ROOT
from corpus import song
from forked import Forked
from local_hub import READ_TOKEN
from safetensors.torch import load

from pianalysis.cli.main import main
from pianalysis.music.midi import read_midi

pytest_plugins = ["hub_fixtures"]

DATA, MODEL = "pianalysis/songs", "pianalysis/tiny"
LOAD = """
import json
from transformers import AutoConfig, AutoTokenizer, GenerationConfig, GPT2LMHeadModel
name = "pianalysis/tiny"
model, tokenizer = GPT2LMHeadModel.from_pretrained(name), AutoTokenizer.from_pretrained(name)
print(json.dumps([model.config.n_layer, tokenizer.convert_tokens_to_ids("TIME_500"), model.generation_config.top_k,
                  AutoConfig.from_pretrained(name).normalises_key]))
"""
LAUNCH = ["--cpu", "--num_processes", "1", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]


def run_words(dataset, folder):
    run = ["--dataset", str(dataset), "--model", "tiny", "--output-dir", str(folder), "--cpu", "--threads", "1"]
    return [
        *run,
        *["--batch-size", "4", "--max-steps", "8", "--eval-steps", "4", "--warmup-steps", "1", "--decay-steps", "4"],
    ]


def pushed(dataset, folder, *more):
    return [*run_words(dataset, folder), "--push-to-hub", MODEL, *more]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """The words that build a dataset of twelve small songs."""
    folder = tmp_path_factory.mktemp("songs")
    names = [f"{number}.mid" for number in range(12)]
    for number, name in enumerate(names):
        (folder / name).write_bytes(song(number + 1, bars=10))
    splits = {"train": names[:8], "validation": names[8:10], "test": names[10:]}
    (folder / "splits.json").write_text(json.dumps(splits))
    return ["prepare", "--corpus", "folder", "--root", str(folder), "--splits", str(folder / "splits.json")]


def test_dataset_training_model_and_piece_through_the_hub(hub, hub_client, build, tmp_path):
    assert main([*build, "--output", str(tmp_path / "data"), "--push-to-hub", DATA]) == 0
    command = [sys.executable, "-m", "accelerate.commands.launch", *LAUNCH, str(ROOT / "scripts" / "train.py")]
    command += pushed(DATA, tmp_path / "run", "--transpose", "key", "--private", "--tag", "v1")
    done = subprocess.run(command, env=hub.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3_000:]
    assert "published: " in done.stdout
    files = hub.files("models", MODEL)
    assert set(files) >= {"config.json", "model.safetensors", "tokenizer.json", "generation_config.json", "README.md"}
    assert not any(name.endswith((".pt", ".bin", ".pth", ".pkl")) for name in files)
    assert "nats_per_note" in files["README.md"].decode()
    assert json.loads(hub.run(LOAD)) == [2, 129, 50, True]
    out = tmp_path / "full.mid"
    melody = EXAMPLES / "ode_to_joy.mid"
    assert main(["arrange", str(melody), "-o", str(out), "--model", MODEL, "--max-bars", "2"]) == 0
    given, written = read_midi(melody).tracks[0], read_midi(out).tracks[0]
    assert [(n.time, n.duration, n.pitch) for n in given.notes] == [
        (n.time, n.duration, n.pitch) for n in written.notes
    ]


def test_a_run_killed_while_it_pushes_goes_on_on_another_machine(hub, hub_client, build, tmp_path, capsys):
    data = tmp_path / "data"
    assert main([*build, "--output", str(data)]) == 0
    words = pushed(data, tmp_path / "first", "--hub-strategy", "checkpoint")
    for seconds in (0, 60):  # the second one waits
        hub.hold("POST .*tiny/commit/", seconds=seconds)
    run = Forked(["train", *words], tmp_path / "first.log", env=hub.env)
    hub.wait(lambda: len(hub.seen("POST .*tiny/commit/")) == 2 or not run.is_running, 120)
    assert run.is_running, run.output
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert "last-checkpoint/optimizer.pt" in hub.files("models", MODEL)
    hub.faults.clear()
    capsys.readouterr()
    assert main(["train", *pushed(data, tmp_path / "second", "--hub-strategy", "checkpoint", "--resume")]) == 0
    assert "going on from step 4, found on the Hub" in capsys.readouterr().err
    assert hub.history("models", MODEL)[-1] == "Train: best"
    assert main(["train", *run_words(data, tmp_path / "whole")]) == 0  # never stopped, and of no Hub
    expected = load((tmp_path / "whole" / "best" / "model.safetensors").read_bytes())
    found = load(hub.files("models", MODEL)["model.safetensors"])
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_no_rights_to_the_repository_are_known_before_the_first_step(hub, hub_client, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HF_TOKEN", READ_TOKEN)
    assert main(["train", *pushed(DATA, tmp_path / "run")]) == 2
    said = capsys.readouterr().err
    assert said.startswith("pianalysis: error: ")
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()
    assert hub.requests
    assert not any("resolve" in seen.request or "datasets" in seen.request for seen in hub.requests)

from __future__ import annotations

import copy
import importlib.util
import json

import datasets
import numpy as np
import pytest
import torch
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from pianalysis import vocab
from pianalysis.dataset import load_windows
from pianalysis.metrics import model_likelihood
from pianalysis.model import make_model
from pianalysis.notes import make_notes
from pianalysis.tokenizer import WindowNotes, decode, encode
from pianalysis.training import (
    MuonWithAdamW,
    WindowCollator,
    make_optimizer,
    token_losses,
    transpose_ids,
    with_lengths,
)


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def window_row(generator, notes=12):
    """A window of an easy kind of music: a melody, and a fifth below each of its notes."""
    onsets = np.arange(notes) * 500.0
    pitches = generator.integers(60, 80, notes)
    melody = make_notes((onset, 500, pitch, 96) for onset, pitch in zip(onsets, pitches, strict=True))
    below = make_notes((onset, 500, pitch - 7, 64) for onset, pitch in zip(onsets, pitches, strict=True))
    ids = encode(WindowNotes(melody, below))
    return {"input_ids": ids, "target_start": ids.index(vocab.SEP) + 1, "seconds": notes / 2}


@pytest.fixture(scope="module")
def easy_dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows")
    generator = np.random.default_rng(0)
    for split, count in (("train", 64), ("validation", 8)):
        rows = datasets.Dataset.from_list([window_row(generator) for _ in range(count)])
        (folder / "windows").mkdir(exist_ok=True)
        rows.to_parquet(folder / "windows" / f"{split}-00000-of-00001.parquet")
    return folder


@given(st.lists(st.sampled_from([*vocab.PITCH_IDS, 129, 12, 750]), min_size=1), st.integers(-6, 5))
def test_transposition_moves_all_pitches_alike_and_stays_on_the_piano(ids, semitones):
    ids = torch.tensor(ids)
    moved = transpose_ids(ids, semitones)
    pitched = (ids >= 21) & (ids <= 108)
    assert torch.equal(moved[~pitched], ids[~pitched])
    shifts = (moved - ids)[pitched]
    assert len(shifts.unique()) <= 1
    assert moved[pitched].numel() == 0 or (moved[pitched].min() >= 21 and moved[pitched].max() <= 108)
    if pitched.any() and ids[pitched].min() >= 27 and ids[pitched].max() <= 103:
        assert (shifts == semitones).all()


def test_transposed_windows_still_decode():
    collator = WindowCollator(transpose=True)
    torch.manual_seed(0)
    row = window_row(np.random.default_rng(1))
    tonics = set()
    for _ in range(200):
        ids = collator([row])["input_ids"][0].tolist()
        window = decode(ids[: ids.index(vocab.EOS) + 1])
        tonics.add(int(window.melody["pitch"][0]))
        assert (window.melody["pitch"] - window.accompaniment["pitch"] == 7).all()
    assert len(tonics) == 12


def test_collator_by_hand():
    rows = [
        {"input_ids": [1, 8, 6, 3, 109, 12, 60, 750, 2], "target_start": 4, "seconds": 1.0},
        {"input_ids": [1, 8, 6, 3, 2], "target_start": 4, "seconds": 2.0},
    ]
    batch = WindowCollator(melody_weight=0.25)(rows)
    assert batch["input_ids"].shape == (2, 64)
    assert batch["weights"][0, :10].tolist() == [0, 0.25, 0.25, 0.25, 1, 1, 1, 1, 1, 0]
    assert batch["weights"][1, :6].tolist() == [0, 0.25, 0.25, 0.25, 1, 0]
    assert batch["notes"].tolist() == [1, 0]
    assert batch["seconds"].tolist() == [1, 2]
    assert WindowCollator(max_length=6)(rows)["input_ids"].tolist()[0] == [1, 8, 6, 3, 109, 12]


def test_token_losses_are_those_of_the_model(tiny_model):
    ids = torch.tensor([window_row(np.random.default_rng(2))["input_ids"]])
    with torch.no_grad():
        expected = tiny_model(input_ids=ids, labels=ids).loss
        assert token_losses(tiny_model, ids).mean().item() == pytest.approx(expected.item(), rel=1e-5)


def test_lengths_are_added(easy_dataset):
    windows = with_lengths(load_windows(easy_dataset, "train"))
    assert windows["length"] == [len(ids) for ids in windows["input_ids"]]


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_an_optimizer_goes_on_from_its_saved_state(name):
    ids = torch.tensor([window_row(np.random.default_rng(3))["input_ids"]])

    def train(model, optimizer, steps):
        for _ in range(steps):
            token_losses(model, ids).mean().backward()
            optimizer.step()
            optimizer.zero_grad()

    model = make_model("tiny")
    optimizer = make_optimizer(model, name, 1e-3, 0.1)
    train(model, optimizer, 3)
    resumed = make_model("tiny")
    resumed.load_state_dict(model.state_dict())
    again = make_optimizer(resumed, name, 1e-3, 0.1)
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(model, optimizer, 2)
    train(resumed, again, 2)
    for one, other in zip(model.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_muon_takes_the_matrices_of_the_blocks_only():
    model = make_model("tiny")
    optimizer = make_optimizer(model, "muon", 1e-3, 0.1)
    assert isinstance(optimizer, MuonWithAdamW)
    matrices, others = (group["params"] for group in optimizer.param_groups)
    assert all(parameter.ndim == 2 for parameter in matrices)
    assert len(matrices) == 4 * 2
    assert len(matrices) + len(others) == len(list(model.parameters()))


def test_training_learns_stops_resumes_and_reports(easy_dataset, tmp_path, tiny_model):
    common = [
        *("--dataset", str(easy_dataset), "--model", "tiny", "--cpu", "--threads", "1", "--batch-size", "8"),
        *("--learning-rate", "1e-2", "--optimizer", "muon", "--warmup-steps", "2", "--no-transpose"),
        *("--decay-steps", "20", "--eval-steps", "20"),
    ]
    train = script("train").main
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert train([*common, "--output-dir", str(whole), "--max-steps", "80"]) == 0
    state = json.loads((whole / "best" / "trainer_state.json").read_text())
    values = [entry["eval_nats_per_note"] for entry in state["log_history"] if "eval_nats_per_note" in entry]
    validation = load_windows(easy_dataset, "validation")
    assert values[-1] < model_likelihood(tiny_model, validation).nats_per_note / 2
    assert state["best_metric"] == min(values)

    # what the Trainer reports is what the metric, window by window, gives for the saved weights
    from pianalysis.model import load_model

    best = model_likelihood(load_model(whole / "best"), validation)
    assert best.nats_per_note == pytest.approx(min(values), rel=1e-4)
    assert best.notes == 8 * 12

    assert train([*common, "--output-dir", str(halves), "--max-steps", "80", "--time-limit", "0"]) == 0
    assert (halves / "checkpoint-1").is_dir()
    assert train([*common, "--output-dir", str(halves), "--max-steps", "80", "--resume"]) == 0
    resumed = json.loads((halves / "best" / "trainer_state.json").read_text())
    assert resumed["global_step"] == state["global_step"]
    assert resumed["best_metric"] == pytest.approx(state["best_metric"], rel=1e-6)

"""What can be known of a run before its first step is said then, in one sentence, and nothing is touched."""

from __future__ import annotations

import json
from dataclasses import replace

import datasets
import pytest
from easy_music import write_windows
from safetensors.torch import load_file, save_file
from transformers import GPT2LMHeadModel

from pianalysis.errors import PianalysisError
from pianalysis.model.gpt2 import make_config, make_model, save_model
from pianalysis.model.weights import read_weights
from pianalysis.publishing.commands import commands
from pianalysis.publishing.records import RunRecord
from pianalysis.training.checkpoints import seal
from pianalysis.training.checks import check, starting_model
from pianalysis.training.options import RunOptions
from pianalysis.training.runs import claim, train


@pytest.fixture
def options(tmp_path_factory, tmp_path):
    dataset = write_windows(tmp_path_factory.mktemp("easy"), train=8)
    return RunOptions(str(dataset), str(tmp_path / "run"), model="tiny", max_steps=2, eval_steps=2, cpu=True, threads=1)


def test_another_run_in_the_folder_is_refused(options, tmp_path):
    train(options)
    with pytest.raises(PianalysisError, match=r"holds another run \(batch_size 16 instead of 4"):
        train(replace(options, batch_size=4, resume=True))
    with pytest.raises(PianalysisError, match="go on with --resume"):
        train(options)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    with pytest.raises(PianalysisError, match="found other files"):
        train(replace(options, output_dir=str(other)))
    assert [item.name for item in other.iterdir()] == ["thesis.txt"]


def test_a_run_that_never_began_holds_nothing(options, tmp_path):
    claim(tmp_path / "run", replace(options, batch_size=8))
    with pytest.raises(PianalysisError, match="expected a dataset"):
        train(replace(options, dataset=str(tmp_path / "typo")))
    check(options)


def test_what_cannot_work_is_refused(options, tmp_path, monkeypatch):
    with pytest.raises(PianalysisError, match=r"expected one of \['canonical', 'small', 'tiny'\]"):
        train(replace(options, model=str(tmp_path / "huge")))
    with pytest.raises(PianalysisError, match="can share equally, found 7"):
        train(replace(options, batch_size=7, accumulate=2))
    with pytest.raises(PianalysisError, match="melody_weight of at least 0"):
        replace(options, melody_weight=-1.0)
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(PianalysisError, match="take --optimizer adamw"):
        check(replace(options, optimizer="muon"))
    assert not (tmp_path / "run").exists()


def test_the_recorded_command_says_zeros_and_no_folder_of_this_machine(options):
    record = RunRecord({**vars(options), "weight_decay": 0.0, "warmup_steps": 0}, 2, 2, 0.1, "1 CPU thread", 8, 5.0)
    (command,) = commands([record])
    assert "--weight-decay 0.0" in command
    assert "--warmup-steps 0" in command
    folder = train(options).folder
    written = (folder / "README.md").read_text() + (folder / "training.json").read_text()
    assert str(folder.parents[1]) not in written
    assert "/easy" not in (folder / "trainer_state.json").read_text()


def test_a_dataset_that_fails_its_checks_is_refused(options, tmp_path):
    folder = write_windows(tmp_path / "broken")
    file = folder / "windows" / "train-00000-of-00001.parquet"
    rows = datasets.Dataset.from_parquet(str(file)).to_list()
    for row in rows:
        row["input_ids"] = [token for token in row["input_ids"] if token < 109]  # the timestamps are lost
    datasets.Dataset.from_list(rows).to_parquet(file)
    with pytest.raises(PianalysisError, match=r"the dataset fails its checks \(tokens that break the grammar"):
        train(replace(options, dataset=str(folder)))


def test_a_tokenizer_with_the_older_name_of_an_id_is_ours(options, tmp_path):
    folder = tmp_path / "model"
    save_model(make_model("tiny"), folder)
    file = folder / "tokenizer.json"
    file.write_text(file.read_text().replace('"STYLE_HYMN": 20', '"RESERVED_20": 20'))
    assert "RESERVED_20" in file.read_text()
    assert starting_model(replace(options, model=str(folder))).config.vocab_size == 801


def spoil(folder):
    """One of the weights is NaN."""
    tensors = load_file(folder / "model.safetensors")
    tensors["transformer.h.1.attn.c_proj.weight"][2, 3] = float("nan")
    save_file(tensors, folder / "model.safetensors")


@pytest.mark.parametrize("how", ["to go on from", "to resume"])
def test_weights_that_are_nan_are_refused_before_the_first_step(options, tmp_path, how):
    folder = tmp_path / "model"
    if how == "to resume":
        train(options)
        folder = tmp_path / "run" / "checkpoint-2"
        spoil(folder)
        seal(folder)  # written so by the run itself: whole, but of no use
        asked, says = replace(options, resume=True, max_steps=4), r"from the checkpoint before, delete this one\)"
    else:
        save_model(make_model("tiny"), folder)
        spoil(folder)
        asked, says = replace(options, model=str(folder)), "take an earlier checkpoint"
    with pytest.raises(PianalysisError, match=says) as error:
        train(asked)
    assert str(error.value).startswith(f"{folder}: the tensor h.1.attn.c_proj.weight has values that are NaN")
    assert "\n" not in str(error.value)


def test_a_damaged_tokenizer_is_refused(options, tmp_path):
    folder = tmp_path / "model"
    save_model(make_model("tiny"), folder)
    asked = replace(options, model=str(folder))
    whole = json.loads((folder / "tokenizer.json").read_text())
    for written in ("{", "[]", "{}", '{"model": {"vocab": [["a", 1]]}}', json.dumps(whole | {"added_tokens": [1]})):
        (folder / "tokenizer.json").write_text(written)
        with pytest.raises(PianalysisError, match=r"tokenizer\.json.*; take all of a checkpoint's files") as error:
            starting_model(asked)
        assert str(error.value).startswith(f"{folder}: ")
    (folder / "tokenizer.json").unlink()
    starting_model(asked)


def test_a_model_for_shorter_windows_is_refused(options, tmp_path):
    config = make_config("tiny")
    config.n_positions = 1_024
    save_model(GPT2LMHeadModel(config), tmp_path / "model")
    assert read_weights(tmp_path / "model").positions == 1_024  # to arrange with it will do
    with pytest.raises(PianalysisError, match=r"expected a model of at least 2048 positions, .* found 1024"):
        train(replace(options, model=str(tmp_path / "model")))


def test_a_tokenizer_of_another_vocabulary_is_refused(options, tmp_path):
    folder = tmp_path / "model"
    save_model(make_model("tiny"), folder)
    table = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = table["model"]["vocab"]
    vocabulary["PITCH_60"], vocabulary["PITCH_61"] = vocabulary["PITCH_61"], vocabulary["PITCH_60"]
    (folder / "tokenizer.json").write_text(json.dumps(table))
    with pytest.raises(PianalysisError, match="its tokenizer has another vocabulary"):
        train(replace(options, model=str(folder)))

"""Model cards: what they say is so, and what they print runs, from the folder in which a run was begun."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest
from conftest import ROOT
from easy_music import write_windows
from huggingface_hub import ModelCard
from safetensors.torch import load_file

from pianalysis.cli.main import build_parser, main
from pianalysis.model.gpt2 import save_model
from pianalysis.model.hf_tokenizer import make_hf_tokenizer
from pianalysis.music.notes import make_notes
from pianalysis.publishing.commands import commands, outputs, places
from pianalysis.publishing.examples import PROMPT, with_transformers_alone
from pianalysis.publishing.model_card import model_card
from pianalysis.publishing.models import named_in_card
from pianalysis.publishing.records import RunRecord, dataset_id, history_before, read_records
from pianalysis.tokens.tokenizer import WindowNotes, encode
from pianalysis.tokens.vocab import SEP

WITHOUT_OURS = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "pianalysis":
            raise ImportError("nothing of ours is here")
sys.meta_path.insert(0, Nothing())
exec(open(sys.argv[1], encoding="utf-8").read())
assert not [name for name in sys.modules if name.startswith("pianalysis")]
"""
OPTIONS = {
    "dataset": "data/x",
    "output_dir": "runs/x",
    "model": "tiny",
    "optimizer": "muon",
    "learning_rate": 0.003,
    "schedule": "wsd",
    "max_steps": 60_000,
    "warmup_steps": 200,
    "decay_steps": 2_000,
}
RECORD = RunRecord(OPTIONS, 60_000, 14_200, 1.0, "1 CPU thread", 8, 5.0)
CARDS = [ROOT / "model_card.md", *sorted((ROOT / "pianalysis" / "data").glob("*/README.md"))]


def code_in(card, language):
    """The blocks of a language in a card, in their order."""
    return re.findall(rf"^```{language}\n(.*?)^```", card, re.MULTILINE | re.DOTALL)


def without_ours(code, folder):
    """Run code where importing our package fails; what it printed."""
    file = folder / "block.py"
    file.write_text(code, encoding="utf-8")
    command = [sys.executable, "-c", WITHOUT_OURS, str(file)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_block_with_transformers_alone_needs_nothing_of_ours_and_a_trained_model_writes_notes(tiny_model, tmp_path):
    """Two blocks in one process: importing transformers is what takes its time."""
    save_model(tiny_model, tmp_path / "runs" / "x" / "best")
    card = str(model_card(tiny_model, [RECORD]))
    (block,) = [code for code in code_in(card, "python") if "transformers" in code]
    assert block.strip() == with_transformers_alone("runs/x/best")
    trained = with_transformers_alone((ROOT / "pianalysis" / "data" / "small").as_posix())
    between = "\nprint('---')\nimport torch\ntorch.manual_seed(0)\n"
    untrained, _, written = without_ours(block + between + trained, tmp_path).partition("---\n")
    assert untrained.startswith("[")
    notes = eval(written)
    assert len(notes) > 4
    assert all(onset % 25 == 0 and 21 <= pitch <= 108 and length > 0 for onset, pitch, length in notes)


def test_the_prompt_is_a_melody_as_the_model_sees_it():
    pitches = (64, 64, 65, 67, 67, 65, 64, 62)
    melody = make_notes((500 * place, 500, pitch, 96) for place, pitch in enumerate(pitches))
    below = make_notes([(0, 500, 40, 64)])
    ids = encode(WindowNotes(melody, below))
    assert make_hf_tokenizer()(PROMPT).input_ids == ids[: ids.index(SEP) + 1]


def test_a_card_has_a_prompt_a_dataset_and_who_to_cite(tiny_model):
    card = model_card(tiny_model, [replace(RECORD, dataset_id="me/songs")], repo_id="me/waltz")
    assert card.data.datasets == ["me/songs"]
    assert card.data.widget[0]["text"] == PROMPT
    assert 'author = "{Pianalysis contributors}"' in card.text
    assert "url = {https://huggingface.co/me/waltz}" in card.text
    assert "14,200 tokens" in card.text
    assert "{{" not in card.text
    assert model_card(tiny_model, [replace(RECORD, corpora=["folder", "pop909"])]).data.datasets == ["pop909"]
    own = model_card(tiny_model, [replace(RECORD, corpora=["folder"])])
    assert own.data.datasets is None
    assert "POP909" not in own.text


def test_what_a_model_began_from_is_counted_or_said_not_to_be_known(tiny_model):
    before = replace(RECORD, tokens=123_000_000)
    assert "has seen 123.0 million tokens (14,200 of them in its last run)" in str(
        model_card(tiny_model, [before, RECORD])
    )
    unknown = replace(RECORD, options=OPTIONS | {"model": "me/other"})
    assert "before them those of `me/other`, of which there is no record" in str(model_card(tiny_model, [unknown]))


@pytest.mark.parametrize(
    ("changes", "steps", "decay", "comment"),
    [
        ({}, 60_000, 2_000, []),
        ({"steps": 1_000}, 1_000, 0, []),
        ({"steps": 59_000, "ended": "the time is over"}, 60_000, 2_000, ["# ended at step 59,000 of 60,000 (the time is over)"]),
        ({"steps": 3_000, "decay_from": 1_000}, 3_000, 2_000, []),
        ({"steps": 2_500, "decay_from": 1_000}, 3_000, 2_000, ["# ended at step 2,500 of 3,000"]),
    ],
)  # fmt: skip
def test_the_steps_of_a_command_are_those_that_the_run_took(changes, steps, decay, comment):
    *said, command = commands([replace(RECORD, **changes)])
    assert said == comment
    assert re.search(rf"--max-steps {steps}\b.* --decay-steps {decay}\b", command)
    assert " --output-dir runs/x " in command


def test_each_run_goes_on_from_the_folder_of_the_one_before():
    old = {name: value for name, value in OPTIONS.items() if name != "output_dir"}
    first, again = replace(RECORD, options=old), replace(RECORD, options=OPTIONS | {"model": "runs/whatever"})
    averaged = replace(again, after="python scripts/average_checkpoints.py --output-dir runs/x/averaged")
    runs = [first, averaged, again, replace(again, options=again.options | {"model": "me/hub"})]
    assert outputs(runs) == ["runs/1", "runs/x", "runs/x-3", "runs/x-4"]
    assert places(runs) == ["runs/1/best", "runs/x/averaged", "runs/x-3/best", "runs/x-4/best"]
    models = [re.search(r"--model (\S+)", line)[1] for line in commands(runs) if "train" in line]
    assert models == ["tiny", "runs/1/best", "runs/x/averaged", "me/hub"]


def test_where_a_dataset_is_on_the_hub_is_known_from_its_card(tmp_path):
    assert dataset_id("me/songs") == "me/songs"
    assert dataset_id(str(tmp_path)) == ""
    for written, known in (("ORG/NAME", ""), ("me/songs", "me/songs")):
        (tmp_path / "README.md").write_text(f'windows = load_dataset("{written}", "windows")')
        assert dataset_id(str(tmp_path)) == known


def test_what_a_model_on_the_hub_had_seen_is_read_there(hub_client, tiny_model, tmp_path):
    from pianalysis.publishing.model_card import save_records
    from pianalysis.publishing.models import publish_model

    save_model(tiny_model, tmp_path / "model")
    save_records(tmp_path / "model", [RECORD], tiny_model)
    publish_model(tmp_path / "model", "me/begun")
    assert history_before("me/begun") == [RECORD]
    assert history_before("me/nowhere") == []
    assert history_before("tiny") == []


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.parent.name)
def test_the_commands_of_the_bundled_cards_are_understood(path):
    card = path.read_text(encoding="utf-8")
    lines = [line for block in code_in(card, "sh") for line in block.splitlines() if not line.startswith("#")]
    assert lines
    assert "60000" not in "".join(lines)
    for line in lines:
        program, name, *words = shlex.split(line)
        if program == "pianalysis":
            assert build_parser(name).parse_args([name, *words]).output_dir
        else:
            known = (ROOT / name).read_text(encoding="utf-8")
            assert all(f'"{word}"' in known for word in words if word.startswith("--"))
    assert ModelCard(card).data.widget[0]["text"] == PROMPT
    records = read_records(path.parent if path.parent != ROOT else ROOT / "pianalysis" / "data" / "checkpoint")
    assert "\n".join(commands(records)) in card


def test_a_published_card_names_its_repository():
    text = 'Arranger.from_pretrained()("a.mid")\nname = "pianalysis/data/checkpoint"\n'
    assert named_in_card(text, "me/x") == 'Arranger.from_pretrained("me/x")("a.mid")\nname = "me/x"\n'


def test_the_commands_of_a_card_run_as_printed_to_the_same_weights(tmp_path, monkeypatch):
    """Two runs, the second from the first one's best; and all again, in another folder, from what the card prints."""
    there, anew = tmp_path / "there", tmp_path / "anew"
    for folder in (there, anew):
        write_windows(folder / "data" / "mine", train=16)
    common = "--dataset data/mine --batch-size 4 --warmup-steps 1 --decay-steps 2 --max-steps 4 --eval-steps 2 --cpu --threads 1"
    monkeypatch.chdir(there)
    for words in ("--model tiny --output-dir runs/a", "--model runs/a/best --output-dir tries/b --learning-rate 1e-3"):
        assert main(["train", *words.split(), *common.split()]) == 0
    card = (there / "tries" / "b" / "best" / "README.md").read_text(encoding="utf-8")
    (block,) = code_in(card, "sh")
    monkeypatch.chdir(anew)
    for line in block.splitlines():
        program, *words = shlex.split(line)
        assert program == "pianalysis"
        assert main(words) == 0
    one, other = (load_file(folder / "tries" / "b" / "best" / "model.safetensors") for folder in (there, anew))
    assert all((one[name] == other[name]).all() for name in one)
    assert 'from_pretrained("./tries/b/best")' in card


def test_the_command_of_a_run_that_its_time_stopped_takes_the_same_steps(tmp_path, monkeypatch):
    """Stopped in the flat part of its schedule at its third step of 60,000."""
    write_windows(tmp_path / "data" / "mine", train=16)
    monkeypatch.chdir(tmp_path)
    clock = SimpleNamespace(monotonic=iter(range(10**6)).__next__)
    monkeypatch.setattr("pianalysis.training.stopping.time", clock)
    words = "--dataset data/mine --model tiny --output-dir runs/a --batch-size 4 --warmup-steps 1 --max-steps 60000"
    assert (
        main(["train", *words.split(), *["--eval-steps", "1", "--cpu", "--threads", "1", "--time-limit", "0.034"]]) == 0
    )
    (block,) = code_in((tmp_path / "runs" / "a" / "best" / "README.md").read_text(encoding="utf-8"), "sh")
    (command,) = block.splitlines()
    shutil.move("runs/a", "runs/before")
    monkeypatch.setattr("pianalysis.training.stopping.time", time)
    assert main(shlex.split(command)[1:]) == 0
    assert "--max-steps 3 " in command
    one, other = (load_file(tmp_path / "runs" / run / "checkpoint-3" / "model.safetensors") for run in ("before", "a"))
    assert all((one[name] == other[name]).all() for name in one)


pytest_plugins = ["hub_fixtures"]

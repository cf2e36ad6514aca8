"""A checkpoint's files: what is read of them, and one sentence for each way in which they can be wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import torch
from conftest import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from pianalysis.arranging.arranger import Arranger
from pianalysis.cli.main import main
from pianalysis.errors import PianalysisError
from pianalysis.model import weights
from pianalysis.model.gpt2 import load_model, make_model, save_model
from pianalysis.model.weights import BUNDLED, find_checkpoint, read_weights, weights_of
from pianalysis.training.checks import starting_model
from pianalysis.training.options import RunOptions

MATRIX = "transformer.h.1.mlp.c_fc.weight"
DROP = object()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    save_model(make_model("tiny"), folder)
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    """A copy to break."""
    return Path(shutil.copytree(whole, tmp_path / "broken"))


def change_json(name, **changes):
    def change(folder):
        read = json.loads((folder / name).read_text()) | changes
        (folder / name).write_text(json.dumps({key: value for key, value in read.items() if value is not DROP}))

    return change


def config(**changes):
    return change_json("config.json", **changes)


def generation(**changes):
    return change_json("generation_config.json", **changes)


def tensors(change):
    def write(folder):
        read = load_file(folder / "model.safetensors")
        change(read)
        save_file({name: tensor.contiguous() for name, tensor in read.items()}, folder / "model.safetensors")

    return write


def tensor(name, change):
    return tensors(lambda read: read.update({name: change(read[name])}))


def with_one(value, place=(3, 4)):
    def change(tensor):
        tensor = tensor.clone()
        tensor[place] = value
        return tensor

    return change


def cut(name, share):
    def change(folder):
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])

    return change


def text(name, written):
    return lambda folder: (folder / name).write_text(written)


def without(*names):
    return lambda folder: [(folder / name).unlink() for name in names]


def index(written, *, parts=1):
    """The weights in files that an index names: as many as `parts`, or what is `written` instead."""

    def change(folder):
        read = load_file(folder / "model.safetensors")
        (folder / "model.safetensors").rename(folder.parent / "outside.safetensors")
        where = {name: f"part-{number % parts}.safetensors" for number, name in enumerate(read)}
        for part in set(where.values()):
            save_file({name: read[name] for name in read if where[name] == part}, folder / part)
        found = {"weight_map": where} if written is None else written
        (folder / "model.safetensors.index.json").write_text(json.dumps(found))

    return change


def config_as_folder(folder):
    (folder / "config.json").unlink()
    (folder / "config.json").mkdir()


BAD = {
    **{
        f"{key} {value!r}": (config(**{key: value}), f"expected {key} in config.json to be a whole number")
        for key in ("n_layer", "n_head", "n_embd", "n_positions")
        for value in (None, "4", -2, 0, 2.0, True, [2], {}, float("nan"), float("inf"), "\n" * 500, "\ud800")
    },
    **{
        f"no {key}": (config(**{key: DROP}), f"expected {key} in config.json to be a whole number .*, found nothing")
        for key in ("n_layer", "n_head", "n_embd", "n_positions")
    },
    "too few layers": (config(n_layer=1), r"found 'h\.1\..*' as well"),
    "too many layers": (config(n_layer=3), r"expected a tensor h\.2\..*, as config\.json says, found none"),
    "a billion layers": (config(n_layer=10**9), r"expected a tensor h\.2\..*found none"),
    "10^400 layers": (config(n_layer=10**400), r"expected a tensor h\.2\..*found none"),
    "heads that do not divide": (config(n_head=3), "expected n_head to divide n_embd, found 3 heads of 32"),
    "heads beyond the width": (config(n_head=64), "expected n_head to divide n_embd"),
    "another width": (config(n_embd=64), r"expected wte\.weight of shape \[801, 64\], .* found \[801, 32\]"),
    "fewer positions": (config(n_positions=1024), r"expected wpe\.weight of shape \[1024, 32\]"),
    "another inner width": (config(n_inner=64), r"expected h\.0\.mlp\.c_fc\.weight of shape \[32, 64\]"),
    "inner width in words": (config(n_inner="wide"), "expected n_inner in config.json"),
    "another vocabulary": (config(vocab_size=50257), "expected a GPT-2 with vocab_size 801, found 50257"),
    "another activation": (config(activation_function="relu"), "expected a GPT-2 with activation_function 'gelu_new'"),
    "no activation": (config(activation_function=None), "activation_function 'gelu_new', found None"),
    "another family": (config(model_type="llama"), "expected a GPT-2 with model_type 'gpt2', found 'llama'"),
    "own output layer": (config(tie_word_embeddings=False), "tie_word_embeddings True, found False"),
    "epsilon in words": (config(layer_norm_epsilon="1e-5"), "expected layer_norm_epsilon in config.json"),
    "epsilon 0": (config(layer_norm_epsilon=0), "expected layer_norm_epsilon in config.json"),
    "epsilon NaN": (config(layer_norm_epsilon=float("nan")), "expected layer_norm_epsilon in config.json"),
    "epsilon true": (config(layer_norm_epsilon=True), "expected layer_norm_epsilon in config.json"),
    "a key in words": (config(normalises_key="yes"), "expected normalises_key in config.json to be true or false"),
    "chords null": (config(plays_chords=None), "expected plays_chords in config.json to be true or false, found None"),
    "config a list": (text("config.json", "[1, 2]"), "expected names and values in config.json, found a list"),
    "config a number": (text("config.json", "7"), "expected names and values in config.json, found 7"),
    "config null": (text("config.json", "null"), "expected names and values in config.json, found None"),
    "config empty": (text("config.json", ""), r"config\.json is damaged or can't be read"),
    "config cut": (cut("config.json", 0.5), r"config\.json is damaged or can't be read"),
    "config without end": (text("config.json", "[" * 100_000), r"config\.json is damaged or can't be read"),
    "config with too long a number": (
        text("config.json", '{"n_layer": 1' + "0" * 9_999 + "}"),
        "config.json is damaged",
    ),
    "config not UTF-8": (lambda folder: (folder / "config.json").write_bytes(b"\xff\xfe{"), "config.json is damaged"),
    "config a folder": (config_as_folder, r"expected a checkpoint with config\.json, found none"),
    "no config": (without("config.json"), r"expected a checkpoint with config\.json, found none"),
    "no weights": (without("model.safetensors"), r"expected a checkpoint with model\.safetensors, found none"),
    "nothing but weights": (without("config.json", "generation_config.json"), r"with config\.json, found none"),
    "weights empty": (text("model.safetensors", ""), r"model\.safetensors is damaged or can't be read"),
    "weights cut in the header": (cut("model.safetensors", 0.001), r"model\.safetensors is damaged or can't be read"),
    "weights cut": (cut("model.safetensors", 0.5), r"model\.safetensors is damaged or can't be read"),
    "weights cut at the end": (cut("model.safetensors", 0.9999), r"model\.safetensors is damaged or can't be read"),
    "weights are text": (text("model.safetensors", "dear me" * 99), r"model\.safetensors is damaged or can't be read"),
    "NaN": (tensor(MATRIX, with_one(float("nan"))), r"the tensor h\.1\.mlp\.c_fc\.weight has values that are NaN"),
    "infinite": (tensor(MATRIX, with_one(-float("inf"))), r"the tensor h\.1\.mlp\.c_fc\.weight has .* infinite"),
    "NaN in a norm": (tensor("transformer.ln_f.bias", with_one(float("nan"), 3)), r"the tensor ln_f\.bias has"),
    "NaN in half": (
        tensor(MATRIX, lambda found: with_one(float("nan"))(found).half()),
        r"the tensor h\.1\.mlp\.c_fc\.weight has",
    ),
    "beyond float32": (tensor(MATRIX, lambda found: found.double() * 1e300), r"the tensor h\.1\.mlp\.c_fc\.weight has"),
    "whole numbers": (
        tensor(MATRIX, lambda found: found.to(torch.int8)),
        "expected floating-point weights, .* as int8",
    ),
    "truths": (tensor(MATRIX, lambda found: found > 0), "expected floating-point weights, .* as bool"),
    "complex": (tensor(MATRIX, lambda found: found.to(torch.complex64)), "expected floating-point .* as complex64"),
    "a matrix on its side": (tensor(MATRIX, torch.t), r"c_fc\.weight of shape \[32, 128\], .*found \[128, 32\]"),
    "a matrix in one row": (tensor(MATRIX, torch.flatten), r"c_fc\.weight of shape \[32, 128\], .*found \[4096\]"),
    "a bias too short": (tensor("transformer.ln_f.bias", lambda found: found[:-1]), r"ln_f\.bias of shape \[32\]"),
    "an empty tensor": (tensor(MATRIX, lambda found: found[:0]), r"found \[0, 128\]"),
    "a scalar": (tensor(MATRIX, lambda found: found[0, 0]), r"c_fc\.weight of shape \[32, 128\], .*found \[\]"),
    "a longer vocabulary": (
        tensor("transformer.wte.weight", lambda found: torch.cat([found, found])),
        r"expected wte\.weight of shape \[801, 32\], .*found \[1602, 32\]",
    ),
    "a tensor missing": (tensors(lambda read: read.pop(MATRIX)), r"expected a tensor h\.1\.mlp\.c_fc\.weight"),
    "no tensors": (tensors(lambda read: read.clear()), r"expected a tensor wte\.weight"),
    "a foreign tensor": (tensors(lambda read: read.update({"a\nb": torch.ones(2)})), r"found 'a\\nb' as well"),
    "foreign names": (
        tensors(lambda read: [read.update({f"model.{name}": read.pop(name)}) for name in [*read]]),
        r"expected a tensor wte\.weight",
    ),
    "a tensor twice": (
        tensors(lambda read: read.update({MATRIX.removeprefix("transformer."): read[MATRIX].clone()})),
        r"expected the tensor 'h\.1\.mlp\.c_fc\.weight' once, found it twice",
    ),
    "another output layer": (
        tensors(lambda read: read.update({"lm_head.weight": torch.zeros(801, 32)})),
        "expected an output layer lm_head that is the token table",
    ),
    **{
        f"generation {name} {value!r}": (generation(**{name: value}), f"expected {name} in generation_config.json")
        for name in ("temperature", "top_k", "top_p")
        for value in ("high", [1], {}, True, False)
    },
    "temperature 0": (generation(temperature=0), r"generation_config\.json: expected a temperature above 0"),
    "temperature NaN": (generation(temperature=float("nan")), r"generation_config\.json: expected a temperature"),
    "temperature 10^400": (
        generation(temperature=10**400),
        "expected temperature in generation_config.json to be a number",
    ),
    "top-k -1": (generation(top_k=-1), r"generation_config\.json: expected a top-k of 0 or more, found -1"),
    "top-k 1.5": (generation(top_k=1.5), r"expected top_k in generation_config\.json to be a whole number"),
    "top-p 2": (generation(top_p=2), r"generation_config\.json: expected a top-p"),
    "generation a list": (
        text("generation_config.json", "[]"),
        "names and values in generation_config.json, found a list",
    ),
    "generation cut": (cut("generation_config.json", 0.3), r"generation_config\.json is damaged"),
    "index a list": (index([]), r"names and values in model\.safetensors\.index\.json, found a list"),
    "index without a map": (index({"metadata": {}}), "expected a weight_map of tensors to files"),
    "index with an empty map": (index({"weight_map": {}}), "expected a weight_map of tensors to files"),
    "index with a list": (index({"weight_map": ["part-0.safetensors"]}), "expected a weight_map of tensors to files"),
    "index of numbers": (index({"weight_map": {"a": 1}}), "expected a weight_map of tensors to files"),
    "index outside": (
        index({"weight_map": {"a": "../outside.safetensors"}}),
        "beside it, found '../outside.safetensors'",
    ),
    "index far outside": (index({"weight_map": {"a": "/etc/a.safetensors"}}), "beside it, found '/etc/a.safetensors'"),
    "index of a pickle": (index({"weight_map": {"a": "pytorch_model.bin"}}), "safetensors files beside it"),
    "index of a file that is not there": (
        index({"weight_map": {"a": "b.safetensors"}}),
        r"with b\.safetensors, found none",
    ),
    "index cut": (
        lambda folder: (index(None)(folder), cut("model.safetensors.index.json", 0.5)(folder)),
        r"model\.safetensors\.index\.json is damaged",
    ),
    "a part cut": (
        lambda folder: (index(None, parts=3)(folder), cut("part-1.safetensors", 0.5)(folder)),
        r"part-1\.safetensors is damaged",
    ),
}

GOOD = {
    "as it was saved": lambda folder: None,
    "in three files": index(None, parts=3),
    "no generation_config": without("generation_config.json"),
    "generation null": generation(temperature=None, top_k=None, top_p=None),
    "no tokenizer": without("tokenizer.json", "tokenizer_config.json"),
    "names without the prefix": tensors(
        lambda read: [read.update({name.removeprefix("transformer."): read.pop(name)}) for name in [*read]]
    ),
    "with the output layer": tensors(
        lambda read: read.update({"lm_head.weight": read["transformer.wte.weight"].clone()})
    ),
    "with older versions' masks": tensors(
        lambda read: read.update({"transformer.h.0.attn.bias": torch.ones(1, 1, 4, 4)})
    ),
    "fields that nobody asks for": config(
        **{"summary_type": 7, "use_cache": "x", "resid_pdrop": [], "dtype": "?", "pad_token_id": "<pad>", "id2label": 3}
    ),
    "generation's own": generation(max_length="long", eos_token_id={}, do_sample=None, transformers_version=5),
    "nothing said of keys and chords": config(normalises_key=DROP, plays_chords=DROP, layer_norm_epsilon=DROP),
    "an inner width that is said": config(n_inner=128),
}


def refusal(read, source):
    """What is said of a source that is refused; None for one that loads."""
    try:
        read(source)
    except PianalysisError as error:
        said = str(error)
    else:
        return None
    assert said.startswith(f"{source}: ")
    assert "\n" not in said
    assert len(said) < len(str(source)) + 400
    return said


def options(folder):
    return RunOptions("data", "run", model=str(folder))


@pytest.mark.parametrize(("change", "says"), BAD.values(), ids=BAD)
def test_a_broken_checkpoint_is_refused_in_one_sentence(folder, change, says):
    change(folder)
    said = refusal(read_weights, folder)
    assert said is not None
    assert re.search(says, said)
    assert said == refusal(Arranger.from_pretrained, folder) == refusal(load_model, folder)
    assert said == refusal(lambda source: starting_model(options(source)), str(folder))


@pytest.mark.parametrize("change", GOOD.values(), ids=GOOD)
def test_a_checkpoint_that_differs_in_nothing_that_matters_loads_everywhere(folder, whole, change):
    change(folder)
    read = read_weights(folder)
    assert read.digest() == weights_of(load_model(folder)).digest() == read_weights(whole).digest()
    assert weights_of(starting_model(options(folder))).digest() == read.digest()
    assert Arranger.from_pretrained(folder).engine.weights.digest() == read.digest()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(DROP),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
FIELDS = json.loads(Path(BUNDLED, "config.json").read_text()).keys() | {"plays_chords"}


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), JSON, min_size=1, max_size=3))
def test_whatever_a_configuration_says_it_loads_or_is_refused(whole, tmp_path_factory, changes):
    folder = tmp_path_factory.mktemp("config")
    shutil.copytree(whole, folder, dirs_exist_ok=True)
    dropped = json.loads(json.dumps(changes, default=lambda value: "dropped"))
    config(**{name: DROP if value is DROP else dropped[name] for name, value in changes.items()})(folder)
    assert refusal(read_weights, folder) == refusal(load_model, folder)


@given(st.data())
@settings(max_examples=150)
def test_damaged_bytes_load_or_are_refused(whole, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("bytes")
    for file in whole.iterdir():
        (folder / file.name).symlink_to(file)
    name = data.draw(st.sampled_from(["config.json", "generation_config.json", "model.safetensors"]))
    damaged = bytearray((whole / name).read_bytes())
    header = min(len(damaged), 4_000)  # of the weights too: a change in the numbers is no damage that one could see
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, header - 1))
        damaged[place : place + 1] = data.draw(st.binary(max_size=2))
    (folder / name).unlink()
    (folder / name).write_bytes(damaged[: data.draw(st.just(len(damaged)) | st.integers(0, len(damaged)))])
    refusal(read_weights, folder)


@pytest.mark.parametrize("what", ["NaN", "no n_layer", "config a list", "weights cut", "index outside"])
def test_the_command_line_says_it_in_one_line(folder, tmp_path, capsys, what):
    BAD[what][0](folder)
    melody = str(EXAMPLES / "ode_to_joy.mid")
    assert main(["arrange", melody, "--model", str(folder), "-o", str(tmp_path / "out.mid")]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert str(folder) in said
    assert not (tmp_path / "out.mid").exists()


def test_a_file_is_no_folder(folder):
    with pytest.raises(PianalysisError, match=r"expected a checkpoint's folder, found a file"):
        read_weights(folder / "model.safetensors")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unreadable to root")
def test_unreadable_files_say_so(folder):
    (folder / "model.safetensors").chmod(0)
    with pytest.raises(PianalysisError, match=r"model\.safetensors is damaged or can't be read"):
        read_weights(folder)


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_are_stored_in_any_precision_and_read_in_float32(folder, whole, kind):
    full = load_file(whole / "model.safetensors")
    tensors(lambda read: read.update({name: found.to(kind) for name, found in read.items()}))(folder)
    stored = load_file(folder / "model.safetensors")
    assert {found.dtype for found in stored.values()} == {kind}
    read = read_weights(folder)
    for name, found in read.tensors.items():
        assert found.dtype == torch.float32
        assert torch.equal(found, full[f"transformer.{name}"].to(kind).float())
    assert {parameter.dtype for parameter in load_model(folder).parameters()} == {torch.float32}
    assert read.digest() == read_weights(folder).digest() == weights_of(load_model(folder)).digest()
    assert (read.digest() == read_weights(whole).digest()) == (kind == torch.float64)  # which loses nothing
    resaved = folder.parent / "resaved"
    save_model(load_model(folder).to(kind), resaved)
    assert read_weights(resaved).digest() == read.digest()


def shape(preset):
    return json.dumps(weights.PRESETS[preset])


def test_the_bundled_default_is_found_by_the_name_of_its_size(monkeypatch, tmp_path):
    assert find_checkpoint() == BUNDLED
    (name,) = (size for size, folder in weights.bundled_checkpoints().items() if folder == BUNDLED)
    config = json.loads(Path(BUNDLED, "config.json").read_text())
    assert weights.PRESETS[name].items() <= config.items()
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    assert find_checkpoint(name) == BUNDLED  # the bundled name wins over a folder; the folder has other names
    assert find_checkpoint(f"./{name}") == f"./{name}"
    assert find_checkpoint(Path(name)) == name
    assert find_checkpoint("org/small") == "org/small"
    assert read_weights(name).digest() == read_weights().digest()
    assert load_model(name).name_or_path == BUNDLED
    with pytest.raises(PianalysisError, match=rf"^\./{name}: expected a checkpoint with config\.json"):
        read_weights(f"./{name}")


def test_another_size_lies_beside_the_default(monkeypatch, tmp_path):
    default, beside = tmp_path / "checkpoint", tmp_path / "small"
    monkeypatch.setattr(weights, "BUNDLED", str(default))
    default.mkdir()
    (default / "config.json").write_text(shape("canonical"))
    assert find_checkpoint() == find_checkpoint("canonical") == str(default)
    with pytest.raises(PianalysisError, match=r"^small: .*package \(canonical\), .*\(as \./small"):
        find_checkpoint("small")
    with pytest.raises(PianalysisError, match=r"^tiny: expected a size that comes with the package"):
        find_checkpoint("tiny")
    beside.mkdir()
    (beside / "config.json").write_text(shape("small"))
    assert find_checkpoint("small") == str(beside)
    (default / "config.json").write_text(shape("small"))
    assert find_checkpoint("small") == str(default)
    with pytest.raises(PianalysisError, match="found no name"):
        find_checkpoint(" ")

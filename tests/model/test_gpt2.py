from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pianalysis.errors import PianalysisError
from pianalysis.model.gpt2 import (
    embedding_table,
    load_model,
    make_config,
    make_model,
    model_of,
    position_table,
    save_model,
    set_dropout,
)
from pianalysis.model.hf_tokenizer import make_hf_tokenizer
from pianalysis.model.weights import BUNDLED, weights_of
from pianalysis.tokens import vocab


@pytest.mark.parametrize(("preset", "parameters"), [("canonical", 20_374_016), ("small", 3_888_896), ("tiny", 116_640)])
def test_sizes(preset, parameters):
    assert make_model(preset).num_parameters() == parameters


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="huge"):
        make_config("huge")


def test_the_same_seed_gives_the_same_weights():
    first, again, other = make_model("tiny", seed=1), make_model("tiny", seed=1), make_model("tiny", seed=2)
    key = "transformer.h.0.mlp.c_fc.weight"
    assert torch.equal(first.state_dict()[key], again.state_dict()[key])
    assert not torch.equal(first.state_dict()[key], other.state_dict()[key])
    assert torch.equal(first.transformer.wte.weight, again.transformer.wte.weight)


def test_dropout_is_of_embeddings_and_layers_not_of_attention():
    model = make_model("tiny", dropout=0.2)
    rates = {name: module.p for name, module in model.named_modules() if isinstance(module, torch.nn.Dropout)}
    assert {rate for name, rate in rates.items() if "attn_dropout" in name} == {0.0}
    assert {rate for name, rate in rates.items() if "attn_dropout" not in name} == {0.2}
    assert (model.config.embd_pdrop, model.config.resid_pdrop, model.config.attn_pdrop) == (0.2, 0.2, 0.0)
    set_dropout(model, 0.0)
    ids = torch.tensor([[vocab.BOS, vocab.SEP, 60]])
    assert torch.equal(model.train()(ids).logits, model.eval()(ids).logits)


def cosine(table, a, b):
    return float(table[a] @ table[b] / np.linalg.norm(table[a]) / np.linalg.norm(table[b]))


def test_what_is_near_in_music_is_near_in_the_table():
    table = embedding_table(256, np.random.default_rng(0))
    assert table.shape == (vocab.VOCAB_SIZE, 256)
    assert cosine(table, 60, 72) > cosine(table, 60, 66)
    assert cosine(table, vocab.time_id(500), vocab.time_id(525)) > cosine(table, vocab.time_id(500), vocab.time_id(675))
    assert abs(cosine(table, 60, vocab.time_id(500))) < 0.4
    positions = position_table(256)
    assert cosine(positions, 100, 101) > cosine(positions, 100, 140)
    assert table.std() == pytest.approx(0.02, rel=0.3)
    assert positions.std() == pytest.approx(0.02, rel=0.3)


def test_saved_models_load_with_auto_classes(tmp_path, tiny_model):
    save_model(tiny_model, tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}
    model = AutoModelForCausalLM.from_pretrained(tmp_path)
    ids = torch.tensor([AutoTokenizer.from_pretrained(tmp_path)("<bos> STYLE_POP DENSITY_LOW <sep>")["input_ids"]])
    with torch.no_grad():
        torch.testing.assert_close(model(ids).logits, tiny_model(ids).logits)


def test_a_model_of_the_weights_of_a_model_is_the_model(tiny_model):
    weights, before = weights_of(tiny_model), torch.random.get_rng_state()
    model = model_of(weights)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert not model.training
    assert model.lm_head.weight is model.transformer.wte.weight
    ids = torch.tensor([[vocab.BOS, vocab.SEP, 60]])
    with torch.no_grad():
        assert torch.equal(model(ids).logits, tiny_model(ids).logits)
        model.transformer.wpe.weight.zero_()  # its own: what it was made of stays
    assert weights.tensors["wpe.weight"].any()


def test_the_tokenizer_is_saved_as_transformers_4_reads_it(tmp_path, tiny_model):
    """Tried with 4.57.6, which knows no other class for it, and would have it give token types, too."""
    save_model(tiny_model, tmp_path)
    for folder in (tmp_path, Path(BUNDLED)):
        saved = json.loads((folder / "tokenizer_config.json").read_text())
        assert saved["tokenizer_class"] == "PreTrainedTokenizerFast"
        assert saved["model_input_names"] == ["input_ids", "attention_mask"]
    assert (tmp_path / "tokenizer.json").read_bytes() == Path(BUNDLED, "tokenizer.json").read_bytes()
    ours = make_hf_tokenizer()
    for copied in (AutoTokenizer.from_pretrained(tmp_path), copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert copied("<bos> PITCH_60") == ours("<bos> PITCH_60")


def test_models_over_another_vocabulary_are_refused(tmp_path):
    config = make_config("tiny")
    config.vocab_size = 900
    type(make_model("tiny"))(config).save_pretrained(tmp_path)
    with pytest.raises(PianalysisError, match="vocab_size 801, found 900"):
        load_model(tmp_path)


def test_pickled_weights_are_refused(tmp_path, tiny_model):
    tiny_model.config.save_pretrained(tmp_path)
    torch.save(tiny_model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(PianalysisError, match=r"expected a checkpoint with model\.safetensors, found none"):
        load_model(tmp_path)

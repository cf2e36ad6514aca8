"""What a CPU trains with: the same functions as the library's, forward and back, and nothing of it in what is saved."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import scaled_dot_product_attention

from pianalysis.model.gpt2 import load_model, make_model, save_model, set_dropout
from pianalysis.tokens import vocab
from pianalysis.training.cpu_kernels import BLOCK, CausalAttention, QuickDropout, use_cpu_kernels
from pianalysis.training.likelihood import token_losses


def random_heads(length: int, seed: int, dtype: torch.dtype) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Queries, keys, values ``[2, 3, length, 8]``, and weights of the outputs ``[2, length, 3, 8]``."""
    generator = torch.Generator().manual_seed(seed)
    heads = [torch.randn(2, 3, length, 8, generator=generator).to(dtype).requires_grad_() for _ in range(3)]
    return heads, torch.randn(2, length, 3, 8, generator=generator).to(dtype)


def exact(heads: list[torch.Tensor], outside: torch.Tensor) -> list[torch.Tensor]:
    """PyTorch's own attention in float64: what is attended to, and the three gradients."""
    inside = [item.detach().double().requires_grad_() for item in heads]
    attended = scaled_dot_product_attention(*inside, is_causal=True, scale=0.3).transpose(1, 2)
    return [attended.detach(), *torch.autograd.grad((attended * outside.double()).sum(), inside)]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from([1, 2, 7, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5]), st.integers(0, 100))
def test_attention_and_its_gradients_are_exact_for_any_length(length, seed):
    heads, outside = random_heads(length, seed, torch.float32)
    attended = CausalAttention.apply(*heads, 0.3)
    found = [attended.detach(), *torch.autograd.grad((attended * outside).sum(), heads)]
    for one, other in zip(found, exact(heads, outside), strict=True):
        assert torch.allclose(one.double(), other, atol=2e-5)


def test_in_half_precision_attention_is_as_near_as_half_precision_is():
    heads, outside = random_heads(3 * BLOCK, 0, torch.bfloat16)
    attended = CausalAttention.apply(*heads, 0.3)
    found = [attended.detach(), *torch.autograd.grad((attended * outside).sum(), heads)]
    for one, other in zip(found, exact(heads, outside), strict=True):
        assert one.dtype == torch.bfloat16
        assert (one.double() - other).norm() < 0.01 * other.norm()


def test_attention_by_hand():
    """Equal scores: each token has the mean of itself and those before it."""
    values = torch.tensor([1.0, 3.0, 8.0]).view(1, 1, 3, 1)
    attended = CausalAttention.apply(torch.zeros_like(values), values, values, 1.0)
    assert attended.flatten().tolist() == pytest.approx([1.0, 2.0, 4.0])


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_dropout_drops_its_share_keeps_the_mean_and_its_gradient(p):
    dropout, ones = QuickDropout(p), torch.ones(1_003, 301, requires_grad=True)
    torch.manual_seed(0)
    dropped = dropout(ones)
    dropped.sum().backward()
    assert torch.equal(ones.grad, dropped)
    assert dropped.unique().tolist() == pytest.approx([0.0, 1 / (1 - p)], rel=1e-4)
    assert (dropped == 0).float().mean().item() == pytest.approx(p, abs=0.003)
    # what is dropped is not the same from row to row or column to column
    shares = [(dropped == 0).float().mean(axis) for axis in (0, 1)]
    assert all(share.std() < 1.5 * (p * (1 - p) / n) ** 0.5 for share, n in zip(shares, (1_003, 301), strict=True))
    torch.manual_seed(0)
    assert torch.equal(dropout(ones), dropped)
    assert not torch.equal(dropout(ones), dropped)
    assert dropout.eval()(ones) is ones


@pytest.fixture
def ids():
    generator = torch.Generator().manual_seed(3)
    return torch.randint(vocab.LOWEST_PITCH, vocab.VOCAB_SIZE, (2, BLOCK + 40), generator=generator)


def test_a_models_losses_and_gradients_stay_the_same(ids):
    plain = make_model("tiny").train()
    quick = copy.deepcopy(plain)
    use_cpu_kernels(quick)
    for model in (plain, quick):
        token_losses(model, ids).mean().backward()
    for (name, one), other in zip(plain.named_parameters(), quick.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-6), name
    with torch.no_grad():  # as in evaluation
        assert torch.allclose(token_losses(plain.eval(), ids), token_losses(quick.eval(), ids), atol=1e-5)


def test_what_is_saved_knows_nothing_of_it(ids, tmp_path):
    for name, kernels in (("plain", False), ("quick", True)):
        model = make_model("tiny")
        set_dropout(model, 0.1)
        if kernels:
            use_cpu_kernels(model)
        save_model(model, tmp_path / name)
    for file in ("model.safetensors", "config.json", "generation_config.json"):
        assert (tmp_path / "quick" / file).read_bytes() == (tmp_path / "plain" / file).read_bytes()
    config = json.loads((tmp_path / "quick" / "config.json").read_text())
    assert config["activation_function"] == "gelu_new"
    assert load_model(tmp_path / "quick").config._attn_implementation == "sdpa"

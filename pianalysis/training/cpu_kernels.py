"""A training step's attention, activation and dropout as a CPU does them quickly, in place of the library's own.

In: a GPT-2. Out: the same function of the same weights, in a step that takes about three quarters of the time. Configuration
and checkpoints don't know of it. Times below: one thread of an AMD EPYC with AVX-512, bfloat16, 8 × 1,152 tokens, canonical.
"""

from __future__ import annotations

import math
from typing import Any, Final

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

ATTENTION: Final = "causal_blocks"
"""The attention's name in transformers' registry."""
BLOCK: Final = 128
"""Queries whose scores are computed at a time: with all heads of a window they fit into the cache."""
DROPOUT_LEVELS: Final = 1 << 16
"""Dropout's probability is rounded to one of so many: two random bytes a number."""


class CausalAttention(torch.autograd.Function):
    """Softmax attention of each token to itself and those before it, block by block of queries.

    PyTorch's kernel for CPUs takes 640 ms, forward and back, where two matrix products a block, of only the keys that its
    queries may see, and the same products backwards take 440 ms. The weights are kept for the way back.
    """

    @staticmethod
    def forward(
        context: Any, queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """Queries, keys and values ``[batch, heads, length, width]`` to what is attended to, ``[batch, length, heads, width]``."""
        queries, keys, values = (queries * scale).contiguous(), keys.contiguous(), values.contiguous()
        batch, heads, length, width = queries.shape
        future = torch.full((BLOCK, BLOCK), -math.inf, dtype=queries.dtype).triu_(1)
        attended = queries.new_empty(batch, length, heads, width)
        kept = []
        for window, (query, key, value) in enumerate(zip(queries, keys, values, strict=True)):
            for start in range(0, length, BLOCK):
                stop = min(start + BLOCK, length)
                scores = torch.bmm(query[:, start:stop], key[:, :stop].transpose(1, 2))
                scores[:, :, start:] += future[: stop - start, : stop - start]
                weights = scores.softmax(-1)
                attended[window, start:stop] = torch.bmm(weights, value[:, :stop]).transpose(0, 1)
                kept.append(weights)
        context.save_for_backward(queries, keys, values, *kept)
        context.scale = scale
        return attended

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, None]:
        """The gradients of queries, keys and values; those of keys and values are summed over blocks in float32."""
        queries, keys, values, *kept = context.saved_tensors
        _, heads, length, width = queries.shape
        gradient = gradient.transpose(1, 2).contiguous()
        of_queries, of_keys, of_values = map(torch.empty_like, (queries, keys, values))
        blocks = iter(kept)
        for window, (query, key, value, above) in enumerate(zip(queries, keys, values, gradient, strict=True)):
            of_key, of_value = torch.zeros(2, heads, length, width)
            for start in range(0, length, BLOCK):
                stop = min(start + BLOCK, length)
                weights, wanted = next(blocks), above[:, start:stop]
                of_value[:, :stop] += torch.bmm(weights.transpose(1, 2), wanted)
                of_weights = torch.bmm(wanted, value[:, :stop].transpose(1, 2))
                of_scores = torch._softmax_backward_data(of_weights, weights, -1, weights.dtype)
                of_queries[window, :, start:stop] = torch.bmm(of_scores, key[:, :stop])
                of_key[:, :stop] += torch.bmm(of_scores.transpose(1, 2), query[:, start:stop])
            of_keys[window], of_values[window] = of_key, of_value
        return of_queries.mul_(context.scale), of_keys, of_values, None


def causal_attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """`CausalAttention` as transformers calls an attention; PyTorch's own for what it isn't made for."""
    if attention_mask is None and not dropout and query.shape == key.shape and torch.is_grad_enabled():
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        return CausalAttention.apply(query, key, value, scale), None  # type: ignore[no-untyped-call]
    causal = attention_mask is None and query.shape[2] > 1
    attended = scaled_dot_product_attention(query, key, value, attention_mask, dropout, is_causal=causal, scale=scaling)
    return attended.transpose(1, 2).contiguous(), None


class DropoutOfBits(torch.autograd.Function):
    """Dropout that decides by two random bytes a number: 20 ms instead of 31."""

    @staticmethod
    def forward(context: Any, values: torch.Tensor, level: int) -> torch.Tensor:
        """Values of any shape, `level` of 65,536 of them 0 and the others greater by as much."""
        count = values.numel()
        words = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(1 << 63), None)
        context.kept = words.view(torch.int16)[:count].view(values.shape) >= level - DROPOUT_LEVELS // 2
        context.scale = DROPOUT_LEVELS / (DROPOUT_LEVELS - level)
        dropped: torch.Tensor = (values * context.scale).mul_(context.kept)
        return dropped

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        """The gradient of what was kept."""
        return (gradient * context.scale).mul_(context.kept), None


class QuickDropout(nn.Module):
    """`torch.nn.Dropout` by `DropoutOfBits`."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.level = round(p * DROPOUT_LEVELS)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        if not (self.training and self.level):
            return values
        dropped: torch.Tensor = DropoutOfBits.apply(values, self.level)  # type: ignore[no-untyped-call]
        return dropped


def use_cpu_kernels(model: Any) -> None:
    """Let a GPT-2 take them, in place; call it after dropout is set. The attention's own dropout stays PyTorch's.

    The activation is GPT-2's (``gelu_new``) in one kernel instead of eight.
    """
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(ATTENTION, causal_attention)
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)  # none, where every token sees all before it
    model.set_attn_implementation(ATTENTION)
    model.transformer.drop = QuickDropout(model.transformer.drop.p)
    for block in model.transformer.h:
        block.mlp.act = nn.GELU(approximate="tanh")
        block.mlp.dropout = QuickDropout(block.mlp.dropout.p)
        block.attn.resid_dropout = QuickDropout(block.attn.resid_dropout.p)

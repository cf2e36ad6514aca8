"""One GPT-2 forward pass, written out: a prompt at once, or one token of several sequences.

In: ids and caches of keys and values. Out: the last hidden states. The law that a sequence comes out the same alone or
beside others holds by construction. Attention and normalisation see one row at a time. In int8 the products are sums of
whole numbers, which are exact in any order, and each row is scaled by its own peak. In float32, where the order of a sum
shows in the last bits, each row is multiplied on its own. (The width is to be a multiple of 16, or rows aren't aligned alike.)

Tried, and no faster on a machine that was busy with other work: keys and values in int8 through the same kernels (their
calls cost more than the bytes that they save), a common melody's keys and values kept once, the small operations in NumPy.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from pianalysis.errors import PianalysisError
from pianalysis.model.weights import Weights

Precision = Literal["int8", "float32"]
Floats = NDArray[np.float32]

_ZERO_POINT: Final = 128
_SMALLEST_PEAK: Final = 1e-12
BLOCK: Final = 128
"""Positions that are multiplied at once. `numpy.einsum` over all of them takes two to ten times as long, and a product of more
than some 9,000 numbers NumPy's library would divide among threads, which wait for each other beside another job.
"""


class Cache:
    """Keys and values of one sequence, as much memory as it can ever need, of which the system gives what is used.

    keys, values: for each layer ``[1, heads, positions, features of a head]``. length: the positions that are filled.
    """

    def __init__(self, weights: Weights, positions: int) -> None:
        shape = (weights.layers, 2, 1, weights.heads, positions, weights.width // weights.heads)
        self._memory = torch.empty(shape)
        self.keys, self.values = ([layer[part] for layer in self._memory] for part in (0, 1))
        self._arrays: list[tuple[Floats, Floats]] = [(keys[0], values[0]) for keys, values in self._memory.numpy()]
        self.length = 0

    def begin_as(self, other: Cache) -> None:
        """Take over, in place, what another holds."""
        self.length = other.length
        self._memory[..., : self.length, :] = other._memory[..., : self.length, :]

    def attend(self, layer: int, query: Floats, key: Floats, value: Floats) -> Floats:
        """What a query sees of a layer's positions, the one whose key and value are given last; all ``[heads, features]``.

        Fills that position; whoever has called it for all layers adds 1 to the length. Over the rows of one sequence this
        is faster than torch's attention, which is made for many queries.
        """
        keys, values = self._arrays[layer]
        stop = self.length + 1
        keys[:, self.length], values[:, self.length] = key, value
        shares = torch.softmax(torch.from_numpy(_products(keys[:, :stop], query)), 1)
        return _sums(values[:, :stop], shares.numpy())


def _products(keys: Floats, query: Floats) -> Floats:
    """A query times each key, ``[heads, n]``; keys ``[heads, n, features]``, query ``[heads, features]``."""
    heads, count, features = keys.shape
    whole = count - count % BLOCK
    products = np.empty((heads, count), np.float32)
    blocks = keys[:, :whole].reshape(heads, -1, BLOCK, features)
    products[:, :whole] = np.matmul(blocks, query[:, None, :, None]).reshape(heads, whole)
    products[:, whole:] = np.matmul(keys[:, whole:], query[:, :, None])[:, :, 0]
    return products


def _sums(values: Floats, shares: Floats) -> Floats:
    """The values' sums by their shares ``[heads, n]``: ``[heads, features]``; values ``[heads, n, features]``."""
    heads, count, features = values.shape
    whole = count - count % BLOCK
    blocks = values[:, :whole].reshape(heads, -1, BLOCK, features)
    of_blocks = np.matmul(shares[:, :whole].reshape(heads, -1, 1, BLOCK), blocks)[:, :, 0]
    rest: Floats = np.matmul(shares[:, None, whole:], values[:, whole:])[:, 0]
    rest += of_blocks.sum(axis=1)
    return rest


class FloatLinear:
    """A layer in float32. weight ``[in, out]`` as GPT-2 has it, bias ``[out]``."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        self.weight, self.bias = weight.t().contiguous(), bias

    def together(self, rows: torch.Tensor) -> torch.Tensor:
        """All positions of one sequence, ``[n, in]`` to ``[n, out]``."""
        return functional.linear(rows, self.weight, self.bias)

    def apart(self, rows: torch.Tensor) -> torch.Tensor:
        """Rows of several sequences, each as if it were alone."""
        return torch.stack([torch.addmv(self.bias, self.weight, row) for row in rows])


class Int8Linear:
    """A layer in int8: weights by output feature, inputs by row, each scaled to its own peak (dynamic quantisation)."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        self.packed, self.bias, self.step = _pack(weight.t().contiguous()), bias, 1 / int8_levels()

    def together(self, rows: torch.Tensor) -> torch.Tensor:
        """``[n, in]`` to ``[n, out]``."""
        peaks = rows.abs().amax(-1, keepdim=True).clamp_min_(_SMALLEST_PEAK)  # several rows' `vector_norm` is slow
        return torch.addcmul(self.bias, _multiply(rows / peaks, self.step, self.packed), peaks)

    apart = together


def _multiply(rows: torch.Tensor, step: float, packed: torch.ScriptObject) -> torch.Tensor:
    # The overload named: without, Python looks through the arguments first, 24 times a token.
    product: torch.Tensor = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32.default(
        rows, step, _ZERO_POINT, packed
    )
    return product


def _pack(weight: torch.Tensor) -> torch.ScriptObject:
    """Weights ``[out, in]`` as the int8 kernels want them."""
    scales = weight.abs().amax(1).clamp_min(_SMALLEST_PEAK).double() / 127
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that torch will give up its quantised tensors; the version is pinned
        whole = torch.quantize_per_channel(weight, scales, torch.zeros(len(weight), dtype=torch.long), 0, torch.qint8)
        packed: torch.ScriptObject = torch.ops.quantized.linear_prepack(whole, None)
    return packed


def has_int8() -> bool:
    """Whether this build of torch has the int8 kernels (on x86 it has)."""
    return torch.backends.quantized.engine in ("x86", "fbgemm")


_levels: list[int] = []


def int8_levels() -> int:
    """Steps from 0 to the peak of an input row: 127, or 63 on a processor without VNNI, whose sums of pairs would overflow."""
    if not _levels:
        ones = torch.ones(1, 64)
        exact = float(_multiply(ones, 1 / 127, _pack(torch.ones(16, 64)))[0, 0])
        _levels.append(127 if abs(exact - 64) < 0.1 else 63)
    return _levels[0]


@dataclass(frozen=True, eq=False)
class _Layer:
    before_attention: tuple[torch.Tensor, torch.Tensor]
    before_mlp: tuple[torch.Tensor, torch.Tensor]
    attention: FloatLinear | Int8Linear
    attended: FloatLinear | Int8Linear
    up: FloatLinear | Int8Linear
    down: FloatLinear | Int8Linear


class Network:
    """The forward pass over given weights. `head` ``[801, width]`` gives logits: its rows times a hidden state."""

    def __init__(self, weights: Weights, precision: Precision) -> None:
        if precision not in ("int8", "float32"):
            raise PianalysisError(f"expected a precision of int8 or float32, found {precision!r}")
        if precision == "int8" and not has_int8():
            raise PianalysisError("expected int8 kernels in this build of torch, found none; choose float32")
        linear = Int8Linear if precision == "int8" else FloatLinear
        tensors, self.weights = weights.tensors, weights

        def pair(name: str) -> tuple[torch.Tensor, torch.Tensor]:
            return tensors[f"{name}.weight"], tensors[f"{name}.bias"]

        self._layers = [
            _Layer(
                pair(f"h.{index}.ln_1"),
                pair(f"h.{index}.ln_2"),
                *(
                    linear(*pair(f"h.{index}.{name}"))
                    for name in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
                ),
            )
            for index in range(weights.layers)
        ]
        self._last_norm = pair("ln_f")
        self.head, self._positions = tensors["wte.weight"], tensors["wpe.weight"]

    def read(self, ids: Sequence[int], cache: Cache, *, every: bool = False) -> torch.Tensor:
        """Take in more of one sequence at once, filling the cache; the hidden state after its last id ``[1, width]``.

        every: the states after all ids, ``[n, width]``.
        """
        start, stop = cache.length, cache.length + len(ids)
        x = self.head[torch.tensor(ids)] + self._positions[start:stop]
        sees = torch.ones(len(ids), stop, dtype=torch.bool).tril(start) if start else None
        for layer, keys, values in zip(self._layers, cache.keys, cache.values, strict=True):
            heads = layer.attention.together(self._norm(x, layer.before_attention))
            query, key, value = heads.view(len(ids), 3, self.weights.heads, -1).permute(1, 2, 0, 3)
            keys[0, :, start:stop], values[0, :, start:stop] = key, value
            seen = functional.scaled_dot_product_attention(
                query[None], keys[:, :, :stop], values[:, :, :stop], attn_mask=sees, is_causal=not start
            )
            x = x + layer.attended.together(seen[0].transpose(0, 1).reshape(len(ids), -1))
            if layer is self._layers[-1] and not every:
                x = x[-1:]
            inner = functional.gelu(layer.up.together(self._norm(x, layer.before_mlp)), approximate="tanh")
            x = x + layer.down.together(inner)
        cache.length = stop
        return self._norm(x, self._last_norm)

    def step(self, tokens: Sequence[int], caches: Sequence[Cache]) -> torch.Tensor:
        """One more token of each of several sequences; the hidden states after them ``[n, width]``. Fills the caches."""
        x = self.head[torch.tensor(tokens)] + self._positions[torch.tensor([cache.length for cache in caches])]
        for index, layer in enumerate(self._layers):
            inputs = layer.attention.apart(self._norm(x, layer.before_attention))
            x = x + layer.attended.apart(self._attend(index, inputs, caches))
            inner = functional.gelu(layer.up.apart(self._norm(x, layer.before_mlp)), approximate="tanh")
            x = x + layer.down.apart(inner)
        for cache in caches:
            cache.length += 1
        return self._norm(x, self._last_norm)

    def _attend(self, layer: int, inputs: torch.Tensor, caches: Sequence[Cache]) -> torch.Tensor:
        """What the next token of each sequence sees, ``[n, width]``, of queries, keys and values ``[n, 3 · width]``."""
        heads: Floats = inputs.numpy().reshape(len(caches), 3, self.weights.heads, -1)
        queries = heads[:, 0] * np.float32(1 / math.sqrt(heads.shape[-1]))
        seen = np.empty_like(queries)
        for row, cache in enumerate(caches):
            seen[row] = cache.attend(layer, queries[row], heads[row, 1], heads[row, 2])
        return torch.from_numpy(seen).view(len(caches), -1)

    def _norm(self, x: torch.Tensor, scale_and_shift: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return functional.layer_norm(x, (x.shape[-1],), *scale_and_shift, self.weights.epsilon)

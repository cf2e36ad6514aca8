"""Growing a GPT-2: twice as wide, deeper, and computing what it computed before.

In: a trained `GPT2LMHeadModel` and the name of a larger preset. Out: a model of that size, to go on training from. After
Chen et al. 2016 ("Net2Net"), with copies that halve each other instead of random ones, so that heads stay whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pianalysis.errors import PianalysisError
from pianalysis.model.gpt2 import PRESETS, make_model, normalises_key, plays_chords

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import GPT2LMHeadModel

NOISE: Final = 0.05
"""How much noise is added to a matrix, in shares of its own standard deviation: equal halves would learn the same."""

_NORMS: Final = ("ln_1", "ln_2")


def grow(model: GPT2LMHeadModel, preset: str, *, noise: float = 0.0, seed: int = 0) -> GPT2LMHeadModel:
    """A model of a preset's size whose logits are those of `model`, but for `noise` (see `NOISE`).

    Every value of the residual stream stands twice, so widths and heads double; layers beyond those of `model` are
    copies of its last one that add nothing yet. Raises PianalysisError for a preset that isn't twice as wide with twice
    the heads and at least as many layers.
    """
    import torch

    before, after = model.config, PRESETS[preset]
    sizes = (2 * before.n_embd, 2 * before.n_head)
    if sizes != (after["n_embd"], after["n_head"]) or before.n_layer > after["n_layer"]:
        raise PianalysisError(
            f"expected a model half as wide as {preset}, with half its heads and no more than {after['n_layer']} layers, "
            f"found width {before.n_embd}, {before.n_head} heads, {before.n_layer} layers"
        )
    grown = make_model(preset, structured=False)
    grown.train(False)
    state = model.state_dict()
    with torch.no_grad():
        for name, parameter in grown.named_parameters():
            parameter.copy_(_grown(name, state, before.n_layer))
        if noise:
            _add_noise(grown, noise, seed)
    grown.config.normalises_key, grown.config.plays_chords = normalises_key(model), plays_chords(model)
    grown.generation_config = model.generation_config
    return grown


def _grown(name: str, state: dict[str, Tensor], layers: int) -> Tensor:
    """A parameter of the larger model, from those of the smaller one."""
    prefix, _, rest = name.partition("transformer.h.")
    if prefix or not rest:  # outside the layers
        doubled = _twice(state[name])
        # The tied head meets every feature twice, which the last norm makes up for.
        return doubled / 2 if ".ln_f." in name else doubled
    number, part = rest.split(".", 1)
    copied = state[f"transformer.h.{min(int(number), layers - 1)}.{part}"]
    module, kind = part.rsplit(".", 1)
    added = int(number) >= layers and module.endswith("c_proj")
    if module in _NORMS or kind == "bias":
        larger = _twice_by_parts(copied, 3 if module == "attn.c_attn" else 1)
    else:
        larger = _in_blocks(copied, 3 if module == "attn.c_attn" else 1)
    return larger * 0 if added else larger


def _twice(values: Tensor) -> Tensor:
    import torch

    return torch.cat([values, values], dim=-1)


def _twice_by_parts(values: Tensor, parts: int) -> Tensor:
    """Each of some equal parts (queries, keys, values) twice, side by side."""
    import torch

    return torch.cat([_twice(part) for part in values.chunk(parts, dim=-1)], dim=-1)


def _in_blocks(matrix: Tensor, parts: int) -> Tensor:
    """``[[W, W], [W, W]] / 2``, of each part of a matrix: two equal halves go in, two equal halves come out."""
    import torch

    row = _twice_by_parts(matrix, parts)
    return torch.cat([row, row], dim=0) / 2


def _add_noise(model: GPT2LMHeadModel, share: float, seed: int) -> None:
    """Add noise to all matrices, in place."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        if parameter.ndim == 2:
            parameter.add_(torch.randn(parameter.shape, generator=generator) * share * parameter.std())

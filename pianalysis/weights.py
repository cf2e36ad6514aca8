"""A GPT-2's weights and the few numbers beside them, read without `transformers`, whose import takes seconds.

In: a folder, a Hub id, or a model of `transformers`. Out: `Weights`. Only safetensors and JSON are read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pianalysis import vocab
from pianalysis.notes import PianalysisError

if TYPE_CHECKING:
    import torch

BUNDLED: Final = os.path.join(os.path.dirname(__file__), "data", "checkpoint")
"""The folder of the checkpoint that comes with the package."""

CONFIG_FILE: Final = "config.json"
WEIGHTS_FILE: Final = "model.safetensors"
_AS_GPT2: Final[dict[str, Any]] = {
    "model_type": "gpt2",
    "vocab_size": vocab.VOCAB_SIZE,
    "activation_function": "gelu_new",
    "add_cross_attention": False,
    "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False,
    "tie_word_embeddings": True,
}
"""What the engine computes; a configuration that says otherwise is refused."""


@dataclass(frozen=True, eq=False)
class Weights:
    """A GPT-2 over the 801 ids.

    tensors: float32 on the CPU, by their names in `transformers` without the prefix ``transformer.``.
    positions: the longest sequence. normalises_key: it was trained on pieces in C major or A minor.
    """

    tensors: Mapping[str, torch.Tensor]
    layers: int
    heads: int
    positions: int
    epsilon: float = 1e-5
    normalises_key: bool = False

    @property
    def width(self) -> int:
        """The number of features of a token."""
        return int(self.tensors["wte.weight"].shape[1])

    @property
    def bytes_per_token(self) -> int:
        """What a step has to read in float32: all matrices but the position table, of which it takes a row."""
        return sum(4 * tensor.numel() for name, tensor in self.tensors.items() if name != "wpe.weight")


def weights_of(model: Any) -> Weights:
    """The weights of a `GPT2LMHeadModel`. Raises PianalysisError for what is computed otherwise than a plain GPT-2."""
    if isinstance(model, Weights):
        return model
    return _make(model.state_dict(), model.config.to_dict(), type(model).__name__)


def read_weights(model: str | os.PathLike[str] | None = None) -> Weights:
    """The weights of a checkpoint in a folder or on the Hub; of the bundled one by default.

    Raises PianalysisError for what is no such checkpoint, and what `huggingface_hub` raises where it isn't to be had.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    source = BUNDLED if model is None else os.fspath(model)
    config_path, weights_path = (_find(source, name) for name in (CONFIG_FILE, WEIGHTS_FILE))
    try:
        config = json.loads(config_path.read_text(encoding="utf-8"))
        return _make(load_file(weights_path), config, source)
    except (json.JSONDecodeError, UnicodeDecodeError, SafetensorError) as error:
        raise PianalysisError(f"{source}: the checkpoint is damaged ({error}); fetch it again") from None


def _find(source: str, name: str) -> Path:
    """A checkpoint's file, downloaded where the source is a Hub id."""
    folder = Path(source)
    if folder.is_dir():
        if (folder / name).is_file():
            return folder / name
        raise PianalysisError(f"{source}: expected a checkpoint with {name}, found none")
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(source, name))


def _make(tensors: Mapping[str, torch.Tensor], config: Mapping[str, Any], source: str) -> Weights:
    import torch

    for key, expected in _AS_GPT2.items():
        found = config.get(key, expected)
        if found != expected:
            raise PianalysisError(f"{source}: expected a GPT-2 with {key} {expected!r}, found {found!r}")
    plain = {
        name.removeprefix("transformer."): tensor.detach().to("cpu", torch.float32).contiguous()
        for name, tensor in tensors.items()
    }
    plain.pop("lm_head.weight", None)  # the token table, under another name
    layers, heads = int(config["n_layer"]), int(config["n_head"])
    missing = [name for name in _names(layers) if name not in plain]
    if missing:
        raise PianalysisError(f"{source}: expected the weights of {layers} layers, found no {missing[0]}")
    return Weights(
        plain,
        layers,
        heads,
        int(config["n_positions"]),
        float(config.get("layer_norm_epsilon", 1e-5)),
        bool(config.get("normalises_key", False)),
    )


def _names(layers: int) -> list[str]:
    """The names of all tensors of so many layers."""
    parts = ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")
    modules = [f"h.{layer}.{part}" for layer in range(layers) for part in parts] + ["ln_f"]
    return ["wte.weight", "wpe.weight", *(f"{module}.{kind}" for module in modules for kind in ("weight", "bias"))]

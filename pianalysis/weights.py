"""A GPT-2's weights and the few numbers beside them, read without `transformers`, whose import takes seconds.

In: a folder, a Hub id, or a model of `transformers`. Out: `Weights`. Only safetensors and JSON are read.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pianalysis import vocab
from pianalysis.guidance import HarmonyGuidance
from pianalysis.notes import PianalysisError
from pianalysis.sampling import Sampling

if TYPE_CHECKING:
    import torch

BUNDLED: Final = os.path.join(os.path.dirname(__file__), "data", "checkpoint")
"""The folder of the checkpoint that comes with the package."""

CONFIG_FILE: Final = "config.json"
GENERATION_FILE: Final = "generation_config.json"
WEIGHTS_FILE: Final = "model.safetensors"
INDEX_FILE: Final = "model.safetensors.index.json"
"""Where it is, the weights are in several files, which it names."""
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
    positions: the longest sequence. normalises_key: it was trained on pieces in C major or A minor. plays_chords: on
    windows with chords in them. sampling, harmony: how it is sampled unless a user says otherwise, as its
    ``generation_config.json`` has it.
    """

    tensors: Mapping[str, torch.Tensor]
    layers: int
    heads: int
    positions: int
    epsilon: float = 1e-5
    normalises_key: bool = False
    sampling: Sampling = field(default_factory=Sampling)
    harmony: HarmonyGuidance = field(default_factory=HarmonyGuidance)
    plays_chords: bool = False

    def digest(self) -> str:
        """16 hexadecimal digits that change with whatever decides what is written."""
        about = {item.name: repr(getattr(self, item.name)) for item in fields(self) if item.name != "tensors"}
        found = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
        for name, tensor in sorted(self.tensors.items()):
            found.update(name.encode())
            found.update(tensor.numpy().tobytes())
        return found.hexdigest()[:16]

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
    generation = getattr(model, "generation_config", None)
    asked = generation.to_dict() if generation is not None else {}
    return _make(model.state_dict(), model.config.to_dict(), asked, type(model).__name__)


def read_weights(model: str | os.PathLike[str] | None = None) -> Weights:
    """The weights of a checkpoint in a folder or on the Hub; of the bundled one by default.

    Raises PianalysisError for what is no such checkpoint, and what `huggingface_hub` raises where it isn't to be had.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    source = BUNDLED if model is None else os.fspath(model)
    config_path, generation_path = _found(source, CONFIG_FILE), _found_or_none(source, GENERATION_FILE)
    index_path = _found_or_none(source, INDEX_FILE)
    try:
        config = _read_json(config_path)
        generation = _read_json(generation_path) if generation_path else {}
        parts = sorted(set(_read_json(index_path)["weight_map"].values())) if index_path else [WEIGHTS_FILE]
        tensors: dict[str, torch.Tensor] = {}
        for name in parts:
            tensors |= load_file(_found(source, name))
        return _make(tensors, config, generation, source)
    except (json.JSONDecodeError, UnicodeDecodeError, SafetensorError) as error:
        raise PianalysisError(f"{source}: the checkpoint is damaged ({error}); fetch it again") from None


def _read_json(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def _found(source: str, name: str) -> Path:
    """A checkpoint's file, downloaded where the source is a Hub id. Raises PianalysisError where it's missing."""
    folder = Path(source)
    if folder.is_dir():
        if (folder / name).is_file():
            return folder / name
        raise PianalysisError(f"{source}: expected a checkpoint with {name}, found none")
    from huggingface_hub import hf_hub_download

    return Path(hf_hub_download(source, name))


def _found_or_none(source: str, name: str) -> Path | None:
    """The same for a file that a checkpoint may be without."""
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return _found(source, name)
    except (PianalysisError, EntryNotFoundError):
        return None


def _make(
    tensors: Mapping[str, torch.Tensor], config: Mapping[str, Any], generation: Mapping[str, Any], source: str
) -> Weights:
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
        Sampling.read(generation),
        HarmonyGuidance.read(generation.get("harmony")),
        bool(config.get("plays_chords", False)),
    )


def _names(layers: int) -> list[str]:
    """The names of all tensors of so many layers."""
    parts = ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")
    modules = [f"h.{layer}.{part}" for layer in range(layers) for part in parts] + ["ln_f"]
    return ["wte.weight", "wpe.weight", *(f"{module}.{kind}" for module in modules for kind in ("weight", "bias"))]

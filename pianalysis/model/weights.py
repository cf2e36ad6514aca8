"""A GPT-2's weights and the few numbers beside them, read without `transformers`, whose import takes seconds.

In: a folder, a Hub id, the name of a bundled size, or a model of `transformers`. Out: `Weights`, or one sentence that says
what is wrong with a checkpoint's files. Only safetensors and JSON are read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pianalysis.errors import PianalysisError
from pianalysis.files import DATA
from pianalysis.hub_errors import HubError, readable_errors
from pianalysis.model.sampling import Sampling
from pianalysis.tokens import vocab

if TYPE_CHECKING:
    import torch

BUNDLED: Final = str(DATA / "checkpoint")
"""The folder of the checkpoint that comes with the package."""

PRESETS: Final[dict[str, dict[str, Any]]] = {
    "canonical": {"n_embd": 512, "n_layer": 6, "n_head": 8},  # 20.37 M parameters
    "small": {"n_embd": 256, "n_layer": 4, "n_head": 4},  # 3.9 M, trains on a CPU
    "tiny": {"n_embd": 32, "n_layer": 2, "n_head": 2},  # for tests
}
"""The sizes that have a name."""

CONFIG_FILE: Final = "config.json"
GENERATION_FILE: Final = "generation_config.json"
WEIGHTS_FILE: Final = "model.safetensors"
TOKENIZER_FILE: Final = "tokenizer.json"
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
_OLD_MASK: Final = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)")
"""Which place sees which, as older versions of `transformers` saved it with the weights."""
_LARGEST_SETTING: Final = 1e6
_AGAIN: Final = "take all of a checkpoint's files from the same place, or fetch it again"


@dataclass(frozen=True, eq=False)
class Weights:
    """A GPT-2 over the 801 ids.

    tensors: float32 on the CPU, by their names in `transformers` without the prefix ``transformer.``.
    positions: the longest sequence. normalises_key: it was trained on pieces in C major or A minor. plays_chords: on
    windows with chords in them. sampling: how it is sampled unless a user says otherwise, as its
    ``generation_config.json`` has it.
    """

    tensors: Mapping[str, torch.Tensor]
    layers: int
    heads: int
    positions: int
    epsilon: float = 1e-5
    normalises_key: bool = False
    sampling: Sampling = field(default_factory=Sampling)
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


def find_checkpoint(model: str | os.PathLike[str] | None = None) -> str:
    """Where a checkpoint is: the bundled default's folder, that of a bundled size by its name, or what is given.

    The name of a size always means the bundled one; a folder of that name is ``"./small"``, or a `Path`. Raises
    PianalysisError for a size that isn't bundled.
    """
    if model is None:
        return BUNDLED
    if not isinstance(model, str):
        return os.fspath(model)
    if model in PRESETS:
        bundled = bundled_checkpoints()
        if model not in bundled:
            raise PianalysisError(
                f"{model}: expected a size that comes with the package ({', '.join(bundled) or 'there is none'}), found "
                f"one that doesn't; give a checkpoint's folder (as ./{model} if that's its name) or ORG/NAME on the Hub"
            )
        return bundled[model]
    if not model.strip():
        raise PianalysisError("expected a checkpoint's folder, ORG/NAME on the Hub or a bundled size, found no name")
    return model


def bundled_checkpoints() -> dict[str, str]:
    """The folders of the checkpoints that come with the package, by the names of their sizes."""
    data, default = Path(BUNDLED).parent, _read_json(_Place(BUNDLED), Path(BUNDLED, CONFIG_FILE))
    found = {size: str(data / size) for size in PRESETS if (data / size / CONFIG_FILE).is_file()}
    return found | {
        size: BUNDLED for size, shape in PRESETS.items() if all(default.get(key) == shape[key] for key in shape)
    }


class _NotThereError(PianalysisError):
    """A checkpoint without a file that was looked for."""


@dataclass(frozen=True)
class _Place:
    """Where a checkpoint's files are, and how to get at them on the Hub. As text it is its name."""

    name: str
    revision: str | None = None
    token: str | bool | None = None
    cache_dir: str | os.PathLike[str] | None = None

    def __str__(self) -> str:
        return self.name


def read_weights(
    model: str | os.PathLike[str] | None = None,
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
) -> Weights:
    """The weights of a checkpoint in a folder or on the Hub, or of a bundled one (`find_checkpoint`), the default's if None.

    revision, token, cache_dir: of what is on the Hub, as `huggingface_hub.hf_hub_download` takes them. Stored in half
    precision, the weights are float32 here. Raises PianalysisError for what is no such checkpoint, or isn't to be had
    (HubError).
    """
    source = _Place(find_checkpoint(model), revision, token, cache_dir)
    config_path, generation_path = _found(source, CONFIG_FILE), _found_or_none(source, GENERATION_FILE)
    config = _read_json(source, config_path)
    generation = _read_json(source, generation_path) if generation_path else {}
    tensors: dict[str, torch.Tensor] = {}
    for path in _weight_files(source):
        tensors |= _read_tensors(source, path)
    return _make(tensors, config, generation, str(source))


def read_vocabulary(source: str) -> dict[str, int] | None:
    """The tokens and ids of the tokenizer beside a checkpoint; None where there's none. Raises what `read_weights` raises."""
    place = _Place(source)
    path = _found_or_none(place, TOKENIZER_FILE)
    if path is None:
        return None
    read = _read_json(place, path)
    model, added = read.get("model"), read.get("added_tokens") or []
    table = model.get("vocab") if isinstance(model, dict) else None
    if not isinstance(table, dict) or not isinstance(added, list) or not all(isinstance(item, dict) for item in added):
        raise PianalysisError(f"{source}: expected a table of tokens and ids in {TOKENIZER_FILE}, found none; {_AGAIN}")
    return table | {str(item.get("content")): item.get("id") for item in added}


def _weight_files(source: _Place) -> list[Path]:
    """The one file of the weights, or those that an index names."""
    path, index_path = _found_or_none(source, WEIGHTS_FILE), None
    if path is None:
        index_path = _found_or_none(source, INDEX_FILE)
    if index_path is None:
        return [path or _found(source, WEIGHTS_FILE)]
    named = _read_json(source, index_path).get("weight_map")
    names = [*named.values()] if isinstance(named, dict) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise PianalysisError(
            f"{source}: expected a weight_map of tensors to files in {INDEX_FILE}, found none; {_AGAIN}"
        )
    for name in names:
        if name != os.path.basename(name) or "\\" in name or not name.endswith(".safetensors"):
            raise PianalysisError(
                f"{source}: expected {INDEX_FILE} to name safetensors files beside it, found {_shown(name)}; {_AGAIN}"
            )
    return [_found(source, name) for name in sorted(set(names))]


def _read_tensors(source: _Place, path: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise _damaged(source, path, error) from None


def _read_json(source: _Place, path: Path) -> dict[str, Any]:
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(source, path, error) from None
    if not isinstance(read, dict):
        raise PianalysisError(f"{source}: expected names and values in {path.name}, found {_shown(read)}; {_AGAIN}")
    return read


def _damaged(source: _Place, path: Path, error: Exception) -> PianalysisError:
    said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return PianalysisError(f"{source}: {path.name} is damaged or can't be read ({said}); {_AGAIN}")


def _shown(value: object) -> str:
    """A value out of a file, in one short line."""
    if isinstance(value, (dict, list)):
        return "a list" if isinstance(value, list) else "names and values"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _found(source: _Place, name: str) -> Path:
    """A checkpoint's file, downloaded where the source is a Hub id. Raises PianalysisError where it's missing."""
    folder = Path(source.name)
    if folder.is_dir():
        if (folder / name).is_file():
            return folder / name
        raise _NotThereError(f"{source}: expected a checkpoint with {name}, found none; {_AGAIN}")
    if folder.is_file():
        raise PianalysisError(
            f"{source}: expected a checkpoint's folder, found a file; give the folder that it lies in"
        )
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import RemoteEntryNotFoundError

    cache = None if source.cache_dir is None else Path(source.cache_dir)
    with readable_errors(source.name, "model", source.revision):
        try:
            return Path(
                hf_hub_download(source.name, name, revision=source.revision, token=source.token, cache_dir=cache)
            )
        except RemoteEntryNotFoundError:
            raise _NotThereError(f"{source}: expected a checkpoint on the Hub with {name}, found none") from None


def _found_or_none(source: _Place, name: str) -> Path | None:
    """The same for a file that a checkpoint may be without: nothing tells apart, offline, what isn't there and what isn't cached."""
    from huggingface_hub.constants import is_offline_mode

    try:
        return _found(source, name)
    except _NotThereError:
        return None
    except HubError:
        if is_offline_mode():
            return None
        raise


def _make(
    tensors: Mapping[str, torch.Tensor], config: Mapping[str, Any], generation: Mapping[str, Any], source: str
) -> Weights:
    for key, expected in _AS_GPT2.items():
        found = config.get(key, expected)
        if found != expected:
            raise PianalysisError(f"{source}: expected a GPT-2 with {key} {expected!r}, found {_shown(found)}")
    width, layers, heads, positions = (
        _count(config, key, source) for key in ("n_embd", "n_layer", "n_head", "n_positions")
    )
    if width % heads:
        raise PianalysisError(f"{source}: expected n_head to divide n_embd, found {heads} heads of {width}; {_AGAIN}")
    inner = 4 * width if config.get("n_inner") is None else _count(config, "n_inner", source)
    plain = _plain(tensors, source)
    _check_shapes(plain, dict(_shapes(layers, width, positions, inner, plain)), source)
    for name, tensor in plain.items():
        if not tensor.isfinite().all():
            raise PianalysisError(
                f"{source}: the tensor {name} has values that are NaN or infinite (its training diverged, or the file is "
                "damaged); take an earlier checkpoint, or fetch it again"
            )
    return Weights(
        plain,
        layers,
        heads,
        positions,
        _epsilon(config, source),
        _flag(config, "normalises_key", source),
        _sampling(generation, source),
        _flag(config, "plays_chords", source),
    )


def _plain(tensors: Mapping[str, torch.Tensor], source: str) -> dict[str, torch.Tensor]:
    """The tensors in float32 on the CPU, by their names without the prefix, and without what says nothing of its own."""
    import torch

    plain: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        if not tensor.is_floating_point():
            found = str(tensor.dtype).removeprefix("torch.")
            raise PianalysisError(
                f"{source}: expected floating-point weights, found {_shown(name)} as {found}; take a checkpoint in float32, "
                "float16 or bfloat16"
            )
        short = name.removeprefix("transformer.")
        if short in plain:
            raise PianalysisError(f"{source}: expected the tensor {_shown(short)} once, found it twice; {_AGAIN}")
        plain[short] = tensor.detach().to("cpu", torch.float32).contiguous()
    head, table = plain.pop("lm_head.weight", None), plain.get("wte.weight")
    if head is not None and table is not None and head.isfinite().all() and not torch.equal(head, table):
        raise PianalysisError(
            f"{source}: expected an output layer lm_head that is the token table wte, found another; {_AGAIN}"
        )
    return {name: tensor for name, tensor in plain.items() if not _OLD_MASK.fullmatch(name)}


def _shapes(
    layers: int, width: int, positions: int, inner: int, found: Mapping[str, torch.Tensor]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The names and shapes of a GPT-2's tensors, up to the first layer that isn't among those found."""
    yield from {"wte.weight": (vocab.VOCAB_SIZE, width), "wpe.weight": (positions, width)}.items()
    yield from {"ln_f.weight": (width,), "ln_f.bias": (width,)}.items()
    sides = {"attn.c_attn": (width, 3 * width), "attn.c_proj": (width, width)}
    sides |= {"mlp.c_fc": (width, inner), "mlp.c_proj": (inner, width)}
    for layer in range(layers):
        norms = {f"h.{layer}.{norm}.{kind}": (width,) for norm in ("ln_1", "ln_2") for kind in ("weight", "bias")}
        yield from norms.items()
        for part, shape in sides.items():
            yield f"h.{layer}.{part}.weight", shape
            yield f"h.{layer}.{part}.bias", shape[1:]
        if not norms.keys() <= found.keys():
            return  # so that a configuration of a billion layers is told at once


def _check_shapes(tensors: Mapping[str, torch.Tensor], expected: Mapping[str, tuple[int, ...]], source: str) -> None:
    """Raise PianalysisError unless the tensors are those that the configuration promises."""
    for name, shape in expected.items():
        if name not in tensors:
            raise PianalysisError(f"{source}: expected a tensor {name}, as {CONFIG_FILE} says, found none; {_AGAIN}")
        if tensors[name].shape != shape:
            raise PianalysisError(
                f"{source}: expected {name} of shape {list(shape)}, as {CONFIG_FILE} says, found "
                f"{list(tensors[name].shape)}; {_AGAIN}"
            )
    for name in tensors:
        if name not in expected:
            raise PianalysisError(
                f"{source}: expected the tensors that {CONFIG_FILE} says, found {_shown(name)} as well; {_AGAIN}"
            )


def _count(config: Mapping[str, Any], key: str, source: str) -> int:
    value = config.get(key)
    if type(value) is int and value > 0:  # true and false are no numbers here
        return value
    raise _bad_field(config, key, "a whole number of 1 or more", source)


def _epsilon(config: Mapping[str, Any], source: str) -> float:
    value = config.get("layer_norm_epsilon", 1e-5)
    if type(value) in (int, float) and 0 < value < 1:
        return float(value)
    raise _bad_field(config, "layer_norm_epsilon", "a number above 0 and below 1", source)


def _flag(config: Mapping[str, Any], key: str, source: str) -> bool:
    value = config.get(key, False)
    if isinstance(value, bool):
        return value
    raise _bad_field(config, key, "true or false", source)


def _bad_field(config: Mapping[str, Any], key: str, expected: str, source: str) -> PianalysisError:
    found = _shown(config[key]) if key in config else "nothing"
    return PianalysisError(f"{source}: expected {key} in {CONFIG_FILE} to be {expected}, found {found}; {_AGAIN}")


def _sampling(generation: Mapping[str, Any], source: str) -> Sampling:
    remedy = f"correct it, or delete {GENERATION_FILE} for the defaults"
    for item in fields(Sampling):
        value, whole = generation.get(item.name), item.name == "top_k"
        if value is None:
            continue
        if type(value) not in ((int,) if whole else (int, float)) or abs(value) > _LARGEST_SETTING:
            raise PianalysisError(
                f"{source}: expected {item.name} in {GENERATION_FILE} to be a {'whole ' if whole else ''}number of usual "
                f"size, found {_shown(value)}; {remedy}"
            )
    try:
        return Sampling.read(generation)
    except PianalysisError as error:
        raise PianalysisError(f"{source}: {GENERATION_FILE}: {error}; {remedy}") from None

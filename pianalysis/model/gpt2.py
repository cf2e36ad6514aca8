"""The GPT-2 and its sizes.

In: the name of a preset, a folder, a Hub id, or `Weights`. Out: a `GPT2LMHeadModel` over the 801 ids.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pianalysis.model.hf_tokenizer import make_hf_tokenizer
from pianalysis.model.sampling import Sampling
from pianalysis.model.weights import BUNDLED as BUNDLED
from pianalysis.model.weights import PRESETS as PRESETS
from pianalysis.model.weights import Weights, find_checkpoint, read_weights
from pianalysis.tokens import vocab
from pianalysis.tokens.windows import MAX_TOKENS

if TYPE_CHECKING:
    from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel

_FIXED: Final[dict[str, Any]] = {
    **{"vocab_size": vocab.VOCAB_SIZE, "bos_token_id": vocab.BOS, "eos_token_id": vocab.EOS, "pad_token_id": vocab.PAD},
    **{"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0},
}
"""What all our models have in common; of dropout, see `set_dropout`."""


def make_config(preset: str) -> GPT2Config:
    """The configuration of a preset. Raises ValueError for a name that isn't one."""
    from transformers import GPT2Config

    if preset not in PRESETS:
        raise ValueError(f"expected one of the presets {[*PRESETS]}, found {preset!r}")
    return GPT2Config(n_positions=MAX_TOKENS, **_FIXED, **PRESETS[preset])


def set_dropout(model: GPT2LMHeadModel, dropout: float) -> None:
    """Dropout of the embeddings and of what each layer adds, in place; none of the attention's weights.

    Those are a number a pair of tokens: to draw which of them to drop takes longer, on a CPU, than the rest of a step.
    """
    from torch.nn import Dropout

    model.config.resid_pdrop = model.config.embd_pdrop = dropout
    model.config.attn_pdrop = 0.0
    for name, module in model.named_modules():
        if isinstance(module, Dropout):
            module.p = 0.0 if name.endswith("attn_dropout") else dropout


def make_generation_config(sampling: Sampling | None = None) -> GenerationConfig:
    """How the model is sampled unless a user says otherwise; saved with every checkpoint."""
    from transformers import GenerationConfig

    return GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=True,
        **asdict(sampling or Sampling()),
        max_length=MAX_TOKENS,
        bos_token_id=vocab.BOS,
        eos_token_id=vocab.EOS,
        pad_token_id=vocab.PAD,
    )


def make_model(preset: str, *, seed: int = 0, dropout: float = 0.0, structured: bool = True) -> GPT2LMHeadModel:
    """A fresh model of a preset's size, the same for the same seed.

    `structured`: begin with embeddings that know that pitches, times and lengths lie on lines and circles
    (`embedding_table`), instead of noise. It is only where training begins; the architecture stays a plain GPT-2.
    """
    import torch
    from transformers import GPT2LMHeadModel

    config = make_config(preset)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = GPT2LMHeadModel(config)
    set_dropout(model, dropout)
    model.generation_config = make_generation_config()
    if structured:
        generator = np.random.default_rng(seed)
        with torch.no_grad():
            model.transformer.wte.weight.copy_(torch.from_numpy(embedding_table(config.n_embd, generator)))
            model.transformer.wpe.weight.copy_(torch.from_numpy(position_table(config.n_embd)))
    return model


def load_model(model: str | os.PathLike[str] | None = None) -> GPT2LMHeadModel:
    """A trained model from a folder, the Hub or by a bundled size's name; the bundled default if None. In eval mode, float32.

    Raises what `read_weights` raises: PianalysisError for files that aren't a checkpoint of ours.
    """
    source = find_checkpoint(model)
    loaded = model_of(read_weights(model))
    loaded.name_or_path = loaded.config.name_or_path = source
    return loaded


def model_of(weights: Weights) -> GPT2LMHeadModel:
    """The inverse of `weights_of`: a model of `transformers`, in eval mode, without dropout.

    Made of what was checked and of nothing else in a checkpoint's files, so that they can't fail in ways of their own.
    """
    from transformers import GPT2Config, GPT2LMHeadModel

    inner = int(weights.tensors["h.0.mlp.c_fc.bias"].shape[0])
    config = GPT2Config(
        n_positions=weights.positions,
        n_embd=weights.width,
        n_layer=weights.layers,
        n_head=weights.heads,
        n_inner=None if inner == 4 * weights.width else inner,
        layer_norm_epsilon=weights.epsilon,
        **_FIXED,
    )
    config.normalises_key, config.plays_chords = weights.normalises_key, weights.plays_chords
    tensors = {f"transformer.{name}": tensor.clone() for name, tensor in weights.tensors.items()}
    model = GPT2LMHeadModel.from_pretrained(None, config=config, state_dict=tensors, dtype="float32")
    model.generation_config = make_generation_config(weights.sampling)
    return model


def normalises_key(model: Any) -> bool:
    """Whether a model was trained on pieces transposed to C major or A minor, and so wants to be given them."""
    return bool(getattr(getattr(model, "config", None), "normalises_key", False))


def plays_chords(model: Any) -> bool:
    """Whether a model was trained on windows with chords in them, and so wants to be given them."""
    return bool(getattr(getattr(model, "config", None), "plays_chords", False))


def save_model(model: GPT2LMHeadModel, folder: str | os.PathLike[str]) -> None:
    """The model as safetensors and JSON with its tokenizer, as `from_pretrained` and `AutoTokenizer` read them."""
    model.save_pretrained(folder)
    make_hf_tokenizer().save_pretrained(folder)


def _waves(values: np.ndarray, periods: tuple[float, ...]) -> np.ndarray:
    """Sines and cosines of values over periods, ``[n, 2 · periods]``."""
    phase = 2 * np.pi * values[:, None] / np.array(periods)
    return np.concatenate([np.sin(phase), np.cos(phase)], axis=1)


def embedding_table(width: int, generator: np.random.Generator, *, std: float = 0.02) -> np.ndarray:
    """Starting token embeddings ``[801, width]``: what is near in music is near in the table.

    Each kind of token gets features (pitch: the pitch class on all its circles and the height; time: the place in
    the beat, the bar and the window; length: its logarithm; dynamics: its level) through a random projection of its
    own, so that kinds stay apart, plus noise, at the scale of GPT-2's own initialisation.
    """
    table = generator.normal(0, std, (vocab.VOCAB_SIZE, width))
    pitch = np.array(vocab.PITCH_IDS, float)
    time = np.array([vocab.time_ms(token) for token in vocab.TIME_IDS], float)
    length = np.log2([vocab.duration_ms(token) for token in vocab.DURATION_IDS])
    level = np.arange(len(vocab.DYNAMIC_IDS), dtype=float)
    features = {
        vocab.PITCH_IDS: _waves(pitch, (12, 12 / 5, 6, 4, 3, 2, 24, 48, 176)),
        vocab.TIME_IDS: _waves(time, (125, 500 / 3, 250, 500, 1_000, 1_500, 2_000, 4_000, 8_000, 16_000, 32_000)),
        vocab.DURATION_IDS: _waves(length, (1, 2, 4, 8, 16)),
        vocab.DYNAMIC_IDS: _waves(level, (4, 8, 16)),
    }
    for ids, waves in features.items():
        projected = waves @ generator.normal(0, 1, (waves.shape[1], width))
        table[ids.start : ids.stop] = 0.5 * table[ids.start : ids.stop] + std * projected / projected.std()
    return table.astype(np.float32)


def position_table(width: int, *, std: float = 0.02) -> np.ndarray:
    """Starting position embeddings ``[2048, width]``: sinusoids (Vaswani et al. 2017), so that near means similar."""
    periods = tuple(np.geomspace(2 * np.pi, MAX_TOKENS * 4, width // 2))
    waves = _waves(np.arange(MAX_TOKENS, dtype=float), periods)
    table: np.ndarray = (waves * std * np.sqrt(2)).astype(np.float32)
    return table

"""The network that scores how likely each note is melody: dilated convolutions over the notes, sums over neighbours, and
attention to the whole song, where a voice that rests is told from what fills its rests.

In: notes and their `features`. Out: log odds. Trained by `scripts/train_melody.py`; torch is imported when used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError
from pianalysis.files import DATA
from pianalysis.melody.features import FEATURES, NEAR_MS, Floats, places
from pianalysis.music.notes import SAME_ONSET_MS, Notes

if TYPE_CHECKING:
    import torch
    from torch import Tensor

WEIGHTS_FILE: Final = DATA / "melody.safetensors"
NEIGHBOURS: Final = 10
"""How many notes before and after a note are heard one by one, in the layers that are given as 0."""
SONG: Final = -1
LAYERS: Final = (1, 2, 0, 1, 4, 16, 0, SONG, 2, 8, 32, SONG)
"""The network: convolutions of three notes, so many notes apart, (0) sums over the neighbours, and attention to all notes."""
HEADS: Final = 4
"""Of attention."""
HALO: Final = sum(apart for apart in LAYERS if apart > 0) + LAYERS.count(0) * NEIGHBOURS
"""How many notes before and after a note have a say in its score, beside the whole song."""
CHUNK: Final = 4_096
"""Notes scored at a time at most, that hear each other: memory stays flat, and few songs have more."""


def between(rows: Tensor, mask: Tensor) -> Tensor:
    """What lies between each note and its neighbours: ``[batch, notes, 2 · NEIGHBOURS + 1, 16]``, 0 where none is.

    `rows` are ``[batch, notes, 4]`` in double precision: onset and length in s, pitch, velocity; `mask` is 1 for notes.
    """
    import torch

    reach, size = NEIGHBOURS, 2 * NEIGHBOURS + 1
    theirs = torch.nn.functional.pad(rows, (0, 0, reach, reach)).unfold(1, size, 1)
    there = torch.nn.functional.pad(mask, (reach, reach)).unfold(1, size, 1)
    time, step, louder = ((theirs[:, :, k] - rows[:, :, k, None]).float() for k in (0, 2, 3))
    mine, other = rows[:, :, 1, None].float().clamp(min=1e-3), theirs[:, :, 1].float().clamp(min=1e-3)
    same, apart = SAME_ONSET_MS / 1_000, 0.08
    columns = (
        torch.ones_like(step),
        step.clamp(-30, 30) / 12,
        step > 0,
        step.abs() <= 2,
        step.abs() <= 7,
        step % 12 == 0,
        step == 0,
        time.clamp(-2, 2),
        time.abs() < same,
        torch.exp(-2 * time.abs()),
        (time <= same) & (time + other > same),
        (time >= -same) & (time < mine - same),
        (time + other).abs() < apart,
        (time - mine).abs() < apart,
        (other / mine).log2(),
        louder / 16,
    )
    near = there * (time.abs() < 2 * NEAR_MS / 1_000)
    return torch.stack([column.float() for column in columns], dim=-1) * near[..., None]


def network(
    weights: Mapping[str, Tensor], features: Tensor, rows: Tensor, mask: Tensor, *, dropout: float = 0.0
) -> Tensor:
    """The log odds of each note being melody: ``[batch, notes]``.

    Each layer adds to what is known of a note what is known of others: in a row, by what lies between them, or of all.
    `features` are ``[batch, notes, len(FEATURES) + len(PLACES)]``, `rows` and `mask` as in `between`. `dropout` is for training.
    """
    from torch.nn import functional as F  # noqa: N812

    edges = between(rows, mask)
    there = mask[..., None]
    near, where = features[..., : len(FEATURES)], features[..., len(FEATURES) :]
    hidden = F.linear(near, weights["in.weight"], weights["in.bias"]) * there
    for number, apart in enumerate(LAYERS):
        layer = {name.partition(".")[2]: weights[name] for name in weights if name.startswith(f"{number}.")}
        if apart == SONG:
            if "place.weight" in layer:
                hidden = hidden + F.linear(where, layer["place.weight"], layer["place.bias"])
            hidden = _attended(layer, hidden, there, dropout) * there
            continue
        heard = _summed(layer, hidden, edges) if apart == 0 else _convolved(layer, hidden, apart)
        heard = F.dropout(F.relu(heard), dropout, dropout > 0)
        hidden = (hidden + F.linear(heard, layer["mix.weight"], layer["mix.bias"])) * there
    return F.linear(F.relu(hidden), weights["out.weight"], weights["out.bias"])[..., 0]


def _convolved(layer: Mapping[str, Tensor], hidden: Tensor, apart: int) -> Tensor:
    """What is known of the notes so far before and after each."""
    from torch.nn import functional as F  # noqa: N812

    return F.conv1d(hidden.mT, layer["weight"], layer["bias"], dilation=apart, padding=apart).mT


def _summed(layer: Mapping[str, Tensor], hidden: Tensor, edges: Tensor) -> Tensor:
    """What the neighbours say, each as loudly as what lies between asks for."""
    from torch.nn import functional as F  # noqa: N812

    said = F.linear(hidden, layer["say.weight"])
    said = F.pad(said, (0, 0, NEIGHBOURS, NEIGHBOURS)).unfold(1, 2 * NEIGHBOURS + 1, 1).mT
    # Divided, so that a sum over many neighbours is of about unit size.
    return (F.relu(F.linear(edges, layer["weight"], layer["bias"])) * said).sum(2) / 4


def _attended(layer: Mapping[str, Tensor], hidden: Tensor, there: Tensor, dropout: float) -> Tensor:
    """A transformer's layer over all notes (Vaswani et al. 2017), norms first; order is known from the convolutions."""
    from torch.nn import functional as F  # noqa: N812

    batch, count, width = hidden.shape
    normed = F.layer_norm(hidden, (width,), layer["norm.weight"], layer["norm.bias"])
    parts = F.linear(normed, layer["qkv.weight"], layer["qkv.bias"]).chunk(3, dim=-1)
    query, key, value = (part.view(batch, count, HEADS, -1).transpose(1, 2) for part in parts)
    heard = F.scaled_dot_product_attention(query, key, value, attn_mask=there[:, None, None, :, 0] > 0)
    heard = F.linear(heard.transpose(1, 2).reshape(batch, count, width), layer["out.weight"], layer["out.bias"])
    hidden = hidden + F.dropout(heard, dropout, dropout > 0)
    normed = F.layer_norm(hidden, (width,), layer["norm2.weight"], layer["norm2.bias"])
    made = F.linear(
        F.relu(F.linear(normed, layer["up.weight"], layer["up.bias"])), layer["down.weight"], layer["down.bias"]
    )
    return hidden + F.dropout(made, dropout, dropout > 0)


def note_rows(notes: Notes) -> NDArray[np.float64]:
    """Onset and length in s, pitch, velocity of each note: ``[notes, 4]``, as the network reads them."""
    columns = (notes["onset_ms"] / 1_000, notes["duration_ms"] / 1_000, notes["pitch"], notes["velocity"])
    return np.stack(columns, axis=1).astype(np.float64)


@dataclass(frozen=True, eq=False)
class MelodyNet:
    """A trained network, whose weights have the names that `network` asks for."""

    weights: Mapping[str, torch.Tensor]

    @classmethod
    def load(cls, path: str | Path = WEIGHTS_FILE) -> MelodyNet:
        """The bundled network, or one of a file. Raises PianalysisError for weights of another network."""
        from safetensors.torch import load_file

        weights = load_file(path)
        first = f"{LAYERS.index(SONG)}.place.weight"
        if weights["in.weight"].shape[1] != len(FEATURES) or first not in weights:
            raise PianalysisError(
                f"{path}: expected weights for {len(FEATURES)} features and {len(LAYERS)} layers; train it again"
            )
        return cls(weights)

    def score(self, notes: Notes, features: Floats) -> Floats:
        """The log odds of each note being melody: ``[notes]``; `notes` sorted by onset and pitch."""
        import torch

        rows, scores = note_rows(notes), np.zeros(len(notes), np.float32)
        features = np.concatenate([features, places(notes)], axis=1)
        parts = -(-len(notes) // CHUNK)  # as long as each other: a short one would hear too little of the song
        edges = np.linspace(0, len(notes), parts + 1).astype(int).tolist()
        for start, stop in pairwise(edges):
            first = max(start - HALO, 0)
            part = slice(first, stop + HALO)
            with torch.inference_mode():
                given, placed = (torch.from_numpy(array[part])[None] for array in (features, rows))
                odds = network(self.weights, given, placed, torch.ones(placed.shape[:2]))
            scores[start:stop] = odds[0, start - first : stop - first].numpy()
        return scores


@lru_cache(maxsize=1)
def bundled_net() -> MelodyNet:
    """The bundled network, loaded once."""
    return MelodyNet.load()

"""How one of the ids that may come next is drawn.

In: logits, and what a user or a checkpoint asks for. Out: one id. A `Job` is all that an engine is asked. Plain NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import GrammarState, Mask


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn: temperature above 0 divides the logits, top_k (0: all) and top_p (1: all) cut the pitches' tail."""

    temperature: float = 0.9
    top_k: int = 50
    top_p: float = 0.95

    def __post_init__(self) -> None:
        if not (0 < self.temperature <= 10):
            raise PianalysisError(f"expected a temperature above 0 and up to 10, found {self.temperature}")
        if self.top_k < 0:
            raise PianalysisError(f"expected a top-k of 0 or more, found {self.top_k}")
        if not (0 < self.top_p <= 1):
            raise PianalysisError(f"expected a top-p above 0 and up to 1, found {self.top_p}")

    @classmethod
    def read(cls, saved: Mapping[str, Any]) -> Sampling:
        """From what a ``generation_config.json`` says; the defaults for what it doesn't."""
        return cls(**{item.name: saved[item.name] for item in fields(cls) if saved.get(item.name) is not None})


_AS_IT_IS: Final = Sampling(temperature=1.0, top_k=0, top_p=1.0)


def draw(logits: NDArray[np.float32], mask: Mask, sampling: Sampling, generator: np.random.Generator) -> int:
    """One id from logits ``[801]`` under a mask, as `draw_among` draws."""
    ids = np.flatnonzero(mask)
    return draw_among(ids, logits[ids], sampling, generator)


def draw_among(
    ids: NDArray[np.int64], logits: NDArray[np.float32], sampling: Sampling, generator: np.random.Generator
) -> int:
    """One of the ids by their logits: temperature, and for pitches top-k, then top-p (Holtzman et al. 2020).

    Only pitches are cut, where one wrong key is heard. In rhythm and dynamics music stays with what it does for many notes,
    so that a change is always in the tail; were that cut, there would never be one. The eight dynamics count as one id beside
    the others, and which of them it is is drawn by the model's own chances.
    Uses exactly one number of the generator, so that a piece's random numbers don't depend on the mask.
    """
    number = generator.random()
    if sampling.top_k == 1 or ids[0] in vocab.PITCH_IDS:
        place, _ = _draw_place(logits, number, sampling)
        return int(ids[place])
    uncut = Sampling(sampling.temperature, top_k=0, top_p=1.0)
    loud = (ids >= vocab.DYNAMIC_IDS.start) & (ids < vocab.DYNAMIC_IDS.stop)
    dynamics, others = np.flatnonzero(loud), np.flatnonzero(~loud)
    if not len(dynamics):
        place, _ = _draw_place(logits, number, uncut)
        return int(ids[place])
    one = np.logaddexp.reduce(logits[dynamics].astype(np.float64))
    place, number = _draw_place(np.append(logits[others].astype(np.float64), one), number, uncut)
    if place < len(others):
        return int(ids[others[place]])
    place, _ = _draw_place(logits[dynamics], number, _AS_IT_IS)
    return int(ids[dynamics[place]])


def _draw_place(
    logits: NDArray[np.float32] | NDArray[np.float64], number: float, sampling: Sampling
) -> tuple[int, float]:
    """A place among logits, and what the uniform number from 0 to 1 that chose it still says, from 0 to 1 again."""
    values = logits.astype(np.float64) / sampling.temperature
    order = np.argsort(-values, kind="stable")[: sampling.top_k or None]
    chances = np.exp(values[order] - values[order[0]])
    total = np.cumsum(chances / chances.sum())
    kept = int(np.searchsorted(total, sampling.top_p)) + 1  # the smallest set that reaches top_p
    total = total[:kept]
    drawn = number * total[-1]
    rank = min(int(np.searchsorted(total, drawn, side="right")), len(total) - 1)
    below = total[rank - 1] if rank else 0.0
    rest = (drawn - below) / (total[rank] - below) if total[rank] > below else 0.0
    return int(order[rank]), float(np.clip(rest, 0.0, 1.0 - 1e-12))


@dataclass(frozen=True, eq=False)
class Job:
    """A prompt to go on with: the grammar's state after it, how to draw, and the random numbers (used up in place).

    pitch_bias: what is added to the logits of the 88 pitches at each onset, ``[640, 88]`` (`guidance`).
    """

    prompt: Sequence[int]
    state: GrammarState
    sampling: Sampling
    generator: np.random.Generator
    pitch_bias: NDArray[np.float32] | None = None

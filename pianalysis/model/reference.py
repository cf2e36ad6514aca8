"""The grammar for `transformers`, and the plain loop that the engine is held to.

In: a model of `transformers` and a prompt of ids. Out: the ids that follow. Slow and simple; `engine` is the fast way.
"""

from __future__ import annotations

from collections.abc import Sequence
from inspect import signature
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache, LogitsProcessor

from pianalysis.errors import PianalysisError
from pianalysis.model.engine import Engine, torch_threads
from pianalysis.model.sampling import Sampling, draw
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import (
    LONGEST_NOTE_TOKENS,
    GrammarState,
    Limits,
    Mask,
    add_bias,
    closing,
    end_for_later,
    state_after,
)
from pianalysis.tokens.windows import MAX_TOKENS

__all__ = [
    "Engine",
    "GrammarLogitsProcessor",
    "GrammarState",
    "ReferenceEngine",
    "Sampling",
    "closing",
    "draw",
    "end_for_later",
    "state_after",
    "torch_threads",
]

_ALL_IDS = np.arange(vocab.VOCAB_SIZE)


class GrammarLogitsProcessor(LogitsProcessor):
    """The grammar as a `transformers` LogitsProcessor, for plain ``model.generate(logits_processor=[…])``.

    Prompts begin with ``<bos>``, without padding on the left. Rows that have ended go on with ``<pad>``. `pitch_bias` as
    `guidance` makes it. chords: for a model that plays chords, whose windows have them between
    melody and accompaniment; what the prompt lacks of them is written too. limits: of what comes after the prompt.
    """

    def __init__(
        self,
        *,
        max_length: int = MAX_TOKENS,
        pitch_bias: NDArray[np.float32] | None = None,
        chords: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self.chords, self.limits = chords, limits  # of `state_after`
        self.pitch_bias = pitch_bias
        self.max_length = max_length
        self._states: dict[int, tuple[list[int], GrammarState]] = {}

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        masks = [self._mask(index, row) for index, row in enumerate(input_ids.tolist())]
        forbidden = torch.from_numpy(~np.stack(masks)).to(scores.device)
        given = scores.float().cpu().numpy()
        known = [self._states.get(index, ([], GrammarState()))[1] for index in range(len(masks))]
        guided = (add_bias(_ALL_IDS, row, state, self.pitch_bias) for row, state in zip(given, known, strict=True))
        ended = np.stack([end_for_later(row, state) for row, state in zip(guided, known, strict=True)])
        return torch.from_numpy(ended).to(scores).masked_fill(forbidden, -torch.inf)  # type: ignore[return-value]

    def _mask(self, index: int, ids: list[int]) -> Mask:
        if vocab.EOS in ids:
            ended = np.zeros(vocab.VOCAB_SIZE, dtype=bool)
            ended[vocab.PAD] = True
            return ended
        state = self._state(index, ids)
        return closing(state, state.allowed(), self.max_length - len(ids))

    def _state(self, index: int, ids: list[int]) -> GrammarState:
        """The state of a row: one step on from the last call where the row only grew, else from the start."""
        known_ids, known_state = self._states.get(index, ([], GrammarState()))
        grown = bool(known_ids) and ids[:-1] == known_ids
        state = known_state.advance(ids[-1]) if grown else state_after(ids, self.limits, chords=self.chords)
        self._states[index] = (ids, state)
        return state


class ReferenceEngine:
    """The plain loop over a model of `transformers` and its own cache, to which tests hold `Engine` in float32."""

    def __init__(self, model: Any, *, threads: int = 1) -> None:
        self.model = model.eval()
        self.threads = threads
        self.max_length = int(model.config.n_positions)
        # transformers 5.24 renamed the argument, and warns of the old name.
        self._cache_argument = "cache" if "cache" in signature(model.forward).parameters else "past_key_values"

    @torch.inference_mode()
    def continue_prompt(
        self,
        prompt: Sequence[int],
        state: GrammarState,
        sampling: Sampling,
        generator: np.random.Generator,
        pitch_bias: NDArray[np.float32] | None = None,
    ) -> list[int]:
        """The ids after a prompt up to the voice's end (``<sep>`` or ``<eos>``, not included).

        Raises PianalysisError for a prompt that leaves no room to answer.
        """
        with torch_threads(self.threads):
            return self._continue(prompt, state, sampling, generator, pitch_bias)

    def _continue(
        self,
        prompt: Sequence[int],
        state: GrammarState,
        sampling: Sampling,
        generator: np.random.Generator,
        pitch_bias: NDArray[np.float32] | None,
    ) -> list[int]:
        if len(prompt) + LONGEST_NOTE_TOKENS + 1 >= self.max_length:
            raise PianalysisError(
                f"expected a window of fewer than {self.max_length} tokens, found {len(prompt)}; ask for fewer bars"
            )
        end = state.end_token
        written: list[int] = []
        cache = {self._cache_argument: DynamicCache(config=self.model.config)}
        output = self.model(input_ids=torch.tensor([list(prompt)]), use_cache=True, **cache)
        while True:
            mask = closing(state, state.allowed(), self.max_length - len(prompt) - len(written))
            logits = add_bias(_ALL_IDS, output.logits[0, -1].float().numpy(), state, pitch_bias)
            logits = end_for_later(logits, state)
            token = draw(logits, mask, sampling, generator)
            if token == end:
                return written
            state = state.advance(token)
            written.append(token)
            output = self.model(input_ids=torch.tensor([[token]]), use_cache=True, **cache)

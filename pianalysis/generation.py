"""Sampling token ids under the grammar, one window at a time.

In: a causal model, a prompt of ids and the state of the grammar after it. Out: the ids that follow. Nothing here knows
MIDI. Every step is masked to the grammar, so every output decodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any, Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache, LogitsProcessor

from pianalysis import vocab
from pianalysis.notes import PianalysisError

Mask = NDArray[np.bool_]
Expects = Literal["style", "density", "time", "note", "note_on", "pitch", "duration", "end"]

_LONGEST_NOTE_TOKENS: Final = 4
"""TIME, NOTE_ON, PITCH, DURATION: what a step may need before the window can be closed."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn: temperature above 0 divides the logits, top_k (0: all) and top_p (1: all) cut the tail."""

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


@dataclass(frozen=True)
class GrammarState:
    """Where in the grammar a sequence stands.

    expects: the kind of the next token ("note" is NOTE_ON or a later TIME or the voice's end). loud: after ``<sep>``.
    onset_ms: the TIME that holds, −1 before the first. pitch_floor: the last pitch of this onset. first_ms, length_ms:
    where new times may lie, on the window's clock. rest_ms: from one onset to the next, and from the last onset to the
    window's end, no more than this may pass. lowest, highest: the keys that may be struck.
    """

    expects: Expects = "time"
    loud: bool = True
    onset_ms: int = -1
    pitch_floor: int = 0
    first_ms: int = 0
    length_ms: int = vocab.WINDOW_MS
    rest_ms: int = vocab.WINDOW_MS
    lowest: int = vocab.LOWEST_PITCH
    highest: int = vocab.HIGHEST_PITCH

    def advance(self, token: int) -> GrammarState:
        """The state after a token. Raises PianalysisError if the grammar doesn't allow it here."""
        if not 0 <= token < vocab.VOCAB_SIZE or not self.allowed()[token]:
            name = vocab.TOKENS[token] if 0 <= token < vocab.VOCAB_SIZE else str(token)
            raise PianalysisError(f"expected {self.expects} after {self.onset_ms} ms, found {name}")
        if token in vocab.TIME_IDS:
            return replace(self, expects="note_on", onset_ms=vocab.time_ms(token), pitch_floor=0)
        if token in vocab.PITCH_IDS:
            return replace(self, expects="duration", pitch_floor=token)
        if token in vocab.DURATION_IDS:
            return replace(self, expects="note")
        if token in vocab.NOTE_ON_IDS:
            return replace(self, expects="pitch")
        if token == vocab.SEP:
            return replace(self, expects="time", loud=True, onset_ms=-1, pitch_floor=0)
        return replace(
            self, expects="density" if self.expects == "style" else "time" if self.expects == "density" else "end"
        )

    def allowed(self) -> Mask:
        """The ids that may come next, ``[801]``."""
        mask = np.zeros(vocab.VOCAB_SIZE, dtype=bool)
        if self.expects == "style":
            mask[list(vocab.STYLES.values())] = True
        elif self.expects == "density":
            mask[list(vocab.DENSITIES.values())] = True
        elif self.expects == "pitch":
            mask[max(self.pitch_floor + 1, self.lowest) : self.highest + 1] = True
        elif self.expects == "duration":
            mask[vocab.DURATION_IDS.start : vocab.DURATION_IDS.stop] = True
        elif self.expects in ("note", "note_on"):
            if self.pitch_floor < self.highest:
                self._allow_note_on(mask)
            if self.expects == "note":
                self._allow_time_and_end(mask)
        elif self.expects == "time":
            self._allow_time_and_end(mask)
        return mask

    def _allow_note_on(self, mask: Mask) -> None:
        if self.loud:
            mask[vocab.DYNAMIC_IDS.start : vocab.DYNAMIC_IDS.stop] = True
        elif self.pitch_floor == 0:  # the melody is one voice
            mask[vocab.NOTE_ON] = True

    def _allow_time_and_end(self, mask: Mask) -> None:
        step = vocab.TIME_STEP_MS
        # A rest goes on from the history's last onset, but the first new step is always open.
        now = self.onset_ms if self.onset_ms >= 0 else self.first_ms
        until = max(now + self.rest_ms, self.first_ms + step)
        first = max(self.onset_ms // step + 1, -(-self.first_ms // step))
        stop = min(-(-self.length_ms // step), until // step + 1, len(vocab.TIME_IDS))
        mask[vocab.TIME_IDS.start + first : vocab.TIME_IDS.start + max(first, stop)] = True
        mask[self.end_token] = until >= self.length_ms

    @property
    def end_token(self) -> int:
        """What ends the voice: ``<sep>`` the melody, ``<eos>`` the accompaniment."""
        return vocab.EOS if self.loud else vocab.SEP


def state_after(ids: Sequence[int], **limits: int) -> GrammarState:
    """The grammar's state after a prompt that begins with ``<bos>``, with limits as `GrammarState` has them.

    limits: any of first_ms, length_ms, rest_ms, lowest, highest; they hold for what comes after the prompt.

    Raises PianalysisError if the prompt breaks the grammar.
    """
    if not len(ids) or ids[0] != vocab.BOS:
        raise PianalysisError("expected a prompt that begins with <bos>")
    state = GrammarState(expects="style", loud=False)
    for token in ids[1:]:
        state = state.advance(int(token))
    # After a history the next note lies beyond it: it can't join the history's last onset.
    state = replace(state, **limits)  # type: ignore[arg-type]  # no limit is one of the fields of another type
    beyond = state.expects == "note" and state.onset_ms < state.first_ms
    return replace(state, expects="time") if beyond else state


def end_for_later(logits: NDArray[np.float32], state: GrammarState) -> NDArray[np.float32]:
    """Logits ``[801]`` in which what ends the voice has the chance of every TIME past the window's end too.

    A window that is cut shorter than those of training is news to the model: it would go on with a later onset. Masked,
    that chance would go to one more note of the last chord, and then one more, up to the last key.
    """
    past = vocab.TIME_IDS.start + min(-(-state.length_ms // vocab.TIME_STEP_MS), len(vocab.TIME_IDS))
    if past == vocab.TIME_IDS.stop or state.expects not in ("note", "time"):
        return logits
    changed = logits.copy()
    changed[state.end_token] = np.logaddexp.reduce([logits[state.end_token], *logits[past : vocab.TIME_IDS.stop]])
    return changed


def closing(state: GrammarState, mask: Mask, room: int) -> Mask:
    """The mask, or only the voice's end where fewer tokens are left than a note needs: a full window still decodes."""
    if room > _LONGEST_NOTE_TOKENS + 1 or state.expects not in ("note", "time"):
        return mask
    only = np.zeros_like(mask)
    only[state.end_token] = True
    return only


class GrammarLogitsProcessor(LogitsProcessor):
    """The grammar as a `transformers` LogitsProcessor, for plain ``model.generate(logits_processor=[…])``.

    Prompts begin with ``<bos>``, without padding on the left. Rows that have ended go on with ``<pad>``.
    """

    def __init__(self, *, max_length: int = 2048, **limits: int) -> None:
        self.limits = limits  # of `state_after`
        self.max_length = max_length
        self._states: dict[int, tuple[list[int], GrammarState]] = {}

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        masks = [self._mask(index, row) for index, row in enumerate(input_ids.tolist())]
        forbidden = torch.from_numpy(~np.stack(masks)).to(scores.device)
        given = scores.float().cpu().numpy()
        known = [self._states.get(index, ([], GrammarState()))[1] for index in range(len(masks))]
        ended = np.stack([end_for_later(row, state) for row, state in zip(given, known, strict=True)])
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
        state = known_state.advance(ids[-1]) if grown else state_after(ids, **self.limits)
        self._states[index] = (ids, state)
        return state


def draw(logits: NDArray[np.float32], mask: Mask, sampling: Sampling, generator: np.random.Generator) -> int:
    """One id from logits ``[801]`` under a mask: temperature, then top-k, then top-p (Holtzman et al. 2020).

    Uses exactly one number of the generator, so that a piece's random numbers don't depend on the mask.
    """
    number = generator.random()
    ids = np.flatnonzero(mask)
    values = logits[ids].astype(np.float64) / sampling.temperature
    order = np.argsort(-values, kind="stable")[: sampling.top_k or None]
    chances = np.exp(values[order] - values[order[0]])
    total = np.cumsum(chances / chances.sum())
    kept = int(np.searchsorted(total, sampling.top_p)) + 1  # the smallest set that reaches top_p
    total = total[:kept]
    return int(ids[order[min(int(np.searchsorted(total, number * total[-1], side="right")), len(total) - 1)]])


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Run what is inside on so many CPU threads, then on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Engine:
    """A model that continues prompts, token by token, with a key–value cache. Knows ids only.

    threads: CPU threads. Beside another job two wait for each other: a minute of music that takes one thread 4 s took
    two 124 s, once, beside a training run.
    """

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
        *,
        on_token: Callable[[int], None] | None = None,
    ) -> list[int]:
        """The ids after a prompt up to the voice's end (``<sep>`` or ``<eos>``, not included).

        Raises PianalysisError for a prompt that leaves no room to answer.
        """
        with torch_threads(self.threads):
            return self._continue(prompt, state, sampling, generator, on_token)

    def _continue(
        self,
        prompt: Sequence[int],
        state: GrammarState,
        sampling: Sampling,
        generator: np.random.Generator,
        on_token: Callable[[int], None] | None,
    ) -> list[int]:
        if len(prompt) + _LONGEST_NOTE_TOKENS + 1 >= self.max_length:
            raise PianalysisError(
                f"expected a window of fewer than {self.max_length} tokens, found {len(prompt)}; ask for fewer bars"
            )
        end = state.end_token
        written: list[int] = []
        cache = {self._cache_argument: DynamicCache(config=self.model.config)}
        output = self.model(input_ids=torch.tensor([list(prompt)]), use_cache=True, **cache)
        while True:
            mask = closing(state, state.allowed(), self.max_length - len(prompt) - len(written))
            logits = end_for_later(output.logits[0, -1].float().numpy(), state)
            token = draw(logits, mask, sampling, generator)
            if token == end:
                return written
            state = state.advance(token)
            written.append(token)
            if on_token is not None:
                on_token(token)
            output = self.model(input_ids=torch.tensor([[token]]), use_cache=True, **cache)

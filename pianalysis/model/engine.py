"""Sampling token ids under the grammar, fast: one window of one or several sequences at a time.

In: prompts of ids and the state of the grammar after each. Out: the ids that follow, as they are drawn. Nothing here knows
MIDI. The plain ways to the same tokens are in `reference`, and tests hold this one to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError
from pianalysis.model.company import MOST, Company
from pianalysis.model.network import Cache, Network, Precision
from pianalysis.model.sampling import Job, Sampling, draw_among
from pianalysis.model.weights import weights_of
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import LONGEST_NOTE_TOKENS, GrammarState, add_bias, voice_start

_ALL_IDS: Final = np.arange(vocab.VOCAB_SIZE)
_MELODIES_KEPT: Final = 8
"""Takes of one piece are never far from each other; what is older won't be asked for again."""


class _Row:
    """A job in hand: what it may say next, and what it has in its cache."""

    def __init__(self, index: int, job: Job, cache: Cache) -> None:
        self.index, self.job, self.cache, self.state = index, job, cache, job.state
        self.token, self.ended = -1, False

    def draw(self, head: torch.Tensor, hidden: torch.Tensor, max_length: int) -> None:
        """Draw the next token in place, or find that the voice has ended. Only logits that may be drawn are computed."""
        state = self.state
        spans = state.spans(max_length - self.cache.length)
        logits = np.concatenate([self._biased(head, hidden, span) for span in spans])
        ids = np.concatenate([_ALL_IDS[span.start : span.stop] for span in spans])
        token, others = state.stand_in()
        place = np.flatnonzero(ids == token) if others else np.zeros(0, int)
        if len(place):  # as `end_for_later` has it
            more = [logit for span in others for logit in self._biased(head, hidden, span)]
            logits[place[0]] = np.logaddexp.reduce([logits[place[0]], *more])
        self.token = draw_among(ids, logits, self.job.sampling, self.job.generator)
        self.ended = self.token == state.end_token
        if not self.ended:
            self.state = state.advance(self.token)

    def _biased(self, head: torch.Tensor, hidden: torch.Tensor, span: range) -> NDArray[np.float32]:
        logits = _logits(head, hidden, span)
        return add_bias(_ALL_IDS[span.start : span.stop], logits, self.state, self.job.pitch_bias)


def _logits(head: torch.Tensor, hidden: torch.Tensor, span: range) -> NDArray[np.float32]:
    values: NDArray[np.float32] = torch.mv(head[span.start : span.stop], hidden).numpy()
    return values


@dataclass(frozen=True, eq=False)
class _Begun:
    """A melody, and the chords of a model that plays them, that has been read: what the cache holds then, and the hidden state ``[1, width]``."""

    cache: Cache
    hidden: torch.Tensor


_inside: list[int] = []
_inside_lock = Lock()


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Run what is inside on so many CPU threads; when nobody is inside any more, on as many as before.

    Part of torch's count belongs to the process: given back while another is at work, it would change that one's last bits.
    """
    before = torch.get_num_threads()
    with _inside_lock:
        _inside.append(count)
        torch.set_num_threads(count)
    try:
        yield
    finally:
        with _inside_lock:
            _inside.pop()
            if not _inside:
                torch.set_num_threads(before)


class Engine:
    """A model that continues prompts, token by token, with a cache of keys and values. Knows ids only.

    model: a `GPT2LMHeadModel`, or `Weights`. precision: "int8" reads a quarter of the memory a token; "float32" gives the
    tokens of `transformers`. A job comes out the same alone or beside others.

    threads: CPU threads. Beside another job two wait for each other: a minute of music that takes one thread 4 s took
    two 124 s, once, beside a training run. And another number may change the last bits.
    """

    def __init__(self, model: Any, *, precision: Precision = "float32", threads: int = 1) -> None:
        self.weights = weights_of(model)
        self.network = Network(self.weights, precision)
        self.precision = precision
        self.threads = threads
        self.max_length = self.weights.positions
        self._join: Callable[[Sequence[_Row]], None] = self._step

    def continue_prompt(
        self,
        prompt: Sequence[int],
        state: GrammarState,
        sampling: Sampling,
        generator: np.random.Generator,
        pitch_bias: NDArray[np.float32] | None = None,
    ) -> Iterator[int]:
        """The ids after a prompt, as they are drawn, up to the voice's end (``<sep>`` or ``<eos>``, not included).

        Raises PianalysisError for a prompt that leaves no room to answer.
        """
        for _, token in self.continue_prompts([Job(prompt, state, sampling, generator, pitch_bias)]):
            yield token

    def continue_prompts(
        self, jobs: Sequence[Job], more: Callable[[int], Job | None] = lambda index: None
    ) -> Iterator[tuple[int, int]]:
        """Continue several prompts side by side: the place of a job and its next id, as they are drawn, a job's in order.

        A job that has come to its end gives its place to what `more` answers for it, which may be nothing. Raises
        PianalysisError for a prompt that leaves no room to answer.
        """
        melodies: dict[tuple[int, ...], _Begun] = {}
        starting, rows = [*enumerate(jobs)], list[_Row]()
        while starting or rows:
            if rows:
                self._join(rows)
            drawn = [*rows, *(self._begin(index, job, melodies) for index, job in starting)]
            rows = [row for row in drawn if not row.ended]
            yield from [(row.index, row.token) for row in rows]
            next_jobs = [(row.index, more(row.index)) for row in drawn if row.ended]
            starting = [(index, job) for index, job in next_jobs if job is not None]

    @torch.inference_mode()
    def likelihood(self, ids: Sequence[int], start: int) -> tuple[float, float]:
        """The nats of a sequence's ids from place `start` (1 or more) on, and those to be expected there: the entropies' sum.

        No grammar, no bias, temperature 1. Raises PianalysisError for a sequence that is too long.
        """
        if len(ids) > self.max_length:
            raise PianalysisError(f"expected up to {self.max_length} tokens, found {len(ids)}")
        with torch_threads(self.threads):
            hidden = self.network.read(ids[:-1], Cache(self.weights, len(ids)), every=True)[start - 1 :]
            logs = torch.log_softmax(hidden @ self.network.head.t(), dim=-1)
            found = logs.gather(1, torch.tensor([*ids[start:]])[:, None])
            return -float(found.sum()), -float((logs.exp() * logs).sum())

    @torch.inference_mode()
    def _begin(self, index: int, job: Job, melodies: dict[tuple[int, ...], _Begun]) -> _Row:
        """Take in a prompt and draw the first id. The melody (and the chords), which several takes have in common, is read once.

        It is read before the history even where there's one take, so that the sums are the same in company.
        """
        ids = [*job.prompt]
        if len(ids) + LONGEST_NOTE_TOKENS + 1 >= self.max_length:
            raise PianalysisError(
                f"expected a window of fewer than {self.max_length} tokens, found {len(ids)}; ask for fewer bars"
            )
        middle = voice_start(ids)
        melody = tuple(ids[:middle])
        with torch_threads(self.threads):
            if melody not in melodies:
                if len(melodies) == _MELODIES_KEPT:
                    del melodies[next(iter(melodies))]
                first = Cache(self.weights, len(melody))
                melodies[melody] = _Begun(first, self.network.read(melody, first))
            cache, hidden = Cache(self.weights, self.max_length), melodies[melody].hidden
            cache.begin_as(melodies[melody].cache)
            if ids[middle:]:
                hidden = self.network.read(ids[middle:], cache)
            row = _Row(index, job, cache)
            row.draw(self.network.head, hidden[0], self.max_length)
        return row

    def step_threads_together(self, most: int = MOST) -> None:
        """From now on prompts that several threads continue at the same time are stepped side by side, up to so many at once."""
        self._join = Company(self._step, most).join

    @torch.inference_mode()
    def _step(self, rows: Sequence[_Row]) -> None:
        """One more id for each row, in place."""
        with torch_threads(self.threads):
            hidden = self.network.step([row.token for row in rows], [row.cache for row in rows])
            for row, state in zip(rows, hidden.unbind(), strict=True):
                row.draw(self.network.head, state, self.max_length)

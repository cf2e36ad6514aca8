"""Sampling token ids under the grammar, fast: one window of one or several sequences at a time.

In: prompts of ids and the state of the grammar after each. Out: the ids that follow, as they are drawn. Nothing here knows
MIDI. The plain ways to the same tokens are in `generation`, and tests hold this one to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from pianalysis import vocab
from pianalysis.grammar import LONGEST_NOTE_TOKENS, GrammarState, Sampling, draw_among
from pianalysis.network import Cache, Network, Precision
from pianalysis.notes import PianalysisError
from pianalysis.weights import weights_of

_ALL_IDS: Final = np.arange(vocab.VOCAB_SIZE)


@dataclass(frozen=True, eq=False)
class Job:
    """A prompt to go on with: the grammar's state after it, how to draw, and the random numbers (used up in place)."""

    prompt: Sequence[int]
    state: GrammarState
    sampling: Sampling
    generator: np.random.Generator


class _Row:
    """A job in hand: what it may say next, and what it has in its cache."""

    def __init__(self, index: int, job: Job, cache: Cache) -> None:
        self.index, self.job, self.cache, self.state = index, job, cache, job.state
        self.token = -1

    def draw(self, head: torch.Tensor, hidden: torch.Tensor, max_length: int) -> bool:
        """Draw the next token in place; False where it ends the voice. Only logits that may be drawn are computed."""
        state = self.state
        spans = state.spans(max_length - self.cache.length)
        logits = np.concatenate([_logits(head, hidden, span) for span in spans])
        ids = np.concatenate([_ALL_IDS[span.start : span.stop] for span in spans])
        past = state.times_past_the_end()
        if past and ids[0] == state.end_token:  # as `end_for_later` has it
            logits[0] = np.logaddexp.reduce([logits[0], *_logits(head, hidden, past)])
        self.token = draw_among(ids, logits, self.job.sampling, self.job.generator)
        if self.token == state.end_token:
            return False
        self.state = state.advance(self.token)
        return True


def _logits(head: torch.Tensor, hidden: torch.Tensor, span: range) -> NDArray[np.float32]:
    values: NDArray[np.float32] = torch.mv(head[span.start : span.stop], hidden).numpy()
    return values


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
    """A model that continues prompts, token by token, with a cache of keys and values. Knows ids only.

    model: a `GPT2LMHeadModel`, or `Weights`. precision: "int8" reads a quarter of the memory a token; "float32" gives the
    tokens of `transformers`. A job comes out the same alone or beside others.

    threads: CPU threads. Beside another job two wait for each other: a minute of music that takes one thread 4 s took
    two 124 s, once, beside a training run.
    """

    def __init__(self, model: Any, *, precision: Precision = "float32", threads: int = 1) -> None:
        self.weights = weights_of(model)
        self.network = Network(self.weights, precision)
        self.precision = precision
        self.threads = threads
        self.max_length = self.weights.positions

    def continue_prompt(
        self, prompt: Sequence[int], state: GrammarState, sampling: Sampling, generator: np.random.Generator
    ) -> Iterator[int]:
        """The ids after a prompt, as they are drawn, up to the voice's end (``<sep>`` or ``<eos>``, not included).

        Raises PianalysisError for a prompt that leaves no room to answer.
        """
        for _, token in self.continue_prompts([Job(prompt, state, sampling, generator)]):
            yield token

    def continue_prompts(self, jobs: Sequence[Job]) -> Iterator[tuple[int, int]]:
        """Continue several prompts side by side: the index of a job and its next id, as they are drawn, a job's in order.

        A job that has come to its end drops out. Raises PianalysisError for a prompt that leaves no room to answer.
        """
        for job in jobs:
            if len(job.prompt) + LONGEST_NOTE_TOKENS + 1 >= self.max_length:
                raise PianalysisError(
                    f"expected a window of fewer than {self.max_length} tokens, found {len(job.prompt)}; ask for fewer bars"
                )
        rows = self._begin(jobs)
        while rows:
            yield from [(row.index, row.token) for row in rows]
            rows = self._step(rows)

    @torch.inference_mode()
    def _begin(self, jobs: Sequence[Job]) -> list[_Row]:
        """Take in the prompts and draw the first ids. What several begin with (their melody) is read once.

        The melody is read before the history even where there's one job, so that a job's sums are the same in company.
        """
        melodies: dict[tuple[int, ...], tuple[Cache, torch.Tensor]] = {}
        rows = []
        with torch_threads(self.threads):
            for index, job in enumerate(jobs):
                ids = [*job.prompt]
                middle = ids.index(vocab.SEP) + 1 if vocab.SEP in ids else len(ids)
                melody = tuple(ids[:middle])
                if melody not in melodies:
                    first = Cache(self.weights, self.max_length)
                    melodies[melody] = first, self.network.read(melody, first)
                cache, hidden = melodies[melody]
                if len(jobs) > 1:
                    cache = Cache(self.weights, self.max_length)
                    cache.begin_as(melodies[melody][0])
                if ids[middle:]:
                    hidden = self.network.read(ids[middle:], cache)
                row = _Row(index, job, cache)
                if row.draw(self.network.head, hidden[0], self.max_length):
                    rows.append(row)
        return rows

    @torch.inference_mode()
    def _step(self, rows: list[_Row]) -> list[_Row]:
        """The rows that go on, each with one more id."""
        with torch_threads(self.threads):
            hidden = self.network.step([row.token for row in rows], [row.cache for row in rows])
            return [
                row
                for row, state in zip(rows, hidden, strict=True)
                if row.draw(self.network.head, state, self.max_length)
            ]

"""Exact inference in a chain of states: the likeliest path, the surest states, samples, probabilities, with or without
some states fixed.

In: scores of states, of changes and of pairs of states, one step after the other. Out: paths and probabilities. A linear-chain
conditional random field (Lafferty, McCallum & Pereira 2001), in NumPy alone; nothing is cut off or approximated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError

Floats = NDArray[np.float64]
LOWEST_TEMPERATURE: Final = 0.01
"""Below, scores are so large that their differences are lost; the likeliest path is drawn long before."""
Counts = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Chain:
    """Scores of every path through n steps of k states; a path is as likely as e to its score.

    emissions: ``[n, k]``, of each state at each step; −inf forbids. change: ``[n]``, of changing the state on the way to a
    step (the first is never read). transitions: ``[k, k]``, of going from a state (row) to another, or staying. The score
    of a path is the sum of its emissions and transitions, and of `change` where it changes.

    Raises PianalysisError for shapes that don't fit, and for a step at which every state is forbidden.

    >>> chain = Chain(np.log([[0.6, 0.4], [0.5, 0.5]]), np.zeros(2), np.log([[0.9, 0.1], [0.1, 0.9]]))
    >>> chain.likeliest().tolist(), chain.marginals().round(2).tolist()
    ([0, 0], [[0.6, 0.4], [0.58, 0.42]])
    """

    emissions: Floats
    change: Floats
    transitions: Floats

    def __post_init__(self) -> None:
        if self.emissions.ndim != 2 or not self.emissions.shape[1]:
            raise PianalysisError(f"expected emissions [steps, states], found the shape {self.emissions.shape}")
        n, k = self.emissions.shape
        if self.change.shape != (n,) or self.transitions.shape != (k, k):
            raise PianalysisError(
                f"expected change [{n}] and transitions [{k}, {k}], found {self.change.shape} and {self.transitions.shape}"
            )
        if n and not (self.emissions.max(axis=1) > -np.inf).all():
            raise PianalysisError("expected at least one state that is allowed at every step")

    def __len__(self) -> int:
        return len(self.emissions)

    def at_temperature(self, temperature: float) -> Chain:
        """The chain whose paths are as likely as these to the power of 1 / temperature: below 1 bolder, above 1 freer."""
        if not (np.isfinite(temperature) and temperature >= LOWEST_TEMPERATURE):
            raise PianalysisError(f"expected a temperature of at least {LOWEST_TEMPERATURE}, found {temperature}")
        return Chain(self.emissions / temperature, self.change / temperature, self.transitions / temperature)

    def restricted(self, allowed: Bools) -> Chain:
        """The chain of those paths alone that keep to the allowed states, ``[n, k]``."""
        return replace(self, emissions=np.where(allowed, self.emissions, -np.inf))

    def score(self, path: Counts) -> float:
        """The score of a path, ``[n]``."""
        steps = np.arange(len(path))
        moves = self.transitions[path[:-1], path[1:]] + self.change[1:] * (path[1:] != path[:-1])
        return float(self.emissions[steps, path].sum() + moves.sum())

    def likeliest(self) -> Counts:
        """The path with the largest score, ``[n]`` (Viterbi)."""
        n = len(self)
        moves = self.transitions.copy()
        np.fill_diagonal(moves, -np.inf)
        stays, reach = self.transitions.diagonal(), np.empty_like(moves)
        best = self.emissions.copy()  # the score of the best path to each state
        for step in range(1, n):
            np.add(moves, best[step - 1, :, None], out=reach)
            moved = reach.max(axis=0) + self.change[step]
            best[step] += np.maximum(moved, best[step - 1] + stays)
        path = np.zeros(n, np.int64)
        for step in range(n - 1, -1, -1):
            if step == n - 1:
                path[step] = best[step].argmax()
                continue
            after = path[step + 1]  # where the best path came from is asked of this one state, not kept for all
            came = best[step] + moves[:, after] + self.change[step + 1]
            came[after] = best[step, after] + stays[after]
            path[step] = came.argmax()
        return path

    def surest(self, groups: Counts, chances: Floats | None = None) -> Counts:
        """At each step the state with the largest sum of its own probability and its group's, ``[n]``.

        groups: ``[k]``, a number for each state. chances: `marginals`, or what is known of them (`shares`). Of all
        sequences this has the most right that can be expected, where a state right counts 1 and its group right 1. As a
        path it may be less likely than `likeliest`, or impossible.
        """
        chances = self.marginals() if chances is None else chances
        of_group = np.zeros((len(self), int(groups.max()) + 1))
        np.add.at(of_group.T, groups, chances.T)
        worth = np.where(chances > 0, chances + of_group[:, groups], 0.0)
        return np.asarray(worth.argmax(axis=1), np.int64)

    def sample(self, generator: np.random.Generator) -> Counts:
        """A path by chance, each as often as it is likely, ``[n]`` (forward filtering, backward sampling)."""
        n, k = self.emissions.shape
        path = np.zeros(n, np.int64)
        for step in range(n - 1, -1, -1):
            weights = self._forward[step]
            if step + 1 < n:
                after = path[step + 1]
                moves = self._moves[:, after] * self._changes[step + 1]
                moves[after] = self._stays[after]
                weights = weights * moves
            sums = weights.cumsum()
            path[step] = min(int(np.searchsorted(sums, generator.random() * sums[-1], side="right")), k - 1)
        return path

    def shares(self, generator: np.random.Generator, count: int) -> Floats:
        """In which share of so many paths drawn by chance each step has each state, ``[n, k]``: `marginals`, roughly."""
        n, k = self.emissions.shape
        shares, after = np.zeros((n, k)), np.zeros(count, np.int64)
        for step in range(n - 1, -1, -1):
            weights = np.broadcast_to(self._forward[step], (count, k))
            if step + 1 < n:
                moves = self._moves[:, after].T * self._changes[step + 1]
                moves[np.arange(count), after] = self._stays[after]
                weights = weights * moves
            sums = weights.cumsum(axis=1)
            after = (sums <= generator.random((count, 1)) * sums[:, -1:]).sum(axis=1).clip(max=k - 1)
            np.add.at(shares[step], after, 1 / count)
        return shares

    def marginals(self) -> Floats:
        """The probability of each state at each step, ``[n, k]``."""
        both = self._forward * self._backward
        result: Floats = both / both.sum(axis=1, keepdims=True)
        return result

    def log_held(self, start: int, stop: int) -> Floats:
        """The logarithm of each state's probability to be that of all steps from start to before stop, ``[k]``.

        The probabilities sum to less than 1; over long stretches they are too small to be written without a logarithm.
        """
        if not 0 <= start < stop <= len(self):
            raise PianalysisError(f"expected steps from 0 to {len(self)}, found {start} to {stop}")
        with np.errstate(divide="ignore"):
            log = np.log(self._forward[start]) + np.log(self._backward[stop - 1])
        log += (self.emissions[start + 1 : stop] + self.transitions.diagonal()).sum(axis=0)
        log -= self._log_scales[start + 1 : stop].sum()
        result: Floats = log - np.log(float(self._forward[stop - 1] @ self._backward[stop - 1]))
        return result

    def log_partition(self) -> float:
        """The logarithm of the sum of e to the score over all paths."""
        return float(self._log_scales.sum())

    # --- forward and backward, in double precision, each step scaled to sum 1

    @cached_property
    def _moves(self) -> Floats:
        moves = np.exp(self.transitions)
        np.fill_diagonal(moves, 0.0)
        return moves

    @cached_property
    def _stays(self) -> Floats:
        stays: Floats = np.exp(self.transitions.diagonal())
        return stays

    @cached_property
    def _changes(self) -> Floats:
        changes: Floats = np.exp(self.change)
        return changes

    @cached_property
    def _scaled(self) -> tuple[Floats, Floats]:
        """e to the emissions, each step's largest 1, and the logarithms of what they were divided by."""
        top = self.emissions.max(axis=1, initial=-np.inf)
        return np.exp(self.emissions - top[:, None]), top

    @cached_property
    def _filtered(self) -> tuple[Floats, Floats]:
        """What is known of each step's state from the steps until then, ``[n, k]``, and the logarithms of its scales."""
        weights, logs = self._scaled
        forward, scales = np.empty_like(weights), np.empty(len(weights))
        for step, weight in enumerate(weights):
            if step:
                before = forward[step - 1]
                weight = weight * (before @ self._moves * self._changes[step] + before * self._stays)
            scales[step] = weight.sum()
            forward[step] = weight / scales[step]
        return forward, np.log(scales) + logs

    @property
    def _forward(self) -> Floats:
        return self._filtered[0]

    @property
    def _log_scales(self) -> Floats:
        return self._filtered[1]

    @cached_property
    def _backward(self) -> Floats:
        """What the steps after each say about its state, ``[n, k]``, up to a factor that is one for all states."""
        weights, logs = self._scaled
        backward = np.ones_like(weights)
        scales = np.exp(self._log_scales - logs)
        moves = np.ascontiguousarray(self._moves.T)
        for step in range(len(weights) - 1, 0, -1):
            after = weights[step] * backward[step] / scales[step]
            backward[step - 1] = after @ moves * self._changes[step] + after * self._stays
        return backward

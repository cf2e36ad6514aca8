"""Who writes next: several pieces are written at once, each a bar at a time, and nobody who listens is to wait for music.

In: pieces in hand. Out: turns. A piece that hasn't begun comes first, so that every newcomer hears something soon; then the one
whose listener has the least music left.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final

from pianalysis.model.company import MOST
from pianalysis.webui import limits
from pianalysis.webui.refusals import RefusedError

PATIENCE_S: Final = 20.0
"""Who doesn't listen, but waits for a file, is served as if it were heard so much later."""
TOO_MUCH: Final = "This piece takes more work than there is for one here. Ask for fewer bars."


class Turns:
    """So many turns at once: as many as the engine steps together (`pianalysis.model.company`)."""

    def __init__(self, at_once: int = MOST) -> None:
        self._at_once = self._free = at_once
        self._lock = threading.Lock()
        self._waiting: list[tuple[tuple[int, float], int, threading.Event]] = []
        self._numbers = count()

    @contextmanager
    def turn(self, urgency: tuple[int, float]) -> Iterator[None]:
        """Wait for a turn and have it; the smallest urgency of those who wait is next."""
        self._enter(urgency)
        try:
            yield
        finally:
            self._leave()

    def pass_on(self, urgency: tuple[int, float]) -> None:
        """Give a turn to who waits for one, and wait for the next."""
        self._leave()
        self._enter(urgency)

    @property
    def are_free(self) -> bool:
        """Whether nobody has a turn, nor waits for one."""
        return self._free == self._at_once

    def _enter(self, urgency: tuple[int, float]) -> None:
        with self._lock:
            if self._free > 0 and not self._waiting:
                self._free -= 1
                return
            mine = threading.Event()
            heapq.heappush(self._waiting, (urgency, next(self._numbers), mine))
        mine.wait()

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                heapq.heappop(self._waiting)[2].set()  # the turn goes from hand to hand
            else:
                self._free += 1


class Listener:
    """A piece in hand, and how much of it is there to be heard."""

    def __init__(self, turns: Turns, *, listens: bool = True, work_s: float = limits.WRITING_S) -> None:
        """listens: somebody hears it while it is written. work_s: how long it may be worked on, in a processor's seconds.

        A step of several pieces counts for the one whose thread takes it, one time this one, one time that.
        """
        self._turns, self._work_s = turns, work_s
        self._began = time.monotonic() + (0.0 if listens else PATIENCE_S)
        self._first: float | None = None if listens else self._began
        self._music_s = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A turn for this piece. Raises RefusedError where it was worked on for too long."""
        if self._work_s <= 0:
            raise RefusedError(TOO_MUCH, "timeout")
        with self._turns.turn(self._urgency):
            before = time.thread_time()
            try:
                yield
            finally:
                self._work_s -= time.thread_time() - before

    def step_aside(self) -> None:
        """In the midst of a turn, let others have theirs who are in a greater hurry."""
        self._turns.pass_on(self._urgency)

    @property
    def _urgency(self) -> tuple[int, float]:
        return (0, self._began) if self._first is None else (1, self._first + self._music_s)

    def heard(self, until_s: float) -> None:
        """The piece is written up to here, in seconds from its beginning."""
        if self._first is None:
            self._first = time.monotonic()
        self._music_s = until_s

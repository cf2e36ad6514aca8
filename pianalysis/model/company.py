"""Work that several threads ask for at the same time, done together by one of them: a step of many rows costs less than many steps.

In: a function that works on several things in place, and threads that each want it done to their own. Out: it is done. Nothing
here knows models.

One processor's thread does the work, and Python's lock, for which two that step on their own would wait by turns, is free
meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MOST: Final = 8
"""Things that are worked on together; more wait for the next round."""
GATHER_S: Final = 0.001
"""So long a round waits for those who were in the last one, and are about to come back."""


class _Place(Generic[T]):
    """A thread that waits."""

    def __init__(self, things: Sequence[T]) -> None:
        self.things = things
        self.error: BaseException | None = None
        self.done = self.leads = False
        self.woken = threading.Event()


class Company(Generic[T]):
    """Threads whose work is done in rounds, each by whichever thread came first."""

    def __init__(self, work: Callable[[list[T]], object], most: int = MOST) -> None:
        """work: what is done to up to `most` things at once, or to all of one thread."""
        self._work, self._most = work, most
        self._lock = threading.Lock()
        self._waiting: list[_Place[T]] = []  # who came first is first
        self._is_led = False
        self._expected = 0
        self._all_here = threading.Event()

    def join(self, things: Sequence[T]) -> None:
        """Have the work done to some things, perhaps with those of other threads. Raises what the round raised."""
        mine = _Place(things)
        with self._lock:
            self._waiting.append(mine)
            mine.leads, self._is_led = not self._is_led, True
            if len(self._waiting) >= self._expected:
                self._all_here.set()
        try:
            while not mine.done:
                if mine.leads:
                    self._lead(mine)
                else:
                    mine.woken.wait()
                    mine.woken.clear()
        except BaseException:  # Ctrl-C: the others aren't to wait for one who has gone
            with self._lock:
                self._waiting = [place for place in self._waiting if place is not mine]
                if mine.leads:
                    self._pass_on()
            raise
        if mine.error is not None:
            raise mine.error

    def _lead(self, mine: _Place[T]) -> None:
        """A round, and the next leader."""
        self._gather()
        with self._lock:
            round_ = self._taken()
        error: BaseException | None = None
        try:
            self._work([thing for place in round_ for thing in place.things])
        except BaseException as raised:  # of Ctrl-C too the others are told: what they wait for doesn't come
            error = raised
        with self._lock:
            self._expected = len(round_)
            for place in round_:
                place.error, place.done = error, True
            if mine.done:
                mine.leads = False
                self._pass_on()
        for place in round_:
            place.woken.set()

    def _pass_on(self) -> None:
        """Let the first of those who wait lead; the lock is held."""
        self._is_led = bool(self._waiting)
        for place in self._waiting[:1]:
            place.leads = True
            place.woken.set()

    def _gather(self) -> None:
        """Wait a moment for those of the last round."""
        limit = time.monotonic() + GATHER_S
        while (left := limit - time.monotonic()) > 0:
            with self._lock:
                if len(self._waiting) >= self._expected:
                    return
                self._all_here.clear()
            self._all_here.wait(left)

    def _taken(self) -> list[_Place[T]]:
        """The first of those who wait, as many as are worked on at once."""
        count = things = 0
        for place in self._waiting:
            things += len(place.things)
            if count and things > self._most:
                break
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

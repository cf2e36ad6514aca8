"""Files of kept pieces: those that take seconds are rendered in a process of their own, one after the other, and never twice.

In: a piece's id, a format and how it is heard. Out: a file's name and bytes. MIDI and scores are made at once, whatever is
being rendered.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from pianalysis.webui import limits
from pianalysis.webui.heard import AS_IT_IS, RENDERED, Heard, make_file
from pianalysis.webui.kept import Shelf, unpacked
from pianalysis.webui.refusals import RefusedError
from pianalysis.webui.workshop import Workshop

RENDERERS: Final = 1
MOST_WAITING: Final = 24
MOST_OF_ONE: Final = 4
"""Files that one client waits for."""
KEPT_BYTES: Final = 32 * 2**20
TOO_MANY: Final = "Too many sound files are being made just now. Try again in a minute; MIDI is there at once."
TOO_MANY_OF_ONE: Final = "You are waiting for several files already. Wait for one of them."

File = tuple[str, bytes]
Wanted = tuple[str, str, Heard]


class Renders:
    """The files of a shelf's pieces."""

    def __init__(self, shelf: Shelf, *, workers: int = RENDERERS) -> None:
        self.shelf = shelf
        self.workshop = Workshop(workers, waiting=MOST_WAITING)
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="renders")
        self._lock = threading.Lock()
        self._coming: dict[Wanted, Future[File]] = {}
        self._waiting: Counter[str] = Counter()
        self._made: OrderedDict[Wanted, File] = OrderedDict()

    def file(self, name: str, suffix: str, heard: Heard = AS_IT_IS, *, client: str = "") -> Future[File]:
        """A piece as a file: what to call it, and its bytes, when they are there.

        client: who asks, as far as it is known. Raises RefusedError for a piece that is forgotten, or where too much is asked for.
        """
        if suffix not in RENDERED:
            done: Future[File] = Future()
            done.set_result(make_file(self.shelf.piece(name), suffix, heard))
            return done
        wanted, packed = (name, suffix, heard), self.shelf.packed(name)
        with self._lock:
            if (made := self._made.get(wanted)) is not None:
                self._made.move_to_end(wanted)
                there: Future[File] = Future()
                there.set_result(made)
                return there
            if (coming := self._coming.get(wanted)) is not None:
                return coming
            if len(self._coming) >= MOST_WAITING:
                raise RefusedError(TOO_MANY, "busy")
            if client and self._waiting[client] >= MOST_OF_ONE:
                raise RefusedError(TOO_MANY_OF_ONE, "busy")
            self._waiting[client] += 1
            future = self._threads.submit(self._render, wanted, packed, client)
            self._coming[wanted] = future
            return future

    def _render(self, wanted: Wanted, packed: bytes, client: str) -> File:
        try:
            _, suffix, heard = wanted
            made: File = self.workshop.call(make_packed_file, packed, suffix, heard, limit_s=limits.RENDERING_S)
            self._keep(wanted, made)
            return made
        finally:
            with self._lock:
                self._coming.pop(wanted, None)
                self._waiting[client] -= 1
                if self._waiting[client] <= 0:
                    del self._waiting[client]

    def _keep(self, wanted: Wanted, made: File) -> None:
        with self._lock:
            self._made[wanted] = made
            while sum(len(data) for _, data in self._made.values()) > KEPT_BYTES:
                self._made.popitem(last=False)

    def warm_up(self, name: str) -> None:
        """Render a short piece, which takes what is slow only the first time."""
        self.workshop.warm_up(make_packed_file, self.shelf.packed(name), "mp3", AS_IT_IS)

    def end(self) -> None:
        """Render no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.workshop.end()


def make_packed_file(packed: bytes, suffix: str, heard: Heard) -> File:
    """`make_file` of a piece as the shelf has it."""
    return make_file(unpacked(packed), suffix, heard)

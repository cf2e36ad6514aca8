"""Pieces that are kept for a while: so many bytes of them, the ones that were asked for longest ago forgotten first.

In: pieces. Out: ids that can't be guessed, and the pieces again.
"""

from __future__ import annotations

import pickle
import secrets
import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from pianalysis.arranging.arranger import Arrangement
from pianalysis.music.notes import Notes
from pianalysis.webui.refusals import RefusedError

MOST_BYTES: Final = 64 * 2**20
"""Some thousands of pieces: a minute of music is about ten kilobytes."""


@dataclass(frozen=True, eq=False)
class Kept:
    """A finished piece, the melody that was given for it and what it is called.

    given_bars: the bars, from 1, whose chords somebody gave; None: all of them.
    """

    piece: Arrangement
    given: Notes
    title: str
    given_bars: frozenset[int] | None = frozenset()


class Shelf:
    """Pieces by id, packed: what they take is known to the byte, and one that is read is a copy of its own."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._packed: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._packed)

    @property
    def total_bytes(self) -> int:
        """What the pieces take."""
        return self._bytes

    def keep(self, kept: Kept) -> str:
        """Keep a piece; returns its id. The newest is kept, however large it is."""
        packed, name = zlib.compress(pickle.dumps(kept), 1), secrets.token_urlsafe(12)
        with self._lock:
            self._packed[name] = packed
            self._bytes += len(packed)
            while self._bytes > self.most_bytes and len(self._packed) > 1:
                self._bytes -= len(self._packed.popitem(last=False)[1])
        return name

    def piece(self, name: str) -> Kept:
        """A piece by its id. Raises RefusedError for one that has been forgotten."""
        return unpacked(self.packed(name))

    def packed(self, name: str) -> bytes:
        """A piece as it is kept: `unpacked` gives it back. Raises RefusedError for one that has been forgotten."""
        with self._lock:
            packed = self._packed.get(name)
            if packed is not None:
                self._packed.move_to_end(name)
        if packed is None:
            sentence = "This piece isn't kept here any more. Write it again: the seed makes it the same."
            raise RefusedError(sentence, "forgotten")
        return packed


def unpacked(packed: bytes) -> Kept:
    """A piece that was packed here; never what came from outside."""
    kept = pickle.loads(zlib.decompress(packed))
    if not isinstance(kept, Kept):
        raise TypeError("expected a kept piece")
    return kept

"""MIDI files in a RIFF wrapper (.rmi), as Windows programs write them.

In: the wrapped file's bytes. Out: the MIDI file's.
"""

from __future__ import annotations

from pianalysis.errors import MidiReadError


def is_wrapped(data: bytes) -> bool:
    """Whether bytes are a MIDI file in a RIFF wrapper."""
    return data[:4] == b"RIFF" and data[8:12] == b"RMID"


def unwrapped(data: bytes, name: str) -> bytes:
    """The MIDI file inside: the content of the chunk `data`. Raises MidiReadError where there is none."""
    place = 12
    while place + 8 <= len(data):
        size = int.from_bytes(data[place + 4 : place + 8], "little")
        if data[place : place + 4] == b"data":
            return data[place + 8 : place + 8 + size]
        place += 8 + size + size % 2
    raise MidiReadError(f"{name}: expected a MIDI file in its RIFF wrapper, found none; export it again, as .mid")

"""The texts among a MIDI file's events, followed byte by byte: symusic keeps no text events, and no bytes of what it can't decode.

In: the file's bytes. Out: `TextEvent`s, track by track, with their ticks and their places in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SYSEX: Final = (0xF0, 0xF7)
NUMBER_BYTES: Final = 4
"""Of a number of variable length, at most: what never ends would make numbers of a million digits."""
META: Final = 0xFF
TEXT, LYRIC = 0x01, 0x05
TEXTS: Final = range(0x01, 0x10)
"""The meta events that hold text: 3 is a track's name, 5 a lyric, 6 a marker."""


@dataclass(frozen=True)
class TextEvent:
    """A text event that isn't empty: its tick, its kind (of `TEXTS`), where its length is written, where its bytes begin and end."""

    tick: int
    kind: int
    length_at: int
    start: int
    end: int


def track_spans(data: bytes) -> list[tuple[int, int]]:
    """Where the contents of each track chunk begin and end; the end of a file that was cut off lies past its bytes."""
    spans, at = [], 0
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        if data[at : at + 4] == b"MTrk":
            spans.append((at + 8, end))
        at = end
    return spans


def text_events(data: bytes) -> Iterator[TextEvent]:
    """The text events of all tracks, in the file's order; a damaged track ends where it is damaged."""
    for start, end in track_spans(data):
        yield from texts_between(data, start, end)


def texts_between(data: bytes, start: int, end: int) -> Iterator[TextEvent]:
    """The text events of one track, whose contents lie from `start` to before `end`."""
    at, tick, status, end = start, 0, 0, min(end, len(data))
    try:
        while at < end:
            wait, at = read_number(data, at)
            tick += wait
            if data[at] >= 0x80:
                status, at = data[at], at + 1
            if status == META:
                kind, length_at = data[at], at + 1
                length, at = read_number(data, length_at)
                if at + length > end:
                    return
                if kind in TEXTS and length:
                    yield TextEvent(tick, kind, length_at, at, at + length)
                at += length
            elif status in SYSEX:
                length, at = read_number(data, at)
                at += length
            elif status < 0x80:
                return
            else:
                at += 1 if 0xC0 <= status < 0xE0 else 2
    except IndexError:
        return


def number_bytes(value: int) -> bytes:
    """The bytes of a number of variable length.

    >>> number_bytes(200).hex()
    '8148'
    """
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def read_number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where what follows it begins. Raises IndexError where none ends within `NUMBER_BYTES`.

    >>> read_number(bytes([0x81, 0x48]), 0)
    (200, 2)
    """
    value = 0
    for place in range(at, at + NUMBER_BYTES):
        value = value << 7 | data[place] & 0x7F
        if data[place] < 0x80:
            return value, place + 1
    raise IndexError

"""MIDI files byte by byte."""

from __future__ import annotations

import struct

QUARTER = 96


def chunk(body, *, ended=True):
    body += b"\0\xff\x2f\0" if ended else b""
    return b"MTrk" + struct.pack(">I", len(body)) + body


def file(*tracks, form=1, count=None, more=b""):
    head = struct.pack(">HHH", form, len(tracks) if count is None else count, QUARTER) + more
    return b"MThd" + struct.pack(">I", len(head)) + head + b"".join(tracks)


def number(value):
    return bytes([value >> 7 | 0x80, value & 0x7F]) if value > 127 else bytes([value])

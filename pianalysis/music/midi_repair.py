"""MIDI files put right before they are read: what players forgive, and the reader of MIDI doesn't.

In: the bytes of a file. Out: the same, or with its faults mended: a header of another length or with a wrong count of tracks,
a MacBinary header before it, songs side by side of which only the first may say the metre, numbers of 8 bits where 7 are
allowed, notes that nothing ends, names that are instruments', lines on several channels or programmes (`midi_lines`), messages
out of place, and notes that leave out their status after something else than a note.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final

from pianalysis.music.midi_events import META, SYSEX, number_bytes, read_number, track_spans
from pianalysis.music.midi_lines import PERCUSSION, joined_channels, with_whole_lines

MACBINARY_BYTES: Final = 128
"""Of the header that old Macs put before a file that leaves them."""
HEADER_BYTES: Final = 6
NAME, INSTRUMENT, END_OF_TRACK = 0x03, 0x04, 0x2F
FRAME: Final = (0x51, 0x58, 0x59)
"""Tempo, metre and key."""
OUT_OF_PLACE: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1}
"""How many bytes follow messages of a cable that are none of a file's; none after the others."""
SONGS: Final = 2
"""The format of a file whose tracks are songs, each with its own tempo, metre and key."""
NOTE_OFF, NOTE_ON, CONTROL = 0x80, 0x90, 0xB0
SILENCING: Final = (120, 123)
"""Controllers that end all notes of a channel."""
LARGEST_WALKED: Final = 2**20
"""Bytes of a file beyond which it is mended only if it can't be read as it is."""


def without_macbinary(data: bytes) -> bytes:
    """The file without a MacBinary header."""
    return data[MACBINARY_BYTES:] if data[:1] == b"\0" and data[MACBINARY_BYTES:][:4] == b"MThd" else data


def mended(data: bytes) -> bytes:
    """The file with its faults mended; the very same bytes where there are none, or where events can't be followed."""
    spans = _first_spans(data)
    if data[:4] != b"MThd" or not spans or len(data) < 14:
        return data
    length = int.from_bytes(data[4:8], "big")
    quarter = int.from_bytes(data[12:14], "big")
    form, count = int.from_bytes(data[8:10], "big"), int.from_bytes(data[10:12], "big")
    bodies, same = [], length == HEADER_BYTES and count >= len(spans)
    stated: set[int] = set()
    if any(end > len(data) for _, end in spans):
        return data
    tracks = [_walked(data[start:end]) for start, end in spans]
    alone = form == SONGS or sum(track is None or bool(track.onsets.keys() - {PERCUSSION}) for track in tracks) < 2
    for (start, end), track in zip(spans, tracks, strict=True):
        body = data[start:end]
        if track is not None:
            _make_lines_whole(track, alone=alone)
        if track is not None and form == SONGS:
            stated |= _without(track, stated)
        if track is not None and track.faults:
            body, same = track.written(quarter), False
        bodies.append(body)
    if same:
        return data
    form = 1 if form == 0 and len(bodies) > 1 else form
    head = b"MThd" + HEADER_BYTES.to_bytes(4, "big") + form.to_bytes(2, "big") + len(bodies).to_bytes(2, "big")
    return head + data[12:14] + b"".join(b"MTrk" + len(body).to_bytes(4, "big") + body for body in bodies)


def _first_spans(data: bytes) -> list[tuple[int, int]]:
    """Where the tracks of a file are, without those of another that follows it."""
    spans = track_spans(data)
    for place, (_, end) in enumerate(spans[:-1]):
        if data[end : end + 4] == b"MThd":
            return spans[: place + 1]
    return spans


@dataclass
class _Track:
    """The events of a track: (tick, bytes), notes that sound, and whether something is to be mended."""

    events: list[tuple[int, bytes]] = field(default_factory=list)
    faults: bool = False
    end: int = 0
    onsets: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """By channel: when its notes begin."""
    sounding: defaultdict[int, defaultdict[int, deque[int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(deque))
    )
    """By channel and by pitch: when the notes began that still sound."""
    joined: dict[int, int] = field(default_factory=dict)
    """The channels that were joined to others."""

    def written(self, quarter: int) -> bytes:
        """The track as bytes, with an end for each note that has none: where its channel's next one begins, or the track's end."""
        added = []
        rows = [(channel, *row) for channel, keys in self.sounding.items() for row in keys.items()]
        for channel, pitch, begun in rows:
            for onset in begun:
                place = bisect_right(self.onsets[channel], onset)
                later = self.onsets[channel][place] if place < len(self.onsets[channel]) else self.end
                status = NOTE_OFF | self.joined.get(channel, channel)
                added.append((later if later > onset else onset + quarter, bytes([status, pitch, 0])))
        body, now = bytearray(), 0
        for tick, event in sorted([*added, *self.events], key=lambda row: row[0]):
            body += number_bytes(tick - now) + event
            now = tick
        return bytes(body + number_bytes(max(self.end - now, 0)) + bytes([META, END_OF_TRACK, 0]))


def _walked(body: bytes) -> _Track | None:
    """The events of a track; None where they can't be followed to its end."""
    track, at, tick, status, running = _Track(), 0, 0, 0, 0
    names: set[int] = set()
    try:
        while at < len(body):
            wait, at = read_number(body, at)
            tick += wait
            if body[at] >= 0x80:
                status, at = body[at], at + 1
            elif status != running:
                status, track.faults = running, True
            begin = at
            if status == META or status in SYSEX:
                kind = body[at] if status == META else -1
                length, at = read_number(body, at + (status == META))
                at += length
                if at > len(body):
                    return None
                if kind == END_OF_TRACK:
                    break
                names.add(kind)
                track.events.append((tick, bytes([status]) + body[begin:at]))
            elif status >= 0xF0:
                at, track.faults = at + OUT_OF_PLACE.get(status, 0), True
            elif status >= 0x80:
                running = status
                at += 1 if 0xC0 <= status < 0xE0 else 2
                if at > len(body):
                    return None
                _follow(track, tick, status, body[begin:at])
            else:
                return None
    except IndexError:
        return None
    track.end = tick
    track.faults |= any(begun for keys in track.sounding.values() for begun in keys.values())
    if INSTRUMENT in names and NAME not in names:
        track.faults = True
        track.events = [
            (when, bytes([META, NAME]) + event[2:] if event[:2] == bytes([META, INSTRUMENT]) else event)
            for when, event in track.events
        ]
    return track


def _make_lines_whole(track: _Track, *, alone: bool) -> None:
    """Give each line of a track, in place, one channel and one programme."""
    track.joined = joined_channels(track.events, alone=alone)
    if (events := with_whole_lines(track.events, track.joined)) is not None:
        track.events, track.faults = events, True


def _without(track: _Track, stated: set[int]) -> set[int]:
    """Take from a song, in place, what of `FRAME` another one has stated, as all are read together; what it states itself."""
    own = {event[1] for _, event in track.events if event[0] == META and event[1] in FRAME}
    track.faults |= bool(own & stated)
    track.events = [row for row in track.events if row[1][0] != META or row[1][1] not in stated]
    return own - stated


def _follow(track: _Track, tick: int, status: int, numbers: bytes) -> None:
    """Take an event of a channel into a track."""
    if max(numbers) > 0x7F:
        numbers, track.faults = bytes(min(number, 0x7F) for number in numbers), True
    channel, kind = status & 0x0F, status & 0xF0
    track.events.append((tick, bytes([status]) + numbers))
    if kind == NOTE_ON and numbers[1]:
        track.sounding[channel][numbers[0]].append(tick)
        track.onsets[channel].append(tick)
    elif kind in (NOTE_ON, NOTE_OFF):
        if begun := track.sounding[channel][numbers[0]]:
            begun.popleft()
    elif kind == CONTROL and numbers[0] in SILENCING:
        ended = [pitch for pitch, begun in track.sounding.pop(channel, {}).items() for _ in begun]
        track.events += [(tick, bytes([NOTE_OFF | channel, pitch, 0])) for pitch in ended]
        track.faults |= bool(ended)

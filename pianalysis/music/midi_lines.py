"""Lines of a MIDI track that are one though its channels and programmes are several.

In: the events of a track. Out: the same with a channel and a programme a line, or which channels are joined. The reader of
MIDI makes a line of each channel and programme of a track; yet notation programs write plucked notes of a violin on a channel
of their own, programs for guitars bent ones, keyboards that feel each finger every note, and players change their instrument
on the way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

NOTE_OFF, NOTE_ON, PROGRAM = 0x80, 0x90, 0xC0
PERCUSSION: Final = 9
TOGETHER_SHARE: Final = 0.05
"""Two channels are one line if no more than this share of the notes of either sounds with the other for half its length."""

FEW_CHANNELS: Final = 3
"""A track of more is no single part: of those only channels on one programme are one line."""

Event = tuple[int, bytes]
"""A tick, and the bytes of an event, its status first."""
Span = tuple[int, int]


@dataclass
class _Channel:
    """When its notes sound, and how many of them each programme plays."""

    spans: list[Span] = field(default_factory=list)
    played: Counter[int] = field(default_factory=Counter)

    @property
    def programme(self) -> int:
        """The one that plays most of them."""
        return self.played.most_common(1)[0][0]


def joined_channels(events: Sequence[Event], *, alone: bool) -> dict[int, int]:
    """The channel that each channel with notes is joined to, itself for most.

    alone: no other track has notes, so that its channels may be all the instruments of a piece; then they are joined only if
    all but drums are one line.
    """
    channels = _channels(events)
    pitched = sorted((number for number in channels if number != PERCUSSION), key=lambda n: -len(channels[n].spans))
    lines: list[list[int]] = []
    for number in pitched:
        own = channels[number].programme
        fits = [line for line in lines if len(pitched) <= FEW_CHANNELS or channels[line[0]].programme == own]
        line = next((line for line in fits if _takes_turns(channels, line, number)), None)
        if line is None:
            lines.append([number])
        else:
            line.append(number)
    if alone and len(lines) > 1:
        lines = [[number] for number in pitched]
    return {PERCUSSION: PERCUSSION, **{number: line[0] for line in lines for number in line}}


def with_whole_lines(events: Sequence[Event], joined: dict[int, int]) -> list[Event] | None:
    """The events with channels joined, each line on the programme that plays most of its notes; None where nothing changes."""
    played: defaultdict[int, Counter[int]] = defaultdict(Counter)
    for number, channel in _channels(events).items():
        played[joined.get(number, number)] += channel.played
    changed = {line for number, line in joined.items() if number != line}
    changed |= {line for line, programmes in played.items() if len(programmes) > 1}
    if not changed:
        return None
    rows: list[Event] = [(0, bytes([PROGRAM | line, played[line].most_common(1)[0][0]])) for line in sorted(changed)]
    for tick, event in events:
        status = event[0]
        if 0x80 <= status < 0xF0:
            line = joined.get(status & 0x0F, status & 0x0F)
            if line in changed and status & 0xF0 == PROGRAM:
                continue
            event = bytes([status & 0xF0 | line]) + event[1:]
        rows.append((tick, event))
    return rows


def _channels(events: Sequence[Event]) -> dict[int, _Channel]:
    """The channels that have notes."""
    channels: defaultdict[int, _Channel] = defaultdict(_Channel)
    begun: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    programmes: dict[int, int] = {}
    for tick, event in events:
        kind, channel = event[0] & 0xF0, event[0] & 0x0F
        if kind == PROGRAM:
            programmes[channel] = event[1]
        elif kind == NOTE_ON and event[2]:
            begun[channel, event[1]].append(tick)
            channels[channel].played[programmes.get(channel, 0)] += 1
        elif kind in (NOTE_OFF, NOTE_ON) and (waiting := begun[channel, event[1]]):
            channels[channel].spans.append((waiting.pop(0), tick))
    return dict(channels)


def _takes_turns(channels: dict[int, _Channel], line: Sequence[int], number: int) -> bool:
    """Whether a channel hardly sounds together with those of a line."""
    own = channels[number].spans
    others = [span for other in line for span in channels[other].spans]
    return all(_together(some, rest) <= TOGETHER_SHARE * len(some) for some, rest in ((own, others), (others, own)))


def _together(notes: Sequence[Span], others: Sequence[Span]) -> int:
    """How many notes have others beside them for more than half their length.

    >>> _together([(0, 10), (10, 20), (20, 30)], [(8, 18)])
    1
    """
    union = _union(others)
    starts, stops = [start for start, _ in union], [stop for _, stop in union]
    sums = [0, *accumulate(stop - start for start, stop in union)]

    def covered(until: int) -> int:
        place = bisect_right(starts, until)
        return sums[place] - max(stops[place - 1] - until, 0) if place else 0

    return sum(2 * (covered(stop) - covered(start)) > stop - start for start, stop in notes)


def _union(spans: Sequence[Span]) -> list[Span]:
    """The stretches of time in which any of some notes sounds."""
    rows: list[Span] = []
    for start, stop in sorted(spans):
        if rows and start <= rows[-1][1]:
            rows[-1] = (rows[-1][0], max(rows[-1][1], stop))
        else:
            rows.append((start, stop))
    return rows

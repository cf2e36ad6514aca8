"""Lines whose notes are on several channels and programmes of a track."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from midi_bytes import chunk, file, number

from pianalysis.melody.find import find_melody
from pianalysis.music.midi import read_midi
from pianalysis.music.midi_lines import joined_channels, with_whole_lines

TUNE = [(100 * n, 100, 60 + (5 * n) % 9) for n in range(12)]


def events(notes):
    """Events of (tick, length, pitch, channel) rows, ends before beginnings."""
    rows = [(tick, 1, bytes([0x90 | channel, pitch, 80])) for tick, _, pitch, channel in notes]
    rows += [(tick + length, 0, bytes([0x80 | channel, pitch, 0])) for tick, length, pitch, channel in notes]
    return [(tick, event) for tick, _, event in sorted(rows)]


def body(notes, programs=()):
    rows = [(0, bytes([0xC0 | channel, program])) for channel, program in programs] + events(notes)
    out, now = b"", 0
    for tick, event in rows:
        out += number(tick - now) + event
        now = tick
    return chunk(out)


def on(channels, tune=TUNE):
    """A tune with its notes on channels in turn."""
    return [(*row, channels[n % len(channels)]) for n, row in enumerate(tune)]


def lines(data):
    return [(track.program, len(track.notes)) for track in read_midi(data).tracks]


ACCOMPANIMENT = [(400 * n, 400, pitch, 5) for n in range(3) for pitch in (48, 52)]


@pytest.mark.parametrize(
    ("notes", "programs", "others", "found"),
    [
        (on([0, 0, 1]), [(0, 29), (1, 29)], True, [(29, 12)]),  # bent notes of a guitar
        (on([0] * 6 + [1] * 6)[:10], [(0, 40), (1, 45)], True, [(40, 10)]),  # a violin, bowed and plucked
        (on(range(1, 9)), [], False, [(0, 12)]),  # a keyboard that gives each note a channel
        (on([0, 1, 2, 3]), [(0, 40), (1, 56), (2, 73), (3, 65)], True, [(40, 3), (56, 3), (65, 3), (73, 3)]),
        ([*on([0]), *ACCOMPANIMENT], [(0, 73), (5, 0)], False, [(0, 6), (73, 12)]),  # two instruments in one track
        ([*on([0]), *ACCOMPANIMENT, *((row[0] + 1200, *row[1:]) for row in on([1]))], [], False, [(0, 6), (0, 12), (0, 12)]),
    ],
    ids=["guitar", "violin", "keyboard", "many parts", "together", "a whole piece"],
)  # fmt: skip
def test_channels_that_take_turns_are_one_line(notes, programs, others, found):
    rest = [body([(tick, length, 40, 0) for tick, length, *_ in ACCOMPANIMENT[::2]], [(0, 32)])] if others else []
    assert sorted(lines(file(body(notes, programs), *rest))) == sorted([*found, *([(32, 3)] if others else [])])


def test_a_joined_line_is_found_whole():
    data = file(body(on([0, 0, 1]), [(0, 29), (1, 29)]), body([(*row[:2], 36, 0) for row in TUNE[::4]], [(0, 32)]))
    melody = find_melody(read_midi(data))
    assert [(note.time, note.pitch) for note in melody.score_notes] == [(tick, pitch) for tick, _, pitch in TUNE]


def test_drums_stay_drums():
    data = file(body([*on([0]), *on([9], [(1200 + 100 * n, 50, 36) for n in range(8)])]), body(on([1])))
    assert sorted((track.is_drum, len(track.notes)) for track in read_midi(data).tracks) == [
        (False, 12),
        (False, 12),
        (True, 8),
    ]


@given(
    st.lists(
        st.tuples(st.integers(0, 3000), st.integers(1, 400), st.integers(40, 80), st.integers(0, 15)), max_size=40
    ),
    st.booleans(),
)
def test_joining_changes_nothing_but_channels(notes, alone):
    given_events = events(notes)
    joined = joined_channels(given_events, alone=alone)
    found = with_whole_lines(given_events, joined) or given_events
    assert Counter((tick, event[0] & 0xF0, event[1:]) for tick, event in found if event[0] & 0xF0 != 0xC0) == Counter(
        (tick, event[0] & 0xF0, event[1:]) for tick, event in given_events
    )
    assert all(joined[line] == line for line in joined.values())
    assert all((number == 9) == (line == 9) for number, line in joined.items())

"""One walk through a MIDI file's events: texts with their ticks and places, however the events before them are written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pianalysis.music.midi_events import LYRIC, TEXT, number_bytes, text_events, track_spans


def chunk(body, name=b"MTrk"):
    return name + len(body).to_bytes(4, "big") + body


OTHERS = (
    bytes([0x90, 60, 80]),
    bytes([0xC0, 5]),
    bytes([0xE0, 1, 2]),
    bytes([0xF0, 3, 1, 2, 0xF7]),
    b"\xff\x51\x03abc",
)
waits = st.integers(0, 2**28 - 1)
events = st.lists(st.tuples(waits, st.sampled_from(OTHERS) | st.tuples(st.sampled_from([TEXT, LYRIC]), st.binary(min_size=1, max_size=200))))  # fmt: skip


@given(st.lists(events, max_size=3), st.integers(0, 30))
def test_texts_stand_where_they_were_written(tracks, cut):
    data, wanted = chunk(bytes(6), b"MThd"), []
    for track in tracks:
        body, tick = b"", 0
        for wait, event in track:
            tick += wait
            body += number_bytes(wait)
            if isinstance(event, tuple):
                kind, raw = event
                event = bytes([0xFF, kind]) + number_bytes(len(raw)) + raw
                wanted.append((tick, kind, raw))
            body += event
        data += chunk(body)
    found = [(event.tick, event.kind, data[event.start : event.end]) for event in text_events(data)]
    assert found == wanted
    assert len(track_spans(data)) == len(tracks)
    # of a file that was cut off, as many as are whole
    some = [(event.tick, event.kind, data[event.start : event.end]) for event in text_events(data[: len(data) - cut])]
    assert some == wanted[: len(some)]


def test_running_status_and_empty_texts():
    body = bytes([0, 0x90, 60, 80, 10, 62, 80, 0, 0xFF, TEXT, 0, 0x81, 0x48, 0xFF, LYRIC, 2]) + b"la"
    (event,) = text_events(chunk(body))
    assert (event.tick, event.kind, event.length_at, event.end) == (210, LYRIC, 8 + 15, 8 + 18)
    assert list(text_events(chunk(bytes([0, 60, 80]) + body))) == []  # data bytes of no event

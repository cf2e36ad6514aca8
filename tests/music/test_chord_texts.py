"""Chord symbols in a MIDI file's text events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import simple_score

from pianalysis.music.chord_texts import SYMBOL, read_chord_texts
from pianalysis.music.midi import read_midi


def with_texts(rows):
    """A tune of four quarters, and a track of text events before it: (quarters later than the one before, text)."""
    data = simple_score([(quarter, 1, 60 + quarter) for quarter in range(4)], tpq=96).dumps_midi()
    body = (
        b"".join(bytes([96 * wait]) + b"\xff\x01" + bytes([len(text)]) + text for wait, text in rows) + b"\0\xff\x2f\0"
    )
    chunk = b"MTrk" + len(body).to_bytes(4, "big") + body
    tracks = int.from_bytes(data[10:12], "big") + 1
    return data[:8] + (1).to_bytes(2, "big") + tracks.to_bytes(2, "big") + data[12:14] + chunk + data[14:]


def test_symbols_become_markers():
    data = with_texts([(0, b"My song"), (0, b"Am"), (1, b"F/A"), (1, b"G7sus4"), (0, b"C#m7b5")])
    assert read_chord_texts(data) == [(0, "Am"), (96, "F/A"), (192, "C#m7b5"), (192, "G7sus4")]
    assert [mark.text for mark in read_midi(data).markers] == ["Am", "F/A", "C#m7b5", "G7sus4"]
    assert [note.pitch for track in read_midi(data).tracks for note in track.notes] == [60, 61, 62, 63]


@pytest.mark.parametrize(
    "rows", [[(0, b"A")], [(1, b"A"), (0, b"Love"), (0, b"song")], [(0, b"by Gaga"), (0, b"Em bar")], []]
)
def test_other_texts_are_no_chords(rows):
    assert read_chord_texts(with_texts(rows)) == []


@given(st.binary(max_size=80))
def test_any_bytes_are_read(data):
    read_chord_texts(b"MTrk\0\0\0\x50" + data)


@pytest.mark.parametrize("text", ["Cmaj7", "Bb", "F#dim", "Gm7/D", "Dadd9", "E7#9", "Hm", "A°", "C7b9"])
def test_symbols(text):
    assert SYMBOL.fullmatch(text)

from __future__ import annotations

import os
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import simple_score

from pianalysis.errors import MidiReadError, NoMelodyError
from pianalysis.melody.find import find_melody
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import read_midi

SMALL = simple_score([(0, 1, 60), (1, 0.5, 64), (1.5, 2, 0), (4, 1, 127)], bpm=97, metre=(3, 4)).dumps_midi()
ONE_NOTE = b"\x00\x90\x3c\x40\x60\x80\x3c\x40"
LONG_WAIT = b"\xff\xff\xff\x7f\xff\x01\x00"
"""The longest wait MIDI can state, to an empty text: eight of them pass the 31 bits in which symusic counts ticks."""


def midi_file(events: bytes, division: int = 480) -> bytes:
    body = events + b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, division) + b"MTrk" + struct.pack(">I", len(body)) + body


BAD = {
    "text": (b"Dear Sir or Madam", "starts with b'Dear'"),
    "empty": (b"", "an empty file"),
    "no notes": (simple_score([]).dumps_midi(), "no notes"),
    "too large": (b"MThd" + bytes(8 * 2**20), "too large"),
    "two hours": (simple_score([(0, 1, 60), (2 * 3_600 * 2, 1, 60)]).dumps_midi(), "120 minutes are too long"),
    "too many notes": (simple_score([(n / 240, 0, 60) for n in range(100_001)]).dumps_midi(), "100,001 notes"),
    "too many quarters": (simple_score([(0, 1, 60), (500_001, 1, 60)], tpq=1, bpm=60_000).dumps_midi(), "quarter"),
    "no ticks": (midi_file(ONE_NOTE, division=0), "tick"),
    "film frames": (midi_file(ONE_NOTE, division=0xE728), "ticks per quarter"),
    "before the start": (
        midi_file(b"\x00\xff\x51\x03\x00\x00\x01" + LONG_WAIT * 9 + ONE_NOTE),
        "damaged",
    ),
    "past the counter": (
        midi_file(LONG_WAIT * 7 + b"\x00\x90\x3c\x40" + LONG_WAIT * 2 + b"\x00\x80\x3c\x40"),
        "too long",
    ),
}


@pytest.mark.parametrize(("data", "says"), BAD.values(), ids=BAD)
def test_bad_files_give_one_sentence_that_names_the_file(tmp_path, data, says):
    path = tmp_path / "song.mid"
    path.write_bytes(data)
    for source, name in ((path, "song.mid"), (data, "the MIDI data")):
        with pytest.raises(MidiReadError, match=says) as error:
            read_midi(source)
        assert name in str(error.value)
        assert "\n" not in str(error.value)
    with pytest.raises(MidiReadError, match="upload 7"):
        read_midi(data, name="upload 7")


def test_paths_that_are_no_files(tmp_path):
    with pytest.raises(MidiReadError, match=rf"{tmp_path.name}: .* folder"):
        read_midi(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"nowhere.mid: there is no such file"):
        read_midi(tmp_path / "nowhere.mid")
    with pytest.raises(MidiReadError, match=r"xxx.mid: can't be read"):
        read_midi(tmp_path / ("x" * 300 + ".mid"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unreadable to root")
def test_unreadable_files_say_so(tmp_path):
    path = tmp_path / "locked.mid"
    path.write_bytes(SMALL)
    path.chmod(0)
    with pytest.raises(MidiReadError, match=r"locked.mid: can't be read \(Permission denied\)"):
        read_midi(path)


def read_or_refuse(data: bytes) -> None:
    """A file is either read, and then all that follows works, or refused in one line that names it."""
    try:
        score = read_midi(data, name="odd.mid")
        BeatClock.from_score(score)
        find_melody(score, name="odd.mid")
    except (MidiReadError, NoMelodyError) as error:
        message = str(error)
    else:
        return
    assert message.startswith("odd.mid: ")
    assert "\n" not in message


@pytest.mark.parametrize("end", range(len(SMALL)))
def test_files_cut_off_anywhere_are_refused_and_never_crash(end):
    read_or_refuse(SMALL[:end])


EDITS = st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(0, 255), st.integers(0, 2)), max_size=8)


@given(EDITS)
def test_damaged_bytes_never_crash(edits):
    data = bytearray(SMALL)
    for place, value, kind in edits:
        place %= max(len(data), 1)
        data[place : place + (kind != 2)] = b"" if kind == 1 else bytes([value])
    read_or_refuse(bytes(data))

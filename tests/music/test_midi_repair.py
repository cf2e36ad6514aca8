"""MIDI files with faults that players forgive, built byte by byte."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from midi_bytes import QUARTER, chunk, file, number
from strategies import scores

from pianalysis.music.midi import read_midi
from pianalysis.music.midi_repair import mended
from pianalysis.music.reading import read_score

SONG = [(0, 1, 60), (1, 1, 62), (2, 2, 64)]
"""Onset and length in quarters, pitch."""


def song(pitch=0):
    return b"".join(
        b"\0\x90" + bytes([key + pitch, 80]) + number(length * QUARTER) + b"\x80" + bytes([key + pitch, 0])
        for _, length, key in SONG
    )


def metre(numerator):
    return b"\0\xff\x58\x04" + bytes([numerator, 2, 24, 8])


def test_of_songs_side_by_side_the_first_says_the_metre():
    """Each track of a file of format 2 is a song with a metre of its own; of format 1 all share those that are stated."""
    tracks = [chunk(metre(4) + song()), chunk(metre(3) + b"\0\xff\x51\x03\x07\xa1\x20" + song(5))]
    score = read_midi(file(*tracks, form=2))
    assert [(item.time, item.numerator) for item in score.time_signatures] == [(0, 4)]
    assert len(score.tempos) == 1
    assert [[note.pitch for note in track.notes] for track in score.tracks] == [[60, 62, 64], [65, 67, 69]]
    assert len(read_midi(file(*tracks)).time_signatures) == 2


def rows(data, track=0):
    score = read_midi(data)
    return [(n.time / score.tpq, n.duration / score.tpq, n.pitch) for n in score.tracks[track].notes]


@pytest.mark.parametrize(
    "data",
    [
        file(chunk(song())),
        file(chunk(song(), ended=False)),
        file(chunk(song()), more=b"\1\2"),
        file(chunk(b"\0\xff\x03\x01x"), chunk(song()), count=1),
        file(chunk(song()), count=5),
        file(chunk(b"\0\xb0\x07\xff" + song())),
        b"\0\4song" + bytes(122) + file(chunk(song())) + bytes(30),
        file(chunk(song())) * 2,
    ],
    ids=["whole", "no end", "long header", "fewer tracks", "more tracks", "8 bits", "MacBinary", "twice"],
)
def test_what_players_forgive_is_read(data):
    assert rows(data) == SONG
    assert read_score(data, name="song").tracks[0].notes[0].pitch == 60


def test_a_note_that_nothing_ends_lasts_to_the_next_one_or_for_a_beat():
    ons = b"".join(number(QUARTER if onset else 0) + b"\x90" + bytes([pitch, 80]) for onset, _, pitch in SONG)
    assert rows(file(chunk(ons))) == [(0, 1, 60), (1, 1, 62), (2, 1, 64)]
    assert rows(file(chunk(song() + b"\0\x90\x48\x50"))) == [*SONG, (4, 1, 72)]
    assert sorted(rows(file(chunk(b"\0\x90\x48\x50" + song())))) == [(0, 1, 60), (0, 1, 72), *SONG[1:]]


def test_what_silences_a_channel_ends_its_notes():
    silenced = b"\0\x90\x48\x50" + number(QUARTER) + b"\xb0\x7b\0" + song()
    assert rows(file(chunk(silenced)))[0] == (0, 1, 72)


def test_a_note_of_no_length_stays_beside_one_that_nothing_ends():
    data = file(
        chunk(b"\0\x90\x3c\x50\0\x80\x3c\0" + number(QUARTER) + b"\x90\x3e\x50" + number(QUARTER) + b"\xb0\x07\x50")
    )
    assert [row[2] for row in rows(data)] == [60, 62]


def test_an_instrument_s_name_is_a_track_s_that_has_none():
    named = read_midi(
        file(chunk(b"\0\xff\x04\x05Vocal" + song()), chunk(b"\0\xff\x03\x05Piano\0\xff\x04\x03any" + song(-12)))
    )
    assert [track.name for track in named.tracks] == ["Vocal", "Piano"]


@given(scores())
def test_a_file_without_faults_stays_as_it_is(score):
    data = score.dumps_midi()
    assert mended(data) is data


@given(st.binary(max_size=60))
def test_any_bytes_are_mended_or_left(data):
    whole = file(chunk(data))
    assert mended(mended(whole)) == mended(whole)


def sung(texts):
    return b"".join(
        b"\0\xff\x01" + bytes([len(text)]) + text.encode() + b"\0\x90\x3c\x50" + number(QUARTER) + b"\x80\x3c\0"
        for text in texts
    )


def test_texts_on_a_track_s_notes_are_words():
    syllables = ["Hap", "py ", "birth", "day ", "to ", "you"]
    score = read_midi(file(chunk(sung(syllables))))
    assert [item.text for track in score.tracks for item in track.lyrics] == syllables


@pytest.mark.parametrize("texts", [["one", "two"], ["C", "F", "G7", "C", "F", "G7", "C"]])
def test_few_texts_and_chords_are_no_words(texts):
    assert not any(len(track.lyrics) for track in read_midi(file(chunk(sung(texts)))).tracks)


def test_remarks_at_the_beginning_are_no_words():
    remarks = b"".join(b"\0\xff\x01\x04said" for _ in range(9))
    assert not any(len(track.lyrics) for track in read_midi(file(chunk(remarks + song()))).tracks)


@pytest.mark.parametrize(
    "events",
    [
        b"\xff" * 10**6,  # a number that never ends
        b"".join(bytes([0, 0x90 | place % 16, place // 16, 64]) for place in range(2_048)) + b"\0\xb0\x7b\0" * 200_000,
        bytes([1, 0x90, 60, 64]) * 200_000,  # notes that nothing ends
    ],
)
def test_what_is_made_to_be_slow_is_read_in_time(events):
    begin = time.process_time()
    mended(file(chunk(events)))
    assert time.process_time() - begin < 10  # a second; with quadratic steps minutes


@pytest.mark.parametrize(
    "between",
    [b"\0\xf0\2\x7e\xf7", b"\0\xff\1\4text", b"\0\xff\x51\3\7\xa1\x20", b"\0\xf8", b"\0\xf2\1\2", b"\0\xfd"],
    ids=["sysex", "text", "tempo", "clock", "song position", "undefined"],
)
def test_notes_go_on_after_something_else(between):
    """Running status: what is no status byte belongs to the last message of a channel."""
    body = b"\0\x90\x3c\x50" + number(QUARTER) + b"\x3c\0" + between + b"\0\x3e\x50" + number(QUARTER) + b"\x3e\0"
    assert rows(file(chunk(body))) == [(0, 1, 60), (1, 1, 62)]


def program(number_):
    return b"\0\xc0" + bytes([number_])


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (program(73) + song() + program(68) + song(5) + song(7), 68),
        (song() + program(68) + song(), 0),
        (program(1) + program(40) + song() + song(), 40),
    ],
    ids=["changed", "stated late", "stated twice"],
)
def test_a_line_that_changes_its_instrument_is_one_line(body, kept):
    score = read_midi(file(chunk(b"\0\xff\x03\1x" + body)))
    assert [(track.name, track.program) for track in score.tracks] == [("x", kept)]
    notes = score.tracks[0].notes
    assert [note.time for note in notes] == sorted(note.time for note in notes)
    assert len(notes) == body.count(b"\x90")

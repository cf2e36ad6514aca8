"""Melodies that several tracks share."""

from __future__ import annotations

import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st
from strategies import add_track, scores, simple_score

from pianalysis.melody.find import find_melody
from pianalysis.melody.turns import TURN_QUARTERS, where_it_rests

VERSE = [(n, 1, 60 + (2 * n) % 7) for n in range(16)]
CHORUS = [(16 + n, 1, 64 + (3 * n) % 8) for n in range(16)]
CHORDS = [(4 * n, 4, pitch) for n in range(8) for pitch in (48, 52, 55)]


def song(first, second, *, notes=(VERSE, CHORUS)):
    score = simple_score(notes[0], name=first)
    add_track(score, notes[1], name=second)
    add_track(score, CHORDS, name="Piano")
    return score


def pitches(score):
    return [note.pitch for note in find_melody(score).score_notes]


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("Male vocal", "Female vocal", True),
        ("Melody 1", "Melody 2", True),
        ("Voice 1", "Voice 2", True),
        ("Vocals", "Backing Vocals", False),
        ("Vocals", "Lead Guitar", False),
        ("Lead Guitar", "Lead Synth", False),
    ],
)
def test_singers_in_turn_are_one_melody(first, second, joined):
    verse, chorus = ([pitch for *_, pitch in rows] for rows in (VERSE, CHORUS))
    found = pitches(song(first, second))
    assert found == verse + chorus if joined else found in (verse, chorus)


def test_who_sings_along_or_answers_is_left_out():
    lower = [(onset, length, pitch - 4) for onset, length, pitch in VERSE]
    assert pitches(song("Vocal 1", "Vocal 2", notes=(VERSE, lower))) == [pitch for *_, pitch in VERSE]
    sung = [symusic.Note(100 * beat, 100, 60, 80) for beat in range(17) if beat % 8 < 4]
    answers = [symusic.Note(100 * beat, 100, 72, 80) for beat in range(16) if beat % 8 >= 4]
    assert where_it_rests(sung, answers, 100) == []


def test_it_is_said_who_sings():
    assert find_melody(song("Male vocal", "Female vocal")).how.endswith("where it rests, track 2 “Female vocal”")
    assert "rests" not in find_melody(song("Male vocal", "Female vocal"), track=1).how


@given(scores(names=("Vocal 1", "Vocal 2", "Piano")))
def test_a_melody_in_turn_is_the_files_own_notes(score):
    remaining = [(n.time, n.duration, n.pitch) for track in score.tracks for n in track.notes]
    for note in find_melody(score).score_notes:
        remaining.remove((note.time, note.duration, note.pitch))


def lines():
    return st.lists(st.builds(symusic.Note, st.integers(0, 9_000), st.integers(1, 900), st.integers(40, 80), st.just(80)), min_size=1)  # fmt: skip


@given(lines(), lines())
def test_nothing_is_added_that_begins_while_the_line_sounds(line, other):
    for note in where_it_rests(line, other, 100):
        assert not any(mine.time <= note.time < mine.time + mine.duration - 25 for mine in line)
        after = min((mine.time for mine in line if mine.time > note.time), default=10**6)
        before = max((mine.time + mine.duration for mine in line if mine.time <= note.time), default=0)
        assert after - before >= (TURN_QUARTERS - 0.5) * 100

from __future__ import annotations

from fractions import Fraction

import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.music.clock import BeatClock
from pianalysis.music.metres import (
    bar_ticks,
    first_full_bar,
    metre_of_bar,
    metre_of_lines,
    quarters_of,
    read_metre,
    read_pickup,
    stated_metre,
    with_bar_lines,
)
from pianalysis.music.typed import from_names

METRES = [(2, 4), (3, 4), (4, 4), (5, 4), (3, 8), (6, 8), (7, 8), (12, 8), (2, 2)]


def score_of(*signatures, quarters=24):
    score = symusic.Score(480)
    for tick, top, bottom in signatures:
        score.time_signatures.append(symusic.TimeSignature(tick, top, bottom))
    score.tracks.append(symusic.Track("", 0, False))
    score.tracks[0].notes.append(symusic.Note(0, 480 * quarters, 60, 80))
    return score


def signatures(score):
    return [(item.time, item.numerator, item.denominator) for item in score.time_signatures]


@given(st.sampled_from(METRES), st.integers(0, 40))
def test_a_bar_line_stands_where_it_is_wanted(metre, sixteenths):
    line = sixteenths * 120
    placed = with_bar_lines(score_of(), line, metre)
    lines = BeatClock.from_score(placed).bar_lines / 500 * 480
    assert min(abs(lines - line)) < 1e-6 or line > lines[-1]
    assert stated_metre(placed) == metre
    assert first_full_bar(placed) == line % bar_ticks(placed, metre)
    assert [note.time for note in placed.tracks[0].notes] == [0]


def test_bar_lines_by_hand():
    assert signatures(with_bar_lines(score_of((0, 3, 4)), 480)) == [(0, 1, 4), (480, 3, 4)]
    assert signatures(with_bar_lines(score_of(), 720, (6, 8))) == [(0, 3, 8), (720, 6, 8)]
    assert signatures(with_bar_lines(score_of((0, 3, 4), (1920, 2, 4)), 480)) == [(0, 1, 4), (480, 3, 4), (1920, 2, 4)]
    assert signatures(with_bar_lines(score_of((0, 1, 4), (480, 4, 4)), 480, (3, 4))) == [(0, 1, 4), (480, 3, 4)]
    assert signatures(with_bar_lines(score_of((0, 1, 4), (480, 4, 4)), 0, (4, 4))) == [(0, 4, 4)]


def test_what_a_score_states():
    assert stated_metre(score_of()) == (4, 4)
    assert first_full_bar(score_of((0, 1, 4), (480, 3, 4))) == 480
    assert first_full_bar(score_of((1, 3, 4))) == 0
    assert quarters_of((6, 8)) == 3


@pytest.mark.parametrize(
    ("text", "pickup"), [("1", 1), ("0.5", Fraction(1, 2)), ("3/2", Fraction(3, 2)), (0, 0), (1.5, 1.5)]
)
def test_a_pickup_is_read(text, pickup):
    assert read_pickup(text) == pickup


@pytest.mark.parametrize("text", ["-1", "one", "1/0", "99", ""])
def test_what_is_no_pickup_is_refused(text):
    with pytest.raises(PianalysisError, match="pickup in quarter notes"):
        read_pickup(text)


@pytest.mark.parametrize("text", ["3", "0/4", "3/5", "4/4/4", "three", ""])
def test_what_is_no_metre_is_refused(text):
    with pytest.raises(PianalysisError, match="expected a metre"):
        read_metre(text)


def test_the_metre_of_bar_lines():
    places = [Fraction(n, 4) for n in (1, 4, 7, 10)]
    assert metre_of_lines(places) == (3, 4)
    assert metre_of_lines([]) is None


@pytest.mark.parametrize(
    ("text", "metre", "expected"),
    [
        ("D4/4 | G4/2 B4/4 | A4/2 D4/4 | G4/2.", None, [(0, 1, 4), (960, 3, 4)]),
        ("D4/4 | G4/2 B4/4 | A4/2 D4/4 | G4/2.", (3, 4), [(0, 1, 4), (960, 3, 4)]),
        ("| D4/4 E4 F4 G4 | A4/1 |", None, [(0, 4, 4)]),
        ("D4/8 | G4/4. B4/4. | A4/2.", (6, 8), [(0, 1, 8), (480, 6, 8)]),
        ("C4/4 D4 E4 F4 G4 | A4", (4, 4), [(0, 4, 4)]),
        ("C4/4 D4 E4 F4", None, []),
    ],
)
def test_a_first_bar_line_that_comes_early_ends_a_pickup(text, metre, expected):
    assert signatures(from_names(text, time_signature=metre)) == expected


LENGTHS = st.fractions(Fraction(1, 960), 3_000, max_denominator=960)


@given(LENGTHS, st.sampled_from([1, 2, 4, 8, 16, 32, 64]))
def test_a_bar_of_any_length_has_a_metre_that_midi_can_say_exact_or_just_longer(quarters, beat):
    metre = metre_of_bar(quarters, beat)
    symusic.TimeSignature(0, *metre)
    if quarters <= 4 * 255:
        assert 0 <= quarters_of(metre) - quarters < Fraction(4, metre[1])
    if (quarters * beat / 4).denominator == 1 and quarters * beat / 4 <= 255:
        assert quarters_of(metre) == quarters
        assert metre[1] == beat


@given(st.integers(1, 480 * 128))
def test_bars_can_be_counted_from_any_tick_in_any_metre(line):
    moved = with_bar_lines(score_of(quarters=140), line, (32, 1))
    assert (line % (480 * 128), 32, 1) in signatures(moved)

from __future__ import annotations

import numpy as np
import pytest
import symusic
from hypothesis import given
from strategies import beat_annotations, scores, simple_score

from pianalysis.errors import PianalysisError
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import track_notes


def score_in(metres, *, quarters: float, bpm: float = 120):
    """A score of so many quarters whose metres are given as (first quarter, numerator, denominator)."""
    score = simple_score([(0, 1, 60), (quarters - 1, 1, 60)], bpm=bpm)
    for start, numerator, denominator in metres:
        score.time_signatures.append(symusic.TimeSignature(int(start * score.tpq), numerator, denominator))
    return score


def check_bars_cover(clock, first_ms, last_ms):
    lines = clock.bar_lines
    assert lines[0] == 0
    assert (np.diff(lines) > 0).all()
    assert np.diff(lines).max() <= 16_000 + 1e-3
    assert clock.to_clock(first_ms) >= -1e-3
    assert clock.to_clock(last_ms) <= lines[-1] + 1e-3


@given(scores())
def test_bars_cover_any_score(score):
    notes = track_notes(score, score.tracks)
    check_bars_cover(BeatClock.from_score(score), 0, (notes["onset_ms"] + notes["duration_ms"]).max())


@given(beat_annotations())
def test_bars_cover_any_annotated_piece(annotation):
    beats, downbeats, start, end = annotation
    clock = BeatClock.from_beats(beats, downbeats, start_ms=start, end_ms=end)
    check_bars_cover(clock, start, end)
    annotated = clock.to_clock(beats[downbeats])
    assert np.abs(annotated[:, None] - clock.bar_lines).min(axis=1).max() < 1e-6


@pytest.mark.parametrize(
    ("metre", "bar"),
    [((4, 4), 2000), ((3, 4), 1500), ((6, 8), 1500), ((5, 4), 2500), ((7, 8), 1750), ((2, 4), 1000), ((2, 2), 2000)],
)
def test_bars_of_every_metre(metre, bar):
    clock = BeatClock.from_score(score_in([(0, *metre)], quarters=20, bpm=90))
    assert np.diff(clock.bar_lines).tolist() == pytest.approx([bar] * int(np.ceil(10_000 / bar)))
    assert clock.time_signature == metre


@pytest.mark.parametrize(
    ("metres", "quarters", "lines"),
    [
        ([(0, 4, 4), (8, 3, 4)], 14, [0, 4, 8, 11, 14]),
        ([(0, 1, 4), (1, 3, 4)], 10, [0, 1, 4, 7, 10]),  # a pickup bar
        ([(0, 4, 4), (6, 3, 4)], 12, [0, 4, 6, 9, 12]),  # a metre that changes inside a bar begins one
        ([(4, 3, 4)], 7, [0, 4, 7]),  # 4/4 until the first
        ([(0, 3, 4)], 7, [0, 3, 6, 9]),  # the last bar is whole
        ([(0, 4, 4), (9, 3, 4), (1_000_000, 2, 4)], 8, [0, 4, 8]),  # changes after the end are no music
        ([(0, 0, 4), (4, 3, 4)], 7, [0, 4, 7]),  # a metre of nothing is none
        ([(0, 2, 4), (0, 3, 4)], 6, [0, 3, 6]),
    ],
)
def test_bar_lines_by_hand(metres, quarters, lines):
    clock = BeatClock.from_score(score_in(metres, quarters=quarters))
    assert (clock.bar_lines / 500).tolist() == lines


def test_very_long_bars_are_split_into_windows():
    lines = BeatClock.from_score(score_in([(0, 70, 4)], quarters=70)).bar_lines
    assert lines.tolist() == [0, 16_000, 32_000, 35_000]
    # Bars of just one window, a third of a quarter late: no slivers from rounding.
    lines = BeatClock.from_score(score_in([(0, 4, 4), (1 / 3, 16, 2)], quarters=200)).bar_lines
    assert np.diff(lines)[1:].tolist() == pytest.approx([16_000] * 7)


def test_the_first_bar_line_is_0_however_early_the_metre_changes():
    score = simple_score([(0, 1, 60), (8, 1, 60)], tpq=30_000)
    score.time_signatures.extend([symusic.TimeSignature(0, 255, 1), symusic.TimeSignature(1, 4, 4)])
    lines = BeatClock.from_score(score).bar_lines
    assert lines[0] == 0
    assert (np.diff(lines) > 0).all()


def test_pickup_beats_before_the_first_downbeat_make_a_bar():
    beats = 1_000 + 600 * np.arange(11)  # two beats, then bars of four
    clock = BeatClock.from_beats(beats, np.arange(11) % 4 == 2, start_ms=900, end_ms=7_100)
    assert clock.time_signature == (4, 4)
    assert clock.bpm == 100
    assert clock.bar_lines.tolist() == [0, 2000, 4000, 6000, 8000]
    assert clock.to_clock([1_000, 2_200, 4_600]).tolist() == [1000, 2000, 4000]
    late = BeatClock.from_beats(beats, np.arange(11) % 4 == 2, start_ms=2_300, end_ms=7_100)
    assert late.bar_lines.tolist() == [0, 2000, 4000, 6000]  # nothing sounds in the pickup
    early = BeatClock.from_beats(beats, np.arange(11) % 4 == 2, start_ms=-300, end_ms=9_500)
    assert early.bar_lines.tolist() == [0, 2000, 4000, 6000, 8000, 10_000, 12_000]


def test_six_beats_a_bar():
    clock = BeatClock.from_beats(np.arange(13) * 500, np.arange(13) % 6 == 0, end_ms=6_000)
    assert clock.bar_lines.tolist() == [0, 3000, 6000, 9000]
    assert clock.time_signature == (6, 4)


def test_one_downbeat_is_taken_for_four_beats_a_bar():
    clock = BeatClock.from_beats(np.arange(9) * 500, np.arange(9) == 1, end_ms=4_000)
    assert clock.bar_lines.tolist() == [0, 2000, 4000, 6000]


@pytest.mark.parametrize(
    ("beats", "downbeats"),
    [([], []), ([100], [1]), ([100, 600], [0, 0]), ([100, 100, 100], [1, 0, 0]), ([600, 100], [1, 0])],
)
def test_too_few_beats_are_refused(beats, downbeats):
    with pytest.raises(PianalysisError, match="expected at least two increasing beats"):
        BeatClock.from_beats(beats, downbeats)


def test_beats_that_step_back_are_left_out():
    clock = BeatClock.from_beats([0, 500, 100, 300, 1_000, 1_000.5, 1_500, 2_000], [1, 0, 0, 0, 0, 0, 0, 1])
    assert clock.real_ms.tolist() == [0, 500, 1_000, 1_500, 2_000]
    assert clock.bar_lines.tolist() == [0, 2_000, 4_000]

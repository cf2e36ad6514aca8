"""Notes on the beat clock, whatever they come in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import track_notes
from pianalysis.music.notes import make_notes
from pianalysis.music.timed import clock_of_bars, clock_of_beats, score_of_notes, timed

GAPS = st.lists(st.floats(300, 1_200), min_size=2, max_size=30)


@given(GAPS)
def test_every_beat_is_a_quarter_of_the_clock(gaps):
    times = np.cumsum([100.0, *gaps])
    clock = clock_of_beats(times)
    steps = np.diff(clock.to_clock(times))
    assert steps == pytest.approx(np.full(len(gaps), steps[0]))
    assert steps[0] in (250, 500, 1000)
    assert clock.to_clock(times[0]) == 0


@given(GAPS, st.integers(2, 7))
def test_a_score_of_notes_has_its_notes_and_its_beats(gaps, beats):
    times = np.cumsum([0.0, *gaps])
    notes = make_notes((time, 200, 60 + number % 12, 80) for number, time in enumerate(times.tolist()))
    score = score_of_notes(notes, beats_ms=times, metre=(beats, 4))
    again = track_notes(score, score.tracks)
    assert again["onset_ms"] == pytest.approx(notes["onset_ms"], abs=0.2)
    assert again["duration_ms"] == pytest.approx(notes["duration_ms"], abs=0.2)
    clock = BeatClock.from_score(score)
    assert clock.time_signature == (beats, 4)
    assert timed(score).notes["pitch"].tolist() == notes["pitch"].tolist()
    array = timed(notes, beats_ms=times)
    fold = clock.clock_ms[1] / array.clock.clock_ms[1]  # of the two middle beats a score takes the slower
    assert np.diff(timed(score).notes["onset_ms"]) == pytest.approx(np.diff(array.notes["onset_ms"]) * fold, abs=0.5)


def test_bars_played_slower_are_bars_and_a_pickup_is_part_of_one():
    clock = clock_of_bars([0, 500, 2500, 4700, 6600])
    assert clock.bar_lines.tolist() == [0, 500, 2500, 4500, 6500]
    assert clock_of_bars([0, 1500, 3000], metre=(3, 4)).bar_lines.tolist() == [0, 1500, 3000]


@pytest.mark.parametrize("lines", [[0], [0, 0], [5, 1], [[0, 1]]])
def test_bar_lines_that_are_none_are_refused(lines):
    with pytest.raises(PianalysisError, match="two bar lines that rise"):
        clock_of_bars(lines)


def test_a_constant_beat_begins_at_nought_and_bars_cover_the_end():
    found = timed(make_notes([(0, 1000, 60, 80), (3000, 1000, 62, 80)]), beats_ms=1000, metre=(3, 4))
    assert found.notes["onset_ms"].tolist() == [0, 1500]
    assert found.clock.bar_lines.tolist() == [0, 1500, 3000]

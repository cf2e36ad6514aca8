"""Charts in a file's markers: written and read back, and told from other markers."""

from __future__ import annotations

import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st
from strategies import add_track, scores, simple_score
from test_chart import CHORDS

from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import Chart
from pianalysis.harmony.stated import OURS, chart_markers, stated_chart
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import read_midi


@given(st.data(), scores(max_tracks=1))
def test_a_chart_written_as_markers_is_read_back(data, score):
    """On ticks that tell its beats apart: one tick a quarter is too few."""
    clock = BeatClock.from_score(score)
    beats = clock_beats(clock)
    few = data.draw(st.lists(CHORDS, min_size=1, max_size=4))
    chosen = data.draw(st.lists(st.sampled_from(few), min_size=len(beats), max_size=len(beats)))
    chart = Chart(tuple(chosen), tuple(beats.borders_ms.tolist()), tuple(clock.bar_lines.tolist()))
    score.markers.append(symusic.TextMeta(0, f"{OURS}0.1"))
    score.markers.extend(chart_markers(chart, score, clock))
    read = read_midi(score.dumps_midi())
    assert read.markers[0].text.startswith(OURS)
    found = stated_chart(read, BeatClock.from_score(read))
    if score.tpq >= 24:
        assert found.chords == chart.chords


def marked(*marks):
    score = simple_score([(quarter, 1, 60) for quarter in range(16)])
    for quarter, text in marks:
        score.markers.append(symusic.TextMeta(quarter * 480, text))
    return stated_chart(score, BeatClock.from_score(score))


def test_a_chord_holds_until_the_next_and_what_is_no_chord_is_read_over():
    chart = marked((4, "Am"), (6, "Verse"), (8, "F:maj/5"), (11, "N.C."), (12, "G7"))
    assert chart.text() == "? | Am | F/C . N.C. | G7"


@pytest.mark.parametrize("marks", [(), ("Intro", "Verse 1"), ("A",), ("A", "B", "C")])
def test_sections_are_no_chords(marks):
    assert marked(*((4 * place, text) for place, text in enumerate(marks))) is None


def test_letters_in_another_order_are_chords():
    assert marked((0, "C"), (4, "F"), (8, "G"), (12, "C")).text() == "C | F | G | C"


@pytest.mark.parametrize("name", ["Chords", "Akkorde", "コード", "accords (piano)"])
def test_a_track_of_chords_states_them(name):
    score = simple_score([(quarter, 1, 72) for quarter in range(12)], name="Melody")
    add_track(
        score, [(0, 4, pitch) for pitch in (48, 52, 55)] + [(4, 4, pitch) for pitch in (43, 53, 59, 62)], name=name
    )
    chart = stated_chart(score, BeatClock.from_score(score))
    assert [chord and chord.symbol() for chord in chart.chords[:8:4]] == ["C", "G7"]
    score.markers.append(symusic.TextMeta(0, "Dm"))
    assert stated_chart(score, BeatClock.from_score(score)).chords[0].symbol() == "Dm"


def test_other_tracks_state_none():
    score = simple_score([(quarter, 1, 72) for quarter in range(4)], name="Melody")
    add_track(score, [(0, 4, pitch) for pitch in (48, 52, 55)], name="Piano, chordal")
    assert stated_chart(score, BeatClock.from_score(score)) is None
    alone = simple_score([(0, 4, 48), (0, 4, 52), (0, 4, 55)], name="Chords")
    assert stated_chart(alone, BeatClock.from_score(alone)) is None

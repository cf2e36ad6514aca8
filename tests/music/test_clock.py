from __future__ import annotations

import numpy as np
import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st
from strategies import beat_annotations, note_arrays, scores, simple_score

from pianalysis.errors import PianalysisError
from pianalysis.music.clock import MAX_BPM, MIN_BPM, BeatClock, sits_on_grid, snap, tempo_fold
from pianalysis.music.midi import track_notes
from pianalysis.music.notes import make_notes

MOMENTS = st.lists(st.floats(-10_000, 600_000), min_size=1, max_size=30)


def check_inverse(clock, moments):
    np.testing.assert_allclose(clock.to_real(clock.to_clock(moments)), moments, rtol=0, atol=1e-6)
    np.testing.assert_allclose(clock.to_clock(clock.to_real(moments)), moments, rtol=0, atol=1e-6)
    assert (np.diff(clock.to_clock(sorted(moments))) >= 0).all()


@given(scores(), MOMENTS)
def test_real_and_clock_time_are_inverses_for_any_tempo_map(score, moments):
    check_inverse(BeatClock.from_score(score), moments)


@given(beat_annotations(), MOMENTS)
def test_real_and_clock_time_are_inverses_for_any_beats(annotation, moments):
    beats, downbeats, start, end = annotation
    check_inverse(BeatClock.from_beats(beats, downbeats, start_ms=start, end_ms=end), moments)


@given(scores())
def test_notes_come_back_from_the_clock(score):
    clock, notes = BeatClock.from_score(score), track_notes(score, score.tracks)
    again = clock.notes_to_real(clock.notes_to_clock(notes))
    np.testing.assert_array_equal(again["pitch"], notes["pitch"])
    np.testing.assert_allclose(again["onset_ms"], notes["onset_ms"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(again["duration_ms"], notes["duration_ms"], rtol=0, atol=1e-6)


@given(st.floats(1e-3, 1e6))
def test_folded_tempi_are_in_range(bpm):
    fold = tempo_fold(bpm)
    assert MIN_BPM <= bpm * fold <= MAX_BPM
    assert np.log2(fold) == round(np.log2(fold))
    assert fold == 1 or not MIN_BPM <= bpm <= MAX_BPM


def test_the_edges_of_the_range_are_in_it():
    assert tempo_fold(55) == tempo_fold(125) == 1


@pytest.mark.parametrize("stated", [True, False])
def test_at_120_or_without_a_tempo_the_clock_is_real_time(stated):
    score = simple_score([(0, 1, 60), (30, 2, 60)], bpm=120)
    if not stated:
        score.tempos.clear()
    clock = BeatClock.from_score(score)
    assert clock.to_clock([0, 1, 123.4, 16_000, 99_999]).tolist() == pytest.approx([0, 1, 123.4, 16_000, 99_999])
    assert clock.bpm == pytest.approx(120)
    assert clock.time_signature == (4, 4)


@pytest.mark.parametrize(
    ("bpm", "quarter"),
    [
        *((60, 500), (100, 500), (55.1, 500), (54.9, 1000), (124.9, 500), (125.1, 250)),
        *((180, 250), (40, 1000), (20, 2000), (300, 125)),
    ],
)
def test_tempi_are_folded(bpm, quarter):
    clock = BeatClock.from_score(simple_score([(0, 1, 60), (15, 1, 60)], bpm=bpm))
    assert clock.to_clock(60_000 / bpm) == pytest.approx(quarter, rel=1e-4)
    assert clock.bar_lines.tolist() == [4 * quarter * bar for bar in range(5)]
    beats = np.arange(17) * 60_000 / bpm
    annotated = BeatClock.from_beats(beats + 1, np.arange(17) % 4 == 0, start_ms=1, end_ms=float(beats[15]))
    np.testing.assert_allclose(annotated.bar_lines[:-1], clock.bar_lines)  # the last downbeat opens a bar


def test_the_tempo_is_that_of_most_quarters():
    score = simple_score([(0, 40, 60)], bpm=100)
    score.tempos.append(symusic.Tempo(30 * 480, 30))  # ten quarters of ritardando take longer than thirty before
    assert BeatClock.from_score(score).bpm == pytest.approx(100, rel=1e-4)


@pytest.mark.parametrize("bpm", [0, -60, float("nan"), float("inf")])
def test_impossible_tempi_are_refused(bpm):
    with pytest.raises(PianalysisError, match="tempo above 0"):
        tempo_fold(bpm)


LINES = st.lists(st.integers(1, 32), min_size=1, max_size=40).map(lambda bars: np.cumsum([0, *bars]) * 62.5)


@given(note_arrays(), LINES)
def test_snapped_notes_sit_on_the_grid_near_where_they_were(notes, lines):
    snapped = snap(notes, lines)
    for note in snapped:
        line = lines[np.searchsorted(lines, note["onset_ms"] + 1e-6, side="right") - 1]
        inside = note["onset_ms"] - line
        assert min(abs(inside / step - round(inside / step)) for step in (125, 250 / 3)) < 1e-6
        assert np.abs(notes["onset_ms"][notes["pitch"] == note["pitch"]] - note["onset_ms"]).min() <= 62.5 + 1e-6
    assert (snapped["duration_ms"] > 0).all()
    assert len({(round(n["onset_ms"], 3), n["pitch"]) for n in snapped}) == len(snapped)


@given(note_arrays(), LINES, st.data())
def test_what_is_snapped_into_a_bar_never_changes(notes, lines, data):
    """Whatever begins at or after a bar line: so a piece can be given out bar by bar."""
    line = data.draw(st.sampled_from([*lines.tolist()]))
    known, whole = snap(notes[notes["onset_ms"] < line], lines), snap(notes, lines)
    np.testing.assert_array_equal(known[known["onset_ms"] < line], whole[whole["onset_ms"] < line])


def test_a_beat_ends_with_its_bar_by_hand():
    lines = np.array([0.0, 750.0, 1500.0])  # 3/8: beats at 0, 500, 750, 1250
    notes = make_notes(
        [(500, 100, 60, 80), (575, 100, 62, 80), (660, 50, 64, 80), (720, 100, 65, 80), (870, 250, 67, 80)]
    )
    snapped = snap(notes, lines)
    assert snapped["onset_ms"].round(2).tolist() == [500, 583.33, 666.67, 750, 875]
    assert snapped["duration_ms"].round(2).tolist() == [83.33, 83.33, 83.33, 125, 250]


def test_a_melody_on_the_grid_is_known_from_a_played_one():
    onsets = np.arange(20) * 125.0
    lines = np.arange(3) * 2000.0
    written = make_notes((onset, 100, 60, 80) for onset in [*onsets, 500 / 3, 1000 / 3])
    assert sits_on_grid(written, lines)
    assert not sits_on_grid(make_notes((onset + 17 * (n % 3), 100, 60, 80) for n, onset in enumerate(onsets)), lines)
    after_a_pickup = written.copy()  # of a thirty-second
    after_a_pickup["onset_ms"] += 62.5
    assert sits_on_grid(after_a_pickup, np.append(0, lines + 62.5))
    assert not sits_on_grid(after_a_pickup, lines)


def test_a_metre_stated_a_tick_late_holds_from_the_beginning():
    """As abc2midi writes it: otherwise the piece would begin with a bar of a millisecond."""
    score = symusic.Score(480)
    score.time_signatures.append(symusic.TimeSignature(1, 3, 4))
    score.tracks.append(symusic.Track("", 0, False))
    score.tracks[0].notes.extend(symusic.Note(1 + 480 * beat, 479, 60, 80) for beat in range(6))
    clock = BeatClock.from_score(score)
    assert clock.bar_lines[:3].tolist() == [0, 1500, 3000]
    assert clock.time_signature == (3, 4)


def test_a_lead_says_which_grid_fits_in_its_beats():
    triplets = make_notes([(0, 150, 60, 80), (167, 150, 62, 80), (333, 150, 64, 80), (667, 150, 65, 80)])
    lines = np.array([0.0, 2000.0])
    assert snap(triplets, lines, np.array([0.0, 250.0]))["onset_ms"].round(1).tolist() == [0.0, 125.0, 375.0, 666.7]
    assert snap(triplets, lines, np.array([1000.0])).tolist() == snap(triplets, lines).tolist()
    straight = make_notes([(0, 125, 60, 80), (130, 120, 62, 80)])
    assert snap(straight, lines)["onset_ms"].round(1).tolist() == [0.0, 125.0]
    assert snap(straight, lines, np.array([500 / 3]))["onset_ms"].round(1).tolist() == [0.0, 166.7]

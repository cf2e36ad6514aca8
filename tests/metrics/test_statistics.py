from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.metrics.statistics import (
    empty_beat_rate,
    groove_consistency,
    notes_per_beat,
    piece_statistics,
    pitch_class_entropy,
    polyphony,
    scale_consistency,
)
from pianalysis.music.notes import make_notes
from pianalysis.music.timed import score_of_notes

STEP_MS, STEPS_PER_BEAT = 125.0, 4
ROW = st.tuples(st.integers(0, 100), st.integers(0, 20), st.integers(21, 108))
TUNE = make_notes([(0, 500, 60, 80), (500, 250, 64, 80), (500, 250, 67, 80), (2000, 500, 60, 80), (2750, 250, 61, 80)])


def grid_piece(rows):
    return make_notes((onset * STEP_MS, length * STEP_MS, pitch, 80) for onset, length, pitch in rows)


class Music:
    """What MusPy's metrics ask of a `muspy.Music` of one track."""

    resolution = STEPS_PER_BEAT

    def __init__(self, rows):
        notes = [SimpleNamespace(time=onset, end=onset + length, pitch=pitch) for onset, length, pitch in rows]
        end = max(note.end for note in notes)
        self.tracks = [SimpleNamespace(notes=notes, is_drum=False, get_end_time=lambda: end)]


@given(st.lists(ROW, min_size=1, max_size=30))
def test_values_are_those_of_muspy(rows):
    theirs = pytest.importorskip("muspy.metrics", reason="MusPy isn't installed")
    ours, music = grid_piece(rows), Music(rows)
    pairs = [
        (groove_consistency(ours, bar_ms=2000, step_ms=STEP_MS), theirs.groove_consistency(music, 16)),
        (pitch_class_entropy(ours, span_ms=float("inf")), theirs.pitch_class_entropy(music)),
        (scale_consistency(ours), theirs.scale_consistency(music)),
        (polyphony(ours, step_ms=STEP_MS), theirs.polyphony(music)),
        (empty_beat_rate(ours, beat_ms=500), theirs.empty_beat_rate(music)),
    ]
    for value, expected in pairs:
        assert value == pytest.approx(expected, nan_ok=True)


@given(st.lists(ROW, min_size=1, max_size=30), st.integers(1, 11))
def test_transposing_changes_nothing(rows, semitones):
    moved = [(onset, length, pitch + semitones) for onset, length, pitch in rows]
    options = {"bar_ms": 2000, "step_ms": STEP_MS, "beat_ms": 500}
    assert piece_statistics(grid_piece(moved), **options) == pytest.approx(
        piece_statistics(grid_piece(rows), **options), nan_ok=True
    )


def test_groove_by_hand():
    # Onsets at sixteenths 0 and 4, then 0 and 6: two of 16 differ. The last end, 3,000, is in the second bar.
    assert groove_consistency(TUNE, bar_ms=2000, step_ms=125) == 1 - 2 / 16
    # One second a bar: 0 and 4 / none / 0 and 6 / none (the last end, 3,000, opens a bar as in MusPy)
    assert groove_consistency(TUNE, bar_ms=1000, step_ms=125) == 1 - (2 + 2 + 2) / (8 * 3)
    assert np.isnan(groove_consistency(TUNE[:1], bar_ms=2000, step_ms=125))


def test_entropy_by_hand():
    # Three pitch classes, then two; over both bars 60 twice of five.
    assert pitch_class_entropy(TUNE, span_ms=2000) == pytest.approx((np.log2(3) + 1) / 2)
    whole = -(2 / 5 * np.log2(2 / 5) + 3 * 1 / 5 * np.log2(1 / 5))
    assert pitch_class_entropy(TUNE, span_ms=8000) == pytest.approx(whole)
    assert pitch_class_entropy(TUNE[:1], span_ms=2000) == 0


def test_bars_without_notes_do_not_count_towards_entropy():
    assert pitch_class_entropy(make_notes([(0, 9, 60, 80), (0, 9, 62, 80), (9_000, 9, 60, 80)]), span_ms=1000) == 0.5


def test_scale_polyphony_empty_beats_and_density_by_hand():
    assert scale_consistency(TUNE) == 4 / 5  # C E G are in C major, C sharp is not; nor does a scale have all four
    # Steps: 4 of one key, 2 of two, 4 of one, 2 of one
    assert polyphony(TUNE, step_ms=125) == 14 / 12
    # Beats 0, 1 (twice), 4 and the next, in which the fourth note ends, 5 and the next: of 0 to 6 beats 2 and 3 are empty
    assert empty_beat_rate(TUNE, beat_ms=500) == 2 / 7
    assert notes_per_beat(TUNE, beat_ms=500, length_ms=4000) == 5 / 8


@pytest.mark.parametrize(
    ("pitches", "expected"),
    [
        ([60, 62, 64, 65, 67, 69, 71], 1),
        ([57, 59, 60, 62, 64, 65, 67], 1),
        ([57, 59, 60, 62, 64, 65, 68], 6 / 7),
        (range(60, 72), 7 / 12),
    ],
    ids=["C major", "A minor", "A minor with G sharp", "all"],
)
def test_scales(pitches, expected):
    assert scale_consistency(make_notes((0, 9, pitch, 80) for pitch in pitches)) == expected


def test_of_nothing_all_is_nan():
    values = piece_statistics(make_notes(), bar_ms=2000, step_ms=125, beat_ms=500)
    assert np.isnan(list(values.values())).all()
    assert np.isnan(polyphony(make_notes([(0, 0, 60, 80)]), step_ms=125))


@given(st.sampled_from([60, 90, 120]), st.sampled_from([(4, 4), (3, 4), (6, 8)]))
def test_statistics_of_a_score_are_those_of_its_notes_in_any_unit(bpm, metre):
    quarter_ms = 60_000 / bpm
    real = TUNE.copy()
    for field in ("onset_ms", "duration_ms"):
        real[field] *= quarter_ms / 500
    bar_ms = metre[0] * 4 / metre[1] * quarter_ms
    values = piece_statistics(real, beat_ms=quarter_ms, bar_ms=bar_ms)
    assert piece_statistics(score_of_notes(real, beats_ms=quarter_ms, metre=metre)) == pytest.approx(values)
    on_clock = piece_statistics(TUNE, beat_ms=500, bar_ms=metre[0] * 4 / metre[1] * 500, step_ms=125)
    assert on_clock == pytest.approx(values)


def test_an_array_alone_has_no_beats():
    with pytest.raises(PianalysisError, match=r"found an array alone; give a path or a symusic\.Score, or beat_ms"):
        piece_statistics(TUNE)

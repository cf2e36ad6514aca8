from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays

from pianalysis.metrics.harmony import CONSONANCE, clash_rate, coupling, pitch_consonance_score
from pianalysis.metrics.seams import SeamContrast, seam_contrast
from pianalysis.music.notes import make_notes

PCS = partial(pitch_consonance_score, step_ms=125)
C_LINE = make_notes([(0, 1000, 60, 80), (1000, 1000, 64, 80)])
NO_NOTES = make_notes()


def pcs_by_loops(melody, accompaniment, step_ms):
    intervals, time = [], 0.5 * step_ms
    while time < max(note["onset_ms"] + note["duration_ms"] for note in melody):
        for above in melody:
            for below in accompaniment:
                if all(note["onset_ms"] <= time < note["onset_ms"] + note["duration_ms"] for note in (above, below)):
                    intervals.append((int(above["pitch"]) - int(below["pitch"])) % 12)
        time += step_ms
    return np.mean(CONSONANCE[intervals]) if intervals else np.nan


@given(note_arrays(6).filter(len), note_arrays(6))
def test_pcs_is_what_loops_over_steps_and_notes_give(melody, accompaniment):
    expected = pcs_by_loops(melody, accompaniment, 1_000)
    assert pitch_consonance_score(melody, accompaniment, step_ms=1_000) == pytest.approx(expected, nan_ok=True)


def moved(notes, *, semitones=0, ms=0.0):
    notes = notes.copy()
    notes["pitch"] += semitones
    notes["onset_ms"] += ms
    return notes


@given(note_arrays(8), note_arrays(8), st.integers(0, 12))
def test_transposing_both_and_octaves_below_change_nothing(melody, below, semitones):
    for metric in (PCS, clash_rate):
        value = metric(melody, below)
        assert metric(moved(melody, semitones=semitones), moved(below, semitones=semitones)) == pytest.approx(
            value, nan_ok=True
        )
        assert metric(melody, moved(below, semitones=12)) == pytest.approx(value, nan_ok=True)


@given(note_arrays(8), note_arrays(8))
def test_clash_rate_is_a_share_and_a_doubled_melody_never_clashes(melody, below):
    value = clash_rate(melody, below)
    assert np.isnan(value) == (not (melody["onset_ms"] + melody["duration_ms"] > melody["onset_ms"]).any())
    if not np.isnan(value):
        assert 0 <= value <= 1
        assert clash_rate(melody, melody) == 0


def test_clash_rate_by_hand():
    # Against C: C sharp for 300 ms, of which C is doubled for 100. Against E: F for 400 ms, then D sharp for 100.
    below = make_notes([(100, 300, 49, 80), (300, 100, 48, 80), (1000, 400, 53, 80), (1400, 100, 75, 80)])
    assert clash_rate(C_LINE, below) == pytest.approx((200 + 500) / 2000)


def test_b_and_c_are_a_semitone_apart_too():
    assert clash_rate(make_notes([(0, 500, 60, 80)]), make_notes([(0, 500, 59, 80)])) == 1
    assert clash_rate(make_notes([(0, 500, 59, 80)]), make_notes([(250, 250, 72, 80)])) == 0.5


def test_what_is_not_defined():
    assert np.isnan(clash_rate(NO_NOTES, C_LINE))
    assert clash_rate(C_LINE, NO_NOTES) == 0
    assert np.isnan(coupling(PCS, C_LINE, C_LINE, NO_NOTES))


def test_coupling_is_the_difference_to_another_accompaniment():
    true, other = make_notes([(0, 2000, 48, 80)]), make_notes([(0, 1000, 55, 80), (1000, 1000, 50, 80)])
    # C and E over C: 1 and 1. C over G is a fourth, 0; E over D a second, -1.
    assert coupling(PCS, C_LINE, true, other) == pytest.approx(1 - (0 - 1) / 2)


def test_seams_by_hand():
    # Four beats of 500 ms, a joint at 1,000: beats 2 and 3 are near it. There C sharp (-1), elsewhere C (1).
    melody = make_notes([(0, 2000, 60, 80)])
    rows = [(0, 500, 48, 80), (500, 500, 49, 80), (999, 250, 49, 80), (1250, 250, 49, 80), (1500, 500, 48, 80)]
    assert seam_contrast(melody, make_notes(rows), [1000.0], beat_ms=500) == SeamContrast(-1, 1, 1.5, 1)


def test_a_note_just_before_the_last_inner_beat_is_inside():
    melody = make_notes([(0, 2000, 60, 80)])
    result = seam_contrast(melody, make_notes([(1499, 100, 48, 80)]), [1000.0], beat_ms=500)
    assert (result.density_near, result.density_inside) == (0, 0.5)


def test_without_joints_all_is_inside():
    result = seam_contrast(C_LINE, C_LINE, [], beat_ms=500)
    assert np.isnan([result.pcs_near, result.density_near]).all()
    assert result.pcs_inside == PCS(C_LINE, C_LINE)
    assert result.density_inside == 2 / 4
    assert np.isnan(seam_contrast(NO_NOTES, C_LINE, [0.0], beat_ms=500).density_inside)

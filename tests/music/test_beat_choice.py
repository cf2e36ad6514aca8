from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.music.beat_choice import (
    CHOICE_WEIGHTS,
    WEIGHTS_WITH_OTHERS,
    beats_of_voice,
    choice_features,
    heard_beats,
    others_of,
)
from pianalysis.music.beat_hearing import bundled_beats
from pianalysis.music.notes import make_notes, sort_notes
from pianalysis.music.tracking import Beats, beat_candidates, distinct_onsets, heard_at

FIRST = [64, 64, 65, 67, 67, 65, 64, 62, 60, 60, 62, 64]
ODE = [*FIRST, 64, 62, 62, *FIRST, 62, 60, 60]
LENGTHS = ([1] * 12 + [1.5, 0.5, 2]) * 2
PLACES = np.concatenate([[0], np.cumsum(LENGTHS)[:-1]])


def ode(bpm=93.0, start_ms=400.0, pitch=0, jitter_ms=15.0, seed=1):
    """Ode to Joy as it is played, and its quarters."""
    quarter = 60_000 / bpm
    onsets = start_ms + PLACES * quarter + np.random.default_rng(seed).normal(0, jitter_ms, len(PLACES))
    notes = make_notes(
        (onset, length * 0.9 * quarter, key + pitch, 80)
        for onset, length, key in zip(onsets, LENGTHS, ODE, strict=True)
    )
    notes = notes[np.argsort(notes["onset_ms"])]
    return notes, start_ms + np.arange(33) * quarter


@settings(deadline=None, max_examples=10)
@given(st.floats(75, 110), st.integers(0, 1000))
def test_a_tune_in_quarters_is_heard_in_them(bpm, seed):
    notes, quarters = ode(bpm, seed=seed)
    beats = beats_of_voice(notes["onset_ms"].astype(float), notes)
    away = np.abs(quarters[:, None] - beats.times_ms[None, :]).min(axis=1)
    assert np.mean(away < 70) > 0.9
    assert np.median(np.diff(beats.times_ms)) == pytest.approx(60_000 / bpm, rel=0.06)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 60_000), st.sampled_from([-12, 12]))
def test_another_time_or_octave_moves_the_beats_along(start_ms, pitch):
    near, far = (ode(start_ms=400.0)[0], ode(start_ms=400.0 + start_ms, pitch=pitch)[0])
    first, second = (beats_of_voice(notes["onset_ms"].astype(float), notes) for notes in (near, far))
    assert first.division == second.division
    assert second.times_ms - start_ms == pytest.approx(first.times_ms, abs=11)  # a bin of 10 ms, as rounding has it


def test_a_voice_says_that_beats_are_not_between_the_true_ones():
    notes, quarters = ode(jitter_ms=0)
    quarter = quarters[1] - quarters[0]
    true, between = Beats(quarters, 2, 0.0), Beats(quarters - quarter / 2, 2, 0.0)
    nothing = notes[:0]
    right, wrong = heard_beats(notes, true, nothing), heard_beats(notes, between, nothing)
    assert (right > wrong).all()
    assert (right <= 0).all()
    onsets = notes["onset_ms"].astype(float)
    heard = heard_at(bundled_beats().heard(notes), onsets)
    assert len(choice_features(onsets, notes, true, heard, nothing)) == len(CHOICE_WEIGHTS) == len(WEIGHTS_WITH_OTHERS)


def test_a_bass_beside_a_voice_is_written_on_the_same_beats():
    """A bass on every second quarter says where bars are; notes that aren't the voice's are told from it."""
    notes, quarters = ode(jitter_ms=10)
    bass = make_notes((time + 5.0, 500.0, 36 + 7 * (number % 2), 80) for number, time in enumerate(quarters[:-1:2]))
    together = sort_notes(np.concatenate([notes, bass]))
    assert np.array_equal(others_of(notes, together), bass)
    beats = beats_of_voice(distinct_onsets(together), notes, notes=together)
    assert np.mean(np.abs(quarters[:, None] - beats.times_ms[None, :]).min(axis=1) < 70) > 0.9
    true, between = Beats(quarters, 2, 0.0), Beats(quarters - (quarters[1] - quarters[0]) / 2, 2, 0.0)
    assert (heard_beats(notes, true, bass) > heard_beats(notes, between, bass)).all()


def test_a_tempo_that_is_given_is_kept():
    notes, _ = ode()
    onsets = notes["onset_ms"].astype(float)
    periods = [float(np.median(np.diff(beats.times_ms))) for beats in beat_candidates(onsets, bpm=46.5)]
    assert len(periods) == 3  # in two, in three, and between those in two
    assert all(60_000 / 46.5 / 1.25 < period < 60_000 / 46.5 * 1.25 for period in periods)


def test_few_notes_are_refused():
    notes, _ = ode()
    with pytest.raises(PianalysisError, match="expected 4 notes or more"):
        beats_of_voice(notes["onset_ms"][:3].astype(float), notes[:3])

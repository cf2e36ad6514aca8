from __future__ import annotations

import numpy as np
import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays, simple_score

from pianalysis.harmony.harmoniser import harmonise
from pianalysis.harmony.key_areas import KeyAreas
from pianalysis.harmony.symbols import Chord
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import track_notes

HALF = [64, 64, 65, 67, 67, 65, 64, 62, 60, 60, 62, 64, 64, 62, 62, 62]
"""Four bars of Ode to Joy in C."""


def in_two_keys(semitones, fifths):
    score = simple_score([(n, 1, p + semitones * (n > 15)) for n, p in enumerate(HALF * 2)])
    score.key_signatures.extend([symusic.KeySignature(0, 0, 0), symusic.KeySignature(16 * 480, fifths, 0)])
    return score


areas = st.lists(st.tuples(st.floats(0, 60_000), st.integers(-6, 5)), min_size=1, max_size=5).map(
    lambda rows: KeyAreas(tuple(sorted(start for start, _ in rows)), (0, *(move for _, move in rows[1:])))
)


@given(areas, note_arrays())
def test_back_is_the_inverse(keys, notes):
    times = notes["onset_ms"]
    chords = tuple(Chord(int(pitch) % 12) for pitch in notes["pitch"])
    assert keys.back(keys.chords_in_one_key(chords, times), times) == chords
    moved = keys.in_one_key(notes)["pitch"].astype(int) - notes["pitch"]
    assert np.abs(moved).max(initial=0) <= 6


@pytest.mark.parametrize(("semitones", "fifths"), [(3, -3), (1, -5), (2, 2), (-5, 1), (6, 6)])
def test_each_area_is_harmonised_in_its_own_key(semitones, fifths):
    score = in_two_keys(semitones, fifths)
    clock = BeatClock.from_score(score)
    keys, melody = KeyAreas.of(score, clock), clock.notes_to_clock(track_notes(score, score.tracks))
    found = harmonise(melody, clock, "pop", keys=keys)
    scale = {0, 2, 4, 5, 7, 9, 11}
    tones = [
        (tone - semitones * (beat > 15)) % 12
        for beat, chord in enumerate(found.chart.chords)
        if chord
        for tone in chord.pitch_classes
    ]
    assert np.mean([tone in scale for tone in tones]) > 0.9
    for beat in (0, 16):
        chosen = found.chart.chords[beat]
        best = found.alternatives(beat)[0]
        assert best.chord.root == chosen.root
        assert found.probabilities[beat] == pytest.approx(best.probability, abs=1e-6)


def test_one_key_is_no_areas():
    score = in_two_keys(0, 0)
    assert KeyAreas.of(score, BeatClock.from_score(score)) is None

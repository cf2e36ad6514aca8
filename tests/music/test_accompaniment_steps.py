from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.music.accompaniment_steps import BEFORE_AND_AFTER, BESIDE, accompaniment_channels

NOTE = st.tuples(st.integers(-8, 60), st.integers(1, 20), st.integers(21, 108), st.integers(1, 127))


def channels(notes, total=64):
    notes = sorted(notes)
    start, length, pitch, velocity = (np.array(column, np.int64) for column in zip(*notes, strict=True))
    return accompaniment_channels(start, start + length, pitch, velocity, total)


@settings(deadline=None, max_examples=30)
@given(st.lists(NOTE, min_size=1, max_size=30), st.integers(-5, 5))
def test_another_key_sounds_the_same_but_for_how_low_it_is(notes, semitones):
    moved = [(start, length, pitch + semitones, velocity) for start, length, pitch, velocity in notes]
    first, second = channels(notes), channels(moved)
    for channel in set(range(BESIDE)) - {5}:
        assert np.allclose(first[:, channel], second[:, channel], atol=1e-5)
    assert np.isfinite(first).all()
    assert np.abs(first).max() < 4


def test_without_notes_nothing_is_heard():
    nothing = np.zeros(0, np.int64)
    assert not accompaniment_channels(nothing, nothing, nothing, nothing, 10).any()


def test_chords_change_where_they_do_and_basses_are_lower_than_what_is_around():
    bars = [(36, 60, 64, 67), (41, 60, 65, 69), (43, 59, 62, 67), (36, 60, 64, 67)]
    notes = [
        (16 * bar + 4 * beat, 4, pitch, 80)
        for bar, (bass, *above) in enumerate(bars)
        for beat in range(4)
        for pitch in ((bass,) if beat == 0 else above)
    ]
    heard = channels(notes)
    assert np.flatnonzero(heard[:, 7]).tolist() == [0, 16, 32, 48]
    widest = 7 + len(BEFORE_AND_AFTER)
    assert heard[[16, 32, 48], widest].min() > heard[[24, 40, 56], widest].max()

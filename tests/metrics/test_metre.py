from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from strategies import note_arrays

from pianalysis.metrics.metre import NEAR_MS, bass_on_downbeat
from pianalysis.music.notes import make_notes

WALTZ = [0, 1_500, 3_000, 4_500]


@given(note_arrays())
def test_it_is_a_share(notes):
    found = bass_on_downbeat(notes, np.arange(0, 20_000, 1_500))
    assert np.isnan(found) or 0 <= found <= 1


def test_by_hand():
    oom_pah_pah = make_notes([(0, 500, 48, 64), (500, 500, 60, 64), (1_000, 500, 60, 64)])
    assert bass_on_downbeat(oom_pah_pah, WALTZ) == 1  # bars without a note don't count
    later = make_notes([(0, 500, 60, 64), (500, 500, 48, 64), (1_500, 500, 43, 64), (2_000, 500, 43, 64)])
    assert bass_on_downbeat(later, WALTZ) == 0.5  # the lowest key again later is no fault
    assert bass_on_downbeat(make_notes([(1_500 - NEAR_MS / 2, 500, 48, 64)]), WALTZ) == 1  # a little early
    assert bass_on_downbeat(make_notes([(1_500 + 2 * NEAR_MS, 500, 48, 64)]), WALTZ) == 0
    assert np.isnan(bass_on_downbeat(make_notes(), WALTZ))


@pytest.mark.parametrize("bars", [1, 4])
def test_in_four_across_a_waltz_it_is_half(bars):
    four = make_notes([(2_000 * bar, 2_000, 40, 64) for bar in range(3 * bars)])
    everywhere = make_notes([(500 * beat, 500, 60, 64) for beat in range(12 * bars)])
    notes = np.concatenate([four, everywhere])
    assert (
        bass_on_downbeat(notes, np.arange(0, 6_000 * bars + 1, 1_500.0)) == 0.5
    )  # every fourth bar has no bass at all

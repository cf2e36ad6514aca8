"""Simple, balanced and rich charts: their words keep what they say, and what is fixed stays."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from conftest import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st
from strategies import note_arrays

from pianalysis.arranging.pieces import prepare
from pianalysis.errors import PianalysisError
from pianalysis.harmony.beats import beat_grid, clock_beats
from pianalysis.harmony.chart import Chart
from pianalysis.harmony.harmoniser import harmonise
from pianalysis.harmony.richness import OWN_DOMINANTS, PLAIN, RICHNESS, SEVENTHS
from pianalysis.harmony.symbols import NO_CHORD

SOURCES = [prepare(path, None, None) for path in sorted(EXAMPLES.glob("*.mid"))]


@given(note_arrays(max_size=12), st.sampled_from(["pop", "classical", "hymn"]), st.integers(0, 3))
def test_a_simple_chart_has_the_keys_plain_chords_in_root_position(notes, style, seed):
    found = harmonise(notes, beat_grid([0, 2000, 4000, 6000], (4, 4)), style, harmony="simple", seed=seed)
    chords = {chord.transposed(found.shift) for chord in found.chart.chords if chord != NO_CHORD}
    assert {chord.symbol() for chord in chords} <= set(PLAIN)


def test_simple_has_fewer_chords_than_balanced_and_rich_more_sevenths_and_secondary_dominants():
    changes, sevenths, secondary = (np.zeros(len(RICHNESS)) for _ in range(3))
    for place, richness in enumerate(RICHNESS):
        for source in SOURCES:
            found = harmonise(source.voice, source.clock, "classical", harmony=richness)
            chords = [chord for span in found.chart.spans if (chord := span.chord) and chord != NO_CHORD]
            changes[place] += len(chords)
            sevenths[place] += sum(chord.quality in SEVENTHS for chord in chords)
            moved = [chord.transposed(found.shift) for chord in chords]
            secondary[place] += sum(
                first.quality == "7" and first.root not in OWN_DOMINANTS and (second.root - first.root) % 12 == 5
                for first, second in pairwise(moved)
            )
    assert changes[0] < 0.8 * changes[1]
    assert changes[1] < 0.9 * changes[2]
    assert sevenths[2] > 1.5 * sevenths[1]
    assert secondary[0] == 0
    assert secondary[2] > 1.5 * secondary[1]


@pytest.mark.parametrize("richness", RICHNESS)
def test_what_is_fixed_stays_however_simple_the_rest(richness):
    source = SOURCES[0]
    beats = clock_beats(source.clock)
    lines = source.clock.bar_lines
    text = " | ".join(["Abm7", "F#dim7/C", *["?"] * (len(lines) - 3)])
    fixed = Chart.from_text(text, bar_lines=lines, beats=beats.borders_ms)
    chart = harmonise(source.voice, beats, fixed=fixed, harmony=richness).chart
    assert chart.between(float(lines[0]), float(lines[2])) == fixed.between(float(lines[0]), float(lines[2]))
    assert not chart.gaps


def test_another_word_is_refused():
    with pytest.raises(PianalysisError, match=r"simple.*found 'jazz'"):
        harmonise(SOURCES[0].voice, SOURCES[0].clock, harmony="jazz")

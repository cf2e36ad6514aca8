from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from pianalysis.errors import PianalysisError
from pianalysis.music.downbeats import (
    EVEN_BARS,
    METRES,
    STEPS,
    WEIGHTS_FILE,
    Downbeats,
    Part,
    bundled_downbeats,
    has_even_bars,
    heard_channels,
    readings,
)
from pianalysis.music.notes import make_notes

BARS = st.sampled_from([bar for bar, _ in METRES.values()])


@given(st.integers(0, 400), BARS, st.data())
def test_a_bar_more_makes_even_odd(last, bar, data):
    pickup = data.draw(st.integers(0, min(bar - 1, last)))
    assert has_even_bars(last, bar, pickup) != has_even_bars(last + bar, bar, pickup)
    assert has_even_bars(last, bar, pickup) == has_even_bars(last + 2 * bar, bar, pickup)


@pytest.mark.parametrize(
    ("last", "bar", "pickup", "even"),
    [
        (31, 16, 0, True),  # the last note in the second bar of 4/4
        (32, 16, 0, False),  # on the third bar's line
        (35, 16, 4, True),  # an upbeat of a quarter and two bars
        (36, 16, 4, False),
        (3, 16, 4, False),  # no full bar at all
    ],
)
def test_bars_are_counted_to_that_of_the_last_note(last, bar, pickup, even):
    assert has_even_bars(last, bar, pickup) == even


def tune(steps, seed):
    """A tune in rising steps of a quarter, and its onsets and ends in quarters."""
    generator = np.random.default_rng(seed)
    starts = np.cumsum([0, *steps[:-1]]) / STEPS
    quarters = np.stack([starts, starts + np.array(steps) / STEPS])
    pitches = 60 + generator.integers(0, 12, len(steps))
    return make_notes((500 * start, 400, pitch, 80) for start, pitch in zip(starts, pitches, strict=True)), quarters


@settings(deadline=None, max_examples=15)
@given(st.lists(st.sampled_from([2, 4, 6, 8]), min_size=12, max_size=40), st.integers(0, 99))
def test_readings_are_those_of_the_network_but_for_even_bars(steps, seed):
    notes, quarters = tune(steps, seed)
    found = readings(notes, quarters)
    assert sum(reading.probability for reading in found) == pytest.approx(1)
    assert len(found) == sum(bar for bar, _ in METRES.values())
    scores, _ = bundled_downbeats().said(heard_channels(Part(notes, quarters))[0])
    last = round(quarters[0, -1] * STEPS)

    def plain(reading):
        step = round(reading.pickup * STEPS)
        even = has_even_bars(last, METRES[reading.metre][0], step)
        return np.log(reading.probability) - EVEN_BARS * even - scores[reading.metre][step]

    first = plain(found[0])
    assert all(plain(reading) == pytest.approx(first, abs=1e-6) for reading in found[:20])


def test_what_they_say_together_is_the_mean_of_what_each_says():
    downbeats = bundled_downbeats()
    channels, _ = heard_channels(Part(*tune([4, 4, 2, 2, 4, 8] * 4, 1)))
    each = [net.said(channels) for net in downbeats.nets]
    assert len(each) > 1
    scores, logits = downbeats.said(channels)
    for metre, found in scores.items():
        expected = sum(said[metre] for said, _ in each) / len(each) / downbeats.temperature
        assert found == pytest.approx(expected, rel=1e-6)
    assert logits == pytest.approx(sum(begins for _, begins in each) / len(each), rel=1e-5, abs=1e-5)


def test_weights_of_other_networks_are_refused(tmp_path):
    weights = load_file(WEIGHTS_FILE)
    name = next(name for name in weights if name.endswith("enter.weight"))
    save_file({**weights, name: weights[name][:, 1:].copy()}, tmp_path / "other.safetensors")
    with pytest.raises(
        PianalysisError, match="expected weights for 51 channels and 9 outputs, found 50 and 9, 51 and 9"
    ):
        Downbeats.load(tmp_path / "other.safetensors")
    save_file({"temperature": weights["temperature"]}, tmp_path / "none.safetensors")
    with pytest.raises(PianalysisError, match="found none; train them again"):
        Downbeats.load(tmp_path / "none.safetensors")

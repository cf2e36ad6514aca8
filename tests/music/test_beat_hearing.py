from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pianalysis.errors import PianalysisError
from pianalysis.music.beat_hearing import PERIODS_MS, BeatNet, bundled_beats, event_features, events_of
from pianalysis.music.convolution import convolved
from pianalysis.music.notes import make_notes


def quarters(bpm=90.0, count=32):
    """A scale up and down in quarters."""
    scale = [60, 62, 64, 65, 67, 69, 71, 72, 71, 69, 67, 65, 64, 62]
    length = 60_000 / bpm
    return make_notes((500 + place * length, 0.9 * length, scale[place % 14], 80) for place in range(count))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 100_000), st.integers(0, 1_000))
def test_when_notes_begin_says_nothing_only_how_far_apart(later_ms, seed):
    order = np.random.default_rng(seed).permutation(32)
    notes = quarters()
    moved = notes[order].copy()
    moved["onset_ms"] += later_ms
    first, second = (bundled_beats().heard(item) for item in (notes, moved))
    assert np.allclose(first.places, second.places, atol=1e-3)
    assert np.allclose(second.onset_ms - first.onset_ms, later_ms)


def test_what_is_heard_are_probabilities():
    heard = bundled_beats().heard(quarters())
    assert np.exp(heard.places).sum(axis=1) == pytest.approx(np.ones(32))
    assert np.exp(heard.periods).sum(axis=1) == pytest.approx(np.ones(32))
    assert heard.periods.shape == (32, len(PERIODS_MS))


def test_quarters_are_on_the_beat():
    assert np.median(np.exp(bundled_beats().heard(quarters()).places[:, 0])) > 0.6


def test_notes_that_begin_together_are_one_event():
    events = events_of(make_notes([(0, 400, 60, 70), (12, 900, 48, 90), (500, 300, 64, 80)]))
    assert events.onset_ms.tolist() == [0, 500]
    assert events.top.tolist() == [60, 64]
    assert events.low.tolist() == [48, 64]
    assert events.length_ms.tolist() == [900, 300]
    assert events.count.tolist() == [2, 1]
    assert events.velocity.tolist() == [90, 80]
    assert len(event_features(events_of(make_notes()))) == 0


def test_a_convolution_is_numpys_for_one_channel():
    generator = np.random.default_rng(3)
    rows, kernel = (
        generator.normal(size=(20, 1)).astype(np.float32),
        generator.normal(size=(1, 1, 3)).astype(np.float32),
    )
    apart = np.zeros(5)
    apart[::2] = kernel[0, 0]
    expected = np.convolve(rows[:, 0], apart[::-1], "same") + 0.5
    assert convolved(rows, kernel, np.array([0.5], np.float32), 2)[:, 0] == pytest.approx(expected, abs=1e-5)


def test_weights_of_another_network_are_refused(tmp_path):
    from safetensors.numpy import save_file

    path = tmp_path / "other.safetensors"
    save_file({"enter.weight": np.zeros((4, 3, 5), np.float16)}, path)
    with pytest.raises(PianalysisError, match="expected weights for"):
        BeatNet.load(path)

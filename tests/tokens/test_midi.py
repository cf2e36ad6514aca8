"""MIDI to ids and ids to MIDI, one call each."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st
from strategies import windows

from pianalysis import tokens
from pianalysis.music.clock import BeatClock
from pianalysis.music.midi import track_notes
from pianalysis.tokens.tokenizer import TokenError, decode, encode


@given(windows(), st.sampled_from([60.0, 90.0, 120.0]))
def test_a_window_as_midi_has_its_notes_where_they_are(window, bpm):
    score = tokens.to_midi(encode(window), bpm=bpm)
    clock = BeatClock.from_score(score)
    for track, notes in zip(score.tracks, (window.melody, window.below), strict=True):
        found = clock.notes_to_clock(track_notes(score, [track])) if len(track.notes) else notes[:0]
        order = np.lexsort((notes["duration_ms"], notes["pitch"], notes["onset_ms"]))
        np.testing.assert_allclose(found["onset_ms"], notes["onset_ms"][order], atol=1.1)
        np.testing.assert_array_equal(found["pitch"], notes["pitch"][order])


def test_a_file_is_its_windows_in_turn():
    made = tokens.from_midi(EXAMPLES / "ode_to_joy.mid")
    assert made
    assert made == tokens.from_midi((EXAMPLES / "ode_to_joy.mid").read_bytes())
    assert [note for ids in made for note in decode(ids).melody["pitch"].tolist()][:4] == [76, 76, 77, 79]
    assert decode(tokens.from_midi(EXAMPLES / "ode_to_joy.mid", style="classical")[0]).style == "classical"


def test_ids_that_are_no_window_are_refused():
    with pytest.raises(TokenError):
        tokens.to_midi([1, 8, 6, 3, 900, 2])


def test_a_room_has_only_what_it_says():
    with pytest.raises(AttributeError, match="no attribute"):
        tokens.no_such_thing  # noqa: B018

"""Under a soprano three voices are struck, by the rules, whatever the model prefers."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import EXAMPLES
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.arranging.arranger import Arranger
from pianalysis.model.gpt2 import make_model
from pianalysis.music.notes import make_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.four_parts import RANGES, Place, four_parts, last_chord, parallels, voicings
from pianalysis.tokens.grammar import Limits, state_after
from pianalysis.tokens.tokenizer import ChordTones, decode_notes

TUNES = ["silent_night", "amazing_grace", "irish_washerwoman", "sakura"]
BEATS = np.arange(0, 16_001, 500.0)


def place(soprano, bass, tones, *, begins=True, coming_from=0):
    return Place(vocab.time_id(0), vocab.duration_id(500), soprano, coming_from, bass, tones, begins)


@st.composite
def hymns(draw):
    """A melody in quarters and eighths, and chords that begin on beats."""
    lengths = draw(st.lists(st.sampled_from([250, 500, 1_000]), min_size=1, max_size=20))
    starts = np.cumsum([0, *lengths[:-1]]).tolist()
    pitches = [draw(st.integers(55, 84)) for _ in lengths]
    melody = make_notes(zip(map(float, starts), map(float, lengths), pitches, [80] * len(lengths), strict=True))
    times = sorted({0, *draw(st.lists(st.sampled_from(range(0, starts[-1] + 1, 500)), max_size=8))})
    chords = []
    for time in times:
        root, shape = draw(st.integers(0, 11)), draw(st.sampled_from([(0, 4, 7), (0, 3, 7), (0, 4, 7, 10), (0, 3, 6)]))
        tones = tuple(sorted((root + step) % 12 for step in shape))
        chords.append(ChordTones(time, draw(st.sampled_from(tones)), tones))
    return melody, tuple(chords)


@given(hymns(), st.integers(0, 2**32 - 1), st.integers(-6, 5))
def test_whatever_is_drawn_is_three_voices_of_the_chord_under_the_soprano(hymn, seed, shift):
    melody, chords = hymn
    prompt = [vocab.BOS, vocab.STYLES["hymn"], vocab.DENSITIES["mid"], vocab.SEP]
    state = four_parts(state_after(prompt, Limits(length_ms=16_000)), melody, chords, BEATS, shift=shift)
    places, generator, ids = state.places, np.random.default_rng(seed), []
    while True:
        token = int(generator.choice([token for span in state.spans() for token in span]))
        if token == vocab.EOS:
            break
        ids.append(token)
        state = state.advance(token)
    notes = decode_notes(ids, loud=True)
    assert len(places) >= len(chords)  # each chord is struck where it begins
    assert sorted({*notes["onset_ms"].tolist()}) == [vocab.time_ms(item.time) for item in places]
    before = ()
    for item in places:
        keys = tuple(notes["pitch"][notes["onset_ms"] == vocab.time_ms(item.time)].tolist())
        assert 1 <= len(keys) <= 3
        assert len(keys) == 3 or item.soprano < RANGES[2][0] + shift
        assert all(key % 12 in (item.bass, *item.tones) for key in keys)
        assert all(low < high for low, high in zip(keys, (*keys[1:], item.soprano or 200), strict=True))
        if item.begins:
            assert keys[0] % 12 == item.bass or len(keys) < 3
        possible = voicings(item, before, shift, vocab.LOWEST_PITCH, vocab.HIGHEST_PITCH)
        assert keys in possible
        if before and len(before) == 4 and len(keys) == 3 and item.soprano:
            clean = [voices for voices in possible if not parallels(before, (*voices, item.soprano))]
            assert not clean or keys in clean
        before = (*keys, item.soprano)


def test_the_first_chord_by_hand():
    c_major = place(72, 0, (0, 4, 7))
    found = voicings(c_major, (), 0, 21, 108)
    assert (48, 55, 64) in found
    assert (48, 60, 64) in found
    assert (48, 52, 55) not in found  # from the alto up to the soprano more than an octave
    assert (48, 55, 67) not in found  # no third
    assert (52, 60, 67) not in found  # not on its bass
    assert all(keys[-1] < 72 for keys in found)
    after = voicings(place(74, 2, (2, 5, 9)), (48, 60, 67, 72), 0, 21, 108)  # D minor: not all up a step
    assert (50, 62, 69) not in after
    assert after


def test_under_a_low_soprano_there_are_fewer_voices():
    assert {len(keys) for keys in voicings(place(32, 0, (0, 4, 7)), (), 0, 21, 108)} == {2}
    assert voicings(place(29, 0, (0, 4, 7)), (), 0, 21, 108) == ((28,),)
    assert voicings(place(28, 0, (0, 4, 7)), (), 0, 21, 108) == ()


def test_short_notes_off_the_beat_move_alone():
    melody = make_notes([(0, 500, 72, 80), (500, 250, 74, 80), (750, 250, 76, 80), (1_000, 1_000, 77, 80)])
    state = state_after([vocab.BOS, vocab.STYLES["hymn"], vocab.DENSITIES["mid"], vocab.SEP], Limits(length_ms=2_000))
    places = four_parts(state, melody, (ChordTones(0, 0, (0, 4, 7)), ChordTones(1_000, 5, (0, 5, 9))), BEATS).places
    assert [vocab.time_ms(item.time) for item in places] == [0, 500, 1_000]
    assert [vocab.duration_ms(item.duration) for item in places] == [500, 500, 1_000]
    assert [item.begins for item in places] == [True, False, True]
    assert [(item.coming_from, item.soprano) for item in places] == [(0, 72), (72, 74), (76, 77)]


def test_what_was_struck_last_by_hand():
    below = make_notes([(0, 500, 48, 80), (500, 500, 55, 80), (500, 500, 43, 80)])
    assert last_chord(below, make_notes([(0, 750, 72, 80)])) == (43, 55, 72)
    assert last_chord(below, make_notes([(0, 250, 72, 80)])) == (43, 55, 0)
    assert last_chord(make_notes(), make_notes([(0, 250, 72, 80)])) == ()


@pytest.mark.parametrize("tune", TUNES)
def test_hymns_are_in_four_parts_from_beginning_to_end(tune):
    model = make_model("tiny", seed=0).eval()
    model.config.plays_chords = model.config.normalises_key = True
    piece = Arranger(model)(EXAMPLES / f"{tune}.mid", style="hymn", max_bars=24)
    below = piece.source.clock.notes_to_clock(piece.accompaniment)
    onsets, counts = np.unique(below["onset_ms"].round(), return_counts=True)
    assert len(onsets) >= 24
    assert (counts == 3).all()
    ends = below["onset_ms"] + below["duration_ms"]
    for onset in onsets:
        assert ((below["onset_ms"] <= onset + 1) & (ends > onset + 2)).sum() == 3  # the ones before have ended

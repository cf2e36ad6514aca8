"""Fixed notes are all in what is written, whatever the model would rather say."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import EXAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st
from test_rewriting import FREE, is_playable, rows

from pianalysis.errors import PianalysisError
from pianalysis.model.engine import Engine
from pianalysis.model.reference import ReferenceEngine
from pianalysis.model.sampling import Job, Sampling
from pianalysis.music.hands import split_hands
from pianalysis.music.notes import make_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.forcing import forced
from pianalysis.tokens.grammar import Limits, end_for_later, state_after
from pianalysis.tokens.tokenizer import ChordTones, decode_notes, encode_chords, encode_melody, quantize

PROMPT = encode_melody(make_notes((500 * step, 500, 60 + step % 7, 96) for step in range(8)))
LIMITS = {"first_ms": 1_000, "length_ms": 6_000, "rest_ms": 1_000}
row = st.tuples(st.integers(40, 239).map(lambda step: 25 * step), st.sampled_from(vocab.DURATIONS_MS))
fixed_notes = st.lists(st.tuples(row, st.integers(21, 108)), max_size=12).map(
    lambda found: quantize(make_notes((*place, pitch, 64) for place, pitch in found))
)


def job(fixed, seed, **limits):
    state = forced(state_after(PROMPT, Limits(**LIMITS | limits)), fixed)
    return Job(PROMPT, state, Sampling(1.0, 0, 1.0), np.random.default_rng(seed))


def written(engine, asked):
    return [*engine.continue_prompt(asked.prompt, asked.state, asked.sampling, asked.generator)]


@given(fixed_notes, st.integers(0, 9), st.booleans())
@settings(max_examples=40)
def test_the_fixed_notes_are_all_there_and_it_decodes(tiny_model, fixed, seed, narrow):
    limits = {"lowest": 60, "highest": 72} if narrow else {}
    ids = written(Engine(tiny_model), job(fixed, seed, **limits))
    notes = decode_notes(ids, loud=True)
    found = {(onset, length, pitch) for onset, length, pitch, _ in notes.tolist()}
    wanted = {(onset, length, pitch) for onset, length, pitch, _ in fixed.tolist()}
    assert wanted <= found
    assert all(not narrow or 60 <= pitch <= 72 for _, _, pitch in found - wanted)


@given(fixed_notes, st.integers(0, 9))
@settings(max_examples=20)
def test_the_fixed_notes_are_there_beside_chords(tiny_model, fixed, seed):
    prompt = [*PROMPT, *encode_chords([ChordTones(0, 0, (0, 4, 7)), ChordTones(1_500)]), vocab.SEP]
    state = forced(state_after(prompt, Limits(**LIMITS), chords=True), fixed)
    ids = written(Engine(tiny_model), Job(prompt, state, Sampling(1.0, 0, 1.0), np.random.default_rng(seed)))
    found = {row[:3] for row in decode_notes(ids, loud=True).tolist()}
    assert {row[:3] for row in fixed.tolist()} <= found


@given(fixed_notes, st.integers(0, 9), st.sampled_from([72, 108]))
@settings(max_examples=40)
def test_over_a_left_hand_that_is_fixed_the_rest_is_one_hands(tiny_model, fixed, seed, highest):
    fixed = fixed[fixed["pitch"] < 60]
    limits = Limits(**LIMITS, highest=highest, downbeats=(1_000, 3_000, 5_000))
    state = forced(state_after(PROMPT, limits), fixed, floors=[(0, 60), (3_000, 64)], free_ms=-9_000)
    ids = written(Engine(tiny_model), Job(PROMPT, state, Sampling(1.0, 0, 1.0), np.random.default_rng(seed)))
    rows = {row[:3] for row in decode_notes(ids, loud=True).tolist()}
    left = {row[:3] for row in fixed.tolist()}
    assert left <= rows
    by_onset = {}
    for onset, _, pitch in rows - left:
        assert (60 if onset < 3_000 else 64) <= pitch <= highest
        by_onset.setdefault(onset, []).append(pitch)
    assert all(len(keys) <= 5 and max(keys) - min(keys) <= 19 for keys in by_onset.values())
    if 1_000 in fixed["onset_ms"]:  # after so long a rest the free hand strikes on the bar line
        assert 1_000 in by_onset


@given(fixed_notes, st.integers(0, 9))
@settings(max_examples=20)
def test_where_the_room_is_short_the_fixed_notes_come_first(tiny_model, fixed, seed):
    engine = Engine(tiny_model)
    engine.max_length = len(PROMPT) + 4 * len(fixed) + 25
    found = {row[:3] for row in decode_notes(written(engine, job(fixed, seed, rest_ms=16_000)), loud=True).tolist()}
    assert {row[:3] for row in fixed.tolist()} <= found


@pytest.mark.parametrize("seed", range(4))
def test_the_engine_writes_what_the_plain_loop_writes(tiny_model, seed):
    fixed = make_notes((1_000 + 400 * step, 500, 40 + 5 * (step % 3), 64) for step in range(8))
    one, other = (written(engine, job(fixed, seed)) for engine in (Engine(tiny_model), ReferenceEngine(tiny_model)))
    assert one == other
    assert len(one) > 40


def test_what_leads_past_a_fixed_note_counts_as_it():
    """By hand: chances of 0.2 before the note's time, 0.3 at it, 0.4 after it, 0.1 of the end; then of pitches."""
    state = forced(state_after(PROMPT, Limits(length_ms=4_000)), make_notes([(1_000, 500, 48, 64)]))
    logits = np.full(vocab.VOCAB_SIZE, -np.inf, np.float32)
    for token, chance in {
        vocab.time_id(500): 0.2,
        vocab.time_id(1_000): 0.3,
        vocab.time_id(3_000): 0.4,
        vocab.EOS: 0.1,
    }.items():
        logits[token] = np.log(chance)
    assert np.exp(end_for_later(logits, state)[vocab.time_id(1_000)]) == pytest.approx(0.8)
    state = state.advance(vocab.time_id(1_000)).advance(15)
    logits[:] = -np.inf
    logits[[40, 48, 60]] = np.log([0.5, 0.2, 0.3])
    assert np.exp(end_for_later(logits, state)[48]) == pytest.approx(0.5)
    assert not state.allowed()[49:].any()
    assert state.advance(48).spans() == [range(vocab.duration_id(500), vocab.duration_id(500) + 1)]
    with pytest.raises(PianalysisError, match="found PITCH_60"):
        state.advance(60)


@pytest.fixture(scope="module", params=["random", "trained"])
def with_piece(request, tiny_arranger, small_arranger):
    """An arranger and a piece of its own."""
    arranger, options = (small_arranger, None) if request.param == "trained" else (tiny_arranger, FREE)
    return arranger, arranger(EXAMPLES / "greensleeves.mid", seed=2, options=options, max_bars=8)


@pytest.mark.parametrize("keep", ["left", "right"])
def test_the_hand_that_is_kept_is_kept(with_piece, keep):
    arranger, piece = with_piece
    new = arranger.regenerate(piece, (3, 6), seed=1, keep=keep)
    stream = arranger.stream_regenerated(piece, (3, 6), seed=1, keep=keep)
    for _ in stream:
        pass
    assert stream.piece.score.dumps_midi() == new.score.dumps_midi()
    mask = split_hands(piece.accompaniment) == (keep == "right")
    in_order = sorted(rows(piece), key=lambda row: (row[0], row[2]))
    kept = {row for row, stays in zip(in_order, mask, strict=True) if stays}
    assert kept <= set(rows(new))
    assert rows(new, 3, 6, inside=False) == rows(piece, 3, 6, inside=False)
    fresh = set(rows(new, 3, 6)) - kept
    assert fresh
    assert fresh != set(rows(piece, 3, 6)) - kept
    assert all(pitch >= 53 if keep == "left" else pitch <= 62 for _, _, pitch, _ in fresh)
    assert is_playable(new)


def test_no_keys_for_the_other_hand_is_said(tiny_arranger):
    piece = tiny_arranger(EXAMPLES / "ode_to_joy.mid", max_bars=4, options=FREE)
    with pytest.raises(PianalysisError, match="beside the left one"):
        tiny_arranger.regenerate(piece, (1, 4), keep="left", highest=50)

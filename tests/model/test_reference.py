from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import lead_sheets, windows
from transformers import LogitsProcessorList

from pianalysis.errors import PianalysisError
from pianalysis.model.reference import (
    Engine,
    GrammarLogitsProcessor,
    GrammarState,
    Sampling,
    closing,
    draw,
    end_for_later,
    state_after,
)
from pianalysis.music.notes import make_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import Limits, highest_in_reach
from pianalysis.tokens.tokenizer import (
    ChordTones,
    WindowNotes,
    decode,
    decode_chords,
    encode,
    encode_accompaniment,
    encode_chords,
    encode_melody,
    encode_prompt,
)

MELODY = make_notes([(0, 500, 72, 96), (500, 1000, 74, 96), (4000, 250, 60, 96)])
PROMPT = encode_melody(MELODY)


def sample(engine, seed, *, prompt=PROMPT, sampling=None, bias=None, **limits):
    state = state_after(prompt, Limits(**limits))
    ids = engine.continue_prompt(prompt, state, sampling or Sampling(), np.random.default_rng(seed), bias)
    return [*prompt, *ids, vocab.EOS]


@pytest.fixture(scope="module")
def engine(tiny_model):
    return Engine(tiny_model)


@pytest.mark.parametrize("block", range(10))
def test_every_sampled_sequence_decodes_inside_the_window(engine, block):
    for seed in range(block * 30, block * 30 + 30):
        length = [1_500, 3_000, 16_000][seed % 3]
        window = decode(sample(engine, seed, length_ms=length, sampling=Sampling(temperature=1.0, top_k=0, top_p=1.0)))
        np.testing.assert_array_equal(window.melody, MELODY)
        assert (window.accompaniment["onset_ms"] < length).all()


@pytest.mark.parametrize("seed", range(20))
def test_no_rest_is_longer_than_allowed(engine, seed):
    sampling = Sampling(temperature=1.0, top_k=0, top_p=1.0)
    window = decode(sample(engine, seed, first_ms=1_000, rest_ms=500, length_ms=6_000, sampling=sampling))
    onsets = [1_000, *window.accompaniment["onset_ms"], 6_000]
    assert np.diff(onsets).max() <= 500


def test_a_rest_that_began_before_the_window_counts():
    state = state_after(PROMPT, Limits(rest_ms=500, waited_ms=400, first_ms=1_000))
    times = [vocab.time_ms(token) for token in np.flatnonzero(state.allowed()) if token in vocab.TIME_IDS]
    assert (times[0], times[-1]) == (1_000, 1_100)
    assert not state.allowed()[vocab.EOS]
    after = state.advance(vocab.time_id(1_100)).advance(15).advance(60).advance(vocab.duration_id(500))
    assert max(vocab.time_ms(token) for token in np.flatnonzero(after.allowed()) if token in vocab.TIME_IDS) == 1_600


@given(st.integers(0, 10_000))
@settings(max_examples=30)
def test_history_stays_and_new_notes_lie_beyond_it(engine, seed):
    history = make_notes([(0, 500, 48, 64), (500, 500, 52, 64), (500, 500, 55, 64)])
    prompt = PROMPT + encode_accompaniment(history)
    window = decode(sample(engine, seed, prompt=prompt, first_ms=2_000, length_ms=4_000))
    np.testing.assert_array_equal(window.accompaniment[:3], history)
    new = window.accompaniment["onset_ms"][3:]
    assert ((new >= 2_000) & (new < 4_000)).all()


def test_one_seed_one_sequence(engine):
    assert sample(engine, 7) == sample(engine, 7)
    assert len({tuple(sample(engine, seed)) for seed in range(5)}) == 5


def test_a_full_window_is_closed_and_still_decodes(tiny_model):
    engine = Engine(tiny_model)
    engine.max_length = len(PROMPT) + 20
    sampling = Sampling(temperature=1.0, top_k=0, top_p=1.0)
    lengths = set()
    for seed in range(40):
        ids = sample(engine, seed, sampling=sampling)
        decode(ids)
        lengths.add(len(ids))
        assert len(ids) <= engine.max_length
    assert max(lengths) > engine.max_length - 8  # the limit was really met


def test_a_prompt_without_room_is_refused(tiny_model):
    engine = Engine(tiny_model)
    engine.max_length = len(PROMPT) + 4
    with pytest.raises(PianalysisError, match="fewer bars"):
        sample(engine, 0)


def test_plain_generate_with_the_processor_decodes(tiny_model):
    torch.manual_seed(0)
    prompt = torch.tensor([PROMPT] * 6)
    processor = GrammarLogitsProcessor(max_length=300, limits=Limits(length_ms=4_000))
    run = partial(tiny_model.generate, do_sample=True, max_length=300, attention_mask=torch.ones_like(prompt))
    for ids in run(prompt, logits_processor=LogitsProcessorList([processor])).tolist():
        window = decode(ids[: ids.index(vocab.EOS) + 1])
        assert (window.accompaniment["onset_ms"] < 4_000).all()
        assert set(ids[ids.index(vocab.EOS) + 1 :]) <= {vocab.PAD}


@pytest.mark.parametrize("bias", [None, np.random.default_rng(0).normal(0, 2, (2, 640, 88)).astype(np.float32)])
def test_engine_equals_plain_generate_when_greedy(tiny_model, bias):
    prompt = torch.tensor([PROMPT])
    processor = GrammarLogitsProcessor(max_length=120, pitch_bias=bias)
    expected = tiny_model.generate(
        prompt, do_sample=False, max_length=120, logits_processor=[processor], attention_mask=torch.ones_like(prompt)
    )[0].tolist()
    engine = Engine(tiny_model)
    engine.max_length = 120
    assert sample(engine, 0, sampling=Sampling(top_k=1), bias=bias) == expected


def test_the_grammar_allows_exactly_what_can_follow():
    names = lambda state: {vocab.TOKENS[token].split("_")[0] for token in np.flatnonzero(state.allowed())}  # noqa: E731
    state = state_after(PROMPT)
    assert names(state) == {"TIME", "<eos>"}
    state = state.advance(vocab.time_id(15_975))
    assert names(state) == {"NOTE"}
    assert int(state.allowed().sum()) == len(vocab.DYNAMIC_IDS)
    state = state.advance(vocab.DYNAMIC_IDS[3])
    assert np.flatnonzero(state.allowed()).tolist() == list(vocab.PITCH_IDS)
    state = state.advance(107)
    assert names(state) == {"DURATION"}
    state = state.advance(vocab.duration_id(500))
    assert names(state) == {"NOTE", "<eos>"}  # no later time is left
    state = state.advance(vocab.DYNAMIC_IDS[0])
    assert np.flatnonzero(state.allowed()).tolist() == [108]
    state = state.advance(108).advance(vocab.duration_id(25))
    assert np.flatnonzero(state.allowed()).tolist() == [vocab.EOS]


def test_the_melody_is_one_voice():
    state = state_after(PROMPT[:-1])
    assert set(np.flatnonzero(state.allowed())) == {vocab.SEP, *range(vocab.time_id(4_025), vocab.TIME_IDS.stop)}


def test_never_sampled_tokens_are_never_allowed():
    never = [vocab.PAD, vocab.BOS, vocab.UNK, vocab.NOTE_OFF]
    state = GrammarState(expects="style", loud=False)
    ids = encode(WindowNotes(MELODY, MELODY))
    for token in ids[1:]:
        assert not state.allowed()[never].any()
        state = state.advance(token)
    assert not state.allowed().any()


@given(st.one_of(windows(), lead_sheets()))
def test_the_grammar_walks_windows_of_every_form(window):
    ids, chords = encode(window), window.chords is not None
    state = state_after(ids, chords=chords)
    assert (state.expects, state.loud) == ("time" if window.accompaniment is None else "end", True)
    if window.accompaniment is None:
        assert state.end_token == vocab.EOS
    with pytest.raises(PianalysisError, match="expected"):
        state_after(ids, chords=not chords)


def random_window(generator, state, ids, *, room):
    """A sequence to its ``<eos>`` by logits that are new at each step, in which every kind of token has its turn."""
    while state.expects != "end":
        logits = generator.normal(0, 3, vocab.VOCAB_SIZE).astype(np.float32)
        logits[list(vocab.TIME_IDS)] -= 3 + np.arange(len(vocab.TIME_IDS), dtype=np.float32) / 40
        mask = closing(state, state.allowed(), room - len(ids))
        token = draw(end_for_later(logits, state), mask, Sampling(1.0, 0, 1.0), generator)
        state = state.advance(token)
        ids = [*ids, token]
    return ids


@given(st.integers(0, 2**32 - 1), st.sampled_from([1_500, 3_000, 16_000]), st.sampled_from([24, 60, 400]))
def test_every_random_sequence_with_chords_decodes_inside_the_window(seed, length, room):
    start = GrammarState(expects="style", chords=True, loud=False, limits=Limits(length_ms=length))
    ids = random_window(np.random.default_rng(seed), start, [vocab.BOS], room=room)
    window = decode(ids)
    assert len(ids) <= room
    assert encode(window) == ids
    assert window.chords is not None
    assert all(chord.onset_ms < length for chord in window.chords)
    assert (window.melody["onset_ms"] < length).all()
    assert (window.accompaniment["onset_ms"] < length).all()


def test_random_chords_are_of_every_kind():
    state = state_after(PROMPT, chords=True)
    drawn = [decode(random_window(np.random.default_rng(seed), state, PROMPT, room=600)).chords for seed in range(60)]
    chords = [chord for window in drawn for chord in window]
    assert {len(chord.tones) for chord in chords} >= {0, 1, 2, 3, 4, 5}
    assert {chord.bass for chord in chords} == {-1, *range(12)}
    assert () in drawn


def test_the_grammar_of_the_chords_by_hand():
    names = lambda state: {vocab.TOKENS[token] for token in np.flatnonzero(state.allowed())}  # noqa: E731
    state = state_after(PROMPT, Limits(length_ms=4_000), chords=True)
    assert (names(state), state.end_token, state.loud) == ({"<sep>", "TIME_0"}, vocab.SEP, False)
    state = state.advance(vocab.time_id(0))
    assert names(state) == {"NOTE_OFF", *(f"PITCH_{pitch}" for pitch in range(36, 48))}
    assert names(state.advance(vocab.NOTE_OFF)) == {"<sep>", *(f"TIME_{ms}" for ms in range(25, 4_000, 25))}
    state = state.advance(47)
    assert names(state) == {f"PITCH_{pitch}" for pitch in range(60, 72)}
    state = state.advance(70)
    assert names(state) == {"<sep>", "PITCH_71", *(f"TIME_{ms}" for ms in range(25, 4_000, 25))}
    assert names(state.advance(71)) == {"<sep>", *(f"TIME_{ms}" for ms in range(25, 4_000, 25))}
    state = state.advance(vocab.SEP)
    assert (state.expects, state.loud, state.end_token) == ("time", True, vocab.EOS)
    assert names(state) >= {"<eos>", "TIME_0"}


def test_chords_after_a_history_lie_beyond_it():
    prompt = [*PROMPT, *encode_chords([ChordTones(0, 0, (0, 4))])]
    state = state_after(prompt, Limits(first_ms=2_000, length_ms=2_050), chords=True)
    assert np.flatnonzero(state.allowed()).tolist() == [vocab.SEP, vocab.time_id(2_000), vocab.time_id(2_025)]


def test_a_later_chord_than_the_window_has_ends_the_chords():
    prompt = [*PROMPT, *encode_chords([ChordTones(0, 0, (0, 4, 7))])]
    state = state_after(prompt, Limits(length_ms=2_000), chords=True)
    logits = np.full(vocab.VOCAB_SIZE, -np.inf, np.float32)
    logits[[vocab.SEP, vocab.time_id(1_000), vocab.time_id(3_000)]] = np.log([0.1, 0.5, 0.4])
    assert np.exp(end_for_later(logits, state)[vocab.SEP]) == pytest.approx(0.5)


def test_the_engine_writes_chords_then_what_stands_on_them(engine):
    sampling = Sampling(temperature=1.0, top_k=0, top_p=1.0)
    found = []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        state = state_after(PROMPT, chords=True)
        chords = decode_chords([*engine.continue_prompt(PROMPT, state, sampling, generator)])
        prompt = encode_prompt(MELODY, chords)
        state = state_after(prompt, Limits(length_ms=4_000), chords=True)
        window = decode([*prompt, *engine.continue_prompt(prompt, state, sampling, generator), vocab.EOS])
        assert window.chords == chords
        found += chords
    assert len(found) > 40


def test_plain_generate_writes_the_chords_too(tiny_model):
    torch.manual_seed(0)
    prompt = torch.tensor([PROMPT] * 8)
    processor = GrammarLogitsProcessor(max_length=300, chords=True, limits=Limits(length_ms=4_000))
    run = partial(tiny_model.generate, do_sample=True, max_length=300, attention_mask=torch.ones_like(prompt))
    windows_written = [
        decode(ids[: ids.index(vocab.EOS) + 1])
        for ids in run(prompt, logits_processor=LogitsProcessorList([processor])).tolist()
    ]
    assert all(window.chords is not None for window in windows_written)
    assert any(window.chords for window in windows_written)


def test_broken_prompts_are_refused():
    with pytest.raises(PianalysisError, match="<bos>"):
        state_after([60])
    with pytest.raises(PianalysisError, match="PITCH_60"):
        state_after([*PROMPT, 60])


def test_closing_leaves_room_for_the_end():
    state = state_after(PROMPT)
    assert closing(state, state.allowed(), 100)[vocab.time_id(0)]
    assert np.flatnonzero(closing(state, state.allowed(), 5)).tolist() == [vocab.EOS]
    unfinished = state.advance(vocab.time_id(0))
    assert np.flatnonzero(closing(unfinished, unfinished.allowed(), 4)).tolist() == list(vocab.DYNAMIC_IDS)


def test_draw_by_hand():
    mask = np.zeros(vocab.VOCAB_SIZE, dtype=bool)
    mask[[33, 35, 39]] = True
    logits = np.full(vocab.VOCAB_SIZE, 99.0, dtype=np.float32)
    logits[[33, 35, 39]] = np.log([0.2, 0.5, 0.3])
    draws = lambda **how: [draw(logits, mask, Sampling(**how), np.random.default_rng(s)) for s in range(2_000)]  # noqa: E731
    plain = draws(temperature=1.0, top_k=0, top_p=1.0)
    assert set(plain) == {33, 35, 39}
    assert plain.count(35) / 2_000 == pytest.approx(0.5, abs=0.04)
    assert set(draws(temperature=1.0, top_k=2, top_p=1.0)) == {35, 39}
    assert set(draws(temperature=1.0, top_k=0, top_p=0.5)) == {35}
    assert set(draws(temperature=1.0, top_k=0, top_p=0.51)) == {35, 39}
    assert set(draws(temperature=0.01, top_k=0, top_p=1.0)) == {35}


@pytest.mark.parametrize("bad", [{"temperature": 0}, {"temperature": -1}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.1}])
def test_bad_sampling_options_are_refused(bad):
    with pytest.raises(PianalysisError, match="expected"):
        Sampling(**bad)


def test_what_would_come_after_the_window_ends_it():
    """In a window of two seconds a wish for 3 s or 4 s is a wish to end; by hand: 0.1 + 0.3 + 0.2 of the chance."""
    logits = np.full(vocab.VOCAB_SIZE, -np.inf, np.float32)
    chances = {vocab.time_id(1_500): 0.2, vocab.time_id(3_000): 0.3, vocab.time_id(4_000): 0.2, vocab.EOS: 0.1, 15: 0.2}
    for token, chance in chances.items():
        logits[token] = np.log(chance)
    state = state_after([*PROMPT, vocab.time_id(0), 15, 60, vocab.duration_id(500)], Limits(length_ms=2_000))
    assert np.exp(end_for_later(logits, state)[vocab.EOS]) == pytest.approx(0.6)
    assert end_for_later(logits, replace(state, limits=replace(state.limits, length_ms=vocab.WINDOW_MS))) is logits
    assert end_for_later(logits, replace(state, expects="pitch")) is logits
    scores = GrammarLogitsProcessor(limits=Limits(length_ms=2_000))(
        torch.tensor([[*PROMPT, vocab.time_id(0), 15, 60, vocab.duration_id(500)]]), torch.tensor(logits[None])
    )
    assert scores[0].exp()[vocab.EOS].item() == pytest.approx(0.6)
    assert scores[0, vocab.time_id(3_000)] == -torch.inf


def playable(pitches):
    """Whether some split of a rising chord gives each hand at most five keys of a twelfth."""
    return any(
        all(len(part) <= 5 and (not len(part) or part[-1] - part[0] <= 19) for part in (pitches[:cut], pitches[cut:]))
        for cut in range(len(pitches) + 1)
    )


@given(st.lists(st.integers(21, 108), min_size=1, max_size=11, unique=True).map(sorted))
def test_a_key_is_in_reach_where_some_split_says_so(pitches):
    for count in range(1, len(pitches)):
        if not playable(pitches[:count]):
            break
        fits = [pitch for pitch in range(pitches[count - 1] + 1, 109) if playable([*pitches[:count], pitch])]
        assert fits == [*range(pitches[count - 1] + 1, min(highest_in_reach(pitches[:count]), 108) + 1)]


@pytest.mark.parametrize("seed", range(20))
def test_every_chord_is_for_two_hands(engine, seed):
    sampling = Sampling(temperature=1.5, top_k=0, top_p=1.0)
    notes = decode(sample(engine, seed, length_ms=4_000, two_hands=True, sampling=sampling)).accompaniment
    chords = [notes["pitch"][notes["onset_ms"] == onset].tolist() for onset in np.unique(notes["onset_ms"])]
    assert all(map(playable, chords))

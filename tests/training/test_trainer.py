from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from easy_music import window_row, write_windows
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import chord_parts, lead_sheets, windows

from pianalysis.dataset.rows import load_windows
from pianalysis.model.gpt2 import make_model
from pianalysis.music.notes import make_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.tokenizer import ChordTones, WindowNotes, decode, decode_chords, encode, encode_chords
from pianalysis.training.batches import BucketSampler, WindowCollator, change_tempo, transpose_ids, with_lengths
from pianalysis.training.likelihood import token_losses
from pianalysis.training.optimizers import MuonWithAdamW, make_optimizer


@given(st.lists(st.sampled_from([*vocab.PITCH_IDS, 129, 12, 750]), min_size=1), st.integers(-6, 5))
def test_transposition_moves_all_pitches_alike_and_stays_on_the_piano(ids, semitones):
    ids = torch.tensor(ids)
    moved = transpose_ids(ids, semitones)
    pitched = (ids >= 21) & (ids <= 108)
    assert torch.equal(moved[~pitched], ids[~pitched])
    shifts = (moved - ids)[pitched]
    assert len(shifts.unique()) <= 1
    assert moved[pitched].numel() == 0 or (moved[pitched].min() >= 21 and moved[pitched].max() <= 108)
    if pitched.any() and ids[pitched].min() >= 27 and ids[pitched].max() <= 103:
        assert (shifts == semitones).all()


def moved_window(window, semitones):
    """A window transposed, back from its ids."""
    return decode(transpose_ids(torch.tensor(encode(window)), semitones).tolist())


def pitches(window):
    return [*window.melody["pitch"].tolist(), *window.below["pitch"].tolist()]


@given(st.one_of(windows(), lead_sheets()), st.integers(-6, 5))
def test_transposition_and_back_is_the_identity(window, semitones):
    if not all(21 <= pitch + semitones <= 108 for pitch in pitches(window)):
        return
    moved = moved_window(window, semitones)
    assert pitches(moved) == [pitch + semitones for pitch in pitches(window)]
    assert encode(moved_window(moved, -semitones)) == encode(window)


@given(chord_parts(), st.integers(-6, 5))
def test_chords_move_by_pitch_class(chords, semitones):
    ids = [vocab.SEP, *encode_chords(chords), vocab.SEP]
    moved = decode_chords(transpose_ids(torch.tensor(ids), semitones).tolist()[1:-1])
    for before, after in zip(chords, moved, strict=True):
        assert after.onset_ms == before.onset_ms
        assert set(after.tones) == {(tone + semitones) % 12 for tone in before.tones}
        assert after.bass == (-1 if before.bass < 0 else (before.bass + semitones) % 12)


def test_chords_go_as_far_as_the_notes_where_the_keyboard_ends():
    window = WindowNotes(make_notes(), make_notes([(0, 500, 23, 64)]), chords=(ChordTones(0, 0, (0, 4, 7)),))
    assert moved_window(window, -5).chords == (ChordTones(0, 10, (2, 5, 10)),)


def test_transposed_windows_still_decode():
    collator = WindowCollator(transpose="random", tempo_share=0.3)
    row = window_row(np.random.default_rng(1)) | {"row": 7}
    tonics = set()
    for epoch in range(200):
        ids = collator([row], epoch)["input_ids"][0].tolist()
        assert ids == collator([row], epoch)["input_ids"][0].tolist()
        window = decode(ids[: ids.index(vocab.EOS) + 1])
        tonics.add(int(window.melody["pitch"][0]))
        assert (window.melody["pitch"] - window.accompaniment["pitch"] == 7).all()
    assert len(tonics) == 12


def test_a_piece_is_moved_to_its_key():
    row = window_row(np.random.default_rng(1)) | {"key_shift": -3}
    moved, plain = (WindowCollator(transpose=how)([row])["input_ids"][0] for how in ("key", "none"))
    pitched = (plain >= 21) & (plain <= 108)
    assert torch.equal(moved[pitched], plain[pitched] - 3)
    assert torch.equal(moved[~pitched], plain[~pitched])


@given(windows())
@settings(max_examples=40)
def test_half_the_tempo_can_be_undone_and_both_decode(window):
    slow = decode(change_tempo(encode(window), 2.0))
    fast = decode(change_tempo(encode(window), 0.5))
    for given_notes, slower in ((window.melody, slow.melody), (window.accompaniment, slow.accompaniment)):
        early = given_notes[given_notes["onset_ms"] < vocab.WINDOW_MS / 2]
        np.testing.assert_array_equal(slower["onset_ms"], early["onset_ms"] * 2)
        np.testing.assert_array_equal(slower["pitch"], early["pitch"])
    again = decode(change_tempo(encode(slow), 0.5))
    np.testing.assert_array_equal(again.melody["onset_ms"] * 2, slow.melody["onset_ms"])
    assert (fast.accompaniment["onset_ms"] <= vocab.WINDOW_MS / 2).all()


@given(st.one_of(windows(chords=True), lead_sheets()))
def test_chords_go_along_with_the_tempo(window):
    slow, fast = (decode(change_tempo(encode(window), factor)) for factor in (2.0, 0.5))
    early = [chord for chord in window.chords if chord.onset_ms < vocab.WINDOW_MS / 2]
    assert slow.chords == tuple(replace(chord, onset_ms=2 * chord.onset_ms) for chord in early)
    assert decode(change_tempo(encode(slow), 0.5)).chords == tuple(early)
    assert [chord.onset_ms for chord in fast.chords[:1]] in ([], [0])
    assert (fast.chords[-1:], slow.accompaniment is None) == (
        tuple(replace(chord, onset_ms=fast.chords[-1].onset_ms) for chord in window.chords[-1:]),
        window.accompaniment is None,
    )


def test_tempo_by_hand():
    ids = encode(decode([1, 8, 6, vocab.time_id(500), 10, 60, vocab.duration_id(500), 3, 2]))
    assert change_tempo(ids, 2.0)[3:7] == [vocab.time_id(1_000), 10, 60, vocab.duration_id(1_000)]
    assert change_tempo(ids, 0.5)[3:7] == [vocab.time_id(250), 10, 60, vocab.duration_id(250)]


def test_collator_by_hand():
    rows = [
        {"input_ids": [1, 8, 6, 3, 109, 12, 60, 750, 2], "target_start": 4, "seconds": 1.0},
        {"input_ids": [1, 8, 6, 3, 2], "target_start": 4, "seconds": 2.0},
    ]
    batch = WindowCollator(melody_weight=0.25)(rows)
    assert batch["input_ids"].shape == (2, 16)
    assert batch["weights"][0, :10].tolist() == [0, 0.25, 0.25, 0.25, 1, 1, 1, 1, 1, 0]
    assert batch["weights"][1, :6].tolist() == [0, 0.25, 0.25, 0.25, 1, 0]
    assert batch["target"][1, :6].tolist() == [0, 0, 0, 0, 1, 0]
    assert batch["notes"].tolist() == [1, 0]
    assert batch["seconds"].tolist() == [1, 2]
    assert WindowCollator(max_length=6)(rows)["input_ids"].tolist()[0] == [1, 8, 6, 3, 109, 12]
    assert WindowCollator(max_length=3, melody_weight=0.5)(rows)["weights"].tolist()[0] == [0, 0.5, 0.5]


def test_collator_with_chords_by_hand():
    chords = [109, 36, 60, 64, 150, 11]
    rows = [
        {"input_ids": [1, 8, 6, 3, *chords, 3, 109, 12, 60, 750, 2], "seconds": 1.0},
        {"input_ids": [1, 8, 6, 3, *chords, 3], "seconds": 2.0},
        {"input_ids": [1, 8, 6, 3, 3, 2], "seconds": 3.0},
    ]
    batch = WindowCollator(melody_weight=0.25)(rows)
    assert batch["weights"][0].tolist() == [0, 0.25, 0.25, 0.25, *[1] * 12]
    assert batch["target"][0].tolist() == [*[0] * 11, 1, 1, 1, 1, 1]
    assert batch["weights"][1].tolist() == [0, 0.25, 0, 0.25, *[1] * 7, *[0] * 5]
    assert not batch["target"][1].any()
    assert batch["weights"][2, :7].tolist() == [0, 0.25, 0.25, 0.25, 1, 1, 0]
    assert batch["target"][2, :7].tolist() == [0, 0, 0, 0, 0, 1, 0]
    assert (batch["notes"].tolist(), batch["seconds"].tolist()) == ([1, 0, 0], [1, 0, 3])
    for length in range(1, 16):  # cut anywhere, no chord is taken for an accompaniment
        cut = WindowCollator(max_length=length, melody_weight=0.25)(rows)
        for name in ("weights", "target"):
            assert torch.equal(
                cut[name], batch[name][:, : cut[name].shape[1]] * (torch.arange(cut[name].shape[1]) < length)
            )


@given(st.lists(st.integers(5, 2_000), min_size=1, max_size=400), st.integers(1, 16), st.integers(0, 3))
def test_every_row_comes_once_an_epoch_in_batches_of_like_lengths(lengths, batch_size, epoch):
    sampler = BucketSampler(lengths, batch_size, seed=1)
    sampler.set_epoch(epoch)
    order = list(sampler)
    assert sorted(order) == list(range(len(lengths)))
    assert order == list(sampler)


def test_batches_hold_like_lengths():
    lengths = np.random.default_rng(0).integers(5, 2_000, 800)
    sampler = BucketSampler(lengths, 8, seed=1)
    order = np.array(list(sampler))
    spread = np.mean([np.ptp(lengths[order[start : start + 8]]) for start in range(0, 800, 8)])
    assert spread < np.ptp(lengths) / 10
    sampler.set_epoch(1)
    assert list(sampler) != order.tolist()


def test_token_losses_are_those_of_the_model(tiny_model):
    ids = torch.tensor([window_row(np.random.default_rng(2))["input_ids"]])
    with torch.no_grad():
        expected = tiny_model(input_ids=ids, labels=ids).loss
        assert token_losses(tiny_model, ids).mean().item() == pytest.approx(expected.item(), rel=1e-5)


def test_lengths_are_added(tmp_path):
    rows = with_lengths(load_windows(write_windows(tmp_path), "train"))
    assert rows["length"] == [len(ids) for ids in rows["input_ids"]]


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_an_optimizer_goes_on_from_its_saved_state(name):
    ids = torch.tensor([window_row(np.random.default_rng(3))["input_ids"]])

    def train(model, optimizer, steps):
        for _ in range(steps):
            token_losses(model, ids).mean().backward()
            optimizer.step()
            optimizer.zero_grad()

    model = make_model("tiny")
    optimizer = make_optimizer(model, name, 1e-3, 0.1)
    train(model, optimizer, 3)
    resumed = make_model("tiny")
    resumed.load_state_dict(model.state_dict())
    again = make_optimizer(resumed, name, 1e-3, 0.1)
    again.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    train(model, optimizer, 2)
    train(resumed, again, 2)
    for one, other in zip(model.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_muon_takes_the_matrices_of_the_blocks_only():
    model = make_model("tiny")
    optimizer = make_optimizer(model, "muon", 1e-3, 0.1)
    assert isinstance(optimizer, MuonWithAdamW)
    matrices, others = (group["params"] for group in optimizer.param_groups)
    assert all(parameter.ndim == 2 for parameter in matrices)
    assert len(matrices) == 4 * 2
    assert len(matrices) + len(others) == len(list(model.parameters()))

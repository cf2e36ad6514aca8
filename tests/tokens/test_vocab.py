from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.model.hf_tokenizer import make_hf_tokenizer
from pianalysis.tokens import vocab

TABLE = {
    0: "<pad>",
    1: "<bos>",
    2: "<eos>",
    3: "<sep>",
    4: "<unk>",
    5: "DENSITY_LOW",
    6: "DENSITY_MID",
    7: "DENSITY_HIGH",
    8: "STYLE_POP",
    9: "STYLE_CLASSICAL",
    10: "NOTE_ON",
    11: "NOTE_OFF",
    12: "NOTE_ON_PPP",
    13: "NOTE_ON_PP",
    14: "NOTE_ON_P",
    15: "NOTE_ON_MP",
    16: "NOTE_ON_MF",
    17: "NOTE_ON_F",
    18: "NOTE_ON_FF",
    19: "NOTE_ON_FFF",
    20: "STYLE_HYMN",
    21: "PITCH_21",
    60: "PITCH_60",
    108: "PITCH_108",
    109: "TIME_0",
    110: "TIME_25",
    748: "TIME_15975",
    749: "DURATION_25",
    768: "DURATION_500",
    800: "DURATION_16000",
}
"""The design's table, written out by hand."""


def test_there_are_801_ids_and_no_name_has_two():
    assert vocab.VOCAB_SIZE == len(vocab.TOKENS) == len(set(vocab.TOKENS)) == len(vocab.IDS) == 801
    assert [vocab.IDS[name] for name in vocab.TOKENS] == list(range(801))


@pytest.mark.parametrize(("token_id", "name"), TABLE.items())
def test_ids_are_those_of_the_design(token_id, name):
    assert vocab.TOKENS[token_id] == name
    assert vocab.IDS[name] == token_id


def test_the_numbered_names_are_whole_ranges():
    assert list(vocab.TOKENS[21:109]) == [f"PITCH_{pitch}" for pitch in range(21, 109)]
    assert list(vocab.TOKENS[109:749]) == [f"TIME_{ms}" for ms in range(0, 16_000, 25)]
    assert [name.split("_")[0] for name in vocab.TOKENS[749:]] == ["DURATION"] * 52


def test_named_constants_are_the_tables():
    specials = (vocab.PAD, vocab.BOS, vocab.EOS, vocab.SEP, vocab.UNK)
    assert [vocab.TOKENS[token] for token in specials] == ["<pad>", "<bos>", "<eos>", "<sep>", "<unk>"]
    assert {vocab.TOKENS[token] for token in vocab.STYLES.values()} == {"STYLE_POP", "STYLE_CLASSICAL", "STYLE_HYMN"}
    for word, token in vocab.DENSITIES.items():
        assert vocab.TOKENS[token] == f"DENSITY_{word.upper()}"
    assert vocab.TOKENS[vocab.NOTE_ON] == "NOTE_ON"
    assert vocab.TOKENS[vocab.NOTE_OFF] == "NOTE_OFF"
    assert list(vocab.NOTE_ON_IDS) == [10, *range(12, 20)]
    assert list(vocab.CHORD_BASS_IDS) == [vocab.IDS[f"PITCH_{pitch}"] for pitch in range(36, 48)]
    assert list(vocab.CHORD_TONE_IDS) == [vocab.IDS[f"PITCH_{pitch}"] for pitch in range(60, 72)]


def test_the_ranges_part_the_ids_without_overlap():
    ranges = (vocab.DYNAMIC_IDS, vocab.PITCH_IDS, vocab.TIME_IDS, vocab.DURATION_IDS)
    assert sorted([*range(12), 20, *(token for ids in ranges for token in ids)]) == list(range(801))


def test_durations_step_by_25_ms_to_one_beat_then_wider_and_wider():
    steps = np.diff(vocab.DURATIONS_MS)
    assert vocab.DURATIONS_MS[:20] == tuple(25 * step for step in range(1, 21))
    assert len(vocab.DURATIONS_MS) == 52
    assert vocab.DURATIONS_MS[-1] == vocab.WINDOW_MS == 16_000
    assert (steps > 0).all()
    assert (np.diff(steps) >= 0).all()
    assert steps[19] > 25
    assert all(length % vocab.TIME_STEP_MS == 0 for length in vocab.DURATIONS_MS)


def test_every_musical_length_is_there():
    quarter = 500
    for length in (quarter / 4, quarter / 2, quarter * 3 / 4, quarter, quarter * 3 / 2, quarter * 2, quarter * 3):
        assert length in vocab.DURATIONS_MS
    assert {2_000, 1_500, 4_000, 3_000, 8_000, 16_000} <= set(vocab.DURATIONS_MS)  # whole bars of 4/4 and 3/4


def test_dynamics_rise_and_are_velocities():
    assert len(vocab.DYNAMIC_VELOCITIES) == len(vocab.DYNAMIC_NAMES) == 8
    assert (np.diff(vocab.DYNAMIC_VELOCITIES) > 0).all()
    assert min(vocab.DYNAMIC_VELOCITIES) >= 1
    assert max(vocab.DYNAMIC_VELOCITIES) <= 127


KEY_WORDS = {
    "<pad>": "padding",
    "<bos>": "begins",
    "<eos>": "ends",
    "<sep>": "between",
    "<unk>": "never",
    "DENSITY": "per beat",
    "STYLE": "corpus",
    "PITCH": "key",
    "TIME": "onset",
    "DURATION": "length",
    "NOTE": "dynamics",
}


def test_every_id_has_a_meaning_that_fits_its_name():
    for token_id, name in enumerate(vocab.TOKENS):
        word = {"NOTE_ON": "not stated", "NOTE_OFF": "no chord"}.get(name, KEY_WORDS[name.split("_")[0]])
        assert word in vocab.meaning(token_id), name


@pytest.mark.parametrize("token_id", [-1, 801, 10_000])
def test_ids_outside_the_table_have_no_meaning(token_id):
    with pytest.raises(ValueError, match=f"0 to 800, found {token_id}"):
        vocab.meaning(token_id)


@given(st.integers(0, 639))
def test_time_ids_are_inverses_of_milliseconds(step):
    assert vocab.TOKENS[vocab.time_id(25 * step)] == f"TIME_{25 * step}"
    assert vocab.time_ms(vocab.time_id(25 * step)) == 25 * step


def test_duration_and_dynamic_ids_are_inverses_too():
    for length in vocab.DURATIONS_MS:
        assert vocab.TOKENS[vocab.duration_id(length)] == f"DURATION_{length}"
        assert vocab.duration_ms(vocab.duration_id(length)) == length
    for velocity, name in zip(vocab.DYNAMIC_VELOCITIES, vocab.DYNAMIC_NAMES, strict=True):
        assert vocab.TOKENS[vocab.dynamic_id(velocity)] == f"NOTE_ON_{name}"
        assert vocab.dynamic_velocity(vocab.dynamic_id(velocity)) == velocity


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (vocab.time_id, 10),
        (vocab.time_id, -25),
        (vocab.time_id, 16_000),
        (vocab.duration_id, 30),
        (vocab.duration_id, 525),
        (vocab.dynamic_id, 65),
        (vocab.time_ms, 108),
        (vocab.time_ms, 749),
        (vocab.duration_ms, 748),
        (vocab.dynamic_velocity, vocab.NOTE_ON),
    ],
)
def test_values_off_the_table_are_refused(function, value):
    with pytest.raises(ValueError, match=str(value)):
        function(value)


def test_older_names_of_the_same_table_are_known():
    old = {("RESERVED_20" if name == "STYLE_HYMN" else name): token for name, token in vocab.IDS.items()}
    assert vocab.is_this_table(vocab.IDS)
    assert vocab.is_this_table(old)
    assert not vocab.is_this_table(old | {"RESERVED_20": 21})
    assert not vocab.is_this_table({name: token for name, token in old.items() if token != 20})


def test_the_hugging_face_tokenizer_has_the_same_table():
    assert make_hf_tokenizer().get_vocab() == vocab.IDS

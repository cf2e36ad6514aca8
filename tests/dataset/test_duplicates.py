"""The same tune in another dress is found, another tune is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pianalysis.dataset import duplicates
from pianalysis.dataset.duplicates import find_twice, fingerprint, same_melody, sampled, share_compared
from pianalysis.music.notes import make_notes, sort_notes

TWINKLE = [
    60,
    60,
    67,
    67,
    69,
    69,
    67,
    65,
    65,
    64,
    64,
    62,
    62,
    60,
    67,
    67,
    65,
    65,
    64,
    64,
    62,
    67,
    67,
    65,
    65,
    64,
    64,
    62,
]
ODE = [
    64,
    64,
    65,
    67,
    67,
    65,
    64,
    62,
    60,
    60,
    62,
    64,
    64,
    62,
    62,
    64,
    64,
    65,
    67,
    67,
    65,
    64,
    62,
    60,
    60,
    62,
    64,
    62,
    60,
    60,
]
WALKS = st.lists(st.sampled_from([-7, -4, -3, -2, -1, 1, 2, 3, 4, 7]), min_size=30, max_size=80)
RHYTHMS = st.sampled_from([250.0, 500.0, 1_000.0])


def tune(pitches, waits=500.0):
    """Notes one after the other, each as long as until the next."""
    waits = np.broadcast_to(waits, len(pitches))
    onsets = np.cumsum(waits) - waits
    return make_notes(zip(onsets.tolist(), waits.tolist(), pitches, [80] * len(pitches), strict=True))


def walk(seed, count=60):
    """A tune that nobody else has: steps and rhythm by chance."""
    generator = np.random.default_rng(seed)
    pitches = 60 + np.cumsum(generator.choice([-5, -4, -2, -1, 1, 2, 3, 5], count))
    return tune(pitches.tolist(), generator.choice([250.0, 500.0, 1_000.0], count))


@st.composite
def tunes(draw):
    steps = draw(WALKS)
    pitches = [72]
    for step in steps:
        pitches.append(pitches[-1] + (step if 40 <= pitches[-1] + step <= 100 else -step))
    return tune(pitches, draw(st.lists(RHYTHMS, min_size=len(pitches), max_size=len(pitches))))


@given(tunes(), st.integers(-12, 12), st.sampled_from([0.25, 0.5, 0.8, 2.0]), st.floats(0, 1_000))
def test_the_key_the_tempo_and_the_beginning_do_not_matter(melody, semitones, tempo, start_ms):
    other = melody.copy()
    other["pitch"] += semitones
    other["onset_ms"] = start_ms + np.maximum(melody["onset_ms"] * tempo, 0)
    other["duration_ms"] *= tempo
    assert fingerprint(other).tolist() == fingerprint(melody).tolist()


@given(tunes(), st.data())
def test_a_note_struck_twice_for_two_syllables_is_one(melody, data):
    place = data.draw(st.integers(0, len(melody) - 1))
    onset, length, pitch, velocity = melody.tolist()[place]
    again = make_notes([(onset + length / 2, length / 2, pitch, velocity)])
    assert fingerprint(sort_notes(np.concatenate([melody, again]))).tolist() == fingerprint(melody).tolist()


@given(tunes())
def test_the_melody_again_is_the_same_and_its_shingles_rise(melody):
    one = fingerprint(melody)
    assert (np.diff(one.astype(object)) > 0).all()
    if len(one) >= 2 * duplicates.FEWEST_SHARED:
        assert find_twice([one, one], ["train", "test"]) == {1: 0}


def test_a_fingerprint_is_the_same_number_on_every_machine():
    """By hand from the definition: of the steps of C E D F D E C, five turns, with the rhythm even, and nothing of eight."""
    (hashed,) = fingerprint(tune([60, 64, 62, 65, 62, 64, 60])).tolist()
    state, mask = 0, 2**64 - 1
    for step in (4, -2, 3, -3, 2):
        state = (state + step * 8 + 0x9E3779B97F4A7C15) & mask
        state = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & mask
        state = ((state ^ state >> 27) * 0x94D049BB133111EB) & mask
        state ^= state >> 31
    assert hashed == state & ~1


@pytest.mark.parametrize("pitches", [[], [60], [60] * 40, list(range(40, 90)), list(range(90, 40, -1))])
def test_nothing_repeated_notes_and_scales_are_no_tune(pitches):
    assert not len(fingerprint(tune(pitches)))


def test_two_tunes_are_two():
    prints = [fingerprint(tune(TWINKLE)), fingerprint(tune(ODE)), *(fingerprint(walk(seed)) for seed in range(40))]
    assert find_twice(prints, ["train"] * len(prints)) == {}


def test_another_barring_and_dots_are_found_by_the_intervals():
    melody = walk(1)
    dotted = melody.copy()
    waits = np.where(np.arange(60) % 2, 250.0, 750.0)
    dotted["onset_ms"] = np.cumsum(waits) - waits
    (share,) = same_melody([fingerprint(melody), fingerprint(dotted)], ["train", "train"]).values()
    assert share == 1


def test_a_tune_in_a_potpourri_is_another_piece_unless_it_would_leak():
    short, others = walk(0), [walk(seed) for seed in (1, 2, 3)]
    parts = [short, *others]
    for number, part in enumerate(parts):
        part["onset_ms"] += number * 100_000
    prints = [fingerprint(np.concatenate(parts)), fingerprint(short)]
    assert find_twice(prints, ["train", "train"]) == {}
    assert find_twice(prints, ["test", "train"]) == {1: 0}


def test_the_first_is_kept_of_three_and_of_a_chain():
    first, last = walk(0, 80), walk(1, 80)
    middle = np.concatenate([first[:60], last[20:]])
    middle["onset_ms"] = np.arange(120) * 500.0
    first["onset_ms"] = last["onset_ms"] = np.arange(80) * 500.0
    one, two, three = map(fingerprint, (first, middle, last))
    assert find_twice([one, one, two, one], ["train"] * 4) == {1: 0, 2: 0, 3: 0}
    assert find_twice([one, three], ["train"] * 2) == {}
    assert find_twice([one, two, three], ["train"] * 3) == {1: 0, 2: 0}


def test_many_copies_are_all_found():
    copies = [fingerprint(walk(0))] * (3 * duplicates.NEIGHBOURS)
    assert find_twice(copies, ["train"] * len(copies)) == dict.fromkeys(range(1, len(copies)), 0)


def test_a_part_of_the_shingles_finds_the_same(monkeypatch):
    prints = [fingerprint(walk(seed, 400)) for seed in (0, 1, 2, 0)]
    monkeypatch.setattr(duplicates, "MOST_SHINGLES", sum(map(len, prints)) // 8)
    share = share_compared(sum(map(len, prints)))
    some = [sampled(hashes, share) for hashes in prints]
    assert sum(map(len, some)) == pytest.approx(sum(map(len, prints)) / 8, rel=0.3)
    assert find_twice(some, ["train"] * 4, share=share) == {3: 0}
    assert sampled(prints[0], 1.0).tolist() == prints[0].tolist()

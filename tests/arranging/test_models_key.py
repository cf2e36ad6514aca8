"""The key of a melody, and pieces arranged in the model's own key."""

from __future__ import annotations

import numpy as np
import pytest
import symusic
from hypothesis import given
from hypothesis import strategies as st
from shared_data import POP909, SPLIT_FILES, needs_data
from strategies import note_arrays, simple_score

from pianalysis.arranging.arranger import Arranger
from pianalysis.dataset.corpora import open_files, read_pop909, read_splits
from pianalysis.model.gpt2 import make_model
from pianalysis.music.keys import KEY_PROFILE, key_shift
from pianalysis.music.notes import make_notes
from pianalysis.tokens import vocab

TUNE = [(step / 2, 0.5, pitch) for step, pitch in enumerate([60, 64, 67, 72, 71, 67, 65, 62, 60, 64, 62, 59, 60, 60])]
TONICS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@given(note_arrays(), st.integers(-40, 40))
def test_the_key_moves_with_the_melody(notes, semitones):
    moved = notes.copy()
    moved["pitch"] += semitones
    shift = key_shift(notes)
    assert -6 <= shift <= 5
    # two scales may be equally likely, and of these the first is taken: only a clear key must move along
    if len(notes) and len({(key_shift(n) + k) % 12 for n, k in ((notes, 0), (moved, semitones))}) > 1:
        time = np.bincount(notes["pitch"] % 12, weights=notes["duration_ms"], minlength=12)
        sums = sorted(time @ np.roll(np.log(np.array(KEY_PROFILE) + 1e-3), tonic) for tonic in range(12))
        assert sums[-1] - sums[-2] == pytest.approx(0, abs=1e-6 * time.sum() + 1e-9)


@pytest.mark.parametrize(
    ("pitches", "shift"),
    [
        ([60, 62, 64, 65, 67, 69, 71, 72], 0),  # C major
        ([57, 59, 60, 62, 64, 65, 68, 69], 0),  # A minor, harmonic
        ([66, 68, 70, 71, 73, 75, 77, 78], -6),  # F sharp major
        ([67, 69, 71, 72, 74, 76, 78, 79], 5),  # G major
    ],
)
def test_keys_by_hand(pitches, shift):
    assert key_shift(make_notes((500 * step, 500, pitch, 80) for step, pitch in enumerate(pitches))) == shift


@needs_data
def test_the_key_is_that_of_the_labels_of_pop909():
    files = open_files(POP909)
    songs = [piece for piece, split in read_splits(SPLIT_FILES[0]).items() if split == "validation"]
    agreed = []
    for piece in (next(read_pop909(files, song)) for song in songs):
        tonic, _, mode = piece.key.partition(":")
        root = TONICS[tonic[0]] + tonic.count("#") - tonic.count("b") + (3 if mode.startswith("min") else 0)
        agreed.append((root + key_shift(piece.melody)) % 12 == 0)
    assert len(agreed) == 72
    assert np.mean(agreed) > 0.85


@pytest.fixture(scope="module")
def arranger():
    model = make_model("tiny", seed=0).eval()
    model.config.normalises_key = True
    return Arranger(model)


def transposed(semitones: int) -> symusic.Score:
    return simple_score([(onset, length, pitch + semitones) for onset, length, pitch in TUNE])


def test_the_model_is_given_every_melody_in_its_own_key(arranger, monkeypatch):
    prompts = []
    real = arranger.engine.continue_prompt

    def noting(prompt, *args, **kwargs):
        prompts.append(list(prompt))
        return real(prompt, *args, **kwargs)

    monkeypatch.setattr(arranger.engine, "continue_prompt", noting)
    for semitones in range(-5, 7):
        piece = arranger(transposed(semitones), seed=1, max_bars=2)
        given = [(note.time, note.duration, note.pitch) for note in transposed(semitones).tracks[0].notes]
        assert [(note.time, note.duration, note.pitch) for note in piece.score.tracks[0].notes] == given
    assert len(prompts) == 12
    assert len({tuple(prompt) for prompt in prompts}) == 1


@pytest.mark.parametrize("semitones", [-30, -6, 0, 5, 40])
def test_the_accompaniment_stays_on_the_piano_in_every_key(arranger, semitones):
    pitches = set()
    for seed in range(5):
        piece = arranger(transposed(semitones), seed=seed, temperature=1.0, top_k=0, top_p=1.0)
        pitches |= set(piece.accompaniment["pitch"].tolist())
    assert pitches <= set(vocab.PITCH_IDS)
    assert len(pitches) > 30


def test_composed_pieces_are_in_many_keys(arranger):
    shifts = {key_shift(arranger.compose(seed=seed, bars=2).melody) for seed in range(12)}
    assert len(shifts) > 3

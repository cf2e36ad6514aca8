from __future__ import annotations

import itertools
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import torch
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from strategies import note_arrays

from pianalysis.dataset.corpora import open_files, read_pop909, read_splits
from pianalysis.errors import PianalysisError
from pianalysis.melody import features
from pianalysis.melody import line as extraction
from pianalysis.melody import net as melody_net
from pianalysis.melody.features import FEATURES, note_features, places
from pianalysis.melody.line import best_path, find_line, weigh
from pianalysis.melody.net import MelodyNet, bundled_net
from pianalysis.music.notes import SAME_ONSET_MS, make_notes, monophonic, sort_notes

POP909 = ROOT.parent / "shared" / "data" / "pop909.tar.xz"
METHODS = pytest.mark.parametrize("method", ["learned", "weighed"])


def song(*, bars=16, seed=0):
    """A tune over broken chords and a held bass, now and then silent."""
    random, rows = np.random.default_rng(seed), []
    for bar in range(bars):
        start, root = 2_000.0 * bar, int(random.choice([48, 53, 55, 45]))
        rows += [(start, 1_900, root - 12, 60)]
        rows += [(start + 250 * n, 240, root + (0, 4, 7, 4)[n % 4], 55) for n in range(8)]
        if bar % 4 != 3:
            rows += [(start + 500 * n, 480, 72 + int(random.integers(0, 9)), 90) for n in range(4)]
    return sort_notes(make_notes(rows))


@METHODS
@given(notes=note_arrays())
@settings(max_examples=60, deadline=None)
def test_a_line_is_one_voice_and_never_empty(method, notes):
    line = find_line(notes, method)
    assert (len(line), line.dtype, line.any()) == (len(notes), bool, len(notes) > 0)
    assert (np.diff(np.sort(notes["onset_ms"][line])) >= SAME_ONSET_MS).all()


@METHODS
@given(notes=note_arrays())
@settings(max_examples=60, deadline=None)
def test_one_voice_stays_itself(method, notes):
    assert find_line(monophonic(notes), method).all()


@METHODS
@given(notes=note_arrays(), shift=st.integers(-60, 60), late=st.integers(0, 100))
@settings(max_examples=40, deadline=None)
def test_a_transposed_piece_that_begins_later_has_the_same_melody(method, notes, shift, late):
    # A grid of 1/8 ms: the difference of two onsets is exact, however late they are.
    notes["onset_ms"], notes["duration_ms"] = (np.rint(8 * notes[name]) / 8 for name in ("onset_ms", "duration_ms"))
    moved = notes.copy()
    moved["pitch"] += shift  # past the 128 of MIDI, which is nothing to the features
    moved["onset_ms"] += 1_000.0 * late
    np.testing.assert_array_equal(find_line(moved, method), find_line(notes, method))


@METHODS
def test_order_does_not_matter_and_a_second_time_is_the_same(method):
    notes = song()
    line, shuffled = find_line(notes, method), np.random.default_rng(0).permutation(len(notes))
    np.testing.assert_array_equal(find_line(notes[shuffled], method), line[shuffled])
    np.testing.assert_array_equal(find_line(notes, method), line)


@METHODS
def test_a_tune_over_broken_chords_is_found_and_rests(method):
    notes = song(bars=32)
    line, tune = find_line(notes, method), notes["pitch"] >= 72
    assert (line & tune).sum() >= 0.9 * tune.sum()
    assert (line & ~tune).sum() <= 0.1 * tune.sum()


@METHODS
@pytest.mark.parametrize(
    ("rows", "melody"),
    [
        ([(0, 500, 60)], [True]),
        ([(0, 500, 60), (500, 500, 40)], [True, True]),
        ([(0, 500, 60), (0, 500, 64), (10, 500, 67)], [False, False, True]),
        ([(0, 500, 67), (20, 480, 60), (500, 500, 59), (500, 500, 62)], [True, False, False, True]),
        ([(0, 500, 60), (0, 900, 60)], [False, True]),  # one key struck twice at once
        ([(0, 500, pitch) for pitch in range(128)], [False] * 127 + [True]),
        ([], []),
    ],
)
def test_voices_and_chords_by_hand(method, rows, melody):
    assert find_line(make_notes((*row, 80) for row in rows), method).tolist() == melody


def test_features_by_hand():
    notes = make_notes([(0, 500, 60, 64), (0, 500, 64, 64), (500, 1_000, 72, 80)])
    low, high, last = (dict(zip(FEATURES, row, strict=True)) for row in note_features(notes).tolist())
    assert (low["above_in_chord"], high["above_in_chord"], last["above_in_chord"]) == pytest.approx((4 / 12, 2, 2))
    assert (low["below_in_chord"], high["below_in_chord"]) == pytest.approx((2, 4 / 12))
    assert (low["share_higher"], high["share_higher"], last["share_higher"]) == (1, 0.5, 0)
    assert last["height"] == pytest.approx((12 + 8) / 2 / 12)
    assert (last["loudness"], last["loud_here"], low["loud_here"]) == (1, 1, 0)
    assert (low["length"], last["length"]) == (-1, 0)
    assert (low["gap_to"], low["step_to"]) == pytest.approx((0.5, 1))
    assert (last["gap_from"], last["step_from"]) == pytest.approx((0.5, -8 / 12))
    assert (low["register"], last["register"]) == pytest.approx((-4 / 12, 8 / 12))
    assert (low["wait_before"], low["wait_after"], last["wait_before"], last["wait_after"]) == (2, 0, 0.5, 2)


def test_weights_by_hand():
    features = np.zeros((3, len(FEATURES)), np.float32)
    features[1, FEATURES.index("height")], features[2, FEATURES.index("register")] = 1, -2
    more = [0, extraction.WEIGHTS["height"], 2 * extraction.OUT_OF_REGISTER]
    assert weigh(features) == pytest.approx(extraction.BIAS + np.array(more))


PLACES = st.tuples(st.integers(0, 40), st.integers(0, 30), st.integers(40, 80), st.floats(-1, 3))


@given(st.lists(PLACES, min_size=1, max_size=9))
def test_no_line_has_a_higher_sum_than_the_best_path(places):
    places.sort()
    notes = make_notes((20.0 * onset, 20.0 * length, pitch, 80) for onset, length, pitch, _ in places)
    scores = np.array([score for *_, score in places])

    def worth(path):
        total = scores[list(path)].sum()
        for one, two in itertools.pairwise(path):
            gap = float(notes["onset_ms"][two] - notes["onset_ms"][one])
            octaves = (abs(int(notes["pitch"][two]) - int(notes["pitch"][one])) - 5) / 12
            total -= 0.7 * max(octaves, 0) * max(1 - gap / 2_000, 0) + 0.4 * (gap < notes["duration_ms"][one] / 2)
            total -= np.inf if gap < SAME_ONSET_MS else 0
        return total

    subsets = (path for size in range(1, len(places) + 1) for path in itertools.combinations(range(len(places)), size))
    path = best_path(notes, scores, leap=0.7, overlap=0.4)
    assert worth(path.tolist()) == pytest.approx(max(map(worth, subsets)))


def test_a_cluster_of_all_keys_is_no_rest():
    notes = make_notes([(0, 100, 60, 80), *((500 + pitch / 10, 100, pitch, 80) for pitch in range(128))])
    assert best_path(notes, np.linspace(1, 2, len(notes)), leap=0, overlap=0).tolist() == [0, 128]


def test_notes_that_are_heard_in_parts_are_told_as_they_are_whole(monkeypatch):
    notes = song(bars=40)
    whole = bundled_net().score(notes, note_features(notes))
    monkeypatch.setattr(melody_net, "CHUNK", 300)
    parts = bundled_net().score(notes, note_features(notes))
    assert ((parts > 0) == (whole > 0)).all()
    assert np.abs(parts - whole).max() > 0  # each hears only itself


def padded_scores(songs):
    """What the network says of songs side by side."""
    weights, longest = bundled_net().weights, max(map(len, songs))
    rows = [melody_net.note_rows(notes) for notes in songs]
    heard = [np.concatenate([note_features(notes), places(notes)], axis=1) for notes in songs]
    mask = torch.tensor([[index < len(notes) for index in range(longest)] for notes in songs]).float()
    padded = [
        torch.from_numpy(np.stack([np.pad(array, ((0, longest - len(array)), (0, 0))) for array in arrays]))
        for arrays in (heard, rows)
    ]
    with torch.inference_mode():
        return melody_net.network(weights, *padded, mask).numpy()


def test_songs_side_by_side_are_heard_as_alone():
    songs = [song(bars=3), song(bars=8)]
    for notes, scores in zip(songs, padded_scores(songs), strict=True):
        np.testing.assert_allclose(scores[: len(notes)], bundled_net().score(notes, note_features(notes)), atol=1e-3)


@given(note_arrays())
def test_places_are_of_unit_size_and_go_on(notes):
    notes = sort_notes(notes)
    found = places(notes)
    assert found.shape == (len(notes), len(features.PLACES))
    assert np.isfinite(found).all()
    assert (np.abs(found) < 4).all()
    assert (np.diff(found[:, features.PLACES.index("share_gone")]) >= 0).all()


def test_however_many_notes_memory_stays_flat(monkeypatch):
    seen = []

    def no_network(weights, features, rows, mask):
        seen.append(mask.shape[1])
        return torch.zeros_like(mask)

    monkeypatch.setattr(melody_net, "network", no_network)
    notes = song(bars=1_500)
    tracemalloc.start()
    assert find_line(notes).any()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(notes) > 4 * melody_net.CHUNK
    assert max(seen) <= melody_net.CHUNK + 2 * melody_net.HALO
    assert peak < 2_000 * len(notes)  # the surroundings of all notes at once are several times as much


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"in.weight": torch.zeros(4, len(FEATURES) + 1)}, path)
    with pytest.raises(PianalysisError, match=r"other\.safetensors: expected weights for .* features"):
        MelodyNet.load(path)


def test_melody_finding_imports_no_torch():
    code = "import sys, pianalysis.melody.find; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.skipif(not POP909.exists(), reason="POP909 is not in shared/data beside the repository")
def test_unseen_songs_of_pop909_are_told_better_than_by_the_skyline(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from evaluate_melody import evaluate, flatten

    files, splits = open_files(POP909), read_splits(ROOT / "pianalysis" / "data" / "splits" / "pop909.json")
    pieces = [next(read_pop909(files, key)) for key in sorted(splits) if splits[key] == "test"][::7]
    results = evaluate([flatten(piece.melody, piece.accompaniment) for piece in pieces])
    assert results["skyline"]["melody"] == sum(len(piece.melody) for piece in pieces)
    assert results["weighed"]["f1"] > results["skyline"]["f1"] + 0.05
    assert results["learned"]["f1"] > results["weighed"]["f1"] + 0.05
    assert results["learned"]["accuracy"] > 0.9

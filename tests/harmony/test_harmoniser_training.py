"""The harmoniser's training and its table: the loss is the chain's, weights are saved as they were, a small run goes through."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from corpus import song_with_tune

from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.decoding import Chain
from pianalysis.harmony.features import FEATURES
from pianalysis.harmony.net import STATES, TONES, HarmonyNet
from pianalysis.harmony.symbols import NO_CHORD, parse_chord
from pianalysis.music.clock import BeatClock
from pianalysis.music.notes import make_notes

PIECES = {"train": ("002", "003"), "validation": ("032", "034"), "test": ("010", "022")}
"""The first of each of POP909's splits."""


@pytest.fixture
def training(script):
    return script("train_harmoniser")


@pytest.fixture
def evaluation(script):
    return script("evaluate_harmony")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """An archive of six songs in POP909's layout, with four chords each."""
    root = tmp_path_factory.mktemp("data")
    for number, piece in enumerate((piece for pieces in PIECES.values() for piece in pieces), start=1):
        folder = root / "POP909" / piece
        folder.mkdir(parents=True)
        (folder / f"{piece}.mid").write_bytes(song_with_tune(number))
        (folder / "beat_midi.txt").write_text("".join(f"{b / 2} {b % 2} {float(b % 4 == 0)}\n" for b in range(80)))
        labels = ("C:maj", "G:7/3", "A:min", "N")
        (folder / "chord_midi.txt").write_text(
            "".join(f"{10.0 * i}\t{10.0 * i + 10}\t{c}\n" for i, c in enumerate(labels))
        )
    with tarfile.open(root / "pop909.tar.xz", "w:xz") as archive:
        archive.add(root / "POP909", "POP909")
    return root


def song_with(evaluation, symbols, rows, **changes):
    """A song in 4/4 of one chord a beat."""
    lines = np.arange(0.0, 500.0 * len(symbols) + 1, 2_000)
    clock = BeatClock(np.array([0.0, 1.0]), np.array([0.0, 1.0]), lines, 120.0, (4, 4))
    chords = tuple(parse_chord(name) if name else None for name in symbols)
    made = evaluation.HarmonySong(
        "pop909", "1", "", "pop", make_notes(rows), make_notes(), clock, clock_beats(clock), chords
    )
    return replace(made, **changes)


def test_the_loss_is_the_chains(training):
    """Value and gradients agree with the chain's own; what is after a song's end says nothing."""
    generator = np.random.default_rng(0)
    n, k, rest = 6, 5, 3
    parts = [generator.normal(size=shape) for shape in ((n + rest, k), n + rest, (k, k))]
    chain = Chain(parts[0][:n], parts[1][:n], parts[2])
    given = [torch.tensor(part, requires_grad=True) for part in (parts[0][None], parts[1][None], parts[2])]
    mask = torch.tensor([[1.0] * n + [0.0] * rest], dtype=torch.float64)
    total = training.LogPartition.apply(*given, mask)
    total.sum().backward()
    assert total.item() == pytest.approx(chain.log_partition())
    emissions, change, transitions = (part.grad.numpy() for part in given)
    assert np.allclose(emissions[0, :n], chain.marginals())
    assert not emissions[0, n:].any()
    assert transitions.sum() == pytest.approx(n - 1)  # so many steps from one state to another
    assert change.sum() == pytest.approx(transitions.sum() - np.trace(transitions))
    step = 1e-5
    for place in ((0, 1), (2, 2)):
        moved = parts[2].copy()
        moved[place] += step
        slope = (Chain(parts[0][:n], parts[1][:n], moved).log_partition() - chain.log_partition()) / step
        assert transitions[place] == pytest.approx(slope, rel=1e-3)


def test_weights_are_saved_as_they_were(training):
    torch.manual_seed(0)
    network = training.Network(16, [1, 2], 0.1).eval()
    torch.nn.init.normal_(network.interval)
    features = np.random.default_rng(0).normal(size=(9, FEATURES)).astype(np.float32)
    with torch.no_grad():
        out = network(torch.from_numpy(features)[None], torch.ones(1, 9, 1))[0].double().numpy()
        transitions = network.transitions().numpy()
    scores = HarmonyNet(training.stacked([training.saved(network, training.RECIPES[0])])).score(features, "pop")
    assert np.allclose(scores.chain.emissions, out[:, :STATES], atol=1e-4)
    assert np.allclose(scores.chain.change, out[:, STATES], atol=1e-4)
    assert np.allclose(scores.chain.transitions, transitions, atol=1e-5)
    assert np.allclose(scores.basses[:, 0], out[:, -TONES:], atol=1e-4)


def test_a_small_run_learns_and_is_saved(training, data, tmp_path, capsys):
    path = tmp_path / "net.safetensors"
    argv = ["--data", str(data), "--corpora", "pop909", "--limit", "2", "--output", str(path)]
    argv += ["--steps", "30", "--every", "15", "--width", "16", "--apart", "1", "2", "--learning-rate", "0.02"]
    assert training.main(argv) == 0
    net = HarmonyNet.load(path)
    assert net.weights["styles"].tolist() == [[1, 1, 1]] * 2 + [[0, 1, 1]] + [[1, 0, 0]] * 2
    assert (net.weights["temperature"] > 0).all()
    lines = [line for line in capsys.readouterr().out.splitlines() if "nats a beat" in line]
    first, second = (float(line.split(", ")[2].split()[0]) for line in lines[:2])
    assert second < 0.8 * first
    assert "pop909" in lines[-1]


def test_a_known_melody_is_not_learned_from(training, evaluation):
    generator = np.random.default_rng(0)
    rows = [(500.0 * beat, 500.0, int(60 + generator.integers(13)), 80) for beat in range(64)]
    others = [(500.0 * beat, 500.0, int(60 + generator.integers(13)), 80) for beat in range(64)]
    held_out = song_with(evaluation, ["C"] * 64, rows)
    moved = song_with(evaluation, ["D"] * 64, [(onset, length, pitch + 2, v) for onset, length, pitch, v in rows])
    other = song_with(evaluation, ["C"] * 64, others)
    assert training.without_known([moved, other, moved], [held_out]) == [other]


def test_examples_are_in_one_key_and_have_no_gaps(training, evaluation):
    scale = [(500.0 * beat, 500.0, pitch, 80) for beat, pitch in enumerate((62, 64, 66, 67, 69, 71, 73, 74))]
    made = song_with(evaluation, [None, "D", "A7/C#", None, "N.C.", "Em7/G", "D", "D"], scale)
    item = training.example_of(made)
    assert item.states.tolist() == [0, 0, 75, 75, 120, 27, 0, 0]  # C, C, G7, G7, none, Dm7, C, C
    assert item.tones.tolist() == [-1, 0, 1, -1, -1, 1, 0, 0]


def test_counts_by_hand(evaluation):
    """Two bars: C C C C | F F G G; found C C Am Am | F C G7 G. The melody is E all bar, then A for a bar."""
    wanted = song_with(evaluation, ["C"] * 4 + ["F", "F", "G", "G"], [(0, 2000, 64, 80), (2000, 2000, 69, 80)])
    found = [parse_chord(name) for name in ("C", "C", "Am", "Am", "F", "C", "G7", "G")]
    counts = evaluation.counts_of(wanted, found)
    assert counts.asked.tolist() == [8, 8, 2, 2]
    # Five roots, all major where they are right. Both notes end a phrase: C from nowhere, F from C, not from A. Of four
    # strong beats E is in C and in A minor, A in F and not in G7. The chord changes four times: C, Am, F, C, G.
    assert counts.right.tolist() == [5, 5, 1, 4]
    assert counts.in_chord == 0.75
    assert counts.bigrams.sum() == 4
    assert counts.own_bigrams.sum() == 2


def test_only_what_is_sung_counts(evaluation):
    made = song_with(evaluation, ["C"] * 12, [(2000, 500, 60, 80), (3000, 1000, 64, 80)])
    assert np.flatnonzero(evaluation.sung(made)).tolist() == [4, 5, 6, 7]
    assert evaluation.phrase_ends(made) == [4, 6]


def test_the_hidden_markov_model_learns_what_it_is_shown(evaluation):
    """C under C, E and G, G under B and D: it says so of another melody in another key."""
    tunes = ((60, 64, 67, 64) * 2 + (71, 74, 71, 74) * 2) * 2
    rows = [(500.0 * beat, 500.0, pitch, 80) for beat, pitch in enumerate(tunes)]
    shown = song_with(evaluation, (["C"] * 8 + ["G"] * 8) * 2, rows)
    asked = song_with(evaluation, ["C"] * 32, [(onset, length, pitch + 5, v) for onset, length, pitch, v in rows])
    found = evaluation.HiddenMarkov([shown])(asked)
    assert [chord.symbol(-1) for chord in found] == (["F"] * 8 + ["C"] * 8) * 2


def test_rule_of_the_keys_best_triad(evaluation):
    made = song_with(evaluation, ["C"] * 8, [(0, 1000, 64, 80), (1000, 1000, 67, 80), (2000, 2000, 65, 80)])
    assert [chord.symbol() for chord in evaluation.by_rule(made)[:4]] == ["C"] * 4


def test_the_table_is_printed_and_written(evaluation, data, tmp_path, capsys):
    path = tmp_path / "harmony.json"
    argv = ["--data", str(data), "--corpora", "pop909", "--songs", "2", "--json", str(path)]
    argv += ["--systems", "people", "rule", "harmoniser", "drawn"]
    assert evaluation.main(argv) == 0
    said = capsys.readouterr().out
    assert "| pop909 | people | 2 |" in said
    found = json.loads(path.read_text())
    assert [row["system"] for row in found["rows"]] == ["people", "rule", "harmoniser", "drawn"]
    assert all(0 <= row["root"] <= 1 and 0 <= row["in_chord"] <= 1 for row in found["rows"])
    assert sum(row["beats"] for row in found["reliability"]) > 0
    assert all(0 <= row["right"] <= 1 for row in found["reliability"])


def test_songs_are_read_with_their_labels(evaluation, data):
    (made, _) = evaluation.read_songs(data, ["pop909"], "train", limit=2)
    assert made.piece_id == "002"
    assert made.chords[:21] == (parse_chord("C"),) * 20 + (parse_chord("G7/B"),)
    assert made.chords[60] == NO_CHORD


def test_tunes_are_printed(evaluation, capsys):
    assert evaluation.main(["--tunes"]) == 0
    assert "Twinkle" in capsys.readouterr().out

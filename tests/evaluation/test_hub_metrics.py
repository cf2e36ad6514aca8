from __future__ import annotations

import socket
from pathlib import Path

import datasets
import evaluate
import numpy as np
import pytest

from pianalysis.errors import PianalysisError
from pianalysis.evaluation import hub_metrics
from pianalysis.metrics import chords, harmony, keys, playability, progressions, recall, repetition, seams, statistics
from pianalysis.music.notes import make_notes

MELODY = make_notes([(0, 500, 72, 80), (500, 500, 74, 80), (1000, 1000, 76, 80), (4000, 100, 60, 80)])
BELOW = make_notes([(0, 500, 60, 80), (0, 500, 67, 70), (500, 500, 61, 60), (1000, 1000, 48, 50)])
OTHER = make_notes([(0, 1000, 55, 80), (1000, 1000, 50, 90)])
CHORDS = [{"onset_ms": 0.0, "end_ms": 1000.0, "label": "C:maj"}, {"onset_ms": 1000.0, "end_ms": 2000.0, "label": "N"}]
ALL = [
    metric for metric in vars(hub_metrics).values()
    if isinstance(metric, type) and issubclass(metric, hub_metrics.PieceMetric) and metric is not hub_metrics.PieceMetric
]  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_fetched_or_written(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate.config, "HF_METRICS_CACHE", tmp_path / "cache")
    monkeypatch.chdir(tmp_path)

    def refuse(*_, **__):
        raise AssertionError("a metric asked for the network")

    monkeypatch.setattr(socket, "create_connection", refuse)
    yield
    assert list(Path(tmp_path).rglob("*")) == []


def rows(notes):
    return [dict(zip(notes.dtype.names, row, strict=True)) for row in notes.tolist()]


@pytest.mark.parametrize("metric", ALL)
def test_each_says_what_it_is(metric):
    made = metric()
    assert isinstance(made, evaluate.Metric)
    assert isinstance(made.features, datasets.Features)
    assert "predictions" in made.features
    assert len(made.description) > 30
    assert "predictions" in made.inputs_description
    assert made.citation.count("{") == made.citation.count("}")


BARS = [0.0, 2000.0, 4000.0]
OWN = hub_metrics.own_chords(BELOW, BARS, (4, 4))
INDEX = repetition.CopyIndex.build([OTHER, BELOW[:3]])
CASES = [
    (hub_metrics.MelodyRecall, {"references": MELODY}, {"melody_recall": recall.melody_recall(MELODY, BELOW)}),
    (
        hub_metrics.PitchConsonanceScore,
        {"references": MELODY},
        {"pitch_consonance_score": harmony.pitch_consonance_score(MELODY, BELOW, step_ms=125)},
    ),
    (hub_metrics.ClashRate, {"references": MELODY}, {"clash_rate": harmony.clash_rate(MELODY, BELOW)}),
    (
        hub_metrics.ChordAccuracy,
        {"references": CHORDS, "bar_lines_ms": BARS},
        vars(chords.chord_accuracy(OWN, hub_metrics.to_spans(CHORDS))),
    ),
    (
        hub_metrics.ChordTones,
        {"references": CHORDS},
        {"chord_tone_share": 1_000 / 1_500, "root_in_bass": 1.0},  # C and G, but not C sharp, over C
    ),
    (
        hub_metrics.OwnChords,
        {"references": MELODY, "bar_lines_ms": BARS},
        {
            "chord_tone_share": chords.chord_tone_share(BELOW, OWN),
            "root_in_bass": chords.root_in_bass(BELOW, OWN),
            "melody_in_chord": chords.chord_tone_share(MELODY, OWN),
            "strong_notes_in_chord": chords.strong_notes_in_chord(MELODY, OWN, [0, 1_000, 2_000, 3_000]),
            "chord_changes": progressions.chord_changes(OWN, bars=2),
            "distinct_chords": np.nan,
            "falling_fifths": progressions.falling_fifths(OWN),
            "final_tonic": progressions.final_tonic(OWN, keys.find_key(MELODY)),
            "out_of_key": 1 / 4,
        },
    ),
    (
        hub_metrics.PieceStatistics,
        {},
        statistics.piece_statistics(BELOW, bar_ms=2000, step_ms=125, beat_ms=500),
    ),
    (
        hub_metrics.SelfSimilarity,
        {"references": MELODY, "bar_lines_ms": [0.0, 2000.0, 4000.0]},
        {"self_similarity": np.nan},
    ),
    (hub_metrics.Playability, {}, vars(playability.playability(BELOW))),
    (
        hub_metrics.SeamContrast,
        {"references": MELODY, "joints_ms": [1000.0]},
        vars(seams.seam_contrast(MELODY, BELOW, [1000.0], beat_ms=500)),
    ),
]


@pytest.mark.parametrize(("metric", "inputs", "expected"), CASES)
def test_values_are_those_of_the_functions(metric, inputs, expected):
    columns = {name: [value] for name, value in inputs.items()}
    assert metric().compute(predictions=[BELOW], **columns) == pytest.approx(expected, nan_ok=True)


def test_rows_and_arrays_one_by_one_or_together_are_the_same():
    expected = hub_metrics.PitchConsonanceScore().compute(predictions=[BELOW, OTHER], references=[MELODY, MELODY])
    metric = hub_metrics.PitchConsonanceScore()
    assert metric.compute(predictions=[rows(BELOW), rows(OTHER)], references=[rows(MELODY)] * 2) == expected
    metric.add(prediction=BELOW, reference=MELODY)
    metric.add_batch(predictions=[rows(OTHER)], references=[rows(MELODY)])
    assert metric.compute() == expected
    values = [harmony.pitch_consonance_score(MELODY, below, step_ms=125) for below in (BELOW, OTHER)]
    assert expected == {"pitch_consonance_score": pytest.approx(np.mean(values))}


def test_options_reach_the_function():
    metric = hub_metrics.PitchConsonanceScore()
    value = metric.compute(predictions=[BELOW], references=[MELODY], step_ms=500)
    assert value == {"pitch_consonance_score": harmony.pitch_consonance_score(MELODY, BELOW, step_ms=500)}


def test_coupling_takes_the_next_piece_as_the_other():
    value = hub_metrics.Coupling().compute(predictions=[BELOW, OTHER], references=[MELODY, MELODY])
    assert value == {"pitch_consonance_score": 0, "clash_rate": 0}  # one melody: what one gains the other loses
    with pytest.raises(PianalysisError, match="at least two pieces"):
        hub_metrics.Coupling().compute(predictions=[BELOW], references=[MELODY])


def test_overlapping_area_pooled_and_by_piece():
    value = hub_metrics.OverlappingArea().compute(predictions=[BELOW, OTHER], references=[OTHER, BELOW])
    assert value["pitch"] == 1
    assert value["pitch_by_piece"] < 0.9


FIVE_BARS = [2000.0 * bar for bar in range(6)]
"""Four bars and one left over."""


def circle(steps):
    """A triad a bar, each a fifth below the one before, with so many of them turned to others."""
    roots = [(48 + 5 * step % 12) + (step in steps) for step in range(5)]
    return make_notes((2000 * bar, 2000, root + above, 80) for bar, root in enumerate(roots) for above in (0, 4, 7))


def test_bigrams_of_all_pieces_are_compared():
    metric = hub_metrics.ChordBigramDivergence()
    lines = {"bar_lines_ms": [FIVE_BARS, FIVE_BARS]}
    same = metric.compute(predictions=[circle(()), circle((2,))], references=[circle((2,)), circle(())], **lines)
    assert same == {"chord_bigram_divergence": pytest.approx(0, abs=1e-12)}
    other = metric.compute(predictions=[circle((1, 3))] * 2, references=[circle(())] * 2, **lines)
    assert other["chord_bigram_divergence"] == 1  # every root a semitone off its fifth


def test_a_classifier_tells_what_is_different():
    pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'pianalysis[evaluation]'")
    generator = np.random.default_rng(0)
    human = [
        make_notes((250 * step, 250, int(pitch), 80) for step, pitch in enumerate(generator.integers(40, 60, 40)))
        for _ in range(40)
    ]
    low = [notes.copy() for notes in human]
    for notes in low:
        notes["pitch"] -= 15
    rest = {"melodies": [MELODY] * 40, "bar_lines_ms": [FIVE_BARS] * 40}
    metric = hub_metrics.ClassifierTwoSampleTest()
    assert metric.compute(predictions=low, references=human, **rest)["auc"] > 0.9
    same = metric.compute(predictions=human, references=human, **rest)
    assert same["auc"] == 0.5  # each is scored as its double is
    assert np.isnan(
        metric.compute(predictions=low[:1], references=human[:1], melodies=[MELODY], bar_lines_ms=[BARS])["auc"]
    )


def test_longest_copy_is_asked_of_an_index():
    value = hub_metrics.LongestCopy().compute(predictions=[BELOW, OTHER], index=INDEX)
    assert value == {"longest_copy": 2.5, "longest_copy_of_all": 3}


def test_pieces_without_a_value_are_left_out_of_the_mean():
    value = hub_metrics.ClashRate().compute(predictions=[BELOW, BELOW], references=[MELODY, make_notes()])
    assert value == {"clash_rate": harmony.clash_rate(MELODY, BELOW)}
    assert np.isnan(hub_metrics.ClashRate().compute(predictions=[BELOW], references=[make_notes()])["clash_rate"])

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
from pianalysis.music.clock import tempo_fold
from pianalysis.music.midi import track_notes
from pianalysis.music.notes import make_notes
from pianalysis.music.timed import score_of_notes

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
OWN = hub_metrics.own_chords(BELOW, BARS, (4, 4, 500))
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
    assert metric().compute(predictions=[BELOW], beats_ms=500, **columns) == pytest.approx(expected, nan_ok=True)


def test_rows_and_arrays_one_by_one_or_together_are_the_same():
    expected = hub_metrics.PitchConsonanceScore().compute(
        predictions=[BELOW, OTHER], references=[MELODY, MELODY], beats_ms=500
    )
    metric = hub_metrics.PitchConsonanceScore()
    assert (
        metric.compute(predictions=[rows(BELOW), rows(OTHER)], references=[rows(MELODY)] * 2, beats_ms=500) == expected
    )
    metric.add(prediction=BELOW, reference=MELODY, beats_ms=500)
    metric.add_batch(predictions=[rows(OTHER)], references=[rows(MELODY)], beats_ms=[500])
    assert metric.compute() == expected
    values = [harmony.pitch_consonance_score(MELODY, below, step_ms=125) for below in (BELOW, OTHER)]
    assert expected == {"pitch_consonance_score": pytest.approx(np.mean(values))}


def test_options_reach_the_function():
    metric = hub_metrics.PitchConsonanceScore()
    value = metric.compute(predictions=[BELOW], references=[MELODY], beats_ms=500, step_ms=500)
    assert value == {"pitch_consonance_score": harmony.pitch_consonance_score(MELODY, BELOW, step_ms=500)}


def test_coupling_takes_the_next_piece_as_the_other():
    value = hub_metrics.Coupling().compute(predictions=[BELOW, OTHER], references=[MELODY, MELODY], beats_ms=500)
    assert value == {"pitch_consonance_score": 0, "clash_rate": 0}  # one melody: what one gains the other loses
    with pytest.raises(PianalysisError, match="at least two pieces"):
        hub_metrics.Coupling().compute(predictions=[BELOW], references=[MELODY], beats_ms=500)


def test_overlapping_area_pooled_and_by_piece():
    value = hub_metrics.OverlappingArea().compute(predictions=[BELOW, OTHER], references=[OTHER, BELOW], beats_ms=500)
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
    value = hub_metrics.LongestCopy().compute(predictions=[BELOW, OTHER], index=INDEX, beats_ms=500)
    assert value == {"longest_copy": 2.5, "longest_copy_of_all": 3}


def test_pieces_without_a_value_are_left_out_of_the_mean():
    value = hub_metrics.ClashRate().compute(predictions=[BELOW, BELOW], references=[MELODY, make_notes()])
    assert value == {"clash_rate": harmony.clash_rate(MELODY, BELOW)}
    assert np.isnan(hub_metrics.ClashRate().compute(predictions=[BELOW], references=[make_notes()])["clash_rate"])


# --- where the beats are


def as_score(notes, *, bpm, metre=(4, 4)):
    """Notes on the beat clock as a score at a tempo."""
    quarter_ms = 500 * tempo_fold(bpm)
    score = score_of_notes(notes, beats_ms=quarter_ms, metre=metre)
    score.tempos[0].mspq = round(60_000_000 / bpm)
    return score


ALWAYS = (hub_metrics.ClassifierTwoSampleTest, hub_metrics.Coupling)
"""These take more pieces than one."""
IN_BEATS = [metric for metric in ALL if metric.in_beats and metric not in ALWAYS]


WITHOUT_VALUE = (hub_metrics.SelfSimilarity, hub_metrics.ChordBigramDivergence)
"""Of a bar of music."""


def inputs_of(metric, melody, *, scale=1.0):
    """What a metric takes beside predictions and bar lines; times on another clock are so much longer."""
    inputs = {"references": [melody]} if "references" in metric.columns else {}
    if metric in (hub_metrics.ChordAccuracy, hub_metrics.ChordTones):
        times = ("onset_ms", "end_ms")
        inputs["references"] = [[{**row, **{name: scale * row[name] for name in times}} for row in CHORDS]]
    if metric is hub_metrics.SeamContrast:
        inputs["joints_ms"] = [[1000.0 * scale]]
    return inputs | ({"index": INDEX} if metric is hub_metrics.LongestCopy else {})


@pytest.mark.parametrize("metric", IN_BEATS)
def test_an_array_alone_is_refused_with_what_to_do(metric):
    with pytest.raises(PianalysisError, match=r"say where the beats are: beats_ms, the length of a quarter"):
        metric().compute(predictions=[BELOW], **inputs_of(metric, MELODY))


@pytest.mark.parametrize("metric", IN_BEATS)
@pytest.mark.parametrize("bpm", [60, 90, 120, 180])
def test_files_scores_and_arrays_with_their_beats_have_the_same_values(metric, bpm, tmp_path_factory):
    """In real milliseconds at any tempo as on the beat clock; nothing is right at 120 quarters a minute only."""
    score, tune = as_score(BELOW, bpm=bpm), as_score(MELODY, bpm=bpm)
    scale = 60_000 / bpm / (500 * tempo_fold(bpm))
    real, melody = (track_notes(part, part.tracks) for part in (score, tune))
    inputs = inputs_of(metric, tune, scale=scale)
    expected = metric().compute(predictions=[score], **inputs)
    assert any(not np.isnan(value) for value in expected.values()) or metric in WITHOUT_VALUE
    path = tmp_path_factory.mktemp("files") / "below.mid"
    score.dump_midi(path)
    asked = {"predictions": [real], **inputs_of(metric, melody, scale=scale), "beats_ms": 60_000 / bpm}
    times = {**asked, "beats_ms": [60_000 / bpm * np.arange(12)]}
    with_file = {**inputs, "predictions": [str(path)]}
    if bpm == 120:  # there the beat clock is real time
        on_clock = metric().compute(predictions=[BELOW], **inputs_of(metric, MELODY), beats_ms=500)
        assert on_clock == pytest.approx(expected, abs=2e-3, nan_ok=True)
    for way in (asked, times, with_file):
        assert metric().compute(**way) == pytest.approx(expected, abs=2e-3, nan_ok=True)


def test_real_milliseconds_no_longer_halve_the_notes_per_beat():
    notes = make_notes((200 * n, 200, 60, 80) for n in range(52))
    statistics_of = hub_metrics.PieceStatistics()
    assert statistics_of.compute(predictions=[notes], beats_ms=520)["notes_per_beat"] == pytest.approx(2.6)
    with pytest.raises(PianalysisError, match="PieceStatistics, predictions, piece 1: expected notes that say"):
        statistics_of.compute(predictions=[notes])


def test_each_piece_may_have_beats_of_its_own():
    slow, fast = (make_notes((gap * n, gap, 60, 80) for n in range(8)) for gap in (1000, 500))
    for beats in ([1000, 500], [1000, np.arange(9) * 500.0], [np.arange(5) * 1000, 500]):
        found = hub_metrics.PieceStatistics().compute(predictions=[slow, fast], beats_ms=beats)
        assert found["notes_per_beat"] == 1
    with pytest.raises(PianalysisError, match="a list of one for each of 2, found 3"):
        hub_metrics.PieceStatistics().compute(predictions=[slow, fast], beats_ms=[500] * 3)


@pytest.mark.parametrize("beats", [0, -1, float("nan"), [[0.0]], [[0.0, 0.0]], [[5.0, 1.0]]])
def test_beats_that_are_none_are_refused(beats):
    with pytest.raises(PianalysisError, match="expected"):
        hub_metrics.PieceStatistics().compute(predictions=[BELOW], beats_ms=beats)


def test_a_score_says_its_metre_and_its_bars():
    notes = make_notes((500 * n, 500, 48 + 12 * (n % 3 > 0), 80) for n in range(24))
    waltz = as_score(notes, bpm=100, metre=(3, 4))
    expected = statistics.piece_statistics(notes, bar_ms=1500, step_ms=125, beat_ms=500)
    assert hub_metrics.PieceStatistics().compute(predictions=[waltz]) == pytest.approx(expected)
    given = hub_metrics.PieceStatistics().compute(predictions=[notes], beats_ms=500, metre=(3, 4))
    assert given == pytest.approx(expected)
    of_each = hub_metrics.PieceStatistics().compute(predictions=[notes, waltz], beats_ms=500, metre=[(3, 4), (3, 4)])
    assert of_each == pytest.approx(expected)
    assert hub_metrics.OwnChords().compute(predictions=[waltz], references=[waltz])["chord_tone_share"] == 1

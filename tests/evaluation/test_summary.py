"""Bootstrap intervals, means over songs beside the human ones, and the tables of them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from songs import waltz

from pianalysis.arranging.arranger import Options
from pianalysis.evaluation.bootstrap import RESAMPLES, mean_interval, resamples
from pianalysis.evaluation.piece_metrics import longest_gap_ms, on_bars, piece_measures
from pianalysis.evaluation.references import chords_by_rule
from pianalysis.evaluation.run import references
from pianalysis.evaluation.sampling_grid import COMPARED, SHARES_COMPARED, distance, grid
from pianalysis.evaluation.songs import read_song
from pianalysis.evaluation.summary import Voices, measure_systems, summarise, telling
from pianalysis.metrics.names import HUMAN, METRICS, TWO_SAMPLE
from pianalysis.metrics.repetition import CopyIndex
from pianalysis.music.notes import make_notes
from pianalysis.publishing.tables import LEGEND, arrangement_tables, cell, settings_table, systems_table, telling_table


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=40))
def test_an_interval_holds_the_mean_and_lies_among_the_values(values):
    interval = mean_interval(values)
    assert interval.low <= interval.mean <= interval.high
    assert min(values) - 1e-9 <= interval.low
    assert interval.high <= max(values) + 1e-9
    assert interval == mean_interval([*values, float("nan")])  # seeded, and of the songs that have a value


def test_equal_values_have_an_interval_of_width_0_and_none_has_none():
    assert mean_interval([0.25] * 7).low == mean_interval([0.25] * 7).high == 0.25
    assert np.isnan(mean_interval([float("nan")]).mean)


def test_an_interval_is_as_wide_as_theory_says():
    values = np.random.default_rng(1).normal(size=400)
    interval = mean_interval(values)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * values.std() / 20, rel=0.1)


def test_resamples_are_seeded():
    assert resamples(5).shape == (RESAMPLES, 5)
    assert (resamples(5, seed=1) == resamples(5, seed=1)).all()
    assert (resamples(5, seed=1) != resamples(5, seed=2)).any()


@pytest.fixture
def few_resamples(monkeypatch):
    monkeypatch.setattr("pianalysis.evaluation.bootstrap.RESAMPLES", 5)


@pytest.fixture(scope="module")
def songs():
    rows = [waltz(first_bar=first, quarter_ms=quarter) for first, quarter in ((0, 600), (1, 500), (2, 700))]
    for number, row in enumerate(rows):
        row["accompaniment"] += [{**note, "pitch": 52 + number} for note in row["accompaniment"][number:]]
    return [read_song(row) for row in rows]


def test_every_metric_is_measured_of_every_system(songs, few_resamples):
    index = CopyIndex.build([songs[0].accompaniment])
    summary = summarise(measure_systems(songs, references(songs, songs), index))
    assert [*summary] == ["human", "other song's", "block chords"]
    for figures in summary.values():
        assert set(figures) == set(METRICS)
    human, chords = summary[HUMAN], summary["block chords"]
    assert (human["melody_recall"]["mean"], human["pcs"]["songs"]) == (1.0, 3)
    assert human["longest_copy"]["mean"] >= len(songs[0].accompaniment) / 3  # the first song is the index
    assert human["pcs"]["minus_human"]["mean"] == 0
    expected = np.mean(
        [
            piece_measures(song, song.melody, chords_by_rule(song), None, None)["pcs"]
            - piece_measures(song, song.melody, song.accompaniment, None, None)["pcs"]
            for song in songs
        ]
    )
    assert chords["pcs"]["minus_human"]["mean"] == pytest.approx(expected, abs=1e-6)
    assert chords["area_pitch"]["mean"] < 1
    assert chords["area_velocity"]["mean"] == 1  # all notes of both are at 64
    json.dumps(summary, allow_nan=False)


def test_the_coupling_takes_off_what_the_systems_other_piece_would_get(songs, few_resamples):
    """The same notes under every melody are owed to none of them."""
    drone = make_notes([(0, 60_000, 48, 80)])
    same = [[Voices(song.melody, drone)] for song in songs]
    figures = summarise(measure_systems(songs, {**references(songs, songs), "drone": same}))["drone"]
    assert figures["pcs_coupling"]["mean"] == 0
    assert figures["clash_coupling"]["mean"] == 0
    assert figures["pcs"]["mean"] > 0


def test_takes_are_averaged_and_a_missing_value_is_none(songs, few_resamples):
    empty, full = Voices(songs[0].melody, make_notes()), Voices(songs[0].melody, songs[0].accompaniment)
    systems = {HUMAN: [[full]], "half": [[empty, full]]}
    figures = summarise(measure_systems(songs[:1], systems))
    assert figures["half"]["notes_per_beat"]["mean"] == pytest.approx(
        figures[HUMAN]["notes_per_beat"]["mean"] / 2, abs=1e-6
    )
    assert figures["half"]["pcs"]["mean"] == figures[HUMAN]["pcs"]["mean"]  # of the take that has one
    assert figures["half"]["longest_copy"]["mean"] is None


def triads(roots, *, bar_ms=1_500):
    """A major triad a bar."""
    rows = ((bar_ms * bar, bar_ms, 48 + root + above, 80) for bar, root in enumerate(roots) for above in (0, 4, 7))
    return make_notes(rows)


def test_what_compares_sets_of_songs_is_against_the_human_ones(few_resamples):
    pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'pianalysis[evaluation]'")
    songs = [read_song(waltz(13, first_bar=0, quarter_ms=500 + 5 * number)) for number in range(12)]
    human = [
        [Voices(song.melody, triads([(5 * bar + number) % 12 for bar in range(12)]))]
        for number, song in enumerate(songs)
    ]
    same = [[Voices(song.melody, piece[0].accompaniment)] for song, piece in zip(songs, human, strict=True)]
    other = [
        [Voices(song.melody, triads([(bar + number) % 12 for bar in range(12)]))] for number, song in enumerate(songs)
    ]
    measured = measure_systems(songs, {HUMAN: human, "same": same, "other": other})
    figures = summarise(measured)
    assert figures[HUMAN]["bigram_divergence"]["mean"] == figures["same"]["bigram_divergence"]["mean"] == 0
    assert figures["other"]["bigram_divergence"]["mean"] == 1  # up a semitone, never down a fifth
    assert figures["other"]["bigram_divergence"]["songs"] == 12
    assert figures["same"]["two_sample"]["mean"] == 0.5
    assert figures["other"]["two_sample"]["mean"] > 0.95
    assert figures["other"]["falling_fifths"]["mean"] == 0
    assert figures[HUMAN]["falling_fifths"]["mean"] == 1
    assert 0 <= figures[HUMAN]["two_sample"]["low"] <= figures[HUMAN]["two_sample"]["high"] <= 1
    found = telling(measured, count=100)
    assert [*found] == ["same", "other"]
    assert found["other"]["falling_fifths"] == 0  # always fewer
    assert set(found["same"].values()) == {0.5}
    assert "share of root motions down a fifth: lower, 0.00" in telling_table(found)


def test_chords_of_a_song_by_hand():
    row = waltz(8, first_bar=0, quarter_ms=500)
    for number, note in enumerate(row["melody"]):
        note["pitch"] = (60, 64, 67, 65, 69, 72, 71, 67, 62, 60, 67, 60)[number % 12]
    row["chords"] = [{"onset_ms": 0.0, "end_ms": 12_000.0, "label": "C:maj"}]
    row["chord_source"] = "label"
    song = read_song(row)
    values = piece_measures(song, song.melody, triads([0, 5, 7, 0, 0, 5, 7, 0]), None, None)
    expected = {
        "chord_tones": (4 * 3 + 2 * 1 + 2 * 1) / 24,  # F has C in common, G has G
        "own_chord_tones": 1,
        "chord_root": 4 / 8,
        "chord_major_minor": 4 / 8,
        "root_in_bass": 1,  # one chord, whose first beat has C below
        "own_root_in_bass": 1,
        "out_of_key": 0,
        "chord_changes": 6 / 8,  # C F G C, C F G C
        "distinct_chords": 3,
        "falling_fifths": 4 / 6,  # C to F and G to C
        "final_tonic": 1,
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected)
    excerpt = read_song(row, seconds=6.0)
    assert np.isnan(piece_measures(excerpt, excerpt.melody, triads([0, 5, 7, 0]), None, None)["final_tonic"])


def test_gaps_by_hand():
    melody = make_notes([(0, 1_000, 72, 80), (2_000, 1_000, 72, 80)])
    assert longest_gap_ms(melody, make_notes()) == 2_000
    assert longest_gap_ms(melody, make_notes([(0, 2_500, 48, 80)])) == 500
    assert longest_gap_ms(melody, make_notes([(500, 1, 48, 80)])) == 1_499  # 499 to the rest, 1,000 after it
    assert longest_gap_ms(melody, make_notes([(0, 3_000, 48, 80), (0, 10, 55, 80)])) == 0


def test_bars_are_counted_from_the_first_whole_one():
    row = waltz(first_bar=0)
    song = read_song(row)
    song.clock.bar_lines[1:] -= 1_000  # an upbeat of a beat
    assert on_bars(make_notes([(0, 1, 60, 80), (500, 1, 60, 80)]), song)["onset_ms"].tolist() == [1_000, 1_500]


FIGURE = {"mean": 0.5, "low": 0.4, "high": 0.6, "songs": 3, "minus_human": {"mean": -0.125, "low": -0.2, "high": 0.1}}
NONE = {"mean": None, "low": None, "high": None, "songs": 0}


def test_tables_by_hand():
    assert cell(FIGURE, 2, difference=False) == "0.50 [0.40, 0.60]"
    assert cell(FIGURE, 3, difference=True) == "0.500 [0.400, 0.600] (−0.125)"
    systems = {HUMAN: {"pcs": FIGURE, "longest_copy": NONE}, "small": {"pcs": FIGURE, "longest_copy": NONE}}
    table = (
        "| | human | small |\n|---|--:|--:|\n"
        "| pitch consonance score (PCS) | 0.50 [0.40, 0.60] | 0.50 [0.40, 0.60] (−0.12) |"
    )
    assert systems_table(systems) == table  # a metric that nobody has is left out
    about = {"songs": 3, "seconds": 90.0, "takes": 2, "seed": 0, "temperature": 0.9, "top_k": 50, "top_p": 0.95}
    figures = {"pop909/test": {"arrangements": {**about, "systems": systems}}, "folder/test": {}}
    head = "**POP909**, 3 test songs, the first 90 s of each from the bar in which its melody begins, 2 takes, "
    head += "temperature 0.9, top-k 50, top-p 0.95:"
    assert arrangement_tables(figures) == f"{head}\n\n{table}\n\n{LEGEND}"
    assert arrangement_tables({"folder/test": {}}) == ""
    figures["pop909/test"]["arrangements"] |= {"density": "mid", "chord_sources": ["label", "rule"]}
    said = "density mid for every song; the songs' chords: labels that come with the corpus and read by rule off"
    assert said in arrangement_tables(figures)


def figures_with(changes):
    """A system that is as people are, but for some figures: the mean, and its difference from the human mean."""
    same = {name: {"mean": 0.5 if name == TWO_SAMPLE else 1.0, "minus_human": {"mean": 0.0}} for name in METRICS}
    return same | {name: {"mean": mean, "minus_human": {"mean": minus}} for name, (mean, minus) in changes.items()}


def test_the_distance_is_in_human_standard_deviations_or_in_shares():
    spread, parts = dict.fromkeys(METRICS, 0.5), 15  # eight metrics, three shares, three areas, the two-sample test
    assert distance(figures_with({}), spread) == 0
    changes = {
        "clash_rate": (1.0, 2.0),
        "chord_root": (0.75, -0.25),
        "area_pitch": (0.0, -1.0),
        TWO_SAMPLE: (0.75, 0.0),
    }
    assert distance(figures_with(changes), spread) == pytest.approx((2.0 / 0.5 + 0.25 + 1 + 0.5) / parts)
    assert distance(figures_with({"pcs": (0.0, -1.0)}), spread) == 0  # consonance isn't what is aimed at
    unknown = {"chord_root": (None, None), TWO_SAMPLE: (None, None), "clash_rate": (1.0, 2.0)}
    assert distance(figures_with(unknown), spread) == pytest.approx(4 / (parts - 2))
    assert distance(figures_with(unknown), {**spread, "clash_rate": 0.0}) == 0  # where people are all alike, no unit
    nothing = figures_with(dict.fromkeys(METRICS, (None, None)))
    assert np.isnan(distance(nothing, spread))


@given(st.dictionaries(st.sampled_from([*COMPARED, *SHARES_COMPARED]), st.floats(-1, 1)), st.floats(0, 1))
def test_whatever_differs_more_is_farther_on_either_side(minus, auc):
    spread = dict.fromkeys(METRICS, 0.25)
    near = distance(figures_with({name: (1.0, value) for name, value in minus.items()}), spread)
    mirrored = distance(figures_with({name: (1.0, -value) for name, value in minus.items()}), spread)
    twice = distance(figures_with({name: (1.0, 2 * value) for name, value in minus.items()}), spread)
    assert near == mirrored
    assert twice == pytest.approx(2 * near)
    assert distance(figures_with({TWO_SAMPLE: (auc, 0.0)}), spread) == pytest.approx(2 * abs(auc - 0.5) / 15)


def test_settings_by_hand():
    settings = grid(Options(style="classical"))
    assert len({(options.temperature, options.top_p) for options in settings}) == 15
    assert {options.style for options in settings} == {"classical"}
    metrics = dict.fromkeys(METRICS, FIGURE)
    rows = [{"temperature": 0.9, "top_p": 1.0, "distance": 0.25, "metrics": metrics}]
    lines = settings_table(rows, metrics).splitlines()
    assert lines[0].startswith("| temperature | top-p | distance | pitch consonance score (PCS) |")
    assert lines[2].startswith("| 0.9 | 1 | 0.25 | 0.50 | 0.50 | 0.500 |")
    assert lines[3].startswith("| human | | | 0.50 | 0.50 | 0.500 |")

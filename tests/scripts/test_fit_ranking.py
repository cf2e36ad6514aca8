"""The recipe for the looks of human pieces that takes are ranked by, on made-up songs and by hand."""

from __future__ import annotations

import re
import shutil
from dataclasses import asdict

import pytest
from songs import waltz, write_dataset

from pianalysis.arranging.arranger import Arranger
from pianalysis.arranging.ranking import Look, read_people
from pianalysis.evaluation.run import read_songs
from pianalysis.evaluation.songs import read_song
from pianalysis.model.gpt2 import make_model, save_model


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = write_dataset(tmp_path_factory.mktemp("waltzes"))
    for path in folder.glob("*/test-*.parquet"):
        shutil.copy(path, path.with_name(path.name.replace("test", "validation")))
    return str(folder)


def test_what_is_printed_is_written_and_ranking_reads_it(script, dataset, tmp_path, capsys):
    save_model(make_model("tiny", seed=0), tmp_path)
    file = tmp_path / "people.json"
    argv = ["--dataset", dataset, "--model", str(tmp_path), "--songs", "2"]
    assert script("fit_ranking").main(argv) == 0
    assert not file.exists()
    printed = capsys.readouterr().out
    assert script("fit_ranking").main([*argv, "--write", str(file)]) == 0
    assert capsys.readouterr().out == printed
    people = read_people(file)
    assert {style: of.songs for style, of in people.items()} == {"classical": 2, "pop": 2}
    rows = {cells[1]: cells[2:] for line in printed.splitlines()[2:] if (cells := re.split(r" *\| *", line)[:-1])}
    for style, of in people.items():
        means = [f"{value:.3f}" for value in asdict(of.mean).values()]
        assert [cell.split(" ± ")[0] for cell in rows[style]] == ["2", *means]


def test_a_style_is_the_mean_of_its_songs(script, dataset):
    recipe = script("fit_ranking")
    arranger = Arranger(make_model("tiny", seed=0))
    songs = read_songs(dataset, "validation", 90.0)["pop909"]
    looks = [recipe.look_at(arranger, song) for song in songs]
    (row,) = recipe.people(arranger, songs).values()
    assert row["songs"] == len(songs) == 3
    assert row["mean"]["surprise"] == pytest.approx(sum(seen.surprise for seen in looks) / 3, abs=1e-4)


def test_means_and_deviations_by_hand(script):
    row = script("fit_ranking").summary([Look(0.0, 0.25, 0.5, 1.0, 0.5), Look(1.0, 0.25, 0.0, 0.5, None)])
    assert row["mean"] == asdict(Look(0.5, 0.25, 0.25, 0.75, 0.5))
    assert row["standard_deviation"] == asdict(Look(0.5, 0.0, 0.25, 0.25, 0.0))


def test_a_songs_chords_are_its_chart_in_real_time_and_bars(script):
    """At 60 bpm and at 120: the chart is on the beats of the arranger's clock, whatever its own times."""
    for quarter_ms in (1000, 500):
        row = waltz(4, first_bar=0, quarter_ms=quarter_ms)
        bar = 3.0 * quarter_ms
        row["chords"] = [
            {"onset_ms": 0.0, "end_ms": bar + 2 * quarter_ms, "label": "C:maj"},
            {"onset_ms": bar + 2 * quarter_ms, "end_ms": 3 * bar, "label": "G:7/3"},
            {"onset_ms": 3 * bar, "end_ms": 4 * bar, "label": "N"},
        ]
        song = read_song(row)
        arranger = Arranger(make_model("tiny", seed=0))
        recipe = script("fit_ranking")
        chart = recipe.chart_of(song, song.clock)
        assert chart.text() == "C | C G7/B | G7/B | N.C."  # of three beats C has two
        seen = recipe.look_at(arranger, song)  # it plays C all the time
        assert (seen.chord_tones, seen.chord_bass) == (pytest.approx(5 / 9), 1 / 2)


def test_songs_without_chords_are_refused(script, dataset, monkeypatch, capsys, tmp_path):
    save_model(make_model("tiny", seed=0), tmp_path)
    recipe = script("fit_ranking")
    row = waltz(4, first_bar=0)
    row["chords"] = []
    monkeypatch.setattr(recipe, "read_songs", lambda *_: {"pop909": [read_song(row)]})
    assert recipe.main(["--dataset", dataset, "--model", str(tmp_path)]) == 2
    assert "expected songs with chords, found none" in capsys.readouterr().err


def test_a_folder_without_a_dataset_is_one_line(script, tmp_path, capsys):
    assert script("fit_ranking").main(["--dataset", str(tmp_path)]) == 2
    assert "expected" in capsys.readouterr().err

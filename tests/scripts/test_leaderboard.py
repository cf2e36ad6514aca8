"""The leaderboard on made-up songs, others' outputs by path, and the document of the metrics."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT
from judged import folders
from songs import write_dataset

from pianalysis.evaluation import judge
from pianalysis.evaluation.judging import OF_THE_SONGS_CHORDS
from pianalysis.evaluation.run import read_songs, references
from pianalysis.evaluation.summary import measure_systems, summarise
from pianalysis.metrics.names import HUMAN, METRICS
from pianalysis.model.gpt2 import make_model, save_model


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("pianalysis.evaluation.bootstrap.RESAMPLES", 20)


def test_systems_stand_side_by_side(script, tmp_path, capsys):
    model = make_model("tiny", seed=0)
    save_model(model, tmp_path / "model")
    dataset = write_dataset(tmp_path / "waltzes")
    argv = ["--dataset", str(dataset), "--songs", "2", "--corpus", "pop909", "--folder", str(tmp_path / "board")]
    assert script("make_leaderboard").main([*argv, "--num-proc", "1", "--model", str(tmp_path / "model")]) == 0
    said = capsys.readouterr()
    assert "# " not in said.err  # every file is read as it was written: in time, on its clock, its melody whole
    rows = dict(re.findall(r"^\| ([^|]+?) \| (.*) \|$", said.out, re.MULTILINE))
    assert {"people", "other song's", "block chords"} < rows.keys()
    assert any(name.startswith("ours, ") for name in rows)
    assert all(row.endswith("1.000 [1.000, 1.000]") for name, row in rows.items() if name != "---")
    assert "2 of the 3 test songs" in said.out
    system = ["--system", f"theirs={tmp_path / 'board' / 'pop909' / 'block chords'}"]
    assert script("make_leaderboard").main([*argv, *system]) == 0
    again = dict(re.findall(r"^\| ([^|]+?) \| (.*) \|$", capsys.readouterr().out, re.MULTILINE))
    assert again["theirs"] == again["block chords"] == rows["block chords"]


def test_what_is_read_from_files_is_measured_as_the_evaluation_measures_it(script, tmp_path):
    """The judge finds melody, metre, excerpt and chords from MIDI alone; the evaluation has them from the dataset."""
    board, dataset = script("make_leaderboard"), write_dataset(tmp_path / "waltzes")
    for corpus, songs in read_songs(str(dataset), "test", 90.0).items():
        folder = tmp_path / corpus
        board.write_songs(songs, folder)
        systems = references(songs, songs)
        for name, pieces in systems.items():
            board.write_pieces(songs, [takes[0].accompaniment for takes in pieces], folder / name)
        others = {name: folder / name for name in systems if name != HUMAN}
        judged = judge(folder / "melodies", others, references=folder / HUMAN).systems
        measured = summarise(measure_systems(songs, systems), classify=False)
        for name, figures in judged.items():
            for metric in figures.keys() - set(OF_THE_SONGS_CHORDS):
                found, wanted = figures[metric]["mean"], measured[name][metric]["mean"]
                assert found == (wanted if wanted is None else pytest.approx(wanted, abs=2e-3)), (name, metric)


def test_outputs_of_others_have_a_table_of_their_own(script, tmp_path, capsys):
    root = folders(tmp_path, songs=2)
    words = [str(root / name) for name in ("melodies", "out", "people")]
    argv = ["--songs", "0", "--published", "Theirs", *words, "--published", "Alone", words[1], words[1]]
    assert script("make_leaderboard").main(argv) == 0
    said = capsys.readouterr().out
    assert "## Theirs, as published" in said
    assert "## Alone, as published" in said
    assert "Left out: the classifier two-sample test" in said
    assert script("make_leaderboard").main(["--songs", "0", "--published", "Theirs"]) == 2
    assert "expected --published NAME MELODIES ARRANGEMENTS [PEOPLE]" in capsys.readouterr().err


def test_tables_that_a_run_does_not_make_stay(script, tmp_path, monkeypatch):
    board = script("make_leaderboard")
    monkeypatch.setattr(board, "ROOT", tmp_path)
    monkeypatch.setattr(board, "BOARD", tmp_path / "board.md")
    (tmp_path / "board.md").write_text("# Old\n\nwords\n\n## POP909\n\n| 1 |\n\n## Alone, as published\n\n| 2 |\n")
    root = folders(tmp_path, songs=2)
    words = ["Alone", str(root / "out"), str(root / "out")]
    assert board.main(["--songs", "0", "--published", *words, "--write"]) == 0
    text = (tmp_path / "board.md").read_text()
    assert text.startswith(board.HEAD)
    assert text.count("## POP909\n\n| 1 |") == text.count("## Alone, as published") == 1
    assert "| 2 |" not in text
    assert text.rstrip().endswith("--write`.")


def test_every_metric_is_explained_and_what_people_have_is_the_cards(script):
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL))
    assert sections.keys() == METRICS.keys()
    for name, section in sections.items():
        assert "* Formula: " in section, name
        assert "* Doesn't tell: " in section, name
    card = (ROOT / "model_card.md").read_text(encoding="utf-8")
    assert script("write_metrics_doc").with_people(text, card) == text
    columns = script("write_metrics_doc").human_columns(card)
    assert len(columns) == 4
    assert all(len(column) > 30 for column in columns.values())

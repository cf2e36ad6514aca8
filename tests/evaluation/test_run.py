"""An evaluation from beginning to end, on made-up songs: interrupted, gone on with, reported, put into the cards."""

from __future__ import annotations

import json
import signal
import sys
from contextlib import nullcontext
from dataclasses import replace

import datasets
import numpy as np
import pytest
from forked import killed_after
from songs import write_dataset

from pianalysis import processes
from pianalysis.evaluation.likelihoods import rows_of_corpora
from pianalysis.evaluation.report import write_report
from pianalysis.evaluation.run import EvaluationOptions, evaluate, name_models
from pianalysis.model.gpt2 import make_model, save_model
from pianalysis.music.midi import read_midi
from pianalysis.publishing.model_card import model_card
from pianalysis.publishing.records import RunRecord
from pianalysis.publishing.tables import SHORT


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr("pianalysis.evaluation.bootstrap.RESAMPLES", 10)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return str(write_dataset(tmp_path_factory.mktemp("waltzes")))


def test_likelihood_leaves_lead_sheets_out(monkeypatch):
    """They end at their last <sep>: there is nothing to be likely."""
    whole, sheet = [1, 8, 6, 3, 3, 109, 12, 60, 750, 2], [1, 8, 6, 3, 3]
    windows = {"corpus": ["b", "openewld", "a", "b", "b"], "input_ids": [whole, sheet, whole, sheet, whole]}
    monkeypatch.setattr(
        "pianalysis.evaluation.likelihoods.load_windows", lambda *_: datasets.Dataset.from_dict(windows)
    )
    assert rows_of_corpora("x", "test") == {"a": (2,), "b": (0, 4)}
    assert rows_of_corpora("x", "test", limit=1) == {"a": (2,), "b": (0,)}


@pytest.fixture(scope="module")
def model(tmp_path_factory, tiny_model):
    folder = tmp_path_factory.mktemp("tiny")
    save_model(tiny_model, folder)
    return str(folder)


class Bar:
    def update(self, n):
        pass


def show(what, total, unit):
    return nullcontext(Bar())


RECORD = RunRecord(
    {"model": "tiny", "dataset": "data/x", "optimizer": "adamw", "learning_rate": 0.1}, 1, 1, 1.0, "cpu", 1, 5.0
)


def small(dataset, model, **changes):
    return EvaluationOptions(dataset, (model,), seconds=4.0, preset="tiny", **changes)


def test_killed_between_songs_and_started_again_it_gives_the_same_json(
    script, dataset, model, tmp_path, capsys, monkeypatch
):
    common = ["--dataset", dataset, "--model", model, "--seconds", "4", "--preset", "tiny", "--songs", "2"]
    common += ["--num-proc", "1"]

    def argv(name):
        return [*common, "--report", str(tmp_path / name), "--json", str(tmp_path / f"{name}.json")]

    files = 4 + 5  # four parts of likelihood, two takes (a MIDI and a JSON each), and the MIDI of a third
    evaluate_model = script("evaluate_model")
    few = {"pianalysis.evaluation.bootstrap.RESAMPLES": 10}
    assert killed_after(files, evaluate_model.main, argv("killed"), **few) == -signal.SIGKILL
    done = {path: path.stat().st_mtime_ns for path in (tmp_path / "killed" / "pieces").rglob("*.json")}
    assert len(done) == 2
    assert not (tmp_path / "killed.json").exists()
    with monkeypatch.context() as patched:  # its pictures would be those of the whole one
        patched.setattr("pianalysis.evaluation.report._pictures", lambda *_: [])
        assert evaluate_model.main(argv("killed")) == 0
    assert evaluate_model.main(argv("whole")) == 0
    assert (tmp_path / "killed.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert all(path.stat().st_mtime_ns == at for path, at in done.items())  # not made again
    assert not list(tmp_path.rglob("*.tmp"))
    check_report(tmp_path / "whole", json.loads((tmp_path / "whole.json").read_text()), capsys.readouterr().out)


def check_report(folder, figures, said):
    assert [*figures] == ["openscore_lieder/test", "pop909/test"]
    systems = figures["pop909/test"]["arrangements"]["systems"]
    assert [*systems] == ["human", "other song's", "block chords", "tiny"]
    assert systems["tiny"]["melody_recall"]["mean"] == 1
    assert systems["block chords"]["chord_changes"]["songs"] == 2
    about = figures["pop909/test"]["arrangements"]
    assert (about["density"], about["chord_sources"]) == ("mid", ["rule"])
    assert {json.loads(path.read_text())["density"] for path in (folder / "pieces" / "tiny").glob("*.json")} == {"mid"}
    assert figures["pop909/test"]["model"]["nats_per_note"] == pytest.approx(
        figures["pop909/test"]["untrained"]["nats_per_note"]
    )  # the model is the untrained one
    report = (folder / "report.md").read_text()
    assert "| melody recall | 1.000 [1.000, 1.000] |" in report
    assert "| melody recall | 1.000 [1.000, 1.000] |" in said
    for name in ("metrics", "distributions", "rolls_pop909", "rolls_openscore_lieder"):
        assert f"({name}.png)" in report
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    for label in ("human", "other songs", "block chords", "tiny"):
        scores = [read_midi(path) for path in (folder / "pieces" / label).glob("*.mid")]
        assert len(scores) == 4
        assert all(score.tracks[0].name == "Melody" for score in scores)


def test_processes_and_two_models_change_nothing(dataset, model, forks, tmp_path):
    forks(processes)
    save_model(make_model("tiny", seed=1), tmp_path / "other")
    one = evaluate(small(dataset, model, songs=2), tmp_path / "one", show).figures
    both = EvaluationOptions(dataset, (model, str(tmp_path / "other")), seconds=4.0, preset="tiny", songs=2, num_proc=2)
    two = evaluate(both, tmp_path / "two", show).figures
    for place, row in one.items():
        first, second = (name.label for name in name_models(both.models))
        assert row["model"] == two[place]["model"] != two[place]["others"][second]
        systems = two[place]["arrangements"]["systems"]
        assert systems[first] == row["arrangements"]["systems"]["tiny"]
        assert systems[first] != systems[second]


def test_the_best_of_the_takes_stands_beside_their_mean(dataset, model, tmp_path):
    evaluation = evaluate(small(dataset, model, songs=2, takes=2, best=True), tmp_path, show)
    for corpus, row in evaluation.figures.items():
        systems = row["arrangements"]["systems"]
        assert [*systems][-2:] == ["tiny", "tiny, best of 2"]
        of_corpus = evaluation.pieces[corpus.split("/")[0]]
        for song, both, (best,) in zip(
            of_corpus.songs, of_corpus.systems["tiny"], of_corpus.systems["tiny, best of 2"], strict=True
        ):
            files = sorted((tmp_path / "pieces" / "tiny").glob(f"{song.name}-seed*.json"))
            distances = [json.loads(path.read_text())["distance"] for path in files]
            assert len(distances) == 2
            nearest = both[int(np.argmin(distances))]
            np.testing.assert_array_equal(best.accompaniment, nearest.accompaniment)


def test_settings_are_compared(script, dataset, model, tmp_path, monkeypatch):
    monkeypatch.setattr("pianalysis.evaluation.sampling_grid.TEMPERATURES", (0.5, 1.0))
    monkeypatch.setattr("pianalysis.evaluation.sampling_grid.TOP_PS", (0.5, 1.0))
    monkeypatch.setattr("pianalysis.evaluation.plots.DOTS_PER_INCH", 40)
    asked = small(dataset, model, songs=2, settings=True, settings_songs=1)
    evaluation = evaluate(asked, tmp_path, show)
    rows = evaluation.figures["pop909/test"]["settings"]["rows"]
    assert [(row["temperature"], row["top_p"]) for row in rows] == [(0.5, 0.5), (0.5, 1.0), (1.0, 0.5), (1.0, 1.0)]
    assert len({row["metrics"]["area_pitch"]["mean"] for row in rows}) > 1
    report = write_report(replace(evaluation, pieces={}), tmp_path, "a command").read_text()
    assert report.count("| human | | |") == 2
    assert (tmp_path / "settings_pop909.png").exists()


def test_the_tables_go_into_readme_and_cards(script, dataset, model, tmp_path, tiny_model):
    update = script("update_readme")
    figures = evaluate(small(dataset, model, songs=2), tmp_path, show).figures
    text = "before <!-- evaluation -->what was there<!-- /evaluation --> after"
    short, full = update.with_evaluation(text, figures, SHORT), update.with_evaluation(text, figures)
    assert "what was there" not in short
    assert short.startswith("before")
    assert short.endswith("after")
    assert "| groove consistency |" in full
    assert "| groove consistency |" not in short
    assert update.with_evaluation(full, {"pop909/test": {}}) == full
    for path in (update.RESULTS, *update.CARDS):
        assert "the first 4 s of each" in update.with_evaluation(path.read_text(), figures)
    card = str(model_card(tiny_model, [RECORD], figures=figures))
    assert update.with_evaluation(card, figures) == card  # made with the tables in their place
    assert "value: 1.0\n" in card
    assert "melody recall, whole songs" in card


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "expected windows/test-*.parquet"),
        (["--takes", "0"], "expected songs from 0, takes"),
        (["--best"], "expected 2 takes or more"),
        (["--temperature", "0"], "expected a temperature above 0"),
        (["--model", "no/such/model"], "no/such/model"),
    ],
)
def test_what_cannot_be_used_is_one_line(script, tmp_path, capsys, more, said):
    (tmp_path / "empty").mkdir()
    argv = ["--dataset", str(tmp_path / "empty"), "--report", str(tmp_path), *more]
    assert script("evaluate_model").main(argv) == 2
    assert said in capsys.readouterr().err


def test_without_scikit_learn_nothing_is_begun(script, dataset, model, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    argv = [
        "--dataset",
        dataset,
        "--model",
        model,
        "--preset",
        "tiny",
        "--num-proc",
        "1",
        "--report",
        str(tmp_path / "r"),
    ]
    assert script("evaluate_model").main([*argv, "--songs", "1"]) == 2
    assert "pip install 'pianalysis[evaluation]'" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
    assert script("evaluate_model").main([*argv, "--songs", "0"]) == 0  # likelihood needs none

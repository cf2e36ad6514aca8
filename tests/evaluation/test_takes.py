"""Arrangements that are kept: which are another, which are refused; and the training set read fast."""

from __future__ import annotations

import numpy as np
import pytest
from songs import write_dataset

from pianalysis.arranging.arranger import Arranger, Options
from pianalysis.dataset.rows import load_rows
from pianalysis.errors import PianalysisError
from pianalysis.evaluation.run import name_models, read_songs
from pianalysis.evaluation.songs import clock_of, notes_of_rows
from pianalysis.evaluation.takes import ModelName, Take, make_takes, song_chart
from pianalysis.evaluation.training_set import training_accompaniments
from pianalysis.metrics.chords import chord_accuracy, spans_of_labels
from pianalysis.model.gpt2 import make_model, save_model


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return str(write_dataset(tmp_path_factory.mktemp("waltzes")))


def test_a_take_is_another_with_other_weights_settings_seed_or_song(dataset):
    first, second = read_songs(dataset, "test", 4.0)["pop909"][:2]
    name = ModelName("", "tiny", "0123")
    takes = [
        Take(name, first),
        Take(name, second),
        Take(name, first, seed=1),
        Take(name, first, options=Options(top_p=0.5)),
        Take(ModelName("", "tiny", "4567"), first),
    ]
    assert len({take.key for take in takes}) == len(takes)
    assert takes[0].key == Take(name, first).key


def test_results_of_other_code_are_not_gone_on_with(dataset, monkeypatch):
    take = Take(ModelName("", "tiny", "0123"), read_songs(dataset, "test", 4.0)["pop909"][0])
    before = take.key
    monkeypatch.setattr("pianalysis.evaluation.takes.code_digest", lambda *_, **__: "another")
    assert take.key != before


def test_with_the_songs_own_chords_given_they_are_played(dataset, tmp_path):
    model = make_model("tiny", seed=0)
    model.config.plays_chords = True
    save_model(model, tmp_path / "model")
    song = next(song for song in read_songs(dataset, "test", 8.0)["pop909"] if song.chords)
    (name,) = name_models([str(tmp_path / "model")])
    free, given = Take(name, song), Take(name, song, given=True)
    assert free.key != given.key
    piece = Arranger.from_pretrained(tmp_path / "model")(song.score(), chart=song_chart(song))
    (made,) = make_takes([given], tmp_path)
    assert np.array_equal(made.accompaniment["pitch"], song.notes_of(piece.score, 1)["pitch"])
    labels = chord_accuracy(piece.chart.spans, spans_of_labels(song.chords))
    assert labels.root > 0.9  # of labels that change within a beat the longer one stays


def test_weights_that_are_not_those_asked_for_are_refused(dataset, tiny_model, tmp_path):
    save_model(tiny_model, tmp_path / "model")
    (song, *_) = read_songs(dataset, "test", 4.0)["pop909"]
    with pytest.raises(PianalysisError, match="changed"):
        make_takes([Take(ModelName(str(tmp_path / "model"), "tiny", "0123"), song)], tmp_path)


def test_the_training_set_is_read_as_its_rows_say(dataset):
    rows = load_rows(dataset, "notes", "train")
    for row, notes in zip(rows, training_accompaniments(dataset), strict=True):
        expected = clock_of(row).notes_to_clock(notes_of_rows(row["accompaniment"]))
        assert np.allclose(notes["onset_ms"], expected["onset_ms"])
        assert notes["pitch"].tolist() == expected["pitch"].tolist()

from __future__ import annotations

import json

import pytest
from strategies import add_track, simple_score

from pianalysis.cli.main import main

TUNE = [(n, 1, 60 + n % 5) for n in range(12)]


@pytest.fixture
def song(tmp_path):
    score = simple_score([(n / 2, 0.5, (40, 47, 52)[n % 3]) for n in range(24)], name="Piano")
    add_track(score, TUNE, name="主旋律")
    path = tmp_path / "song.mid"
    score.dump_midi(path)
    return path


def test_tracks_are_listed_the_likeliest_first(song, capsys):
    assert main(["tracks", str(song)]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[1].split()[0] == "2"
    assert "主旋律, one voice" in rows[1]
    assert "60–64" in rows[1]
    assert rows[3].split()[0] == "1"


def test_tracks_as_json(song, capsys):
    assert main(["tracks", str(song), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["track"], first["name"], first["notes"], first["kind"]) == (2, "主旋律", 12, "one voice")
    assert (first["lowest"], first["highest"], first["share"]) == (60, 64, 1)
    assert first["probability"] + second["probability"] == pytest.approx(1, abs=1e-3)
    assert len(first["contour"]) == len(first["picture"]) == 48


def test_a_file_of_drums_is_one_sentence(tmp_path, capsys):
    score = simple_score([])
    add_track(score, TUNE, is_drum=True)
    path = tmp_path / "beat.mid"
    score.dump_midi(path)
    assert main(["tracks", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "expected a melody, found only drums" in said.err
    assert main(["tracks", str(tmp_path / "none.mid")]) == 2

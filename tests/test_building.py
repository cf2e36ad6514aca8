from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from corpus import make_pop909, song

from pianalysis.building import PARTS_FOLDER, REPORT_FILE, BuildOptions, build_dataset, build_part
from pianalysis.cli import main
from pianalysis.dataset import load_windows
from pianalysis.notes import PianalysisError
from pianalysis.report import BuildReport, PartReport
from pianalysis.sources import CorpusSource, open_corpus
from pianalysis.validation import validate


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return CorpusSource("pop909", *make_pop909(tmp_path_factory.mktemp("corpus")))


def tree_bytes(folder):
    """Every file of a folder with the hash of its bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_number_of_processes_does_not_change_a_byte(source, tmp_path, monkeypatch):
    monkeypatch.setattr("pianalysis.building.PIECES_PER_PART", 1)
    for count in (1, 2):
        build_dataset(BuildOptions((source,), versions=True), tmp_path / str(count), num_proc=count)
    assert tree_bytes(tmp_path / "1") == tree_bytes(tmp_path / "2")
    assert not (tmp_path / "1" / PARTS_FOLDER).exists()


def test_a_part_is_not_built_again(source, tmp_path, monkeypatch):
    seen = []
    real = build_part

    def failing(part, folder):
        seen.append(part.index)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(part, folder)

    monkeypatch.setattr("pianalysis.building.PIECES_PER_PART", 1)
    monkeypatch.setattr("pianalysis.building.build_part", failing)
    with pytest.raises(KeyboardInterrupt):
        build_dataset(BuildOptions((source,)), tmp_path / "a")
    assert not (tmp_path / "a" / REPORT_FILE).exists()
    with pytest.raises(PianalysisError, match="finished"):
        validate(tmp_path / "a")
    done = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "a" / PARTS_FOLDER).glob("*.json")}
    assert len(done) == 2
    monkeypatch.setattr("pianalysis.building.build_part", real)
    build_dataset(BuildOptions((source,)), tmp_path / "a")
    build_dataset(BuildOptions((source,)), tmp_path / "b")
    assert tree_bytes(tmp_path / "a") == tree_bytes(tmp_path / "b")


def test_killed_and_run_again_it_finishes_with_the_same_bytes(source, tmp_path):
    command = [sys.executable, "-m", "pianalysis.cli", "prepare", "--corpus", "pop909", "--root", source.root]
    command += ["--splits", source.splits, "--versions", "--output"]
    killed = subprocess.Popen([*command, tmp_path / "killed"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("killed/.parts/*")) and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    for name in ("killed", "whole"):
        subprocess.run([*command, tmp_path / name], check=True, capture_output=True)
    assert tree_bytes(tmp_path / "killed") == tree_bytes(tmp_path / "whole")


def bad_folder(root):
    """A folder of a user's own in which all that can go wrong is in one place; one good piece is among it."""
    (root / "deep" / "deeper").mkdir(parents=True)
    (root / "deep" / "deeper" / "good\n🎹.mid").write_bytes(song(3))
    (root / "copy.mid").write_bytes(song(3))
    (root / "text.mid").write_text("no MIDI")
    (root / "empty.MID").write_bytes(b"")
    (root / "cut.midi").write_bytes(song(4)[:100])
    with (root / "huge.mid").open("wb") as file:
        file.truncate(200 * 2**20)
    (root / "loop").symlink_to(root)
    (root / "nowhere.mid").symlink_to(root / "missing.mid")
    with open(os.fsencode(root) + b"/caf\xe9.mid", "wb") as file:  # a name that is no UTF-8
        file.write(song(5))
    (root / "readme.txt").write_text("not looked at")


def test_a_bad_folder_is_reported_file_by_file_and_the_rest_goes_on(tmp_path):
    root = tmp_path / "mine"
    bad_folder(root)
    report = build_dataset(BuildOptions((CorpusSource("folder", str(root)),)), tmp_path / "out")
    problems = dict(report.problems)
    says = {"text.mid": "expected a MIDI", "empty.MID": "an empty file", "cut.midi": "cut off", "huge.mid": "too large"}
    says |= {"nowhere.mid": "can't be read"}
    for name, words in says.items():
        assert words in problems.pop(name)
    assert ["the same bytes" in reason for reason in problems.values()] == [True]
    assert sum(report.pieces.values()) == 2
    assert validate(tmp_path / "out").ok


def test_when_nothing_is_usable_nothing_is_left(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "text.mid").write_text("no MIDI")
    argv = ["prepare", "--corpus", "folder", "--root", str(tmp_path / "mine"), "--output", str(tmp_path / "out")]
    assert main(argv) == 2
    assert "text.mid" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_of_other_files_is_not_touched(source, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(PianalysisError, match="other files"):
        build_dataset(BuildOptions((source,)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folders_split_does_not_depend_on_names(tmp_path):
    for name, order in (("one", range(40)), ("two", range(39, -1, -1))):
        (tmp_path / name).mkdir()
        for place, number in enumerate(order):
            (tmp_path / name / f"{place}.mid").write_bytes(song(number, bars=4, bpm=60 + number))
    first, second = (open_corpus(CorpusSource("folder", str(tmp_path / name))) for name in ("one", "two"))
    bytes_of = lambda corpus, split: {corpus.files[corpus.paths[piece]]() for piece in corpus.ids[split]}  # noqa: E731
    for split in ("train", "validation", "test"):
        assert bytes_of(first, split) == bytes_of(second, split)
    assert len(first.ids["train"]) > 25


def test_the_report_counts_what_was_made(source, tmp_path):
    report = build_dataset(BuildOptions((source,), versions=True), tmp_path / "out")
    assert (report.lost, report.added, report.off_keyboard) == (0, 0, 0)
    assert report.pieces == {"pop909/train": 6, "pop909/validation": 1, "pop909/test": 1}
    assert report.windows["pop909/test"] == len(load_windows(tmp_path / "out", "test"))
    assert sum(report.dynamics.values()) == report.accompaniment_notes == 8 * 40
    assert [name.rsplit("/", 1)[1] for name, _ in report.problems] == ["001-v2.mid", "002-v2.mid", "005-v2.mid"]
    assert max(report.onset_errors) == 0  # all of it lies on the grid
    assert report.figures()["tokens an accompaniment note"] == pytest.approx(3.5 + 3 / 40, abs=0.02)
    saved = json.loads((tmp_path / "out" / REPORT_FILE).read_text())
    assert BuildReport.from_dict(saved).figures() == report.figures()


def test_reports_merge_whatever_the_parts():
    one, two = PartReport(notes=3, problems=[("a", "b")]), PartReport(notes=4)
    one.dynamics.update({"MF": 2})
    two.dynamics.update({"MF": 1, "P": 5})
    merged = BuildReport.merge([one, two], [("first", "x")])
    assert (merged.notes, merged.dynamics, merged.problems) == (7, {"MF": 3, "P": 5}, [("first", "x"), ("a", "b")])

from __future__ import annotations

import hashlib
import json
import signal
import time
from pathlib import Path

import pytest
from corpus import make_pop909, song, song_with_tune
from forked import Forked, killed_after

from pianalysis import processes
from pianalysis.cli.main import main
from pianalysis.dataset.building import BuildOptions, build_dataset, build_part, plan_parts
from pianalysis.dataset.rows import PARTS_FOLDER, REPORT_FILE, load_windows
from pianalysis.dataset.sources import CorpusSource
from pianalysis.dataset.validation import validate
from pianalysis.errors import PianalysisError


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return CorpusSource("pop909", *make_pop909(tmp_path_factory.mktemp("corpus")))


def tree_bytes(folder):
    """Every file of a folder with the hash of its bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_number_of_processes_does_not_change_a_byte(source, forks, tmp_path, monkeypatch):
    forks(processes)
    monkeypatch.setattr("pianalysis.dataset.building.PIECES_PER_PART", 1)
    for count in (1, 2):
        build_dataset(BuildOptions((source,), versions=True), tmp_path / str(count), num_proc=count)
    assert tree_bytes(tmp_path / "1") == tree_bytes(tmp_path / "2")
    assert not (tmp_path / "1" / PARTS_FOLDER).exists()


def test_a_part_is_not_built_again(source, tmp_path, monkeypatch):
    seen = []
    real = build_part

    def failing(part, folder, taken):
        seen.append(part.index)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(part, folder, taken)

    monkeypatch.setattr("pianalysis.dataset.building.PIECES_PER_PART", 1)
    monkeypatch.setattr("pianalysis.dataset.building.build_part", failing)
    with pytest.raises(KeyboardInterrupt):
        build_dataset(BuildOptions((source,)), tmp_path / "a")
    assert not (tmp_path / "a" / REPORT_FILE).exists()
    with pytest.raises(PianalysisError, match="finished"):
        validate(tmp_path / "a")
    done = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "a" / PARTS_FOLDER).glob("*.json")}
    assert len(done) == 2
    monkeypatch.setattr("pianalysis.dataset.building.build_part", real)
    build_dataset(BuildOptions((source,)), tmp_path / "a")
    build_dataset(BuildOptions((source,)), tmp_path / "b")
    assert tree_bytes(tmp_path / "a") == tree_bytes(tmp_path / "b")


# files of a build: 3 times melodies, 3 times a list and a part of 3, 6 shards, the card, the report
@pytest.mark.parametrize(("files", "finished"), [(2, False), (6, False), (17, False), (22, False), (23, True)])
def test_killed_anywhere_it_is_not_taken_for_finished_and_run_again_gives_the_same_bytes(
    source, tmp_path, whole, files, finished
):
    options = BuildOptions((source,))
    assert killed_after(files, build_dataset, options, tmp_path / "killed") == -signal.SIGKILL
    if finished:
        assert validate(tmp_path / "killed").ok
    else:
        for look in (validate, lambda folder: load_windows(folder, "train")):
            with pytest.raises((PianalysisError, FileNotFoundError), match="finished"):
                look(tmp_path / "killed")
    build_dataset(options, tmp_path / "killed")
    assert tree_bytes(tmp_path / "killed") == tree_bytes(whole)


@pytest.fixture(scope="module")
def whole(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "dataset"
    build_dataset(BuildOptions((source,)), folder)
    return folder


def test_the_command_killed_leaves_no_process_and_goes_on(source, forks, tmp_path, whole):
    command = ["prepare", "--corpus", "pop909", "--root", source.root, "--splits", source.splits]
    command += ["--num-proc", "2", "--output", str(tmp_path / "killed")]
    killed = Forked(command, tmp_path / "killed.log")
    wait(lambda: list(tmp_path.glob("killed/.parts/*")) or not killed.is_running)
    children = processes_of(killed.process.pid)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    wait(lambda: not any(Path(f"/proc/{child}").exists() for child in children))
    forks(processes)
    assert main(command) == 0
    assert tree_bytes(tmp_path / "killed") == tree_bytes(whole)


def processes_of(pid):
    """The processes that a process has started, on Linux."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return path.read_text().split() if path.exists() else []


def wait(until, seconds=60):
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def test_parts_of_another_build_are_not_taken_for_ones_own(source, tmp_path, whole):
    other = plan_parts(BuildOptions((source,), every_bar=True, versions=True), [source])[0]
    (tmp_path / "out" / PARTS_FOLDER).mkdir(parents=True)
    nothing = tmp_path / "out" / PARTS_FOLDER / "taken-none"
    nothing.touch()
    build_part(other, nothing.parent, nothing)
    build_dataset(BuildOptions((source,)), tmp_path / "out")
    assert tree_bytes(tmp_path / "out") == tree_bytes(whole)


def test_parts_that_other_code_has_built_are_built_again(source, tmp_path, whole, monkeypatch):
    def failing(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pianalysis.dataset.building._assemble", failing)
    names = []
    for digest in ("old", "old", "new"):
        monkeypatch.setattr("pianalysis.dataset.building.code_digest", lambda *_, digest=digest: digest)
        with pytest.raises(KeyboardInterrupt):
            build_dataset(BuildOptions((source,)), tmp_path / "out")
        names.append(len(list((tmp_path / "out" / PARTS_FOLDER).glob("*.json"))))
    assert names == [3, 3, 6]
    monkeypatch.undo()
    build_dataset(BuildOptions((source,)), tmp_path / "out")
    assert tree_bytes(tmp_path / "out") == tree_bytes(whole)


def test_music_that_is_in_two_splits_under_two_names_is_left_out_of_training(tmp_path, whole):
    root, splits = make_pop909(tmp_path / "corpus")
    copies = {
        "002": song_with_tune(1),
        "003": song_with_tune(1),
        "005": Path(root, "POP909", "004", "004.mid").read_bytes(),
    }
    for name, data in copies.items():
        Path(root, "POP909", name, f"{name}.mid").write_bytes(data)
    leaky = CorpusSource("pop909", root, splits)
    report = build_dataset(BuildOptions((leaky,), every_bar=True), tmp_path / "out", num_proc=1)
    assert report.twice == [("002", "003 (pop909, validation)")]
    # some notes that go round are too few to be known by, but the windows are the same
    assert report.problems == [("005", "a window is the same as one of another split; left out")]
    assert set(load_windows(tmp_path / "out", "train")["piece_id"]) == {"001"}
    assert load_windows(tmp_path / "out", "test").to_list() == load_windows(whole, "test").to_list()
    assert validate(tmp_path / "out").ok


def test_a_piece_in_another_key_and_corpus_is_kept_once_with_its_accompaniment(tmp_path):
    root, splits = make_pop909(tmp_path / "corpus")
    (tmp_path / "mine").mkdir()
    Path(root, "POP909", "001", "001.mid").write_bytes(song_with_tune(1))
    (tmp_path / "mine" / "a.mid").write_bytes(song_with_tune(1, transposed=3))
    (tmp_path / "mine" / "b.mid").write_bytes(song(7))
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"train": ["a.mid", "b.mid"], "validation": [], "test": []}))
    sources = (CorpusSource("folder", str(tmp_path / "mine"), str(own)), CorpusSource("pop909", root, splits))
    reports = [
        build_dataset(BuildOptions(order), tmp_path / name) for order, name in ((sources, "a"), (sources[::-1], "b"))
    ]
    for report in reports:
        assert report.twice == [("a.mid", "001 (pop909, train)")]
        assert report.pieces["folder/train"] == 1
        assert report.pieces_seen == 7


def test_a_folder_of_other_files_is_not_touched(source, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(PianalysisError, match="other files"):
        build_dataset(BuildOptions((source,)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]

"""A folder of a user's own: everything that can be wrong in it is said, file by file, and the rest goes on."""

from __future__ import annotations

import os

import pytest
from corpus import song, song_with_tune
from hypothesis import given
from hypothesis import strategies as st
from strategies import add_track, simple_score

from pianalysis.cli.main import main
from pianalysis.dataset.building import BuildOptions, build_dataset, plan_parts
from pianalysis.dataset.corpora import SPLITS
from pianalysis.dataset.rows import load_windows
from pianalysis.dataset.sources import CorpusSource, open_corpus
from pianalysis.dataset.splitting import VALIDATION_SONGS, fill_splits, split_of
from pianalysis.dataset.validation import validate
from pianalysis.errors import PianalysisError


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
    (root / "itself.mid").symlink_to(root / "itself.mid")
    os.mkfifo(root / "pipe.mid")
    (root / "silent.mid").write_bytes(simple_score([]).dumps_midi())
    drums = simple_score([])
    add_track(drums, [(0, 1, 36)], is_drum=True)
    (root / "drums.mid").write_bytes(drums.dumps_midi())
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
    says |= {"nowhere.mid": "can't be read", "itself.mid": "can't be read", "pipe.mid": "found a pipe"}
    says |= {"silent.mid": "no notes", "drums.mid": "expected a melody"}
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


def test_a_folders_split_does_not_depend_on_names(tmp_path):
    for name, order in (("one", range(40)), ("two", range(39, -1, -1))):
        (tmp_path / name).mkdir()
        for place, number in enumerate(order):
            (tmp_path / name / f"{place}.mid").write_bytes(song(number, bars=4, bpm=60 + number))
    first, second = (open_corpus(CorpusSource("folder", str(tmp_path / name))) for name in ("one", "two"))
    bytes_of = lambda corpus, split: {read() for piece in corpus.ids[split] for read in corpus.files_of(piece).values()}  # noqa: E731
    for split in ("train", "validation", "test"):
        assert bytes_of(first, split) == bytes_of(second, split)
    assert len(first.ids["train"]) > 25


def test_a_file_that_goes_while_the_build_runs_is_a_problem(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    for number in (3, 4):
        (tmp_path / "mine" / f"{number}.mid").write_bytes(song(number))

    def plan(options, sources):
        parts = plan_parts(options, sources)
        (tmp_path / "mine" / "3.mid").unlink()
        return parts

    monkeypatch.setattr("pianalysis.dataset.building.plan_parts", plan)
    report = build_dataset(BuildOptions((CorpusSource("folder", str(tmp_path / "mine")),)), tmp_path / "out")
    assert [name for name, _ in report.problems] == ["3.mid"]
    assert sum(report.pieces.values()) == 1


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--corpus", "folder"], "expected one --root for each --corpus"),
        (["--corpus", "lieder", "--root", "-"], "only POP909 can be downloaded"),
        (["--corpus", "folder", "--root", ".", "--limit", "0"], "at least 1"),
        (["--corpus", "folder", "--root", ".", "--report", "nowhere/r.json"], "make the folder first"),
        (["--corpus", "folder", "--root", "nowhere"], "expected a folder or an archive, found nothing"),
        (["--corpus", "pop909", "--root", ".", "--splits", "none.json"], "expected JSON with lists"),
    ],
)
def test_what_cannot_be_built_is_said_before_the_work_and_leaves_nothing(argv, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", *argv, "--output", "out"]) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_two_folders_are_one_corpus_if_their_names_differ(tmp_path):
    for folder, name in (("one", "a"), ("one", "b"), ("two", "c")):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / f"{name}.mid").write_bytes(song(ord(name)))
    sources = tuple(CorpusSource("folder", str(tmp_path / name)) for name in ("one", "two"))
    report = build_dataset(BuildOptions(sources), tmp_path / "out")
    assert sum(report.pieces.values()) == 3
    (tmp_path / "two" / "a.mid").write_bytes(song(7))
    with pytest.raises(PianalysisError, match=r"found 'a\.mid' in both"):
        build_dataset(BuildOptions(sources), tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_part_of_a_corpus_that_is_missing_names_the_file(tmp_path):
    (tmp_path / "POP909" / "001").mkdir(parents=True)
    (tmp_path / "POP909" / "001" / "001.mid").write_bytes(song(1))
    (tmp_path / "splits.json").write_text('{"train": ["001", "002"], "validation": [], "test": []}')
    source = CorpusSource("pop909", str(tmp_path), str(tmp_path / "splits.json"))
    with pytest.raises(PianalysisError, match=r"001: .*expected beat_midi\.txt beside the song.*002\.mid"):
        build_dataset(BuildOptions((source,)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("count", "sizes"), [(1, (1,)), (2, (1, 1)), (3, (1, 1, 1)), (6, (3, 2, 1)), (9, (5, 3, 1)), (10, (6, 3, 1))]
)
def test_of_few_pieces_several_are_validated_on(tmp_path, count, sizes):
    for number in range(count):
        (tmp_path / f"{number}.mid").write_bytes(song(number + 1))
    ids = open_corpus(CorpusSource("folder", str(tmp_path))).ids
    assert sorted(piece for pieces in ids.values() for piece in pieces) == sorted(f"{n}.mid" for n in range(count))
    if count == 1:  # which split it is in is chance's
        assert sorted(map(len, ids.values())) == [0, 0, 1]
    else:
        assert tuple(map(len, filter(None, (ids["train"], ids["validation"], ids["test"])))) == sizes


@given(st.lists(st.integers(0, 2**32 - 1), unique=True, max_size=80))
def test_no_split_is_short_of_what_the_others_can_spare(numbers):
    digests = {f"{number}.mid": f"{number:08x}" for number in numbers}
    ids = {split: [name for name in digests if split_of(digests[name]) == split] for split in SPLITS}
    by_chance = {split: list(names) for split, names in ids.items()}
    fill_splits(ids, digests)
    assert sorted(name for names in ids.values() for name in names) == sorted(digests)
    for split in ("validation", "test"):
        assert ids[split][: len(by_chance[split])] == by_chance[split]
    if len(ids["train"]) > 1:
        assert len(ids["validation"]) >= min(VALIDATION_SONGS, len(numbers) // 3)
        assert ids["test"]


def test_the_songs_that_few_are_validated_on_are_named(tmp_path, capsys):
    (tmp_path / "mine").mkdir()
    for number in range(10):
        (tmp_path / "mine" / f"{number}.mid").write_bytes(song_with_tune(number + 1))
    argv = ["prepare", "--corpus", "folder", "--root", str(tmp_path / "mine"), "--output", str(tmp_path / "out")]
    assert main(argv) == 0
    held = sorted({row["piece_id"] for row in load_windows(tmp_path / "out", "validation")})
    assert len(held) == 3
    said = f"5 songs to train on, 3 to validate on, 2 to test on. Validation is 9 windows of {', '.join(held)}"
    assert f"split: {said}" in capsys.readouterr().out
    assert said in (tmp_path / "out" / "README.md").read_text()

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from corpus import PIECES, make_pop909
from strategies import add_track, simple_score

from pianalysis.corpora import open_files, read_lieder, read_pop909, read_single, read_splits
from pianalysis.notes import MidiReadError, NoMelodyError, PianalysisError, read_midi
from pianalysis.windows import cut_windows

DATA = Path(__file__).parents[2] / "shared" / "data"
POP909, LIEDER = DATA / "pop909.tar.xz", DATA / "openscore_lieder.tar.xz"
SPLIT_FILES = (DATA / "pop909_splits.json", DATA / "openscore_lieder_splits.json")
needs_data = pytest.mark.skipif(
    not all(path.exists() for path in (POP909, LIEDER, *SPLIT_FILES)),
    reason=f"the corpora are not in {DATA.parent.name}/{DATA.name} beside the repository",
)

FOUR_FOUR, PICKUP, SIX_BEATS = "002", "003", "034"
SONGS = (FOUR_FOUR, PICKUP, SIX_BEATS)
WALTZ, UPBEAT, SIX_EIGHT = "lc5043569", "lc5092612", "lc6053984"


def some_of(archive, wanted):
    """The files of an archive for which `wanted` is true, as `open_files` gives them, and all of its names."""
    files, names = {}, []
    with tarfile.open(archive, "r:xz") as tar:
        for member in tar:
            names.append(member.name)
            if wanted(member.name) and member.isfile():
                files[member.name] = io.BytesIO(tar.extractfile(member).read()).getvalue
    return files, names


@pytest.fixture(scope="module")
def pop909():
    return some_of(POP909, lambda name: any(f"/{song}/" in name for song in SONGS))


@pytest.fixture(scope="module")
def lieder():
    wanted = (WALTZ, UPBEAT, SIX_EIGHT, "metadata.tsv")
    return some_of(LIEDER, lambda name: any(part in name for part in wanted))


@needs_data
@pytest.mark.parametrize("song", SONGS)
def test_pop909_songs_have_two_voices_and_bars_on_the_annotated_downbeats(pop909, song):
    files, _ = pop909
    (piece,) = read_pop909(files, song)
    assert (piece.piece_id, piece.version, piece.corpus, piece.style) == (song, 0, "pop909", "pop")
    score = read_midi(files[f"POP909/{song}/{song}.mid"]())
    counts = {track.name: len(track.notes) for track in score.tracks}
    assert len(piece.melody) == counts["MELODY"] > 0
    assert len(piece.accompaniment) == counts["BRIDGE"] + counts["PIANO"] > 0
    beats = np.loadtxt(io.StringIO(files[f"POP909/{song}/beat_midi.txt"]().decode()))
    downbeats = piece.clock.to_clock(beats[beats[:, -1] == 1, 0] * 1_000)
    assert len(downbeats) > 20
    assert np.abs(downbeats[:, None] - piece.clock.bar_lines).min(axis=1).max() < 1e-6
    first, last = piece.accompaniment["onset_ms"][[0, -1]]
    assert piece.clock.to_clock(first) >= 0
    assert piece.clock.to_clock(last) < piece.clock.bar_lines[-1]
    assert piece.clock.time_signature == ((6, 4) if song == SIX_BEATS else (4, 4))
    assert np.median(np.diff(piece.clock.bar_lines)) == (3000 if song == SIX_BEATS else 2000)


@needs_data
def test_pop909_versions_are_versions_of_the_same_song(pop909):
    files, _ = pop909
    problems = []
    pieces = list(read_pop909(files, FOUR_FOUR, versions=True, problems=problems))
    assert [piece.version for piece in pieces] == [0, 2, 3, 4]
    assert "002-v1.mid: expected notes in a track named BRIDGE or PIANO" in problems[0][1]
    assert {piece.piece_id for piece in pieces} == {FOUR_FOUR}
    assert len({piece.accompaniment.tobytes() for piece in pieces}) > 1


@needs_data
@pytest.mark.parametrize(
    ("song", "metre", "bars", "fit"),
    [
        (WALTZ, (3, 4), [1500] * 2, 10),
        (UPBEAT, (4, 4), [500, 2000], 9),  # the whole song: upbeat, seven bars, and one without the upbeat's beat
        (SIX_EIGHT, (6, 8), [1500] * 2, 8),  # the whole song
    ],
)
def test_lieder_have_two_voices_and_bars_of_their_metre(lieder, song, metre, bars, fit):
    files, _ = lieder
    (piece,) = read_lieder(files, song)
    assert (piece.piece_id, piece.corpus, piece.style) == (song, "openscore_lieder", "classical")
    assert piece.title
    assert piece.composer
    score = read_midi(files[f"OpenScoreLieder/{song}.mid"]())
    assert len(piece.melody) == sum(len(track.notes) for track in score.tracks if track.name.startswith("VOICE")) > 0
    assert len(piece.accompaniment) == sum(len(track.notes) for track in score.tracks) - len(piece.melody) > 0
    assert piece.clock.time_signature == metre
    assert np.diff(piece.clock.bar_lines)[:2].tolist() == pytest.approx(bars)
    window = next(cut_windows(piece.melody, piece.accompaniment, piece.clock, style=piece.style))
    assert (window.bars, window.notes.style) == (fit, "classical")


@needs_data
@pytest.mark.parametrize("number", [0, 1])
def test_nothing_of_a_song_is_in_two_splits_and_the_holdout_is_not_there(pop909, lieder, number):
    table = json.loads(SPLIT_FILES[number].read_text())
    pieces = [piece for split in ("train", "validation", "test", "holdout") for piece in table[split]]
    assert len(pieces) == len(set(pieces))
    splits = read_splits(SPLIT_FILES[number])
    assert set(splits) == set(pieces) - set(table["holdout"])
    in_archive = {part.removesuffix(".mid") for name in (pop909, lieder)[number][1] for part in name.split("/")}
    assert set(splits) <= in_archive
    assert not in_archive & set(table["holdout"])
    counts = [[*splits.values()].count(split) for split in ("train", "validation", "test")]
    assert counts == ([671, 72, 72], [1036, 78, 78])[number]


@pytest.mark.parametrize(
    "text", ['{"train": ["001", "002"], "validation": ["002"], "test": []}', '{"train": []}', "[]", "no JSON"]
)
def test_split_files_that_are_none_or_share_a_song_are_refused(tmp_path, text):
    (tmp_path / "splits.json").write_text(text)
    with pytest.raises(PianalysisError, match=r"splits\.json: expected"):
        read_splits(tmp_path / "splits.json")


@pytest.fixture
def folder(tmp_path):
    """A folder of a user's own, with folders inside."""
    root = tmp_path / "mine"
    (root / "deep" / "er").mkdir(parents=True)
    score = simple_score([(n, 1, 72) for n in range(8)], name="Flute", metre=(3, 4))
    add_track(score, [(0, 4, 48), (0, 4, 52), (4, 4, 47), (4, 1, 72)], name="Piano")
    add_track(score, [(n, 1, 36) for n in range(8)], name="Drums", is_drum=True)
    (root / "a.mid").write_bytes(score.dumps_midi())
    (root / "deep" / "er" / "b.mid").write_bytes(score.dumps_midi())
    (root / "deep" / "notes.txt").write_text("not music")
    return root


@pytest.mark.parametrize("start", [".", "mine"])
@pytest.mark.parametrize("suffix", ["", ".gz", ".xz"])
def test_folders_and_archives_give_the_same_files(folder, tmp_path, start, suffix):
    archive = tmp_path / f"mine.tar{suffix}"
    with tarfile.open(archive, f"w:{suffix[1:]}") as tar:
        tar.add(folder, arcname=start)
    inside, outside = open_files(archive), open_files(folder if start == "." else tmp_path)
    wanted = {name: read() for name, read in outside.items() if "mine.tar" not in name}
    assert {name: read() for name, read in inside.items()} == wanted
    assert list(inside) == list(wanted) == sorted(wanted)
    assert len(inside) == 3


def test_files_of_a_users_own_in_nested_folders(folder):
    files = open_files(folder)
    assert list(files) == ["a.mid", "deep/er/b.mid", "deep/notes.txt"]
    for name, title in (("a.mid", "a"), ("deep/er/b.mid", "b")):
        (piece,) = read_single(files[name](), name, style="classical")
        assert (piece.piece_id, piece.title, piece.style, piece.clock.time_signature) == (
            name,
            title,
            "classical",
            (3, 4),
        )
        assert piece.melody["pitch"].tolist() == [72] * 8
        assert piece.accompaniment["pitch"].tolist() == [48, 52, 47]  # no drums, and no doubling of the melody
    with pytest.raises(MidiReadError, match=r"deep/notes\.txt: "):
        list(read_single(files["deep/notes.txt"](), "deep/notes.txt"))


def test_a_file_of_drums_alone_is_refused():
    score = simple_score([])
    add_track(score, [(0, 1, 36)], is_drum=True)
    with pytest.raises(NoMelodyError, match=r"beat\.mid: "):
        list(read_single(score.dumps_midi(), "beat.mid"))


def test_a_damaged_version_is_a_problem_and_a_damaged_song_an_error(tmp_path):
    make_pop909(tmp_path)
    files = dict(open_files(tmp_path))
    song, problems = PIECES["train"][0], []
    assert [piece.version for piece in read_pop909(files, song, versions=True, problems=problems)] == [0, 1]
    assert [Path(name).name for name, _ in problems] == [f"{song}-v2.mid"]
    files[f"POP909/{song}/{song}.mid"] = simple_score([(0, 1, 60)], name="MELODY").dumps_midi
    with pytest.raises(PianalysisError, match=rf"{song}\.mid: expected notes in a track named BRIDGE or PIANO"):
        list(read_pop909(files, song))


@pytest.mark.parametrize("read", [read_pop909, read_lieder])
def test_songs_that_are_not_there_are_named(read):
    with pytest.raises(PianalysisError, match=r"999\.mid in the corpus, found none"):
        list(read({}, "999"))


def test_roots_that_are_no_corpus(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        open_files(tmp_path / "nowhere")
    with pytest.raises(PianalysisError, match=r"a\.mid: expected a folder or a tar archive"):
        open_files(folder / "a.mid")
    with tarfile.open(tmp_path / "whole.tar.xz", "w:xz") as tar:
        tar.add(folder)
    (tmp_path / "cut.tar.xz").write_bytes((tmp_path / "whole.tar.xz").read_bytes()[:-100])
    with pytest.raises(PianalysisError, match=r"cut\.tar\.xz: .* damaged or cut off"):
        open_files(tmp_path / "cut.tar.xz")

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import symusic
from corpus import PIECES, make_pop909
from scores import attributes, chord, note
from scores import score as written
from shared_data import ARCHIVES, DATA, LIEDER, OTHERS, POP909, SPLIT_FILES, needs_data
from strategies import add_track, simple_score

from pianalysis.dataset.corpora import (
    open_files,
    read_hymn,
    read_lieder,
    read_openewld,
    read_polish,
    read_pop909,
    read_single,
    read_splits,
)
from pianalysis.dataset.sources import SPLITS_FOLDER, CorpusSource, open_corpus, opened
from pianalysis.errors import MidiReadError, NoMelodyError, PianalysisError
from pianalysis.harmony.symbols import parse_chord
from pianalysis.melody.voices import voice_share
from pianalysis.music.midi import read_midi
from pianalysis.tokens.windows import cut_windows

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


@needs_data
@pytest.mark.parametrize(("corpus", "name"), ARCHIVES.items())
def test_the_packages_splits_are_the_archives_without_what_is_held_out(corpus, name):
    table = json.loads((DATA / f"{name}_splits.json").read_text())
    packaged = json.loads((SPLITS_FOLDER / f"{corpus}.json").read_text())
    assert packaged == {split: table[split] for split in ("train", "validation", "test")}
    assert not set(table["holdout"]) & {piece for pieces in packaged.values() for piece in pieces}


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """The corpora of one file a piece, opened as the dataset's build opens them."""
    with opened([CorpusSource(corpus, str(DATA / f"{name}.tar.xz")) for corpus, name in OTHERS.items()]) as sources:
        yield {source.name: open_corpus(source) for source in sources}


@needs_data
@pytest.mark.parametrize(
    ("corpus", "counts"), [("polish", [1205, 101, 100]), ("hymns", [403, 34, 34]), ("openewld", [98, 8, 9])]
)
def test_every_piece_of_the_splits_has_its_file_and_its_row(others, corpus, counts):
    found = others[corpus]
    assert [len(ids) for ids in found.ids.values()] == counts
    for ids in found.ids.values():
        for piece_id in ids:
            assert [Path(name).stem for name in found.names_of(piece_id)] == [piece_id, "metadata"]


@needs_data
@pytest.mark.parametrize(
    ("corpus", "piece_id", "title", "composer", "license_", "metre"),
    [
        ("polish", "po-0001", "Liebesschmerz", "Radziwiłł, Antoni Henryk", "CC-BY-4.0", (4, 4)),
        ("polish", "po-0003", "Allegretto", "Holland, Jan Dawid", "CC-BY-4.0", (2, 4)),
        ("hymns", "cc-Adeste_Fideles", "Adeste Fideles", "", "Public Domain", (4, 4)),
        ("openewld", "ew-002", "Le temps des cerises", "Antoine Renard", "Public Domain", (3, 4)),
        ("openewld", "ew-016", None, None, "Public Domain", (3, 4)),
    ],
)
def test_pieces_say_what_they_are(others, corpus, piece_id, title, composer, license_, metre):
    (piece,) = others[corpus].read(piece_id)
    styles = {"polish": "classical", "hymns": "hymn", "openewld": "pop"}
    rows = {"polish": "polish_scores", "hymns": "hymns", "openewld": "openewld"}
    assert (piece.piece_id, piece.corpus, piece.style, piece.license) == (
        piece_id,
        rows[corpus],
        styles[corpus],
        license_,
    )
    if title is not None:
        assert (piece.title, piece.composer) == (title, composer)
    assert piece.clock.time_signature == metre
    assert len(piece.melody)
    assert piece.lead_sheet == (corpus == "openewld") == (len(piece.accompaniment) == 0)
    assert piece.chord_source == ("written" if corpus == "openewld" else "")


@needs_data
@pytest.mark.parametrize("corpus", ["polish", "hymns", "openewld"])
def test_pieces_of_every_split_have_melody_title_and_bars(others, corpus):
    """A tenth of each, spread over it."""
    for ids in others[corpus].ids.values():
        for piece_id in ids[:: max(1, len(ids) // 8)]:
            (piece,) = others[corpus].read(piece_id)
            assert piece.title
            assert "Garamond" not in piece.title
            assert voice_share(piece.melody) > 0.5
            assert piece.clock.to_clock(piece.melody["onset_ms"][-1]) < piece.clock.bar_lines[-1]
            for start, end, label in piece.chords:
                assert start < end
                parse_chord(label)
            starts = [start for start, _, _ in piece.chords]
            assert starts == sorted(starts)
            struck = set(piece.melody[["onset_ms", "pitch"]].tolist())
            if "/piano/" in others[corpus].names[piece_id][0]:
                assert not struck & set(piece.accompaniment[["onset_ms", "pitch"]].tolist())


def in_parts(**tracks):
    """A score whose tracks are called so, as MIDI bytes; `_` is a blank."""
    score = symusic.Score(480)
    for name, rows in tracks.items():
        add_track(score, rows, name=name.replace("_", " "))
    return score.dumps_midi()


ABOUT = "id\ttitle\tcomposer\tlicense\npo-1\tMazurek \u2028\tA. B.\tCC-BY-4.0\nls-Love_s_L_Amour\tGaramond X\t\tPublic Domain\n"


def test_a_polish_songs_voice_a_solo_instrument_and_the_top_line_of_a_piano_are_melodies():
    below = {"PIANO_RH": [(0, 2, 76), (0, 2, 64), (2, 1, 60)], "PIANO_LH": [(0, 4, 40)]}
    table = {"metadata.tsv": ABOUT.encode}
    for name in ("VOICE", "SOLO"):
        data = in_parts(**{name: [(0, 2, 76)]}, **below)
        (piece,) = read_polish({"songs/po-1.mid": lambda data=data: data, **table}, "po-1")
        assert (piece.title, piece.composer) == ("Mazurek", "A. B.")
        assert piece.melody["pitch"].tolist() == [76]
        assert piece.accompaniment["pitch"].tolist() == [40, 64, 76, 60]  # the piano goes on doubling the singer
    data = in_parts(**below)
    (piece,) = read_polish({"piano/po-1.mid": lambda: data}, "po-1")
    assert (piece.melody["pitch"].tolist(), piece.accompaniment["pitch"].tolist()) == ([76, 60], [40, 64])


def test_a_hymns_soprano_is_its_melody_and_a_fonts_name_no_title():
    data = in_parts(SOPRANO=[(0, 1, 72)], ALTO=[(0, 1, 67)], TENOR=[(0, 1, 60)], BASS=[(0, 1, 48)])
    name = "ls-Love_s_L_Amour"
    (piece,) = read_hymn({f"hymns/{name}.mid": lambda: data, "metadata.tsv": ABOUT.encode}, name)
    assert (piece.title, piece.style, piece.license) == ("Love's L'Amour", "hymn", "Public Domain")
    assert (piece.melody["pitch"].tolist(), piece.accompaniment["pitch"].tolist()) == ([72], [48, 60, 67])


LEAD_SHEET = written([attributes() + chord("C") + note("E5", 4) + chord("G", "dominant") + note("D5", 4)])


def test_a_lead_sheet_has_its_chords_and_no_accompaniment():
    with_piano = written([attributes() + chord("C") + note("E5", 8)], [attributes() + note("C3", 8)])
    for name, data, alone in (("a.musicxml", LEAD_SHEET, True), ("b.xml", with_piano, False)):
        (piece,) = read_single(data, name)
        assert (piece.lead_sheet, piece.chord_source, len(piece.accompaniment)) == (alone, "written", int(not alone))
    (piece,) = read_single(LEAD_SHEET, "a.musicxml")
    assert piece.chords == ((0.0, 1000.0, "C:maj"), (1000.0, 2000.0, "G:7"))
    assert piece.melody["pitch"].tolist() == [76, 74]
    (plain,) = read_single(written([attributes() + note("E5", 8)]), "c.xml")
    assert (plain.chord_source, plain.lead_sheet) == ("", False)


def test_a_folder_may_hold_scores_too_and_says_which_can_not_be_read(tmp_path):
    (tmp_path / "a.MusicXML").write_bytes(LEAD_SHEET)
    (tmp_path / "b.xml").write_bytes(b"<project/>")
    (tmp_path / "c.mid").write_bytes(simple_score([(0, 1, 60)]).dumps_midi())
    (tmp_path / "d.txt").write_bytes(LEAD_SHEET)
    with opened([CorpusSource("folder", str(tmp_path), style="hymn")]) as (source,):
        corpus = open_corpus(source)
        assert sorted(corpus.names) == ["a.MusicXML", "b.xml", "c.mid"]
        (piece,) = corpus.read("a.MusicXML")
        assert (piece.style, piece.lead_sheet, piece.corpus) == ("hymn", True, "folder")
        with pytest.raises(PianalysisError, match=r"^b\.xml: expected a MusicXML score"):
            list(corpus.read("b.xml"))


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


@pytest.mark.parametrize("read", [read_pop909, read_lieder, read_polish, read_hymn, read_openewld])
def test_songs_that_are_not_there_are_named(read):
    with pytest.raises(PianalysisError, match=r"999\.(mid|mxl) in the corpus, found none"):
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

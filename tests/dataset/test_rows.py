from __future__ import annotations

import pyarrow.parquet as pq
import pytest
from corpus import PIECES, make_pop909
from datasets import load_dataset

from pianalysis.cli.main import main
from pianalysis.dataset.corpora import SPLITS
from pianalysis.dataset.rows import NOTES_FEATURES, WINDOWS_FEATURES, load_windows
from pianalysis.errors import PianalysisError
from pianalysis.tokens import vocab
from pianalysis.tokens.events import from_events, to_events
from pianalysis.tokens.tokenizer import ChordTones, decode, encode


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    root, splits = make_pop909(tmp_path_factory.mktemp("corpus"))
    output = tmp_path_factory.mktemp("output") / "dataset"
    argv = ["prepare", "--corpus", "pop909", "--root", root, "--splits", splits, "--output", str(output)]
    assert main([*argv, "--every-bar", "--versions"]) == 0
    return output


@pytest.fixture(scope="module")
def loaded(prepared, tmp_path_factory):
    """Both configs as `load_dataset` gives them from the folder alone, by the card's front matter."""
    cache = str(tmp_path_factory.mktemp("cache"))
    return {config: load_dataset(str(prepared), config, cache_dir=cache) for config in ("notes", "windows")}


def test_load_dataset_reads_the_folder_with_its_types(loaded):
    assert loaded["notes"]["train"].features == NOTES_FEATURES
    assert loaded["windows"]["train"].features == WINDOWS_FEATURES
    for config in loaded.values():
        assert set(config) == set(SPLITS)
        for split, pieces in PIECES.items():
            assert set(config[split]["piece_id"]) == set(pieces)


def test_every_window_decodes_and_says_what_it_is(prepared):
    for split in SPLITS:
        for row in load_windows(prepared, split):
            notes = decode(row["input_ids"])
            assert encode(notes) == row["input_ids"]
            middle = row["input_ids"][row["target_start"] - 1 : row["accompaniment_start"]]
            assert (middle[0], middle[-1], middle.count(vocab.SEP)) == (vocab.SEP, vocab.SEP, 2)
            assert (row["time_signature"], notes.style, notes.density) == ("4/4", "pop", row["density"])
            assert row["seconds"] == pytest.approx(row["bars"] * 2.0)
            assert row["bpm"] == pytest.approx(120)
            assert row["training_sequence"] == to_events(notes)
            assert from_events(row["training_sequence"]).melody["pitch"].tolist() == notes.melody["pitch"].tolist()


def test_evaluation_windows_do_not_overlap_and_training_windows_start_at_every_bar(loaded):
    test = loaded["windows"]["test"]
    assert (test["start_bar"][:], test["bars"][:]) == ([0, 8, 16], [8, 8, 4])
    of_one = loaded["windows"]["train"].filter(lambda row: row["piece_id"] == "001" and row["version"] == 0)
    assert of_one["start_bar"][:] == list(range(20))


def test_alternative_versions_are_in_training_only_and_damaged_ones_left_out(loaded):
    assert set(loaded["windows"]["train"]["version"]) == {0, 1}
    assert set(loaded["windows"]["validation"]["version"]) == {0}


def test_notes_are_in_real_milliseconds_with_beats_key_and_chords(loaded):
    row = loaded["notes"]["test"][0]
    assert row["melody"][1] == {"onset_ms": 500.0, "duration_ms": 500.0, "pitch": 60 + 5, "velocity": 80}
    assert len(row["accompaniment"]) == 40
    assert row["beats_ms"][:3] == pytest.approx([0, 500, 1_000])
    assert row["downbeats_ms"][:3] == pytest.approx([0, 2_000, 4_000])
    assert (row["key"], row["license"], row["split"]) == ("A:min", "MIT", "test")
    assert row["chord_source"] == "label"
    assert row["chords"] == [
        {"onset_ms": 0.0, "end_ms": 2_000.0, "label": "C:maj"},
        {"onset_ms": 2_000.0, "end_ms": 4_000.0, "label": "N"},
    ]


def test_windows_say_their_chords_from_their_own_beginning(prepared):
    first, second = load_windows(prepared, "test").to_list()[:2]
    assert decode(first["input_ids"]).chords == (ChordTones(0, 0, (0, 4, 7)), ChordTones(2_000))
    assert decode(second["input_ids"]).chords == (ChordTones(0),)


def test_a_dataset_from_before_chords_is_still_loaded(prepared, tmp_path):
    (tmp_path / "windows").mkdir()
    (path,) = (prepared / "windows").glob("test-*.parquet")
    pq.write_table(pq.read_table(path).drop_columns(["accompaniment_start"]), tmp_path / "windows" / path.name)
    assert load_windows(tmp_path, "test").num_rows == 3


def test_a_cut_file_is_named_when_it_is_loaded(prepared, tmp_path):
    (tmp_path / "windows").mkdir()
    (path,) = (prepared / "windows").glob("test-*.parquet")
    (tmp_path / "windows" / path.name).write_bytes(path.read_bytes()[:-100])
    with pytest.raises(PianalysisError, match=rf"{path.name}: expected a whole parquet file"):
        load_windows(tmp_path, "test")


def test_a_missing_split_is_explained(tmp_path):
    with pytest.raises(FileNotFoundError, match="prepare_dataset"):
        load_windows(tmp_path, "train")

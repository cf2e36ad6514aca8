from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus import make_pop909

from pianalysis import vocab
from pianalysis.building import BuildOptions, build_dataset
from pianalysis.cli import main
from pianalysis.notes import PianalysisError, make_notes
from pianalysis.sources import CorpusSource
from pianalysis.tokenizer import WindowNotes, to_events
from pianalysis.validation import validate, validate_sequences

SEED_EXAMPLE = [1, 0, 10, 60, 100, 11, 60, 500, 3]


@pytest.fixture
def dataset(tmp_path):
    source = CorpusSource("pop909", *make_pop909(tmp_path / "corpus"))
    build_dataset(BuildOptions((source,)), tmp_path / "dataset")
    return tmp_path / "dataset"


def seed_file(path, sequences):
    samples = [{"training_sequence": sequence} for sequence in sequences]
    path.write_text(json.dumps({"metadata": {"total_samples": len(samples)}, "samples": samples}))
    return path


def good_sequence(number):
    onsets = [(number * 75 + step * 250) % 15_500 for step in range(20)]
    melody = make_notes((onset, 200, 60 + step, 96) for step, onset in enumerate(sorted(set(onsets))))
    return to_events(
        WindowNotes(melody, make_notes((onset, 225, pitch - 30, 64) for onset, _, pitch, _ in melody.tolist()))
    )


def test_good_sequences_are_valid(tmp_path):
    report = validate(seed_file(tmp_path / "good.json", [good_sequence(number) for number in range(60)]))
    assert report.ok, report.table()
    assert report.distinct_times > 100


def test_the_seeds_own_example_is_recognised_and_explained():
    report = validate_sequences([SEED_EXAMPLE], "seed")
    assert not report.ok
    assert "no <eos> at the end" in report.faults
    assert any("raw milliseconds" in kind for kind in report.faults)
    assert "NOT VALID" in report.table()


def test_a_file_with_15_distinct_tokens_is_recognised(tmp_path):
    lost = [vocab.BOS, *[token for pitch in range(60, 70) for token in (vocab.NOTE_ON, pitch)], vocab.SEP, vocab.EOS]
    report = validate(seed_file(tmp_path / "lost.json", [lost] * 30))
    assert report.distinct_tokens == 14
    words = " ".join(report.faults)
    assert "timestamps are lost" in words
    assert "only 14 distinct tokens of 801" in words


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda ids: ids[1:], "no <bos>"),
        (lambda ids: ids[:-1], "no <eos>"),
        (lambda ids: [token for token in ids if token != vocab.SEP], "<sep>"),
        (lambda ids: ids[:4] + ids[7:], "grammar"),
        (lambda ids: [*ids[:3], 999, *ids[4:]], "outside the vocabulary"),
        (lambda ids: [*ids[:1], vocab.time_id(15_975), *ids[2:]], "grammar"),
    ],
)
def test_each_fault_is_found(change, says):
    report = validate_sequences([change(good_sequence(1))], "changed")
    assert any(says in kind for kind in report.faults), report.faults


def test_our_dataset_is_valid_and_exports_the_seeds_layout(dataset, tmp_path, capsys):
    export = tmp_path / "dataset_final.json"
    assert main(["validate", str(dataset), "--export-json", str(export), "--json", str(tmp_path / "r.json")]) == 0
    assert "valid" in capsys.readouterr().out
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["ok"], report["samples"]) == (True, 15)
    data = json.loads(export.read_text())
    assert data["metadata"]["total_samples"] == len(data["samples"]) == 15
    assert not validate(export).faults.keys() & {"events that break the grammar", "no <eos> at the end"}


def change_rows(dataset, split, change):
    (path,) = (dataset / "windows").glob(f"{split}-*.parquet")
    table = pq.read_table(path)
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema), path)


@pytest.mark.parametrize(
    ("split", "change", "says"),
    [
        ("test", lambda rows: [{**row, "piece_id": "001"} for row in rows], "a piece in two splits"),
        ("test", lambda rows: [{**row, "input_ids": row["input_ids"][:-1]} for row in rows], "break the grammar"),
        ("test", lambda rows: [{**row, "target_start": 3} for row in rows], "target_start"),
        ("test", lambda rows: [{**row, "training_sequence": [1, 3, 2]} for row in rows], "event view"),
    ],
)
def test_a_changed_dataset_is_not_valid(dataset, split, change, says):
    change_rows(dataset, split, change)
    assert any(says in kind for kind in validate(dataset).faults)


def test_a_window_in_two_splits_is_found(dataset):
    (path,) = (dataset / "windows").glob("train-*.parquet")
    rows = pq.read_table(path).to_pylist()[:1]
    change_rows(dataset, "test", lambda own: [*own, {**rows[0], "piece_id": "004"}])
    report = validate(dataset)
    assert report.faults["an identical window in two splits"] == 1


def test_other_json_is_refused(tmp_path):
    (tmp_path / "other.json").write_text("[1, 2]")
    with pytest.raises(PianalysisError, match=r"other\.json"):
        validate(tmp_path / "other.json")

from __future__ import annotations

import json
import shutil
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpus import make_pop909

from pianalysis.cli.main import main
from pianalysis.dataset.building import BuildOptions, build_dataset
from pianalysis.dataset.checks import ValidationReport, check_coverage
from pianalysis.dataset.sources import CorpusSource
from pianalysis.dataset.validation import validate, validate_sequences
from pianalysis.errors import PianalysisError
from pianalysis.music.notes import make_notes
from pianalysis.tokens import vocab
from pianalysis.tokens.events import to_events
from pianalysis.tokens.tokenizer import WindowNotes, without_chords

SEED_EXAMPLE = [1, 0, 10, 60, 100, 11, 60, 500, 3]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("built")
    build_dataset(BuildOptions((CorpusSource("pop909", *make_pop909(folder / "corpus")),)), folder / "dataset")
    return folder / "dataset"


@pytest.fixture
def dataset(built, tmp_path):
    return shutil.copytree(built, tmp_path / "dataset")


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
    assert "nothing after <sep>: the full polyphony is missing" in report.faults
    assert any("raw milliseconds" in kind for kind in report.faults)
    assert "NOT VALID" in report.table()
    (text,) = report.explanations
    assert "Times were written as raw milliseconds" in text
    assert "0 reads as <pad>, 100 reads as PITCH_100, 500 reads as TIME_9775" in text
    assert "pianalysis prepare" in text
    assert text in report.table()


def test_raw_milliseconds_are_recognised_where_some_look_like_times():
    """A second of music: 200 and 400 ms are ids of times, 0, 1000 and 1250 are not."""
    notes = [0, 10, 60, 200, 11, 60, 400, 10, 62, 1_000, 11, 62]
    report = validate_sequences([[vocab.BOS, *notes, vocab.SEP, *notes, vocab.EOS]], "seed")
    assert any("raw milliseconds" in kind for kind in report.faults)
    assert "none for anything above 800" in report.explanations[0]


def test_a_file_with_15_distinct_tokens_is_recognised(tmp_path):
    lost = [vocab.BOS, *[token for pitch in range(60, 70) for token in (vocab.NOTE_ON, pitch)], vocab.SEP, vocab.EOS]
    report = validate(seed_file(tmp_path / "lost.json", [lost] * 30))
    assert report.distinct_tokens == 14
    words = " ".join(report.faults)
    assert "timestamps are lost" in words
    assert "only 14 distinct tokens of 801" in words


@pytest.mark.parametrize(
    ("samples", "kinds", "few"),
    [(20, 49, True), (20, 50, False), (999, 50, False), (1_000, 199, True), (1_000, 200, False)],
)
def test_how_few_kinds_of_tokens_are_too_few_depends_on_how_many_samples_have_them(samples, kinds, few):
    report = ValidationReport("test", samples=samples)
    check_coverage(report, Counter(range(vocab.TIME_IDS.start, vocab.TIME_IDS.start + kinds)))
    assert any("distinct tokens" in kind for kind in report.faults) == few


@pytest.mark.parametrize("samples", [3, 30])
def test_15_distinct_tokens_are_explained_however_small_the_file(tmp_path, capsys, samples):
    times = [vocab.time_id(0), vocab.time_id(500)]
    events = [t for pitch in range(60, 68) for t in (times[0], vocab.NOTE_ON, pitch, times[1], vocab.NOTE_OFF, pitch)]
    path = seed_file(tmp_path / "dead.json", [[vocab.BOS, *events, vocab.SEP, *events, vocab.EOS]] * samples)
    assert main(["validate", str(path), "--json", "-"]) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["distinct_tokens"] == 15
    assert "only 15 distinct tokens of 801: most of the vocabulary is dead" in report["faults"]
    assert "of 15 kinds, 8 of them pitches and 2 times; the other 786 ids never occur" in report["explanations"][-1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda ids: ids[1:], "no <bos>"),
        (lambda ids: ids[:-1], "no <eos>"),
        (lambda ids: [token for token in ids if token != vocab.SEP], "<sep>"),
        (lambda ids: [*ids[:2], *ids[3:]], "a NOTE_OFF without its NOTE_ON"),
        (lambda ids: [*ids[:3], *ids[4:]], "that no pitch follows"),
        (lambda ids: [*ids[:1], *ids[2:]], "an event without a timestamp"),
        (lambda ids: without(ids, vocab.NOTE_OFF), "a NOTE_ON that no NOTE_OFF closes"),
        (lambda ids: without(ids, vocab.NOTE_ON), "a NOTE_OFF without its NOTE_ON"),
        (lambda ids: [*ids[:7], *ids[1:7], *ids[7:]], "times that fall"),
        (lambda ids: [*ids[:4], *ids[1:4], *ids[4:]], "struck again before it is let go"),
        (lambda ids: ids[: ids.index(vocab.SEP) + 1] + ids[-1:], "nothing after <sep>"),
        (
            lambda ids: [*ids[: ids.index(vocab.SEP)], vocab.SEP, *ids[1:7], vocab.EOS],
            "grammar",
        ),  # most notes are missing
        (lambda ids: [*ids[:3], 999, *ids[4:]], "outside the vocabulary"),
        (lambda ids: [*ids[:1], vocab.time_id(15_975), *ids[2:]], "times that fall"),
    ],
)
def test_each_fault_is_found(change, says):
    report = validate_sequences([change(good_sequence(1))], "changed")
    assert any(says in kind for kind in report.faults), report.faults


def without(ids, kind):
    """The sequence without the melody's first event of a kind."""
    place = ids.index(kind)
    return ids[: place - 1] + ids[place + 2 :]


def test_our_dataset_is_valid_and_exports_the_seeds_layout(dataset, tmp_path, capsys):
    export = tmp_path / "dataset_final.json"
    assert main(["validate", str(dataset), "--export-json", str(export), "--json", str(tmp_path / "r.json")]) == 0
    assert "valid" in capsys.readouterr().out
    report = json.loads((tmp_path / "r.json").read_text())
    assert (report["ok"], report["samples"]) == (True, 15)
    data = json.loads(export.read_text())
    assert data["metadata"]["total_samples"] == len(data["samples"]) == 15
    assert not validate(export).faults.keys() & {"events that break the grammar", "no <eos> at the end"}


def test_an_export_that_leaks_or_miscounts_is_found(tmp_path):
    samples = [{"piece_id": "1", "split": split, "training_sequence": good_sequence(1)} for split in ("train", "test")]
    path = tmp_path / "leak.json"
    path.write_text(json.dumps({"metadata": {"total_samples": 3}, "samples": samples}))
    report = validate(path)
    assert report.splits == {"train": 1, "test": 1}
    assert {"a piece in two splits", "an identical window in two splits"} < set(report.faults)
    assert report.examples["metadata.total_samples is not the number of samples"] == ["3 for 2"]


def change_rows(dataset, split, change, config="windows"):
    (path,) = (dataset / config).glob(f"{split}-*.parquet")
    table = pq.read_table(path)
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema), path)


@pytest.mark.parametrize(
    ("split", "change", "says"),
    [
        ("test", lambda rows: [{**row, "piece_id": "001"} for row in rows], "a piece in two splits"),
        ("test", lambda rows: [{**row, "input_ids": row["input_ids"][:-1]} for row in rows], "break the grammar"),
        ("test", lambda rows: [{**row, "target_start": 3} for row in rows], "target_start"),
        ("test", lambda rows: [{**row, "accompaniment_start": 3} for row in rows], "accompaniment_start"),
        ("test", lambda rows: [{**row, "training_sequence": [1, 3, 2]} for row in rows], "event view"),
    ],
)
def test_a_changed_dataset_is_not_valid(dataset, split, change, says):
    change_rows(dataset, split, change)
    assert any(says in kind for kind in validate(dataset).faults)


def without_column(path, name):
    pq.write_table(pq.read_table(path).drop_columns([name]), path)


def with_text(path, name):
    table = pq.read_table(path)
    texts = pa.array(["text"] * len(table))
    pq.write_table(table.set_column(table.column_names.index(name), name, texts), path)


def cut(path, share=0.5):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def flipped(path):
    """A file whose footer is whole and whose pages are not."""
    data = bytearray(path.read_bytes())
    for place in range(40, len(data) // 2):
        data[place] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("config", ["windows", "notes"])
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda path: without_column(path, "piece_id"), "split validation: expected the column piece_id, found none"),
        (lambda path: with_text(path, "bpm"), "split validation: expected numbers in the column bpm, found text"),
        (cut, "expected a whole parquet file, found one that is cut off or damaged"),
        (lambda path: cut(path, 0), "expected a whole parquet file, found one that is cut off or damaged"),
        (lambda path: path.write_text("PAR1, but nothing else"), "expected a whole parquet file"),
        (flipped, "expected a whole parquet file"),
        (
            lambda path: path.rename(path.with_name("moved")),
            "the split validation of {config} is gone: expected rows {rows}",
        ),
    ],
)
def test_a_damaged_dataset_is_refused_in_one_sentence(dataset, capsys, config, damage, says):
    (path,) = (dataset / config).glob("validation-*.parquet")
    rows = len(pq.read_table(path))
    damage(path)
    assert main(["validate", str(dataset)]) == 2
    output = capsys.readouterr()
    lines = [line for line in (output.out + output.err).splitlines() if "expected" in line]
    assert len(lines) == 1
    assert says.format(config=config, rows=rows) in lines[0]
    assert "Traceback" not in output.out + output.err


def test_rows_that_are_gone_are_found(dataset):
    change_rows(dataset, "train", lambda rows: rows[1:])
    assert list(validate(dataset).faults) == ["windows, split train: expected rows 9, as built, found 8"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pieces": {"a/train": "many"}, "windows": {}}'])
def test_a_report_that_is_none_is_refused(dataset, text):
    (dataset / "build_report.json").write_text(text)
    with pytest.raises(PianalysisError, match="expected the report of a build, found none"):
        validate(dataset)


def test_shards_of_different_columns_are_refused(dataset):
    (path,) = (dataset / "windows").glob("train-*.parquet")
    second = path.with_name("train-00001-of-00002.parquet")
    shutil.copy(path, second)
    with_text(second, "bars")
    with pytest.raises(PianalysisError, match="expected parquet files with the same columns, found others"):
        validate(dataset)


def test_an_empty_value_is_found(dataset):
    change_rows(dataset, "test", lambda rows: [{**row, "input_ids": None} for row in rows])
    change_rows(dataset, "test", lambda rows: [{**row, "beats_ms": None} for row in rows], "notes")
    assert {"a row without input_ids": 3, "a row without beats_ms": 1}.items() <= validate(dataset).faults.items()


def test_a_dataset_from_before_chords_is_valid(dataset):
    for name, config in (("accompaniment_start", "windows"), ("chord_source", "notes")):
        for path in (dataset / config).glob("*.parquet"):
            without_column(path, name)
    for path in (dataset / "windows").glob("*.parquet"):
        table = pq.read_table(path)
        rows = [{**row, "input_ids": without_chords(row["input_ids"])} for row in table.to_pylist()]
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    assert validate(dataset).ok, validate(dataset).table()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"chord_source": "hearsay"}, "unknown source"),
        ({"chords": [{"onset_ms": 0.0, "end_ms": 1.0, "label": "H:dur"}]}, "can't be read"),
        ({"chords": [{"onset_ms": 2.0, "end_ms": 1.0, "label": "C:maj"}]}, "ends before it begins"),
        ({"split": "train"}, "names another split"),
        ({"beats_ms": [0.0, 500.0, 500.0]}, "beats_ms that don't rise"),
        ({"melody": [{"onset_ms": t, "duration_ms": 9.0, "pitch": 60, "velocity": 80} for t in (9.0, 1.0)]}, "fall"),
        ({"melody": [{"onset_ms": 1.0, "duration_ms": -9.0, "pitch": 60, "velocity": 80}]}, "negative length"),
    ],
)
def test_a_changed_piece_is_not_valid(dataset, changed, says):
    change_rows(dataset, "test", lambda rows: [{**row, **changed} for row in rows], "notes")
    assert [kind for kind in validate(dataset).faults if says in kind]


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
    with pytest.raises(
        PianalysisError, match="expected a folder, a JSON file or a Hub id like ORG/NAME, found no such"
    ):
        validate(tmp_path / "nowhere")

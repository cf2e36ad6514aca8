"""Is a dataset what it says? The checks that would have caught the seed's fault.

In: a folder or Hub id of ours, or a seed-style JSON file (`samples[].training_sequence`). Out: a `ValidationReport`.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, get_args

from pianalysis.dataset.checks import ValidationReport as ValidationReport
from pianalysis.dataset.checks import check_coverage, explain, validate_sequences
from pianalysis.dataset.corpora import SPLITS, ChordSource
from pianalysis.dataset.rows import FEATURES, REPORT_FILE, load_rows, window_digest
from pianalysis.errors import PianalysisError
from pianalysis.files import write_atomically
from pianalysis.harmony.symbols import parse_chord
from pianalysis.hub_errors import readable_errors
from pianalysis.publishing.hub import REPO_ID
from pianalysis.tokens import vocab
from pianalysis.tokens.events import to_events
from pianalysis.tokens.grammar import voice_start
from pianalysis.tokens.tokenizer import TokenError, decode

NEW_COLUMNS: Final = ("chord_source", "accompaniment_start")
"""Columns that datasets from before chords don't have."""


def validate(source: str | os.PathLike[str]) -> ValidationReport:
    """Check a folder or Hub id of ours, or a seed-style JSON file. Raises PianalysisError for what is neither."""
    path = Path(source)
    if path.is_file():
        return _validate_json(path, str(source))
    return _validate_dataset(str(source))


def _validate_json(path: Path, source: str) -> ValidationReport:
    """Check a file in the seed's layout; where its samples say their split (ours do), also that none leaks."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        samples = data["samples"]
        sequences = [[int(token) for token in sample["training_sequence"]] for sample in samples]
        places = [(str(sample.get("split", "")), str(sample.get("piece_id", ""))) for sample in samples]
        total = data.get("metadata", {}).get("total_samples", len(samples))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PianalysisError(
            f"{path}: expected JSON with samples[].training_sequence, found none ({type(error).__name__}: {error})"
        ) from None
    report = validate_sequences(sequences, source)
    leaks = _Leaks(report)
    for index, ((split, piece), ids) in enumerate(zip(places, sequences, strict=True)):
        if split:
            report.splits[split] = report.splits.get(split, 0) + 1
            leaks.check(split, piece, ids, f"sample {index}, {split}")
    if total != len(samples):
        report.fault("metadata.total_samples is not the number of samples", f"{total} for {len(samples)}")
    return report


def _rows_of(source: str, config: str) -> Iterator[tuple[str, Any]]:
    """The splits of a dataset of ours and their rows. Raises PianalysisError where there's none, or a column is missing."""
    if not (Path(source).is_dir() or REPO_ID.fullmatch(source)):
        raise PianalysisError(f"{source}: expected a folder, a JSON file or a Hub id like ORG/NAME, found no such file")
    found = False
    for split in SPLITS:
        rows = _load_split(source, config, split)
        if rows is not None:
            found = True
            _check_columns(rows, f"{source}: {config}, split {split}", config)
            yield split, rows
    if not found:
        raise PianalysisError(f"{source}: expected {config} of a dataset of ours, found none; build it again")


def _load_split(source: str, config: str, split: str) -> Any | None:
    """The rows of a split, None where there's none: a small dataset may lack one. Raises PianalysisError."""
    if Path(source).is_dir():
        try:
            return load_rows(source, config, split)
        except FileNotFoundError:
            return None
    with readable_errors(source, "dataset"):
        try:
            return load_rows(source, config, split)
        except (FileNotFoundError, ValueError) as error:
            first = str(error).splitlines()[0]
            if "Unknown split" in first:
                return None
            raise PianalysisError(
                f"{source}: expected a folder or a dataset of ours on the Hub, found none ({first})"
            ) from None


def _check_columns(rows: Any, where: str, config: str) -> None:
    """Raise PianalysisError where a column is missing or holds something else."""
    for name, feature in FEATURES[config].items():
        if name not in rows.features:
            if name in NEW_COLUMNS:
                continue
            raise PianalysisError(f"{where}: expected the column {name}, found none; build the dataset again")
        expected, found = _kind(feature), _kind(rows.features[name])
        if found != expected:
            raise PianalysisError(
                f"{where}: expected {expected} in the column {name}, found {found}; build the dataset again"
            )


def _kind(feature: Any) -> str:
    """What a column holds, whatever the width of its numbers.

    >>> _kind(FEATURES["windows"]["input_ids"]), _kind(FEATURES["notes"]["title"])
    ('lists of numbers', 'text')
    """
    if isinstance(feature, dict):
        return f"rows of {', '.join(f'{name}: {_kind(inner)}' for name, inner in feature.items())}"
    if hasattr(feature, "feature"):
        return f"lists of {_kind(feature.feature)}"
    kind = str(getattr(feature, "dtype", feature))
    return "text" if kind in ("string", "large_string") else "numbers" if kind[:3] in ("int", "uin", "flo") else kind


def _expected_rows(source: str) -> dict[str, Counter[str]]:
    """How many rows of each config and split a folder's build has written, by its report."""
    path = Path(source) / REPORT_FILE
    if not path.exists():
        raise PianalysisError(f"{source}: expected a finished dataset, found none (no {REPORT_FILE}); build it again")
    expected: dict[str, Counter[str]] = {}
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        for config, name in (("notes", "pieces"), ("windows", "windows")):
            expected[config] = Counter()
            for place, count in report[name].items():
                expected[config][place.rpartition("/")[2]] += int(count)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PianalysisError(
            f"{path}: expected the report of a build, found none ({type(error).__name__}: {error}); build it again"
        ) from None
    return expected


def _validate_dataset(source: str) -> ValidationReport:
    """Check every row of our dataset: its windows decode, its event views are the same music, no split leaks or is gone."""
    expected = _expected_rows(source) if Path(source).is_dir() else {}
    report = ValidationReport(source)
    tokens: Counter[int] = Counter()
    leaks = _Leaks(report)
    for split, rows in _rows_of(source, "windows"):
        report.splits[split] = len(rows)
        for row in rows:
            where = f"{split}, {row['piece_id']}, window {row['window']}"
            if not _is_whole(row, report, where):
                continue
            tokens.update(row["input_ids"])
            check_row(row, report, where)
            leaks.check(split, f"{row['corpus']}/{row['piece_id']}", row["input_ids"], where)
    report.samples = sum(report.splits.values())
    pieces = {}
    for split, rows in _rows_of(source, "notes"):
        pieces[split] = len(rows)
        for row in rows:
            _check_piece(row, split, report)
    for config, found in (("windows", report.splits), ("notes", pieces)):
        _check_splits(expected.get(config, Counter()), found, config, report)
    check_coverage(report, tokens)
    explain(report, tokens, Counter())
    return report


def _check_splits(expected: Counter[str], found: dict[str, int], config: str, report: ValidationReport) -> None:
    """Note what is gone of a build: a split, or files of it."""
    for split, count in expected.items():
        if count and split not in found:
            report.fault(f"the split {split} of {config} is gone: expected rows {count:,}, found no {split}-*.parquet")
        elif count != found.get(split, 0):
            report.fault(f"{config}, split {split}: expected rows {count:,}, as built, found {found[split]:,}")


def _is_whole(row: dict[str, Any], report: ValidationReport, where: str) -> bool:
    """Whether no column of a row is empty: as where somebody joined tables."""
    empty = [name for name, value in row.items() if value is None or (isinstance(value, list) and None in value)]
    for name in empty:
        report.fault(f"a row without {name}", where)
    return not empty


def _check_piece(row: dict[str, Any], split: str, report: ValidationReport) -> None:
    """Check a row of the config `notes`: its times rise, its notes are notes and its chords are chords."""
    where = f"{split}, {row['piece_id']}, version {row['version']}"
    if not _is_whole(row, report, where):
        return
    if row["split"] != split:
        report.fault("a piece that names another split than it is in", where)
    for name in ("beats_ms", "downbeats_ms"):
        if any(later <= earlier for earlier, later in pairwise(row[name])):
            report.fault(f"{name} that don't rise", where)
    for name in ("melody", "accompaniment"):
        onsets = [note["onset_ms"] for note in row[name]]
        if any(later < earlier for earlier, later in pairwise(onsets)):
            report.fault(f"onsets that fall in {name}", where)
        if any(note["duration_ms"] < 0 or not 0 <= note["pitch"] < 128 for note in row[name]):
            report.fault(f"a note of negative length or off MIDI's pitches in {name}", where)
    _check_chords(row, report, where)


def _check_chords(row: dict[str, Any], report: ValidationReport, where: str) -> None:
    source = row.get("chord_source", "label")
    if source not in get_args(ChordSource):
        report.fault(f"chords of an unknown source, none of {', '.join(filter(None, get_args(ChordSource)))}", where)
    if any(chord["end_ms"] < chord["onset_ms"] for chord in row["chords"]):
        report.fault("a chord that ends before it begins", where)
    for label in {chord["label"] for chord in row["chords"]}:
        if not _is_chord(label):
            report.fault("a chord's label that can't be read", f"{where}: {label!r}")


@lru_cache(maxsize=4096)
def _is_chord(label: str) -> bool:
    try:
        parse_chord(label)
    except PianalysisError:
        return False
    return True


def check_row(row: dict[str, Any], report: ValidationReport, where: str) -> None:
    """Note in a report what is wrong with one row of the config `windows`."""
    try:
        window = decode(row["input_ids"])
    except TokenError as error:
        report.fault("tokens that break the grammar", f"{where}: {error}")
        return
    if row["target_start"] != row["input_ids"].index(vocab.SEP) + 1:
        report.fault("target_start is not the place after the first <sep>", where)
    start = voice_start(row["input_ids"])
    if row.get("accompaniment_start", start) != start:
        report.fault("accompaniment_start is not the place after the last <sep>", where)
    if list(row["training_sequence"]) != to_events(window):
        report.fault("training_sequence is not the event view of input_ids", where)


class _Leaks:
    """Notes in a report what is in two splits: a piece, or a window as it is, id for id."""

    def __init__(self, report: ValidationReport) -> None:
        self.report = report
        self.split_of_piece: dict[str, str] = {}
        self.split_of_window: dict[int, tuple[str, str]] = {}

    def check(self, split: str, piece: str, ids: list[int], where: str) -> None:
        """Look at one window of a piece that is in a split."""
        if self.split_of_piece.setdefault(piece, split) != split:
            self.report.fault("a piece in two splits", f"{where}: also in {self.split_of_piece[piece]}")
        digest = window_digest(ids)
        if digest is None:
            return
        other, there = self.split_of_window.setdefault(digest, (split, where))
        if other != split:
            self.report.fault("an identical window in two splits", f"{where}: also {there}")


def export_json(source: str, path: str | os.PathLike[str]) -> int:
    """Write the seed's layout (``metadata.total_samples``, ``samples[].training_sequence``); returns the samples."""
    samples = [
        {"piece_id": row["piece_id"], "split": split, "training_sequence": list(row["training_sequence"])}
        for split, rows in _rows_of(source, "windows")
        for row in rows
    ]
    metadata = {
        "total_samples": len(samples),
        "vocab_size": vocab.VOCAB_SIZE,
        "format": "<bos> melody <sep> full polyphony <eos>",
    }
    write_atomically(path, json.dumps({"metadata": metadata, "samples": samples}).encode())
    return len(samples)

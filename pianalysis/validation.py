"""Is a dataset what it says? The checks that would have caught the seed's fault.

In: a folder or Hub id of ours, or a seed-style JSON file (`samples[].training_sequence`). Out: a `ValidationReport`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pianalysis import vocab
from pianalysis.notes import PianalysisError
from pianalysis.tokenizer import TokenError, decode, from_events, to_events

FEW_TIMES: Final = 20
"""A dataset whose sequences use fewer distinct times than this has lost its timestamps."""
FEW_TOKENS: Final = 200
"""So few distinct tokens of 801 mean that most of the vocabulary is dead (the seed's data had 15)."""
SMALL_SAMPLES: Final = 20
"""With fewer samples than this the two counts above say nothing."""
EXAMPLES: Final = 3


@dataclass
class ValidationReport:
    """What was checked and what was found: `faults` maps a kind of fault to how often, `examples` to where."""

    source: str
    samples: int = 0
    tokens: int = 0
    distinct_tokens: int = 0
    distinct_times: int = 0
    splits: dict[str, int] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def fault(self, kind: str, where: str = "") -> None:
        """Note a fault, and where, for the first few."""
        self.faults[kind] += 1
        shown = self.examples.setdefault(kind, [])
        if where and len(shown) < EXAMPLES:
            shown.append(where)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON has it."""
        counts = {
            name: getattr(self, name) for name in ("samples", "tokens", "distinct_tokens", "distinct_times", "splits")
        }
        return {"source": self.source, "ok": self.ok, **counts, "faults": dict(self.faults), "examples": self.examples}

    def table(self) -> str:
        """The report as people read it."""
        rows = [
            ("samples", f"{self.samples:,}" + "".join(f", {split} {count:,}" for split, count in self.splits.items())),
            ("tokens", f"{self.tokens:,}"),
            ("distinct tokens", f"{self.distinct_tokens} of {vocab.VOCAB_SIZE}"),
            ("distinct times", f"{self.distinct_times} of {len(vocab.TIME_IDS)}"),
        ]
        lines = [f"{name:<16} {value}" for name, value in rows]
        for kind, count in self.faults.most_common():
            lines.append(f"FAULT            {kind}: {count:,} times")
            lines += [f"                   {example}" for example in self.examples[kind]]
        return "\n".join([self.source, *lines, "valid" if self.ok else "NOT VALID"])


def validate(source: str | os.PathLike[str]) -> ValidationReport:
    """Check a folder or Hub id of ours, or a seed-style JSON file. Raises PianalysisError for what is neither."""
    path = Path(source)
    if path.is_file():
        return validate_sequences(_read_json(path), str(source))
    return _validate_windows(str(source))


def _read_json(path: Path) -> list[list[int]]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return [[int(token) for token in sample["training_sequence"]] for sample in data["samples"]]
    except (ValueError, KeyError, TypeError) as error:
        raise PianalysisError(
            f"{path}: expected JSON with samples[].training_sequence, found none ({type(error).__name__}: {error})"
        ) from None


def validate_sequences(sequences: Iterable[list[int]], source: str) -> ValidationReport:
    """Check event-view sequences: ``<bos> melody <sep> full polyphony <eos>`` as TIME, NOTE_ON | NOTE_OFF, PITCH."""
    report = ValidationReport(source)
    tokens: Counter[int] = Counter()
    for index, ids in enumerate(sequences):
        report.samples += 1
        tokens.update(ids)
        check_events(ids, report, f"sample {index}")
    _check_coverage(report, tokens, events=True)
    return report


def check_events(ids: list[int], report: ValidationReport, where: str) -> None:
    """Note every kind of fault of one event-view sequence in a report."""
    start = f"{where}: {ids[:9]}{'…' if len(ids) > 9 else ''}"
    if any(not 0 <= token < vocab.VOCAB_SIZE for token in ids):
        report.fault("ids outside the vocabulary of 801", start)
    if ids[:1] != [vocab.BOS]:
        report.fault("no <bos> at the start", start)
    if ids[-1:] != [vocab.EOS]:
        report.fault("no <eos> at the end", f"{where}: … {ids[-3:]}")
    if ids.count(vocab.SEP) != 1:
        report.fault("not exactly one <sep>: melody and full polyphony can't be told apart", start)
    struck = [index for index, token in enumerate(ids) if token in (vocab.NOTE_ON, vocab.NOTE_OFF)]
    if struck and not any(index and ids[index - 1] in vocab.TIME_IDS for index in struck):
        report.fault("no timestamps: raw milliseconds share ids with pitches and specials, or are missing", start)
    elif ids.count(vocab.SEP) == 1 and ids[:1] == [vocab.BOS] and ids[-1:] == [vocab.EOS]:
        try:
            from_events(ids)
        except TokenError as error:
            report.fault("events that break the grammar", f"{where}: {error}")


def _check_coverage(report: ValidationReport, tokens: Counter[int], *, events: bool) -> None:
    report.tokens = tokens.total()
    report.distinct_tokens = len(tokens)
    report.distinct_times = sum(token in vocab.TIME_IDS for token in tokens)
    if not report.samples:
        report.fault("no samples")
    if report.samples < SMALL_SAMPLES:
        return
    if report.distinct_times < FEW_TIMES:
        report.fault(f"only {report.distinct_times} distinct times: the timestamps are lost")
    if report.distinct_tokens < FEW_TOKENS:
        report.fault(
            f"only {report.distinct_tokens} distinct tokens of {vocab.VOCAB_SIZE}: most of the vocabulary is dead"
        )


def _windows_of(source: str) -> Iterator[tuple[str, Iterable[dict[str, Any]]]]:
    from pianalysis.corpora import SPLITS
    from pianalysis.dataset import load_windows

    for split in SPLITS:
        try:
            yield split, load_windows(source, split)
        except (FileNotFoundError, ValueError):
            continue  # a small dataset may lack a split


def _validate_windows(source: str) -> ValidationReport:
    """Check every window of our dataset: it decodes, its event view is the same music, and no split leaks."""
    if Path(source).is_dir() and not (Path(source) / "build_report.json").exists():
        raise PianalysisError(
            f"{source}: expected a finished dataset, found none (no build_report.json); build it again"
        )
    report = ValidationReport(source)
    tokens: Counter[int] = Counter()
    split_of_piece: dict[tuple[str, str], str] = {}
    split_of_window: dict[bytes, tuple[str, str]] = {}
    for split, rows in _windows_of(source):
        report.splits[split] = 0
        for row in rows:
            where = f"{split}, {row['piece_id']}, window {row['window']}"
            report.splits[split] += 1
            tokens.update(row["input_ids"])
            _check_row(row, report, where)
            piece = (row["corpus"], row["piece_id"])
            if split_of_piece.setdefault(piece, split) != split:
                report.fault("a piece in two splits", f"{where}: also in {split_of_piece[piece]}")
            _check_leak(row, split, split_of_window, report, where)
    report.samples = sum(report.splits.values())
    _check_coverage(report, tokens, events=False)
    return report


def _check_row(row: dict[str, Any], report: ValidationReport, where: str) -> None:
    try:
        window = decode(row["input_ids"])
    except TokenError as error:
        report.fault("tokens that break the grammar", f"{where}: {error}")
        return
    if row["input_ids"][row["target_start"] - 1] != vocab.SEP:
        report.fault("target_start is not the place after <sep>", where)
    if list(row["training_sequence"]) != to_events(window):
        report.fault("training_sequence is not the event view of input_ids", where)


def _check_leak(
    row: dict[str, Any], split: str, seen: dict[bytes, tuple[str, str]], report: ValidationReport, where: str
) -> None:
    """An identical window in two splits. Windows of a few notes (a held chord) may be alike by chance."""
    if len(row["input_ids"]) < 60:
        return
    digest = hashlib.sha256(json.dumps(row["input_ids"]).encode()).digest()[:16]
    other, there = seen.setdefault(digest, (split, where))
    if other != split:
        report.fault("an identical window in two splits", f"{where}: also {there}")


def export_json(source: str, path: str | os.PathLike[str]) -> int:
    """Write the seed's layout (``metadata.total_samples``, ``samples[].training_sequence``); returns the samples."""
    from pianalysis.notes import write_atomically

    samples = [
        {"piece_id": row["piece_id"], "split": split, "training_sequence": list(row["training_sequence"])}
        for split, rows in _windows_of(source)
        for row in rows
    ]
    metadata = {
        "total_samples": len(samples),
        "vocab_size": vocab.VOCAB_SIZE,
        "format": "<bos> melody <sep> full polyphony <eos>",
    }
    write_atomically(path, json.dumps({"metadata": metadata, "samples": samples}).encode())
    return len(samples)

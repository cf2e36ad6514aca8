"""Building the dataset: corpora to a folder of parquet files that `datasets` loads.

In: corpora and their splits. Out: a folder, and a `BuildReport`. Work is cut into parts of some pieces; a part is
written whole or not at all, so an interrupted build goes on where it was, and the result is the same bytes whatever the
number of processes.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from pianalysis import __version__, corpora
from pianalysis.cards import dataset_card
from pianalysis.dataset import FEATURES, notes_row, piece_windows, window_row
from pianalysis.notes import PianalysisError, write_atomically
from pianalysis.report import BuildReport, PartReport, save_plots
from pianalysis.sources import CorpusSource, OpenCorpus, open_corpus, opened

PIECES_PER_PART: Final = 16
ROWS_PER_SHARD: Final = {"notes": 1_000, "windows": 20_000}
PARTS_FOLDER: Final = ".parts"
REPORT_FILE: Final = "build_report.json"
"""Written last: a folder without it is not finished."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class BuildOptions:
    """What to build. every_bar: a training window starts at every bar. versions: POP909's others, for training.

    limit: at most so many pieces of each corpus and split, None for all.
    """

    sources: tuple[CorpusSource, ...]
    every_bar: bool = False
    versions: bool = False
    limit: int | None = None


@dataclass(frozen=True)
class Part:
    """Some pieces of one corpus and split that are built together."""

    index: int
    split: str
    source: CorpusSource
    piece_ids: tuple[str, ...]
    every_bar: bool
    versions: bool


def build_dataset(
    options: BuildOptions, output: str | os.PathLike[str], *, num_proc: int = 1, progress: Progress | None = None
) -> BuildReport:
    """Build the dataset in a folder; going on with what an interrupted build of the same left there.

    Raises PianalysisError if no piece is usable (nothing is left then), or if the folder holds something else.
    """
    folder = _claim(Path(output))
    with opened(options.sources) as sources:
        parts = plan_parts(options, sources)
        problems = [problem for source in sources for problem in open_corpus(source).problems]
        reports = list(_build_parts(parts, folder / PARTS_FOLDER, num_proc, progress))
    report = BuildReport.merge(reports, problems)
    if not report.windows:
        shutil.rmtree(folder)
        raise PianalysisError(
            f"expected at least one usable piece, found none of {report.pieces_seen}: {report.first_problems()}"
        )
    for config in FEATURES:
        _assemble(config, parts, reports, folder)
    shutil.rmtree(folder / PARTS_FOLDER)
    write_atomically(folder / REPORT_FILE, (json.dumps(report.to_dict(), indent=1, ensure_ascii=True) + "\n").encode())
    return report


def _claim(folder: Path) -> Path:
    """The folder, made ready: an unfinished or finished build of ours may be there, nothing else."""
    if folder.exists() and not folder.is_dir():
        raise PianalysisError(f"{folder}: expected a folder, found a file")
    if (
        folder.is_dir()
        and any(folder.iterdir())
        and not ((folder / PARTS_FOLDER).exists() or (folder / REPORT_FILE).exists())
    ):
        raise PianalysisError(
            f"{folder}: expected an empty folder or a dataset of ours, found other files; choose another"
        )
    try:
        (folder / PARTS_FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PianalysisError(f"{folder}: can't be written ({error.strerror}); choose another folder") from None
    (folder / REPORT_FILE).unlink(missing_ok=True)
    for config in FEATURES:
        shutil.rmtree(folder / config, ignore_errors=True)
    return folder


def plan_parts(options: BuildOptions, sources: list[CorpusSource]) -> list[Part]:
    """The parts of a build in their order: by split, corpus, and place in the split file."""
    parts: list[Part] = []
    for split in corpora.SPLITS:
        flags = (options.every_bar and split == "train", options.versions and split == "train")
        for source in sources:
            ids = open_corpus(source).ids[split][: options.limit]
            for start in range(0, len(ids), PIECES_PER_PART):
                parts.append(Part(len(parts), split, source, tuple(ids[start : start + PIECES_PER_PART]), *flags))
    return parts


def _build_parts(parts: list[Part], folder: Path, num_proc: int, progress: Progress | None) -> Iterator[PartReport]:
    build = partial(build_part, folder=folder)
    if num_proc <= 1:
        yield from _counted(map(build, parts), len(parts), progress)
        return
    # Fresh processes, not forks: forking a process whose libraries run threads can hang.
    with ProcessPoolExecutor(num_proc, mp_context=get_context("spawn")) as pool:
        yield from _counted(pool.map(build, parts), len(parts), progress)


def _counted(reports: Iterator[PartReport], total: int, progress: Progress | None) -> Iterator[PartReport]:
    for done, report in enumerate(reports, start=1):
        if progress is not None:
            progress(done, total)
        yield report


def build_part(part: Part, folder: Path) -> PartReport:
    """Build one part's parquet files in a folder, unless they are there; returns its report."""
    corpus = open_corpus(part.source)
    stem = folder / f"{part.index:06d}-{_fingerprint(part, corpus)}"
    report_file = stem.with_suffix(".json")
    if report_file.exists():  # written last: the part is whole
        return PartReport.from_dict(json.loads(report_file.read_text(encoding="utf-8")))
    report = PartReport(split=part.split)
    rows: dict[str, list[dict[str, Any]]] = {config: [] for config in FEATURES}
    for piece_id in part.piece_ids:
        for piece in report.collecting(
            corpus.read(piece_id, versions=part.versions, problems=report.problems), piece_id
        ):
            windows = list(piece_windows(piece, every_bar=part.every_bar))
            if not report.add_piece(piece, windows):
                continue
            rows["notes"].append(notes_row(piece, part.split))
            for index, window in enumerate(windows):
                row = window_row(piece, window, index)
                rows["windows"].append(row)
                report.add_window(piece, window, row["input_ids"])
    for config, features in FEATURES.items():
        _write_table(pa.Table.from_pylist(rows[config], schema=features.arrow_schema), stem.with_suffix(f".{config}"))
    write_atomically(report_file, json.dumps(report.to_dict()).encode())
    return report


def _fingerprint(part: Part, corpus: OpenCorpus) -> str:
    """What a part's bytes depend on: our version, what was asked for, and the bytes of its files."""
    asked = {**asdict(part), "source": [part.source.name, part.source.style], "package": __version__}
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
    for piece_id in part.piece_ids:
        for name in corpus.names_of(piece_id):
            data = corpus.files[name]()
            digest.update(f"{name}\0{len(data)}\0".encode(errors="surrogateescape"))
            digest.update(data)
    return digest.hexdigest()[:16]


def _write_table(table: pa.Table, path: Path) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_atomically(path, sink.getvalue().to_pybytes())


def _assemble(config: str, parts: list[Part], reports: list[PartReport], folder: Path) -> None:
    """Join the parts' tables into shards of each split, in order; one part in memory at a time."""
    files = {int(file.name.split("-")[0]): file for file in (folder / PARTS_FOLDER).glob(f"*.{config}")}
    (folder / config).mkdir(exist_ok=True)
    for split in corpora.SPLITS:
        shards: list[list[int]] = [[]]
        rows = 0
        for part, report in zip(parts, reports, strict=True):
            if part.split != split or not report.rows(config):
                continue
            if rows >= ROWS_PER_SHARD[config]:
                shards.append([])
                rows = 0
            shards[-1].append(part.index)
            rows += report.rows(config)
        for number, indices in enumerate(shards):
            if indices:
                name = f"{split}-{number:05d}-of-{len(shards):05d}.parquet"
                _join([files[index] for index in indices], folder / config / name, FEATURES[config].arrow_schema)


def _join(files: list[Path], path: Path, schema: pa.Schema) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for file in files:
            writer.write_table(pq.read_table(file))
    os.replace(temporary, path)


def finish_dataset(report: BuildReport, output: str | os.PathLike[str], *, repo_id: str, every_bar: bool) -> None:
    """Add the plots and the card to a built dataset."""
    folder = Path(output)
    save_plots(report, folder / "build_report.png")
    write_atomically(folder / "README.md", dataset_card(report, folder, repo_id=repo_id, every_bar=every_bar).encode())

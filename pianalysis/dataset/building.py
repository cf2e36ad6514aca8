"""Building the dataset: corpora to a folder of parquet files that `datasets` loads.

In: corpora and their splits. Out: a folder, and a `BuildReport`. Work is cut into parts of some pieces; a part is
written whole or not at all, so an interrupted build goes on where it was, and the result is the same bytes whatever the
number of processes.

First every part's melodies are read (`listen`): a piece that stands twice, under two names, in two corpora or in two
keys, is kept once. Test comes before validation and validation before training, so what is in two splits is left out of
training; then the corpora in the order of `corpora_facts.OPTIONS`, in which one with an accompaniment comes before lead sheets.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pianalysis.dataset import corpora
from pianalysis.dataset.card import NO_REPO, PLOTS_FILE, dataset_card
from pianalysis.dataset.corpora import Piece
from pianalysis.dataset.duplicates import Hashes, find_twice, fingerprint, sampled, share_compared
from pianalysis.dataset.piece_chords import piece_chart
from pianalysis.dataset.report import BuildReport, PartReport, save_plots
from pianalysis.dataset.rows import (
    FEATURES,
    PARTS_FOLDER,
    REPORT_FILE,
    Charted,
    notes_row,
    piece_windows,
    window_digest,
    window_row,
)
from pianalysis.dataset.sources import CorpusSource, OpenCorpus, open_corpus, opened
from pianalysis.digests import code_digest
from pianalysis.errors import PianalysisError
from pianalysis.files import write_atomically
from pianalysis.music.keys import key_shift
from pianalysis.music.notes import Notes, monophonic
from pianalysis.processes import workers
from pianalysis.publishing.corpora_facts import OPTIONS

PIECES_PER_PART: Final = 16
ROWS_PER_SHARD: Final = {"notes": 1_000, "windows": 20_000}
CARD_FILE: Final = "README.md"
LISTENING: Final = ("dataset.duplicates", "melody.find", "dataset.sources")
ROWS: Final = ("dataset.rows", "dataset.report", "dataset.sources")
"""The modules that decide what is in a part's files, with all that they import: other code builds them again."""

Progress = Callable[[int, int], None]
"""Called with the parts that are done and all of them."""


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
    """Some pieces of one corpus and split that are built together. names: of the files of each piece."""

    index: int
    split: str
    source: CorpusSource
    piece_ids: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    every_bar: bool
    versions: bool
    twice: tuple[tuple[str, str], ...] = ()
    """Pieces to leave out, and what each is again."""


@dataclass(frozen=True)
class BuiltPart:
    """The files of a part that is done: what their names begin with, and the rows of each config in them."""

    stem: Path
    split: str
    rows: dict[str, int]


def build_dataset(
    options: BuildOptions,
    output: str | os.PathLike[str],
    *,
    num_proc: int = 1,
    progress: Progress | None = None,
    repo_id: str = NO_REPO,
) -> BuildReport:
    """Build the dataset in a folder; going on with what an interrupted build of the same left there.

    repo_id: what the card calls the dataset. Raises PianalysisError if no piece is usable (nothing is left then), or
    if the folder holds something else.
    """
    folder = Path(output)
    _check_output(folder)
    with opened(options.sources) as sources:
        parts = plan_parts(options, sources)
        problems = [problem for source in sources for problem in open_corpus(source).problems]
        open_corpus.cache_clear()  # the parts have what is needed of a list that may be long
        _claim(folder)
        report = BuildReport(problems=problems, every_bar=options.every_bar)
        built: list[BuiltPart] = []
        with workers(num_proc) as run:
            parts = without_twice(parts, list(run(partial(listen, folder=folder / PARTS_FOLDER), parts)))
            for split in corpora.SPLITS[::-1]:
                build = partial(build_part, folder=folder / PARTS_FOLDER, taken=_save_taken(built, folder))
                for part, counts in run(build, [part for part in parts if part.split == split]):
                    built.append(part)
                    report.add(counts)  # and let them go: memory must not grow with the corpus
                    if progress is not None:
                        progress(len(built), len(parts))
    if not report.windows:
        shutil.rmtree(folder)
        raise PianalysisError(
            f"expected at least one usable piece, found none of {report.pieces_seen}: {report.first_problems()}"
        )
    built.sort(key=lambda part: part.stem)
    for config in FEATURES:
        _assemble(config, built, folder)
    save_plots(report, folder / PLOTS_FILE)
    write_atomically(folder / CARD_FILE, dataset_card(report, folder, repo_id=repo_id).encode())
    _finish(folder, report)
    return report


def _finish(folder: Path, report: BuildReport) -> None:
    """Write the report, which says that all is there. The empty folder of parts goes last: it says whose folder it is."""
    for path in (folder / PARTS_FOLDER).iterdir():
        path.unlink()
    text = json.dumps(report.to_dict(), indent=1, ensure_ascii=True) + "\n"
    write_atomically(folder / REPORT_FILE, text.encode())
    (folder / PARTS_FOLDER).rmdir()


def _check_output(folder: Path) -> None:
    """Refuse a place where something of somebody else's is: a finished or unfinished build of ours may be there."""
    if folder.exists() and not folder.is_dir():
        raise PianalysisError(f"{folder}: expected a folder, found a file; choose another name")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not ((folder / PARTS_FOLDER).exists() or (folder / REPORT_FILE).exists()):
        raise PianalysisError(
            f"{folder}: expected an empty folder or a dataset of ours, found other files; choose another"
        )


def _claim(folder: Path) -> None:
    """Make the folder ready. What a finished build left is no longer finished from the first step on."""
    try:
        (folder / PARTS_FOLDER).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PianalysisError(f"{folder}: can't be written ({error.strerror}); choose another folder") from None
    for name in (REPORT_FILE, CARD_FILE, PLOTS_FILE):
        (folder / name).unlink(missing_ok=True)
    for config in FEATURES:
        shutil.rmtree(folder / config, ignore_errors=True)


def plan_parts(options: BuildOptions, sources: list[CorpusSource]) -> list[Part]:
    """The parts of a build in their order: by split, corpus, and place in the split file.

    Raises PianalysisError where two sources of one kind have a piece of the same id: rows couldn't tell them apart.
    """
    parts: list[Part] = []
    seen: set[tuple[str, str]] = set()
    for split in corpora.SPLITS:
        flags = (options.every_bar and split == "train", options.versions and split == "train")
        for source in sources:
            ids = open_corpus(source).ids[split][: options.limit]
            if twice := seen.intersection((source.name, piece_id) for piece_id in ids):
                raise PianalysisError(
                    f"expected other names in the second {source.name}, found {min(twice)[1]!r} in both"
                )
            seen.update((source.name, piece_id) for piece_id in ids)
            for start in range(0, len(ids), PIECES_PER_PART):
                some = tuple(ids[start : start + PIECES_PER_PART])
                names = tuple(map(open_corpus(source).names_of, some))
                parts.append(Part(len(parts), split, source, some, names, *flags))
    return parts


@dataclass(frozen=True)
class Heard:
    """The file of the fingerprints of a part's melodies, and how many shingles are in it."""

    path: Path
    shingles: int


def listen(part: Part, folder: Path) -> Heard:
    """Write the `fingerprint`s of a part's melodies into a folder, unless they are there."""
    corpus = _corpus_of(part)
    path = folder / f"{part.index:06d}-{_fingerprint(part, corpus, code_digest(*LISTENING))}.melodies"
    if not path.exists():
        prints = []
        for piece_id in part.piece_ids:
            piece = next(
                PartReport().collecting(corpus.read(piece_id), piece_id), None
            )  # building it says what's wrong
            prints.append(fingerprint(_voice(piece)) if piece is not None else np.zeros(0, np.uint64))
        sink = io.BytesIO()
        np.save(sink, np.concatenate([np.array([len(some) for some in prints], np.uint64), *prints]))
        write_atomically(path, sink.getvalue())
    return Heard(path, len(np.load(path, mmap_mode="r")) - len(part.piece_ids))


def _voice(piece: Piece) -> Notes:
    return monophonic(piece.clock.notes_to_clock(piece.melody))


def without_twice(parts: list[Part], heard: list[Heard]) -> list[Part]:
    """The parts with the pieces that they leave out because these stand twice. heard: of `listen`, one a part."""
    share = share_compared(sum(some.shingles for some in heard))
    pieces: list[tuple[tuple[int, int, str], Part, Hashes]] = []
    for part, file in zip(parts, heard, strict=True):
        place = (-corpora.SPLITS.index(part.split), OPTIONS.index(part.source.name))
        data, count = np.load(file.path), len(part.piece_ids)
        prints = np.split(data[count:], np.cumsum(data[: count - 1].astype(np.int64)))
        for piece_id, some in zip(part.piece_ids, prints, strict=True):
            pieces.append(((*place, piece_id), part, sampled(some, share)))
    pieces.sort(key=itemgetter(0))
    splits, prints = [part.split for _, part, _ in pieces], [some for *_, some in pieces]
    again: dict[int, list[tuple[str, str]]] = {}
    for later, earlier in find_twice(prints, splits, share=share).items():
        ((*_, piece_id), part, _), ((*_, name), other, _) = pieces[later], pieces[earlier]
        again.setdefault(part.index, []).append((piece_id, f"{name} ({other.source.name}, {other.split})"))
    return [replace(part, twice=tuple(again.get(part.index, ()))) for part in parts]


def _save_taken(built: list[BuiltPart], folder: Path) -> Path:
    """A file with the `window_digest`s of what is built, sorted: no other split may hold these windows."""
    digests: set[int] = set()
    for part in built:
        table = pq.read_table(part.stem.with_suffix(".windows"), columns=["input_ids"])
        digests.update(digest for digest in map(window_digest, table["input_ids"].to_pylist()) if digest is not None)
    data = np.array(sorted(digests), np.uint64).tobytes()
    return write_atomically(folder / PARTS_FOLDER / f"taken-{hashlib.sha256(data).hexdigest()[:16]}", data)


@lru_cache(maxsize=4)
def _load_taken(path: Path) -> frozenset[int]:
    return frozenset(np.frombuffer(path.read_bytes(), np.uint64).tolist())


def _corpus_of(part: Part) -> OpenCorpus:
    return OpenCorpus.only(part.source, dict(zip(part.piece_ids, part.names, strict=True)))


def build_part(part: Part, folder: Path, taken: Path) -> tuple[BuiltPart, PartReport]:
    """Build one part's parquet files in a folder, unless they are there.

    taken: the windows of other splits, see `_save_taken`; a piece with one of them is left out.
    """
    corpus = _corpus_of(part)
    # The fingerprint tells the part from one of the same number that an interrupted build of other options left.
    stem = folder / f"{part.index:06d}-{_fingerprint(part, corpus, f'{taken.name} {code_digest(*ROWS)}')}"
    report_file = stem.with_suffix(".json")
    if report_file.exists():  # written last: the part is whole
        return _built(stem, PartReport.from_dict(json.loads(report_file.read_text(encoding="utf-8"))))
    report = PartReport(split=part.split)
    rows: dict[str, list[dict[str, Any]]] = {config: [] for config in FEATURES}
    twice = dict(part.twice)
    for piece_id in part.piece_ids:
        if piece_id in twice:
            report.leave_out(piece_id, twice[piece_id])
            continue
        for piece, charted in report.collecting(_charted(part, corpus, piece_id, report), piece_id):
            windows = list(piece_windows(piece, charted, every_bar=part.every_bar))
            shift = key_shift(piece.melody)
            of_piece = [window_row(piece, window, index, shift=shift) for index, window in enumerate(windows)]
            ids = [row["input_ids"] for row in of_piece]
            if not _load_taken(taken).isdisjoint(map(window_digest, ids)):
                report.problems.append((piece.piece_id, "a window is the same as one of another split; left out"))
            elif report.add_piece(piece, windows, charted, every_bar=part.every_bar):
                rows["notes"].append(notes_row(piece, part.split, charted))
                rows["windows"] += of_piece
                report.add_windows(piece, windows, ids)
    for config, features in FEATURES.items():
        _write_table(pa.Table.from_pylist(rows[config], schema=features.arrow_schema), stem.with_suffix(f".{config}"))
    write_atomically(report_file, json.dumps(report.to_dict()).encode())
    return _built(stem, report)


def _charted(part: Part, corpus: OpenCorpus, piece_id: str, report: PartReport) -> Iterator[tuple[Piece, Charted]]:
    for piece in corpus.read(piece_id, versions=part.versions, problems=report.problems):
        yield piece, piece_chart(piece)


def _built(stem: Path, report: PartReport) -> tuple[BuiltPart, PartReport]:
    return BuiltPart(stem, report.split, {config: report.rows(config) for config in FEATURES}), report


def _fingerprint(part: Part, corpus: OpenCorpus, made_by: str) -> str:
    """What a part's bytes depend on: our code, what was asked for, and the bytes of its files."""
    asked = {**asdict(part), "source": [part.source.name, part.source.style], "made by": made_by}
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
    for piece_id in part.piece_ids:
        for name, read_bytes in corpus.files_of(piece_id).items():
            with suppress(OSError):  # gone since it was listed: reading the piece will say so
                data = read_bytes()
                digest.update(f"{name}\0{len(data)}\0".encode(errors="surrogateescape"))
                digest.update(data)
    return digest.hexdigest()[:16]


def _write_table(table: pa.Table, path: Path) -> None:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    write_atomically(path, sink.getvalue().to_pybytes())


def _assemble(config: str, built: list[BuiltPart], folder: Path) -> None:
    """Join the parts' tables into shards of each split, in order; one part in memory at a time."""
    (folder / config).mkdir(exist_ok=True)
    for split in corpora.SPLITS:
        shards: list[list[Path]] = [[]]
        rows = 0
        for part in built:
            if part.split != split or not part.rows[config]:
                continue
            if rows >= ROWS_PER_SHARD[config]:
                shards.append([])
                rows = 0
            shards[-1].append(part.stem.with_suffix(f".{config}"))
            rows += part.rows[config]
        for number, files in enumerate(shards):
            if files:
                name = f"{split}-{number:05d}-of-{len(shards):05d}.parquet"
                _join(files, folder / config / name, FEATURES[config].arrow_schema)


def _join(files: list[Path], path: Path, schema: pa.Schema) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for file in files:
            writer.write_table(pq.read_table(file))
    os.replace(temporary, path)

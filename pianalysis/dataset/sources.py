"""Opening corpora: archives unpacked, pieces listed by split, a folder's duplicates found.

In: `CorpusSource`s, what a user names. Out: `OpenCorpus`es, which list and read pieces.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Final

from pianalysis.dataset import corpora
from pianalysis.dataset.corpora import Files, FolderFiles, Piece, Problems
from pianalysis.dataset.splitting import fill_splits, split_of
from pianalysis.errors import PianalysisError
from pianalysis.files import DATA
from pianalysis.music.midi import MAX_FILE_BYTES
from pianalysis.music.xmlfiles import MAX_XML_BYTES, MUSICXML_SUFFIXES
from pianalysis.publishing.corpora_facts import OPTIONS

ONE_FILE_EACH: Final = {
    "lieder": corpora.read_lieder,
    "polish": corpora.read_polish,
    "hymns": corpora.read_hymn,
    "openewld": corpora.read_openewld,
}
"""The corpora in which a piece is one file, and what reads it."""
TABLES: Final = ""
"""Where `OpenCorpus.names` has the files that every piece is read with."""
MIDI_SUFFIXES: Final = (".mid", ".midi", ".kar")
SPLITS_FOLDER: Final = DATA / "splits"


@dataclass(frozen=True)
class CorpusSource:
    """A corpus as a user names it: one of `corpora_facts.OPTIONS`; the folder or archive; the file of its split.

    style: which accompaniment a folder's is like. Without a split file the one that comes with the package is used; a
    folder's own files are split by a hash.
    """

    name: str
    root: str
    splits: str | None = None
    style: str = "pop"


@dataclass(frozen=True, eq=False)
class OpenCorpus:
    """A corpus whose files can be read: `ids` maps each split to its piece ids, `names` a piece id to its files' names."""

    source: CorpusSource
    files: Files
    ids: dict[str, list[str]]
    names: Mapping[str, Sequence[str]]
    problems: Problems = field(default_factory=list)

    def read(self, piece_id: str, *, versions: bool = False, problems: Problems | None = None) -> Iterator[Piece]:
        """The versions of one piece. Raises PianalysisError for one that can't be read."""
        files = self.files_of(piece_id)  # not all of them: searching those for each piece takes the corpus squared
        if self.source.name == "pop909":
            yield from corpora.read_pop909(files, piece_id, versions=versions, problems=problems)
        elif self.source.name in ONE_FILE_EACH:
            yield from ONE_FILE_EACH[self.source.name](files, piece_id)
        else:
            (read_bytes,) = files.values()
            yield from corpora.read_single(read_bytes(), piece_id, style=self.source.style)

    def files_of(self, piece_id: str) -> Files:
        """All files that a piece is read from, alternative versions and the corpus's own tables included."""
        return {name: self.files[name] for name in self.names_of(piece_id)}

    def names_of(self, piece_id: str) -> tuple[str, ...]:
        """The names of `files_of`."""
        return (*self.names.get(piece_id, ()), *self.names.get(TABLES, ()))

    @classmethod
    def only(cls, source: CorpusSource, names: dict[str, tuple[str, ...]]) -> OpenCorpus:
        """A corpus of some pieces, by their files' names, for a process that needs no others."""
        files = FolderFiles(Path(source.root), (name for some in names.values() for name in some))
        return cls(source, files, {}, names)


def _files_by_piece(names: Iterable[str], corpus: str) -> dict[str, list[str]]:
    """Piece id to file names: a POP909 song is a folder, a piece of the others a file beside one table for all."""
    found: dict[str, list[str]] = {}
    for name in names:
        parts = name.split("/")
        if corpus == "pop909":
            keys = [part for part in parts[:-1] if part.isdigit()]
        else:
            keys = [TABLES if parts[-1] == corpora.TABLE else PurePosixPath(parts[-1]).stem]
        for key in keys[:1]:
            found.setdefault(key, []).append(name)
    return found


@contextmanager
def opened(sources: Sequence[CorpusSource]) -> Iterator[list[CorpusSource]]:
    """The sources with archives unpacked into temporary folders, which are gone at the end.

    Raises PianalysisError for an unknown corpus, a missing split file or an unreadable archive, FileNotFoundError for
    a root that isn't there.
    """
    open_corpus.cache_clear()  # a folder may have other files than when it was last built in this process
    with ExitStack() as stack:
        unpacked = []
        for source in sources:
            if source.name not in OPTIONS:
                raise PianalysisError(f"expected one of the corpora {list(OPTIONS)}, found {source.name!r}")
            root = Path(source.root)
            if not root.exists():
                raise FileNotFoundError(f"{root}: expected a folder or an archive, found nothing")
            if not root.is_dir():
                root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                _unpack(Path(source.root), root)
            unpacked.append(replace(source, root=str(root)))
        yield unpacked


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise PianalysisError(
            f"{archive}: expected a folder or a tar archive, found one that can't be read ({error})"
        ) from None


@lru_cache(maxsize=8)
def open_corpus(source: CorpusSource) -> OpenCorpus:
    """A corpus in a folder, its pieces listed by split. Raises PianalysisError for a split file that can't be used."""
    if source.name == "folder":
        return _open_folder(source)
    files = corpora.open_files(source.root)
    table = corpora.read_splits(source.splits or SPLITS_FOLDER / f"{source.name}.json")
    ids: dict[str, list[str]] = {split: [] for split in corpora.SPLITS}
    for piece_id, split in table.items():
        ids[split].append(piece_id)
    return OpenCorpus(source, files, ids, _files_by_piece(files, source.name))


def _open_folder(source: CorpusSource) -> OpenCorpus:
    problems: Problems = []
    root = Path(source.root)
    files = sorted(_walk(root, problems))
    table = corpora.read_splits(source.splits) if source.splits else None
    ids: dict[str, list[str]] = {split: [] for split in corpora.SPLITS}
    names: dict[str, list[str]] = {}
    seen: dict[str, str] = {}
    for name in files:
        piece_id = name.encode("utf-8", "backslashreplace").decode()  # a name that is no UTF-8 can't stand in parquet
        try:
            digest = _digest_of(root / name)
        except PianalysisError as error:
            problems.append((piece_id, str(error)))
            continue
        if digest in seen:
            problems.append((piece_id, f"the same bytes as {seen[digest]}; left out"))
        elif table is not None and piece_id not in table:
            problems.append((piece_id, "in no split of the split file; left out"))
        else:
            seen[digest] = piece_id
            names[piece_id] = [name]
            ids[table[piece_id] if table is not None else split_of(digest)].append(piece_id)
    if table is None:
        fill_splits(ids, {piece_id: digest for digest, piece_id in seen.items()})
    return OpenCorpus(source, FolderFiles(root, files), ids, names, problems)


def _walk(root: Path, problems: Problems) -> Iterator[str]:
    """The paths of MIDI and MusicXML files in a folder; links to folders aren't followed, so that loops end."""

    def note(error: OSError) -> None:
        problems.append((str(error.filename), f"the folder can't be read ({error.strerror})"))

    for folder, _, names in os.walk(root, onerror=note):
        for name in names:
            path = Path(folder, name)
            if path.suffix.lower() in MIDI_SUFFIXES + MUSICXML_SUFFIXES:
                yield path.relative_to(root).as_posix()


def _digest_of(path: Path) -> str:
    """The hash of a file's bytes. Raises PianalysisError for what can't be a file of ours, before it's read."""
    largest = MAX_XML_BYTES if path.suffix.lower() in (".musicxml", ".xml") else MAX_FILE_BYTES
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):  # opening a pipe would wait for ever
            raise PianalysisError("expected a file, found a pipe or a device; left out")
        if state.st_size > largest:
            raise PianalysisError(
                f"{state.st_size / 2**20:,.0f} MB is too large; files of its kind up to {largest >> 20} MB are read"
            )
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise PianalysisError(f"can't be read ({error.strerror})") from None

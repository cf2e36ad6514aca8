"""Folders of music, matched by the names of their files.

In: folders, or mappings from names to files, scores or arrays. Out: what each name has in each, and a sentence for what is left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pianalysis.errors import PianalysisError
from pianalysis.music.timed import HOW, File, is_file_or_score

MIDI: Final = (".mid", ".midi", ".kar", ".rmi")
MELODIES: Final = (*MIDI, ".musicxml", ".xml", ".mxl", ".abc")
CHARTS: Final = (".txt", ".lab", *MELODIES)
NAMED: Final = 5
"""So many names are said; the rest are counted."""

Source = File | Any
"""A file, or a `symusic.Score`, which is several classes and no type."""
Sources = Mapping[str, Source]
Folder = str | os.PathLike[str] | Mapping[str, Source]
"""A folder of files, or what it would hold by its files' names without suffix."""


def read_folders(folders: Mapping[str, tuple[Folder, str, Sequence[str]]]) -> dict[str, dict[str, Source]]:
    """The files of several folders and those inside them, each with what is wanted of it and its kinds, by the names that belong
    together, in their order.

    Those are the files' own without suffix, wherever they lie; where one of the folders has two files of one name, those with the
    folders inside it that they lie in (001/seg_0, 002/seg_0), of all of them. Of a name in several kinds (song.mid, song.musicxml)
    the kind that is first counts.

    Raises PianalysisError, which says what was wanted, for what is no folder, for one without such files, for two files of one
    name, and for arrays, which don't say where their beats are.
    """
    paths = {
        key: _paths(folder, what, kinds)
        for key, (folder, what, kinds) in folders.items()
        if not isinstance(folder, Mapping)
    }
    inside = any(_twice([(path.stem, path) for path in found], folders[key][2]) for key, found in paths.items())
    return {
        key: _checked(folder, what)
        if isinstance(folder, Mapping)
        else _by_name(Path(folder), paths[key], what, kinds, inside=inside)
        for key, (folder, what, kinds) in folders.items()
    }


def _by_name(root: Path, paths: Sequence[Path], what: str, kinds: Sequence[str], *, inside: bool) -> dict[str, Source]:
    """The files by name, with the folders inside or without."""
    named = [(path.relative_to(root).with_suffix("").as_posix() if inside else path.stem, path) for path in paths]
    if twice := _twice(named, kinds):
        raise PianalysisError(
            f"{root}: expected one file of {what} for each name, found {twice[0]} and {twice[1]}; rename one"
        )
    return dict(sorted(dict(reversed(named)).items()))


def _paths(folder: str | os.PathLike[str], what: str, kinds: Sequence[str]) -> list[Path]:
    """The files of some kinds in a folder and those inside it, the first kind first."""
    root = Path(folder)
    if not root.is_dir():
        raise PianalysisError(f"{root}: expected a folder of {what}, found {'a file' if root.exists() else 'nothing'}")
    found = [
        path
        for path in root.rglob("*")  # ._song.mid is a Mac's own note
        if path.suffix.lower() in kinds and not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]
    files = sorted((path for path in found if path.is_file()), key=lambda path: (_kind(path, kinds), path))
    if not files:
        raise PianalysisError(f"{root}: expected {what} ({', '.join(kinds)}), found none in it")
    return files


def _twice(named: Iterable[tuple[str, Path]], kinds: Sequence[str]) -> tuple[Path, Path] | None:
    """Two files of one kind that have one name, if there are any."""
    seen: dict[tuple[str, int], Path] = {}
    for name, path in named:
        first = seen.setdefault((name, _kind(path, kinds)), path)
        if first != path:
            return first, path
    return None


def _kind(path: Path, kinds: Sequence[str]) -> int:
    """The place of a file's kind among some; .midi is .mid."""
    suffix = path.suffix.lower()
    return kinds.index(MIDI[0] if suffix in MIDI and MIDI[0] in kinds else suffix) if suffix in kinds else len(kinds)


def _checked(sources: Mapping[str, Source], what: str) -> dict[str, Source]:
    for name, source in sources.items():
        if not is_file_or_score(source):
            raise PianalysisError(
                f"{what}, {name}: expected a path or a symusic.Score, found {type(source).__name__}; an array doesn't say "
                "where its beats are: pianalysis.music.timed.score_of_notes(notes, beats_ms=…) makes a score of both"
            )
    if not sources:
        raise PianalysisError(f"expected {what}, found none; {HOW}")
    return dict(sorted(sources.items()))


def in_all(folders: Mapping[str, Sources]) -> tuple[list[str], list[str]]:
    """The names that every folder has, and a sentence for each folder that lacks some, or has some that no other wants.

    folders: by what they hold, the melodies first. Raises PianalysisError where no name is in all.
    """
    names = {what: set(files) for what, files in folders.items()}
    common = sorted(set.intersection(*names.values()))
    everything = set.union(*names.values())
    if not common:
        shown = "; ".join(f"{what}: {_some(files)}" for what, files in names.items())
        raise PianalysisError(f"expected files of one name in all folders (song.mid and song.mid), found none: {shown}")
    lacking = {what: everything - files for what, files in names.items() if everything - files}
    return common, [
        f"{_some(missing)}: no file of that name among the {what}; left out" for what, missing in lacking.items()
    ]


def _some(names: Iterable[str]) -> str:
    """A few names, and how many more there are.

    >>> _some(["b", "a", "c", "d", "e", "f", "g"])
    'a, b, c, d, e and 2 more'
    """
    ordered = sorted(names)
    more = len(ordered) - NAMED
    return ", ".join(ordered[:NAMED]) + (f" and {more} more" if more > 0 else "")

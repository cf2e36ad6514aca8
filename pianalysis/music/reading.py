"""Melodies from files of any kind: MIDI, MusicXML lead sheets, tunes in ABC.

In: a path or bytes. Out: a `symusic.Score` in ticks, in which the chord symbols of a lead sheet or a tune are markers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import symusic

from pianalysis.errors import PianalysisError
from pianalysis.music.abc_books import decode, looks_like_abc
from pianalysis.music.abc_notation import abc_tune, read_abc
from pianalysis.music.midi import read_midi
from pianalysis.music.musicxml import read_musicxml

SHEET_SUFFIXES: Final = (".musicxml", ".xml", ".mxl")
ABC_SUFFIX: Final = ".abc"
HEAD_BYTES: Final = 4_000


@dataclass(frozen=True)
class ReadScore:
    """A score, and what is to be said of how it was read."""

    score: symusic.Score
    remarks: tuple[str, ...] = ()


def read_score(source: str | os.PathLike[str] | bytes, *, name: str = "", tune: int | None = None) -> symusic.Score:
    """`read_with_remarks` without its remarks."""
    return read_with_remarks(source, name=name, tune=tune).score


def read_with_remarks(source: str | os.PathLike[str] | bytes, *, name: str = "", tune: int | None = None) -> ReadScore:
    """Read a melody, from a path or from a file's bytes: by its suffix, ABC by its first lines too, and else as MIDI.

    `name` is what errors call the source; `tune` which one of a tune book in ABC, from 1. Raises what `read_midi`,
    `read_musicxml` and `read_abc` raise, and PianalysisError where a tune is asked for in another kind of file.
    """
    if _is_abc(source):
        if isinstance(source, bytes):
            found = abc_tune(decode(source), name=name or "the ABC text", tune=tune)
        else:
            found = read_abc(source, tune=tune)
        return ReadScore(found.score, found.remarks)
    if tune is not None:
        called = name or ("the file" if isinstance(source, bytes) else os.fspath(source))
        raise PianalysisError(
            f"{called}: expected a tune book in ABC to choose tune {tune} of, found another kind of file"
        )
    if isinstance(source, bytes) or Path(source).suffix.lower() not in SHEET_SUFFIXES:
        return ReadScore(read_midi(source, name=name))
    sheet = read_musicxml(source, name=name)
    for start, _, label in sheet.chords:
        sheet.score.markers.append(symusic.TextMeta(start, label))
    return ReadScore(sheet.score)


def _is_abc(source: str | os.PathLike[str] | bytes) -> bool:
    if isinstance(source, bytes):
        return looks_like_abc(source[:HEAD_BYTES])
    if Path(source).suffix.lower() == ABC_SUFFIX:
        return True
    if Path(source).suffix.lower() in SHEET_SUFFIXES or not Path(source).is_file():
        return False
    with Path(source).open("rb") as file:
        return looks_like_abc(file.read(HEAD_BYTES))

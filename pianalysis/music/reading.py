"""Melodies from files of any kind: MIDI, MusicXML lead sheets, tunes in ABC.

In: a path or bytes. Out: a `symusic.Score` in ticks, in which the chord symbols of a lead sheet or a tune are markers.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import symusic

from pianalysis.music.midi import read_midi
from pianalysis.music.musicxml import read_musicxml
from pianalysis.music.typed import read_abc

SHEET_SUFFIXES: Final = (".musicxml", ".xml", ".mxl")
ABC_SUFFIX: Final = ".abc"


def read_score(source: str | os.PathLike[str] | bytes, *, name: str = "") -> symusic.Score:
    """Read a melody: a path by its suffix, MIDI where it is another, or the bytes of a MIDI file.

    `name` is what errors call the source. Raises what `read_midi`, `read_musicxml` and `read_abc` raise.
    """
    suffix = "" if isinstance(source, bytes) else Path(source).suffix.lower()
    if suffix == ABC_SUFFIX and not isinstance(source, bytes):
        return read_abc(source)
    if suffix not in SHEET_SUFFIXES:
        return read_midi(source, name=name)
    sheet = read_musicxml(source, name=name)
    for start, _, label in sheet.chords:
        sheet.score.markers.append(symusic.TextMeta(start, label))
    return sheet.score


def has_written_bars(source: object) -> bool:
    """Whether a source is a file in which people write bar lines: a MusicXML score or a tune in ABC."""
    if not isinstance(source, str | os.PathLike):
        return False
    return Path(os.fspath(source)).suffix.lower() in (*SHEET_SUFFIXES, ABC_SUFFIX)

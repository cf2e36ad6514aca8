"""Melodies from files of any kind: MIDI, MusicXML lead sheets, tunes in ABC, recordings of one voice.

In: a path or bytes. Out: a `symusic.Score` in ticks, in which the chord symbols of a lead sheet or a tune are markers.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import symusic

from pianalysis.errors import MidiReadError
from pianalysis.hearing.sound import MAX_SOUND_BYTES
from pianalysis.music.kinds import Kind, NotReadError, decoded, kind_of
from pianalysis.music.midi import read_midi
from pianalysis.music.musicxml import read_musicxml
from pianalysis.music.recordings import Say, read_recording
from pianalysis.music.typed import from_abc, read_abc

MIDI_SUFFIXES: Final = (".mid", ".midi", ".kar", ".rmi", "")
SHEET_SUFFIXES: Final = (".musicxml", ".xml", ".mxl")
ABC_SUFFIX: Final = ".abc"


def read_score(
    source: str | os.PathLike[str] | bytes, *, name: str = "", bpm: float | None = None, say: Say | None = None
) -> symusic.Score:
    """Read a melody, whatever its file is called: what it is shows in its bytes.

    `name` is what errors call the source, `say` is called with each remark on what was read, and `bpm` is the tempo of a
    recording, if it is known. Raises FileNotFoundError, NotReadError for what is known and isn't read, and what
    `read_midi`, `read_musicxml`, `read_abc` and `read_recording` raise.
    """
    if isinstance(source, bytes):
        data, name = source, name or "the data"
    else:
        data, name = _read_bytes(Path(source), name or str(source))
    kind = kind_of(data, name) or _by_suffix(name)
    if kind is Kind.RECORDING:
        return read_recording(data, name=name, bpm=bpm, say=say)
    if kind is Kind.ABC:
        return from_abc(decoded(data), name=name) if isinstance(source, bytes) else read_abc(source)
    if kind is Kind.MIDI:
        return read_midi(data, name=name)
    sheet = read_musicxml(data, name=name)
    for start, _, label in sheet.chords:
        sheet.score.markers.append(symusic.TextMeta(start, label))
    return sheet.score


def _by_suffix(name: str) -> Kind:
    """What a file's name says that it should be, so that its reader says what is wrong with it."""
    suffix = Path(name).suffix.lower()
    if suffix == ABC_SUFFIX:
        return Kind.ABC
    if suffix in SHEET_SUFFIXES:
        return Kind.MUSICXML
    if suffix in MIDI_SUFFIXES:
        return Kind.MIDI
    raise NotReadError(
        f"{name}: expected a melody (MIDI, MusicXML, ABC, or a recording in WAV, MP3, FLAC or Ogg), found none of these; "
        "export it as one"
    )


def _read_bytes(path: Path, name: str) -> tuple[bytes, str]:
    try:
        if path.is_dir():
            raise MidiReadError(f"{name}: expected a file with a melody, found a folder")
        with path.open("rb") as file:
            return file.read(MAX_SOUND_BYTES + 1), name
    except FileNotFoundError:
        raise FileNotFoundError(f"{name}: there is no such file") from None
    except OSError as error:
        raise MidiReadError(f"{name}: can't be read ({error.strerror})") from None

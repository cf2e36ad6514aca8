"""Melodies from files of any kind: MIDI, MusicXML lead sheets, tunes in ABC, recordings of one voice.

In: a path or bytes. Out: a `symusic.Score` in ticks, in which the chord symbols of a lead sheet or a tune are markers.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import symusic

from pianalysis.errors import MidiReadError, PianalysisError
from pianalysis.hearing.sound import MAX_SOUND_BYTES
from pianalysis.music.abc_books import decode
from pianalysis.music.abc_notation import abc_tune
from pianalysis.music.kinds import Kind, NotReadError, kind_of
from pianalysis.music.midi import read_midi
from pianalysis.music.musicxml import read_musicxml
from pianalysis.music.recordings import read_recording

MIDI_SUFFIXES: Final = (".mid", ".midi", ".kar", ".rmi", "")
SHEET_SUFFIXES: Final = (".musicxml", ".xml", ".mxl")
ABC_SUFFIX: Final = ".abc"


@dataclass(frozen=True)
class ReadScore:
    """A score, and what is to be said of how it was read.

    has_bars: people wrote its bar lines: a MusicXML score, or a tune in ABC. is_recording: it was heard in a sound file.
    """

    score: symusic.Score
    remarks: tuple[str, ...] = ()
    has_bars: bool = False
    is_recording: bool = False


def read_score(source: str | os.PathLike[str] | bytes, *, name: str = "", tune: int | None = None) -> symusic.Score:
    """`read_with_remarks` without its remarks."""
    return read_with_remarks(source, name=name, tune=tune).score


def read_with_remarks(
    source: str | os.PathLike[str] | bytes, *, name: str = "", tune: int | None = None, bpm: float | None = None
) -> ReadScore:
    """Read a melody, whatever its file is called: what it is shows in its bytes.

    `name` is what errors call the source, `tune` which one of a tune book in ABC, from 1, and `bpm` the tempo of a recording, if
    it is known. Raises FileNotFoundError, NotReadError for what is known and isn't read, what `read_midi`, `read_musicxml`,
    `abc_tune` and `read_recording` raise, and PianalysisError where a tune is asked for in another kind of file.
    """
    if isinstance(source, bytes):
        data, name = source, name or "the data"
    else:
        data, name = _read_bytes(Path(source), name or str(source))
    kind = kind_of(data, name) or _by_suffix(name)
    if kind is Kind.ABC:
        found = abc_tune(decode(data), name=name, tune=tune)
        return ReadScore(found.score, found.remarks, has_bars=True)
    if tune is not None:
        raise PianalysisError(
            f"{name}: expected a tune book in ABC to choose tune {tune} of, found another kind of file"
        )
    if kind is Kind.RECORDING:
        remarks: list[str] = []
        score = read_recording(data, name=name, bpm=bpm, say=remarks.append)
        return ReadScore(score, tuple(remarks), is_recording=True)
    if kind is Kind.MIDI:
        return ReadScore(read_midi(data, name=name))
    sheet = read_musicxml(data, name=name, apart=True)
    for start, _, label in sheet.chords:
        sheet.score.markers.append(symusic.TextMeta(start, label))
    return ReadScore(sheet.score, has_bars=True)


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

"""What people hand in as a melody: a file of any kind, notes they played, notes or ABC they typed, an example's name.

In: text or bytes. Out: a `Submission`: what was read, what to call it, and of which kind it is. Errors are sentences for
musicians.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import symusic

from pianalysis.errors import PianalysisError
from pianalysis.music.abc_books import decode, find_tune
from pianalysis.music.abc_notation import abc_tune
from pianalysis.music.kinds import Kind, NotReadError, kind_of
from pianalysis.music.metres import read_metre
from pianalysis.music.midi import read_midi
from pianalysis.music.notes import Notes
from pianalysis.music.reading import ReadScore, read_with_remarks
from pianalysis.music.typed import from_names
from pianalysis.webui import limits
from pianalysis.webui.refusals import RefusedError, code_of, for_people
from pianalysis.webui.wire import notes_from_rows

DATA_URL: Final = re.compile(r"data:[^,]*;base64,")
PLAYED_TPQ: Final = 480
ABC_FIELD: Final = re.compile(r"^[\s>]*[XTMLK]:", re.MULTILINE)
MIDI_URL: Final = "data:audio/midi;base64,"
PLAIN_URL: Final = "data:application/octet-stream;base64,"

SubmissionKind: TypeAlias = Literal["example", "midi", "musicxml", "abc", "notes", "played", "recording"]
KINDS: Final[Mapping[Kind, SubmissionKind]] = {
    Kind.MIDI: "midi",
    Kind.MUSICXML: "musicxml",
    Kind.ABC: "abc",
    Kind.RECORDING: "recording",
}
Reader: TypeAlias = Callable[[bytes, str, int | None, float | None], ReadScore]
"""What reads a file's bytes: its name, which tune of a book, and a recording's tempo."""


@dataclass(frozen=True, eq=False)
class Submission:
    """A melody as it was handed in. tunes: how many the tune book has that it is from."""

    read: ReadScore
    title: str
    kind: SubmissionKind
    tunes: int = 1

    @property
    def score(self) -> symusic.Score:
        """What was read, in ticks."""
        return self.read.score


@dataclass(frozen=True)
class Asked:
    """What is said beside a melody: its title, the tempo of typed notes, and settings that its reader must know."""

    title: str = ""
    bpm: float = 100.0
    tune: int | None = None
    tempo: float | None = None
    time_signature: str | None = None


NOTHING_ASKED: Final = Asked()


def read_bytes(data: bytes, name: str, tune: int | None = None, bpm: float | None = None) -> ReadScore:
    """Read a file in this process (`Reader`)."""
    return read_with_remarks(data, name=name, tune=tune, bpm=bpm)


def read_submission(
    text: str, examples: Mapping[str, Path], asked: Asked = NOTHING_ASKED, *, reader: Reader = read_bytes
) -> Submission:
    """A melody from text: an example's name, a file as a data URL, played notes as JSON, ABC, or note names.

    Raises PianalysisError.
    """
    text = text.strip()
    if not text:
        sentence = "There is no melody yet. Choose an example, give a file, or type, hum or play one."
        raise RefusedError(sentence, "no_melody")
    if text in examples:
        read = ReadScore(read_midi(examples[text]))
        return Submission(read, asked.title or text.replace("_", " ").capitalize(), "example")
    if found := DATA_URL.match(text):
        return read_file(_decoded(text[found.end() :]), asked.title, asked, reader=reader)
    if len(text) > limits.TEXT_CHARACTERS and not text.startswith("{"):
        raise limits.too_long(f"Your melody has {len(text):,} characters, and this page takes up to 100,000")
    title = asked.title or "Your melody"
    if text.startswith("{"):
        return _checked(Submission(ReadScore(played_score(text)), title, "played"))
    if ABC_FIELD.search(text):
        tune = abc_tune(text, name="the typed tune", tune=asked.tune)
        read = ReadScore(tune.score, tune.remarks, has_bars=True)
        return _checked(Submission(read, asked.title or tune.title or title, "abc", tune.count))
    metre = read_metre(asked.time_signature) if asked.time_signature else None
    score = from_names(text, bpm=asked.bpm, time_signature=metre)
    return _checked(Submission(ReadScore(score, has_bars="|" in text), title, "notes"))


def read_file(data: bytes, name: str, asked: Asked = NOTHING_ASKED, *, reader: Reader = read_bytes) -> Submission:
    """A melody from a file's bytes. Raises PianalysisError that calls the file by its name."""
    called = f"“{name}”" if name else "The file"
    if not data:
        raise RefusedError(f"{called} is empty. Choose a file with a melody in it.", "not_readable")
    if len(data) > limits.FILE_BYTES:
        raise RefusedError(
            f"{called} has {len(data) / 2**20:.0f} MB, and files up to {limits.FILE_BYTES >> 20} MB are read here. "
            "Make it smaller: a recording as MP3, or the melody alone.",
            "too_large",
        )
    plain = name or "the file"
    try:
        kind = KINDS[kind_of(data, plain) or _unknown(data)]
        tunes = find_tune(decode(data), name=plain, number=asked.tune or 1).count if kind == "abc" else 1
        read = reader(data, plain, asked.tune if kind == "abc" else None, asked.tempo)
    except PianalysisError as error:
        raise RefusedError(_about(str(error), plain, called), code_of(error)) from None
    stem = Path(name).stem.replace("_", " ").strip()
    return _checked(Submission(read, stem[: limits.TITLE_CHARACTERS] or "Your melody", kind, tunes), called)


def _unknown(data: bytes) -> Kind:
    raise NotReadError(
        "it isn't a melody that is read here; give MIDI, MusicXML, ABC or a recording (WAV, MP3, FLAC, Ogg)"
    )


def _about(sentence: str, name: str, called: str) -> str:
    """An error of a reader, said of the file as people call it, and as sentences."""
    said = for_people(sentence.removeprefix(f"{name}: "))
    return f"{called}: {said}"


def _checked(wanted: Submission, called: str = "This melody") -> Submission:
    """The submission with remarks for people. Raises RefusedError for one past the limits."""
    limits.check_score(wanted.read, called)
    remarks = tuple(for_people(remark) for remark in wanted.read.remarks)
    return replace(wanted, read=replace(wanted.read, remarks=remarks))


def _decoded(encoded: str) -> bytes:
    if len(encoded) > limits.FILE_BYTES * 4 / 3 + 4:
        sentence = f"That file is too large. Files up to {limits.FILE_BYTES >> 20} MB are read here."
        raise RefusedError(sentence, "too_large")
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError("That file arrived damaged. Choose it again.", "not_readable") from None


def as_data_url(data: bytes, *, midi: bool = False) -> str:
    """A file as `read_submission` takes it.

    >>> as_data_url(b"MThd", midi=True)
    'data:audio/midi;base64,TVRoZA=='
    """
    return (MIDI_URL if midi else PLAIN_URL) + base64.b64encode(data).decode("ascii")


def played_score(text: str) -> symusic.Score:
    """A score from `{"bpm": 100, "beats": 4, "notes": [[onset_ms, duration_ms, pitch, velocity], …]}`.

    Raises PianalysisError.

    >>> score = played_score('{"bpm": 60, "beats": 3, "notes": [[1000, 500, 60, 80]]}')
    >>> [(note.time, note.duration, note.pitch) for note in score.tracks[0].notes]
    [(480, 240, 60)]
    """
    try:
        played = json.loads(text)
        bpm, beats, rows = float(played.get("bpm", 100)), int(played.get("beats", 4)), played.get("notes")
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        raise PianalysisError("expected the notes you played as JSON, found something else") from None
    if not 20 <= bpm <= 300 or not 1 <= beats <= 12:
        raise PianalysisError(f"expected 20 to 300 beats a minute and 1 to 12 in a bar, found {bpm:g} and {beats}")
    notes = notes_from_rows(rows)
    if not len(notes):
        raise RefusedError("You haven't played a note yet. Record a melody first.", "no_melody")
    return _score_of(notes, bpm, beats)


def _score_of(notes: Notes, bpm: float, beats: int) -> symusic.Score:
    """A score in quarters at that tempo, so many to the bar; notes are in real ms."""
    score = symusic.Score(PLAYED_TPQ)
    score.tempos.append(symusic.Tempo(0, bpm))
    score.time_signatures.append(symusic.TimeSignature(0, beats, 4))
    track = symusic.Track("MELODY", 0, False)
    ticks_per_ms = PLAYED_TPQ * bpm / 60_000
    start = np.rint(notes["onset_ms"] * ticks_per_ms).astype(int)
    stop = np.rint((notes["onset_ms"] + notes["duration_ms"]) * ticks_per_ms).astype(int)
    length = np.maximum(stop - start, 1)
    columns: list[list[Any]] = [column.tolist() for column in (start, length, notes["pitch"], notes["velocity"])]
    for row in zip(*columns, strict=True):
        track.notes.append(symusic.Note(*row))
    score.tracks.append(track)
    return score

"""What people hand in as a melody: a MIDI file, notes they played, notes or ABC they typed, an example's name.

In: text or bytes. Out: a `Submission`: a `symusic.Score` and what to call it. Errors are sentences for musicians.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import symusic

from pianalysis.errors import MidiReadError, PianalysisError
from pianalysis.music.abc_notation import from_abc
from pianalysis.music.midi import MAX_FILE_BYTES, read_midi, ticks_to_ms
from pianalysis.music.notes import Notes
from pianalysis.music.typed import from_names
from pianalysis.webui.wire import notes_from_rows

DATA_URL: Final = re.compile(r"data:[^,]*;base64,")
MAX_MINUTES: Final = 10.0
"""Of music; a queue of strangers shares the machine."""
PLAYED_TPQ: Final = 480
ABC_FIELD: Final = re.compile(r"^\s*[XTMLK]:", re.MULTILINE)


@dataclass(frozen=True, eq=False)
class Submission:
    """A melody as it was handed in."""

    score: symusic.Score
    title: str


def read_submission(text: str, examples: Mapping[str, Path], *, title: str = "", bpm: float = 100.0) -> Submission:
    """A melody from text: an example's name, a MIDI file as a data URL, played notes as JSON, ABC, or note names.

    `title` is what to call it (a file's name), `bpm` the tempo of note names. Raises PianalysisError.
    """
    text = text.strip()
    if not text:
        raise PianalysisError("There is no melody yet. Choose an example, give a MIDI file, or type or play one.")
    if text in examples:
        return Submission(read_midi(examples[text]), title or text.replace("_", " ").capitalize())
    if found := DATA_URL.match(text):
        return read_file(_decoded(text[found.end() :]), title)
    if text.startswith("{"):
        return Submission(_within_limits(played_score(text), "This melody"), title or "Your melody")
    return Submission(_within_limits(_typed_score(text, bpm), "This melody"), title or "Your melody")


def read_file(data: bytes, name: str) -> Submission:
    """A melody from a file's bytes. Raises PianalysisError that calls the file by its name."""
    called = f"“{name}”" if name else "That"
    if not data:
        raise MidiReadError(f"{called} is empty. Choose a MIDI file with a melody in it.")
    if data[:4] != b"MThd":
        raise MidiReadError(
            f"{called} isn't a MIDI file. Choose one that ends in .mid, as notation programs and music software save them."
        )
    score = _within_limits(read_midi(data, name=name or "the file"), called)
    stem = Path(name).stem.replace("_", " ").strip()
    return Submission(score, stem[:60] or "Your melody")


def _decoded(encoded: str) -> bytes:
    if len(encoded) > MAX_FILE_BYTES * 4 / 3 + 4:
        raise MidiReadError(f"That file is too large. MIDI files up to {MAX_FILE_BYTES >> 20} MB are read.")
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise MidiReadError("That file arrived damaged. Choose it again.") from None


def _within_limits(score: symusic.Score, called: str) -> symusic.Score:
    minutes = float(ticks_to_ms(score, [score.end()])[0]) / 60_000
    if minutes > MAX_MINUTES:
        raise PianalysisError(
            f"{called} lasts {minutes:.0f} minutes, and this page takes up to {MAX_MINUTES:.0f}. "
            "Cut it, or run Pianalysis on your own computer, where it may last."
        )
    return score


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
        raise PianalysisError("You haven't played a note yet. Record a melody first.")
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


def _typed_score(text: str, bpm: float) -> symusic.Score:
    return from_abc(text) if ABC_FIELD.search(text) else from_names(text, bpm=bpm)

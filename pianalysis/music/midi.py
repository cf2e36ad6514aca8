"""MIDI files in and out.

In: a path or bytes. Out: a `symusic.Score` in ticks; its notes as arrays in milliseconds, by its tempo map.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import symusic
from numpy.typing import ArrayLike, NDArray

from pianalysis.errors import MidiReadError, first_line
from pianalysis.files import write_atomically
from pianalysis.music.chord_texts import put_chord_texts, read_chord_texts
from pianalysis.music.midi_repair import LARGEST_WALKED, mended, without_macbinary
from pianalysis.music.midi_texts import texts_in_utf8
from pianalysis.music.notes import NOTE_DTYPE, Notes, sort_notes
from pianalysis.music.riff import is_wrapped, unwrapped
from pianalysis.music.words import put_words, read_sung_texts, read_words

MAX_FILE_BYTES: Final = 8 * 2**20
MAX_NOTES: Final = 100_000
MAX_MINUTES: Final = 90.0
MAX_QUARTERS: Final = 500_000


def read_midi(source: str | os.PathLike[str] | bytes, *, name: str = "") -> symusic.Score:
    """Read a MIDI file from a path or from bytes.

    Returns a score in ticks with at least one note. `name` is what errors call the source (default: its path).
    Raises FileNotFoundError, or MidiReadError for what is no MIDI file, holds no notes, or is past
    `MAX_FILE_BYTES`, `MAX_NOTES`, `MAX_MINUTES` or `MAX_QUARTERS`.
    """
    if isinstance(source, bytes):
        data, name = source, name or "the MIDI data"
    else:
        path = Path(source)
        name = name or str(path)
        data = _read_bytes(path, name)
    if len(data) > MAX_FILE_BYTES:
        raise MidiReadError(
            f"{name}: {len(data) / 2**20:.1f} MB is too large; MIDI files up to {MAX_FILE_BYTES >> 20} MB are read"
        )
    if is_wrapped(data):
        data = unwrapped(data, name)
    data = without_macbinary(data)
    if data[:4] != b"MThd":
        found = "an empty file" if not data else f"a file that starts with {data[:4]!r}"
        raise MidiReadError(f"{name}: expected a MIDI file (it starts with b'MThd'), found {found}")
    if len(data) >= 14 and data[12] & 0x80:
        frames, ticks = 256 - data[12], data[13]
        raise MidiReadError(
            f"{name}: the file tells time in SMPTE frames ({frames} a second, {ticks} ticks each), in which there are no beats; "
            "export it with ticks per quarter note (PPQ)"
        )
    try:
        if len(data) <= LARGEST_WALKED:
            data = mended(data)
        score = symusic.Score.from_midi(data)
        if _texts_lost(score):
            score = symusic.Score.from_midi(texts_in_utf8(data))
    except Exception as error:  # symusic raises RuntimeError, ValueError and others for damaged files
        raise MidiReadError(
            f"{name}: the MIDI file is damaged or cut off ({first_line(error)}); export it again"
        ) from None
    check_limits(score, name)
    words, chords = read_words(data), read_chord_texts(data)
    put_words(score, words if words or chords else read_sung_texts(data, score))
    put_chord_texts(score, chords)
    return score


def _texts_lost(score: symusic.Score) -> bool:
    """Whether symusic met bytes that aren't UTF-8 in a name, a lyric or a marker; it puts U+FFFD in their place."""
    texts = [item.text for item in score.markers]
    for track in score.tracks:
        texts += [track.name, *(item.text for item in track.lyrics)]
    return any("\ufffd" in text for text in texts)


def _read_bytes(path: Path, name: str) -> bytes:
    try:
        if path.is_dir():
            raise MidiReadError(f"{name}: expected a MIDI file, found a folder")
        if not path.exists():
            raise FileNotFoundError(f"{name}: there is no such file")
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:  # asking for is_dir fails too, where a folder above is closed or the name is too long
        raise MidiReadError(f"{name}: can't be read ({error.strerror})") from None


def check_limits(score: symusic.Score, name: str) -> None:
    """Raise MidiReadError for a score without notes, or past `MAX_NOTES`, `MAX_MINUTES` or `MAX_QUARTERS`."""
    if score.tpq <= 0:
        raise MidiReadError(
            f"{name}: expected at least one tick per quarter note, found {score.tpq}; export the file again"
        )
    count = sum(len(track.notes) for track in score.tracks)
    if count == 0:
        raise MidiReadError(f"{name}: the file holds no notes; give one with a melody in it")
    if count > MAX_NOTES:
        raise MidiReadError(f"{name}: {count:,} notes are too many; files up to {MAX_NOTES:,} notes are read")
    notes = [track.notes.numpy() for track in score.tracks if len(track.notes)]
    if min(int(part["time"].min()) for part in notes) < 0:
        raise MidiReadError(f"{name}: the MIDI file is damaged (a note begins before the piece does); export it again")
    # symusic adds in 32 bits: the end of a note far out would come round to where nobody looks
    ends = [int((part["time"].astype(np.int64) + part["duration"]).max()) for part in notes]
    end = max(*ends, *(track.end() for track in score.tracks))
    quarters = end / score.tpq
    minutes = float(ticks_to_ms(score, [end])[0]) / 60_000
    if minutes > MAX_MINUTES:
        raise MidiReadError(
            f"{name}: {minutes:,.0f} minutes are too long; files up to {MAX_MINUTES:.0f} minutes are read"
        )
    if quarters > MAX_QUARTERS:
        raise MidiReadError(
            f"{name}: {quarters:,.0f} quarter notes are too many; files up to {MAX_QUARTERS:,} quarter notes are read"
        )


def _tempo_knots(score: symusic.Score) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Ticks, milliseconds and milliseconds per tick at each tempo change; 120 quarters a minute until the first."""
    changes = {0: 500_000.0}
    for tempo in sorted(score.tempos, key=lambda item: item.time):
        if tempo.mspq > 0:
            changes[max(0, tempo.time)] = float(tempo.mspq)
    ticks = np.array(sorted(changes), dtype=np.float64)
    ms_per_tick = np.array([changes[int(tick)] for tick in ticks]) / 1_000 / score.tpq
    ms = np.concatenate([[0.0], np.cumsum(np.diff(ticks) * ms_per_tick[:-1])])
    return ticks, ms, ms_per_tick


def ticks_to_ms(score: symusic.Score, ticks: ArrayLike) -> NDArray[np.float64]:
    """Ticks to milliseconds by the score's tempo map, in double precision (symusic's own seconds are single)."""
    knot_ticks, knot_ms, ms_per_tick = _tempo_knots(score)
    values = np.asarray(ticks, dtype=np.float64)
    index = np.clip(np.searchsorted(knot_ticks, values, side="right") - 1, 0, None)
    return knot_ms[index] + (values - knot_ticks[index]) * ms_per_tick[index]


def ms_to_ticks(score: symusic.Score, ms: ArrayLike) -> NDArray[np.int64]:
    """Milliseconds to the nearest tick; the inverse of `ticks_to_ms`."""
    knot_ticks, knot_ms, ms_per_tick = _tempo_knots(score)
    values = np.asarray(ms, dtype=np.float64)
    index = np.clip(np.searchsorted(knot_ms, values, side="right") - 1, 0, None)
    return np.rint(knot_ticks[index] + (values - knot_ms[index]) / ms_per_tick[index]).astype(np.int64)


def track_notes(score: symusic.Score, tracks: Iterable[symusic.Track]) -> Notes:
    """The notes of some tracks of a score in ticks, as one sorted array in real milliseconds."""
    parts = [track.notes.numpy() for track in tracks if len(track.notes)]
    onset = np.concatenate([np.asarray(part["time"], dtype=np.int64) for part in parts] or [np.zeros(0, np.int64)])
    length = np.concatenate([np.asarray(part["duration"], dtype=np.int64) for part in parts] or [np.zeros(0, np.int64)])
    notes = np.zeros(len(onset), dtype=NOTE_DTYPE)
    notes["onset_ms"] = ticks_to_ms(score, onset)
    notes["duration_ms"] = ticks_to_ms(score, onset + length) - notes["onset_ms"]
    for field in ("pitch", "velocity"):  # symusic gives int8: widen before any arithmetic
        notes[field] = np.concatenate(
            [np.asarray(part[field], dtype=np.int16) for part in parts] or [np.zeros(0, np.int16)]
        )
    return sort_notes(notes)


def write_midi(path: str | os.PathLike[str], score: symusic.Score) -> Path:
    """Write a score as a MIDI file, whole or not at all."""
    return write_atomically(path, score.dumps_midi())

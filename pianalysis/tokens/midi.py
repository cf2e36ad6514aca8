"""MIDI files to windows of ids, and ids back to MIDI.

In: a path, bytes or a score. Out: ids as the model sees them; or, from ids, a score on the beat clock.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Final

import symusic

from pianalysis.melody.find import find_melody, notes_around
from pianalysis.music.clock import QUARTER_MS, BeatClock
from pianalysis.music.midi import read_midi
from pianalysis.music.notes import Notes
from pianalysis.tokens.tokenizer import decode, encode
from pianalysis.tokens.windows import Window, cut_windows

TICKS_PER_QUARTER: Final = 480


def from_midi(
    source: str | os.PathLike[str] | bytes | symusic.Score, *, track: int | None = None, style: str = "pop"
) -> list[list[int]]:
    """The windows of a MIDI file, in turn, as ids: its melody, and what is played around it.

    track: the melody's, from 1; found by itself where none is given. Raises what `read_midi` and `find_melody` raise.
    """
    score = source if isinstance(source, symusic.core.ScoreTick) else read_midi(source)
    return [encode(window.notes) for window in windows_of(score, track=track, style=style)]


def windows_of(score: symusic.Score, *, track: int | None = None, style: str = "pop") -> Iterator[Window]:
    """The windows of a score: its melody, and all else that isn't drums below it."""
    melody = find_melody(score, track=track)
    return cut_windows(melody.notes, notes_around(score, melody), BeatClock.from_score(score), style=style)


def to_midi(ids: Sequence[int], *, bpm: float = 120.0) -> symusic.Score:
    """A window's ids as a score: the melody on track 1, the accompaniment on track 2, a quarter a beat of the clock.

    Raises TokenError for ids that aren't a window's.

    >>> [len(track.notes) for track in to_midi([1, 8, 6, 109, 10, 72, 768, 3, 109, 14, 48, 768, 2]).tracks]
    [1, 1]
    """
    window = decode(ids)
    score = symusic.Score(TICKS_PER_QUARTER)
    score.tempos.append(symusic.Tempo(0, bpm))
    for name, notes in (("Melody", window.melody), ("Accompaniment", window.below)):
        score.tracks.append(symusic.Track(name, 0, False))
        score.tracks[-1].notes.extend(_in_ticks(notes))
    return score


def _in_ticks(notes: Notes) -> Iterator[symusic.Note]:
    """Notes in clock-ms, in ticks."""
    scale = TICKS_PER_QUARTER / QUARTER_MS
    for onset, length, pitch, velocity in notes.tolist():
        start, end = round(onset * scale), round((onset + length) * scale)
        yield symusic.Note(start, max(end - start, 1), pitch, velocity)

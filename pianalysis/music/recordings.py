"""Recordings of one voice as scores: the notes that are heard in them, on the beats that the singer kept.

In: the bytes of a sound file. Out: a `symusic.Score` in ticks. Its tempo map follows the beats, so that a beat is a quarter note
and every note stays where it was in time, but for being pulled half way to the nearest sixteenth. It has no time signature:
which beats begin bars is left to those who read scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import symusic

from pianalysis.hearing.beats import find_beats
from pianalysis.hearing.listening import Heard, hear
from pianalysis.hearing.sound import Floats

TICKS_PER_QUARTER: Final = 480
PULL: Final = 0.5
"""How far an onset is moved to the nearest sixteenth, as a share of the way."""
MOST_PULLED_TICKS: Final = 60
SHORTEST_TICKS: Final = 30

Say = Callable[[str], None]


def read_recording(
    data: bytes, *, name: str = "the recording", bpm: float | None = None, say: Say | None = None
) -> symusic.Score:
    """The melody that is heard in a recording: one track, “Melody”. `say` is called with each remark on it.

    bpm: the tempo, if it is known (default: found). Shows progress on a terminal. Raises MissingPackageError without the extra
    `audio`, and RecordingError for what can't be read, is too long, or has no pitch.
    """
    from tqdm import tqdm

    layout = "{desc}: {bar} {elapsed}"
    with tqdm(total=1.0, desc=f"listening to {name}", leave=False, disable=None, bar_format=layout) as bar:

        def show(done: float) -> None:
            bar.update(done - bar.n)

        heard = hear(data, name=name, progress=show)
    for remark in heard.remarks:
        if say is not None:
            say(remark)
    return to_score(heard, bpm=bpm)


def to_score(heard: Heard, *, bpm: float | None = None) -> symusic.Score:
    """Heard notes in ticks, with a tempo for each beat. Silence before the first beat is cut off."""
    notes = heard.notes
    beats = find_beats(notes["onset_s"], notes["end_s"], bpm=bpm)
    score = symusic.Score(TICKS_PER_QUARTER)
    for index, length_s in enumerate(np.diff(beats)):
        score.tempos.append(symusic.Tempo(index * TICKS_PER_QUARTER, mspq=round(1e6 * length_s)))
    start, stop = _ticks(beats, notes["onset_s"]), _ticks(beats, notes["end_s"])
    start = _pulled(start)
    stop = np.maximum(stop, start + SHORTEST_TICKS)
    stop[:-1] = np.minimum(stop[:-1], start[1:])
    track = symusic.Track("Melody", 0, False)
    for onset, end, pitch, velocity in zip(
        start.tolist(), stop.tolist(), notes["pitch"].tolist(), notes["velocity"].tolist(), strict=True
    ):
        if end > onset:
            track.notes.append(symusic.Note(onset, end - onset, pitch, velocity))
    score.tracks.append(track)
    return score


def _ticks(beats: Floats, seconds: Floats) -> np.ndarray:
    """Seconds in ticks, a beat a quarter; beyond the last beat at its tempo."""
    place = np.interp(seconds, beats, np.arange(len(beats)))
    last_s = beats[-1] - beats[-2]
    beyond = np.maximum(seconds - beats[-1], 0.0) / last_s
    early = np.minimum(seconds - beats[0], 0.0) / (beats[1] - beats[0])
    return np.asarray(np.maximum(np.rint((place + beyond + early) * TICKS_PER_QUARTER), 0), dtype=np.int64)


def _pulled(start: np.ndarray) -> np.ndarray:
    """Onsets pulled to their sixteenths, softly; none passes another."""
    sixteenth = TICKS_PER_QUARTER // 4
    away = np.rint(start / sixteenth).astype(np.int64) * sixteenth - start
    moved = start + np.rint(PULL * np.clip(away, -MOST_PULLED_TICKS, MOST_PULLED_TICKS)).astype(np.int64)
    return np.asarray(np.maximum.accumulate(moved))

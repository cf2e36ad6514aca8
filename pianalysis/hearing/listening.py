"""A recording of one voice to its notes.

In: a file's bytes. Out: `Heard`: notes in seconds, how they are tuned, and what is doubtful about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.hearing.pitch import FRAMES_PER_SECOND, Frames, Progress, hear_frames
from pianalysis.hearing.segments import Costs, Segment, find_segments
from pianalysis.hearing.sound import RecordingError, Sound, read_sound

HEARD_DTYPE: Final = np.dtype([("onset_s", "f8"), ("end_s", "f8"), ("pitch", "i2"), ("velocity", "i2")])
LAG_S: Final = 0.012
"""By which a beginning is seen late: what is plucked at once fills half a window before it counts."""
LOUD_DB: Final = -25.0
UNCLEAR_SHARE, HOPELESS_SHARE = 0.35, 0.9
"""Of loud frames without one pitch: above these it is doubtful that one voice was recorded, and certain that none was."""
VELOCITIES: Final = (45, 100)


@dataclass(frozen=True, eq=False)
class Heard:
    """The notes of a recording.

    notes: `HEARD_DTYPE`, in seconds, by onset, one at a time. tuning_cents: by which the singer's keys lie above 440 Hz's, −50 to
    50. remarks: what is doubtful, a sentence each.
    """

    notes: NDArray[np.void]
    tuning_cents: float
    remarks: tuple[str, ...]


def hear(data: bytes, *, name: str = "the recording", progress: Progress | None = None) -> Heard:
    """The notes of a recording of one voice; `name` is what errors call it.

    Raises MissingPackageError without the extra `audio`, and RecordingError for what isn't one.
    """
    return hear_sound(read_sound(data, name=name), name=name, progress=progress)


def hear_sound(sound: Sound, *, name: str = "the recording", progress: Progress | None = None) -> Heard:
    """`hear` of samples. Raises RecordingError where no note is heard."""
    frames = hear_frames(sound, name=name, progress=progress)
    unclear = _unclear(frames)
    notes = to_notes(frames)
    if unclear > HOPELESS_SHARE or not len(notes):
        raise RecordingError(
            f"{name}: expected one voice that sings, hums, whistles or plays, found noise, or several voices at "
            "once; record one voice alone, and closer"
        )
    remarks = []
    if unclear > UNCLEAR_SHARE:
        remarks.append(
            f"{100 * unclear:.0f} % of the recording has no clear pitch: there is noise, or more than one voice; "
            "the notes are a guess, of one line"
        )
    return Heard(notes, 100 * tuning_of(frames), tuple(remarks))


def to_notes(frames: Frames, costs: Costs = Costs()) -> NDArray[np.void]:  # noqa: B008  (frozen)
    """The notes of what is heard at each moment."""
    segments = find_segments(frames, tuning_of(frames), costs)
    loudness = np.array([_loudness(frames, segment) for segment in segments])
    velocity = np.interp(loudness, [-20.0, 0.0], VELOCITIES) if len(segments) else loudness
    rows = [
        (max(0.0, s.start / FRAMES_PER_SECOND - LAG_S), s.stop / FRAMES_PER_SECOND - LAG_S, s.pitch, round(v))
        for s, v in zip(segments, velocity.tolist(), strict=True)
    ]
    return np.array(rows, dtype=HEARD_DTYPE)


def _loudness(frames: Frames, segment: Segment) -> float:
    return float(np.percentile(frames.loudness_db[segment.start : segment.stop], 80))


def tuning_of(frames: Frames) -> float:
    """Semitones from −0.5 to 0.5 that steady pitches lie above the keys of 440 Hz: their circular mean."""
    turned = _turned(frames)
    return float(np.angle(turned.mean()) / (2 * np.pi)) if len(turned) else 0.0


def _turned(frames: Frames) -> NDArray[np.complex128]:
    steady = np.abs(np.gradient(frames.pitch)) < 0.15
    pitch = frames.pitch[(frames.voiced > 0.3) & steady & (frames.loudness_db > LOUD_DB)]
    return np.asarray(np.exp(2j * np.pi * pitch))


def _unclear(frames: Frames) -> float:
    """The share of loud frames in which no single pitch is heard."""
    loud = frames.loudness_db > LOUD_DB
    return float((frames.voiced[loud] < 0.3).mean()) if loud.any() else 1.0

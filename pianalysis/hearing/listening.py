"""A recording of one voice to its notes.

In: a file's bytes. Out: `Heard`: notes in seconds, how they are tuned, and what is doubtful about them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pianalysis.hearing.pitch import FRAMES_PER_SECOND, Frames, Progress, hear_frames
from pianalysis.hearing.segments import Costs, Segment, find_segments
from pianalysis.hearing.sound import Floats, RecordingError, Sound, read_sound

HEARD_DTYPE: Final = np.dtype([("onset_s", "f8"), ("end_s", "f8"), ("pitch", "i2"), ("velocity", "i2")])


def hear_sound(sound: Sound, *, name: str = "the recording", progress: Progress | None = None, costs: Costs | None = None) -> np.ndarray:
    frames = hear_frames(sound, name=name, progress=progress)
    return to_notes(frames, costs or Costs())


def to_notes(frames: Frames, costs: Costs) -> np.ndarray:
    tuning = tuning_of(frames)
    segments = find_segments(frames, tuning, costs)
    rows = [(s.start / FRAMES_PER_SECOND, s.stop / FRAMES_PER_SECOND, s.pitch, 80) for s in segments]
    return np.array(rows, dtype=HEARD_DTYPE)


def tuning_of(frames: Frames) -> float:
    """Semitones from −0.5 to 0.5 that steady pitches lie above those of 440 Hz: their circular mean."""
    steady = np.abs(np.gradient(frames.pitch)) < 0.15
    use = (frames.voiced > 0.5) & steady & (frames.loudness_db > -25)
    if not use.any():
        return 0.0
    turned = np.exp(2j * np.pi * frames.pitch[use]).mean()
    return float(np.angle(turned) / (2 * np.pi))

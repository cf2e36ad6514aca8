"""Does one hear where the windows of a piece are joined?

In: notes, the joints and the length of a beat, in milliseconds of one clock, whichever it is. Out: consonance
and density near the joints and elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pianalysis.metrics.harmony import consonance, step_times
from pianalysis.metrics.rolls import Floats
from pianalysis.music.notes import Notes

STEPS_PER_BEAT: Final = 4


@dataclass(frozen=True)
class SeamContrast:
    """PCS, and accompaniment notes a beat, within a beat of a joint and elsewhere; NaN where there is no such place."""

    pcs_near: float
    pcs_inside: float
    density_near: float
    density_inside: float


def seam_contrast(melody: Notes, accompaniment: Notes, joints_ms: ArrayLike, *, beat_ms: float) -> SeamContrast:
    """Consonance (each sixteenth) and density within a beat of the joints, before or after, against all else.

    From time 0 to the melody's end, all on one clock. Bars begin at joints, and music is thicker where a bar begins:
    compare with what human music has at the same joints, not with no contrast at all.
    """
    joints = np.sort(np.asarray(joints_ms, np.float64))
    times = step_times(melody, beat_ms / STEPS_PER_BEAT)
    near = _is_near(times, joints, beat_ms)
    onsets: Floats = accompaniment["onset_ms"]
    # Half a step early: a note just before a joint is of the beat that begins there.
    step = np.floor(onsets / (beat_ms / STEPS_PER_BEAT) + 0.5).astype(int)
    counts = np.bincount(step[(step >= 0) & (step < len(times))], minlength=len(times))
    return SeamContrast(
        consonance(melody, accompaniment, times[near]),
        consonance(melody, accompaniment, times[~near]),
        _per_beat(counts[near]),
        _per_beat(counts[~near]),
    )


def _is_near(times: Floats, joints: Floats, beat_ms: float) -> NDArray[np.bool_]:
    if not len(joints):
        return np.zeros(len(times), bool)
    place = np.searchsorted(joints, times)
    before, after = joints[np.maximum(place - 1, 0)], joints[np.minimum(place, len(joints) - 1)]
    near: NDArray[np.bool_] = np.minimum(np.abs(times - before), np.abs(after - times)) < beat_ms
    return near


def _per_beat(counts: NDArray[np.int64]) -> float:
    return float(counts.mean()) * STEPS_PER_BEAT if len(counts) else float("nan")

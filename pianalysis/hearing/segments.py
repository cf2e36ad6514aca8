"""Frames to notes: the likeliest way to cut a recording into notes of one pitch and rests.

In: `Frames`. Out: `Segment`s. An exact dynamic programme over all cuts (a hidden semi-Markov model): a note pays for every
frame that is off its pitch, a cut costs less where something begins (louder, a new spectrum), and nothing is too short.
Vibrato goes round its note and slides are passed through quickly, so that neither is worth a cut of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.hearing.pitch import FRAMES_PER_SECOND, Frames
from pianalysis.hearing.sound import Floats

REST: Final = -1


@dataclass(frozen=True)
class Costs:
    """What the dynamic programme pays, in nats. Chosen on validation melodies, as `scripts/measure_audio.py` performs them, by a
    random search for the mean and the worst voice's F.

    trusted: as sure as this of a pitch is sure. spread: semitones by which a sung pitch is off, typically. off: a voiced frame is never worse than this. unvoiced: a note's
    frame without a pitch. sounding: a rest's frame with one. quiet_db: what is softer counts less, to nothing 10 dB below. cut: a note's beginning, less `rise` for each dB of a rise in
    loudness up to `most_rise`, less `flux` for each multiple of the usual change up to `most_flux`, but never less than `least`, which is
    negative: where much begins at once there is a note of its own, on the same key too, and never less than `beside` but at the likeliest
    frame within `apart_s`. shortest_s: of a note.
    """

    trusted: float = 0.15
    spread: float = 0.42
    off: float = 1.85
    unvoiced: float = 0.7
    sounding: float = 1.5
    quiet_db: float = -17.0
    cut: float = 6.8
    rise: float = 1.1
    most_rise: float = 7.7
    least: float = -5.5
    beside: float = 0.3
    apart_s: float = 0.07
    flux: float = 1.1
    most_flux: float = 2.0
    shortest_s: float = 0.08


@dataclass(frozen=True)
class Segment:
    """Frames `start` to `stop` are one note, of a pitch in semitones."""

    start: int
    stop: int
    pitch: int


def find_segments(frames: Frames, tuning: float, costs: Costs) -> list[Segment]:
    """The notes of a recording, in time order. `tuning`: semitones that it is above 440 Hz's."""
    sure = frames.voiced > 0.5
    if not sure.any():
        return []
    heard = frames.pitch - tuning
    low, high = (int(value) for value in np.round(np.percentile(heard[sure], [0.5, 99.5])))
    pitches = np.arange(low - 1, high + 2)
    paid = _frame_costs(frames, heard, pitches, costs)
    total = np.concatenate([np.zeros((1, paid.shape[1])), np.cumsum(paid, axis=0)])
    return _best_cuts(total, pitches, _cuts(frames, costs), costs)


def _frame_costs(frames: Frames, heard: Floats, pitches: NDArray[np.int64], costs: Costs) -> Floats:
    """[frames, rest and pitches]: what a frame costs in each."""
    weight = np.clip(frames.voiced / costs.trusted, 0, 1) * np.clip(
        (frames.loudness_db - costs.quiet_db) / 10 + 1, 0, 1
    )
    away = np.abs(heard[:, None] - pitches[None]) / costs.spread
    off = np.minimum(away, costs.off)
    note = weight[:, None] * off + (1 - weight[:, None]) * costs.unvoiced
    return np.concatenate([(weight * costs.sounding)[:, None], note], axis=1)


def _cuts(frames: Frames, costs: Costs) -> Floats:
    """What a note's beginning costs at each frame, and at the end. One beginning pays for one note: around it none is cheap."""
    rise, flux = _highest_near(frames.rise, 1), _highest_near(frames.flux, 1)
    relief = costs.rise * np.minimum(rise, costs.most_rise) + costs.flux * np.clip(flux - 1, 0, costs.most_flux)
    is_peak = relief >= _highest_near(relief, round(costs.apart_s * FRAMES_PER_SECOND))
    least = np.where(is_peak, costs.least, np.maximum(costs.least, costs.beside))
    return np.asarray(np.append(np.maximum(costs.cut - relief, least), costs.cut))


def _highest_near(values: Floats, frames: int) -> Floats:
    """The highest of the values up to so many frames away from each."""
    padded = np.pad(values, frames, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * frames + 1).max(axis=1))


def _best_cuts(total: Floats, pitches: NDArray[np.int64], cuts: Floats, costs: Costs) -> list[Segment]:
    """The cheapest way through. total: [frames + 1, rest and pitches], summed up to each frame.

    A note's cost is a difference of two sums, and a length of its own costs nothing: of all beginnings that lie far enough back
    only the cheapest for each pitch need be known.
    """
    count = len(total) - 1
    shortest = max(1, round(costs.shortest_s * FRAMES_PER_SECOND))
    best, begun, state = np.zeros(count + 1), np.zeros(count + 1, dtype=np.int64), np.zeros(count + 1, dtype=np.int64)
    cheapest, since = np.full(len(pitches), np.inf), np.zeros(len(pitches), dtype=np.int64)
    for stop in range(1, count + 1):
        start = stop - shortest
        if start >= 0:
            entered = best[start] + cuts[start] - total[start, 1:]
            better = entered < cheapest
            cheapest[better], since[better] = entered[better], start
        rest = best[stop - 1] + total[stop, 0] - total[stop - 1, 0]
        note = int(np.argmin(cheapest + total[stop, 1:]))
        value = cheapest[note] + total[stop, note + 1]
        if value < rest:
            best[stop], begun[stop], state[stop] = value, since[note], note + 1
        else:
            best[stop], begun[stop] = rest, stop - 1
    found, stop = [], count
    while stop > 0:
        if state[stop]:
            found.append(Segment(int(begun[stop]), stop, int(pitches[state[stop] - 1])))
        stop = int(begun[stop])
    return found[::-1]

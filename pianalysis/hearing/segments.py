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
    """What the dynamic programme pays, in nats. Chosen on validation melodies (`scripts/measure_audio.py --validation`).

    spread: semitones by which a sung pitch is off, typically. off: a voiced frame is never worse than this. unvoiced: a note's
    frame without a pitch. sounding: a rest's frame with one. cut: a note's beginning, less `rise` for each dB of a rise in
    loudness up to `most_rise`, less `flux` for each multiple of the usual change up to `most_flux`. shortest_s: of a note.
    """

    trusted: float = 0.3
    spread: float = 0.35
    off: float = 4.0
    unvoiced: float = 0.8
    sounding: float = 1.0
    quiet_db: float = -30.0
    cut: float = 9.0
    rise: float = 0.5
    most_rise: float = 12.0
    flux: float = 0.5
    most_flux: float = 6.0
    shortest_s: float = 0.08
    longest_s: float = 8.0


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
    return _best_cuts(np.concatenate([np.zeros((1, paid.shape[1])), np.cumsum(paid, axis=0)]), pitches, _cuts(frames, costs), costs)


def _frame_costs(frames: Frames, heard: Floats, pitches: NDArray[np.int64], costs: Costs) -> Floats:
    """[frames, rest and pitches]: what a frame costs in each."""
    weight = np.clip(frames.voiced / costs.trusted, 0, 1) * np.clip((frames.loudness_db - costs.quiet_db) / 10 + 1, 0, 1)
    away = np.abs(heard[:, None] - pitches[None]) / costs.spread
    off = np.minimum(away, costs.off)
    note = weight[:, None] * off + (1 - weight[:, None]) * costs.unvoiced
    return np.concatenate([(weight * costs.sounding)[:, None], note], axis=1)


def _cuts(frames: Frames, costs: Costs) -> Floats:
    """What a note's beginning costs at each frame, and at the end."""
    rise, flux = (np.maximum.reduce([np.roll(x, shift) for shift in (-1, 0, 1)]) for x in (frames.rise, frames.flux))
    relief = costs.rise * np.minimum(rise, costs.most_rise) + costs.flux * np.clip(flux - 1, 0, costs.most_flux)
    return np.asarray(np.append(np.maximum(costs.cut - relief, 1.0), costs.cut))


def _best_cuts(total: Floats, pitches: NDArray[np.int64], cuts: Floats, costs: Costs) -> list[Segment]:
    """The cheapest way through. total: [frames + 1, rest and pitches], summed up to each frame."""
    count = len(total) - 1
    shortest, longest = (max(1, round(seconds * FRAMES_PER_SECOND)) for seconds in (costs.shortest_s, costs.longest_s))
    best = np.full(count + 1, np.inf)
    best[0] = 0.0
    back = np.zeros((count + 1, 2), dtype=np.int64)
    entered = np.full((count + 1, total.shape[1]), np.inf)  # the cheapest way to be in a state from a frame on, less what it paid
    entered[0] = np.append(0.0, np.full(len(pitches), cuts[0])) 
    for stop in range(1, count + 1):
        first = max(0, stop - longest)
        notes = entered[first : max(first, stop - shortest + 1), 1:]
        if len(notes):
            flat = int(np.argmin(notes + total[stop, 1:]))
            start, state = divmod(flat, notes.shape[1])
            value = notes[start, state] + total[stop, state + 1]
            if value < best[stop]:
                best[stop], back[stop] = value, (first + start, state + 1)
        rest = entered[first:stop, 0] + total[stop, 0]
        start = int(np.argmin(rest))
        if rest[start] < best[stop]:
            best[stop], back[stop] = rest[start], (first + start, 0)
        entered[stop, 0] = best[stop] - total[stop, 0]
        entered[stop, 1:] = best[stop] + cuts[stop] - total[stop, 1:]
    found, stop = [], count
    while stop > 0:
        start, state = back[stop]
        if state:
            found.append(Segment(int(start), int(stop), int(pitches[state - 1])))
        stop = int(start)
    return found[::-1]

"""What surrounds each note of polyphonic music, in numbers: what melody extraction looks at.

In: notes in real milliseconds, sorted. Out: features of each, which know no absolute pitch, so that a transposed piece
has the same melody.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.music.notes import SAME_ONSET_MS, Notes

Floats = NDArray[np.floating]
Flags = NDArray[np.bool_]

REACH: Final = 24
"""How many notes before and after are a note's surroundings."""
NEAR_MS: Final = 2_000.0
"""And how far they may be."""
FAR_SEMITONES: Final = 24.0
"""What a distance in pitch is said to be when there is no note, and at most."""
ROWS: Final = 1_024
"""Notes described at a time: memory stays flat."""

FEATURES: Final = (
    "above_in_chord",  # semitones to the next higher note struck with it, in octaves of 12; 2 if there is none
    "below_in_chord",
    "above_held",  # and to the next higher note that sounds when it is struck
    "below_held",
    "chord_size",  # notes struck with it
    "octave_below",  # 1 if the note an octave lower is struck with it
    "octave_above",
    "share_higher",  # of the notes near
    "height",  # octaves over the mean of the notes near
    "loudness",  # velocity over the mean of the notes near, in 16ths of the scale
    "length",  # log2 of the duration in s
    "longer",  # log2 of the duration over the geometric mean of those near
    "step_from",  # octaves from the nearest pitch among the notes before
    "gap_from",  # s since that note's onset
    "joined_from",  # 1 if a note within a fifth ends where this begins
    "step_to",
    "gap_to",
    "joined_to",
    "struck_under",  # notes struck below it while it sounds, log
    "struck_over",
    "repeats",  # of its pitch, share of the notes near
    "wait_before",  # s since the onset before
    "wait_after",
    "near",  # how many notes are near, log
    "register",  # octaves over the piece's median pitch
    "loud_here",  # velocity over the piece's median, in 16ths of the scale
)
"""The columns of `note_features`."""
PLACES: Final = (
    "share_gone",  # of the piece's time
    "since_begin",  # log2 of 1 + s, in quarters of it
    "until_end",
    "turn_sine",  # the share as an angle
    "turn_cosine",
    "piece_length",  # log2 of 1 + s, in eighths of it
)
"""The columns of `places`."""


def note_features(notes: Notes) -> Floats:
    """What surrounds each note: ``[notes, len(FEATURES)]``, of about unit size; `notes` sorted by onset and pitch."""
    count = len(notes)
    result = np.zeros((count, len(FEATURES)), np.float32)
    onset = notes["onset_ms"].astype(np.float64)
    length = np.maximum(notes["duration_ms"], 1.0).astype(np.float32)
    pitch, velocity = notes["pitch"].astype(np.float32), notes["velocity"].astype(np.float32)
    waits = np.diff(onset, prepend=-np.inf, append=np.inf)
    # The reach ends in notes that are infinitely far: no note is without neighbours, and none counts them.
    edge = np.full(REACH, np.inf)
    padded_onset = np.concatenate([-edge, onset, edge])
    padded = [np.pad(column, REACH) for column in (length, pitch, velocity, np.log2(length / 1_000))]
    for start in range(0, count, ROWS):
        rows = slice(start, min(start + ROWS, count))
        around = np.arange(rows.start, rows.stop)[:, None] + np.arange(2 * REACH + 1)
        result[rows, :-2] = _surroundings(
            (padded_onset[around] - onset[rows, None]).astype(np.float32),
            *(column[around] for column in padded),
            waits=np.stack([waits[rows], waits[start + 1 : rows.stop + 1]], axis=1),
        )
    if count:
        result[:, -2] = ((pitch - np.median(pitch)) / 12).clip(-3, 3)
        result[:, -1] = (velocity - np.median(velocity)) / 16
    return result


def places(notes: Notes) -> Floats:
    """Where in the piece each note begins: ``[notes, len(PLACES)]``, of about unit size; `notes` sorted by onset.

    An introduction has no voice yet, whatever it sounds like.
    """
    gone = (notes["onset_ms"].astype(np.float64) - notes["onset_ms"][:1].astype(np.float64)) / 1_000
    whole = float(gone.max(initial=0)) + 1e-3
    share = gone / whole
    turn = 2 * np.pi * share
    columns = (share, np.log2(1 + gone) / 4, np.log2(1 + whole - gone) / 4, np.sin(turn), np.cos(turn))
    return np.stack([*columns, np.full_like(gone, np.log2(1 + whole) / 8)], axis=1).astype(np.float32)


def _surroundings(
    time: Floats, length: Floats, pitch: Floats, velocity: Floats, log_length: Floats, *, waits: NDArray[np.float64]
) -> Floats:
    """The features of some notes; every array is ``[notes, 2 · REACH + 1]``, the note itself in the middle."""
    step = pitch - pitch[:, REACH, None]
    near = np.abs(time) <= NEAR_MS
    near[:, REACH] = False
    same = near & (np.abs(time) < SAME_ONSET_MS)
    held = near & (time < SAME_ONSET_MS) & (time + length > SAME_ONSET_MS)
    before, after = near & (time <= -SAME_ONSET_MS), near & (time >= SAME_ONSET_MS)
    mine = length[:, REACH, None]
    under_me = after & (time < mine - SAME_ONSET_MS)
    close = np.abs(step) <= 7
    count = np.maximum(near.sum(1), 1).astype(np.float32)

    def mean(values: Floats) -> Floats:
        average: Floats = np.where(near, values, 0).sum(1) / count
        return average

    def least(distance: Floats, where: Flags) -> Floats:
        shortest: Floats = np.where(where, distance, FAR_SEMITONES).min(1)
        return shortest.clip(max=FAR_SEMITONES) / 12

    def nearest(where: Flags) -> tuple[Floats, Floats]:
        # A semitone is as far as 100 ms.
        far = np.where(where, np.abs(step) + np.abs(time) / 100, np.inf)
        best = far.argmin(1)[:, None]
        none = ~where.any(1)
        gap = np.abs(np.take_along_axis(time, best, 1)[:, 0]).clip(max=NEAR_MS)
        interval = np.take_along_axis(step, best, 1)[:, 0].clip(-FAR_SEMITONES, FAR_SEMITONES)
        return np.where(none, 2.0, interval / 12), np.where(none, NEAR_MS, gap) / 1_000

    ends_here = before & close & (np.abs(time + length) < 80)
    begins_there = after & close & (np.abs(time - mine) < 80)
    step_from, gap_from = nearest(before)
    step_to, gap_to = nearest(after)
    columns = (
        least(step, same & (step > 0)),
        least(-step, same & (step < 0)),
        least(step, held & (step > 0)),
        least(-step, held & (step < 0)),
        same.sum(1) / 4,
        (same & (step == -12)).any(1),
        (same & (step == 12)).any(1),
        (near & (step > 0)).sum(1) / count,
        -mean(step) / 12,
        (velocity[:, REACH] - mean(velocity)) / 16,
        log_length[:, REACH],
        log_length[:, REACH] - mean(log_length),
        step_from,
        gap_from,
        ends_here.any(1),
        step_to,
        gap_to,
        begins_there.any(1),
        np.log2(1 + (under_me & (step < 0)).sum(1)) / 2,
        np.log2(1 + (under_me & (step > 0)).sum(1)) / 2,
        (near & (step == 0)).sum(1) / count,
        waits[:, 0].clip(max=NEAR_MS) / 1_000,
        waits[:, 1].clip(max=NEAR_MS) / 1_000,
        np.log2(count) / 4,
    )
    return np.stack(columns, axis=1).astype(np.float32)

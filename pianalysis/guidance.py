"""Holding the accompaniment to the melody: which pitches fit what the melody sounds now and soon.

In: a window's melody, and how much oftener people than the model play each pitch class under each of a melody's. Out: what
is added to each pitch's logit, by onset. A small model knows a melody's rhythm and register before it knows its harmony; this
gives its intervals and its scale the shares that human accompaniments have, and leaves rhythm, register and all else to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pianalysis import vocab
from pianalysis.notes import Notes, PianalysisError

HORIZON_MS: Final = 1_000
"""How far ahead the melody is looked at, on the clock: what is struck now sounds on under it."""
STEPS: Final = len(vocab.TIME_IDS)
PITCH_CLASSES: Final = 12
ON_THE_MELODY, OVER_THE_MELODY = -5.0, -2.5
"""In nats, of a note on the key that the melody holds, and of one above it: on one piano the first can't be played, and the
second hides the melody."""
CLEAR_FROM_PITCH: Final = 60
"""Under a melody that is lower than this there is no room for two hands: nothing is said against notes above it."""
SMOOTHING_NOTES: Final = 5.0
"""Added to every count, so that what was never played isn't forbidden for ever."""

INTERVALS: Final = (np.arange(PITCH_CLASSES)[:, None] - np.arange(PITCH_CLASSES)) % PITCH_CLASSES
"""From an accompaniment's pitch class (column) up to a melody's (row)."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HarmonyGuidance:
    """What a checkpoint's ``generation_config.json`` says under ``harmony``.

    strength: how many times the `degrees` are added. degrees: for each style twelve rows, one a pitch class of the melody, of
    twelve numbers in nats, one a pitch class of an accompaniment note, both in C major or A minor
    (`scripts/fit_harmony.py`).
    """

    strength: float = 0.0
    degrees: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)

    @classmethod
    def read(cls, saved: Any) -> HarmonyGuidance:
        """From JSON; none where there's nothing saved. Raises PianalysisError for what isn't such a guidance."""
        if saved is None:
            return cls()
        try:
            found = cls(
                float(saved["strength"]),
                {name: [[*map(float, row)] for row in rows] for name, rows in saved["degrees"].items()},
            )
        except (TypeError, KeyError, ValueError, AttributeError):
            raise PianalysisError(f"expected harmony as strength and degrees, found {saved!r}") from None
        if any([*map(len, rows)] != [PITCH_CLASSES] * PITCH_CLASSES for rows in found.degrees.values()):
            raise PianalysisError(f"expected {PITCH_CLASSES} rows of {PITCH_CLASSES} degrees a style, found {saved!r}")
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        degrees = {name: [[*row] for row in rows] for name, rows in self.degrees.items()}
        return {"strength": self.strength, "degrees": degrees}

    def pitch_bias(
        self, melody: Notes, style: str, strength: float | None = None, *, shift: int = 0
    ) -> NDArray[np.float32] | None:
        """What is added to the logits of the 88 pitches at each onset of a window, ``[640, 88]``; None for nothing.

        melody: on the window's clock, from 0. strength: instead of the guidance's own. shift: the semitones that bring the
        melody to C major or A minor (`melody.key_shift`).
        """
        times = self.strength if strength is None else strength
        if not times or style not in self.degrees or not len(melody):
            return None
        table = np.asarray(self.degrees[style], np.float64)
        # Both sides of the table moved from C major to the melody's key, and its columns read off for all 88 pitches.
        own = np.roll(table, (-shift, -shift), (0, 1))[:, np.array(vocab.PITCH_IDS) % PITCH_CLASSES]
        bias: NDArray[np.float32] = (times * melody_shares(melody) @ own).astype(np.float32)
        return bias


def clearance(melody: Notes, strength: float = 1.0) -> NDArray[np.float32] | None:
    """What keeps the accompaniment out of the melody's way, as `HarmonyGuidance.pitch_bias`: ``[640, 88]``, or None.

    Where the melody sounds at an onset, its own key and those above it are less likely, in the measure of `strength`.
    """
    if not strength or not len(melody):
        return None
    start = np.arange(STEPS) * float(vocab.TIME_STEP_MS)
    bias = np.zeros((STEPS, len(vocab.PITCH_IDS)), np.float32)
    for onset, length, pitch in zip(melody["onset_ms"], melody["duration_ms"], melody["pitch"].tolist(), strict=True):
        held = (start > onset - vocab.TIME_STEP_MS) & (start < onset + length)
        key = pitch - vocab.LOWEST_PITCH
        bias[held] = 0
        bias[held, key] = strength * ON_THE_MELODY
        if pitch >= CLEAR_FROM_PITCH:
            bias[held, key + 1 :] = strength * OVER_THE_MELODY
    return bias


def both(one: NDArray[np.float32] | None, other: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    """Two biases as one."""
    return other if one is None else one if other is None else one + other


def melody_shares(melody: Notes) -> Floats:
    """The share of each pitch class in what the melody sounds from each onset until `HORIZON_MS` later, ``[640, 12]``.

    A row is all 0 where the melody rests so long.
    """
    start = np.arange(STEPS)[:, None] * float(vocab.TIME_STEP_MS)
    onset, stop = melody["onset_ms"], melody["onset_ms"] + melody["duration_ms"]
    sounding = (np.minimum(stop, start + HORIZON_MS) - np.maximum(onset, start)).clip(min=0)
    shares = sounding @ np.eye(PITCH_CLASSES)[melody["pitch"].astype(int) % PITCH_CLASSES]
    total = shares.sum(axis=1, keepdims=True)
    result: Floats = np.divide(shares, total, out=np.zeros_like(shares), where=total > 0)
    return result


def count_degrees(melody: Notes, accompaniment: Notes, *, shift: int = 0) -> Floats:
    """How often each pitch class is played under each of the melody's in a window, ``[12, 12]``, melody first.

    A note counts once, shared among what the melody sounds from its onset until `HORIZON_MS` later. shift: as in
    `HarmonyGuidance.pitch_bias`.
    """
    counts = np.zeros((PITCH_CLASSES, PITCH_CLASSES))
    if len(melody) and len(accompaniment):
        steps = np.clip(accompaniment["onset_ms"].astype(int) // vocab.TIME_STEP_MS, 0, STEPS - 1)
        played = np.eye(PITCH_CLASSES)[accompaniment["pitch"].astype(int) % PITCH_CLASSES]
        counts = np.roll(melody_shares(melody)[steps].T @ played, (shift, shift), (0, 1))
    return counts


def fit_intervals(human: Floats, model: Floats) -> Floats:
    """The nats by which each interval up to the melody is commoner in human accompaniments than in the model's, ``[12]``.

    human, model: counts as `count_degrees` has them.

    >>> human, model = np.zeros((2, 12, 12))
    >>> human[0, [9, 2]], model[0, [9, 2]] = (400, 200), (200, 400)  # under a C an A, a minor third, and a D, a seventh
    >>> fit_intervals(human, model)[[3, 10]].round(1).tolist()
    [0.7, -0.7]
    """
    up = np.eye(PITCH_CLASSES)[INTERVALS]
    return _log_ratio(np.einsum("mai,ma->i", up, human), np.einsum("mai,ma->i", up, model))


def fit_scale(human: Floats, model: Floats) -> Floats:
    """The same of each pitch class of the accompaniment, in C major or A minor, ``[12]``."""
    return _log_ratio(human.sum(axis=0), model.sum(axis=0))


def degrees_of(intervals: Floats, scale: Floats) -> Floats:
    """What `HarmonyGuidance.degrees` has for one style: nats by interval up to the melody, and by pitch class."""
    degrees: Floats = intervals[INTERVALS] + scale
    return degrees


def _log_ratio(human: Floats, model: Floats) -> Floats:
    shares = [(counts + SMOOTHING_NOTES) / (counts + SMOOTHING_NOTES).sum() for counts in (human, model)]
    fitted: Floats = np.log(shares[0] / shares[1])
    return fitted

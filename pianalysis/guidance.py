"""Holding the accompaniment to the melody: which pitches fit what the melody sounds now and soon.

In: a window's melody, and how much oftener people than the model play each interval under a melody. Out: what is added
to each pitch's logit, by onset. A small model knows a melody's rhythm and register before it knows its harmony; this
gives its intervals the shares that human accompaniments have, and leaves rhythm, register and all else to it.
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
"""Added to every interval's count, so that one that was never played isn't forbidden for ever."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HarmonyGuidance:
    """What a checkpoint's ``generation_config.json`` says under ``harmony``.

    strength: how many times the `intervals` are added. intervals: for each style twelve numbers in nats, a multiple
    (`scripts/fit_harmony.py --times`) of the logarithm of the human share over the model's of each interval from an
    accompaniment note up to the melody, octaves aside.
    """

    strength: float = 0.0
    intervals: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @classmethod
    def read(cls, saved: Any) -> HarmonyGuidance:
        """From JSON; none where there's nothing saved. Raises PianalysisError for what isn't such a guidance."""
        if saved is None:
            return cls()
        try:
            found = cls(
                float(saved["strength"]), {name: [*map(float, row)] for name, row in saved["intervals"].items()}
            )
        except (TypeError, KeyError, ValueError, AttributeError):
            raise PianalysisError(f"expected harmony as strength and intervals, found {saved!r}") from None
        if any(len(row) != PITCH_CLASSES for row in found.intervals.values()):
            raise PianalysisError(f"expected {PITCH_CLASSES} intervals a style, found {saved!r}")
        return found

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"strength": self.strength, "intervals": {name: [*row] for name, row in self.intervals.items()}}

    def pitch_bias(self, melody: Notes, style: str, strength: float | None = None) -> NDArray[np.float32] | None:
        """What is added to the logits of the 88 pitches at each onset of a window, ``[640, 88]``; None for nothing.

        melody: on the window's clock, from 0. strength: instead of the guidance's own.
        """
        times = self.strength if strength is None else strength
        if not times or style not in self.intervals or not len(melody):
            return None
        pitches = np.array(vocab.PITCH_IDS)
        fit = np.asarray(self.intervals[style])[(np.arange(PITCH_CLASSES) - pitches[:, None]) % PITCH_CLASSES]
        bias: NDArray[np.float32] = (times * melody_shares(melody) @ fit.T).astype(np.float32)
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


def count_intervals(melody: Notes, accompaniment: Notes) -> Floats:
    """How often each interval from an accompaniment note up to the melody is played in a window, octaves aside, ``[12]``.

    A note counts once, shared among what the melody sounds from its onset until `HORIZON_MS` later.
    """
    if not len(melody) or not len(accompaniment):
        return np.zeros(PITCH_CLASSES)
    steps = np.clip(accompaniment["onset_ms"].astype(int) // vocab.TIME_STEP_MS, 0, STEPS - 1)
    classes = (np.arange(PITCH_CLASSES) - accompaniment["pitch"].astype(int)[:, None]) % PITCH_CLASSES
    counts: Floats = np.bincount(classes.ravel(), melody_shares(melody)[steps].ravel(), PITCH_CLASSES).astype(
        np.float64
    )
    return counts


def fit_intervals(human: Floats, model: Floats) -> Floats:
    """The nats by which each interval is commoner in human accompaniments than in the model's, ``[12]``; from counts.

    >>> fit_intervals(np.array([40.0, 20]), np.array([20.0, 40])).round(2).tolist()
    [0.59, -0.59]
    """
    shares = [(counts + SMOOTHING_NOTES) / (counts + SMOOTHING_NOTES).sum() for counts in (human, model)]
    fitted: Floats = np.log(shares[0] / shares[1])
    return fitted

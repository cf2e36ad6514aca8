"""Where the bars of a melody begin: every metre and every place of its first bar line, and how likely each is.

In: one voice in quarters (no metre, no tempo), and the notes beside it, where there are any. Out: `Reading`s with probabilities.
Small convolutional networks say of each sixteenth how likely a beat and a bar begin there, and a bar of each metre, from
accents, lengths, leaps, scale degrees, what returns around it, bass notes and changes of harmony; a logistic model over what each
reading makes of that, and over the whole, chooses among them. NumPy alone; `scripts/train_downbeats.py` trains both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError
from pianalysis.files import DATA
from pianalysis.music.accompaniment_steps import BESIDE, accompaniment_channels
from pianalysis.music.convolution import convolved
from pianalysis.music.keys import key_shift
from pianalysis.music.metres import Metre
from pianalysis.music.notes import Notes

WEIGHTS_FILE: Final = DATA / "downbeats.safetensors"
STEPS: Final = 4
"""Steps of a quarter: sixteenths."""
LONGEST_STEPS: Final = 2048
"""A melody's first 512 quarters tell enough."""
METRES: Final[Mapping[Metre, tuple[int, int]]] = {
    (2, 4): (8, 4),
    (3, 4): (12, 4),
    (4, 4): (16, 4),
    (3, 8): (6, 6),
    (6, 8): (12, 6),
    (9, 8): (18, 6),
    (12, 8): (24, 6),
}
"""The metres that are told apart, each with the steps of its bar and of its beat."""
LAGS: Final = (4, 6, 8, 12, 16, 18, 24, 32)
"""Steps after which a melody may return: whether it does is heard at every step."""
CHANNELS: Final = 12 + 12 + 2 * len(LAGS)
"""Of a melody; `BESIDE` more say what is beside it."""
LONGEST_LEAD: Final = 64
"""What sounds longer before the melody isn't heard, in steps."""
USUAL_STEPS: Final = 512
"""Evidence adds up over so many steps as in training; over more of them it grows more slowly than they do."""

EVEN_BARS: Final = 0.6
"""How much likelier, in nats, a reading is in which a melody has an even number of bars, to that of its last note. Fitted on
validation songs; beyond that, a multiple of four or eight bars says nothing."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """A metre, the place of the first bar line in quarters from the melody's first note (its pickup), and how likely it is."""

    metre: Metre
    pickup: float
    probability: float


def melody_channels(
    onsets: NDArray[np.float64], lengths: NDArray[np.float64], pitches: NDArray[np.int64], velocities: NDArray[np.int64]
) -> Floats:
    """What is heard at each step of a melody from its first note on, ``[steps, CHANNELS]``.

    onsets, lengths: quarters, rising from 0. What lies between two steps is of the nearer one.
    """
    starts = np.rint(onsets * STEPS).astype(np.int64)
    keep = np.concatenate([np.diff(starts) > 0, [True]]) & (starts < LONGEST_STEPS)
    starts, lengths, pitches, velocities = starts[keep], lengths[keep], pitches[keep], velocities[keep]
    n = len(starts)
    total = int(min(LONGEST_STEPS, starts[-1] + max(1, round(float(lengths[-1]) * STEPS))))
    wait = np.diff(np.append(starts, total)) / STEPS  # to the next onset
    before = np.concatenate([[0.0], wait[:-1]])
    sounding = np.minimum(np.minimum(lengths, wait), 8.0)
    step = np.diff(pitches, prepend=pitches[:1])
    after = np.append(step[1:], 0)
    mean, spread = float(velocities.mean()), float(velocities.std())
    accent = (velocities - mean) / spread if spread > 1 else np.zeros(n)
    around = np.array([np.mean(pitches[max(0, i - 4) : i + 5]) for i in range(n)])
    rows = np.zeros((total, CHANNELS), np.float32)
    rows[starts, 0] = 1
    rows[starts, 1] = np.log2(np.maximum(sounding, 1 / 8)) / 2
    rows[starts, 2] = np.log2(np.maximum(np.minimum(wait, 8), 1 / 8)) / 2
    rows[starts, 3] = np.log2(np.clip(wait, 1 / 8, 8) / np.clip(np.where(before > 0, before, 8), 1 / 8, 8)) / 3
    rows[starts, 4] = np.clip(step / 12, -1, 1)
    rows[starts, 5] = np.abs(np.clip(step / 12, -1, 1))
    rows[starts, 6] = np.clip(after / 12, -1, 1)
    rows[starts, 7] = (step == 0) & (np.arange(n) > 0)
    rows[starts, 8] = np.clip((pitches - around) / 12, -1, 1)
    rows[starts, 9] = np.clip(accent / 2, -1, 1)
    rows[:, 10] = 1  # outside the melody it is 0
    ends = np.minimum(starts + np.maximum(1, np.rint(sounding * STEPS).astype(np.int64)), total)
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        rows[start:end, 11] = 1
    notes = np.zeros(n, dtype=[("pitch", "i2"), ("duration_ms", "f8"), ("onset_ms", "f8"), ("velocity", "i2")])
    notes["pitch"], notes["duration_ms"] = pitches, sounding
    classes = (pitches + key_shift(notes)) % 12
    rows[starts, 12 + classes] = 1
    sounds = np.full(total, -1, np.int64)
    for start, end, pitch in zip(starts.tolist(), [*starts[1:].tolist(), total], pitches.tolist(), strict=True):
        sounds[start:end] = pitch
    struck = rows[:, 0] > 0
    for place, lag in enumerate(LAGS):
        if lag < total:
            same = (struck[lag:] == struck[:-lag]) * 2.0 - 1
            alike = struck[lag:] & struck[:-lag] & (sounds[lag:] == sounds[:-lag])
            for row, values in ((24 + 2 * place, same), (25 + 2 * place, alike)):
                rows[lag:, row] += values / 2
                rows[:-lag, row] += values / 2
    return rows


@dataclass(frozen=True, eq=False)
class DownbeatNet:
    """Trained weights by name: dilated convolutions over steps, each added to what was known, then logits of each step.

    Those are of a bar, of a beat, and of a bar of each of `METRES`.
    """

    weights: Mapping[str, Floats]

    def said(self, channels: Floats) -> tuple[dict[Metre, NDArray[np.float64]], Floats]:
        """As what `Downbeats` says, whose mean it goes into."""
        hidden = self._hidden(channels)
        logits = convolved(hidden, self.weights["out.weight"], self.weights["out.bias"], 1)
        usual = self.weights["pool.weight"] @ hidden.mean(axis=0) + self.weights["pool.bias"]
        out, total = logits.astype(np.float64), len(logits)
        scale = (
            64 / total * (total / USUAL_STEPS) ** float(self.weights["gamma"]) * np.exp(float(self.weights["scale"]))
        )
        scores = {}
        for place, (metre, (bar, beat)) in enumerate(METRES.items()):
            at = np.arange(total)
            bars = np.bincount(at % bar, out[:, 0] + out[:, 2 + place], bar)
            beats = np.tile(np.bincount(at % beat, out[:, 1], beat), bar // beat)
            scores[metre] = np.asarray(scale * (bars + beats) + usual[place], np.float64)
        return scores, logits[:, :2]

    def _hidden(self, channels: Floats) -> Floats:
        """What the last layer makes of each step, ``[steps, width]``."""
        heard = np.zeros((len(channels), CHANNELS + BESIDE), np.float32)
        heard[:, : channels.shape[1]] = channels
        weights = self.weights
        hidden = np.maximum(convolved(heard, weights["enter.weight"], weights["enter.bias"], 1), 0)
        for layer in range(sum(name.startswith("layers.") and name.endswith(".bias") for name in weights)):
            kernel, bias = weights[f"layers.{layer}.weight"], weights[f"layers.{layer}.bias"]
            hidden += np.maximum(convolved(hidden, kernel, bias, 2**layer), 0)
        return hidden


@dataclass(frozen=True, eq=False)
class Downbeats:
    """Networks that were trained alike but began with other weights: their mean errs less than each. temperature: of its scores."""

    nets: tuple[DownbeatNet, ...]
    temperature: float

    @classmethod
    def load(cls, path: str | Path = WEIGHTS_FILE) -> Downbeats:
        """The bundled networks, or those of a file. Raises PianalysisError for weights of others."""
        from safetensors.numpy import load_file

        weights = {name: array.astype(np.float32) for name, array in load_file(path).items()}
        nets: dict[str, dict[str, Floats]] = {}
        for name, array in weights.items():
            number, _, rest = name.partition(".")
            if number.isdecimal():
                nets.setdefault(number, {})[rest] = array
        shapes = {(net["enter.weight"].shape[1], net["out.bias"].shape[0]) for net in nets.values()}
        if shapes != {(CHANNELS + BESIDE, 2 + len(METRES))}:
            raise PianalysisError(
                f"{path}: expected weights for {CHANNELS + BESIDE} channels and {2 + len(METRES)} outputs, found "
                f"{', '.join(f'{channels} and {outputs}' for channels, outputs in sorted(shapes)) or 'none'}; train them again"
            )
        return cls(tuple(map(DownbeatNet, nets.values())), float(weights["temperature"]))

    def said(self, channels: Floats) -> tuple[dict[Metre, NDArray[np.float64]], Floats]:
        """What is heard in channels, a melody's, ``[steps, CHANNELS]``, or those and what is beside it, ``[steps, CHANNELS + BESIDE]``.

        For each metre the log-likelihood, but for a constant, of a bar line at each of the first bar's steps; and how likely a
        bar and a beat begin at each step, as logits, ``[steps, 2]``.
        """
        scores, logits = zip(*(net.said(channels) for net in self.nets), strict=True)
        together = {metre: np.mean([each[metre] for each in scores], axis=0) / self.temperature for metre in METRES}
        return together, np.asarray(np.mean(logits, axis=0), np.float32)


@lru_cache(maxsize=1)
def bundled_downbeats() -> Downbeats:
    """The bundled networks, loaded once."""
    return Downbeats.load()


@dataclass(frozen=True, eq=False)
class Part:
    """Notes by onset, of which pitches and velocities are heard, and their onsets and ends in quarters, ``[2, notes]``."""

    notes: Notes
    quarters: NDArray[np.float64]


def readings(
    melody: Notes, quarters: NDArray[np.float64], metre: Metre | None = None, beside: Part | None = None
) -> list[Reading]:
    """Every metre and pickup of a melody with its probability, the likeliest first; those of one metre where it is given.

    melody: one voice by onset, of which pitches and velocities are heard. quarters: its onsets and ends, ``[2, notes]``.
    beside: the other notes of the piece, on the same quarters. No reading where the metre isn't one of `METRES`, or without
    notes.
    """
    if not len(melody) or (metre is not None and metre not in METRES):
        return []
    channels, lead = heard_channels(Part(melody, quarters), beside)
    scores, _ = bundled_downbeats().said(channels)
    last = round(float(quarters[0, -1] - quarters[0, 0]) * STEPS)
    found = [
        (name, pickup, score + EVEN_BARS * has_even_bars(last, METRES[name][0], pickup))
        for name in METRES
        if metre in (None, name)
        for step, score in enumerate(scores[name].tolist())
        for pickup in [(step - lead) % len(scores[name])]
    ]
    log = np.array([score for _, _, score in found])
    chances = np.exp(log - log.max()) / np.exp(log - log.max()).sum()
    made = [
        Reading(name, pickup / STEPS, float(chance)) for (name, pickup, _), chance in zip(found, chances, strict=True)
    ]
    return sorted(made, key=lambda reading: -reading.probability)


def has_even_bars(last: int, bar: int, pickup: int) -> bool:
    """Whether a melody has an even number of full bars, and some, to that of its last note; in steps from its first note.

    >>> has_even_bars(31, 16, 0), has_even_bars(32, 16, 0), has_even_bars(35, 16, 4)
    (True, False, True)
    """
    bars = (last - pickup) // bar + 1
    return bars > 0 and bars % 2 == 0


def heard_channels(melody: Part, beside: Part | None = None) -> tuple[Floats, int]:
    """What is heard at each step of a melody and of what is beside it, ``[steps, CHANNELS + BESIDE]``; the melody's first step.

    Steps begin with the melody, or with what begins before it.
    """
    first = round(float(melody.quarters[0, 0]) * STEPS)
    onsets = np.maximum.accumulate(np.maximum(melody.quarters[0] - first / STEPS, 0))
    pitches, velocities = (melody.notes[name].astype(np.int64) for name in ("pitch", "velocity"))
    sung = melody_channels(onsets, melody.quarters[1] - melody.quarters[0], pitches, velocities)
    if beside is None or not len(beside.notes):
        return np.pad(sung, ((0, 0), (0, BESIDE))), 0
    starts, ends = np.rint(beside.quarters * STEPS).astype(np.int64) - first
    lead = int(np.clip(-starts.min(), 0, LONGEST_LEAD))
    order = np.argsort(starts, kind="stable")
    pitches, velocities = (beside.notes[name].astype(np.int64)[order] for name in ("pitch", "velocity"))
    around = accompaniment_channels(starts[order] + lead, ends[order] + lead, pitches, velocities, lead + len(sung))
    return np.concatenate([np.pad(sung, ((lead, 0), (0, 0))), around], axis=1), lead

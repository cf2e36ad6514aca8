"""Where in a beat each note of a performance is, and how long that beat is, as a small network hears it.

In: notes in real milliseconds, those that begin together as one event. Out: for each event how likely it is at each place of a
beat, and how likely each length of that beat; `tracking` finds the beats that fit them best. NumPy alone;
`scripts/train_beats.py` trains it.
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
from pianalysis.music.convolution import convolved
from pianalysis.music.keys import key_shift
from pianalysis.music.notes import SAME_ONSET_MS, Notes

WEIGHTS_FILE: Final = DATA / "beats.safetensors"
PARTS: Final[Mapping[int, tuple[float, ...]]] = {
    2: (0.0, 0.5, 0.25, 0.75, 1 / 3, 2 / 3),
    3: (0.0, 1 / 3, 2 / 3, 1 / 6, 0.5, 5 / 6),
}
"""The places of a beat that divides in two, and in three, in the order of the network's outputs; the last is any other."""
PLACES_HEARD: Final = 13
PERIODS_MS: Final = np.exp(np.arange(np.log(320.0), np.log(1_600.0), 0.08))
"""The lengths of a beat that are told apart."""
NEIGHBOURS: Final = 4
"""Events before and after each whose distances are heard."""
FEATURES: Final = 2 * NEIGHBOURS + 14 + 12

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Events:
    """Notes that begin together: onset and longest length in real ms, highest and lowest pitch, loudest velocity, how many."""

    onset_ms: NDArray[np.float64]
    length_ms: NDArray[np.float64]
    top: NDArray[np.float64]
    low: NDArray[np.float64]
    velocity: NDArray[np.float64]
    count: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HeardEvents:
    """Of each event at `onset_ms` the log-probabilities of its place in a beat, ``[events, PLACES_HEARD]``, and of the
    length of that beat, ``[events, len(PERIODS_MS)]``."""

    onset_ms: NDArray[np.float64]
    places: NDArray[np.float64]
    periods: NDArray[np.float64]


def events_of(notes: Notes) -> Events:
    """The events of notes in real ms, by onset."""
    notes = notes[np.argsort(notes["onset_ms"], kind="stable")]
    onsets = notes["onset_ms"].astype(np.float64)
    first: list[int] = []
    for place, onset in enumerate(onsets.tolist()):
        if not first or onset - onsets[first[-1]] >= SAME_ONSET_MS:
            first.append(place)
    begin = np.array(first, np.int64)
    if not len(begin):
        empty = np.zeros(0)
        return Events(empty, empty, empty, empty, empty, empty)
    pitch = notes["pitch"].astype(np.float64)
    return Events(
        onsets[begin],
        np.maximum.reduceat(notes["duration_ms"].astype(np.float64), begin),
        np.maximum.reduceat(pitch, begin),
        np.minimum.reduceat(pitch, begin),
        np.maximum.reduceat(notes["velocity"].astype(np.float64), begin),
        np.diff(np.append(begin, len(notes))).astype(np.float64),
    )


def event_features(events: Events) -> Floats:
    """What is heard of each event and its neighbours, ``[events, FEATURES]``."""
    n = len(events.onset_ms)
    rows = np.zeros((n, FEATURES), np.float32)
    if not n:
        return rows
    onset = events.onset_ms
    for away in range(1, NEIGHBOURS + 1):
        if away < n:
            apart = np.clip(np.log2(np.maximum(onset[away:] - onset[:-away], 30.0) / 500), -4, 3) / 2
            rows[away:, 2 * away - 2] = apart
            rows[:-away, 2 * away - 1] = apart
    wait = np.append(np.diff(onset), max(events.length_ms[-1], 60.0))
    before = np.concatenate([[2_000.0], wait[:-1]])
    step = np.diff(events.top, prepend=events.top[:1])
    after = np.append(step[1:], 0)
    bass = np.diff(events.low, prepend=events.low[:1])
    spread = float(events.velocity.std())
    accent = (events.velocity - events.velocity.mean()) / spread if spread > 1 else np.zeros(n)
    columns = [
        np.log2(np.clip(np.minimum(events.length_ms, 4_000), 40, None) / 500) / 2,
        np.clip(events.length_ms / np.maximum(wait, 40), 0, 2) - 1,
        np.clip(np.log2(np.maximum(wait, 30) / np.maximum(before, 30)), -3, 3) / 2,
        np.clip(step / 12, -1, 1),
        np.clip(np.abs(step) / 12, 0, 1),
        np.clip(after / 12, -1, 1),
        (step == 0) & (np.arange(n) > 0),
        np.clip((events.top - _around(events.top)) / 12, -1, 1),
        np.clip((_around(events.low) - events.low) / 12, -1, 1),
        bass != 0,
        np.log1p(events.count) / 2,
        np.clip(accent / 2, -1, 1),
        np.clip(np.log2(_usual(wait) / 500), -2, 2) / 2,
        np.ones(n),
    ]
    start = 2 * NEIGHBOURS
    for place, column in enumerate(columns):
        rows[:, start + place] = column
    tune = np.zeros(n, dtype=[("pitch", "i2"), ("duration_ms", "f8"), ("onset_ms", "f8"), ("velocity", "i2")])
    tune["pitch"], tune["duration_ms"] = events.top, np.minimum(wait, events.length_ms)
    rows[np.arange(n), start + len(columns) + (events.top.astype(np.int64) + key_shift(tune)) % 12] = 1
    return rows


def _around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of nine neighbours."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    place = np.arange(len(values))
    first, last = np.maximum(place - 4, 0), np.minimum(place + 5, len(values))
    return np.asarray((sums[last] - sums[first]) / (last - first), np.float64)


def _usual(waits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean wait around each event, as its logarithm's."""
    return np.exp(_around(np.log(np.clip(waits, 60, 2_000))))


@dataclass(frozen=True, eq=False)
class BeatNet:
    """Trained weights by name: dilated convolutions over events, then the logits of places and of periods."""

    weights: Mapping[str, Floats]

    @classmethod
    def load(cls, path: str | Path = WEIGHTS_FILE) -> BeatNet:
        """The bundled network, or that of a file. Raises PianalysisError for weights of another one."""
        from safetensors.numpy import load_file

        weights = {name: array.astype(np.float32) for name, array in load_file(path).items()}
        found = weights["enter.weight"].shape[1] if "enter.weight" in weights else 0
        if found != FEATURES:
            raise PianalysisError(f"{path}: expected weights for {FEATURES} features, found {found}; train it again")
        return cls(weights)

    def heard(self, notes: Notes) -> HeardEvents:
        """What is heard of each event of notes in real ms."""
        events = events_of(notes)
        hidden = np.maximum(convolved(event_features(events), *self._layer("enter"), 1), 0)
        for layer in range(sum(name.startswith("layers.") and name.endswith(".bias") for name in self.weights)):
            hidden += np.maximum(convolved(hidden, *self._layer(f"layers.{layer}"), 2**layer), 0)
        out = convolved(hidden, *self._layer("out"), 1).astype(np.float64)
        return HeardEvents(events.onset_ms, _log_softmax(out[:, :PLACES_HEARD]), _log_softmax(out[:, PLACES_HEARD:]))

    def _layer(self, name: str) -> tuple[Floats, Floats]:
        return self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), np.float64)


@lru_cache(maxsize=1)
def bundled_beats() -> BeatNet:
    """The bundled network, loaded once."""
    return BeatNet.load()

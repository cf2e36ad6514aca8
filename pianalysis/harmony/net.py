"""The network that scores chords for a melody: dilated convolutions over its beats, in one key.

In: `melody_features`. Out: a `Chain` of chords, and the odds of their basses. NumPy alone; `scripts/train_harmoniser.py` trains it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pianalysis.errors import PianalysisError
from pianalysis.files import DATA
from pianalysis.harmony.decoding import Chain
from pianalysis.harmony.features import FEATURES, STYLES
from pianalysis.harmony.symbols import CORE_QUALITIES, NO_CHORD, PITCH_CLASSES, Chord, key_fifths

WEIGHTS_FILE: Final = DATA / "harmoniser.safetensors"
STATES: Final = PITCH_CLASSES * len(CORE_QUALITIES) + 1
"""Roots times qualities, and no chord, the last."""
TONES: Final = 4
"""A chord's tones, root, third (or fourth), fifth, seventh, any of which may be its bass."""
SHARED: Final = ("temperature", "style.weight", "style.bias")
"""Weights that aren't a network's."""
LARGEST_CHANGE: Final = 12.0
"""Bound of the score of a change, so that e to it is a number."""
EPSILON: Final = 1e-5

Floats = NDArray[np.float32]


def state_of(chord: Chord, shift: int = 0) -> int:
    """The state of a chord, moved up by `shift` semitones to C major or A minor: 10 × root + quality; last, no chord.

    >>> state_of(Chord(9, "min7")), state_of(Chord(9, "min9"), 3), state_of(NO_CHORD)
    (97, 7, 120)
    """
    if chord == NO_CHORD:
        return STATES - 1
    quality = CORE_QUALITIES.index(chord.core(key_fifths(-shift % PITCH_CLASSES)).quality)
    return (chord.root + shift) % PITCH_CLASSES * len(CORE_QUALITIES) + quality


def chord_of(state: int, shift: int = 0) -> Chord:
    """The chord of a state, in root position, moved down by `shift` semitones: the inverse of `state_of`.

    >>> chord_of(97).symbol(), chord_of(7, 3).symbol(), chord_of(120).symbol()
    ('Am7', 'Am7', 'N.C.')
    """
    if state == STATES - 1:
        return NO_CHORD
    root, quality = divmod(state, len(CORE_QUALITIES))
    return Chord((root - shift) % PITCH_CLASSES, CORE_QUALITIES[quality])


@dataclass(frozen=True, eq=False)
class Scores:
    """A chain of chords, and ``[n, states, tones]``, the log odds of each chord's tones to be the bass."""

    chain: Chain
    basses: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HarmonyNet:
    """Trained networks of one shape; the scores of those for a style are averaged, of all if none is for it.

    weights: by name, each network's in a row of its own (the first axis); `styles` says for which of `STYLES` each is.
    """

    weights: Mapping[str, Floats]

    @classmethod
    def load(cls, path: str | Path = WEIGHTS_FILE) -> HarmonyNet:
        """The bundled networks, or those of a file. Raises PianalysisError for weights of other networks."""
        from safetensors.numpy import load_file

        weights = {name: array.astype(np.float32) for name, array in load_file(path).items()}
        found = weights["in.weight"].shape[-1] if "in.weight" in weights else 0
        if found != FEATURES or "styles" not in weights:
            raise PianalysisError(f"{path}: expected weights for {FEATURES} features, found {found}; train it again")
        return cls(weights)

    def score(self, features: Floats, style: str) -> Scores:
        """The chain of chords for the beats of a melody; features: ``[n, FEATURES]`` of `melody_features`, in that style.

        Calibrated: what the chain calls six times in ten likely was right six times in ten, of the validation songs.
        """
        place = STYLES.index(style)
        chosen = self.weights["styles"][:, place] > 0
        heard = np.flatnonzero(chosen | ~chosen.any())
        networks = [self._networks[row] for row in heard]
        out: NDArray[np.float64] = np.stack([network(weights, features) for weights in networks]).mean(0, np.float64)
        change = np.clip(out[:, STATES], -LARGEST_CHANGE, LARGEST_CHANGE)
        chain = Chain(out[:, :STATES], change, self._transitions[heard].mean(axis=0))
        bass = self.weights["bass"][heard].mean(0, np.float64)
        temperature = float(self.weights["temperature"][place])
        return Scores(chain.at_temperature(temperature), out[:, None, STATES + 1 :] + bass)

    @cached_property
    def _networks(self) -> list[dict[str, Floats]]:
        own = [name for name in self.weights if name not in SHARED]
        return [prepared({name: self.weights[name][row] for name in own}) for row in range(len(self.weights["styles"]))]

    @cached_property
    def _transitions(self) -> NDArray[np.float64]:
        return np.stack([transition_scores(weights) for weights in self._networks])

    def style(self, features: Floats) -> str:
        """The style of the corpora whose melodies are most like this one, by the mean of its features in any style."""
        mean = features.mean(axis=0)[: -len(STYLES)]
        return STYLES[int(np.argmax(self.weights["style.weight"] @ mean + self.weights["style.bias"]))]


def prepared(weights: Mapping[str, Floats]) -> dict[str, Floats]:
    """A network's weights as `network` reads them: of each convolution ``[3, out, in]``, which lies well in memory."""
    return {
        name: np.ascontiguousarray(array.transpose(2, 0, 1)) if array.ndim == 3 and name != "interval" else array
        for name, array in weights.items()
    }


def network(weights: Mapping[str, Floats], features: Floats) -> Floats:
    """What a network (`prepared`) says of each beat: ``[n, STATES + 1 + TONES]``, chords, change, and tones in the bass.

    Each layer adds to what is known of a beat what is known of three beats, itself and one on either side.
    """
    hidden = np.maximum(features @ weights["in.weight"].T + weights["in.bias"], 0)
    n, width = hidden.shape
    for number in range(sum(name.endswith(".mix.weight") for name in weights)):
        apart = int(weights[f"{number}.apart"])
        given = np.zeros((n + 2 * apart, width), np.float32)
        given[apart : apart + n] = normalised(hidden, weights[f"{number}.norm.weight"], weights[f"{number}.norm.bias"])
        heard = sum(given[k * apart : k * apart + n] @ weights[f"{number}.weight"][k].T for k in range(3))
        heard = np.maximum(heard + weights[f"{number}.bias"], 0)
        hidden += heard @ weights[f"{number}.mix.weight"].T + weights[f"{number}.mix.bias"]
    hidden = normalised(hidden, weights["norm.weight"], weights["norm.bias"])
    out: Floats = np.concatenate([hidden, features], axis=1) @ weights["out.weight"].T + weights["out.bias"]
    return out


def normalised(hidden: Floats, weight: Floats, bias: Floats) -> Floats:
    """Each beat's row with mean 0 and spread 1, then scaled and shifted (layer normalisation, Ba et al. 2016)."""
    centred: Floats = hidden - hidden.mean(axis=1, keepdims=True)
    centred /= np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + EPSILON)
    centred *= weight
    centred += bias
    return centred


def transition_scores(weights: Mapping[str, Floats]) -> NDArray[np.float64]:
    """The scores of going from a chord to another, ``[STATES, STATES]``.

    What any two chords have in common that lie as many semitones apart, and what is each pair's own.
    """
    interval = (np.arange(PITCH_CLASSES) - np.arange(PITCH_CLASSES)[:, None]) % PITCH_CLASSES
    common = weights["interval"][interval]  # from root, to root, from quality, to quality
    scores = weights["transition"].astype(np.float64)
    scores[:-1, :-1] += common.transpose(0, 2, 1, 3).reshape(STATES - 1, STATES - 1)
    return scores


@lru_cache(maxsize=1)
def bundled_net() -> HarmonyNet:
    """The bundled network, loaded once."""
    return HarmonyNet.load()

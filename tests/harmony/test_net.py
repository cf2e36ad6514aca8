"""The network: its arithmetic agrees with torch's, and weights of another network are refused."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import save_file

from pianalysis.errors import PianalysisError
from pianalysis.harmony.features import FEATURES, STYLES
from pianalysis.harmony.net import (
    STATES,
    TONES,
    WEIGHTS_FILE,
    HarmonyNet,
    chord_of,
    network,
    prepared,
    state_of,
    transition_scores,
)
from pianalysis.harmony.symbols import NO_CHORD, Chord, parse_chord

MEGABYTE = 2**20
APART = (1, 4, 16)


def random_weights(width=12, seed=0):
    """A network of random weights, as one row of `HarmonyNet.weights`."""
    generator = np.random.default_rng(seed)
    shapes = {
        "in.weight": (width, FEATURES),
        "in.bias": (width,),
        "norm.weight": (width,),
        "norm.bias": (width,),
        "out.weight": (STATES + 1 + TONES, width + FEATURES),
        "out.bias": (STATES + 1 + TONES,),
        "bass": (STATES, TONES),
        "interval": (12, 10, 10),
        "transition": (STATES, STATES),
    }
    for number in range(len(APART)):
        shapes |= {f"{number}.{name}": (width,) for name in ("norm.weight", "norm.bias", "bias", "mix.bias")}
        shapes |= {f"{number}.weight": (width, width, 3), f"{number}.mix.weight": (width, width)}
    weights = {name: generator.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    return weights | {f"{number}.apart": np.array(apart, np.float32) for number, apart in enumerate(APART)}


@pytest.mark.parametrize("beats", [1, 2, 5, 40])
def test_the_network_is_torchs(beats):
    torch = pytest.importorskip("torch")
    weights = random_weights()
    features = np.random.default_rng(1).normal(size=(beats, FEATURES)).astype(np.float32)
    given = {name: torch.from_numpy(array) for name, array in weights.items()}
    hidden = torch.relu(torch.nn.functional.linear(torch.from_numpy(features), given["in.weight"], given["in.bias"]))
    width = hidden.shape[1]
    for number, apart in enumerate(APART):
        layer = {name: given[f"{number}.{name}"] for name in ("norm.weight", "norm.bias", "weight", "bias")}
        heard = torch.nn.functional.layer_norm(hidden, (width,), layer["norm.weight"], layer["norm.bias"])
        heard = torch.nn.functional.conv1d(
            heard.T[None], layer["weight"], layer["bias"], padding=apart, dilation=apart
        )[0].T
        mix = torch.nn.functional.linear(torch.relu(heard), given[f"{number}.mix.weight"], given[f"{number}.mix.bias"])
        hidden = hidden + mix
    hidden = torch.nn.functional.layer_norm(hidden, (width,), given["norm.weight"], given["norm.bias"])
    both = torch.cat([hidden, torch.from_numpy(features)], dim=1)
    expected = torch.nn.functional.linear(both, given["out.weight"], given["out.bias"])
    assert np.allclose(network(prepared(weights), features), expected.numpy(), atol=1e-3)


def test_transitions_share_what_lies_as_far_apart():
    weights = random_weights()
    scores = transition_scores(weights) - weights["transition"]
    c7, f, d7, g = (state_of(parse_chord(name)) for name in ("C7", "F", "D7", "G"))
    assert scores[c7, f] == pytest.approx(scores[d7, g])
    assert scores[c7, f] == pytest.approx(weights["interval"][5, 5, 0], abs=1e-6)  # up a fourth, from 7 to maj
    assert (scores[-1] == 0).all()
    assert (scores[:, -1] == 0).all()


def test_states_and_chords_are_each_others_inverse():
    for shift in range(12):
        states = range(STATES)
        assert [state_of(chord_of(state, shift), shift) for state in states] == list(states)
    assert chord_of(STATES - 1) == NO_CHORD
    assert state_of(parse_chord("Dsus2")) == state_of(Chord(2, "min"))  # in C major its third is F
    assert state_of(parse_chord("Dsus2"), 10) == state_of(Chord(0, "maj"))  # in D major, F sharp


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"in.weight": np.zeros((1, 4, FEATURES + 1), np.float16)}, path)
    with pytest.raises(PianalysisError, match="train it again"):
        HarmonyNet.load(path)
    save_file({"weight": np.zeros(1, np.float16)}, path)
    with pytest.raises(PianalysisError, match="train it again"):
        HarmonyNet.load(path)


def test_the_bundled_weights_are_small():
    assert WEIGHTS_FILE.stat().st_size <= 8 * MEGABYTE
    assert all(np.isfinite(array).all() for array in HarmonyNet.load().weights.values())


def test_styles_have_their_place():
    assert STYLES == ("pop", "classical", "hymn")  # the order of the weights' rows

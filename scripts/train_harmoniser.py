"""Train the network that finds chords for a melody, on the train splits of the corpora; on one core, in under an hour.

    python scripts/train_harmoniser.py --output first.safetensors --steps 300
    python scripts/train_harmoniser.py

Songs come straight from the archives of the corpora, whose splits are the packaged ones: POP909's labels, OpenEWLD's written
chords, and elsewhere the chords that `recognise` hears in the whole score. A step takes stretches of songs, from each corpus
its share of them; the loss is the negative log-likelihood of a linear-chain CRF's chords, and of their basses. What is kept
are means of the weights over the last steps. Saved every `--every` steps: whoever stops it has what there is.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from evaluate_harmony import CORPORA, HarmonySong, read_songs
from safetensors.numpy import save_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from pianalysis.dataset.corpora import SPLITS
from pianalysis.dataset.duplicates import find_twice, fingerprint
from pianalysis.harmony.features import CLASS_COLUMNS, FEATURES, STYLES, melody_features, melody_shift
from pianalysis.harmony.net import (
    LARGEST_CHANGE,
    STATES,
    TONES,
    WEIGHTS_FILE,
    HarmonyNet,
    state_of,
)
from pianalysis.harmony.symbols import CORE_QUALITIES, NO_CHORD, PITCH_CLASSES, QUALITIES, Chord

UNKNOWN = -1
MELODY_COLUMNS = CLASS_COLUMNS + 10
"""What is of the melody in `melody_features`; metre, form and style follow."""
OUTSIDE_COLUMNS = [CLASS_COLUMNS + 6, CLASS_COLUMNS + 7]
"""Of these, whether a beat is before the melody's first note or after its last."""


@dataclass(frozen=True)
class Recipe:
    """Networks for some styles: what part of a step is of each corpus, how many there are, and how each is trained.

    unheard: the share of beats whose melody isn't told.
    """

    styles: tuple[str, ...]
    shares: dict[str, float]
    networks: int
    steps: int
    dropout: float
    unheard: float
    weight_decay: float
    seed: int


ALL = {"pop909": 0.4, "lieder": 0.21, "polish": 0.21, "hymns": 0.13, "openewld": 0.05}
RECIPES = (
    Recipe(STYLES, ALL, networks=2, steps=2_400, dropout=0.35, unheard=0.15, weight_decay=0.05, seed=0),
    Recipe(("classical", "hymn"), ALL, 1, steps=2_400, dropout=0.35, unheard=0.15, weight_decay=0.05, seed=2),
    Recipe(("pop",), {"pop909": 0.89, "openewld": 0.11}, 1, 700, 0.2, unheard=0.1, weight_decay=0.05, seed=11),
    Recipe(("pop",), {"pop909": 1.0}, 1, 700, 0.2, unheard=0.0, weight_decay=0.02, seed=20),
)
"""Networks that err differently err less when averaged: of POP909's validation songs two of all corpora and two of pop have
0.522 of the roots, each alone 0.49 to 0.51. Longer training makes each surer and no better."""


@dataclass(frozen=True, eq=False)
class Example:
    """A song as it is learned from: features ``[n, FEATURES]``; each beat's chord as a state and the tone in its bass."""

    corpus: str
    style: str
    features: np.ndarray
    states: np.ndarray
    tones: np.ndarray


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="folder of the corpora's archives")
    parser.add_argument("--corpora", nargs="+", choices=CORPORA, default=list(CORPORA))
    parser.add_argument("--output", type=Path, default=WEIGHTS_FILE)
    parser.add_argument("--width", type=int, default=112)
    parser.add_argument("--apart", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32], help="beats apart, a layer each")
    parser.add_argument("--steps", type=int, help="at most so many a network, for a trial")
    parser.add_argument("--batch-size", type=int, default=20)
    parser.add_argument("--beats", type=int, default=128, help="length of a stretch")
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--memory", type=float, default=0.998, help="of the mean of the weights that is kept")
    parser.add_argument("--every", type=int, default=800, help="steps between validations")
    parser.add_argument("--limit", type=int, help="at most so many songs a corpus and split, for a trial")
    return parser


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # probabilities near 0 would slow the chain down twenty times
    try:
        train_all(args)
    finally:
        torch.set_flush_denormal(False)  # it holds for the whole process
    return 0


def train_all(args: argparse.Namespace) -> None:
    """The networks of all recipes, one after the other, saved together."""
    songs = {split: read_songs(args.data, args.corpora, split, limit=args.limit) for split in SPLITS}
    train = examples_of(without_known(songs["train"], songs["validation"] + songs["test"]))
    validation = examples_of(songs["validation"])
    print(f"{len(train)} songs, {sum(len(item.states) for item in train):,} beats", flush=True)
    made: list[dict[str, np.ndarray]] = []
    there = {item.corpus for item in train}
    for recipe in (recipe for recipe in RECIPES if there & set(recipe.shares)):
        for number in range(recipe.networks):
            torch.manual_seed(recipe.seed + number)
            network = Network(args.width, args.apart, recipe.dropout)
            for mean in fitted(args, recipe, network, train, validation, recipe.seed + number):
                save([*made, saved(mean, recipe)], train, validation, args.output)
            made.append(saved(mean, recipe))


# --- songs to examples


def examples_of(songs: list[HarmonySong]) -> list[Example]:
    return [example_of(song) for song in songs if len(song.melody)]


def example_of(song: HarmonySong) -> Example:
    """A song in the key of C. A beat without a known chord has the one before, or the first of all."""
    shift = melody_shift(song.melody)
    features = melody_features(song.melody, song.beats, song.style, shift)
    states = np.array([UNKNOWN if chord is None else state_of(chord, shift) for chord in song.chords])
    known = np.flatnonzero(states != UNKNOWN)
    if not len(known):
        known, states = np.zeros(1, int), np.full(len(states), STATES - 1)
    before = np.searchsorted(known, np.arange(len(states)), side="right") - 1
    tones = np.array([bass_tone(chord) for chord in song.chords])
    return Example(song.corpus, song.style, features, states[known[np.maximum(before, 0)]], tones)


def bass_tone(chord: Chord | None) -> int:
    """Which of a chord's tones is its bass: 0 root, 1 third, 2 fifth, 3 seventh; `UNKNOWN` for another bass.

    >>> bass_tone(Chord(0, "7", 10)), bass_tone(Chord(0, "maj", 2)), bass_tone(None)
    (3, -1, -1)
    """
    if chord is None or chord == NO_CHORD:
        return UNKNOWN
    steps = QUALITIES[chord.core().quality]
    above = (chord.bass - chord.root) % PITCH_CLASSES
    return steps.index(above) if above in steps else UNKNOWN


def batches(
    args: argparse.Namespace, recipe: Recipe, train: list[Example], generator: np.random.Generator
) -> Iterator[list[Example]]:
    """Stretches of songs, for ever: corpora by their shares, in each every beat as often."""
    songs = {corpus: [item for item in train if item.corpus == corpus] for corpus in recipe.shares}
    there = [corpus for corpus in recipe.shares if songs[corpus]]
    shares = np.array([recipe.shares[corpus] for corpus in there])
    chances = {name: np.array([len(item.states) for item in songs[name]], float) for name in there}
    while True:
        batch = []
        for name in generator.choice(there, args.batch_size, p=shares / shares.sum()):
            item = songs[name][generator.choice(len(songs[name]), p=chances[name] / chances[name].sum())]
            start = int(generator.integers(-args.beats // 2, max(len(item.states) - args.beats // 2, 1)))
            start = max(min(start, len(item.states) - args.beats), 0)
            part = slice(start, start + args.beats)
            parts = {field: getattr(item, field)[part] for field in ("features", "states", "tones")}
            batch.append(unheard(replace(item, **parts), recipe.unheard, generator))
        yield batch


def unheard(example: Example, share: float, generator: np.random.Generator) -> Example:
    """The example without the melody of some beats, so that chords are learned from what is around too."""
    features = example.features.copy()
    features[generator.random(len(features)) < share, :MELODY_COLUMNS] = 0
    return replace(example, features=features)


# --- the network and its loss


class Network(nn.Module):
    """`pianalysis.harmony.net.network` as it is trained, with the weights' names."""

    def __init__(self, width: int, apart: list[int], dropout: float) -> None:
        super().__init__()
        self.apart, self.dropout = apart, dropout
        self.input = nn.Linear(FEATURES, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in apart)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, width, 3, padding=gap, dilation=gap) for gap in apart)
        self.mixes = nn.ModuleList(nn.Linear(width, width) for _ in apart)
        for mix in self.mixes:
            nn.init.normal_(mix.weight, std=0.02)  # a layer adds little at first
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width + FEATURES, STATES + 1 + TONES)
        self.bass = nn.Parameter(torch.zeros(STATES, TONES))
        self.interval = nn.Parameter(torch.zeros(PITCH_CLASSES, len(CORE_QUALITIES), len(CORE_QUALITIES)))
        self.pair = nn.Parameter(torch.zeros(STATES, STATES))
        # A change is unlikely, to begin with, and weight decay draws back to that.
        self.register_buffer("before", 4.0 * torch.eye(STATES) - 3.0)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """``[batch, beats, STATES + 1 + TONES]``; mask: ``[batch, beats, 1]``, 1 for beats."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.training):  # three times as fast
            hidden = F.dropout(F.relu(self.input(features)), self.dropout, self.training)
            for norm, convolution, mix in zip(self.norms, self.convolutions, self.mixes, strict=True):
                heard = F.relu(convolution((norm(hidden) * mask).mT).mT)
                hidden = hidden + F.dropout(mix(heard), self.dropout, self.training)
            hidden = F.dropout(self.norm(hidden), self.dropout, self.training)
        return self.out(torch.cat([hidden.float(), features], dim=2))

    def transitions(self) -> Tensor:
        """`transition_scores`, as a tensor."""
        steps = torch.arange(PITCH_CLASSES)
        common = self.interval[(steps - steps[:, None]) % PITCH_CLASSES].permute(0, 2, 1, 3)
        return self.before + self.pair + F.pad(common.reshape(STATES - 1, STATES - 1), (0, 1, 0, 1))

    def saved(self) -> dict[str, np.ndarray]:
        """The weights by the names that `pianalysis.harmony.net` asks for."""
        named = {"in": self.input, "norm": self.norm, "out": self.out}
        for number in range(len(self.apart)):
            layers = {"norm": self.norms[number], "": self.convolutions[number], "mix": self.mixes[number]}
            named |= {f"{number}.{name}".rstrip("."): layer for name, layer in layers.items()}
        weights = {f"{name}.{key}": value for name, layer in named.items() for key, value in layer.state_dict().items()}
        weights |= {"bass": self.bass, "interval": self.interval, "transition": self.before + self.pair}
        found = {name: value.detach().numpy().copy() for name, value in weights.items()}
        return found | {f"{number}.apart": np.array(gap) for number, gap in enumerate(self.apart)}


class LogPartition(torch.autograd.Function):
    """The logarithm of the sum of e to the score over all paths of `Chain`s: ``[batch]``.

    Its gradients are the probabilities of states, changes and pairs, so two passes do and no step is recorded.
    """

    @staticmethod
    def forward(ctx, emissions, change, transitions, mask):
        pairs = transitions.exp()
        stay = pairs.diagonal().clone()
        moves = pairs - torch.diag(stay)
        top = emissions.amax(2, keepdim=True)
        weights, changes = (emissions - top).exp(), change.exp()
        forward, scales = torch.empty_like(weights), torch.empty_like(change)
        for step in range(weights.shape[1]):
            weight = weights[:, step]
            if step:
                before = forward[:, step - 1]
                weight = weight * (before @ moves * changes[:, step, None] + before * stay)
            scales[:, step] = weight.sum(1)
            forward[:, step] = weight / scales[:, step, None]
        ctx.save_for_backward(weights, changes, moves, stay, forward, scales, mask)
        return ((scales.log() + top[..., 0]) * mask).sum(1)

    @staticmethod
    def backward(ctx, gradient):
        weights, changes, moves, stay, forward, scales, mask = ctx.saved_tensors
        after, ahead = torch.ones_like(weights), torch.empty_like(weights)
        for step in range(weights.shape[1] - 1, -1, -1):
            ahead[:, step] = weights[:, step] * after[:, step] / scales[:, step, None]
            if step:
                back = ahead[:, step] @ moves.T * changes[:, step, None] + ahead[:, step] * stay
                after[:, step - 1] = torch.where(mask[:, step, None] > 0, back, 1.0)
        share = mask * gradient[:, None]
        before, ahead = forward[:, :-1], ahead[:, 1:]
        weighted = ahead * share[:, 1:, None]
        changed = torch.zeros_like(changes)
        changed[:, 1:] = ((before @ moves) * weighted).sum(2) * changes[:, 1:]
        pairs = before.flatten(0, 1).T @ (weighted * changes[:, 1:, None]).flatten(0, 1) * moves
        pairs = pairs + torch.diag((before * weighted).sum((0, 1)) * stay)
        return forward * after * share[..., None], changed, pairs, None


def loss_of(network: Network, batch: list[Example]) -> Tensor:
    """Nats a beat of the chords, and a tenth of those of the basses."""
    longest = max(len(item.states) for item in batch)
    features = torch.zeros(len(batch), longest, FEATURES)
    states = torch.zeros(len(batch), longest, dtype=torch.long)
    tones, mask = torch.full((len(batch), longest), UNKNOWN), torch.zeros(len(batch), longest)
    for row, item in enumerate(batch):
        count = len(item.states)
        features[row, :count], states[row, :count] = torch.from_numpy(item.features), torch.from_numpy(item.states)
        tones[row, :count], mask[row, :count] = torch.from_numpy(item.tones), 1
    out = network(features, mask[..., None])
    emissions, change = out[..., :STATES].contiguous(), out[..., STATES].clamp(-LARGEST_CHANGE, LARGEST_CHANGE)
    transitions = network.transitions()
    moves = transitions[states[:, :-1], states[:, 1:]] + change[:, 1:] * (states[:, :-1] != states[:, 1:])
    right = (emissions.gather(2, states[..., None])[..., 0] * mask).sum(1) + (moves * mask[:, 1:]).sum(1)
    chords = (LogPartition.apply(emissions, change, transitions, mask) - right).sum() / mask.sum()
    odds = out[..., STATES + 1 :] + network.bass[states]
    return chords + 0.1 * F.cross_entropy(odds.flatten(0, 1), tones.flatten(), ignore_index=UNKNOWN)


# --- training


def fitted(
    args: argparse.Namespace,
    recipe: Recipe,
    network: Network,
    train: list[Example],
    validation: list[Example],
    seed: int,
) -> Iterator[Network]:
    """The mean of a network's weights over the last steps, every so many steps and at the end."""
    steps = min(args.steps or recipe.steps, recipe.steps)
    stretches = batches(args, recipe, train, np.random.default_rng(seed))
    known = [item for item in validation if item.style in recipe.styles]
    mean = copy.deepcopy(network).eval()
    pairs = [network.interval, network.pair]  # of few songs each: held closer to what they began with
    others = [weight for name, weight in network.named_parameters() if name not in ("interval", "pair")]
    groups = [{"params": others}, {"params": pairs, "weight_decay": 5 * recipe.weight_decay}]
    optimizer = torch.optim.AdamW(groups, lr=args.learning_rate, weight_decay=recipe.weight_decay)
    losses, started = [], time.perf_counter()
    for step, batch in enumerate(itertools.islice(stretches, steps), start=1):
        for group in optimizer.param_groups:
            group["lr"] = args.learning_rate * min(1, step / 50) * (0.51 + 0.49 * np.cos(np.pi * step / steps))
        loss = loss_of(network.train(), batch)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        keep = min(args.memory, 1 - 1 / (1 + 0.15 * step))
        with torch.no_grad():
            for kept, weight in zip(mean.parameters(), network.parameters(), strict=True):
                kept.lerp_(weight, 1 - keep)
        if step % args.every == 0 or step == steps:
            minutes, part = (time.perf_counter() - started) / 60, np.mean(losses[-args.every :])
            print(
                f"step {step}, {minutes:.1f} min, {part:.3f} nats a beat;",
                report(saved(mean, recipe), known),
                flush=True,
            )
            yield mean


def saved(network: Network, recipe: Recipe) -> dict[str, np.ndarray]:
    """A network's weights, and for which styles it is."""
    return network.saved() | {"styles": np.isin(STYLES, recipe.styles)}


def report(weights: dict[str, np.ndarray], examples: list[Example]) -> str:
    """Of each corpus: the share of beats whose chord and whose root are the likeliest, and nats a beat."""
    net = HarmonyNet(stacked([weights]))
    parts = []
    for corpus in dict.fromkeys(item.corpus for item in examples):
        rights = [right_of(net, item) for item in examples if item.corpus == corpus]
        chord, root, nats = np.concatenate(rights, axis=1).mean(axis=1)
        parts.append(f"{corpus} {chord:.3f} {root:.3f} {nats:.2f}")
    return ", ".join(parts)


def right_of(net: HarmonyNet, item: Example) -> np.ndarray:
    """Whether each beat's likeliest chord is right, whether its likeliest root is, and the surprise: ``[3, n]``."""
    chances = net.score(item.features, item.style).chain.marginals()
    beats = np.arange(len(chances))
    roots = chances[:, :-1].reshape(len(beats), PITCH_CLASSES, -1).sum(axis=2).argmax(axis=1)
    surprise = -np.log(np.maximum(chances[beats, item.states], 1e-9))
    return np.stack([chances.argmax(axis=1) == item.states, roots == item.states // len(CORE_QUALITIES), surprise])


def stacked(made: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Networks as `HarmonyNet` has them, without calibration and with no preference for a style."""
    weights = {name: np.stack([each[name] for each in made]) for name in made[0]}
    weights |= {"temperature": np.ones(len(STYLES)), "style.weight": np.zeros((len(STYLES), FEATURES - len(STYLES)))}
    weights["style.bias"] = np.zeros(len(STYLES))
    return {name: array.astype(np.float32) for name, array in weights.items()}


def save(made: list[dict[str, np.ndarray]], train: list[Example], validation: list[Example], path: Path) -> None:
    """Write the networks, calibrated on the validation songs, in half precision."""
    weights = {name: array.astype(np.float16) for name, array in stacked(made).items()} | style_weights(train)
    weights["temperature"] = temperatures(HarmonyNet(weights), validation)
    save_file(weights, path)


def temperatures(net: HarmonyNet, examples: list[Example]) -> np.ndarray:
    """For each style the temperature at which its songs' chords are right as often as they are called likely.

    That is, at which the mean difference is smallest, over ten classes of how likely a beat's likeliest chord is called
    (the expected calibration error), where the melody sounds. Where the style has no songs it is 1.
    """
    tried = np.arange(0.5, 2.01, 0.1)
    found = np.ones(len(STYLES), np.float32)
    for row, style in enumerate(STYLES):
        songs = [item for item in examples if item.style == style][::2]
        errors = [calibration_error(net, songs, float(temperature)) for temperature in tried]
        if songs:
            found[row] = tried[int(np.argmin(errors))]
    return found


def calibration_error(net: HarmonyNet, songs: list[Example], temperature: float) -> float:
    """By how much the likeliest chords are called more or less likely than they are right, on average."""
    gaps = np.zeros(10)
    for item in songs:
        chances = net.score(item.features, item.style).chain.at_temperature(temperature).marginals()
        sung = ~item.features[:, OUTSIDE_COLUMNS].any(axis=1)
        said, right = chances.max(axis=1)[sung], (chances.argmax(axis=1) == item.states)[sung]
        np.add.at(gaps, np.minimum((said * 10).astype(int), 9), said - right)
    return float(np.abs(gaps).sum())


def style_weights(examples: list[Example]) -> dict[str, np.ndarray]:
    """What tells the styles' melodies from each other: multinomial logistic regression on the means of their features."""
    means = torch.from_numpy(np.stack([item.features.mean(axis=0) for item in examples]))
    given, styles = means[:, : -len(STYLES)], means[:, -len(STYLES) :].argmax(dim=1)
    centre, spread = given.mean(dim=0), given.std(dim=0) + 1e-3
    rows, weight = (given - centre) / spread, torch.zeros(len(STYLES), given.shape[1], requires_grad=True)
    bias = torch.zeros(len(STYLES), requires_grad=True)
    counts = torch.bincount(styles, minlength=len(STYLES)).clamp(min=1)
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200)

    def surprise() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(rows @ weight.T + bias, styles, weight=1 / counts) + 1e-3 * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(surprise)
    scaled = (weight / spread).detach()
    return {"style.weight": scaled.numpy(), "style.bias": (bias.detach() - scaled @ centre).numpy()}


def without_known(train: list[HarmonySong], held_out: list[HarmonySong]) -> list[HarmonySong]:
    """The training songs whose melody no held-out song has, in any corpus and key."""
    songs = [*held_out, *train]
    splits = ["held out"] * len(held_out) + ["train"] * len(train)
    twice = find_twice([fingerprint(song.melody) for song in songs], splits)
    return [
        song for place, song in enumerate(songs) if place >= len(held_out) and twice.get(place, place) >= len(held_out)
    ]


if __name__ == "__main__":
    raise SystemExit(main())

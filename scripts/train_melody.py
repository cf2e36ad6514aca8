"""Train the network that finds the melody of polyphonic music, on the train splits; stop early on validation.

    python scripts/train_melody.py --output first.safetensors --epochs 26 --learning-rate 3e-3
    python scripts/train_melody.py --start first.safetensors --output second.safetensors
    python scripts/train_melody.py --start second.safetensors --epochs 4 --learning-rate 1e-3 --seed 7

POP909's alternative versions are taken too, and of OpenScore Lieder, whose melody is the voice, as much as `--share`
says: the network is for all piano music. Half of the time it is not told how loud a note is, as scores and many MIDI
files don't say it, half of the songs are `varied`, some are an `excerpt`, and `--plain` have a schoolbook accompaniment
in place of their own (`plain`). Features know no absolute pitch, so nothing is transposed. It writes safetensors; one core
is enough.

The bundled weights began with those of a network without attention, which had been trained in windows of 768 notes, 48 epochs
in two runs; attention began as nothing. Then came the second and the third command.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from evaluate_melody import Counts, Song, flatten
from safetensors.torch import save_file
from torch.nn import functional as F  # noqa: N812
from tqdm import tqdm

from pianalysis.dataset.corpora import open_files, read_lieder, read_pop909, read_splits
from pianalysis.evaluation.references import block_chords
from pianalysis.melody.features import FEATURES, PLACES, note_features, places
from pianalysis.melody.net import CHUNK, LAYERS, SONG, WEIGHTS_FILE, MelodyNet, network, note_rows
from pianalysis.music.notes import make_notes, monophonic

LONGEST = CHUNK  # notes of a song that are read at once
LOUDNESS = [FEATURES.index("loudness"), FEATURES.index("loud_here")]
VELOCITY = 3
BETWEEN = 16  # columns of `melody_net.between`
CORPORA = ("pop909", "lieder")
EIGHTHS = 8
PATTERNS = (
    [(0, 8, (0, 1, 2))],  # block chords
    [(place, 2, (0, 1, 2)) for place in range(0, 8, 2)],  # repeated chords
    [(place, 1, (tone,)) for place, tone in enumerate((0, 2, 1, 2) * 2)],  # Alberti bass
    [(place, 1, (tone,)) for place, tone in enumerate((0, 1, 2, 3, 4, 3, 2, 1))],  # rising and falling
    [(place, 2, (tone,)) for place, tone in zip(range(0, 8, 2), (0, 2, 3, 2), strict=True)],
    [(0, 2, (-3,)), (2, 2, (1, 2)), (4, 2, (-1,)), (6, 2, (1, 2))],  # bass and chord in turn
    [(0, 8, (-3, 0))],  # octaves
    [(0, 8, (0,))],  # a bass alone
)
"""Accompaniments of a span of eight: place, length, tones of the triad from the lowest (3: its octave)."""


@dataclass(frozen=True, eq=False)
class Example:
    """A song, or a version of it: corpus and piece, notes and labels."""

    key: tuple[str, str]
    song: Song


@dataclass(frozen=True, eq=False)
class Read:
    """A song as the network reads it, and its labels."""

    features: np.ndarray
    rows: np.ndarray
    is_melody: np.ndarray


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pop909", type=Path, default=Path("../shared/data/pop909.tar.xz"))
    parser.add_argument("--lieder", type=Path, default=Path("../shared/data/openscore_lieder.tar.xz"))
    parser.add_argument("--share", type=float, default=0.25, help="of OpenScore Lieder that an epoch holds")
    parser.add_argument("--plain", type=float, default=0.15, help="share of songs with a schoolbook accompaniment")
    parser.add_argument("--output", type=Path, default=WEIGHTS_FILE)
    parser.add_argument("--start", type=Path, metavar="FILE", help="weights to go on from (default: random ones)")
    parser.add_argument(
        "--keep", type=float, default=0.0, help="share of --start that is kept when weights are saved (averaging)"
    )
    parser.add_argument("--width", type=int, default=72)
    parser.add_argument("--heard", type=int, default=32, help="width of the sums over neighbours")
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--epochs", type=int, default=8, help="the learning rate falls to 0 until the last")
    parser.add_argument("--patience", type=int, default=5, help="epochs without improvement before stopping")
    parser.add_argument("--limit", type=int, help="at most so many songs a corpus and split, for a trial")
    parser.add_argument("--seed", type=int, default=0)
    return parser


def main(argv: list[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    generator = np.random.default_rng(args.seed)
    train, validation = (read_examples(args, split) for split in ("train", "validation"))
    begun = MelodyNet.load(args.start).weights if args.start else new_weights(args.width, args.heard)
    weights = {name: tensor.detach().clone().requires_grad_() for name, tensor in begun.items()}
    print(f"{sum(tensor.numel() for tensor in weights.values()):,} parameters, {len(train)} songs and versions")
    optimizer = torch.optim.AdamW(weights.values(), lr=args.learning_rate, weight_decay=args.weight_decay)
    best, best_epoch, started = 0.0, 0, time.perf_counter()
    for epoch in range(args.epochs):
        songs, losses = epoch_of(train, args.share, generator), []
        for step, chosen in enumerate(alike_in_length(songs, args.batch_size)):
            features, rows, labels, mask = batch([read(item, args.plain, generator) for item in chosen])
            done = (epoch + step * args.batch_size / len(songs)) / args.epochs
            for group in optimizer.param_groups:
                group["lr"] = args.learning_rate * min(1, 0.01 + 50 * done) * (1 - done)
            odds = network(weights, features, rows, mask, dropout=args.dropout)
            loss = F.binary_cross_entropy_with_logits(odds, labels, weight=mask, reduction="sum") / mask.sum()
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights.values(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        found = {
            corpus: validate(weights, [item for item in validation if item.key[0] == corpus]) for corpus in CORPORA
        }
        minutes = (time.perf_counter() - started) / 60
        print(f"epoch {epoch + 1}, {minutes:.1f} min: loss {np.mean(losses):.4f}, validation F1 and accuracy", end=" ")
        print({corpus: (round(item.f1, 4), round(item.accuracy, 4)) for corpus, item in found.items()}, flush=True)
        if found["pop909"].f1 > best:
            best, best_epoch = found["pop909"].f1, epoch
            save_file(averaged(weights, begun, args.keep), args.output)
        elif epoch - best_epoch >= args.patience:
            break
    return 0


def averaged(
    weights: dict[str, torch.Tensor], begun: Mapping[str, torch.Tensor], keep: float
) -> dict[str, torch.Tensor]:
    """The mean of the weights and those begun with, which keeps what these knew (Wortsman et al. 2022)."""
    return {
        name: ((1 - keep) * tensor.detach() + keep * begun[name].detach()).contiguous()
        for name, tensor in weights.items()
    }


def read_examples(args: argparse.Namespace, split: str) -> list[Example]:
    """The songs of a split, of both corpora; in training with POP909's alternative versions."""
    examples = []
    for corpus in CORPORA:
        root = getattr(args, corpus)
        files, splits = open_files(root), read_splits(root.with_name(f"{root.name.split('.')[0]}_splits.json"))
        for piece_id in tqdm([key for key in splits if splits[key] == split][: args.limit], desc=f"{corpus} {split}"):
            if corpus == "lieder":
                pieces = read_lieder(files, piece_id)
            else:
                pieces = read_pop909(files, piece_id, versions=split == "train", problems=[])
            examples += [
                Example((corpus, piece.piece_id), flatten(piece.melody, piece.accompaniment)) for piece in pieces
            ]
    return examples


def new_weights(width: int, heard: int) -> dict[str, torch.Tensor]:
    """Random weights, small where a layer adds to what is there, and 0 where attention does."""
    shapes = {"in.weight": (width, len(FEATURES)), "in.bias": (width,), "out.weight": (1, width), "out.bias": (1,)}
    for number, apart in enumerate(LAYERS):
        if apart == SONG:
            shapes |= {f"{number}.{name}": shape for name, shape in attention_shapes(width).items()}
            continue
        inner = width if apart else heard
        shapes[f"{number}.weight"] = (width, width, 3) if apart else (heard, BETWEEN)
        shapes |= {f"{number}.bias": (inner,), f"{number}.mix.weight": (width, inner), f"{number}.mix.bias": (width,)}
        if not apart:
            shapes[f"{number}.say.weight"] = (heard, width)
    first = f"{LAYERS.index(SONG)}.place"
    shapes |= {f"{first}.weight": (width, len(PLACES)), f"{first}.bias": (width,)}
    nothing = {f"{number}.{name}.weight" for number in range(len(LAYERS)) for name in ("out", "down", "place")}
    weights = {}
    for name, shape in shapes.items():
        bound = (0.5 if "mix" in name else 1.0) / np.sqrt(np.prod(shape[1:])) if name.endswith("weight") else 0.0
        weights[name] = torch.empty(shape).uniform_(-1, 1) * (0.0 if name in nothing else bound)
        if "norm" in name and name.endswith("weight"):
            weights[name] = torch.ones(shape)
    return weights


def attention_shapes(width: int) -> dict[str, tuple[int, ...]]:
    """Of the weights of one layer over the whole song."""
    sizes = {"qkv": (3 * width, width), "out": (width, width), "up": (2 * width, width), "down": (width, 2 * width)}
    shapes = {name: (width,) for norm in ("norm", "norm2") for name in (f"{norm}.weight", f"{norm}.bias")}
    return (
        shapes
        | {f"{name}.weight": size for name, size in sizes.items()}
        | {f"{name}.bias": size[:1] for name, size in sizes.items()}
    )


def epoch_of(examples: list[Example], share: float, generator: np.random.Generator) -> list[Song]:
    """Songs of an epoch in any order: of each of POP909 the first version or any, as likely; so large a share of the lieder."""
    versions = defaultdict(list)
    for item in examples:
        versions[item.key].append(item.song)
    kept = [songs for (corpus, _), songs in versions.items() if corpus != "lieder" or generator.random() < share]
    chosen = [songs[0 if generator.random() < 0.5 else int(generator.integers(len(songs)))] for songs in kept]
    return [chosen[index] for index in generator.permutation(len(chosen))]


def alike_in_length(songs: list[Song], size: int, at_once: int = 40) -> Iterator[list[Song]]:
    """Batches of songs that are about as long, so that little is padded."""
    for first in range(0, len(songs), at_once):
        ordered = sorted(songs[first : first + at_once], key=lambda song: len(song.notes))
        yield from (ordered[start : start + size] for start in range(0, len(ordered), size))


def read(song: Song, plain_share: float, generator: np.random.Generator) -> Read:
    """A song as it is, or changed by chance; half of the songs without velocities."""
    if generator.random() < plain_share:
        song = plain(song, generator)
    if generator.random() < 0.5:
        song = varied(song, generator)
    if generator.random() < 0.2:
        song = excerpt(song, generator)
    notes, labels = song.notes[:LONGEST], song.is_melody[:LONGEST]
    features, rows = note_features(notes), note_rows(notes)
    if generator.random() < 0.5:
        features[:, LOUDNESS] = 0
        rows[:, VELOCITY] = 0
    return Read(np.concatenate([features, places(notes)], axis=1), rows, labels)


def excerpt(song: Song, generator: np.random.Generator, least: int = 200) -> Song:
    """A stretch of a song, of `least` notes or more: people's files begin and end anywhere."""
    count = len(song.notes)
    if count <= least:
        return song
    size = int(generator.integers(least, count))
    part = slice(start := int(generator.integers(0, count - size + 1)), start + size)
    return Song(song.notes[part], song.is_melody[part])


def plain(song: Song, generator: np.random.Generator) -> Song:
    """A song's melody on a grid, over a schoolbook accompaniment: what beginners' files and exercises look like.

    One of `PATTERNS` on the triads that fit the melody best, somewhere below it; often all notes are equally loud.
    """
    melody = song.notes[song.is_melody].copy()
    span_ms = float(generator.choice([800, 1_000, 1_500, 2_000, 3_000]))
    step_ms = span_ms / EIGHTHS
    melody["onset_ms"] = np.round((melody["onset_ms"] - melody["onset_ms"].min()) / step_ms) * step_ms
    melody = monophonic(melody)
    melody["duration_ms"] = np.maximum(np.round(melody["duration_ms"] / step_ms), 1) * step_ms
    melody = monophonic(melody)
    end = float((melody["onset_ms"] + melody["duration_ms"]).max())
    chords = block_chords(melody, spans_ms=np.arange(0, end + span_ms, span_ms))
    gap = generator.integers(3, 20)  # semitones between the chords' top and the melody's low notes
    octaves = round((np.quantile(melody["pitch"], 0.1) - gap - chords["pitch"].max()) / 12)
    pattern = PATTERNS[generator.integers(len(PATTERNS))]
    rows = [
        (
            start + place * step_ms,
            length * step_ms,
            int(np.clip(notes[tone % 3] + 12 * (octaves + tone // 3), 21, 108)),
            64,
        )
        for start in np.unique(chords["onset_ms"])
        for notes in [sorted(chords["pitch"][chords["onset_ms"] == start].tolist())]
        for place, length, tones in pattern
        for tone in tones
    ]
    below = make_notes(rows)
    if generator.random() < 0.5:
        melody["velocity"] = below["velocity"] = 80
    return flatten(melody, below)


def varied(song: Song, generator: np.random.Generator) -> Song:
    """A song faster or slower, up to 1.6 times, and with up to two thirds of its accompaniment left out.

    Corpora are of one tempo and of full textures; the files of people are not.
    """
    left_out = generator.random(len(song.notes)) < generator.choice([0, 0.33, 0.67])
    kept = song.is_melody | ~left_out
    notes = song.notes[kept].copy()
    slower = 1.6 ** generator.uniform(-1, 1)
    for field in ("onset_ms", "duration_ms"):
        notes[field] *= slower
    return Song(notes, song.is_melody[kept])


def batch(songs: list[Read]) -> tuple[torch.Tensor, ...]:
    """Features, rows, labels and mask of songs, padded."""
    longest, width = max(len(song.rows) for song in songs), songs[0].features.shape[1]
    features, rows = np.zeros((len(songs), longest, width), np.float32), np.zeros((len(songs), longest, 4))
    labels = np.zeros((len(songs), longest), np.float32)
    mask = np.zeros_like(labels)
    for row, song in enumerate(songs):
        count = len(song.rows)
        features[row, :count], rows[row, :count] = song.features, song.rows
        labels[row, :count], mask[row, :count] = song.is_melody, 1
    return tuple(torch.from_numpy(array) for array in (features, rows, labels, mask))


def validate(weights: dict[str, torch.Tensor], examples: list[Example]) -> Counts:
    """Notes told right and wrong where a note is melody if its odds are even or better."""
    net = MelodyNet({name: tensor.detach() for name, tensor in weights.items()})
    songs = [item.song for item in examples]
    found = (net.score(song.notes, note_features(song.notes)) > 0 for song in songs)
    return sum((Counts.of(odds, song.is_melody) for odds, song in zip(found, songs, strict=True)), Counts())


if __name__ == "__main__":
    raise SystemExit(main())

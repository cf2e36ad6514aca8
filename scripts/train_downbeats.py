"""Train the network that hears where the bars of a melody begin (`pianalysis.music.downbeats`).

    python scripts/train_downbeats.py --dataset data/pianalysis --write

The melodies of the dataset's training songs, each from its first note on, without metre and tempo. Per sixteenth the network
learns whether a bar and whether a beat begins there (binary cross-entropy), and the sums of both over each reading of the
melody are to choose the right one (cross-entropy over all metres and places). What is kept is a running mean of the weights.
After each epoch the share of validation songs is printed whose metre and whose bar lines are right by it; the best epoch is
kept. With `--write` the weights go into the package.
"""

from __future__ import annotations

import argparse
import copy
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional

from pianalysis.errors import PianalysisError
from pianalysis.evaluation.songs import Song, read_song
from pianalysis.music.downbeats import CHANNELS, METRES, STEPS, WEIGHTS_FILE, melody_channels
from pianalysis.music.metres import Metre

WIDTH, DILATIONS, DROPOUT = 64, (1, 2, 4, 8, 16, 32), 0.25
CROP, BATCH = 512, 16
WEIGHT_DECAY, SMOOTHING = 0.05, 0.02
NEWEST = 0.005
"""The share of a step's weights in their running mean."""
UNHEARD = ((slice(12, 24), 0.15), (slice(24, None), 0.15), (slice(4, 9), 0.15))
"""Channels that are now and then left out, so that none is relied on alone: the scale degrees, what returns, the leaps."""
SAME = {(2, 2): (4, 4), (4, 8): (2, 4)}
CANDIDATES = [(metre, phase) for metre, (bar, _) in METRES.items() for phase in range(bar)]


@dataclass(frozen=True, eq=False)
class Example:
    """A melody as the network hears it, and what is right: steps that begin bars and beats, and the reading's number or -1."""

    corpus: str
    name: str
    channels: np.ndarray
    bars: np.ndarray
    beats: np.ndarray
    metre: Metre | None
    phase: int


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True, metavar="DIR")
    parser.add_argument("--epochs", type=int, default=9, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument(
        "--write", type=Path, nargs="?", const=WEIGHTS_FILE, metavar="FILE", help="default: the package's"
    )
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    try:
        train, validation = (examples(args.dataset, split) for split in ("train", "validation"))
        print(f"{len(train)} training and {len(validation)} validation melodies", flush=True)
        net = fit(train, validation, args.epochs, np.random.default_rng(args.seed))
        if args.write:
            weights = {name: value.numpy().astype(np.float16) for name, value in net.items()}
            save_file(weights | {"temperature": np.array(1.0, np.float16)}, args.write)
    except (PianalysisError, OSError) as error:
        print(f"train_downbeats: error: {error}", file=sys.stderr)
        return 2
    return 0


def examples(dataset: Path, split: str) -> list[Example]:
    """The melodies of a split; versions of a song are one."""
    found = []
    for path in sorted((dataset / "notes").glob(f"{split}-*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(64):
            for row in batch.to_pylist():
                if row["version"] == 0 and len(row["melody"]) >= 8:
                    song = read_song({**row, "accompaniment": [], "chords": []})
                    if len(song.melody) >= 8:
                        found.append(example(song))
    return found


def example(song: Song) -> Example:
    """A song's melody from its first note on, on its quarters."""
    quarter = song.quarter_ms
    begin = np.rint(song.melody["onset_ms"][0] / quarter * STEPS) / STEPS
    onsets = song.melody["onset_ms"] / quarter - begin
    channels = melody_channels(
        np.maximum(onsets, 0),
        song.melody["duration_ms"] / quarter,
        song.melody["pitch"].astype(np.int64),
        song.melody["velocity"].astype(np.int64),
    )
    n = len(channels)
    lines = np.rint((song.clock.bar_lines / quarter - begin) * STEPS).astype(np.int64)
    metre, bar = main_metre(song), round(song.bar_ms / quarter * STEPS)
    beat = METRES[metre][1] if metre else STEPS
    bars, beats = np.zeros(n, np.float32), np.zeros(n, np.float32)
    bars[lines[(lines >= 0) & (lines < n)]] = 1
    first_full = 1 if len(lines) > 2 and lines[1] - lines[0] < bar else 0
    for start, stop in zip(lines[:-1].tolist(), lines[1:].tolist(), strict=True):
        places = np.arange(stop, start - 1, -beat) if start == lines[0] and first_full else np.arange(start, stop, beat)
        beats[places[(places >= 0) & (places < n)]] = 1
    phases = lines[first_full:-1] % bar if bar else lines[:1]
    values, counts = np.unique(phases, return_counts=True)
    phase = int(values[counts.argmax()]) if len(values) else 0
    regular = len(values) and counts.max() >= 0.6 * counts.sum()
    return Example(song.corpus, song.piece_id, channels, bars, beats, metre if regular else None, phase)


def main_metre(song: Song) -> Metre | None:
    """The metre of most bars, one of `METRES`, or None."""
    stated = SAME.get(song.clock.time_signature, song.clock.time_signature)
    bar = round(song.bar_ms / song.quarter_ms * STEPS)
    if stated in METRES and METRES[stated][0] == bar:
        return stated
    return {16: (4, 4), 12: (3, 4), 8: (2, 4)}.get(bar) if stated[1] <= 4 else None


class Net(nn.Module):
    """Dilated convolutions over steps; each adds to what is known of a step what is known of three."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv1d(CHANNELS, WIDTH, 5, padding=2)
        self.layers = nn.ModuleList(nn.Conv1d(WIDTH, WIDTH, 3, padding=d, dilation=d) for d in DILATIONS)
        self.out = nn.Conv1d(WIDTH, 2, 1)
        self.bias = nn.Parameter(torch.zeros(len(METRES)))
        self.scale = nn.Parameter(torch.tensor(0.0))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        hidden = functional.relu(self.enter(rows))
        for layer in self.layers:
            hidden = hidden + functional.dropout(functional.relu(layer(hidden)), DROPOUT, self.training)
        out: torch.Tensor = self.out(hidden)
        return out


def masks(total: int) -> tuple[np.ndarray, np.ndarray]:
    """For each reading which steps begin its bars and its beats, ``[readings, total]``."""
    steps = np.arange(total)
    bars = np.stack([(steps - phase) % METRES[metre][0] == 0 for metre, phase in CANDIDATES])
    beats = np.stack([(steps - phase) % METRES[metre][1] == 0 for metre, phase in CANDIDATES])
    return bars.astype(np.float32), beats.astype(np.float32)


def reading_scores(
    net: Net, out: torch.Tensor, bars: torch.Tensor, beats: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """The score of each reading of each melody, ``[melodies, readings]``: its bars' and beats' logits, in 16 beats' worth."""
    sums = out[:, 0] @ bars.T + out[:, 1] @ beats.T
    place = torch.tensor([list(METRES).index(metre) for metre, _ in CANDIDATES])
    return sums * (64 / lengths[:, None]) * net.scale.exp() + net.bias[place]


def fit(
    train: list[Example], validation: list[Example], epochs: int, generator: np.random.Generator
) -> dict[str, torch.Tensor]:
    net = Net()
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=WEIGHT_DECAY)
    steps = epochs * (len(train) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    bars, beats = (torch.from_numpy(mask) for mask in masks(CROP))
    mean = copy.deepcopy(net)
    best, kept = -1.0, {}
    for epoch in range(epochs):
        net.train()
        order, losses = generator.permutation(len(train)), []
        for first in range(0, len(order) - BATCH + 1, BATCH):
            batch = [cropped(train[place], generator) for place in order[first : first + BATCH]]
            rows, target, valid, number, lengths = (
                torch.from_numpy(np.stack(column)) for column in zip(*batch, strict=True)
            )
            out = net(rows) * valid[:, None]
            weight = torch.tensor([1.0, 0.5])[None, :, None] * valid[:, None]
            loss = (
                functional.binary_cross_entropy_with_logits(out, target, reduction="none") * weight
            ).sum() / valid.sum()
            known = number >= 0
            if known.any():
                scores = reading_scores(net, out[known], bars, beats, lengths[known])
                loss = loss + 0.3 * functional.cross_entropy(scores, number[known], label_smoothing=SMOOTHING)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            with torch.no_grad():
                for average, value in zip(mean.parameters(), net.parameters(), strict=True):
                    average.lerp_(value, NEWEST)
        metre_right, right = accuracy(mean, validation)
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, metre {metre_right:.3f}, bars {right:.3f}", flush=True)
        if right > best:
            best, kept = right, {name: value.detach().clone() for name, value in mean.state_dict().items()}
    return kept


def cropped(
    item: Example, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A stretch of a melody, `CROP` steps, its beginning half of the time: rows, targets, what counts, its reading, its length."""
    total = len(item.channels)
    start = 0
    if total > CROP and generator.random() < 0.5:
        start = int(generator.integers(0, total - CROP + 1))
    stop = min(total, start + CROP)
    rows, target, valid = (
        np.zeros((CHANNELS, CROP), np.float32),
        np.zeros((2, CROP), np.float32),
        np.zeros(CROP, np.float32),
    )
    rows[:, : stop - start] = item.channels[start:stop].T
    if generator.random() < 0.5:
        rows[9] = 0  # a file whose notes are all as loud
    for channels, chance in UNHEARD:
        if generator.random() < chance:
            rows[channels] = 0
    target[0, : stop - start], target[1, : stop - start] = item.bars[start:stop], item.beats[start:stop]
    valid[: stop - start] = 1
    number = -1
    if item.metre is not None:
        number = CANDIDATES.index((item.metre, (item.phase - start) % METRES[item.metre][0]))
    return rows, target, valid, np.int64(number), np.float32(stop - start)


@torch.no_grad()
def accuracy(net: Net, validation: list[Example]) -> tuple[float, float]:
    """The shares of melodies whose metre and whose whole reading is found."""
    net.eval()
    metres = rights = count = 0
    for item in validation:
        if item.metre is None:
            continue
        total = len(item.channels)
        bars, beats = (torch.from_numpy(mask) for mask in masks(total))
        out = net(torch.from_numpy(item.channels.T[None].copy()))
        scores = reading_scores(net, out, bars, beats, torch.tensor([float(total)]))
        metre, phase = CANDIDATES[int(scores[0].argmax())]
        metres += metre == item.metre
        rights += metre == item.metre and phase == item.phase % METRES[metre][0]
        count += 1
    return metres / count, rights / count


if __name__ == "__main__":
    raise SystemExit(main())

"""Train the network that hears where in a beat the notes of a performance are (`pianalysis.music.beat_hearing`).

    python scripts/train_beats.py --dataset data/pianalysis --write

Performances made from training songs, other ones every third epoch (as in scripts/measure_metre_reading.py, at up to a third faster
or slower, with onsets 10 to 30 ms early or late): the melodies alone, and now and then with their accompaniments. Of each event
the network learns its place in its beat and how long that beat is (cross-entropies; neighbouring lengths are partly right).
What is kept is a running mean of the weights. The share of validation events whose place is right is printed.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from measure_metre_reading import as_played, beat_quarters, tempo_curve  # its neighbour in scripts/
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional

from pianalysis.errors import PianalysisError
from pianalysis.evaluation.songs import Song, read_song
from pianalysis.music.beat_hearing import (
    FEATURES,
    PARTS,
    PERIODS_MS,
    PLACES_HEARD,
    WEIGHTS_FILE,
    event_features,
    events_of,
)

WIDTH, DILATIONS, DROPOUT = 64, (1, 2, 4, 8, 16, 32), 0.2
CROP, BATCH = 160, 16
FASTER, JITTERS_MS = 0.15, (10.0, 30.0)
WITH_ACCOMPANIMENT = 0.35
EPOCHS_OF_A_PERFORMANCE = 3
NEAR = 0.03
"""An event so near to a place, in beats, is at it: scores are exact."""
PERIOD_BLUR = 0.10
NEWEST = 0.005


@dataclass(frozen=True, eq=False)
class Example:
    """What the network hears of a performance's events, and what is right: places, and the beats' lengths in ms."""

    features: np.ndarray
    places: np.ndarray
    periods: np.ndarray


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True, metavar="DIR")
    parser.add_argument("--epochs", type=int, default=9, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument("--write", type=Path, nargs="?", const=WEIGHTS_FILE, metavar="FILE", help="the package's")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    try:
        train = list(songs(args.dataset, "train"))
        validation = [
            example(song, np.random.default_rng(zlib.crc32(song.name.encode())), False)
            for song in songs(args.dataset, "validation")
        ]
        net = fit(train, validation, args.epochs, np.random.default_rng(args.seed))
        if args.write:
            save_file({name: value.numpy().astype(np.float16) for name, value in net.items()}, args.write)
    except (PianalysisError, OSError) as error:
        print(f"train_beats: error: {error}", file=sys.stderr)
        return 2
    return 0


def songs(dataset: Path, split: str) -> Iterator[Song]:
    """The songs of a split with their accompaniments; versions of a song are one."""
    for path in sorted((dataset / "notes").glob(f"{split}-*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(64):
            for row in batch.to_pylist():
                if row["version"] == 0 and len(row["melody"]) >= 16:
                    song = read_song({**row, "chords": []})
                    if len(song.melody) >= 16:
                        yield song


def example(song: Song, generator: np.random.Generator, whole: bool) -> Example:
    """A performance of a song: its melody, or all of it."""
    notes = song.melody
    if whole:
        notes = np.concatenate([notes, song.accompaniment])
    notes = notes[np.argsort(notes["onset_ms"], kind="stable")]
    beats, times = tempo_curve(song, generator, float(np.exp(generator.normal(0, FASTER))))
    heard = as_played(notes, song.quarter_ms, beats, times, generator, float(generator.uniform(*JITTERS_MS)))
    events = events_of(heard)
    first = np.searchsorted(heard["onset_ms"], events.onset_ms)
    written = notes["onset_ms"][first] / song.quarter_ms
    beat = np.clip(np.searchsorted(beats, written + 1e-3, side="right") - 1, 0, len(beats) - 2)
    share = (written - beats[beat]) / np.diff(beats)[beat]
    division = 3 if beat_quarters(song.clock.time_signature) == 1.5 else 2
    places = np.full(len(share), PLACES_HEARD - 1)
    for number, place in enumerate(PARTS[division]):
        away = np.abs(share - place)
        places[np.minimum(away, 1 - away) < NEAR] = number + (6 if division == 3 else 0)
    return Example(event_features(events), places, np.diff(times)[beat])


class Net(nn.Module):
    """Dilated convolutions over events; each adds to what is known of one what is known of three."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv1d(FEATURES, WIDTH, 5, padding=2)
        self.layers = nn.ModuleList(nn.Conv1d(WIDTH, WIDTH, 3, padding=d, dilation=d) for d in DILATIONS)
        self.out = nn.Conv1d(WIDTH, PLACES_HEARD + len(PERIODS_MS), 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        hidden = functional.relu(self.enter(rows))
        for layer in self.layers:
            hidden = hidden + functional.dropout(functional.relu(layer(hidden)), DROPOUT, self.training)
        out: torch.Tensor = self.out(hidden)
        return out


def loss_of(out: torch.Tensor, places: torch.Tensor, periods: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
    """The mean cross-entropy of places and of lengths; valid: what counts."""
    of_places = functional.cross_entropy(out[:, :PLACES_HEARD], places, reduction="none")
    of_periods = -(periods * functional.log_softmax(out[:, PLACES_HEARD:], dim=1)).sum(1)
    return ((of_places + 0.5 * of_periods) * valid).sum() / valid.sum()


def blurred(periods_ms: np.ndarray) -> np.ndarray:
    """The chances of each of the network's periods, ``[len(PERIODS_MS), events]``."""
    away = np.log(PERIODS_MS)[:, None] - np.log(np.clip(periods_ms, PERIODS_MS[0], PERIODS_MS[-1]))[None]
    near = np.exp(-0.5 * (away / PERIOD_BLUR) ** 2)
    return np.asarray(near / near.sum(0), np.float32)


def cropped(item: Example, generator: np.random.Generator) -> tuple[np.ndarray, ...]:
    """A stretch of a performance, `CROP` events: features, places, periods, what counts."""
    total = len(item.features)
    start = int(generator.integers(0, total - CROP + 1)) if total > CROP and generator.random() < 0.6 else 0
    stop = min(total, start + CROP)
    rows, places = np.zeros((FEATURES, CROP), np.float32), np.zeros(CROP, np.int64)
    periods, valid = np.zeros((len(PERIODS_MS), CROP), np.float32), np.zeros(CROP, np.float32)
    size = stop - start
    rows[:, :size], places[:size] = item.features[start:stop].T, item.places[start:stop]
    if generator.random() < 0.5:
        rows[19] = 0  # a file whose notes are all as loud
    if generator.random() < 0.15:
        rows[-12:] = 0
    periods[:, :size], valid[:size] = blurred(item.periods[start:stop]), 1
    return rows, places, periods, valid


def fit(
    train: list[Song], validation: list[Example], epochs: int, generator: np.random.Generator
) -> dict[str, torch.Tensor]:
    net = Net()
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=epochs * (len(train) // BATCH))
    mean = copy.deepcopy(net)
    began = time.monotonic()
    performances: list[Example] = []
    for epoch in range(epochs):
        net.train()
        if epoch % EPOCHS_OF_A_PERFORMANCE == 0:
            performances = [example(song, generator, bool(generator.random() < WITH_ACCOMPANIMENT)) for song in train]
        order, losses = generator.permutation(len(train)), []
        for first in range(0, len(order) - BATCH + 1, BATCH):
            batch = [cropped(performances[place], generator) for place in order[first : first + BATCH]]
            rows, places, periods, valid = (torch.from_numpy(np.stack(column)) for column in zip(*batch, strict=True))
            loss = loss_of(net(rows), places, periods, valid)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            with torch.no_grad():
                for average, value in zip(mean.parameters(), net.parameters(), strict=True):
                    average.lerp_(value, NEWEST)
        said, right = accuracy(mean, validation)
        print(
            f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, validation {said:.3f}, places right {right:.3f}, "
            f"{time.monotonic() - began:.0f} s",
            flush=True,
        )
    return {name: value.detach().clone() for name, value in mean.state_dict().items()}


@torch.no_grad()
def accuracy(net: Net, validation: list[Example]) -> tuple[float, float]:
    """The mean loss of validation songs, and the mean share of their events whose place is right."""
    net.eval()
    losses, shares = [], []
    for item in validation:
        out = net(torch.from_numpy(item.features.T[None].copy()))
        places = torch.from_numpy(item.places)[None]
        periods = torch.from_numpy(blurred(item.periods))[None]
        losses.append(loss_of(out, places, periods, torch.ones(1, len(item.places))).item())
        shares.append((out[:, :PLACES_HEARD].argmax(1) == places).float().mean().item())
    return float(np.mean(losses)), float(np.mean(shares))


if __name__ == "__main__":
    raise SystemExit(main())

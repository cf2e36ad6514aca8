"""Train the networks that hear where the bars of a melody begin (`pianalysis.music.downbeats`).

    python scripts/train_downbeats.py --dataset data/pianalysis --tunes CORPUS/oneills1850 CORPUS/ryansMammoth \
        --unlike CORPUS/airdsAirs CORPUS/essenFolksong --write

The melodies of the dataset's training songs, each from its first note on, without metre and tempo: most of them alone, some with
their accompaniments, and top lines of accompaniments as if they were melodies; and tunes in ABC, as songs of the corpora alone don't
tell of dances and other folk music: those of O'Neill's Music of Ireland and Ryan's Mammoth Collection (CORPUS is music21's, beside
music21/corpus/__init__.py). Per sixteenth the network learns whether a bar
and whether a beat begins there (binary cross-entropy), and the sums of what it says over each reading of the melody are to
choose the right one (cross-entropy over all metres and places). Of a melody alone it also guesses where the accompaniment has a
new bass note and a new harmony, which nothing uses after training. What is kept of a network is the running mean of its
weights at the end, and of `--members` networks that begin with other weights the mean of what they say. In the second half of
training the shares of validation songs are printed whose bar lines are right, without a metre and with it; beside them those of tunes
of other books (`--unlike`). With `--write` the weights go into the package, those of each network when it is done.
"""

from __future__ import annotations

import argparse
import copy
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional
from tune_songs import tune_songs  # its neighbour in scripts/

from pianalysis.errors import PianalysisError
from pianalysis.evaluation.songs import Song, read_song
from pianalysis.music.accompaniment_steps import BESIDE
from pianalysis.music.downbeats import CHANNELS, METRES, STEPS, USUAL_STEPS, WEIGHTS_FILE, Part, heard_channels
from pianalysis.music.metres import Metre
from pianalysis.music.notes import Notes, monophonic

WIDTH, DILATIONS, DROPOUT = 64, (1, 2, 4, 8, 16, 32), 0.25
CROP, BATCH = 384, 16
WEIGHT_DECAY, SMOOTHING = 0.05, 0.02
TEMPERATURE = 1.1
"""Fitted on validation songs: what makes the readings' probabilities honest."""
ALONE, TOP_LINES, FEWEST_TOP = 0.7, 0.15, 16
"""The share of melodies that are heard alone; how many top lines there are a melody, and their fewest notes."""
BASS, LOW, LOWER, CHANGE = CHANNELS + 7, CHANNELS + 5, CHANNELS + 6, CHANNELS + 9
"""Channels of an accompaniment of which bass notes and changes of harmony are made, to be guessed."""
LOUDNESS = CHANNELS + 4
GUESSED, READ = 0.2, 0.3
"""The weights of what is guessed, and of the readings, beside those of bars and beats."""
UNLIKE = 300
"""So many tunes of a folder."""
NEWEST = 0.005
"""The share of a step's weights in their running mean."""
UNHEARD = ((slice(12, 24), 0.15), (slice(24, CHANNELS), 0.15), (slice(4, 9), 0.15))
"""Channels that are now and then left out, so that none is relied on alone: the scale degrees, what returns, the leaps."""
SAME = {(2, 2): (4, 4), (4, 8): (2, 4)}
CANDIDATES = [(metre, phase) for metre, (bar, _) in METRES.items() for phase in range(bar)]


@dataclass(frozen=True, eq=False)
class Example:
    """A melody as the network hears it, from what comes first, and what is right: steps that begin bars and beats, its reading.

    lead: the melody's first step. phase: the step of the first bar line. metre: None where bars are irregular.
    """

    corpus: str
    channels: np.ndarray
    bars: np.ndarray
    beats: np.ndarray
    metre: Metre | None
    phase: int
    lead: int
    is_top_line: bool = False


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", type=Path, required=True, metavar="DIR")
    parser.add_argument("--tunes", type=Path, nargs="+", default=[], metavar="DIR", help="of tunes in ABC to train on")
    parser.add_argument("--unlike", type=Path, nargs="+", default=[], metavar="DIR", help="… to tell of while training")
    parser.add_argument("--epochs", type=int, default=8, metavar="N")
    parser.add_argument("--members", type=int, default=2, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument(
        "--write", type=Path, nargs="?", const=WEIGHTS_FILE, metavar="FILE", help="default: the package's"
    )
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    try:
        train, validation = (examples(args.dataset, split) for split in ("train", "validation"))
        train += [example(song, song.melody, song.accompaniment) for song in tune_songs(args.tunes)]
        unlike = [example(song, song.melody, song.accompaniment) for song in tune_songs(args.unlike, UNLIKE)]
        print(
            f"{len(train)} training and {len(validation)} validation melodies, {len(unlike)} unlike tunes", flush=True
        )
        weights: dict[str, np.ndarray] = {"temperature": np.array(TEMPERATURE, np.float16)}
        for member in range(args.members):
            torch.manual_seed(args.seed + member)
            net = fit(train, validation, unlike, args.epochs, np.random.default_rng(args.seed + member))
            kept = 2 + len(METRES)  # of the last layer's outputs, the guesses aren't needed any more
            for name, value in net.items():
                array = value.numpy().astype(np.float16)
                weights[f"{member}.{name}"] = array[:kept].copy() if name.startswith("out.") else array
            if args.write:
                save_file(weights, args.write)
    except (PianalysisError, OSError) as error:
        print(f"train_downbeats: error: {error}", file=sys.stderr)
        return 2
    return 0


def examples(dataset: Path, split: str) -> list[Example]:
    """The melodies of a split, of training songs top lines too; versions of a song are one."""
    found = []
    for path in sorted((dataset / "notes").glob(f"{split}-*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(64):
            for row in batch.to_pylist():
                if row["version"] == 0 and len(row["melody"]) >= 8:
                    song = read_song({**row, "chords": []})
                    if len(song.melody) >= 8:
                        found.append(example(song, song.melody, song.accompaniment))
                        top = monophonic(song.accompaniment)
                        if split == "train" and song.corpus != "hymns" and len(top) >= FEWEST_TOP:
                            found.append(replace(example(song, top, song.accompaniment[:0]), is_top_line=True))
    return found


def example(song: Song, melody: Notes, beside: Notes) -> Example:
    """A melody of a song and what is beside it, on its quarters."""
    parts = [Part(notes, quarters(notes, song.quarter_ms)) for notes in (melody, beside)]
    channels, lead = heard_channels(*parts)
    begin = np.rint(parts[0].quarters[0, 0] * STEPS) / STEPS - lead / STEPS
    n = len(channels)
    lines = np.rint((song.clock.bar_lines / song.quarter_ms - begin) * STEPS).astype(np.int64)
    metre, bar = main_metre(song), round(song.bar_ms / song.quarter_ms * STEPS)
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
    return Example(song.corpus, channels.astype(np.float16), bars, beats, metre if regular else None, phase, lead)


def quarters(notes: Notes, quarter_ms: float) -> np.ndarray:
    """The onsets and ends of notes in clock-ms, in quarters, ``[2, notes]``."""
    return np.stack([notes["onset_ms"], notes["onset_ms"] + notes["duration_ms"]]) / quarter_ms


def main_metre(song: Song) -> Metre | None:
    """The metre of most bars, one of `METRES`, or None."""
    stated = SAME.get(song.clock.time_signature, song.clock.time_signature)
    bar = round(song.bar_ms / song.quarter_ms * STEPS)
    if stated in METRES and METRES[stated][0] == bar:
        return stated
    return {16: (4, 4), 12: (3, 4), 8: (2, 4)}.get(bar) if stated[1] <= 4 else None


class Net(nn.Module):
    """Dilated convolutions over steps; each adds to what is known of a step what is known of three.

    Out: a bar, a beat, a bar of each metre, a new bass, a new harmony; and what the whole says for each metre.
    """

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv1d(CHANNELS + BESIDE, WIDTH, 5, padding=2)
        self.layers = nn.ModuleList(nn.Conv1d(WIDTH, WIDTH, 3, padding=d, dilation=d) for d in DILATIONS)
        self.out = nn.Conv1d(WIDTH, 2 + len(METRES) + 2, 1)
        self.pool = nn.Linear(WIDTH, len(METRES))
        nn.init.zeros_(self.pool.weight)
        self.scale = nn.Parameter(torch.tensor(0.0))
        self.gamma = nn.Parameter(torch.tensor(0.0))

    def forward(self, rows: torch.Tensor, valid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        hidden = functional.relu(self.enter(rows))
        for layer in self.layers:
            hidden = hidden + functional.dropout(functional.relu(layer(hidden)), DROPOUT, self.training)
        mean = (hidden * valid[:, None]).sum(2) / valid.sum(1, keepdim=True)
        return self.out(hidden) * valid[:, None], self.pool(functional.dropout(mean, DROPOUT, self.training))


def masks(total: int) -> tuple[np.ndarray, np.ndarray]:
    """For each reading which steps begin its bars and its beats, ``[readings, total]``."""
    steps = np.arange(total)
    bars = np.stack([(steps - phase) % METRES[metre][0] == 0 for metre, phase in CANDIDATES])
    beats = np.stack([(steps - phase) % METRES[metre][1] == 0 for metre, phase in CANDIDATES])
    return bars.astype(np.float32), beats.astype(np.float32)


def reading_scores(
    net: Net, said: tuple[torch.Tensor, torch.Tensor], bars: torch.Tensor, beats: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """The score of each reading of each melody, ``[melodies, readings]``: its bars' and beats' logits, in 16 beats' worth."""
    out, usual = said
    place = torch.tensor([list(METRES).index(metre) for metre, _ in CANDIDATES])
    own = torch.einsum("bmt,ct->bmc", out[:, 2 : 2 + len(METRES)], bars)
    sums = out[:, 0] @ bars.T + out[:, 1] @ beats.T
    sums = sums + own.gather(1, place[None, None].expand(len(out), 1, -1))[:, 0]
    many = lengths[:, None]
    return sums * (64 / many) * net.scale.exp() * (many / USUAL_STEPS) ** net.gamma + usual[:, place]


def fit(
    train: list[Example], validation: list[Example], unlike: list[Example], epochs: int, generator: np.random.Generator
) -> dict[str, torch.Tensor]:
    net = Net()
    melodies, tops = ([item for item in train if item.is_top_line == top] for top in (False, True))
    more = min(len(tops), int(TOP_LINES * len(melodies)))
    batches = (len(melodies) + more) // BATCH
    optimizer = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=epochs * batches)
    mean = copy.deepcopy(net)
    for epoch in range(epochs):
        net.train()
        pool = melodies + [tops[place] for place in generator.choice(len(tops), more, replace=False)]
        order, losses = generator.permutation(len(pool)), []
        for first in range(0, batches * BATCH, BATCH):
            loss = loss_of(net, [cropped(pool[place], generator) for place in order[first : first + BATCH]])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
            with torch.no_grad():
                for average, value in zip(mean.parameters(), net.parameters(), strict=True):
                    average.lerp_(value, NEWEST)
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}", flush=True)
        if epoch >= epochs // 2:
            alone, whole = (accuracy(mean, validation, whole) for whole in (False, True))
            print(f"    melody {alone[0]:.3f}, {alone[1]:.3f}; all notes {whole[0]:.3f}, {whole[1]:.3f}", flush=True)
            if unlike:
                print("    unlike tunes {:.3f}, {:.3f}".format(*accuracy(mean, unlike, False)), flush=True)
    return {name: value.detach().clone() for name, value in mean.state_dict().items()}


def loss_of(net: Net, batch: list[tuple[np.ndarray, ...]]) -> torch.Tensor:
    """What a batch of `cropped` costs: bars and beats, the accompaniment's that is guessed, readings."""
    columns = (torch.from_numpy(np.stack(column)) for column in zip(*batch, strict=True))
    rows, target, guessed, has, valid, number, lengths = columns
    said = net(rows, valid)
    out = said[0]
    bits = functional.binary_cross_entropy_with_logits
    weight = torch.tensor([1.0, 0.5])[None, :, None] * valid[:, None]
    loss = (bits(out[:, :2], target, reduction="none") * weight).sum() / valid.sum()
    beside = (valid * has[:, None])[:, None]
    loss = loss + GUESSED * (bits(out[:, -2:], guessed, reduction="none") * beside).sum() / valid.sum()
    known = number >= 0
    if known.any():
        bars, beats = (torch.from_numpy(mask) for mask in masks(CROP))
        scores = reading_scores(net, (out[known], said[1][known]), bars, beats, lengths[known])
        loss = loss + READ * functional.cross_entropy(scores, number[known], label_smoothing=SMOOTHING)
    return loss


def cropped(item: Example, generator: np.random.Generator) -> tuple[np.ndarray, ...]:
    """A stretch of a melody, `CROP` steps, its beginning half of the time.

    Rows, targets, what is guessed, whether it is, what counts, the reading's number or -1, the stretch's length.
    """
    alone = item.is_top_line or bool(generator.random() < ALONE)
    begin, total = item.lead if alone else 0, len(item.channels)
    start = begin
    if total - begin > CROP and generator.random() < 0.5:
        start = int(generator.integers(begin, total - CROP + 1))
    stop = min(total, start + CROP)
    size = stop - start
    rows = np.zeros((CHANNELS + BESIDE, CROP), np.float32)
    target, guessed, valid = (np.zeros(shape, np.float32) for shape in ((2, CROP), (2, CROP), CROP))
    rows[:, :size] = item.channels[start:stop].T
    has = alone and rows[CHANNELS].any()
    if has:
        guessed[0] = (rows[BASS] > 0) | ((rows[LOW] > 0) & (rows[LOWER] > 0))
        guessed[1] = rows[CHANGE]
    if generator.random() < 0.5:
        rows[9] = 0  # a file whose notes are all as loud
    if generator.random() < 0.5:
        rows[LOUDNESS] = 0
    for channels, chance in UNHEARD:
        if generator.random() < chance:
            rows[channels] = 0
    if alone:
        rows[CHANNELS:] = 0
    target[0, :size], target[1, :size], valid[:size] = item.bars[start:stop], item.beats[start:stop], 1
    number = -1
    if item.metre is not None:
        number = CANDIDATES.index((item.metre, (item.phase - start) % METRES[item.metre][0]))
    return rows, target, guessed, np.float32(has), valid, np.int64(number), np.float32(size)


@torch.no_grad()
def accuracy(net: Net, validation: list[Example], whole: bool) -> tuple[float, float]:
    """The shares of melodies whose bar lines are right without a metre, and with it; whole: heard with what is beside them."""
    net.eval()
    rights, given = [], []
    for item in validation:
        if item.metre is None:
            continue
        begin = 0 if whole else item.lead
        rows = item.channels[begin:].T.astype(np.float32)
        if not whole:
            rows[CHANNELS:] = 0
        total = rows.shape[1]
        bars, beats = (torch.from_numpy(mask) for mask in masks(total))
        said = net(torch.from_numpy(rows)[None], torch.ones(1, total))
        scores = reading_scores(net, said, bars, beats, torch.tensor([float(total)]))[0]
        right = CANDIDATES.index((item.metre, (item.phase - begin) % METRES[item.metre][0]))
        of_metre = [number for number, (metre, _) in enumerate(CANDIDATES) if metre == item.metre]
        rights.append(int(scores.argmax()) == right)
        given.append(of_metre[int(scores[of_metre].argmax())] == right)
    return float(np.mean(rights)), float(np.mean(given))


if __name__ == "__main__":
    raise SystemExit(main())

"""Windows to batches: cut to length, transposed, padded, sorted by length.

In: a dataset's rows. Out: tensors as `transformers.Trainer` takes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import floor
from typing import Any, Final

import datasets
import numpy as np
import torch

from pianalysis.music.notes import Notes
from pianalysis.tokens import vocab
from pianalysis.tokens.grammar import voice_start
from pianalysis.tokens.tokenizer import ChordTones, decode, encode, quantize
from pianalysis.tokens.windows import density_of
from pianalysis.training.options import Transpose

LENGTH_MULTIPLE: Final = 16
"""Batches are padded to a multiple of this: of 64, three in a hundred tokens more would be padding."""
DENSITY_PLACE: Final = 2
"""Where in a window its density word stands, after ``<bos>`` and the style."""
TRANSPOSITIONS: Final = range(-6, 6)
BATCHES_SORTED: Final = 200
"""So many batches' windows are sorted by length together: little padding, and still a different order every epoch."""


def transpose_ids(ids: torch.Tensor, semitones: int) -> torch.Tensor:
    """Ids ``[length]`` with every pitch moved by some semitones; by fewer where the keyboard ends.

    The chords between two ``<sep>`` move with the notes, by pitch class: each in its octave, its tones in rising order.

    >>> transpose_ids(torch.tensor([129, 12, 60, 750]), 2).tolist()
    [129, 12, 62, 750]
    >>> transpose_ids(torch.tensor([3, 109, 43, 62, 65, 67, 71, 3]), 2).tolist()  # G7 to A7
    [3, 109, 45, 61, 64, 67, 69, 3]
    """
    chords = _chords_part(ids)
    pitched = (ids >= vocab.LOWEST_PITCH) & (ids <= vocab.HIGHEST_PITCH)
    pitched[chords] = False
    shift = semitones
    if bool(pitched.any()):
        low, high = int(ids[pitched].min()), int(ids[pitched].max())
        shift = min(max(semitones, vocab.LOWEST_PITCH - low), vocab.HIGHEST_PITCH - high)
    moved = torch.where(pitched, ids + shift, ids)
    moved[chords] = torch.tensor(_transposed_chords(ids[chords].tolist(), shift), dtype=ids.dtype)
    return moved


def _chords_part(ids: torch.Tensor) -> slice:
    """Where the chords are in a window: between two ``<sep>``, else nowhere."""
    separators = (ids == vocab.SEP).nonzero().flatten().tolist()
    return slice(separators[0] + 1, separators[1]) if len(separators) > 1 else slice(0, 0)


def _transposed_chords(ids: list[int], semitones: int) -> list[int]:
    bass, tone = vocab.CHORD_BASS_IDS.start, vocab.CHORD_TONE_IDS.start
    moved: list[int] = []
    for is_tone, group in groupby(ids, key=lambda token: token in vocab.CHORD_TONE_IDS):
        if is_tone:  # those of one chord: the next one has a TIME before it
            moved += sorted(tone + (token - tone + semitones) % 12 for token in group)
        else:
            moved += [
                bass + (token - bass + semitones) % 12 if token in vocab.CHORD_BASS_IDS else token for token in group
            ]
    return moved


def change_tempo(ids: Sequence[int], factor: float) -> list[int]:
    """A window's ids written out at another tempo: times and lengths by `factor` (2: half as fast, 0.5: twice).

    What is past the window's end is cut; the density word is that of the new window. Onsets that the grid doesn't have
    at half are moved to it, so that only 2 can be undone; of two chords that then begin together the later stays.
    """
    window = decode(ids)
    melody = _scaled(window.melody, factor)
    if window.chords is not None:
        window = replace(window, chords=_scaled_chords(window.chords, factor))
    if window.accompaniment is None:
        return encode(replace(window, melody=melody))
    below = _scaled(window.accompaniment, factor)
    density = density_of(len(below), vocab.WINDOW_MS * min(1.0, factor))
    return encode(replace(window, melody=melody, accompaniment=below, density=density))


def _scaled(notes: Notes, factor: float) -> Notes:
    scaled = notes.copy()
    scaled["onset_ms"] *= factor
    scaled["duration_ms"] *= factor
    return quantize(scaled)


def _scaled_chords(chords: Sequence[ChordTones], factor: float) -> tuple[ChordTones, ...]:
    moved = {}
    for chord in chords:
        onset = floor(chord.onset_ms * factor / vocab.TIME_STEP_MS + 0.5) * vocab.TIME_STEP_MS
        moved[onset] = replace(chord, onset_ms=onset)
    return tuple(chord for onset, chord in moved.items() if onset < vocab.WINDOW_MS)


@dataclass(frozen=True)
class WindowCollator:
    """Rows to a padded batch: input_ids, weights and target ``[batch, length]``, notes and seconds ``[batch]``.

    weights: 1 on the tokens of chords and accompaniment (``<eos>`` and the second ``<sep>`` included), `melody_weight`
    before, 0 on padding, on ``<bos>`` and on a lead sheet's density, which is nobody's. target: 1 on the accompaniment's
    tokens, else 0. notes, seconds: of the accompaniment, 0 for a lead sheet. tempo_share: of the windows, how many are
    written at half or double tempo. What is done to a row depends on seed, epoch and its column `row` only: not on the
    process that has it, nor on how far a loader reads ahead.
    """

    max_length: int = 1024
    melody_weight: float = 0.2
    transpose: Transpose = "none"
    tempo_share: float = 0.0
    seed: int = 0

    def __call__(self, rows: Sequence[dict[str, Any]], epoch: int = 0) -> dict[str, torch.Tensor]:
        whole = [self._augmented(row, epoch) for row in rows]
        windows = [torch.tensor(ids[: self.max_length], dtype=torch.long) for ids in whole]
        longest = max(len(ids) for ids in windows)
        length = min(-(-longest // LENGTH_MULTIPLE) * LENGTH_MULTIPLE, self.max_length)
        input_ids = torch.full((len(rows), length), vocab.PAD)
        weights, target = torch.zeros(len(rows), length), torch.zeros(len(rows), length)
        seconds = torch.zeros(len(rows))
        for index, (ids, uncut) in enumerate(zip(windows, whole, strict=True)):
            # Where its parts begin is said by the whole window: cut, it may have lost a <sep>.
            learned_start, target_start = uncut.index(vocab.SEP) + 1, voice_start(uncut)
            lead_sheet = target_start == len(uncut)
            input_ids[index, : len(ids)] = ids
            weights[index, 1:learned_start] = self.melody_weight
            weights[index, learned_start : len(ids)] = 1.0
            weights[index, len(ids) :] = 0.0
            target[index, target_start : len(ids)] = 1.0
            if lead_sheet:
                weights[index, DENSITY_PLACE : DENSITY_PLACE + 1] = 0.0
            else:
                seconds[index] = float(rows[index]["seconds"])
        loud = (input_ids >= vocab.DYNAMIC_IDS.start) & (input_ids < vocab.DYNAMIC_IDS.stop)
        counts = {"notes": loud.sum(1).float(), "seconds": seconds}
        return {"input_ids": input_ids, "weights": weights, "target": target, **counts}

    def _augmented(self, row: dict[str, Any], epoch: int) -> list[int]:
        ids: list[int] = row["input_ids"]
        shift = row["key_shift"] if self.transpose == "key" else 0
        if self.tempo_share or self.transpose == "random":
            generator = np.random.default_rng([self.seed, epoch, row["row"]])
            if generator.random() < self.tempo_share:
                ids = change_tempo(ids, float(generator.choice([2.0, 0.5])))
            if self.transpose == "random":
                shift = int(generator.integers(TRANSPOSITIONS.start, TRANSPOSITIONS.stop))
        moved: list[int] = transpose_ids(torch.tensor(ids), shift).tolist()
        return moved


class BucketSampler(torch.utils.data.Sampler[int]):
    """Row numbers in an order in which each run of `batch_size` rows is about equally long.

    The order depends on seed and epoch only, not on the number of processes that share a batch.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths = np.asarray(lengths)
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = np.random.default_rng([self.seed, self.epoch])
        order = generator.permutation(len(self.lengths))
        size = self.batch_size * BATCHES_SORTED
        chunks = [order[start : start + size] for start in range(0, len(order), size)]
        batches: list[np.ndarray] = []
        for chunk in chunks:
            chunk = chunk[np.argsort(-self.lengths[chunk], kind="stable")]
            batches += [chunk[start : start + self.batch_size] for start in range(0, len(chunk), self.batch_size)]
        # A short batch comes last: in the middle it would move the borders of all that follow.
        whole = len(order) // self.batch_size
        for index in [*generator.permutation(whole), *range(whole, len(batches))]:
            yield from batches[index].tolist()


def with_lengths(windows: datasets.Dataset) -> datasets.Dataset:
    """The dataset with the columns `length`, tokens a row, for batches of like lengths, and `row`, its number."""
    import pyarrow.compute as pc

    if "length" in windows.column_names:
        return windows
    lengths = pc.list_value_length(windows.data.column("input_ids")).to_pylist()
    return windows.add_column("length", lengths).add_column("row", list(range(len(lengths))))

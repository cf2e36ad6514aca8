"""How well metre, pickup and beats are read from a melody alone; writes the block `metre` of docs/inputs.md.

    python scripts/measure_metre_reading.py --dataset data/pianalysis --split test --write

Of each song's melody, from its first note on: files that state no metre, or the default that nobody set; files whose metre is
right and whose upbeat was moved to tick 0; files that are right, which must be left alone; and performances without a click,
made from the corpora with a tempo that walks at random, slows down at the ends of phrases and at the end, and onsets that are
early or late (a fixed seed for each song). Settings are chosen with `--split validation`.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from pianalysis.evaluation.songs import Song, read_song
from pianalysis.music.notes import Notes

ROOT = Path(__file__).parents[1]
WALK, KEPT, JITTER_MS = 0.025, 0.9, 20.0
"""Per beat the tempo's logarithm moves by `WALK` and keeps so much of its distance from the middle."""
PHRASE_BARS, PHRASE_SLOWER, END_SLOWER = 8, 0.10, 0.35
SLOWEST_BPM, FASTEST_BPM = 50.0, 150.0


@dataclass(frozen=True, eq=False)
class Performance:
    """A melody as played: notes in real ms; the beats that it was made from."""

    notes: Notes
    beats_ms: np.ndarray
    downbeats_ms: np.ndarray
    division: int


def songs(dataset: Path, split: str, fewest: int = 16) -> Iterator[Song]:
    """The songs of a split, without their accompaniments; versions are left out, and melodies of a few notes."""
    for path in sorted((dataset / "notes").glob(f"{split}-*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(64):
            for row in batch.to_pylist():
                if row["version"] == 0 and len(row["melody"]) >= fewest:
                    song = read_song({**row, "accompaniment": [], "chords": []})
                    if len(song.melody) >= fewest:
                        yield song


def beat_quarters(metre: tuple[int, int]) -> float:
    """The quarters of a beat: dotted in compound metres."""
    numerator, denominator = metre
    if denominator >= 8:
        return 1.5 if numerator % 3 == 0 and denominator == 8 and numerator > 3 else 4 / denominator
    return 1.0


def performed(song: Song, seconds: float = 120.0) -> Performance:
    """A song's melody as somebody might play it, its first two minutes."""
    generator = np.random.default_rng(zlib.crc32(song.name.encode()))
    quarter = song.quarter_ms
    beat = beat_quarters(song.clock.time_signature)
    lines = song.clock.bar_lines / quarter
    places = [
        np.arange(stop, start - 1e-6, -beat)[::-1] if number == 0 else np.arange(start, stop - 1e-6, beat)
        for number, (start, stop) in enumerate(zip(lines[:-1], lines[1:], strict=True))
    ]
    beats = np.unique(np.concatenate([*places, lines[-1:], lines[-1:] + beat]).round(4))
    bpm = np.clip(song.clock.bpm / beat, SLOWEST_BPM, FASTEST_BPM)
    walk = np.zeros(len(beats) - 1)
    for place in range(1, len(walk)):
        walk[place] = KEPT * walk[place - 1] + generator.normal(0, WALK)
    bar = np.searchsorted(lines, beats[:-1] + 1e-6, side="right") - 1
    slower = walk + PHRASE_SLOWER * (bar % PHRASE_BARS == PHRASE_BARS - 1)
    left = lines[-1] - beats[:-1]
    slower += END_SLOWER * np.clip(1 - left / 6, 0, 1)
    times = np.concatenate([[0.0], np.cumsum(60_000 / bpm * np.exp(slower) * np.diff(beats) / beat)])
    onset = np.interp(song.melody["onset_ms"] / quarter, beats, times)
    stop = np.interp((song.melody["onset_ms"] + song.melody["duration_ms"]) / quarter, beats, times)
    notes = song.melody.copy()
    notes["onset_ms"] = np.maximum.accumulate(onset + generator.normal(0, JITTER_MS, len(onset)))
    notes["duration_ms"] = np.maximum(0.9 * (stop - onset), 30.0)
    notes = notes[notes["onset_ms"] < seconds * 1000]
    first, last = notes["onset_ms"].min(), notes["onset_ms"].max()
    early = max(0.0, 500.0 - first)
    notes["onset_ms"] += early
    inside = (times >= first - 1500) & (times <= last + 1500)
    down = np.interp(lines, beats, times)
    down = down[(down >= first - 1500) & (down <= last + 1500)]
    return Performance(notes, times[inside] + early, down + early, 3 if beat == 1.5 else 2)

"""Melody finding, note by note: the skyline, hand-set weights with the best path, and the learned network.

    python scripts/evaluate_melody.py --root ../shared/data/pop909.tar.xz --split test --json melody.json --write

The tracks of each song are flattened into one; which of its notes are melody, the methods are not told. Figures are
over the notes of all songs. Songs a second are those of one core's time, for finding alone: reading is not counted.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm
from update_readme import between

from pianalysis.dataset.corpora import open_files, read_lieder, read_pop909, read_splits
from pianalysis.melody.line import find_line
from pianalysis.melody.voices import skyline
from pianalysis.music.notes import Notes

INPUTS = Path(__file__).parents[1] / "docs" / "inputs.md"


@dataclass(frozen=True, eq=False)
class Song:
    """Flattened notes, sorted by onset and pitch, and which of them are melody."""

    notes: Notes
    is_melody: np.ndarray


@dataclass(frozen=True)
class Counts:
    """Notes: rightly found, found, of the melody, told right, and all."""

    hits: int = 0
    found: int = 0
    melody: int = 0
    right: int = 0
    notes: int = 0

    @classmethod
    def of(cls, found: np.ndarray, is_melody: np.ndarray) -> Counts:
        right = int((found == is_melody).sum())
        return cls(int((found & is_melody).sum()), int(found.sum()), int(is_melody.sum()), right, len(found))

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            *(mine + theirs for mine, theirs in zip(asdict(self).values(), asdict(other).values(), strict=True))
        )

    @property
    def precision(self) -> float:
        return self.hits / max(self.found, 1)

    @property
    def recall(self) -> float:
        return self.hits / max(self.melody, 1)

    @property
    def f1(self) -> float:
        return 2 * self.hits / max(self.found + self.melody, 1)

    @property
    def accuracy(self) -> float:
        return self.right / max(self.notes, 1)


def flatten(melody: Notes, accompaniment: Notes) -> Song:
    """All notes on one keyboard.

    A key struck twice at once, by the melody and by a doubling in the piano, is one note: of the melody, as loud as the
    louder and as long as the longer of the two, which is what a keyboard would play.
    """
    both = np.concatenate([melody, accompaniment])
    is_melody = np.arange(len(both)) < len(melody)
    order = np.lexsort((both["duration_ms"], both["pitch"], both["onset_ms"]))
    both, is_melody = both[order], is_melody[order]
    again = (np.diff(both["onset_ms"]) == 0) & (np.diff(both["pitch"]) == 0)
    starts = np.flatnonzero(np.concatenate([[True], ~again]))
    notes = both[starts].copy()
    for field in ("duration_ms", "velocity"):
        notes[field] = np.maximum.reduceat(both[field], starts)
    return Song(notes, np.logical_or.reduceat(is_melody, starts))


def skyline_flags(notes: Notes) -> np.ndarray:
    """Which notes the skyline keeps."""
    kept = {(row["onset_ms"], row["pitch"]) for row in skyline(notes)}
    return np.array([(row["onset_ms"], row["pitch"]) in kept for row in notes])


METHODS = {
    "skyline": skyline_flags,
    "weighed": lambda notes: find_line(notes, "weighed"),
    "learned": lambda notes: find_line(notes, "learned"),
}


def evaluate(songs: list[Song]) -> dict[str, dict[str, Any]]:
    """Each method's figures over all notes of all songs."""
    results = {}
    for name, method in METHODS.items():
        method(songs[0].notes)  # what is loaded once is not timed
        counts, seconds = Counts(), 0.0
        for song in tqdm(songs, desc=name):
            start = time.process_time()
            found = method(song.notes)
            seconds += time.process_time() - start
            counts += Counts.of(found, song.is_melody)
        figures = {figure: getattr(counts, figure) for figure in ("precision", "recall", "f1", "accuracy")}
        results[name] = figures | {"songs_per_second": len(songs) / seconds} | asdict(counts)
    return results


def table(results: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown; those of speed are of this machine, with whatever else runs on it."""
    lines = ["| method | precision | recall | F1 | accuracy | songs a second |", "|---|--:|--:|--:|--:|--:|"]
    for name, row in results.items():
        figures = " | ".join(f"{row[figure]:.3f}" for figure in ("precision", "recall", "f1", "accuracy"))
        lines.append(f"| {name} | {figures} | {row['songs_per_second']:.0f} |")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("../shared/data/pop909.tar.xz"))
    parser.add_argument("--corpus", choices=["pop909", "lieder"], default="pop909")
    parser.add_argument("--splits", type=Path, help="default: beside the root")
    parser.add_argument("--split", default="test", choices=["train", "validation", "test"])
    parser.add_argument("--limit", type=int, help="at most so many songs")
    parser.add_argument("--no-velocity", action="store_true", help="every note as loud as the others, as in scores")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--write", action="store_true", help="write the table to docs/inputs.md")
    args = parser.parse_args(argv)
    splits = read_splits(args.splits or args.root.with_name(f"{args.root.name.split('.')[0]}_splits.json"))
    files, read = open_files(args.root), {"pop909": read_pop909, "lieder": read_lieder}[args.corpus]
    songs = []
    for piece_id in [key for key in splits if splits[key] == args.split][: args.limit]:
        for piece in read(files, piece_id):
            song = flatten(piece.melody, piece.accompaniment)
            if args.no_velocity:
                song.notes["velocity"] = 64
            songs.append(song)
    results = evaluate(songs)
    total = results["skyline"]
    heading = (
        f"{args.corpus} {args.split}: {len(songs)} songs, {total['notes']:,} notes, {total['melody']:,} of the melody"
    )
    print(heading, table(results), sep="\n")
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if args.write:
        command = f"`scripts/evaluate_melody.py --corpus {args.corpus} --split {args.split}`"
        text = f"{table(results)}\n\n{heading} ({command}). *Accuracy*: of all notes, those that are told right."
        INPUTS.write_text(between(INPUTS.read_text("utf-8"), f"{args.corpus}-notes", text), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Pieces in a style of their own, to try fine-tuning on: melodies of the dataset over a bass and chord in turn, by rule.

    python scripts/make_style.py --dataset data/pianalysis --output style/ --songs 10 4 4
    pianalysis prepare --corpus folder --root style/ --splits style/splits.json --output data/style --every-bar

A folder of MIDI files as a user has them, and its splits. The melodies are of test songs, which no model has seen; the
chords are `pianalysis.evaluation.references.chords_by_rule`'s.
"""

from __future__ import annotations

import argparse
import json
from itertools import islice
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pianalysis.evaluation.references import chords_by_rule
from pianalysis.evaluation.run import read_songs
from pianalysis.evaluation.songs import Song
from pianalysis.files import write_atomically
from pianalysis.music.midi import write_midi
from pianalysis.music.notes import Notes, make_notes

BASS_VELOCITY, CHORD_VELOCITY = 80, 56
OCTAVE = 12


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, metavar="DIR_OR_ID")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--songs", type=int, nargs=3, default=[10, 4, 4], metavar="N", help="in train, validation and test"
    )
    args = parser.parse_args(argv)
    args.output.mkdir(parents=True, exist_ok=True)
    songs = iter(read_songs(args.dataset, "test", float("inf"))["pop909"])
    splits: dict[str, list[str]] = {}
    for split, count in zip(("train", "validation", "test"), args.songs, strict=True):
        for song in tqdm(list(islice(songs, count)), desc=split):
            write_midi(args.output / f"{song.piece_id}.mid", song.score(in_turn(song)))
            splits.setdefault(split, []).append(f"{song.piece_id}.mid")
    write_atomically(args.output / "splits.json", (json.dumps(splits, indent=1) + "\n").encode())
    return 0


def in_turn(song: Song) -> Notes:
    """Of each half bar the root an octave down, then the chord, and the same again: a march, whatever the song was."""
    chords, rows = chords_by_rule(song), []
    for start in np.unique(chords["onset_ms"]):
        chord = chords[chords["onset_ms"] == start]
        quarter = float(chord["duration_ms"][0]) / 4
        for place in (0, 2):
            root = int(chord["pitch"][0]) - OCTAVE
            rows.append((start + place * quarter, quarter, root, BASS_VELOCITY))
            rows += [(start + (place + 1) * quarter, quarter, int(pitch), CHORD_VELOCITY) for pitch in chord["pitch"]]
    return make_notes(rows)


if __name__ == "__main__":
    raise SystemExit(main())

"""What hands are asked for at each difficulty, and by people: keys, spans, speed, accidentals, leaps.

    python scripts/measure_difficulty.py --dataset data/pianalysis --songs 10 --write
    python scripts/measure_difficulty.py --dataset data/pianalysis --songs 1 --seconds 10

The test songs of each corpus are arranged at each difficulty, with one seed; hymns in the style pop. Where a difficulty says no
hands, they are those of the score (`split_hands`). `--write` puts the table into docs/difficulty.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from update_readme import between

from pianalysis.arranging.arranger import Arranger
from pianalysis.evaluation.likelihoods import spaced
from pianalysis.evaluation.run import read_songs
from pianalysis.evaluation.songs import Song
from pianalysis.metrics.keys import MAJOR_SCALE, RELATIVE, find_key
from pianalysis.music.difficulty import DIFFICULTIES
from pianalysis.music.hands import chord_starts, split_hands
from pianalysis.music.notes import Notes

PAGE = Path(__file__).parents[1] / "docs" / "difficulty.md"
HELD_MS = 30.0
"""What ends so soon after a strike is let go for it."""
OCTAVE = 12
COLUMNS = (
    "keys at once", "most", "span", "widest", "strikes a second", "fastest", "leaps", "widest reach", "out of key",
)  # fmt: skip


@dataclass(frozen=True)
class HandFigures:
    """Of one hand: lists by strike, and how long the piece is, in seconds.

    keys, spans: sounding at a strike, held ones too; gaps_s: from one strike to the next; reaches: semitones between any two
    keys of both.
    """

    keys: list[int]
    spans: list[int]
    gaps_s: list[float]
    reaches: list[int]
    seconds: float


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--songs", type=int, default=10, help="of each corpus")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each song")
    parser.add_argument("--split", default="test", help="validation: to choose by")
    parser.add_argument("--model", default="small")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args(argv)
    arranger = Arranger.from_pretrained(args.model)
    songs = [
        song
        for all_of_one in read_songs(args.dataset, args.split, args.seconds).values()
        for song in spaced(all_of_one, args.songs)
    ]
    rows = {word: measure([arranged(arranger, song, word) for song in songs]) for word in DIFFICULTIES}
    rows["people"] = measure([people(song) for song in songs])
    table = as_table(rows, f"{len(songs)} {args.split} songs, the first {args.seconds:g} s of each, model {args.model}")
    print(table)
    if args.write:
        PAGE.write_text(between(PAGE.read_text(encoding="utf-8"), "difficulty", table), encoding="utf-8")
    return 0


Measured = tuple[list[HandFigures], list[bool]]
"""Both hands, and of each note whether it is out of the melody's key."""


def arranged(arranger: Arranger, song: Song, difficulty: str) -> Measured:
    """One song at one difficulty."""
    style = "pop" if song.style == "hymn" else song.style
    piece = arranger(song.score(), seed=0, difficulty=difficulty, style=style)
    return look(piece.accompaniment, piece.melody, piece.border)


def people(song: Song) -> Measured:
    """What people play under its melody."""
    return look(song.clock.notes_to_real(song.accompaniment), song.clock.notes_to_real(song.melody), None)


def look(notes: Notes, melody: Notes, border: int | None) -> Measured:
    right = split_hands(notes) if border is None else notes["pitch"] >= border
    ends = np.concatenate([melody["onset_ms"] + melody["duration_ms"], notes["onset_ms"] + notes["duration_ms"]])
    seconds = float(ends.max() - min(melody["onset_ms"].min(), notes["onset_ms"].min(initial=np.inf))) / 1_000
    key = find_key(melody)
    scale = [(key.tonic - RELATIVE * key.is_minor + step) % OCTAVE for step in MAJOR_SCALE] if key else range(OCTAVE)
    outside = ~np.isin(notes["pitch"] % OCTAVE, scale)
    return [of_hand(notes[hand], seconds) for hand in (~right, right)], outside.tolist()


def of_hand(notes: Notes, seconds: float) -> HandFigures:
    """Of the notes of one hand."""
    notes = notes[np.lexsort((notes["pitch"], notes["onset_ms"]))]
    strikes = np.split(notes, chord_starts(notes["onset_ms"])[1:]) if len(notes) else []
    keys, spans = [], []
    for strike in strikes:
        onset = strike["onset_ms"].max()
        held = (notes["onset_ms"] < strike["onset_ms"][0]) & (
            notes["onset_ms"] + notes["duration_ms"] > onset + HELD_MS
        )
        sounding = np.unique(np.concatenate([notes["pitch"][held], strike["pitch"]]))
        keys.append(len(sounding))
        spans.append(int(sounding[-1]) - int(sounding[0]))
    both = [np.concatenate([first["pitch"], second["pitch"]]) for first, second in pairwise(strikes)]
    gaps = [float(second["onset_ms"][0] - first["onset_ms"][0]) / 1_000 for first, second in pairwise(strikes)]
    return HandFigures(keys, spans, gaps, [int(keys.max()) - int(keys.min()) for keys in both], seconds)


def measure(pieces: Sequence[Measured]) -> tuple[float, ...]:
    """The `COLUMNS` of some pieces: of all strikes of all hands together; the fastest is one in twenty."""
    hands = [hand for both, _ in pieces for hand in both]
    keys, spans, gaps, reaches = (_joined(hands, place) for place in range(4))
    strikes = len(keys) / sum(hand.seconds for hand in hands)
    outside = np.array([out for _, outside in pieces for out in outside])
    return (
        float(keys.mean()), float(keys.max()), float(spans.mean()), float(spans.max()), strikes,
        float(1 / np.quantile(gaps, 0.05)), float((reaches > OCTAVE).mean()), float(reaches.max()), float(outside.mean()),
    )  # fmt: skip


def _joined(hands: Sequence[HandFigures], place: int) -> np.ndarray:
    return np.array([value for hand in hands for value in astuple(hand)[place]])


def as_table(rows: dict[str, tuple[float, ...]], what: str) -> str:
    head = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    return "\n".join([*head, *(as_row(name, values) for name, values in rows.items()), "", f"({what}.)"])


def as_row(name: str, values: tuple[float, ...]) -> str:
    mean_keys, most, span, widest, speed, fastest, leaps, reach, outside = values
    cells = (
        f"{mean_keys:.2f}", f"{most:.0f}", f"{span:.1f}", f"{widest:.0f}", f"{speed:.2f}", f"{fastest:.1f}",
        f"{leaps:.2f}", f"{reach:.0f}", f"{outside:.3f}",
    )  # fmt: skip
    return f"| {name} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    raise SystemExit(main())

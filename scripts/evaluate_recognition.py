"""How often the chords that `recognise` finds are those that people wrote, by mir_eval's measures.

    python scripts/evaluate_recognition.py
    python scripts/evaluate_recognition.py --splits test --chorales
    python scripts/evaluate_recognition.py --fit 60

POP909's songs against its labels, by split and by what is listened to: the accompaniment, or the melody too. `root`,
`majmin`, `sevenths` and `majmin_inv` (the bass must be right as well) are mir_eval.chord's, weighted by duration over all
songs. `--chorales` adds Bach chorales with the analyses of music21's corpus, beat by beat. `--fit N` looks for better
weights: N training songs and the chorales, one weight after the other a step up or down, until no step helps; the
mean of all measures, two parts POP909 to one part chorales, is what counts. It prints the weights; those in `recognise`
are the result of an earlier search of this kind, rounded, chosen by hand where several were as good.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import mir_eval
import numpy as np
from tqdm import tqdm

from pianalysis.dataset.corpora import open_files, read_pop909, read_splits
from pianalysis.harmony.beats import BeatGrid, beat_grid, clock_beats
from pianalysis.harmony.recognise import WEIGHTS, Weights, recognise
from pianalysis.harmony.symbols import CORE_QUALITIES, QUALITIES, Chord
from pianalysis.music.notes import Notes, make_notes

MEASURES = ("root", "majmin", "sevenths", "majmin_inv")
CHORALES = range(1, 21)
TRANSPOSED = {14: 7, 17: 2}
"""Chorales that music21's scores have so many semitones higher than its analyses."""
OUT_OF_STEP = (11,)
"""Its analysis has other bars than its score from the first repeat on."""
STEPS = (0.4, -0.4, 0.1, -0.1)


@dataclass(frozen=True, eq=False)
class Example:
    """Notes on a beat grid, the time of its borders in seconds, and labelled intervals in seconds."""

    notes: Notes
    beats: BeatGrid
    borders: np.ndarray
    intervals: np.ndarray
    labels: list[str]


def songs(archive: Path, split_file: Path, split: str, *, melody: bool, count: int | None = None) -> Iterator[Example]:
    files, splits = open_files(archive), read_splits(split_file)
    chosen = [song for song in splits if splits[song] == split][:count]
    for song in tqdm(chosen, desc=split, disable=None):
        piece = next(read_pop909(files, song))
        heard = np.concatenate([piece.accompaniment, piece.melody]) if melody else piece.accompaniment
        beats = clock_beats(piece.clock)
        yield Example(
            piece.clock.notes_to_clock(heard),
            beats,
            piece.clock.to_real(beats.borders_ms) / 1_000,
            np.array([(start, end) for start, end, _ in piece.chords]) / 1_000,
            [label for _, _, label in piece.chords],
        )


def chorales(numbers: Iterable[int] = CHORALES) -> Iterator[Example]:
    """Bach chorales by Riemenschneider's number, with the RomanText analyses in music21's corpus."""
    import music21

    folder = Path(music21.__file__).parent / "corpus" / "bach" / "choraleAnalyses"
    for number in numbers:
        if number in OUT_OF_STEP:
            continue
        analysis = music21.converter.parse(folder / f"riemenschneider{number:03}.rntxt", format="romanText")
        named = {"numberingSystem": "riemenschneider", "returnType": "stream"}
        score = next(iter(music21.corpus.chorales.Iterator(number, number, **named)))
        bars = list(score.parts[0].getElementsByClass("Measure"))
        lines = np.array([float(bar.offset) for bar in bars] + [float(bars[-1].offset + bars[-1].quarterLength)]) * 500
        metre = next(iter(score.parts[0].flatten().getElementsByClass("TimeSignature")))
        rows = (
            (float(note.offset) * 500, float(note.quarterLength) * 500, pitch.midi, 80)
            for part in score.parts
            for note in part.flatten().notes
            for pitch in note.pitches
        )
        beats = beat_grid(lines, (metre.numerator, metre.denominator))
        found = [
            item for item in analysis.flatten().getElementsByClass("RomanNumeral") if item.offset * 500 < lines[-1]
        ]
        starts = np.array([float(item.offset) / 2 for item in found])
        labels = [_chord(item).transposed(TRANSPOSED.get(number, 0)).harte() for item in found]
        ends = np.append(starts[1:], lines[-1] / 1_000)
        yield Example(make_notes(rows), beats, beats.borders_ms / 1_000, np.stack([starts, ends], axis=1), labels)


def _chord(numeral) -> Chord:
    """A Roman numeral of music21 as a chord; a quality that we have no name for becomes its triad."""
    root = numeral.root().pitchClass
    steps = {(pitch.pitchClass - root) % 12 for pitch in numeral.pitches}
    triad = "min" if 3 in steps else "maj"
    quality = next((name for name in CORE_QUALITIES if set(QUALITIES[name]) == steps), triad)
    return Chord(root, quality, numeral.bass().pitchClass)


def scores(examples: Sequence[Example], weights: Weights = WEIGHTS) -> np.ndarray:
    """Each of `MEASURES`, over all examples by duration."""
    right, total = np.zeros(len(MEASURES)), np.zeros(len(MEASURES))
    for example in examples:
        chords = [chord.harte() for chord in recognise(example.notes, example.beats, weights=weights)]
        intervals = np.stack([example.borders[:-1], example.borders[1:]], axis=1)
        span = example.intervals.min(), example.intervals.max()
        intervals, chords = mir_eval.util.adjust_intervals(intervals, chords, *span, "N", "N")
        merged, wanted, found = mir_eval.util.merge_labeled_intervals(
            example.intervals, example.labels, intervals, chords
        )
        lengths = mir_eval.util.intervals_to_durations(merged)
        for column, name in enumerate(MEASURES):
            agree = getattr(mir_eval.chord, name)(wanted, found)
            right[column] += (agree * lengths)[agree >= 0].sum()
            total[column] += lengths[agree >= 0].sum()
    return right / total


def fit(pop: Sequence[Example], classical: Sequence[Example]) -> Weights:
    def value(weights: Weights) -> float:
        return float((2 * scores(pop, weights) + scores(classical, weights)).mean() / 3)

    weights, best, better = WEIGHTS, value(WEIGHTS), True
    while better:
        better = False
        for field in fields(Weights):
            for place in range(np.size(getattr(weights, field.name))):
                for step in STEPS:
                    now = np.array(getattr(weights, field.name), np.float64)
                    now.flat[place] = round(now.flat[place] + step, 3)
                    other = replace(weights, **{field.name: tuple(now.tolist()) if now.ndim else float(now)})
                    if (reached := value(other)) > best + 1e-5:
                        weights, best, better = other, reached, True
                        print(f"{best:.4f} {field.name} {now.tolist()}", flush=True)
                        break
    return weights


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pop909", type=Path, default=Path("../shared/data/pop909.tar.xz"))
    parser.add_argument("--splits-file", type=Path, default=Path("../shared/data/pop909_splits.json"))
    parser.add_argument("--splits", nargs="+", default=["validation"], choices=["train", "validation", "test"])
    parser.add_argument("--chorales", action="store_true", help="Bach chorales too (needs music21)")
    parser.add_argument("--fit", type=int, metavar="SONGS", help="look for better weights on so many training songs")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    args = build_parser().parse_args(argv)
    if args.fit:
        pop = [*songs(args.pop909, args.splits_file, "train", melody=False, count=args.fit)]
        print(fit(pop, [*chorales()]))
        return 0
    print("| what | " + " | ".join(MEASURES) + " |\n|---|" + "---:|" * len(MEASURES))
    rows = [
        (f"POP909 {split}, {'accompaniment and melody' if melody else 'accompaniment'}", split, melody)
        for split in args.splits
        for melody in (False, True)
    ]
    for name, split, melody in rows:
        _print_row(name, [*songs(args.pop909, args.splits_file, split, melody=melody)])
    if args.chorales:
        _print_row("Bach chorales", [*chorales()])
    return 0


def _print_row(name: str, examples: Sequence[Example]) -> None:
    print(
        f"| {name} ({len(examples)}) | " + " | ".join(f"{value:.3f}" for value in scores(examples)) + " |", flush=True
    )


if __name__ == "__main__":
    raise SystemExit(main())

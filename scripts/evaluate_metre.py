"""Does the accompaniment keep the metre of the melody? The share of bars whose lowest key is struck on the first beat.

    python scripts/evaluate_metre.py --dataset data/pianalysis --tunes scripts/odd_metres.abc --json metre.json
    python scripts/evaluate_metre.py --tunes FOLDER --style classical --model runs/canonical/best

The tunes are ABC or MIDI files of melodies, and the melodies of a dataset's test songs, as many of each metre as `--songs`
says, with and without a pickup counted apart. The default style is the one that the arranger chooses. Beside it people's
share, where a tune has an accompaniment by people.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import symusic

from pianalysis.arranging.arranger import Arrangement, Arranger
from pianalysis.errors import PianalysisError
from pianalysis.evaluation.run import read_songs
from pianalysis.files import write_atomically
from pianalysis.metrics.metre import bass_on_downbeat
from pianalysis.music.abc_notation import from_abc
from pianalysis.music.midi import read_midi
from pianalysis.tokens import vocab

METRES = ("2/4", "4/4", "3/4", "6/8", "9/8", "12/8", "5/4", "7/8")
SAME_METRE = {"2/2": "4/4", "3/8": "3/4"}
"""Metres that are felt like others."""
SHORT_BAR = 0.999
SECONDS = 60.0
"""Of each song of a dataset."""


@dataclass(frozen=True)
class Tune:
    """A melody: its name, its metre, whether it begins with a pickup; the share in people's accompaniment, if there is one."""

    name: str
    metre: str
    pickup: bool
    score: symusic.Score
    human: float = float("nan")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tunes", type=Path, nargs="+", default=[], metavar="FILE_OR_DIR", help=".abc, .mid")
    parser.add_argument("--dataset", metavar="DIR_OR_ID", help="… and the melodies of its test songs")
    parser.add_argument("--model", metavar="ID_OR_PATH", help="default: the bundled checkpoint")
    parser.add_argument("--style", default=vocab.AUTO, choices=[vocab.AUTO, *vocab.STYLES])
    parser.add_argument("--songs", type=int, default=8, metavar="N", help="a metre, with and without pickup each (8)")
    parser.add_argument("--bars", type=int, default=32, metavar="N", help="of each tune (32)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    try:
        figures = measure(args)
    except (PianalysisError, OSError) as error:
        print(f"evaluate_metre: error: {error}", file=sys.stderr)
        return 2
    print(table(figures))
    if args.json:
        write_atomically(args.json, (json.dumps(figures, indent=1) + "\n").encode())
    return 0


def measure(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """The figures of each metre, with and without a pickup: the mean share over tunes, tunes, and the styles chosen."""
    arranger = Arranger.from_pretrained(args.model)
    shares: dict[tuple[str, bool], list[float]] = {}
    human: dict[tuple[str, bool], list[float]] = {}
    styles: dict[tuple[str, bool], Counter[str]] = {}
    for tune in (*tunes(args.tunes), *(songs(args.dataset) if args.dataset else ())):
        kind = (tune.metre, tune.pickup)
        if len(shares.setdefault(kind, [])) == args.songs:
            continue
        try:
            piece = arranger(tune.score, seed=args.seed, style=args.style, max_bars=args.bars, keep_metre=True)
        except PianalysisError as error:
            print(f"{tune.name}: left out: {error}", file=sys.stderr)
            continue
        shares[kind].append(share(piece))
        human.setdefault(kind, []).append(tune.human)
        styles.setdefault(kind, Counter())[piece.style] += 1
    if not any(shares.values()):
        raise PianalysisError(f"expected tunes in one of the metres {', '.join(METRES)}, found none; name other files")
    return {
        f"{metre}{' with pickup' if pickup else ''}": {
            "share": _mean(found),
            "tunes": len(found),
            "human": _mean(human[metre, pickup]),
            "styles": dict(styles[metre, pickup]),
        }
        for (metre, pickup), found in sorted(shares.items(), key=lambda item: (METRES.index(item[0][0]), item[0][1]))
        if found
    }


def _mean(values: Sequence[float]) -> float | None:
    known = [value for value in values if not np.isnan(value)]
    return round(float(np.mean(known)), 3) if known else None


def share(piece: Arrangement) -> float:
    """`bass_on_downbeat` of a piece, in its whole bars."""
    source = piece.source
    lines = source.clock.bar_lines[source.first_bar : source.last_bar + 1]
    if len(lines) > 2 and source.voice["onset_ms"][0] > lines[0] + 1:
        lines = lines[1:]  # the pickup's bar has no downbeat to strike
    return bass_on_downbeat(source.clock.notes_to_clock(piece.accompaniment), lines)


def tunes(paths: Sequence[Path]) -> Iterator[Tune]:
    """The melodies of files and folders, in their order, in metres that are asked for; each tune of an ABC book."""
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.suffix.lower() == ".abc":
                yield from _of_book(file)
            elif file.suffix.lower() in (".mid", ".midi"):
                yield from _tune(str(file), read_midi(file))


def songs(dataset: str) -> Iterator[Tune]:
    """The melodies of a dataset's test songs, a song of each corpus in turn."""
    everything = read_songs(dataset, "test", SECONDS).values()
    for song in (song for of_each in zip_longest(*everything) for song in of_each if song is not None):
        human = bass_on_downbeat(song.accompaniment, song.clock.bar_lines)
        yield from (replace(tune, human=human) for tune in _tune(song.name, song.score()))


def _of_book(file: Path) -> Iterator[Tune]:
    text = file.read_text(encoding="utf-8", errors="replace")
    parts = text.split("\nX:")
    for number, part in enumerate([parts[0], *("X:" + part for part in parts[1:])]):
        if "K:" in part:
            try:
                yield from _tune(f"{file}#{number}", from_abc(part, name=file.name))
            except PianalysisError as error:
                print(f"{file}: left out: {error}", file=sys.stderr)


def _tune(name: str, score: symusic.Score) -> Iterator[Tune]:
    signs = score.time_signatures
    if not signs or not any(len(track.notes) for track in score.tracks):
        return
    metre = f"{signs[0].numerator}/{signs[0].denominator}"
    metre = SAME_METRE.get(metre, metre)
    if metre in METRES:
        bar = score.tpq * 4 * signs[0].numerator / signs[0].denominator
        first = min(track.notes[0].time for track in score.tracks if len(track.notes))
        yield Tune(name, metre, 0 < first % bar < SHORT_BAR * bar, score)


def table(figures: dict[str, dict[str, Any]]) -> str:
    """The figures as Markdown."""
    lines = ["| metre | tunes | lowest key on the first beat | people's | styles |", "|---|--:|--:|--:|---|"]
    for name, row in figures.items():
        styles = ", ".join(f"{style} {count}" for style, count in row["styles"].items())
        human = "" if row["human"] is None else f"{row['human']:.2f}"
        lines.append(f"| {name} | {row['tunes']} | {row['share']:.2f} | {human} | {styles} |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())

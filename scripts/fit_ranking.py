"""What human accompaniments look like to `pianalysis.arranging.ranking`: the means and spreads that it measures distances with.

    python scripts/fit_ranking.py --dataset data/pianalysis --songs 60 --write

Validation songs (the first 90 s of each) of all corpora, their human accompaniments with the dataset's chords as their
charts: how much more surprising the bundled model, or another, finds them than it expects to, their clashes, notes out of
the key, chord tones and the chords' basses. Prints a table of mean ± standard deviation over the songs of each style; with
`--write` this goes into the packaged file that ranking reads, or into another. Surprise is the model's, so a new default
model needs a new file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from pianalysis.arranging.arranger import Arranger, Options
from pianalysis.arranging.pieces import finish, prepare, to_the_models_key
from pianalysis.arranging.ranking import PEOPLE_FILE, Look, look
from pianalysis.errors import PianalysisError
from pianalysis.evaluation.likelihoods import spaced
from pianalysis.evaluation.run import read_songs
from pianalysis.evaluation.songs import Song
from pianalysis.files import write_atomically
from pianalysis.harmony.beats import clock_beats
from pianalysis.harmony.chart import Chart, ChordSpan
from pianalysis.metrics.chords import spans_of_labels
from pianalysis.music.clock import BeatClock

NAMES = tuple(field.name for field in fields(Look))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, metavar="DIR_OR_ID")
    parser.add_argument("--model", metavar="DIR_OR_ID", help="default: the bundled checkpoint")
    parser.add_argument("--songs", type=int, default=60, metavar="N", help="of each corpus, evenly spaced")
    parser.add_argument("--seconds", type=float, default=90.0, metavar="S", help="of each song, in whole bars")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    parser.add_argument(
        "--write", type=Path, nargs="?", const=PEOPLE_FILE, metavar="FILE", help="default: ranking's own"
    )
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    try:
        arranger = Arranger.from_pretrained(args.model)
        arranger.engine.threads = args.threads
        corpora = read_songs(args.dataset, "validation", args.seconds).values()
        songs = list(chain.from_iterable(spaced(of_corpus, args.songs) for of_corpus in corpora))
        styles = people(arranger, songs)
        print(table(styles))
        if args.write:
            about = {"model": arranger.engine.weights.digest(), "seconds": args.seconds, "styles": styles}
            write_atomically(args.write, (json.dumps(about, indent=1, allow_nan=False) + "\n").encode())
    except (PianalysisError, OSError) as error:
        print(f"fit_ranking: error: {error}", file=sys.stderr)
        return 2
    return 0


def people(arranger: Arranger, songs: Sequence[Song]) -> dict[str, dict[str, Any]]:
    """Of each style among the songs their number, mean and standard deviation, as ranking's file has them."""
    looks: dict[str, list[Look]] = {}
    for song in tqdm(songs, unit="song"):
        if song.chords:  # without them there's no chart to play
            looks.setdefault(song.style, []).append(look_at(arranger, song))
    if not looks:
        raise PianalysisError("expected songs with chords, found none; build the dataset again")
    return {style: summary(of_style) for style, of_style in sorted(looks.items())}


def look_at(arranger: Arranger, song: Song) -> Look:
    """A song's human accompaniment, as one that the arranger had written from the song's chords."""
    source = prepare(song.score(), None, None)
    played = song.clock.notes_to_real(song.accompaniment)
    if arranger.normalises_key:
        source = to_the_models_key(source)
    piece = replace(finish(source, played), options=Options(style=song.style), chart=chart_of(song, source.clock))
    return look(arranger.engine, piece)


def chart_of(song: Song, clock: BeatClock) -> Chart:
    """A song's chords on the beats of a clock of the same seconds."""
    spans = spans_of_labels(song.chords)
    times = clock.to_clock(song.clock.to_real([[span.onset_ms, span.end_ms] for span in spans]))
    moved = (ChordSpan(start, end, span.chord) for (start, end), span in zip(times.tolist(), spans, strict=True))
    return Chart.from_spans(moved, bar_lines=clock.bar_lines, beats=clock_beats(clock).borders_ms)


def summary(looks: Sequence[Look]) -> dict[str, Any]:
    """The number, mean and standard deviation of some looks; what one lacks doesn't count."""
    values = np.array([[np.nan if value is None else value for value in asdict(seen).values()] for seen in looks])
    of = {"mean": np.nanmean(values, axis=0), "standard_deviation": np.nanstd(values, axis=0)}
    rows = {name: dict(zip(NAMES, np.round(row, 4).tolist(), strict=True)) for name, row in of.items()}
    return {"songs": len(looks), **rows}


def table(styles: dict[str, dict[str, Any]]) -> str:
    lines = [f"| style | songs | {' | '.join(NAMES).replace('_', ' ')} |", f"|---|{'--:|' * (len(NAMES) + 1)}"]
    for style, row in styles.items():
        cells = (f"{row['mean'][name]:.3f} ± {row['standard_deviation'][name]:.3f}" for name in NAMES)
        lines.append(f"| {style} | {row['songs']} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())

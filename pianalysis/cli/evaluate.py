"""The command that judges anybody's arrangements: ``pianalysis evaluate``."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import Final

EXAMPLES = """examples:
  pianalysis evaluate --melodies melodies/ --arrangements out/
  pianalysis evaluate --melodies melodies/ --arrangements out/ --references people/ --json figures.json --report report/
  pianalysis evaluate --melodies melodies/ --arrangements ours=out/ --arrangements theirs=other/ --chords charts/
  pianalysis evaluate --melodies melodies/ --arrangements out/ --melody-track 1
"""

REMARKS: Final = 30
"""So many are printed: a folder of hundreds of songs may have one for each."""


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """The options of `pianalysis evaluate`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument(
        "--melodies", required=True, type=Path, metavar="DIR", help="the melodies: MIDI, MusicXML or ABC"
    )
    parser.add_argument(
        "--arrangements",
        required=True,
        action="append",
        metavar="[NAME=]DIR",
        help="a system's MIDI, each named as its melody's file; may be given again for other systems",
    )
    parser.add_argument(
        "--references", type=Path, metavar="DIR", help="people's pieces, to stand beside: MIDI, named alike"
    )
    parser.add_argument(
        "--chords", type=Path, metavar="DIR",
        help="the songs' chords, named alike: charts (song.txt: C | Am F), labels with seconds (song.lab), scores with symbols",
    )  # fmt: skip
    parser.add_argument(
        "--melody-track", metavar="N_OR_NAME",
        help="the arrangements' track that is the melody, from 1 or by name (default: found by its notes)",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go")
    parser.add_argument("--report", type=Path, metavar="DIR", help="where a report with tables and pictures goes")
    parser.set_defaults(run=evaluate)


def evaluate(args: argparse.Namespace) -> int:
    """Judge any system's arrangements of melodies, song by song by the names of the files, with confidence intervals."""
    from tqdm import tqdm

    from pianalysis.evaluation.judgement_report import write_judgement
    from pianalysis.evaluation.judging import judge, names_of
    from pianalysis.files import write_atomically

    track = args.melody_track
    with tqdm(desc="reading", unit=" songs", disable=None, leave=False) as bar:
        judgement = judge(
            args.melodies,
            names_of(args.arrangements),
            references=args.references,
            chords=args.chords,
            melody_track=int(track) if track and track.isdecimal() else track,
            progress=lambda _: bar.update(1),
        )
    for remark in judgement.remarks[:REMARKS]:
        print(f"# {remark}", file=sys.stderr)
    if (more := len(judgement.remarks) - REMARKS) > 0:
        print(f"# and {more} more remarks (--json has them all)", file=sys.stderr)
    print(judgement.table())
    if args.json:
        figures = {**judgement.figures, "remarks": judgement.remarks}
        write_atomically(
            args.json, (json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
        )
    if args.report:
        print(f"\n{write_judgement(judgement, args.report, _command(args))}")
    return 0


def _command(args: argparse.Namespace) -> str:
    """The command as it may be typed again, without where its results go."""
    words = ["pianalysis", "evaluate", "--melodies", str(args.melodies)]
    for folder in args.arrangements:
        words += ["--arrangements", folder]
    for name in ("references", "chords", "melody_track"):
        if getattr(args, name) is not None:
            words += [f"--{name.replace('_', '-')}", str(getattr(args, name))]
    return shlex.join(words)

"""The command that lists what may be the melody: ``pianalysis tracks``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pianalysis.errors import NoMelodyError

if TYPE_CHECKING:
    from pianalysis.melody.candidates import Candidate

EXAMPLES = """examples:
  pianalysis tracks song.mid
  pianalysis tracks song.mid --json
  pianalysis arrange song.mid --track 3 -o full.mid
"""
NAME_WIDTH = 24


def add_tracks(parser: argparse.ArgumentParser) -> None:
    """The options of `pianalysis tracks`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("file", type=Path, metavar="FILE", help="a MIDI file, a MusicXML score, or a tune in ABC")
    parser.add_argument(
        "--json", action="store_true", help="print JSON: for each line its notes, share, contour, chance"
    )
    parser.set_defaults(run=tracks)


def tracks(args: argparse.Namespace) -> int:
    """List the lines that may be the melody, the likeliest first; `arrange --track N` takes one by its number."""
    from pianalysis.melody.candidates import candidates
    from pianalysis.music.reading import read_score

    found = candidates(read_score(args.file, name=str(args.file)))
    if not found:
        raise NoMelodyError(f"{args.file}: expected a melody, found only drums; give a file with a pitched track")
    if args.json:
        print(json.dumps([as_row(item) for item in found], ensure_ascii=False, indent=1))
        return 0
    print("track  chance  of the time  notes  pitches  what it is")
    for item in found:
        name = item.name[:NAME_WIDTH] or "(no name)"
        print(
            f"{item.number:>5}  {item.probability:6.2f}  {item.share:11.0%}  {len(item.melody.notes):5}  "
            f"{item.lowest:>3}–{item.highest:<3}  {name}, {item.kind}"
        )
        print(f"       {item.picture()}")
    return 0


def as_row(item: Candidate) -> dict[str, Any]:
    """A candidate as JSON has it; a stretch in which the line rests is null."""
    return {
        "track": item.number,
        "name": item.name,
        "program": item.program,
        "kind": item.kind,
        "notes": len(item.melody.notes),
        "lowest": item.lowest,
        "highest": item.highest,
        "share": round(item.share, 4),
        "probability": round(item.probability, 4),
        "contour": [None if pitch != pitch else round(pitch, 2) for pitch in item.contour.tolist()],
        "picture": item.picture(),
    }

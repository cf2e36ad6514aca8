"""The command that shows chords: ``pianalysis chords``."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pianalysis.errors import PianalysisError
from pianalysis.harmony.richness import BALANCED, RICHNESS
from pianalysis.tokens import vocab

if TYPE_CHECKING:
    from pianalysis.harmony.chart import Chart
    from pianalysis.harmony.harmoniser import Harmonisation
    from pianalysis.music.clock import BeatClock

CHORDS_EXAMPLES = """examples:
  pianalysis chords melody.mid
  pianalysis chords melody.mid --alternatives 3
  pianalysis chords melody.mid --harmony simple
  pianalysis chords song.mid --json
"""
MOST_ALTERNATIVES = 120


@dataclass(frozen=True, eq=False)
class _Shown:
    """A chart, where it is from in words, and for a melody's what else its chords might have been."""

    how: str
    chart: Chart
    clock: BeatClock
    found: Harmonisation | None = None
    remedy: str = ""


def add_chords(parser: argparse.ArgumentParser) -> None:
    """The options of `pianalysis chords`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = CHORDS_EXAMPLES
    parser.add_argument("file", type=Path, metavar="FILE", help="a melody, or a piece whose chords are to be heard")
    parser.add_argument("--track", type=int, metavar="N", help="chords for the melody on this track, from 1")
    parser.add_argument(
        "--tune", type=int, metavar="N", help="which tune of a book in ABC, from 1 (default: the first)"
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="a melody's chart with a seed of its own (default: the surest of all)"
    )
    parser.add_argument("--style", choices=vocab.STYLES, help="what the chords are to be like (default: the melody's)")
    parser.add_argument(
        "--alternatives", type=int, default=0, metavar="N", help="for each chord of a melody the N likeliest, with their"
        " probabilities"
    )  # fmt: skip
    parser.add_argument("--harmony", choices=RICHNESS, help="how many chords are found, and which (default: balanced)")
    parser.add_argument(
        "--ignore-chords", action="store_true", help="find chords although the file states some (markers, symbols)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON: for each chord its bar, beat and time")
    parser.set_defaults(run=chords)


def chords(args: argparse.Namespace) -> int:
    """Print the chords of a piece, or chords for a melody that has none."""
    if not 0 <= args.alternatives <= MOST_ALTERNATIVES:
        raise PianalysisError(f"expected --alternatives from 0 to {MOST_ALTERNATIVES}, found {args.alternatives}")
    shown = _shown(args)
    if shown.found is None and (args.alternatives or args.seed is not None or args.style or args.harmony):
        raise PianalysisError(
            f"{args.file}: --alternatives, --seed, --style and --harmony are for chords that are found for a melody; these "
            f"are {shown.how}; {shown.remedy}"
        )
    rows = _rows(shown, args.alternatives)
    if args.json:
        print(json.dumps({"how": shown.how, "text": shown.chart.text(), "chords": rows}, indent=1))
        return 0
    print(f"# {shown.how}")
    print(shown.chart.text())
    if args.alternatives:
        for row in rows:
            others = ", ".join(f"{other['chord']} {other['probability']:.2f}" for other in row["alternatives"])
            print(f"bar {row['bar']}, beat {row['beat']}: {others}")
    return 0


def _shown(args: argparse.Namespace) -> _Shown:
    from pianalysis.harmony.beats import clock_beats
    from pianalysis.harmony.recognise import recognised_chart
    from pianalysis.melody.voices import ONE_VOICE_SHARE, voice_share
    from pianalysis.music.clock import BeatClock
    from pianalysis.music.midi import track_notes
    from pianalysis.music.reading import read_score

    score = read_score(args.file, tune=args.tune)
    clock = BeatClock.from_score(score)
    notes = track_notes(score, [track for track in score.tracks if not track.is_drum])
    if args.track is None and voice_share(notes) < ONE_VOICE_SHARE:
        chart = recognised_chart(clock.notes_to_clock(notes), clock_beats(clock))
        how = "heard in all notes of the file, which has several voices"
        return _Shown(how, chart, clock, remedy="--track chooses a melody in it")
    return _sought(args)


def _sought(args: argparse.Namespace) -> _Shown:
    """Chords for a melody alone, as the arranger would have them: where it returns they do."""
    from pianalysis.arranging.charting import with_returns
    from pianalysis.arranging.pieces import prepare
    from pianalysis.harmony.harmoniser import harmonise

    source = prepare(args.file, args.track, None, tune=args.tune)
    if source.stated is not None and not args.ignore_chords:
        return _Shown(
            "those that the file states", source.stated, source.clock, remedy="--ignore-chords has them found"
        )
    harmony = args.harmony or BALANCED
    found = harmonise(source.voice, source.clock, args.style, seed=args.seed, harmony=harmony, keys=source.keys)
    how = f"found for the melody ({source.melody.how}), in the style {found.style}"
    return _Shown(how, with_returns(found.chart, source), source.clock, found)


def _rows(shown: _Shown, count: int) -> list[dict[str, Any]]:
    """The chart's chords: bar and beat from 1, real ms, names, and so many alternatives of each."""
    import numpy as np

    chart, lines, key = shown.chart, np.array(shown.clock.bar_lines), shown.chart.key()
    beats = np.array(chart.beats)
    rows = []
    for span in chart.spans:
        first, stop = (int(np.abs(beats - ms).argmin()) for ms in (span.onset_ms, span.end_ms))
        bar = int(np.searchsorted(lines, span.onset_ms + 1, side="right")) - 1
        start_ms, end_ms = np.round(shown.clock.to_real([span.onset_ms, span.end_ms]), 3).tolist()
        row: dict[str, Any] = {
            "bar": bar + 1,
            "beat": first - int(np.abs(beats - lines[bar]).argmin()) + 1,
            "onset_ms": start_ms,
            "end_ms": end_ms,
            "chord": span.chord.symbol(key) if span.chord else "?",
            "harte": span.chord.harte() if span.chord else "",
        }
        if count and shown.found:
            row["alternatives"] = [
                {"chord": other.chord.symbol(key), "probability": round(other.probability, 4)}
                for other in shown.found.alternatives(first, stop, count=count)
            ]
        rows.append(row)
    return rows

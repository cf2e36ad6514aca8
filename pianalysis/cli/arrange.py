"""The commands that write music: ``pianalysis arrange | compose | regenerate``, their options, files and progress."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pianalysis.arranging.figures import read_figures
from pianalysis.cli.form import FORM_EXAMPLES, SOME_BARS, WHOLE_PIECE, add_ending, add_form
from pianalysis.errors import PianalysisError
from pianalysis.harmony.richness import BALANCED, RICHNESS
from pianalysis.music.abc_notation import from_abc
from pianalysis.music.difficulty import AUTO, DIFFICULTIES
from pianalysis.music.metres import read_metre, read_pickup
from pianalysis.music.typed import from_names, pitch_of
from pianalysis.tokens import vocab

if TYPE_CHECKING:
    import symusic

    from pianalysis.arranging.arranger import Arrangement, Arranger, Options

USAGE_ERROR = 2
MIDI_SUFFIXES = (".mid", ".midi")
SCORE_SUFFIXES = (".musicxml", ".xml")
ARRANGE_EXAMPLES = r"""examples:
  pianalysis arrange melody.mid -o full.mid --wav --png
  pianalysis arrange song.mid --track 2 -o full.musicxml
  pianalysis arrange melody.mid -o full.mid --musicxml
  pianalysis arrange melody.mid -o full.mid --density low --density 9-16:high
  pianalysis arrange melody.mid -o takes/ --takes 4 --seed 7
  pianalysis arrange melody.mid -o full.mid --takes 8 --best
  pianalysis arrange melody.mid -o full.mid --temperature 1.1 --top-k 0 --top-p 0.98
  pianalysis arrange melody.mid -o full.mid --style hymn --clear 0.5
  pianalysis arrange melody.mid -o full.mid --no-structure
  pianalysis arrange melody.mid -o full.mid --left-hand waltz --left-hand 9-16:arpeggio
  pianalysis arrange melody.mid -o full.mid --figures mine.toml --left-hand tango
  pianalysis arrange melody.mid -o full.musicxml --difficulty easy
  pianalysis arrange melody.mid -o full.mid --lowest C2 --highest C5 --dynamics -0.5
  pianalysis arrange melody.mid -o full.mid --chart
  pianalysis arrange melody.mid -o full.mid --chords "C | Am F | G7 | C"
  pianalysis arrange melody.mid -o full.mid --chords "C | ? | ? | G7" --harmony rich
  pianalysis arrange lead_sheet.musicxml -o full.mid --ignore-chords
  pianalysis arrange tune.abc -o full.mid
  pianalysis arrange book.abc --tune 3 -o full.mid
  pianalysis arrange hum.wav -o full.mid
  pianalysis arrange melody.mid -o full.mid --time-signature 3/4 --pickup 1
  pianalysis arrange melody.mid -o full.mid --keep-metre
  pianalysis arrange --abc "X:1\nM:3/4\nL:1/4\nK:G\nD|G2A|B2c|A2F|G2|]" -o full.mid
  pianalysis arrange --notes "C4/4 D4/4 E4/2 | F#4/8. R/16 Bb3/2" --bpm 90 --time-signature 4/4 -o full.mid
"""
ARRANGE_EXAMPLES += FORM_EXAMPLES


REGENERATE_EXAMPLES = """examples:
  pianalysis regenerate full.mid --bars 9-16 --seed 5 -o new.mid
  pianalysis regenerate full.mid --bars 9-16 --keep left -o new.mid
  pianalysis regenerate full.mid --from 9 --density high -o new.mid
  pianalysis regenerate full.mid --bars 5-6 --chords "Am | D7" -o new.mid
  pianalysis regenerate full.mid --bars 9-16 --left-hand stride -o new.mid
"""


def add_arrange(parser: argparse.ArgumentParser) -> None:
    """The options of `pianalysis arrange`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = ARRANGE_EXAMPLES
    parser.add_argument(
        "melody",
        nargs="*",
        type=Path,
        metavar="MELODY",
        help="MIDI files (.mid, .kar, .rmi), MusicXML scores (.musicxml, .xml, .mxl), tunes in ABC, or recordings of one voice "
        "(.wav, .mp3, .flac, .ogg; the extra `audio`); what a file is shows in its bytes",
    )
    parser.add_argument("--abc", metavar="TEXT", help="a melody typed in ABC notation; \\n ends a line")
    parser.add_argument(
        "--notes", metavar="TEXT", help="a melody typed in note names; C4/4 is middle C, a quarter long"
    )
    parser.add_argument(
        "--bpm",
        type=float,
        metavar="N",
        help="quarter notes a minute, instead of the melody's own tempo (of --notes: 100); of what was played or sung "
        "freely about how many beats a minute there are",
    )
    parser.add_argument(
        "--time-signature",
        metavar="N/N",
        help="the melody's metre, whatever its file says (default: the file's, or heard)",
    )
    parser.add_argument(
        "--pickup",
        metavar="N",
        help="quarter notes before the first full bar, from the melody's first note on: 1, 0.5, 3/2, or 0 for none",
    )
    parser.add_argument(
        "--keep-metre", action="store_true", help="keep the file's beats and bar lines, however the melody sounds"
    )
    parser.add_argument(
        "--track",
        type=int,
        metavar="N",
        help="the melody's track, from 1 (default: found; `pianalysis tracks` lists them)",
    )
    parser.add_argument(
        "--tune", type=int, metavar="N", help="which tune of a book in ABC, from 1 (default: the first)"
    )
    parser.add_argument(
        "--chords",
        metavar="TEXT|FILE",
        help="the chords to play, a bar of the melody between two lines: C | Am F | ? | G7; ? is one to be found, %% the bar "
        "before again (default: those that the file states, else found)",
    )
    parser.add_argument(
        "--ignore-chords", action="store_true", help="find chords although the file states some (markers, symbols)"
    )
    parser.add_argument("--max-bars", type=int, metavar="N", help="accompany only the first bars")
    parser.add_argument(
        "--best", action="store_true", help="of the --takes keep only the one that is closest to what people play"
    )
    add_form(parser)
    _add_common(parser)
    parser.set_defaults(run=arrange)


def add_compose(parser: argparse.ArgumentParser) -> None:
    """The options of `pianalysis compose`."""
    parser.add_argument("--bars", type=int, default=16, metavar="N", help="bars of 4/4 (default: 16)")
    parser.add_argument("--bpm", type=float, default=100.0, help="quarter notes a minute (default: 100)")
    add_form(parser)
    _add_common(parser)
    parser.set_defaults(run=compose)


def add_regenerate(parser: argparse.ArgumentParser) -> None:
    """The options of `pianalysis regenerate`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = REGENERATE_EXAMPLES
    parser.add_argument("piece", type=Path, metavar="FULL.mid", help="melody on track 1, accompaniment on track 2")
    bars = parser.add_mutually_exclusive_group(required=True)
    bars.add_argument(
        "--bars", metavar="N[-M]", help="write these bars anew, counted from the file's beginning, from 1"
    )
    bars.add_argument("--from", type=int, dest="first_bar", metavar="N", help="… or all from this one")
    parser.add_argument(
        "--keep", choices=["left", "right"], help="keep this hand's notes, and write the other's around them"
    )
    parser.add_argument(
        "--chords",
        metavar="TEXT|FILE",
        help="other chords for these bars; only those are written anew in which a chord is another than before",
    )
    _add_common(parser)
    parser.set_defaults(run=regenerate)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.mid|OUT.musicxml|DIR")
    parser.add_argument(
        "--model",
        metavar="NAME_OR_PATH",
        help="a size that comes with the package (small, canonical), a checkpoint's folder, or ORG/NAME on the Hub "
        "(default: the bundled checkpoint); a folder called small is ./small",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="the same seed gives the same piece, in one precision (default: 0)",
    )
    parser.add_argument(
        "--takes", type=int, default=1, metavar="N", help="so many pieces, with seeds N, N+1 … (default: 1)"
    )
    parser.add_argument(
        "--temperature",
        type=float,
        help="higher is more adventurous (default: the checkpoint's; the bundled one's is 0.9)",
    )
    parser.add_argument(
        "--clear",
        type=float,
        default=1.0,
        metavar="X",
        help="how much to keep off the melody's key and from above it; 0 lets hands and melody cross (default: 1)",
    )
    parser.add_argument(
        "--top-k", type=int, metavar="K", help="draw from the K likeliest tokens (default: the checkpoint's)"
    )
    parser.add_argument(
        "--top-p", type=float, metavar="P", help="… that together have this chance (default: the checkpoint's)"
    )
    parser.add_argument(
        "--style",
        choices=[vocab.AUTO, *vocab.STYLES],
        default=vocab.AUTO,
        help="auto (default): the one that the melody and its chords are likeliest in; hymn: four parts",
    )
    parser.add_argument(
        "--density",
        action="append",
        metavar="[BARS:]WORD",
        help="low, mid (default) or high: how many notes; for some bars another: --density low --density 9-16:high",
    )
    parser.add_argument(
        "--harmony",
        choices=RICHNESS,
        default=BALANCED,
        help="how many chords are found, and which: simple, few triads; rich, more, with sevenths and secondary dominants "
        "(default: balanced)",
    )
    parser.add_argument(
        "--left-hand",
        action="append",
        metavar="[BARS:]FIGURE",
        help=f"what the left hand plays: auto (default; the model writes it), {', '.join(read_figures())}; for some bars "
        "another: --left-hand waltz --left-hand 9-16:arpeggio",
    )
    parser.add_argument(
        "--figures",
        type=Path,
        metavar="FILE.toml",
        help="figures of your own, written as in pianalysis/data/figures.toml",
    )
    parser.add_argument(
        "--difficulty",
        choices=DIFFICULTIES,
        default=AUTO,
        help="easy: two keys a hand, an octave, on the beats, few accidentals; medium: three keys, a ninth, two strikes a beat; "
        "hard: many notes (default: auto, as the model writes)",
    )
    parser.add_argument("--lowest", metavar="KEY", help="the accompaniment's lowest key: C2, or a MIDI pitch")
    parser.add_argument("--highest", metavar="KEY", help="… and its highest")
    parser.add_argument(
        "--dynamics", type=float, default=0.0, metavar="X", help="-1 is very soft, 1 very loud (default: 0, as written)"
    )
    parser.add_argument(
        "--no-structure",
        dest="structure",
        action="store_false",
        help="write anew where the melody returns, instead of playing what was played the first time",
    )
    add_ending(parser)
    parser.add_argument("--chart", action="store_true", help="print the chords of each piece, a bar between two lines")
    parser.add_argument("--wav", action="store_true", help="also write audio beside each piece")
    parser.add_argument("--png", action="store_true", help="also draw each piece as a piano roll")
    parser.add_argument("--musicxml", action="store_true", help="also write each piece as a score to read")


def fail(message: str) -> int:
    """Say what went wrong; the exit code for it."""
    print(f"pianalysis: error: {message}", file=sys.stderr)
    return USAGE_ERROR


def arrange(args: argparse.Namespace) -> int:
    """Write a two-handed accompaniment around each melody; the melody itself stays as it is, note for note."""
    typed = _typed(args)
    if bool(typed) == bool(args.melody):
        raise PianalysisError("expected melody files, or one melody typed after --abc or --notes")
    outputs = _output_paths(args, [path.stem for path in args.melody] or ["typed"])
    chart = _typed_chords(args)
    arranger, options = _load(args)
    failed = False
    for source, targets in zip(typed or args.melody, outputs, strict=True):
        try:
            label = source.name if isinstance(source, Path) else "typed"
            seeds = range(args.seed, args.seed + args.takes)
            takes = _best_alone(arranger) if args.best else arranger.takes
            make = partial(takes, source, seeds=seeds, track=args.track, chart=chart, options=options)
            _write(targets, args, make, label=label)
        except (PianalysisError, FileNotFoundError) as error:
            fail(str(error))  # in a batch the rest goes on
            failed = True
    return USAGE_ERROR if failed else 0


def _typed_chords(args: argparse.Namespace) -> str | None:
    """The text of --chords, or of the file that it names. Raises PianalysisError for one that can't be read."""
    text: str | None = args.chords
    if text is None or "|" in text or not Path(text).is_file():
        if text and re.fullmatch(r"\S+\.\w{2,4}", text):
            raise FileNotFoundError(
                f"{text}: there is no such file; chords are text such as C | Am F | G7, or a file of it"
            )
        return text
    try:
        return Path(text).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PianalysisError(f"{text}: expected chords as text, found what can't be read ({error})") from None


def _best_alone(arranger: Arranger) -> Callable[..., list[Arrangement]]:
    return lambda melody, **asked: [arranger.best(melody, **asked)]


def _typed(args: argparse.Namespace) -> list[symusic.Score]:
    """The melody that was typed, if one was."""
    scores = []
    if args.notes is not None:
        metre = None if args.time_signature is None else read_metre(args.time_signature)
        bpm = 100.0 if args.bpm is None else args.bpm
        scores.append(from_names(args.notes, bpm=bpm, time_signature=metre))
    if args.abc is not None:
        scores.append(from_abc(args.abc, tune=args.tune))
    if len(scores) > 1:
        raise PianalysisError("expected one melody, found both --abc and --notes")
    return scores


def compose(args: argparse.Namespace) -> int:
    """Write a piece from nothing: a melody first, then its accompaniment."""
    (targets,) = _output_paths(args, ["composed"])
    arranger, options = _load(args)
    for take, target in enumerate(targets):
        make = partial(arranger.compose, seed=args.seed + take, bars=args.bars, bpm=args.bpm, options=options)
        _write([target], args, lambda progress, make=make: [make(progress=progress)], label=target.name)
    return 0


def regenerate(args: argparse.Namespace) -> int:
    """Write some bars of a piece anew; every other note stays as it is, to the tick."""
    from pianalysis.arranging.arranger import Arrangement

    bars = re.fullmatch(r"(\d+)(?:-(\d+))?", args.bars or str(args.first_bar))
    if bars is None:
        raise PianalysisError(f"expected bars such as 9-16, found {args.bars!r}")
    (targets,) = _output_paths(args, [args.piece.stem])
    piece = Arrangement.read(args.piece)
    last = int(bars[2] or bars[1]) if args.bars else piece.source.last_bar
    chords = _typed_chords(args)
    arranger, options = _load(args)
    for take, target in enumerate(targets):
        asked = {"seed": args.seed + take, "options": options, "keep": args.keep}
        if chords is not None:
            make = partial(arranger.reharmonise, piece, (int(bars[1]), last), chords=chords, **asked)
        elif args.bars:
            make = partial(arranger.regenerate, piece, (int(bars[1]), last), **asked)
        else:
            make = partial(arranger.continue_from, piece, args.first_bar, **asked)
        _write([target], args, lambda progress, make=make: [make(progress=progress)], label=target.name)
    return 0


def _load(args: argparse.Namespace) -> tuple[Arranger, Options]:
    """The arranger and what was asked of it; bad numbers fail before the model is loaded."""
    from pianalysis.arranging.arranger import Arranger, Options

    names: tuple[str, ...] = (
        "style",
        "temperature",
        "top_k",
        "top_p",
        "clear",
        "max_bars",
        "dynamics",
        "structure",
        "harmony",
    )
    names += ("difficulty", "ignore_chords", "figures", "tune", *WHOLE_PIECE, *SOME_BARS)
    asked = {name: getattr(args, name) for name in names if hasattr(args, name)}
    asked |= {name: ",".join(said) for name in ("density", "left_hand") if (said := getattr(args, name))}
    asked |= {name: pitch_of(text) for name in ("lowest", "highest") if (text := getattr(args, name)) is not None}
    if hasattr(args, "keep_metre"):
        typed_bars = args.abc is not None or "|" in (args.notes or "")
        pickup = None if args.pickup is None else float(read_pickup(args.pickup))
        asked |= {"time_signature": args.time_signature, "pickup": pickup, "keep_metre": args.keep_metre or typed_bars}
    options = Options(**asked)
    return Arranger.from_pretrained(args.model), options


def _output_paths(args: argparse.Namespace, stems: list[str]) -> list[list[Path]]:
    """For each piece the paths of its takes. Several pieces, or a folder or a name without suffix, go into a folder."""
    if args.takes < 1:
        raise PianalysisError(f"expected at least 1 take, found {args.takes}")
    best = getattr(args, "best", False)
    if best and args.takes == 1:
        raise PianalysisError("expected --takes 2 or more to choose the --best of, found 1")
    output: Path = args.output
    if output.suffix.lower() in MIDI_SUFFIXES + SCORE_SUFFIXES and not output.is_dir():
        if len(stems) > 1:
            raise PianalysisError(f"{output}: expected a folder for {len(stems)} melodies, found a file name")
        if not output.parent.is_dir():
            raise PianalysisError(f"{output}: the folder {output.parent} does not exist; make it first")
        bases = [output.with_suffix("")]
    elif output.suffix and not output.is_dir():
        raise PianalysisError(
            f"{output}: expected a name that ends in .mid or .musicxml, or a folder, found {output.suffix}"
        )
    else:
        if len(set(stems)) < len(stems):
            raise PianalysisError("two melodies have the same file name; arrange them into different folders")
        output.mkdir(parents=True, exist_ok=True)
        bases = [output / stem for stem in stems]
    suffix = output.suffix if output.suffix.lower() in MIDI_SUFFIXES + SCORE_SUFFIXES else ".mid"
    if args.takes == 1 or best:
        return [[base.with_name(base.name + suffix)] for base in bases]
    return [[base.with_name(f"{base.name}-{take + 1}{suffix}") for take in range(args.takes)] for base in bases]


@contextmanager
def _progress(label: str) -> Iterator[Callable[[int, int], None]]:
    from tqdm import tqdm

    layout = "{desc}: {bar} {n_fmt}/{total_fmt} bars {elapsed}<{remaining}"
    with tqdm(desc=label, unit="bar", leave=False, disable=None, bar_format=layout) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show


def _write(
    targets: list[Path], args: argparse.Namespace, make: Callable[..., list[Arrangement]], *, label: str
) -> None:
    """Make the takes of a piece, save what was asked for and print their summaries."""
    begin = time.perf_counter()
    with _progress(label) as progress:
        pieces = make(progress=progress)
    taken_s = time.perf_counter() - begin
    best = f", the best of {args.takes}" if getattr(args, "best", False) else ""
    takes = args.takes if best else len(pieces)
    together = f" for {takes} takes" if takes > 1 else ""
    for target, piece in zip(targets, pieces, strict=True):
        print(", ".join(map(str, _save(piece, target, args))))
        print(f"  melody: {piece.how_found}")
        for remark in piece.remarks:
            print(f"  note: {remark}")
        print(
            f"  {piece.bars} bars, {len(piece.melody)} melody and {len(piece.accompaniment)} accompaniment notes, "
            f"{piece.seconds:.1f} s of music in {taken_s:.1f} s{together}, "
            f"style {piece.style}, seed {piece.seed}{best}, {piece.precision}"
        )
        if args.chart:
            print(piece.chart.text() if piece.chart else "  no chart: this model knows no chords")


def _save(piece: Arrangement, target: Path, args: argparse.Namespace) -> list[Path]:
    """Write a piece in the formats that were asked for; the paths written."""
    title = target.stem.replace("_", " ").title()
    is_score = target.suffix.lower() in SCORE_SUFFIXES
    written = [piece.save_musicxml(target, title=title) if is_score else piece.save(target)]
    if args.wav:
        written.append(piece.save_wav(target.with_suffix(".wav")))
    if args.png:
        written.append(piece.save_png(target.with_suffix(".png"), title=title))
    if args.musicxml and not is_score:
        written.append(piece.save_musicxml(target.with_suffix(".musicxml"), title=title))
    return written

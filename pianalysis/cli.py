"""The command line: ``pianalysis arrange | compose | demo | tokens | vocab | prepare | validate | train``.

Errors of input are one sentence on standard error and exit code 2, never a traceback.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pianalysis import __version__, vocab
from pianalysis.cli_dataset import add_prepare, add_validate, prepare, validate
from pianalysis.cli_train import DESCRIPTION, add_train
from pianalysis.notes import PianalysisError, read_midi

if TYPE_CHECKING:
    from pianalysis.arranger import Arrangement, Arranger, Options

USAGE_ERROR = 2


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands; README's help texts come from it."""
    parser = argparse.ArgumentParser(prog="pianalysis", description="A melody in, a piano piece out.")
    parser.add_argument("--version", action="version", version=f"pianalysis {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_arrange(
        commands.add_parser("arrange", help="write an accompaniment around melodies", description=_arrange.__doc__)
    )
    _add_compose(commands.add_parser("compose", help="write a piece from nothing", description=_compose.__doc__))
    _add_demo(commands.add_parser("demo", help="open the demo in a browser", description=_demo.__doc__))
    tokens = commands.add_parser("tokens", help="show a file as the model sees it", description=_tokens.__doc__)
    tokens.add_argument("file", type=Path, metavar="FILE.mid")
    tokens.add_argument("--events", action="store_true", help="the event view: timestamp, NOTE_ON or NOTE_OFF, pitch")
    tokens.set_defaults(run=_tokens)
    commands.add_parser("vocab", help="print the 801 tokens", description=_vocab.__doc__).set_defaults(run=_vocab)
    add_prepare(commands.add_parser("prepare", help="build the dataset from corpora", description=prepare.__doc__))
    add_validate(commands.add_parser("validate", help="check a dataset", description=validate.__doc__))
    add_train(commands.add_parser("train", help="train a model", description=DESCRIPTION))
    return parser


def _add_arrange(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("melody", nargs="+", type=Path, metavar="MELODY.mid")
    parser.add_argument("--track", type=int, metavar="N", help="the melody's track, from 1 (default: found)")
    parser.add_argument("--max-bars", type=int, metavar="N", help="accompany only the first bars")
    _add_common(parser)
    parser.set_defaults(run=_arrange)


def _add_compose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bars", type=int, default=16, metavar="N", help="bars of 4/4 (default: 16)")
    parser.add_argument("--bpm", type=float, default=100.0, help="quarter notes a minute (default: 100)")
    _add_common(parser)
    parser.set_defaults(run=_compose)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", metavar="ID_OR_PATH", help="a checkpoint on the Hub or in a folder (default: the bundled one)")
    parser.add_argument("--port", type=int, metavar="N", help="where it listens (default: the first free one from 7860)")
    parser.add_argument("--host", metavar="ADDRESS", help="0.0.0.0 lets other machines in (default: this one only)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.set_defaults(run=_demo)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.mid|DIR")
    parser.add_argument(
        "--model", metavar="ID_OR_PATH", help="a checkpoint on the Hub or in a folder (default: the bundled one)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same seed gives the same piece (default: 0)"
    )
    parser.add_argument(
        "--takes", type=int, default=1, metavar="N", help="so many pieces, with seeds N, N+1 … (default: 1)"
    )
    parser.add_argument("--temperature", type=float, default=0.9, help="higher is more adventurous (default: 0.9)")
    parser.add_argument(
        "--top-k", type=int, default=50, metavar="K", help="draw from the K likeliest tokens (default: 50)"
    )
    parser.add_argument(
        "--top-p", type=float, default=0.95, metavar="P", help="… that together have this chance (default: 0.95)"
    )
    parser.add_argument("--style", choices=[*vocab.STYLES], default="pop")
    parser.add_argument(
        "--density", choices=[*vocab.DENSITIES], default="mid", help="how many notes the accompaniment has"
    )
    parser.add_argument("--wav", action="store_true", help="also write audio beside each piece")
    parser.add_argument("--png", action="store_true", help="also draw each piece as a piano roll")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    args = build_parser().parse_args(argv)
    try:
        return int(args.run(args))
    except (PianalysisError, FileNotFoundError) as error:
        return _fail(str(error))
    except BrokenPipeError:  # `pianalysis vocab | head`
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return _fail("stopped; nothing was written for the piece in hand")


def _fail(message: str) -> int:
    print(f"pianalysis: error: {message}", file=sys.stderr)
    return USAGE_ERROR


def _arrange(args: argparse.Namespace) -> int:
    """Write a two-handed accompaniment around each melody; the melody itself stays as it is, note for note."""
    outputs = _output_paths(args, [path.stem for path in args.melody])
    arranger, options = _load(args)
    failed = False
    for path, targets in zip(args.melody, outputs, strict=True):
        seeds = range(args.seed, args.seed + len(targets))
        make = partial(arranger.takes, path, seeds=seeds, track=args.track, options=options)
        try:
            _write(targets, args, make, label=path.name)
        except (PianalysisError, FileNotFoundError) as error:
            _fail(str(error))  # in a batch the rest goes on
            failed = True
    return USAGE_ERROR if failed else 0


def _compose(args: argparse.Namespace) -> int:
    """Write a piece from nothing: a melody first, then its accompaniment."""
    (targets,) = _output_paths(args, ["composed"])
    arranger, options = _load(args)
    for take, target in enumerate(targets):
        make = partial(arranger.compose, seed=args.seed + take, bars=args.bars, bpm=args.bpm, options=options)
        _write([target], args, lambda progress, make=make: [make(progress=progress)], label=target.name)
    return 0


def _demo(args: argparse.Namespace) -> int:
    """Open a page that arranges melodies and plays them while they are written."""
    from pianalysis.webui.server import serve

    serve(model=args.model, host=args.host, port=args.port, browser=not args.no_browser)
    return 0


def _load(args: argparse.Namespace) -> tuple[Arranger, Options]:
    """The arranger and what was asked of it; bad numbers fail before the model is loaded."""
    from pianalysis.arranger import Arranger, Options

    names = ("style", "density", "temperature", "top_k", "top_p", "max_bars")
    options = Options(**{name: getattr(args, name) for name in names if hasattr(args, name)})
    try:
        return Arranger.from_pretrained(args.model), options
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise PianalysisError(
            f"{args.model or 'the bundled checkpoint'}: can't be loaded as a model ({reason})"
        ) from None


def _output_paths(args: argparse.Namespace, stems: list[str]) -> list[list[Path]]:
    """For each piece the paths of its takes. Several pieces, or a folder or a name without suffix, go into a folder."""
    if args.takes < 1:
        raise PianalysisError(f"expected at least 1 take, found {args.takes}")
    output: Path = args.output
    if output.suffix.lower() in (".mid", ".midi") and not output.is_dir():
        if len(stems) > 1:
            raise PianalysisError(f"{output}: expected a folder for {len(stems)} melodies, found a file name")
        if not output.parent.is_dir():
            raise PianalysisError(f"{output}: the folder {output.parent} does not exist; make it first")
        bases = [output.with_suffix("")]
    elif output.suffix and not output.is_dir():
        raise PianalysisError(f"{output}: expected a name that ends in .mid, or a folder, found {output.suffix}")
    else:
        if len(set(stems)) < len(stems):
            raise PianalysisError("two melodies have the same file name; arrange them into different folders")
        output.mkdir(parents=True, exist_ok=True)
        bases = [output / stem for stem in stems]
    suffix = output.suffix if output.suffix.lower() == ".midi" else ".mid"
    if args.takes == 1:
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
    together = f" for {len(pieces)} takes" if len(pieces) > 1 else ""
    for target, piece in zip(targets, pieces, strict=True):
        written = [piece.save(target)]
        if args.wav:
            written.append(piece.save_wav(target.with_suffix(".wav")))
        if args.png:
            written.append(piece.save_png(target.with_suffix(".png"), title=target.stem.replace("_", " ").title()))
        print(f"{', '.join(map(str, written))}")
        print(f"  melody: {piece.how_found}")
        for remark in piece.remarks:
            print(f"  note: {remark}")
        print(
            f"  {piece.bars} bars, {len(piece.melody)} melody and {len(piece.accompaniment)} accompaniment notes, "
            f"{piece.seconds:.1f} s of music in {taken_s:.1f} s{together}, seed {piece.seed}"
        )


def _tokens(args: argparse.Namespace) -> int:
    """Show a file as the model sees it, window by window: every token with its id."""
    from pianalysis.corpora import piece_around
    from pianalysis.melody import find_melody
    from pianalysis.tokenizer import encode, to_events
    from pianalysis.windows import cut_windows

    score = read_midi(args.file)
    melody = find_melody(score, name=str(args.file))
    print(f"# melody: {melody.how}")
    piece = piece_around(score, melody, args.file.stem)
    for window in cut_windows(piece.melody, piece.accompaniment, piece.clock):
        ids = to_events(window.notes) if args.events else encode(window.notes)
        print(f"# bars {window.start_bar + 1}–{window.start_bar + window.bars}: {len(ids)} tokens")
        print(_layout(ids, events=args.events))
    return 0


def _layout(ids: list[int], *, events: bool) -> str:
    """Tokens with their ids, a line a note (or an event)."""
    lines: list[list[str]] = [[]]
    for position, token in enumerate(ids):
        special = token < vocab.NOTE_ON
        breaks = token in vocab.TIME_IDS or (special and position > 0 and ids[position - 1] >= vocab.NOTE_ON)
        if breaks and lines[-1]:
            lines.append([])
        lines[-1].append(f"{vocab.TOKENS[token]}:{token}")
    return "\n".join("  " + " ".join(line) for line in lines)


def _vocab(args: argparse.Namespace) -> int:
    """Print the vocabulary: id, token, meaning."""
    for token_id, token in enumerate(vocab.TOKENS):
        print(f"{token_id}\t{token}\t{vocab.meaning(token_id)}")
    return 0

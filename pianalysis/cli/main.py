"""The command line: ``pianalysis arrange | compose | regenerate | chords | tracks | demo | tokens | vocab | prepare | validate |
train | evaluate | publish``.

Errors of input are one sentence on standard error and exit code 2, never a traceback.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path

from pianalysis.cli.arrange import add_arrange, add_compose, add_regenerate, arrange, compose, fail, regenerate
from pianalysis.cli.chords import add_chords, chords
from pianalysis.cli.dataset import add_prepare, add_validate, prepare, validate
from pianalysis.cli.evaluate import add_evaluate, evaluate
from pianalysis.cli.publish import add_publish, publish
from pianalysis.cli.tracks import add_tracks, tracks
from pianalysis.cli.train import DESCRIPTION, add_train
from pianalysis.errors import PianalysisError
from pianalysis.music.midi import read_midi
from pianalysis.tokens import vocab
from pianalysis.version import __version__


def build_parser(command: str | None = None) -> argparse.ArgumentParser:
    """The parser of all commands; README's help texts come from it.

    command: the one that is asked for, where it's known. The options of training belong to an extra's package, and are
    filled in for other commands only where nobody knows which one is meant.
    """
    parser = argparse.ArgumentParser(prog="pianalysis", description="A melody in, a piano piece out.")
    parser.add_argument("--version", action="version", version=f"pianalysis {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_arrange(
        commands.add_parser("arrange", help="write an accompaniment around melodies", description=arrange.__doc__)
    )
    add_compose(commands.add_parser("compose", help="write a piece from nothing", description=compose.__doc__))
    add_regenerate(
        commands.add_parser("regenerate", help="write some bars of a piece anew", description=regenerate.__doc__)
    )
    add_chords(commands.add_parser("chords", help="show chords, or find them", description=chords.__doc__))
    add_tracks(commands.add_parser("tracks", help="list what may be the melody", description=tracks.__doc__))
    _add_demo(commands.add_parser("demo", help="open the demo in a browser", description=_demo.__doc__))
    tokens = commands.add_parser("tokens", help="show a file as the model sees it", description=_tokens.__doc__)
    tokens.add_argument("file", type=Path, metavar="FILE.mid")
    tokens.add_argument("--events", action="store_true", help="the event view: timestamp, NOTE_ON or NOTE_OFF, pitch")
    tokens.set_defaults(run=_tokens)
    commands.add_parser("vocab", help="print the 801 tokens", description=_vocab.__doc__).set_defaults(run=_vocab)
    add_prepare(commands.add_parser("prepare", help="build the dataset from corpora", description=prepare.__doc__))
    add_validate(commands.add_parser("validate", help="check a dataset", description=validate.__doc__))
    add_evaluate(commands.add_parser("evaluate", help="judge any system's arrangements", description=evaluate.__doc__))
    train = commands.add_parser("train", help="train a model", description=DESCRIPTION)
    if command in (None, "train"):
        add_train(train)
    add_publish(commands.add_parser("publish", help="publish a trained model", description=publish.__doc__))
    return parser


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", metavar="ID_OR_PATH", help="a checkpoint on the Hub or in a folder (default: the bundled one)"
    )
    parser.add_argument(
        "--port", type=int, metavar="N", help="where it listens (default: the first free one from 7860)"
    )
    parser.add_argument("--host", metavar="ADDRESS", help="0.0.0.0 lets other machines in (default: this one only)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.set_defaults(run=_demo)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    words = sys.argv[1:] if argv is None else list(argv)
    _say_what_can_be_said()
    try:
        args = build_parser(words[0] if words else "").parse_args(words)
        return int(args.run(args))
    except (PianalysisError, FileNotFoundError) as error:
        return fail(str(error))
    except BrokenPipeError:  # `pianalysis vocab | head`
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return fail("stopped; nothing was written for the piece in hand")


def _say_what_can_be_said() -> None:
    """Let a stream that has no sign for a minus or a note's name show a question mark: Windows' files and pipes do."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(errors="replace")


def _demo(args: argparse.Namespace) -> int:
    """Open a page that arranges melodies and plays them while they are written."""
    from pianalysis.webui.server import serve

    serve(model=args.model, host=args.host, port=args.port, browser=not args.no_browser)
    return 0


def _tokens(args: argparse.Namespace) -> int:
    """Show a file as the model sees it, window by window: every token with its id."""
    from pianalysis.melody.find import find_melody
    from pianalysis.tokens.events import to_events
    from pianalysis.tokens.midi import windows_of
    from pianalysis.tokens.tokenizer import encode

    score = read_midi(args.file)
    melody = find_melody(score, name=str(args.file))
    print(f"# melody: {melody.how}")
    for window in windows_of(score):
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

"""The command of training: ``pianalysis train``, the same as ``accelerate launch scripts/train.py``."""

from __future__ import annotations

import argparse
from typing import Final

DESCRIPTION: Final = """Train a model on tokenized windows; stop when validation stops falling; resume where it was.

  accelerate launch scripts/train.py --dataset data/pianalysis --model small --output-dir runs/small

Repeat an interrupted run's command with --resume. Logs go to TensorBoard in --output-dir, and to trackio if installed."""


def add_train(parser: argparse.ArgumentParser) -> None:
    """The options of `pianalysis train`: the fields of `RunOptions`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _add_what(parser)
    _add_how(parser)
    _add_when(parser)
    hub = parser.add_argument_group("the Hub")
    hub.add_argument("--push-to-hub", metavar="ORG/NAME", help="publish the model, its tokenizer and card")
    hub.add_argument(
        "--hub-strategy",
        choices=["end", "every_save", "checkpoint"],
        default="end",
        help="the best at the end; also each save; or each save with all that --resume needs on another machine",
    )
    hub.add_argument("--private", action="store_true", help="as a private repository")
    hub.add_argument("--tag", metavar="NAME", help="name the last commit")
    parser.set_defaults(run=train)


def _add_what(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dataset", required=True, metavar="DIR_OR_ID", help="a folder of `pianalysis prepare`, or a Hub dataset"
    )
    parser.add_argument(
        "--model", default="canonical", help="canonical, small, tiny, or a folder or Hub id to go on from"
    )
    parser.add_argument("--output-dir", required=True, metavar="DIR")
    parser.add_argument("--resume", action="store_true", help="go on from the newest whole checkpoint")
    parser.add_argument("--seed", type=int, default=0, metavar="N")


def _add_how(parser: argparse.ArgumentParser) -> None:
    how = parser.add_argument_group("training")
    how.add_argument("--batch-size", type=int, default=16, help="windows a step, over all processes (default: 16)")
    how.add_argument("--accumulate", type=int, default=1, help="in so many parts, one after the other (default: 1)")
    how.add_argument("--max-length", type=int, default=1024, help="tokens of a window that are trained on (1024)")
    how.add_argument("--learning-rate", type=float, default=3e-3, help="(default: 0.003)")
    how.add_argument("--optimizer", choices=["adamw", "muon"], default="muon", help="(default: muon)")
    how.add_argument("--weight-decay", type=float, default=0.1, help="of the blocks' matrices (default: 0.1)")
    how.add_argument("--dropout", type=float, default=0.0, help="of embeddings and of what layers add (default: 0)")
    how.add_argument("--melody-weight", type=float, default=0.2, help="of the loss on the melody (default: 0.2)")
    how.add_argument(
        "--transpose",
        choices=["random", "key", "none"],
        help="training windows by −6…+5 semitones, or each piece to C major or A minor (validation too), or not "
        "(default: as the model was trained, random for a new one)",
    )
    how.add_argument("--tempo-share", type=float, default=0.0, metavar="P", help="of windows at half or double tempo")
    how.add_argument("--plain-init", action="store_true", help="GPT-2's own random embeddings, not structured ones")
    how.add_argument(
        "--compile", action="store_true", help="torch.compile: faster after a minute; needs a C++ compiler"
    )
    how.add_argument("--bf16", action="store_true", help="half-precision arithmetic, where the hardware has it")
    how.add_argument("--cpu", action="store_true")
    how.add_argument("--threads", type=int, metavar="N", help="CPU threads")


def _add_when(parser: argparse.ArgumentParser) -> None:
    when = parser.add_argument_group("schedule")
    when.add_argument("--max-steps", type=int, default=10_000, help="(default: 10000)")
    when.add_argument("--schedule", choices=["wsd", "cosine"], default="wsd", help="of the learning rate (wsd)")
    when.add_argument("--warmup-steps", type=int, default=200, help="(default: 200)")
    when.add_argument("--decay-steps", type=int, default=2_000, help="wsd: the last steps, down to 0 (default: 2000)")
    when.add_argument("--eval-steps", type=int, default=250, help="also between checkpoints (default: 250)")
    when.add_argument(
        "--eval-windows", type=int, default=200, help="validation windows, evenly spaced; 0 for all (200)"
    )
    when.add_argument("--patience", type=int, default=5, help="evaluations without improvement before stopping (5)")
    when.add_argument("--time-limit", type=float, metavar="MINUTES", help="stop cleanly, with a checkpoint")


def train(args: argparse.Namespace) -> int:
    """Train a model on tokenized windows; stop when validation stops falling; resume where it was."""
    from dataclasses import fields

    from pianalysis.training.runs import RunOptions
    from pianalysis.training.runs import train as run

    options = RunOptions(**{item.name: getattr(args, item.name) for item in fields(RunOptions)})
    result = run(options)
    print(f"best: {result.nats_per_note:.4f} nats per accompaniment note, in {result.folder}")
    if result.url:
        print(f"published: {result.url}")
    return 0

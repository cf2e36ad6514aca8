"""The command of training: ``pianalysis train``, the same as ``accelerate launch scripts/train.py``."""

from __future__ import annotations

import argparse
import sys
from dataclasses import MISSING, fields
from typing import Any, Final, get_args, get_type_hints

DESCRIPTION: Final = """Train a model on tokenized windows; stop when validation stops falling; resume where it was.

  accelerate launch scripts/train.py --dataset data/pianalysis --model small --output-dir runs/small

Repeat an interrupted run's command with --resume: Ctrl-C, once, ends it with a checkpoint. Logs go to TensorBoard in --output-dir, and to trackio if installed."""


INTERRUPTED: Final = 130
"""The exit code of a command that Ctrl-C ended at once, as shells have it."""


def add_train(parser: argparse.ArgumentParser) -> None:
    """The options of `pianalysis train`: the fields of `RunOptions`, with their own words."""
    from pianalysis.training.options import RunOptions

    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    types, groups = get_type_hints(RunOptions), {None: parser}
    for item in fields(RunOptions):
        said = dict(item.metadata)
        group = said.pop("group")
        if group not in groups:
            groups[group] = parser.add_argument_group(group)  # type: ignore[assignment]  # both add arguments
        asked: dict[str, Any] = {"help": said.pop("help"), **said}
        if types[item.name] is bool:
            asked["action"] = "store_true"
        else:
            kinds = [kind for kind in (get_args(types[item.name]) or (types[item.name],)) if kind in (int, float)]
            asked |= {"type": kinds[0] if kinds else str}
            asked |= {"required": True} if item.default is MISSING else {"default": item.default}
            if item.default is not MISSING and item.default is not None:
                asked["help"] = f"{asked['help']} (default: {item.default:g})".strip() if kinds else asked["help"]
        groups[group].add_argument(f"--{item.name.replace('_', '-')}", **asked)
    parser.set_defaults(run=train)


def train(args: argparse.Namespace) -> int:
    """Train a model on tokenized windows; stop when validation stops falling; resume where it was."""
    from pianalysis.training.options import RunOptions

    options = RunOptions(**{item.name: getattr(args, item.name) for item in fields(RunOptions)})
    try:
        from pianalysis.training.runs import train as run

        result = run(options)
    except KeyboardInterrupt:
        from pianalysis.training.ending import interrupted_in_words

        print(f"pianalysis train: {interrupted_in_words(options.output_dir)}", file=sys.stderr)
        return INTERRUPTED
    print(f"best: {result.nats_per_note:.4f} nats per accompaniment note, in {result.folder}")
    if result.url:
        print(f"published: {result.url}")
    return 0

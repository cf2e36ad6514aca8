"""Average the weights of a run with those it went on from: often better than either, at no cost in use.

    python scripts/average_checkpoints.py --models runs/2/best runs/1/best --shares 0.8 0.2 --dataset data/pianalysis \
        --output-dir runs/2/averaged

Wortsman et al. 2022, "Model soups". Prints the nats per accompaniment note of each and of the average on validation
windows, and writes the average as a checkpoint with the first one's history, if it is better than all of them. Several
lists of shares are tried in turn, and the best is taken.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel

from pianalysis.errors import PianalysisError
from pianalysis.model.gpt2 import load_model, normalises_key, plays_chords, save_model
from pianalysis.processes import keep_freed_memory
from pianalysis.publishing.commands import outputs, places
from pianalysis.publishing.model_card import save_records
from pianalysis.publishing.records import read_records
from pianalysis.training.checks import checked_windows
from pianalysis.training.likelihood import model_likelihood
from pianalysis.training.saving import TRAINER_STATE


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--models", type=Path, nargs="+", required=True, metavar="DIR", help="the last run's first, then runs before it"
    )
    parser.add_argument(
        "--shares",
        type=float,
        nargs="+",
        action="append",
        required=True,
        metavar="S",
        help="of each model; they add to 1",
    )
    parser.add_argument("--dataset", required=True, metavar="DIR_OR_ID")
    parser.add_argument("--eval-windows", type=int, default=200, metavar="N", help="evenly spaced, 0 for all")
    parser.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    args = parser.parse_args(argv)
    try:
        average(args)
    except (PianalysisError, OSError, ValueError) as error:
        print(f"average_checkpoints: error: {error}", file=sys.stderr)
        return 2
    return 0


def average(args: argparse.Namespace) -> None:
    """Measure, and write the best average. Raises PianalysisError for what can't be averaged, or isn't worth it."""
    check(args)
    keep_freed_memory()
    torch.set_num_threads(max(args.threads, 1))
    rows = checked_windows(args.dataset, "validation")
    if 0 < args.eval_windows < len(rows):
        rows = rows.select([int(k * len(rows) / args.eval_windows) for k in range(args.eval_windows)])
    models = [load_model(folder) for folder in args.models]
    kinds = [
        (normalises_key(model), plays_chords(model), {k: v.shape for k, v in model.state_dict().items()})
        for model in models
    ]
    if any(kind != kinds[0] for kind in kinds):
        raise PianalysisError(
            "expected models of one shape, one way of transposing and one form of window, found several"
        )
    alone = [model_likelihood(model, rows).nats_per_note for model in models]
    for folder, nats in zip(args.models, alone, strict=True):
        print(f"{nats:.4f} nats per note: {folder}", flush=True)
    mixed = {}
    for shares in args.shares:
        mixed[tuple(shares)] = model_likelihood(mix(models, shares), rows).nats_per_note
        print(f"{mixed[tuple(shares)]:.4f} nats per note: average by {' '.join(map(str, shares))}", flush=True)
    best = min(mixed, key=lambda shares: mixed[shares])
    if not mixed[best] < min(alone):
        raise PianalysisError("no average is better than the best of its models; nothing is written")
    write(mix(models, best), best, mixed[best], args.models, args.output_dir)


def check(args: argparse.Namespace) -> None:
    """Raise PianalysisError for what can be known before anything is measured."""
    for shares in args.shares:
        if len(shares) != len(args.models) or not abs(sum(shares) - 1) <= 1e-6:
            raise PianalysisError(
                f"expected {len(args.models)} shares that add to 1, one a model, found {' '.join(map(str, shares))}"
            )
    if args.output_dir.exists():
        raise PianalysisError(f"{args.output_dir}: is there already; choose another folder")
    last, *earlier = args.models
    records = read_records(last)
    if not records or not (last / TRAINER_STATE).exists():
        raise PianalysisError(f"{last}: expected the `best` folder of a run, with the record of its training")
    for folder in earlier:
        before = read_records(folder)
        if not before or len(before) >= len(records) or before != records[: len(before)]:
            raise PianalysisError(f"{folder}: expected a model that {last} went on from, by the records of both")


def mix(models: Sequence[GPT2LMHeadModel], shares: Sequence[float]) -> GPT2LMHeadModel:
    """A model with the averaged weights."""
    states = [model.state_dict() for model in models]
    averaged = GPT2LMHeadModel(models[0].config).eval()
    averaged.generation_config = models[0].generation_config
    averaged.load_state_dict(
        {name: sum(share * state[name] for share, state in zip(shares, states, strict=True)) for name in states[0]}
    )
    return averaged


def write(model: GPT2LMHeadModel, shares: Sequence[float], nats: float, folders: Sequence[Path], output: Path) -> None:
    """A checkpoint's folder, whole or not at all: the average, the first model's history, and how it was made."""
    records = read_records(folders[0])
    runs = [places(records)[len(read_records(folder)) - 1] for folder in folders]
    command = (
        f"python scripts/average_checkpoints.py --models {' '.join(runs)} --shares {' '.join(map(str, shares))} "
        f"--dataset {records[-1].options['dataset']} --output-dir {outputs(records)[-1]}/averaged"
    )
    steps = [step for step in (records[-1].after, command) if step]
    last = replace(records[-1], after="\n".join(steps), after_nats_per_note=nats)
    temporary = output.with_name(f".{output.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        save_model(model, temporary)
        save_records(temporary, [*records[:-1], last], model)
        shutil.copy(folders[0] / TRAINER_STATE, temporary)
        temporary.rename(output)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


if __name__ == "__main__":
    raise SystemExit(main())

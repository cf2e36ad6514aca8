"""Average the weights of checkpoints that one went on from the other: often better than each, and free to run.

    python scripts/average_checkpoints.py --models runs/2/best runs/1/best --shares 0.8 0.2 --dataset data/pianalysis \
        --output-dir runs/2/averaged

Wortsman et al. 2022, "Model soups". Prints the nats per accompaniment note of each and of the average on validation
windows, and writes the average as a checkpoint with the first one's history, if it is better than all of them. Give several
lists of shares to choose the best of them.
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

from pianalysis.dataset import load_windows
from pianalysis.memory import keep_freed_memory
from pianalysis.metrics import model_likelihood
from pianalysis.model import load_model, normalises_key, save_model
from pianalysis.model_cards import read_records, save_records
from pianalysis.notes import PianalysisError
from pianalysis.run_saving import TRAINER_STATE


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, nargs="+", required=True, metavar="DIR", help="the last run's first")
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
    parser.add_argument("--eval-windows", type=int, default=200, metavar="N")
    parser.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    args = parser.parse_args(argv)
    keep_freed_memory()
    torch.set_num_threads(args.threads)
    try:
        return average(args)
    except PianalysisError as error:
        print(f"average_checkpoints: error: {error}", file=sys.stderr)
        return 2


def average(args: argparse.Namespace) -> int:
    for shares in args.shares:
        if len(shares) != len(args.models) or abs(sum(shares) - 1) > 1e-6:
            raise PianalysisError(
                f"expected {len(args.models)} shares that add to 1, one a model, found {' '.join(map(str, shares))}"
            )
    if args.output_dir.exists():
        raise PianalysisError(f"{args.output_dir}: is there already; choose another folder")
    models = [load_model(folder) for folder in args.models]
    if len({(tuple(model.config.to_dict()[k] for k in SHAPE), normalises_key(model)) for model in models}) > 1:
        raise PianalysisError("expected models of one shape and one way of transposing, found several")
    rows = load_windows(args.dataset, "validation")
    if args.eval_windows < len(rows):
        rows = rows.select([int(k * len(rows) / args.eval_windows) for k in range(args.eval_windows)])
    alone = [model_likelihood(model, rows).nats_per_note for model in models]
    for folder, nats in zip(args.models, alone, strict=True):
        print(f"{nats:.4f} nats per note: {folder}", flush=True)
    mixed = {}
    for shares in args.shares:
        mixed[tuple(shares)] = model_likelihood(mix(models, shares), rows).nats_per_note
        print(f"{mixed[tuple(shares)]:.4f} nats per note: average by {' '.join(map(str, shares))}", flush=True)
    shares = min(mixed, key=lambda key: mixed[key])
    if mixed[shares] >= min(alone):
        raise PianalysisError("no average is better than the best of its models; nothing is written")
    write(mix(models, shares), shares, args.models, args.output_dir)
    return 0


SHAPE = ("n_embd", "n_layer", "n_head", "vocab_size", "n_positions")


def mix(models: Sequence[GPT2LMHeadModel], shares: Sequence[float]) -> GPT2LMHeadModel:
    """A model with the averaged weights."""
    states = [model.state_dict() for model in models]
    averaged = GPT2LMHeadModel(models[0].config).eval()
    averaged.generation_config = models[0].generation_config
    averaged.load_state_dict(
        {name: sum(share * state[name] for share, state in zip(shares, states, strict=True)) for name in states[0]}
    )
    return averaged


def write(model: GPT2LMHeadModel, shares: Sequence[float], folders: Sequence[Path], output: Path) -> None:
    """A checkpoint's folder, whole or not at all: the average, the first model's history, and how it was made."""
    records = read_records(folders[0])
    if not records:
        raise PianalysisError(f"{folders[0]}: expected a record of its training, found none")
    runs = [len(read_records(folder)) for folder in folders]
    command = "python scripts/average_checkpoints.py --models {} --shares {}".format(
        " ".join(f"runs/{number}/best" for number in runs), " ".join(map(str, shares))
    )
    temporary = output.with_name(f".{output.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    save_model(model, temporary)
    save_records(temporary, [*records[:-1], replace(records[-1], after=command)], model)
    shutil.copy(folders[0] / TRAINER_STATE, temporary)
    temporary.rename(output)


if __name__ == "__main__":
    raise SystemExit(main())

"""What matters in training: short runs that differ from a base in one setting each, and a table of where they end.

    python scripts/search_settings.py --dataset data/pianalysis --model small --max-steps 1000 \
        --output-dir runs/search --json search.json

Every run sees the same windows in the same order, as far as its batch size allows, and ends with its learning rate at 0.
The figure is nats per accompaniment note on the same validation windows. Runs that are there already are not run again, so
an interrupted search goes on; `--only` chooses some. `--seeds 2` repeats the base with other seeds: what differs less than
they do says nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from pianalysis.errors import PianalysisError
from pianalysis.files import write_atomically
from pianalysis.model.gpt2 import PRESETS
from pianalysis.publishing.records import read_records
from pianalysis.publishing.tables import search_table
from pianalysis.training.runs import BEST, RunOptions, train

VARIATIONS: dict[str, dict[str, Any]] = {
    "base": {},
    "learning rate / 3": {"learning_rate": 1 / 3},
    "learning rate × 3": {"learning_rate": 3.0},
    "AdamW": {"optimizer": "adamw", "learning_rate": 0.5},
    "each piece in C major or A minor": {"transpose": "key"},
    "not transposed": {"transpose": "none"},
    "dropout 0.1": {"dropout": 0.1},
    "no weight decay": {"weight_decay": 0.0},
    "melody weight 0": {"melody_weight": 0.0},
    "melody weight 1": {"melody_weight": 1.0},
    "half the batch": {"batch_size": 0.5},
    "twice the batch": {"batch_size": 2.0},
    "one in five at half or double tempo": {"tempo_share": 0.2},
    "plain embeddings": {"plain_init": True},
}
"""Name of a run to what differs from the base; learning_rate and batch_size are factors."""
FACTORS = ("learning_rate", "batch_size")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, metavar="DIR_OR_ID")
    parser.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    parser.add_argument("--model", default="small")
    parser.add_argument(
        "--max-steps", type=int, default=1_000, metavar="N", help="of the base; the same windows for all"
    )
    parser.add_argument("--learning-rate", type=float, default=3e-3)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--eval-windows", type=int, default=200, metavar="N")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="of the base")
    parser.add_argument("--only", nargs="+", metavar="NAME", help=f"of: {', '.join(VARIATIONS)}")
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--compile", action="store_true", help="faster steps after a minute's compilation a run")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    try:
        results = [run(name, options) for name, options in plan(args).items()]
    except PianalysisError as error:
        print(f"search_settings: error: {error}", file=sys.stderr)
        return 2
    print(search_table(results))
    if args.json:
        search = {"model": args.model, "windows": args.eval_windows or "all", "how": how(args), "runs": results}
        write_atomically(args.json, (json.dumps(search, indent=1) + "\n").encode())
    return 0


def plan(args: argparse.Namespace) -> dict[str, RunOptions]:
    """The runs of a search: their names and options."""
    unknown = set(args.only or ()) - set(VARIATIONS)
    if unknown:
        raise PianalysisError(f"expected some of {[*VARIATIONS]}, found {sorted(unknown)}")
    base = RunOptions(
        args.dataset,
        str(args.output_dir / "base"),
        model=args.model,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        optimizer="muon",
        eval_windows=args.eval_windows,
        patience=1_000,
        threads=args.threads,
        bf16=args.bf16,
        compile=args.compile,
        cpu=args.cpu,
    )
    runs = {}
    for name, differing in VARIATIONS.items():
        if args.only and name not in args.only:
            continue
        changes = {key: value for key, value in differing.items() if key not in FACTORS}
        rate = base.learning_rate * differing.get("learning_rate", 1)
        batch = max(1, round(base.batch_size * differing.get("batch_size", 1)))
        steps = max(1, args.max_steps * base.batch_size // batch)
        folder = args.output_dir / name.replace(" ", "_").replace("/", "over")
        schedule = {"max_steps": steps, "warmup_steps": steps // 20, "decay_steps": steps // 2, "eval_steps": steps}
        run = replace(base, output_dir=str(folder), learning_rate=rate, batch_size=batch, **schedule, **changes)
        runs[name] = run
        for seed in range(1, args.seeds if name == "base" else 1):
            runs[f"base, seed {seed}"] = replace(run, output_dir=f"{folder}_{seed}", seed=seed)
    return runs


def how(args: argparse.Namespace) -> str:
    """Where the runs begin and in what arithmetic, in words."""
    begin = "from random weights" if args.model in PRESETS else "going on from it"
    return f"{begin}, {'bf16' if args.bf16 else 'float32'}"


def run(name: str, options: RunOptions) -> dict[str, Any]:
    best = Path(options.output_dir) / BEST
    if not best.exists():
        train(replace(options, resume=True))
    (record,) = read_records(best)
    shown = {"learning_rate": options.learning_rate, "batch_size": options.batch_size, "steps": record.steps}
    return {
        "name": name,
        **shown,
        "tokens": record.tokens,
        "minutes": record.minutes,
        "nats_per_note": record.best_nats_per_note,
    }


if __name__ == "__main__":
    raise SystemExit(main())

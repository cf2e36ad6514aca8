"""Grow a trained model to the canonical size without changing what it computes, to go on training from.

    python scripts/grow_checkpoint.py --model runs/small/best --output-dir runs/grown
    accelerate launch scripts/train.py --dataset data/pianalysis --model runs/grown --output-dir runs/canonical

A little noise lets the two halves of every matrix part; `--noise 0` keeps the logits to rounding errors.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from pianalysis.errors import PianalysisError
from pianalysis.model.gpt2 import PRESETS, load_model, save_model
from pianalysis.model.growth import NOISE, grow
from pianalysis.publishing.commands import outputs, places
from pianalysis.publishing.model_card import save_records
from pianalysis.publishing.records import read_records


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="small", metavar="DIR_OR_ID", help="default: the bundled small")
    parser.add_argument("--size", choices=[*PRESETS], default="canonical")
    parser.add_argument("--noise", type=float, default=NOISE, metavar="S", help=f"of a matrix's spread ({NOISE})")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    args = parser.parse_args(argv)
    try:
        write(args)
    except (PianalysisError, OSError, ValueError) as error:
        print(f"grow_checkpoint: error: {error}", file=sys.stderr)
        return 2
    print(f"written: {args.output_dir}")
    return 0


def write(args: argparse.Namespace) -> None:
    """A checkpoint's folder, whole or not at all, with the history of the model that was grown."""
    if args.output_dir.exists():
        raise PianalysisError(f"{args.output_dir}: is there already; choose another folder")
    model = load_model(args.model)
    grown = grow(model, args.size, noise=args.noise, seed=args.seed)
    temporary = args.output_dir.with_name(f".{args.output_dir.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        save_model(grown, temporary)
        if records := read_records(Path(model.name_or_path)):
            command = (
                f"python scripts/grow_checkpoint.py --model {places(records)[-1]} --size {args.size} --noise {args.noise} "
                f"--seed {args.seed} --output-dir {outputs(records)[-1]}/grown"
            )
            after = "\n".join(step for step in (records[-1].after, command) if step)
            save_records(temporary, [*records[:-1], replace(records[-1], after=after)], grown)
        temporary.rename(args.output_dir)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


if __name__ == "__main__":
    raise SystemExit(main())

"""Make a trained model the package's default, or another size that comes with it: half-precision safetensors, tokenizer,
curves, and a card with its figures.

    python scripts/evaluate_model.py --dataset data/pianalysis --model runs/small/best --split validation test --json figures.json
    python scripts/bundle_checkpoint.py --model runs/small/best --likelihood figures.json --dataset data/pianalysis
    python scripts/bundle_checkpoint.py --model runs/canonical/best --likelihood canonical.json --dataset data/pianalysis \
        --output pianalysis/data/canonical

`--model` is the `best` folder of a run of scripts/train.py. The weights of the bundle are float16, which `transformers`
reads as it is; `--likelihood` may be of either precision. Both are compared on a few windows first, and nothing is written
if they differ by more than half a percent. A size beside the default is chosen by its name, `--model canonical`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import torch

from pianalysis.dataset.rows import load_windows
from pianalysis.errors import PianalysisError
from pianalysis.model.gpt2 import BUNDLED, load_model, save_model
from pianalysis.publishing.commands import shown_path
from pianalysis.publishing.model_card import OVERFITTING_FILE, model_card
from pianalysis.publishing.records import RECORDS_FILE, draw_curves, read_records
from pianalysis.training.likelihood import model_likelihood

ROOT = Path(__file__).parents[1]
COMPARED_WINDOWS = 40
MOST_LOST = 0.005
"""The share of its nats per note by which half precision may differ."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, metavar="DIR")
    parser.add_argument("--likelihood", type=Path, required=True, metavar="FILE")
    parser.add_argument("--dataset", required=True, metavar="DIR_OR_ID")
    parser.add_argument("--output", type=Path, default=Path(BUNDLED))
    parser.add_argument(
        "--card", type=Path, metavar="FILE", help="also written here (the default's: to model_card.md, if not said)"
    )
    parser.add_argument(
        "--overfitting", type=Path, metavar="FILE.png", help="the picture of scripts/show_overfitting.py"
    )
    parser.add_argument("--search", type=Path, metavar="FILE", help="the JSON of scripts/search_settings.py")
    parser.add_argument("--speed", type=Path, metavar="FILE", help="the JSON of `scripts/benchmark.py training`")
    parser.add_argument(
        "--note", default="", metavar="TEXT", help="what else a reader of the card must know of the data"
    )
    args = parser.parse_args(argv)
    if args.card is None and args.output == Path(BUNDLED):
        args.card = ROOT / "model_card.md"
    try:
        return bundle(args)
    except (PianalysisError, OSError) as error:
        print(f"bundle_checkpoint: error: {error}", file=sys.stderr)
        return 2


def bundle(args: argparse.Namespace) -> int:
    """Write the bundle's folder. Returns 2, nothing written, if half precision costs too much."""
    model, records = load_model(args.model), read_records(args.model)
    figures, search, speed = (
        json.loads(file.read_text(encoding="utf-8")) if file else None
        for file in (args.likelihood, args.search, args.speed)
    )
    overfitting = args.output / OVERFITTING_FILE
    card = model_card(  # before anything is written: it is what fails where a file isn't what it should be
        model,
        records,
        figures=figures,
        dtype="float16",
        overfitting=bool(args.overfitting) or overfitting.exists(),
        search=search,
        speed=speed,
        note=args.note,
        folder=shown_path(str(args.output), "runs"),
    )
    with tempfile.TemporaryDirectory() as place:
        half = Path(place, "half")  # a folder with the usual rights, as the temporary one isn't
        save_model(model.to(torch.float16), half)
        if _same_weights(half, args.output):
            raise PianalysisError(
                f"{args.model}: expected weights that {args.output} doesn't have yet, found the same; where a run gets no "
                "better, its best are those that it began with: is this the folder that was meant?"
            )
        if not is_as_good(args.model, half, args.dataset):
            print("bundle_checkpoint: nothing was written", file=sys.stderr)
            return 2
        for file in half.iterdir():
            file.chmod(0o644)
        shutil.copytree(half, args.output, dirs_exist_ok=True)
    (args.output / RECORDS_FILE).write_bytes((args.model / RECORDS_FILE).read_bytes())
    state = json.loads((args.model / "trainer_state.json").read_text(encoding="utf-8"))
    if state["best_model_checkpoint"]:  # the only value in it that names a folder of the machine that trained
        state["best_model_checkpoint"] = Path(state["best_model_checkpoint"]).name
    (args.output / "trainer_state.json").write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
    draw_curves(records, args.output / "training_curves.png")
    if args.overfitting:
        overfitting.write_bytes(args.overfitting.read_bytes())
    card.save(args.output / "README.md")
    if args.card:
        folder = Path(os.path.relpath(args.output, args.card.parent)).as_posix()
        args.card.write_text(re.sub(r"\]\((\w+\.png)\)", rf"]({folder}/\1)", str(card)), encoding="utf-8")
    return 0


def _same_weights(one: Path, other: Path) -> bool:
    first, second = (folder / "model.safetensors" for folder in (one, other))
    return second.exists() and first.read_bytes() == second.read_bytes()


def is_as_good(full: Path, half: Path, dataset: str) -> bool:
    rows = load_windows(dataset, "validation")
    rows = rows.select(range(0, len(rows), max(len(rows) // COMPARED_WINDOWS, 1)))
    exact, rounded = (model_likelihood(load_model(folder), rows).nats_per_note for folder in (full, half))
    print(f"{full}: {rounded:.4f} nats per note in float16, {exact:.4f} in float32 ({rounded / exact - 1:+.3%})")
    return abs(rounded / exact - 1) <= MOST_LOST


if __name__ == "__main__":
    raise SystemExit(main())

"""How much oftener people than a model play each interval under a melody; into the checkpoint's generation_config.json.

    python scripts/fit_harmony.py --dataset data/pianalysis --model runs/small/best --times pop=10 classical=6 --try 0.5 1 2

On validation windows, evenly spaced: the model accompanies each melody without guidance, its intervals are counted beside
the human ones (`pianalysis.guidance`), and the difference, so many `--times`, becomes the guidance that `Arranger` uses at
strength 1. Then the same windows again at each of `--try`'s strengths: pitch consonance score (PCS), clash rate and how many
notes, beside the human values. Choose the times at which these meet.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from pianalysis.dataset import load_windows
from pianalysis.engine import Engine
from pianalysis.evaluation.likelihoods import spaced
from pianalysis.grammar import state_after
from pianalysis.guidance import HarmonyGuidance, count_intervals, fit_intervals
from pianalysis.metrics.harmony import clash_rate, pitch_consonance_score
from pianalysis.model import BUNDLED
from pianalysis.network import has_int8
from pianalysis.notes import Notes, PianalysisError, write_atomically
from pianalysis.tokenizer import WindowNotes, decode, decode_notes
from pianalysis.weights import GENERATION_FILE, read_weights

SIXTEENTH_MS = 125.0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, metavar="DIR_OR_ID")
    parser.add_argument("--model", type=Path, default=Path(BUNDLED), metavar="DIR")
    parser.add_argument("--windows", type=int, default=100, metavar="N", help="of each style")
    parser.add_argument("--times", nargs="+", default=["pop=10", "classical=6"], metavar="STYLE=X")
    parser.add_argument("--try", dest="tried", type=float, nargs="*", default=[], metavar="X", help="strengths to show")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        times = {style: float(value) for style, value in (item.split("=") for item in args.times)}
        weights = read_weights(args.model)
        if weights.normalises_key:
            raise PianalysisError("expected a model of all keys; windows would have to be moved to this one's")
        engine = Engine(weights, precision="int8" if has_int8() else "float32")
        windows = windows_of_styles(args.dataset, args.windows)
        plain = {style: write(engine, some, HarmonyGuidance(), style) for style, some in windows.items()}
        guidance = HarmonyGuidance(
            1.0, {style: fit(windows[style], plain[style], times.get(style, 1.0)) for style in windows}
        )
        print(
            "| style | strength | PCS | human | clash rate | human | notes | human |\n|---|--:|--:|--:|--:|--:|--:|--:|"
        )
        for style, some in windows.items():
            print_row(style, 0.0, some, plain[style])
            for strength in args.tried:
                print_row(style, strength, some, write(engine, some, guidance, style, strength))
        save(args.model / GENERATION_FILE, guidance)
    except (PianalysisError, ValueError) as error:
        print(f"fit_harmony: error: {error}", file=sys.stderr)
        return 2
    return 0


def windows_of_styles(dataset: str, count: int) -> dict[str, list[WindowNotes]]:
    """Validation windows with a melody, evenly spaced, by their style token."""
    rows = load_windows(dataset, "validation")
    corpora = np.array(rows["corpus"])
    found: dict[str, list[WindowNotes]] = {}
    for corpus in sorted(set(corpora)):
        for row in spaced(rows.select(np.flatnonzero(corpora == corpus)), count):
            window = decode(row["input_ids"])
            if len(window.melody):
                found.setdefault(window.style, []).append(window)
    return found


def write(
    engine: Engine, windows: list[WindowNotes], guidance: HarmonyGuidance, style: str, strength: float | None = None
) -> list[Notes]:
    """The model's accompaniment of each window's melody."""
    from pianalysis.tokenizer import encode_melody

    written = []
    for seed, window in enumerate(tqdm(windows, desc=f"{style}, {strength or 0:g}")):
        prompt = encode_melody(window.melody, style=style, density=window.density)
        bias = guidance.pitch_bias(window.melody, style, strength)
        generator = np.random.default_rng(seed)
        ids = engine.continue_prompt(prompt, state_after(prompt), engine.weights.sampling, generator, bias)
        written.append(decode_notes([*ids], loud=True))
    return written


def fit(windows: list[WindowNotes], written: list[Notes], times: float) -> list[float]:
    human = sum(count_intervals(window.melody, window.accompaniment) for window in windows)
    model = sum(count_intervals(window.melody, notes) for window, notes in zip(windows, written, strict=True))
    return [round(times * float(value), 3) for value in fit_intervals(np.asarray(human), np.asarray(model))]


def print_row(style: str, strength: float, windows: list[WindowNotes], written: list[Notes]) -> None:
    figures: list[Any] = [style, f"{strength:g}"]
    pairs = [
        (written, [window.melody for window in windows]),
        ([w.accompaniment for w in windows], [w.melody for w in windows]),
    ]
    for measure in (lambda m, a: pitch_consonance_score(m, a, step_ms=SIXTEENTH_MS), clash_rate, lambda _, a: len(a)):
        for below, above in pairs:
            figures.append(f"{np.nanmean([measure(m, a) for m, a in zip(above, below, strict=True)]):.3f}")
    print(f"| {' | '.join(figures)} |", flush=True)


def save(path: Path, guidance: HarmonyGuidance) -> None:
    """Put the guidance into a checkpoint's generation_config.json, whose other values stay."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["harmony"] = guidance.to_dict()
    write_atomically(path, (json.dumps(config, indent=2, sort_keys=True) + "\n").encode())
    print(f"{path}: {json.dumps(config['harmony'])}")


if __name__ == "__main__":
    raise SystemExit(main())

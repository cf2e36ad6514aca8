"""How much oftener people than a model play each degree of the scale under each of a melody's; into generation_config.json.

    python scripts/fit_harmony.py --dataset data/pianalysis --model runs/small/best --num-proc 2

The model accompanies the melodies of validation windows, evenly spaced; the intervals up to the melody are counted beside
those of people in training windows (`pianalysis.guidance`). Then again for each of `--times`, with the logarithm of the human
share over the model's so many times in its logits; after each, what lacks of each pitch class of the scale is added for the
next. Each round prints pitch consonance score (PCS), clash rate, scale consistency and how many notes, beside the human
values of the same windows. The round whose first two are nearest to the human ones goes into the checkpoint.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from pianalysis.dataset import load_windows
from pianalysis.engine import Engine, Job
from pianalysis.evaluation.likelihoods import spaced
from pianalysis.evaluation.workers import workers
from pianalysis.grammar import state_after
from pianalysis.guidance import Floats, HarmonyGuidance, count_degrees, degrees_of, fit_intervals, fit_scale
from pianalysis.metrics.harmony import clash_rate, pitch_consonance_score
from pianalysis.metrics.statistics import scale_consistency
from pianalysis.model import BUNDLED
from pianalysis.network import has_int8
from pianalysis.notes import Notes, PianalysisError, write_atomically
from pianalysis.tokenizer import WindowNotes, decode, decode_notes, encode_melody, without_chords
from pianalysis.training import transpose_ids
from pianalysis.vocab import EOS
from pianalysis.weights import GENERATION_FILE, read_weights

SIXTEENTH_MS = 125.0
SIDE_BY_SIDE = 8


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, metavar="DIR_OR_ID")
    parser.add_argument("--model", type=Path, default=Path(BUNDLED), metavar="DIR")
    parser.add_argument(
        "--windows", type=int, default=120, metavar="N", help="of each style that the model accompanies"
    )
    parser.add_argument("--human-windows", type=int, default=2_000, metavar="N", help="… that people have accompanied")
    parser.add_argument("--times", type=float, nargs="+", default=[4.0, 8.0, 12.0, 12.0], metavar="X")
    parser.add_argument(
        "--strength",
        type=float,
        default=1.0,
        metavar="X",
        help="how much of it the checkpoint asks for: whole songs, which have a history, may want more than windows "
        "(scripts/evaluate_model.py --harmony)",
    )
    parser.add_argument("--num-proc", type=int, default=1, metavar="N", help="styles side by side")
    args = parser.parse_args(argv)
    try:
        one_key = read_weights(args.model).normalises_key
        windows = windows_of_styles(args.dataset, "validation", args.windows, in_one_key=one_key)
        human = {
            style: np.sum([*map(counts_of, some)], axis=0)
            for style, some in windows_of_styles(args.dataset, "train", args.human_windows, in_one_key=one_key).items()
        }
        print(HEAD, flush=True)
        jobs = [(args.model, style, some, human[style], args.times) for style, some in windows.items()]
        with workers(args.num_proc, 1) as run:
            degrees = dict(zip(windows, run(fit_style, jobs), strict=True))
        save(args.model / GENERATION_FILE, HarmonyGuidance(args.strength, degrees))
    except (PianalysisError, ValueError, OSError) as error:
        print(f"fit_harmony: error: {error}", file=sys.stderr)
        return 2
    return 0


Windows = list[tuple[WindowNotes, int]]
"""Windows, each with the shift that brings its melody to C major or A minor."""
HEAD = (
    "| style | times | PCS | human | clash rate | human | scale | human | notes | human |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def windows_of_styles(dataset: str, split: str, count: int, *, in_one_key: bool) -> dict[str, Windows]:
    """A split's windows with a melody, evenly spaced, by their style token; in one key for a model that knows no other."""
    rows = load_windows(dataset, split).select_columns(["corpus", "input_ids", "key_shift"])
    corpora = np.array(rows["corpus"])
    found: dict[str, Windows] = {}
    for corpus in sorted(set(corpora)):
        for row in spaced(rows.select(np.flatnonzero(corpora == corpus)), count):
            shift = row["key_shift"]
            if row["input_ids"][-1] != EOS:
                continue  # a lead sheet
            ids = torch.tensor(without_chords(row["input_ids"]))
            window = decode(transpose_ids(ids, shift if in_one_key else 0).tolist())
            if len(window.melody):
                found.setdefault(window.style, []).append((window, 0 if in_one_key else shift))
    return found


def counts_of(item: tuple[WindowNotes, int], accompaniment: Notes | None = None) -> Floats:
    window, shift = item
    below = window.below if accompaniment is None else accompaniment
    return count_degrees(window.melody, below, shift=shift)


def fit_style(job: tuple[Path, str, Windows, Floats, list[float]]) -> list[list[float]]:
    """The degrees of one style, of the round that came nearest."""
    path, style, windows, human, all_times = job
    engine = Engine(read_weights(path), precision="int8" if has_int8() else "float32")
    degrees, scale, intervals = np.zeros_like(human), np.zeros(len(human)), None
    tried: list[tuple[float, Floats]] = []
    for times in (0.0, *all_times):
        if intervals is not None:
            degrees = np.round(degrees_of(times * intervals, scale), 3)
        written = write(engine, windows, HarmonyGuidance(1.0, {style: degrees.tolist()}), style)
        tried.append((print_row(style, times, [window for window, _ in windows], written), degrees))
        counts = np.sum([*map(counts_of, windows, written)], axis=0)
        if intervals is None:
            intervals = fit_intervals(human, counts)
        else:
            scale = scale + fit_scale(human, counts)
    return min(tried, key=lambda one: one[0])[1].tolist()


def write(engine: Engine, windows: Windows, guidance: HarmonyGuidance, style: str) -> list[Notes]:
    """The model's accompaniment of each window's melody, several side by side."""
    ids: list[list[int]] = [[] for _ in windows]

    def job(number: int) -> Job:
        window, shift = windows[number]
        prompt = encode_melody(window.melody, style=style, density=window.density)
        bias = guidance.pitch_bias(window.melody, style, shift=shift)
        generator = np.random.default_rng(number)
        return Job(prompt, state_after(prompt), engine.weights.sampling, generator, bias)

    waiting = iter(range(len(windows)))
    places = [*islice(waiting, SIDE_BY_SIDE)]
    with tqdm(total=len(windows), desc=style, leave=False) as bar:

        def more(place: int) -> Job | None:
            bar.update()
            number = next(waiting, None)
            if number is None:
                return None
            places[place] = number
            return job(number)

        for place, token in engine.continue_prompts([job(number) for number in places], more):
            ids[places[place]].append(token)
    return [decode_notes(some, loud=True) for some in ids]


def print_row(style: str, times: float, windows: list[WindowNotes], written: list[Notes]) -> float:
    """A row of the table; how far PCS and clash rate together are from the human ones."""
    measures: list[Callable[[Notes, Notes], float]] = [
        lambda above, below: pitch_consonance_score(above, below, step_ms=SIXTEENTH_MS),
        clash_rate,
        lambda _, below: scale_consistency(below),
        lambda _, below: len(below),
    ]
    figures = [
        float(np.nanmean([measure(window.melody, below) for window, below in zip(windows, voices, strict=True)]))
        for measure in measures
        for voices in (written, [window.accompaniment for window in windows])
    ]
    print(f"| {style} | {times:g} | {' | '.join(f'{figure:.3f}' for figure in figures)} |", flush=True)
    return abs(figures[0] - figures[1]) + abs(figures[2] - figures[3])


def save(path: Path, guidance: HarmonyGuidance) -> None:
    """Put the guidance into a checkpoint's generation_config.json, whose other values stay."""
    config = json.loads(path.read_text(encoding="utf-8"))
    config["harmony"] = guidance.to_dict()
    write_atomically(path, (json.dumps(config, indent=2, sort_keys=True) + "\n").encode())
    print(path)


if __name__ == "__main__":
    raise SystemExit(main())

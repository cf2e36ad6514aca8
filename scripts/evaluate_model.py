"""Likelihood of a model on the validation and test windows of each corpus, beside a unigram and an untrained model.

    python scripts/evaluate_model.py --dataset data/pianalysis --model runs/small/best --json likelihood.json

Also, with --pieces N, the pitch consonance score (PCS) of N test windows a corpus: the model's accompaniment, the
human one, and another window's.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from pianalysis.dataset import load_windows
from pianalysis.generation import Engine, Sampling, state_after
from pianalysis.metrics import Likelihood, model_likelihood, pitch_consonance_score, unigram_likelihood
from pianalysis.model import load_model, make_model, normalises_key
from pianalysis.tokenizer import decode, decode_notes
from pianalysis.training import transpose_ids
from pianalysis.vocab import HIGHEST_PITCH, LOWEST_PITCH

SIXTEENTH_MS = 125.0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, metavar="DIR_OR_ID")
    parser.add_argument("--model", help="folder or Hub id (default: the bundled checkpoint)")
    parser.add_argument("--preset", default="small", help="the untrained model's size")
    parser.add_argument("--limit", type=int, help="at most so many windows a corpus and split, evenly spaced")
    parser.add_argument("--pieces", type=int, default=0, metavar="N", help="windows a corpus whose PCS is measured")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    torch.set_num_threads(args.threads)
    model = load_model(args.model)
    train = load_windows(args.dataset, "train").select_columns(["input_ids", "target_start"])
    train = spaced(train, 5_000)
    results: dict[str, Any] = {}
    for split in ("validation", "test"):
        windows = load_windows(args.dataset, split)
        corpora = np.array(windows["corpus"])
        for corpus in sorted(set(corpora)):
            rows = windows.select(np.flatnonzero(corpora == corpus))
            rows = spaced(rows, args.limit or len(rows))
            shown = lambda name, rows=rows, split=split, corpus=corpus: tqdm(rows, desc=f"{corpus} {split}, {name}")  # noqa: E731
            results[f"{corpus}/{split}"] = {
                "model": report(model_likelihood(model, shown("model"))),
                "unigram": report(unigram_likelihood(train, shown("unigram"))),
                "untrained": report(model_likelihood(make_model(args.preset).eval(), shown("untrained"))),
            }
            if args.pieces and split == "test":
                results[f"{corpus}/{split}"]["pcs"] = consonance(model, spaced(rows, args.pieces))
    print_table(results)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def spaced(rows: Any, count: int) -> Any:
    """At most so many rows, evenly spaced."""
    return rows.select(np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)))


def report(likelihood: Likelihood) -> dict[str, float]:
    return {
        "nats_per_note": likelihood.nats_per_note,
        "bits_per_second": likelihood.bits_per_second,
        "windows": likelihood.windows,
        "notes": likelihood.notes,
    }


def consonance(model: Any, rows: Any) -> dict[str, float]:
    """Mean PCS over windows of the model's accompaniment, the human one, and that of the window after."""
    engine, generator = Engine(model), np.random.default_rng(0)
    scores: dict[str, list[float]] = {"model": [], "human": [], "random": []}
    windows = [decode(row["input_ids"]) for row in rows]
    for index, row in enumerate(tqdm(rows, desc="PCS")):
        shift = row["key_shift"] if normalises_key(model) else 0
        prompt = transpose_ids(torch.tensor(row["input_ids"][: row["target_start"]]), shift).tolist()
        keys = {"lowest": LOWEST_PITCH + max(shift, 0), "highest": HIGHEST_PITCH + min(shift, 0)}
        ids = [*engine.continue_prompt(prompt, state_after(prompt, **keys), Sampling(), generator)]
        written = decode_notes(ids, loud=True)
        written["pitch"] -= shift
        melody, other = windows[index].melody, windows[(index + 1) % len(windows)].accompaniment
        candidates = {"model": written, "human": windows[index].accompaniment, "random": other}
        for name, notes in candidates.items():
            scores[name].append(pitch_consonance_score(melody, notes, step_ms=SIXTEENTH_MS))
    return {name: float(np.nanmean(values)) for name, values in scores.items()}


def print_table(results: dict[str, Any]) -> None:
    print("| corpus/split | windows | model | unigram | untrained | (nats per accompaniment note)")
    for name, row in results.items():
        figures = (f"{row[kind]['nats_per_note']:.2f}" for kind in ("model", "unigram", "untrained"))
        print(f"| {name} | {row['model']['windows']} | {' | '.join(figures)} |", row.get("pcs", ""))


if __name__ == "__main__":
    raise SystemExit(main())

"""Make a trained model the package's default: half-precision safetensors, tokenizer, curves, and cards with its figures.

    python scripts/evaluate_model.py --dataset data/pianalysis --model runs/small/best --pieces 100 --json likelihood.json
    python scripts/bundle_checkpoint.py --run runs/small --likelihood likelihood.json --dataset data/pianalysis

`--run` is the `--output-dir` of scripts/train.py. The weights of the bundle are float16; `--likelihood` may be of
either precision (the closing line of this script compares them on a few windows).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import EvalResult, ModelCard, ModelCardData
from matplotlib.figure import Figure
from transformers import GenerationConfig

from pianalysis import vocab
from pianalysis.dataset import load_windows
from pianalysis.metrics import model_likelihood
from pianalysis.model import BUNDLED, load_model, save_model

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "pianalysis" / "data" / "model_card_template.md"
CORPORA = {"pop909": "POP909", "openscore_lieder": "OpenScore Lieder"}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, metavar="DIR")
    parser.add_argument("--likelihood", type=Path, required=True, metavar="FILE")
    parser.add_argument("--dataset", required=True, metavar="DIR_OR_ID")
    parser.add_argument(
        "--minutes", type=float, required=True, help="wall-clock minutes of training, all runs together"
    )
    parser.add_argument("--history", default="", metavar="TEXT", help="what came before this run, for the card")
    parser.add_argument("--output", type=Path, default=Path(BUNDLED))
    args = parser.parse_args(argv)
    best = args.run / "best"
    model = load_model(best)
    save_model(model.to(torch.float16), args.output)
    generation = GenerationConfig(
        do_sample=True,
        temperature=0.9,
        top_k=50,
        top_p=0.95,
        max_length=2048,
        bos_token_id=vocab.BOS,
        eos_token_id=vocab.EOS,
        pad_token_id=vocab.PAD,
    )
    generation.save_pretrained(args.output)
    state = json.loads((best / "trainer_state.json").read_text())
    # The only value in it that names a folder of the machine that trained.
    state["best_model_checkpoint"] = Path(state["best_model_checkpoint"]).name
    (args.output / "trainer_state.json").write_text(json.dumps(state, indent=1) + "\n")
    command = json.loads((best / "command.json").read_text())
    draw_curves(state, args.output / "training_curves.png")
    train = load_windows(args.dataset, "train")
    tokens_seen = state["global_step"] * command["batch_size"] * trained_length(train, command["max_length"])
    figures = json.loads(args.likelihood.read_text())
    card = make_card(model, state, command, figures, len(train), tokens_seen, args.minutes, args.history)
    card.save(args.output / "README.md")
    (ROOT / "model_card.md").write_text(
        str(card).replace("](training_curves.png)", "](pianalysis/data/checkpoint/training_curves.png)")
    )
    check_precision(best, args.output, args.dataset)
    return 0


def trained_length(train: Any, max_length: int) -> float:
    """Mean tokens of a training window, as cut by training."""
    lengths = [min(len(ids), max_length) for ids in train.select(range(0, len(train), 37))["input_ids"]]
    return sum(lengths) / len(lengths)


def draw_curves(state: dict[str, Any], path: Path) -> None:
    """Training loss per token and validation nats per note over the steps."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    history = state["log_history"]
    for axes, key, label in (
        (left, "loss", "training loss, nats per token"),
        (right, "eval_nats_per_note", "validation, nats per note"),
    ):
        points = [(entry["step"], float(entry[key])) for entry in history if key in entry]
        axes.plot(*zip(*points, strict=True), color="#0072B2", marker="." if key.startswith("eval") else "")
        axes.set(xlabel="step", title=label)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def make_card(
    model: Any,
    state: dict[str, Any],
    command: dict[str, Any],
    figures: dict[str, Any],
    windows: int,
    tokens_seen: float,
    minutes: float,
    history: str,
) -> ModelCard:
    config = model.config
    results = [
        EvalResult(
            task_type="text-generation",
            task_name="piano accompaniment",
            dataset_type=name.split("/")[0],
            dataset_name=CORPORA[name.split("/")[0]],
            dataset_split=name.split("/")[1],
            metric_type="nats_per_note",
            metric_name="nats per accompaniment note",
            metric_value=round(row["model"]["nats_per_note"], 3),
        )
        for name, row in figures.items()
    ]
    data = ModelCardData(
        license="mit",
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["music", "midi", "piano", "symbolic-music", "accompaniment"],
        model_name="pianalysis",
        eval_results=results,
    )
    return ModelCard.from_template(
        data,
        template_path=str(TEMPLATE),
        parameters=f"{model.num_parameters() / 1e6:.2f} M",
        megabytes=f"{model.num_parameters() * 2 / 1e6:.1f}",
        dtype="float16",
        layers=config.n_layer,
        width=config.n_embd,
        heads=config.n_head,
        positions=config.n_positions,
        train_windows=f"{windows:,}",
        tokens_seen=f"{tokens_seen / 1e6:.1f} million",
        minutes=f"{minutes:.0f}",
        steps=f"{state['global_step']:,}",
        optimizer={"muon": "Muon on the blocks' matrices, AdamW on the rest", "adamw": "AdamW"}[command["optimizer"]],
        command=command_line(command),
        history=f" {history}" if history else "",
        table=likelihood_table(figures),
        pcs=consonance_lines(figures),
        **{key: command[key] for key in SHOWN},
    )


SHOWN = (
    "melody_weight",
    "learning_rate",
    "warmup_steps",
    "decay_steps",
    "weight_decay",
    "dropout",
    "batch_size",
    "max_length",
    "seed",
)


def command_line(command: dict[str, Any]) -> str:
    """The command that trained, with neutral names for this machine's folders."""
    neutral = {**command, "dataset": "data/pianalysis", "output_dir": "runs/small"}
    words = ["accelerate launch scripts/train.py"]
    for key, value in neutral.items():
        if value is True:
            words.append(f"--{key.replace('_', '-')}")
        elif value not in (None, False):
            words.append(f"--{key.replace('_', '-')} {value}")
    return " ".join(words)


def likelihood_table(figures: dict[str, Any]) -> str:
    lines = [
        "| corpus, split | windows | notes | this model | unigram | untrained | this model, bits per second |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, row in figures.items():
        corpus, split = name.split("/")
        nats = " | ".join(f"{row[kind]['nats_per_note']:.2f}" for kind in ("model", "unigram", "untrained"))
        model = row["model"]
        lines.append(
            f"| {CORPORA[corpus]}, {split} | {model['windows']:,} | {model['notes']:,} | {nats} | {model['bits_per_second']:.1f} |"
        )
    return "\n".join(lines)


def consonance_lines(figures: dict[str, Any]) -> str:
    rows = {name: row["pcs"] for name, row in figures.items() if "pcs" in row}
    if not rows:
        return ""
    lines = ["Pitch consonance score (Yeh et al. 2021) of the melody with the accompaniment, test windows:", ""]
    lines += ["| corpus | this model | human | another window's accompaniment |", "|---|--:|--:|--:|"]
    for name, pcs in rows.items():
        lines.append(
            f"| {CORPORA[name.split('/')[0]]} | {pcs['model']:.2f} | {pcs['human']:.2f} | {pcs['random']:.2f} |"
        )
    return "\n".join(lines)


def check_precision(full: Path, half: Path, dataset: str) -> None:
    rows = load_windows(dataset, "validation").select(range(0, 1_000, 50))
    exact, rounded = (model_likelihood(load_model(folder), rows).nats_per_note for folder in (full, half))
    print(f"{half}: {rounded:.4f} nats per note in float16, {exact:.4f} in float32 ({rounded / exact - 1:+.3%})")


if __name__ == "__main__":
    raise SystemExit(main())

"""Markdown tables of a model's card: likelihoods, a search of settings, the speed of training.

In: what the scripts that measure write as JSON. Out: tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pianalysis.model_cards import RunRecord

CORPORA: Final = {
    "pop909": "POP909",
    "openscore_lieder": "OpenScore Lieder",
    "polish_scores": "Heritage of Polish music",
    "hymns": "hymns, songs and carols",
    "openewld": "OpenEWLD",
    "folder": "the user's folder",
}


def search_table(runs: Sequence[dict[str, Any]]) -> str:
    """The runs of a search as a Markdown table, best first, each beside the run named base (or else the first)."""
    lines = [
        "| run | learning rate | batch | steps | million tokens | nats per note | against the base |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    base = next((row["nats_per_note"] for row in runs if row["name"] == "base"), runs[0]["nats_per_note"])
    for row in sorted(runs, key=lambda row: float(row["nats_per_note"])):
        lines.append(
            f"| {row['name']} | {row['learning_rate']:.4g} | {row['batch_size']} | {row['steps']:,} | "
            f"{row['tokens'] / 1e6:.2f} | {row['nats_per_note']:.3f} | {row['nats_per_note'] - base:+.3f} |"
        )
    return "\n".join(lines)


def speed_table(steps: Sequence[dict[str, Any]]) -> str:
    """Training steps beside a plain loop as a Markdown table: rows of `scripts/benchmark.py training`."""
    lines = [
        "| model | batch | length | tokens/s | of the plain loop | ratio | peak memory, MB | of the plain loop |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for step in steps:
        lines.append(
            f"| {step['model']} | {step['batch_size']} | {step['length']:,} | {step['ours_tokens_per_second']:,.0f} | "
            f"{step['loop_tokens_per_second']:,.0f} | {step['ratio']:.2f} | {step['ours_peak_mb']:,.0f} | "
            f"{step['loop_peak_mb']:,.0f} |"
        )
    return "\n".join(lines)


def likelihood_table(figures: dict[str, Any]) -> str:
    """The likelihoods as a Markdown table; `figures` as `scripts/evaluate_model.py --json` writes them."""
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


def runs_table(records: Sequence[RunRecord]) -> str:
    """The runs that made a checkpoint, first to last."""
    lines = [
        "| run | steps | million tokens | minutes | on | optimizer, learning rate | best validation |",
        "|--:|--:|--:|--:|---|---|--:|",
    ]
    for number, record in enumerate(records, start=1):
        options = record.options
        lines.append(
            f"| {number} | {record.steps:,} | {record.tokens / 1e6:.1f} | {record.minutes:,.0f} | {record.device} | "
            f"{options['optimizer']}, {options['learning_rate']} | {record.best_nats_per_note:.3f} |"
        )
    return "\n".join(lines)

"""What overfitting looks like here, and what keeps it away: the same model on few songs, without and with augmentation.

    pianalysis prepare --corpus pop909 --root POP909.tar.xz --limit 30 --output data/few
    python scripts/show_overfitting.py --dataset data/few --output-dir runs/overfitting --image overfitting.png

The first run sees every window as it is, without dropout; the second transposes each window at random, writes one in five
at half or double tempo, and has dropout. Both stop when validation hasn't fallen for `--patience` evaluations. Loss is
per token on the training windows, validation in nats per accompaniment note; no evaluation sees an augmented window.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from pianalysis.publishing.records import RunRecord, read_records
from pianalysis.training.runs import BEST, RunOptions, train

RUNS = {
    "as they are": {"transpose": "none", "dropout": 0.0},
    "augmented, dropout 0.1": {"transpose": "random", "dropout": 0.1, "tempo_share": 0.2},
}
COLOURS = ("#D55E00", "#0072B2")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, metavar="DIR", help="few songs: `pianalysis prepare --limit 30`")
    parser.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    parser.add_argument("--image", type=Path, required=True, metavar="FILE.png")
    parser.add_argument("--model", default="small")
    parser.add_argument("--max-steps", type=int, default=600)
    parser.add_argument("--eval-steps", type=int, default=25)
    parser.add_argument("--patience", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bf16", action="store_true")
    args = parser.parse_args(argv)
    names = ("model", "max_steps", "eval_steps", "patience", "learning_rate", "batch_size", "threads", "bf16")
    records = {}
    for number, (name, differing) in enumerate(RUNS.items(), start=1):
        folder = args.output_dir / str(number)
        shared = {option: getattr(args, option) for option in names}
        if not (folder / BEST).exists():
            run = RunOptions(args.dataset, str(folder), **shared, **differing, warmup_steps=20, decay_steps=1, cpu=True)
            train(replace(run, resume=True))  # an interrupted run goes on
        (records[name],) = read_records(folder / BEST)
        print(describe(name, records[name]))
    draw(records, args.image)
    print(f"written: {args.image}")
    return 0


def describe(name: str, record: RunRecord) -> str:
    points = curve(record, "eval_nats_per_note")
    best = min(points, key=lambda point: point[1])
    return (
        f"{name}: {record.windows} training windows, stopped at step {record.steps}; validation {best[1]:.3f} nats per "
        f"note at its best (step {best[0]}), {points[-1][1]:.3f} at the end; training loss {curve(record, 'loss')[-1][1]:.3f}"
    )


def curve(record: RunRecord, key: str) -> list[tuple[float, float]]:
    return [(entry["step"], entry[key]) for entry in record.log if key in entry]


def draw(records: dict[str, RunRecord], path: Path) -> None:
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    panels = {"loss": "training loss, nats per token", "eval_nats_per_note": "validation, nats per note"}
    for axes, (key, title) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        for (name, record), colour in zip(records.items(), COLOURS, strict=True):
            axes.plot(*zip(*curve(record, key), strict=True), color=colour, label=name, marker=".")
        axes.set(xlabel="step", title=title)
        axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    raise SystemExit(main())

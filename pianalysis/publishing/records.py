"""The records of the runs that made a checkpoint, and the curves of their losses.

In: a run's state, or a folder. Out: `RunRecord`s, and a picture.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

RECORDS_FILE: Final = "training.json"
NOT_SHOWN: Final = (
    *("resume", "push_to_hub", "push_best", "hub_strategy", "private", "tag", "time_limit", "threads"),
    "output_dir",
)
"""Options that say nothing of the result."""
CURVES: Final = (("loss", "training loss, nats per token"), ("eval_nats_per_note", "validation, nats per note"))


@dataclass(frozen=True)
class RunRecord:
    """One run: its options, how far it went, and its log (step, tokens, minutes, loss, eval_nats_per_note).

    after, after_nats_per_note: commands that changed the weights when it was over, and what they came to.
    """

    options: dict[str, Any]
    steps: int
    tokens: int
    minutes: float
    device: str
    windows: int
    best_nats_per_note: float
    log: list[dict[str, float]] = field(default_factory=list)
    after: str = ""
    after_nats_per_note: float | None = None

    @classmethod
    def of(cls, state: Any, options: dict[str, Any], *, device: str, windows: int) -> RunRecord:
        """The record of a run whose `TrainerState` is given; `windows`: of the training split."""
        kept = ("step", "minutes", "tokens", "learning_rate", *(name for name, _ in CURVES))
        log = [{name: entry[name] for name in kept if name in entry} for entry in state.log_history]
        shown = {name: value for name, value in options.items() if name not in NOT_SHOWN}
        for name, place in (("dataset", "data"), ("model", "runs")):  # folders of this machine are nobody's business
            if Path(str(shown[name])).exists():
                shown[name] = f"{place}/{Path(str(shown[name])).resolve().name}"
        return cls(
            shown,
            int(state.global_step),
            int(state.num_input_tokens_seen),
            max((entry.get("minutes", 0.0) for entry in log), default=0.0),
            device,
            windows,
            float(state.best_metric if state.best_metric is not None else "nan"),
            log,
        )

    @property
    def nats_per_note(self) -> float:
        """On validation, of the weights as they are in the end."""
        return self.best_nats_per_note if self.after_nats_per_note is None else self.after_nats_per_note

    @property
    def command(self) -> str:
        """The command that trained, as `scripts/train.py` takes it."""
        words = ["accelerate launch scripts/train.py"]
        for name, value in self.options.items():
            if value is True:
                words.append(f"--{name.replace('_', '-')}")
            elif value is not None and value is not False:  # 0 is said too
                words.append(f"--{name.replace('_', '-')} {shlex.quote(str(value))}")
        return " ".join(words)


def read_records(folder: Path) -> list[RunRecord]:
    """The runs that made the checkpoint in a folder, first to last; none where nothing is recorded."""
    file = folder / RECORDS_FILE
    if not file.exists():
        return []
    return [RunRecord(**record) for record in json.loads(file.read_text(encoding="utf-8"))]


def history_before(model: str) -> list[RunRecord]:
    """What is recorded of the model that a run goes on from: a folder's runs; none for a preset or a Hub id."""
    return read_records(Path(model))


def draw_curves(records: Sequence[RunRecord], path: Path) -> None:
    """Training loss and validation over the million tokens seen, all runs in a row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for axes, (key, label) in zip(figure.subplots(1, 2), CURVES, strict=True):
        before = 0
        for record in records:
            points = [
                ((before + entry.get("tokens", record.tokens * entry["step"] / max(record.steps, 1))) / 1e6, entry[key])
                for entry in record.log
                if key in entry
            ]
            if points:
                axes.plot(*zip(*points, strict=True), marker="." if key.startswith("eval") else "")
            before += record.tokens
        axes.set(xlabel="million tokens", title=label)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)

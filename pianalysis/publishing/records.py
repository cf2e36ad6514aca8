"""The records of the runs that made a checkpoint, and the curves of their losses.

In: a run's state, or a folder. Out: `RunRecord`s, and a picture.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pianalysis.hub_errors import HubError
from pianalysis.publishing import hub
from pianalysis.publishing.commands import on_the_hub, shown_path

RECORDS_FILE: Final = "training.json"
NOT_SHOWN: Final = ("resume", "push_to_hub", "push_best", "hub_strategy", "private", "tag", "time_limit", "threads")
"""Options that say nothing of the result."""
CURVES: Final = (("loss", "training loss, nats per token"), ("eval_nats_per_note", "validation, nats per note"))


@dataclass(frozen=True)
class RunRecord:
    """One run: its options, how far it went, and its log (step, tokens, minutes, loss, eval_nats_per_note).

    after, after_nats_per_note: commands that changed the weights when it was over, and what they came to.
    decay_from: the step at which the learning rate began to fall before it was planned. ended: why it was over before its
    steps were done. corpora: of its windows. dataset_id: where its dataset is on the Hub, if it is known to be there.
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
    decay_from: int | None = None
    ended: str = ""
    corpora: list[str] = field(default_factory=list)
    dataset_id: str = ""

    @classmethod
    def of(
        cls,
        state: Any,
        options: dict[str, Any],
        *,
        device: str,
        windows: int,
        decay_from: int | None = None,
        ended: str = "",
        corpora: Sequence[str] = (),
    ) -> RunRecord:
        """The record of a run whose `TrainerState` is given; `windows`: of the training split."""
        kept = ("step", "minutes", "tokens", "learning_rate", *(name for name, _ in CURVES))
        log = [{name: entry[name] for name in kept if name in entry} for entry in state.log_history]
        shown = {name: value for name, value in options.items() if name not in NOT_SHOWN}
        for name, home in (("dataset", "data"), ("model", "runs")):  # folders of this machine are nobody's business
            if Path(str(shown[name])).exists():
                shown[name] = shown_path(str(shown[name]), home)
        if "output_dir" in shown:
            shown["output_dir"] = shown_path(str(shown["output_dir"]), "runs")
        return cls(
            shown,
            int(state.global_step),
            int(state.num_input_tokens_seen),
            max((entry.get("minutes", 0.0) for entry in log), default=0.0),
            device,
            windows,
            float(state.best_metric if state.best_metric is not None else "nan"),
            log,
            decay_from=decay_from,
            ended=ended,
            corpora=sorted(corpora),
            dataset_id=dataset_id(str(options["dataset"])),
        )

    @property
    def nats_per_note(self) -> float:
        """On validation, of the weights as they are in the end."""
        return self.best_nats_per_note if self.after_nats_per_note is None else self.after_nats_per_note


def read_records(folder: Path) -> list[RunRecord]:
    """The runs that made the checkpoint in a folder, first to last; none where nothing is recorded."""
    file = folder / RECORDS_FILE
    if not file.exists():
        return []
    return [RunRecord(**record) for record in json.loads(file.read_text(encoding="utf-8"))]


def history_before(model: str) -> list[RunRecord]:
    """What is recorded of the model that a run goes on from, in its folder or on the Hub; nothing for a preset."""
    if Path(model).is_dir():
        return read_records(Path(model))
    return list(_history_on_the_hub(model)) if on_the_hub(model) else []


@lru_cache(maxsize=4)
def _history_on_the_hub(repo_id: str) -> tuple[RunRecord, ...]:
    """Asked for before the first step, when the model comes from there too, and known still if the Hub is gone later."""
    try:
        return tuple(read_records(hub.fetch_folder(repo_id, repo_type="model", allow_patterns=[RECORDS_FILE])))
    except HubError:
        return ()


def dataset_id(dataset: str) -> str:
    """Where a dataset is on the Hub: it is named so, or its folder's card says so; empty where nothing does."""
    if not Path(dataset).is_dir():
        return on_the_hub(dataset) or ""
    card = Path(dataset, "README.md")
    text = card.read_text(encoding="utf-8") if card.is_file() else ""
    found = re.search(r'load_dataset\("([^"]+)"', text)
    return found[1] if found and found[1] != "ORG/NAME" else ""


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

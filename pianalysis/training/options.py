"""What a training run is asked to do: `RunOptions`.

In: words and numbers. Out: a checked, frozen record of them. Each field carries what the command line says of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from pianalysis.errors import PianalysisError

HubStrategy = Literal["end", "every_save", "checkpoint"]
Transpose = Literal["none", "random", "key"]
HOW, WHEN, HUB = "training", "schedule", "the Hub"
"""The groups of options on the command line; what the run is of stands in none."""


def _option(help: str, default: Any = None, group: str | None = None, **more: Any) -> Any:
    """A field with its words on the command line; more: choices and metavar, as argparse has them."""
    return field(default=default, metadata={"help": help, "group": group, **more})


@dataclass(frozen=True)
class RunOptions:
    """What a run is asked to do; `help` in each field's metadata says what it is. Raises PianalysisError out of range."""

    dataset: str = field(
        metadata={"help": "a folder of `pianalysis prepare`, or a Hub dataset", "group": None, "metavar": "DIR_OR_ID"}
    )
    output_dir: str = field(
        metadata={"help": "where checkpoints, logs and the best go", "group": None, "metavar": "DIR"}
    )
    model: str = _option("canonical, small, tiny, or a folder or Hub id to go on from", "canonical")
    batch_size: int = _option("windows a step, over all processes and accumulated batches", 16, HOW)
    accumulate: int = _option("in so many parts, one after the other", 1, HOW)
    max_length: int = _option("tokens of a window that are trained on", 1024, HOW)
    learning_rate: float = _option("the highest", 3e-3, HOW)
    optimizer: str = _option("of the blocks' matrices; the rest has AdamW", "muon", HOW, choices=("adamw", "muon"))
    schedule: str = _option("of the learning rate", "wsd", WHEN, choices=("wsd", "cosine"))
    weight_decay: float = _option("of the blocks' matrices", 0.1, HOW)
    dropout: float = _option("of embeddings and of what each layer adds", 0.0, HOW)
    melody_weight: float = _option("of the loss on the melody", 0.2, HOW)
    transpose: Transpose | None = _option(  # noqa: RUF009
        "training windows by −6…+5 semitones, or each piece to C major or A minor (validation too), or not "
        "(default: as the model was trained, random for a new one)",
        None,
        HOW,
        choices=("random", "key", "none"),
    )
    tempo_share: float = _option("of windows at half or double tempo", 0.0, HOW, metavar="P")
    max_steps: int = _option("", 10_000, WHEN)
    warmup_steps: int = _option("the first steps, up to the learning rate", 200, WHEN)
    decay_steps: int = _option("wsd: the last steps, down to 0", 2_000, WHEN)
    eval_steps: int = _option("also between checkpoints", 250, WHEN)
    eval_windows: int = _option("validation windows, evenly spaced; 0 for all", 200, WHEN)
    patience: int = _option("evaluations without improvement before stopping", 5, WHEN)
    time_limit: float | None = _option("stop cleanly after so long, with a checkpoint", None, WHEN, metavar="MINUTES")
    seed: int = _option("of fresh weights, batches and transpositions", 0, metavar="N")
    plain_init: bool = _option("GPT-2's own random embeddings, not structured ones", False, HOW)
    compile: bool = _option("torch.compile: faster after a minute; needs a C++ compiler", False, HOW)
    bf16: bool = _option("half-precision arithmetic, where the hardware has it", False, HOW)
    cpu: bool = _option("on the CPU, whatever else there is", False, HOW)
    threads: int | None = _option("CPU threads", None, HOW, metavar="N")
    resume: bool = _option("go on from the newest whole checkpoint", False)
    push_to_hub: str | None = _option("publish the model, its tokenizer and card", None, HUB, metavar="ORG/NAME")
    hub_strategy: HubStrategy = _option(  # noqa: RUF009
        "the best at the end; also each save; or each save with all that --resume needs on another machine",
        "end",
        HUB,
        choices=get_args(HubStrategy),
    )
    push_best: bool = _option(
        "push the best so far also when the run ends before its end: --time-limit, Ctrl-C", False, HUB
    )
    private: bool = _option("as a private repository", False, HUB)
    tag: str | None = _option("name the last commit", None, HUB, metavar="NAME")

    def __post_init__(self) -> None:
        for name in _AT_LEAST_1:
            if getattr(self, name) < 1:
                raise PianalysisError(f"expected {name} of at least 1, found {getattr(self, name)}")
        for name in _AT_LEAST_0:
            if getattr(self, name) < 0:
                raise PianalysisError(f"expected {name} of at least 0, found {getattr(self, name)}")
        if self.push_best and not self.push_to_hub:
            raise PianalysisError("--push-best says when to push; say where, too: --push-to-hub ORG/NAME")
        if not 0 < self.learning_rate < 1:
            raise PianalysisError(f"expected a learning rate above 0 and below 1, found {self.learning_rate}")


_AT_LEAST_1: Final = ("batch_size", "accumulate", "max_length", "max_steps", "eval_steps", "patience")
_AT_LEAST_0: Final = ("melody_weight", "weight_decay", "tempo_share", "warmup_steps", "decay_steps")

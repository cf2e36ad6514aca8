"""What a training run is asked to do: `RunOptions`.

In: words and numbers. Out: a checked, frozen record of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pianalysis.errors import PianalysisError
from pianalysis.training.batches import Transpose

HubStrategy = Literal["end", "every_save", "checkpoint"]


@dataclass(frozen=True)
class RunOptions:
    """What a run is asked to do. batch_size: windows a step, over all processes and accumulated batches.

    dropout: of embeddings and of what each layer adds. decay_steps: the last steps, in which the rate falls to 0 (schedule
    wsd). eval_windows: validation windows, evenly spaced, 0 for all. patience: evaluations without improvement before stopping. time_limit: minutes.
    """

    dataset: str
    output_dir: str
    model: str = "canonical"
    batch_size: int = 16
    accumulate: int = 1
    max_length: int = 1024
    learning_rate: float = 3e-3
    optimizer: str = "muon"
    schedule: str = "wsd"
    weight_decay: float = 0.1
    dropout: float = 0.0
    melody_weight: float = 0.2
    transpose: Transpose | None = None
    tempo_share: float = 0.0
    max_steps: int = 10_000
    warmup_steps: int = 200
    decay_steps: int = 2_000
    eval_steps: int = 250
    eval_windows: int = 200
    patience: int = 5
    time_limit: float | None = None
    seed: int = 0
    plain_init: bool = False
    compile: bool = False
    bf16: bool = False
    cpu: bool = False
    threads: int | None = None
    resume: bool = False
    push_to_hub: str | None = None
    hub_strategy: HubStrategy = "end"
    private: bool = False
    tag: str | None = None

    def __post_init__(self) -> None:
        for name in ("batch_size", "accumulate", "max_length", "max_steps", "eval_steps", "patience"):
            if getattr(self, name) < 1:
                raise PianalysisError(f"expected {name} of at least 1, found {getattr(self, name)}")
        for name in ("melody_weight", "weight_decay", "tempo_share", "warmup_steps", "decay_steps"):
            if getattr(self, name) < 0:
                raise PianalysisError(f"expected {name} of at least 0, found {getattr(self, name)}")
        if not 0 < self.learning_rate < 1:
            raise PianalysisError(f"expected a learning rate above 0 and below 1, found {self.learning_rate}")

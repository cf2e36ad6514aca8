"""Optimizers: AdamW, or Muon on the blocks' matrices with AdamW on the rest.

In: a model. Out: a `torch.optim.Optimizer` that one learning-rate schedule moves.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import nn

OPTIMIZERS: Final = ("adamw", "muon")
ADAM_BETAS: Final = (0.9, 0.98)


class MuonWithAdamW(torch.optim.Optimizer):
    """`torch.optim.Muon` on the hidden layers' matrices, AdamW on everything else, as one optimizer.

    Both read their learning rate from this optimizer's groups, so that one schedule moves both.
    """

    def __init__(
        self, matrices: list[nn.Parameter], others: list[nn.Parameter], lr: float, weight_decay: float
    ) -> None:
        super().__init__([{"params": matrices}, {"params": others}], {"lr": lr, "weight_decay": weight_decay})
        self._parts = (
            torch.optim.Muon(matrices, lr=lr, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=lr, betas=ADAM_BETAS, weight_decay=0.0),
        )

    def step(self, closure: Any = None) -> Any:
        for group, part in zip(self.param_groups, self._parts, strict=True):
            part.param_groups[0]["lr"] = group["lr"]
            part.step()

    def state_dict(self) -> dict[str, Any]:
        return {
            "groups": [{"lr": group["lr"]} for group in self.param_groups],
            "parts": [part.state_dict() for part in self._parts],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for group, saved in zip(self.param_groups, state_dict["groups"], strict=True):
            group["lr"] = saved["lr"]
        for part, saved in zip(self._parts, state_dict["parts"], strict=True):
            part.load_state_dict(saved)


def make_optimizer(model: nn.Module, name: str, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
    """AdamW, or Muon for the matrices of the blocks with AdamW for the rest; no decay on vectors and embeddings."""
    matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and ".h." in n]
    others = [p for n, p in model.named_parameters() if not (p.ndim == 2 and ".h." in n)]
    if name == "muon":
        return MuonWithAdamW(matrices, others, learning_rate, weight_decay)
    fused = matrices[0].is_cuda
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=ADAM_BETAS, fused=fused)

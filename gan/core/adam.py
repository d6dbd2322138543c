"""Adam in one fused call, without what torch.optim brings along.

torch.optim.Adam imports the compiler when it is made, which takes about a second of every start, and its fused step
trusts that a gradient lies in memory as its parameter does. The arithmetic is torch's own kernel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import torch
from torch import Tensor


class AdamState(TypedDict):
    """What survives a step: for each parameter, by its place, {step, exp_avg, exp_avg_sq}; empty before the first."""

    state: dict[int, dict[str, Tensor]]


class Adam:
    """Kingma & Ba 2015, algorithm 1, for `params`; `lr` may change between steps, and be a scalar on their device.

    `state_dict` is laid out as torch's.
    """

    def __init__(self, params: Sequence[Tensor], lr: float | Tensor, betas: tuple[float, float], eps: float) -> None:
        self.params, self.lr, self.betas, self.eps = list(params), lr, betas, eps
        self.state: dict[int, dict[str, Tensor]] = {}

    @torch.no_grad()
    def step(self, grads: Sequence[Tensor]) -> None:
        """One update with the gradient of each parameter, in order."""
        if not self.state:
            self.state = {i: _empty_slots(p) for i, p in enumerate(self.params)}
        slots = [self.state[i] for i in range(len(self.params))]
        means, squares, steps = ([s[name] for s in slots] for name in ("exp_avg", "exp_avg_sq", "step"))
        grads = [_laid_out_like(p, g) for p, g in zip(self.params, grads, strict=True)]
        torch._foreach_add_(steps, 1)
        torch._fused_adam_(
            self.params, grads, means, squares, [], steps,
            lr=self.lr, beta1=self.betas[0], beta2=self.betas[1], weight_decay=0.0, eps=self.eps,
            amsgrad=False, maximize=False,
        )  # fmt: skip

    def state_dict(self) -> AdamState:
        return {"state": {i: dict(slots) for i, slots in self.state.items()}}

    def load_state_dict(self, state: AdamState) -> None:
        self.state = {int(i): _slots_like(self.params[int(i)], slots) for i, slots in state["state"].items()}


def _empty_slots(p: Tensor) -> dict[str, Tensor]:
    steps = torch.zeros((), dtype=torch.float32, device=p.device)
    return {"step": steps, "exp_avg": torch.zeros_like(p), "exp_avg_sq": torch.zeros_like(p)}


def _slots_like(p: Tensor, saved: dict[str, Tensor]) -> dict[str, Tensor]:
    """Copies in the memory layout of the parameter, whatever layout the file had."""
    slots = _empty_slots(p)
    for name, slot in slots.items():
        slot.copy_(saved[name])
    return slots


def _laid_out_like(p: Tensor, g: Tensor) -> Tensor:
    """The kernel walks parameter and gradient in the order of memory, so both must lie there in the same order."""
    return g if g.stride() == p.stride() else torch.empty_like(p).copy_(g)

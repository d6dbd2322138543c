"""Augmentation whose probability follows D: little while D is unsure of real pictures, more once it knows them.

Karras et al. 2020 (Training Generative Adversarial Networks with Limited Data), section 3, with their heuristic r_t.
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan.core.config import Config
from gan.losses.objectives import Objective

AVERAGED = 256  # pictures that the mean sign is taken over: four batches of 64 in the paper
IMAGES = 10_000  # pictures in which the probability can go from 0 to 1; 500,000 in the paper, for runs of days


class AdaptiveProbability:
    """p, with which each operation changes each picture, and r, the mean sign of D on real pictures.

    After each batch p takes a step up where r is above `target`, else down, within [0, 1]. Both are tensors on the
    device, changed in place, so that no step waits for the device and a recorded step can be replayed.

    Args:
        target: in (0, 1]; 0.6 in the paper.
        boundary: the logit above which D takes a picture for a real one.
    """

    STATE = ("p", "r")

    def __init__(self, target: float, boundary: float, device: torch.device) -> None:
        self.target, self.boundary = target, boundary
        self.p, self.r = (torch.zeros((), device=device) for _ in range(2))

    @classmethod
    def of(cls, config: Config, objective: Objective, device: torch.device) -> AdaptiveProbability | None:
        """What these settings ask for; None: augmentation without a target, or none."""
        if not config.augment_target:
            return None
        assert objective.boundary is not None  # gan/training/checks refuses it elsewhere
        return cls(config.augment_target, objective.boundary, device)

    @torch.no_grad()
    def follow(self, mean_sign: Tensor, images: int) -> None:
        """Take a step. mean_sign: of the logits of so many real pictures, all processes' (`sign_of`)."""
        self.r.lerp_(mean_sign, min(1.0, images / AVERAGED))
        self.p.add_((self.r - self.target).sign(), alpha=images / IMAGES).clamp_(0, 1)

    def sign_of(self, logits: Tensor) -> Tensor:
        """Of logits [N] of real pictures: 1 where D finds all real, −1 where it finds none, a scalar."""
        return (logits.detach() - self.boundary).sign().mean()

    def state_dict(self) -> dict[str, Tensor]:
        return {name: getattr(self, name) for name in self.STATE}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        for name, now in self.state_dict().items():
            now.copy_(state[name])

"""What each player minimises: pure functions of logits, unreduced, so that only the trainer averages.

`real` and `fake` are the discriminator's logits [N]; both players may see both, which lets relativistic objectives
sit beside the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

Part = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """A pair of losses. `d_real + d_fake` is the discriminator's loss; `split` updates take one part at a time.

    `is_probability` says whether sigmoid(logit) is D's belief that a picture is real; otherwise the raw score is shown.
    """

    title: str
    about: str  # two sentences and the source, for the page
    d_real: Part
    d_fake: Part
    g: Part
    is_probability: bool

    def d_loss(self, real: Tensor, fake: Tensor) -> Tensor:  # [N], [N] -> [N]
        return self.d_real(real) + self.d_fake(fake)

    def g_loss(self, fake: Tensor, real: Tensor) -> Tensor:  # [N], [N] -> [N]
        return self.g(fake)

    def verdict(self, logits: Tensor) -> Tensor:
        """What the page calls D's verdict: a probability of being real in [0, 1], or an unbounded score."""
        return logits.sigmoid() if self.is_probability else logits


# -log sigmoid(l) = softplus(-l) and -log(1 - sigmoid(l)) = softplus(l): binary cross-entropy on logits.
OBJECTIVES: dict[str, Objective] = {
    "non-saturating": Objective(
        "Non-saturating",
        "D learns real = 1, fake = 0; G raises the log-probability that its pictures are real. "
        "Its gradient stays strong when D is sure. Goodfellow et al. 2014, section 3.",
        d_real=lambda real: softplus(-real),
        d_fake=lambda fake: softplus(fake),
        g=lambda fake: softplus(-fake),
        is_probability=True,
    ),
    "minimax": Objective(
        "Minimax",
        "The game as first written: G lowers exactly what D raises. "
        "G's gradient vanishes when D is sure. Goodfellow et al. 2014, equation 1.",
        d_real=lambda real: softplus(-real),
        d_fake=lambda fake: softplus(fake),
        g=lambda fake: -softplus(fake),
        is_probability=True,
    ),
    "least-squares": Objective(
        "Least squares",
        "D's score is drawn to 1 on real and 0 on fake pictures by squared error; G draws its scores to 1. "
        "Mao et al. 2017, equation 9.",
        d_real=lambda real: 0.5 * (real - 1).square(),
        d_fake=lambda fake: 0.5 * fake.square(),
        g=lambda fake: 0.5 * (fake - 1).square(),
        is_probability=False,
    ),
    "hinge": Objective(
        "Hinge",
        "D only cares about pictures inside its margin of ±1; G raises D's score. "
        "Lim & Ye 2017; Miyato et al. 2018, equations 16 and 17.",
        d_real=lambda real: relu(1 - real),
        d_fake=lambda fake: relu(1 + fake),
        g=lambda fake: -fake,
        is_probability=False,
    ),
    "wasserstein": Objective(
        "Wasserstein",
        "D (the critic) estimates how far apart the two distributions are; G brings them together. "
        "Needs a D that is not steep: use it with the gradient penalty. Arjovsky et al. 2017, equation 2.",
        d_real=lambda real: -real,
        d_fake=lambda fake: fake,
        g=lambda fake: -fake,
        is_probability=False,
    ),
}


def mean_verdicts(objective: Objective, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """D's mean verdict on a batch of real and of fake pictures, without a gradient."""
    with torch.no_grad():
        return objective.verdict(real).mean(), objective.verdict(fake).mean()

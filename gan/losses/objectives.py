"""What each player minimises: pure functions of logits, unreduced, so that only the trainer averages.

`real` and `fake` are the discriminator's logits [N]; both players may see both, which lets relativistic objectives
sit beside the others. Formulas are written in a little TeX: x is a real picture, G(z) a generated one, D(x) the logit
and σ(D(x)) the probability that it stands for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypedDict

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from gan.core.messages import labelled

Part = Callable[[Tensor], Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]  # [N], [N] -> [N]
GLoss = Callable[[Tensor, Tensor | None], Tensor]  # of fake [N], and real [N] where it compares -> [N]


@dataclass(frozen=True)
class Objective:
    """A pair of losses, and what the page says about them.

    `d_loss(real, fake)` and `g_loss(fake, real)`. Where D's is the sum of two `parts` (of real and of fake pictures
    alone), `split` updates take one part at a time, and G's needs no real logits: its second argument may be None.

    `is_probability` says whether sigmoid(logit) is D's belief that a picture is real; otherwise the raw score is shown.
    `boundary` is the logit above which D takes a picture for a real one; None where only differences mean something.
    """

    d_formula: str
    g_formula: str
    d_loss: Loss
    g_loss: GLoss
    is_probability: bool
    boundary: float | None = None
    parts: tuple[Part, Part] | None = None
    title: str = ""  # what follows is in the catalogue, by its name
    about: str = ""  # two sentences for the page
    source: str = ""  # paper and equation

    @property
    def compares(self) -> bool:
        """Whether each player needs the logits of real and fake pictures at once."""
        return self.parts is None

    def smoothed(self, smoothing: float) -> Objective:
        """One-sided label smoothing: real pictures count as 1 − smoothing (Salimans et al. 2016, section 3.4).

        Cross-entropy with the target 1 − s instead of 1 is softplus(−l) + s l.
        """
        if not smoothing:
            return self
        assert self.parts is not None  # gan/training/checks refuses smoothing elsewhere
        d_real, d_fake = self.parts
        return replace(self, **_sum_of(lambda real: d_real(real) + smoothing * real, d_fake))

    def verdict(self, logits: Tensor) -> Tensor:
        """What the page calls D's verdict: a probability of being real in [0, 1], or an unbounded score."""
        return logits.sigmoid() if self.is_probability else logits


class _Sum(TypedDict):
    """The fields of an objective that say what D minimises, where that is the sum of two parts."""

    d_loss: Loss
    parts: tuple[Part, Part]


def _sum_of(d_real: Part, d_fake: Part) -> _Sum:
    """D's loss where it judges every picture by itself."""
    return {"d_loss": lambda real, fake: d_real(real) + d_fake(fake), "parts": (d_real, d_fake)}


def _alone(g: Part) -> GLoss:
    """G's loss where it does not ask about real pictures."""
    return lambda fake, real: g(fake)


def _relativistic_g_loss(fake: Tensor, real: Tensor | None) -> Tensor:
    """The other way round than D's, and of the same pairs."""
    assert real is not None  # the trainer asks D about both, see `compares`
    return softplus(real - fake)


# -log sigmoid(l) = softplus(-l) and -log(1 - sigmoid(l)) = softplus(l): binary cross-entropy on logits.
_CROSS_ENTROPY = _sum_of(lambda real: softplus(-real), lambda fake: softplus(fake))
_CROSS_ENTROPY_FORMULA = r"-\log\sigma(D(x)) - \log(1 - \sigma(D(G(z))))"

OBJECTIVES: dict[str, Objective] = {
    "non-saturating": Objective(
        d_formula=_CROSS_ENTROPY_FORMULA,
        g_formula=r"-\log\sigma(D(G(z)))",
        **_CROSS_ENTROPY,
        g_loss=_alone(lambda fake: softplus(-fake)),
        is_probability=True,
        boundary=0.0,
    ),
    "minimax": Objective(
        d_formula=_CROSS_ENTROPY_FORMULA,
        g_formula=r"\log(1 - \sigma(D(G(z))))",
        **_CROSS_ENTROPY,
        g_loss=_alone(lambda fake: -softplus(fake)),
        is_probability=True,
        boundary=0.0,
    ),
    "least-squares": Objective(
        d_formula=r"\frac{1}{2}(D(x) - 1)^2 + \frac{1}{2}D(G(z))^2",
        g_formula=r"\frac{1}{2}(D(G(z)) - 1)^2",
        **_sum_of(lambda real: 0.5 * (real - 1).square(), lambda fake: 0.5 * fake.square()),
        g_loss=_alone(lambda fake: 0.5 * (fake - 1).square()),
        is_probability=False,
        boundary=0.5,
    ),
    "hinge": Objective(
        d_formula=r"\max(0, 1 - D(x)) + \max(0, 1 + D(G(z)))",
        g_formula=r"-D(G(z))",
        **_sum_of(lambda real: relu(1 - real), lambda fake: relu(1 + fake)),
        g_loss=_alone(lambda fake: -fake),
        is_probability=False,
        boundary=0.0,
    ),
    "wasserstein": Objective(
        d_formula=r"D(G(z)) - D(x)",
        g_formula=r"-D(G(z))",
        **_sum_of(lambda real: -real, lambda fake: fake),
        g_loss=_alone(lambda fake: -fake),
        is_probability=False,
    ),
    "relativistic": Objective(
        d_formula=r"-\log\sigma(D(x) - D(G(z)))",
        g_formula=r"-\log\sigma(D(G(z)) - D(x))",
        d_loss=lambda real, fake: softplus(fake - real),
        g_loss=_relativistic_g_loss,
        is_probability=False,
    ),
}
OBJECTIVES = labelled("objectives", OBJECTIVES, "title", "about", "source")


def mean_verdicts(objective: Objective, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """D's mean verdict on a batch of real and of fake pictures, without a gradient."""
    with torch.no_grad():
        return objective.verdict(real).mean(), objective.verdict(fake).mean()

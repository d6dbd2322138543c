"""What an auxiliary classifier adds: D learns to tell what real pictures show, and G to show what it is told.

Odena et al. 2017, "Conditional Image Synthesis with Auxiliary Classifier GANs", equation 3; beside the projection of
Miyato & Koyama 2018, which tells whether a picture fits what is said of it, but hardly what is wrong with a small part.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def classification_loss(logits: Tensor, told: Tensor, codes: Sequence[int]) -> Tensor:
    """Cross-entropy [N], the mean over the codes: logits and mixtures of values [N, sum of codes].

    codes: how many values each has, side by side (gan.models.layers.told_codes).
    """
    pairs = zip(logits.split(list(codes), 1), told.split(list(codes), 1), strict=True)
    return torch.stack([cross_entropy(code, values, reduction="none") for code, values in pairs]).mean(0)

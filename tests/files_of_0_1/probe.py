"""A step's arithmetic in bare torch, whose last bits tell kinds of machines apart."""

from __future__ import annotations

import torch


def probe() -> list[float]:
    """Arithmetic of a training step, whose last bits tell kinds of machines apart."""
    rng = torch.Generator().manual_seed(1)
    x = torch.randn(16, 8, 8, 8, generator=rng)
    filters, matrix = torch.randn(8, 8, 3, 3, generator=rng), torch.randn(512, 12, generator=rng)
    filters.requires_grad_(True)
    y = torch.nn.functional.batch_norm(torch.nn.functional.conv2d(x, filters, padding=1), None, None, training=True)
    loss = torch.nn.functional.softplus(y.flatten(1) @ matrix).mean()
    return [loss.item(), *torch.autograd.grad(loss, filters)[0].flatten()[::50].tolist()]

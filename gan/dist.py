"""Several processes under torchrun; in a single process every function here does nothing."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.distributed as td
from torch import Tensor


def _active() -> bool:
    return td.is_available() and td.is_initialized()


def rank() -> int:
    return td.get_rank() if _active() else 0


def world() -> int:
    return td.get_world_size() if _active() else 1


def average_grads(grads: Sequence[Tensor]) -> None:
    """Replace each gradient by its mean over all processes, in place, with one message.

    DistributedDataParallel silently skips a penalty-only backward, so the trainer averages by itself.
    """
    if not _active():
        return
    flat = torch.cat([g.flatten() for g in grads])
    td.all_reduce(flat)
    flat /= world()
    for g, part in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
        g.copy_(part.view_as(g))


def broadcast(tensors: Sequence[Tensor]) -> None:
    """Give every process rank 0's values, in place."""
    if _active():
        for t in tensors:
            td.broadcast(t, 0)

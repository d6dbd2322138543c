"""Several processes under torchrun; in a single process every function here does nothing.

Rank 0 leads: it alone takes commands and writes files. Before everything it does it broadcasts a command, which the
others receive and obey (follower.py), so all processes do the same thing in the same order. What they exchange
inside a step (`average_grads`, `average`) needs no command, because every step exchanges the same.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
import torch.distributed as td
from torch import Tensor

from gan.core.errors import UserError
from gan.core.messages import say

if TYPE_CHECKING:  # which imports this module
    from gan.training.trainer import Trainer

Tree = TypeVar("Tree")

TIMEOUT = timedelta(minutes=10)  # a machine that falls silent, without closing its connection, is given up after this
COMMANDS = ("end", "wait", "begin", "load", "both", "d", "g")
_REQUESTS = ("stop", "shutdown")  # what a process may ask of the leader: end for good, or be continued later

_lost = False  # a peer is gone, or a step broke off: nobody knows any more what the others wait for


class DistError(UserError):
    """The processes cannot work together; the message is one sentence."""


class LostRank(DistError):
    """The connection to another process broke."""


def _active() -> bool:
    return td.is_available() and td.is_initialized()


def rank() -> int:
    return td.get_rank() if _active() else 0


def world() -> int:
    return td.get_world_size() if _active() else 1


@contextmanager
def _talking() -> Iterator[None]:
    """Turn what gloo and NCCL raise when a peer is gone into our own error."""
    global _lost
    try:
        yield
    except RuntimeError as e:
        _lost = True
        raise LostRank(say("training.lost_rank", number=world())) from e


# Beginning and end -----------------------------------------------------------------------------------------------


def join() -> None:
    """Meet the other processes that torchrun started. Raises DistError when that cannot work."""
    if int(os.environ.get("WORLD_SIZE", 1)) < 2:
        return
    from torch.distributed.rendezvous import rendezvous  # not in every build of torch

    backend = "gloo"
    if torch.cuda.is_available():
        _choose_gpu()
        backend = "cpu:gloo,cuda:nccl"  # words stay on the processor, so that they never wait for the GPU
    try:
        store, number, count = next(rendezvous("env://", timeout=TIMEOUT))
        # torchrun keeps its store when it starts a job anew; without a prefix we would read the dead ones' addresses.
        store = td.PrefixStore(f"{os.environ.get('TORCHELASTIC_RESTART_COUNT', 0)}-{count}", store)
        td.init_process_group(backend, store=store, rank=number, world_size=count, timeout=TIMEOUT)
    except RuntimeError as e:
        raise DistError(say("training.unreached", error=str(e).splitlines()[0])) from e


def _choose_gpu() -> None:
    """Make this process's own GPU the one that the device "cuda" means."""
    gpus, processes = torch.cuda.device_count(), int(os.environ["LOCAL_WORLD_SIZE"])
    if processes > gpus:
        raise DistError(say("training.too_few_gpus", processes=processes, gpus=gpus))
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))


def leave() -> None:
    """Send the followers home and part."""
    if not _active():
        return
    if rank() == 0 and not _lost:
        with suppress(LostRank):  # whoever is gone need not be told
            broadcast_command("end")
    td.destroy_process_group()


def job() -> str:
    """A name for this torchrun job that survives its restarts; empty in a process that torchrun did not start."""
    name = os.environ.get("TORCHELASTIC_RUN_ID", "")
    return f"agent-{os.getppid()}" if name == "none" else name  # "none": torchrun was given no id and made none


def restarted() -> bool:
    """Whether torchrun has started this job anew after a failure (--max-restarts)."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0)) > 0


# Words -----------------------------------------------------------------------------------------------------------


def broadcast_command(word: str, lr: dict[str, float] | None = None) -> str:
    """Rank 0: tell every process what comes now. Returns what a process asks of the leader: "stop", "shutdown" or "".

    Raises LostRank.
    """
    if not _active():
        return ""
    rates = lr or {"d": 0.0, "g": 0.0}
    said = _exchange([COMMANDS.index(word), rates["d"], rates["g"], 0, 0])
    return next((request for request, count in zip(_REQUESTS, said[3:], strict=True) if count), "")


def receive_command(request: str = "") -> tuple[str, dict[str, float]]:
    """Every other rank: the leader's next word, and the learning rates. `request` is passed on to the leader."""
    number, d_lr, g_lr, *_ = _exchange([0, 0.0, 0.0, *(float(request == a) for a in _REQUESTS)])
    return COMMANDS[int(number)], {"d": d_lr, "g": g_lr}


def _exchange(numbers: list[float]) -> list[float]:
    """The sum over all processes of a few numbers; where only one adds something, that is what it said, exactly."""
    message = torch.tensor(numbers, dtype=torch.float64)
    with _talking():
        td.all_reduce(message)
    return message.tolist()


def broadcast_command_with(word: str, thing: object) -> None:
    """Rank 0: say a word that comes with something (a config, a state), which followers take with `receive`."""
    if not _active():
        return
    broadcast_command(word)
    file = io.BytesIO()
    torch.save(thing, file)
    data = torch.frombuffer(file.getbuffer(), dtype=torch.uint8)
    with _talking():
        td.broadcast(torch.tensor([len(data)]), 0)
        td.broadcast(data, 0)


def receive() -> Any:
    """Every other rank: what the leader's last word came with; tensors on the CPU. Nothing is unpickled but data."""
    length = torch.zeros(1, dtype=torch.int64)
    with _talking():
        td.broadcast(length, 0)
        data = torch.empty(int(length), dtype=torch.uint8)
        td.broadcast(data, 0)
    return torch.load(io.BytesIO(data.numpy().tobytes()), map_location="cpu", weights_only=True)


# Inside a step ---------------------------------------------------------------------------------------------------


def average_grads(grads: Sequence[Tensor]) -> Sequence[Tensor]:
    """The mean of each gradient over all processes, with one message.

    DistributedDataParallel silently skips a penalty-only backward, so the trainer averages by itself.
    """
    return _means(grads) if _active() else grads


def average(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over all processes, in place, with one message."""
    if _active():
        for t, mean in zip(tensors, _means(tensors), strict=True):
            t.copy_(mean)


def _means(tensors: Sequence[Tensor]) -> list[Tensor]:
    flat = torch.cat([t.detach().flatten() for t in tensors])
    with _talking():
        td.all_reduce(flat)
    flat /= world()
    parts = flat.split([t.numel() for t in tensors])
    return [part.view(t.shape) for part, t in zip(parts, tensors, strict=True)]


def broadcast(tensors: Sequence[Tensor]) -> None:
    """Give every process rank 0's values, in place."""
    if _active():
        with _talking():
            for t in tensors:
                td.broadcast(t.detach(), 0)


@contextmanager
def whole_step(trainer: Trainer) -> Iterator[None]:
    """A step that breaks off because a process was lost is taken back, so that the leader can save the state before it.

    Only where the state is in the processor's memory: a GPU may wait for ever for what a lost peer should have sent.
    """
    global _lost
    if not _active():
        yield
        return
    before = copied(trainer.state_dict()) if rank() == 0 and trainer.device.type == "cpu" else None
    try:
        yield
    except BaseException:
        _lost = True
        if before is not None:
            trainer.load_state_dict(before)
        raise


def copied(tree: Tree) -> Tree:
    """A nested dict with copies of its tensors; everything else in a state dict is not changed in place."""
    if isinstance(tree, dict):
        return cast(Tree, {key: copied(value) for key, value in tree.items()})
    return cast(Tree, tree.clone()) if isinstance(tree, Tensor) else tree

"""Steps on an NVIDIA GPU, recorded and replayed: the processor asks once for a whole step, not for each of its kernels.

A step of a small network is some hundreds of kernels of a few microseconds. To launch one takes the processor longer
than the GPU needs to run it, so the GPU mostly waits. A CUDA graph holds the launches of a whole step.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.cuda import _POOL_HANDLE

EAGER = 3  # steps of a kind that are launched kernel by kernel before it is recorded: libraries prepare themselves
MOST_KINDS = 16  # recorded
AHEAD = 2  # steps that may be under way: the GPU never waits, and who reads a number or a picture waits for little
_one_at_a_time = threading.Lock()  # several runs may train, but torch records on one stream

Batch = tuple[Tensor, Tensor | None]  # real pictures [N, C, H, W] in [−1, 1], and what D is told of them
Inputs = Sequence[Batch]
Numbers = Sequence[float] | Sequence[Tensor]
Work = Callable[[Inputs, Numbers], dict[str, Tensor]]


def send(t: Tensor, device: torch.device) -> Tensor:
    """A tensor of the processor's on the device, without waiting for what a GPU still has to do before."""
    return t.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else t.to(device)


class _Recording(NamedTuple):
    graph: torch.cuda.CUDAGraph
    inputs: Inputs  # read by every replay
    numbers: Tensor  # likewise, [n]
    names: tuple[str, ...]
    outputs: Tensor  # scalars [len(names)], written by every replay


class CudaGraphs:
    """Runs a trainer's work; on a GPU, work of a kind that has been seen a few times is replayed.

    The same comes out either way, random numbers too: `rng` may be seeded anew before each call. Only inputs and
    numbers may differ between two calls of one kind. Tensors that the work reads or writes must stay where they are,
    or everything is to be recorded anew (`forget`, which also gives the memory back).
    """

    def __init__(self, rng: torch.Generator, wanted: bool = True) -> None:
        self.rng, self.device = rng, rng.device
        self.wanted = wanted and self.device.type == "cuda"
        self._under_way: deque[torch.cuda.Event] = deque()
        self.forget()

    def forget(self) -> None:
        while self._under_way:  # what is being replayed needs its memory
            self._under_way.popleft().synchronize()
        self._seen: Counter[Hashable] = Counter()
        self.kept: dict[Hashable, _Recording] = {}
        # One memory for all: they run one by one, and outputs are copied before the next.
        self._pool: _POOL_HANDLE | None = None

    def __call__(self, kind: Hashable, work: Work, inputs: Inputs, numbers: Sequence[float]) -> dict[str, Tensor]:
        """What `work(inputs, numbers)` returns: scalars on the device, by name."""
        if self.device.type != "cuda":
            return work(inputs, numbers)
        found = self._on_gpu(kind, work, inputs, numbers)
        done = torch.cuda.Event(blocking=True)
        done.record()
        self._under_way.append(done)
        if len(self._under_way) > AHEAD:
            self._under_way.popleft().synchronize()
        return found

    def _on_gpu(self, kind: Hashable, work: Work, inputs: Inputs, numbers: Sequence[float]) -> dict[str, Tensor]:
        on_gpu = send(torch.tensor(numbers, dtype=torch.float32), self.device)  # in float32 already, as in every replay
        if kind not in self.kept:
            if not self._due(kind):
                return work(inputs, on_gpu.unbind())
            self.kept[kind] = self._record(work, inputs, on_gpu)
        graph, my_inputs, my_numbers, names, outputs = self.kept[kind]
        my_numbers.copy_(on_gpu)
        for (my_x, my_c), (x, c) in zip(my_inputs, inputs, strict=True):
            my_x.copy_(x)
            if my_c is not None and c is not None:
                my_c.copy_(c)
        graph.replay()
        return dict(zip(names, outputs.clone().unbind(), strict=True))

    def _due(self, kind: Hashable) -> bool:
        if len(self._seen) > 1000:  # every step of a kind of its own (noise that falls): none of them comes back
            self._seen.clear()
        self._seen[kind] += 1
        return self.wanted and self._seen[kind] > EAGER and len(self.kept) < MOST_KINDS

    def _record(self, work: Work, inputs: Inputs, numbers: Tensor) -> _Recording:
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        inputs = [(x.clone(), None if c is None else c.clone()) for x, c in inputs]
        numbers = numbers.clone()
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.rng)
        # Other threads may use the GPU meanwhile, if only not torch's global random state.
        with _one_at_a_time, torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            found = work(inputs, numbers.unbind())
            outputs = torch.stack(list(found.values()))
        return _Recording(graph, inputs, numbers, tuple(found), outputs)

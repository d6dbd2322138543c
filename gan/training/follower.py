"""What every process but the first does under torchrun: the same steps as rank 0, and no files."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import torch

from gan.core.config import Config
from gan.data.catalog import load
from gan.training import distributed
from gan.training.device import best_device
from gan.training.trainer import Trainer


class Follower:
    """Does what rank 0 says until it says end."""

    def __init__(self, threads: int | None = None) -> None:
        self.trainer: Trainer | None = None
        self.request = ""
        if threads:
            torch.set_num_threads(threads)

    def follow(self) -> int:
        """Returns the exit code: 0 when rank 0 sent us home, 1 when a process was lost."""
        signal.signal(signal.SIGINT, lambda *_: self._pass_on("stop"))
        signal.signal(signal.SIGTERM, lambda *_: self._pass_on("shutdown"))
        try:
            while (heard := distributed.receive_command(self.request))[0] != "end":
                self._obey(*heard)
        except distributed.LostRank as e:
            print(f"gan: rank {distributed.rank()}: {e} What rank 0 saved last remains.", file=sys.stderr)
            return 1
        return 0

    def _obey(self, word: str, lr: dict[str, float]) -> None:
        if word == "begin":
            self.trainer = _trainer(**distributed.receive())
            return
        if word == "wait":
            return
        assert self.trainer is not None  # the leader begins with "begin"
        if word == "load":
            self.trainer.load_state_dict(distributed.receive())
        else:
            self.trainer.lr = lr
            self.trainer.step(word)

    def _pass_on(self, request: str) -> None:
        """A signal reaches the leader with our next answer, and ends all processes at the same step."""
        self.request = request
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C ends at once


def _trainer(config: dict, own_dir: str | None, format: int) -> Trainer:
    settings = Config.from_dict(config)
    pictures = load(settings.dataset, "train", Path(own_dir) if own_dir else None)
    return Trainer(settings, pictures, best_device(), format)

"""What a picture is made of: the service behind the card of the Latent sliders tab.

It never touches a run that trains: what it needs of one it reads from the run's files. Looking takes place in a thread
of its own, and so does making ready what is looked among, which takes seconds the first time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from gan import data
from gan.config import Config
from gan.data import DATA, DataError
from gan.latent import Place
from gan.metric_network import EPOCHS, load
from gan.novelty import Near, RealPictures, features_of
from gan.picture import to_uint8
from gan.pictures import Pictures
from gan.render import Ready, Renderer, Worker
from gan.runs import Runs
from gan.trainer import limited

KEPT = 4  # sets of real pictures ready to be searched: pixels and features of two data sets
WAYS = ("pixels", "features")

T = TypeVar("T")


class NotYet(Exception):
    """It is being made ready; the message says what happens just now."""


class NotHad(Exception):
    """These weights do not have what is asked for; the message is one sentence that says why."""


@dataclass(frozen=True)
class Subject:
    """The picture that is looked at, and how it was drawn."""

    name: str  # of the weights
    config: Config
    step: int
    z: Tensor  # [1, z_dim]
    told: Tensor | None  # its class [1], or mixture of classes or groups [1, k]
    x: Tensor  # [1, C, H, W], about [-1, 1]
    image: Tensor  # uint8 [C, H, W]


class MadeOf:
    """Answers about pictures that a Renderer draws.

    Args:
        renderer: draws them.
        runs: where data sets of own pictures and states of runs are found; None: there are none.
    """

    def __init__(self, renderer: Renderer, runs: Runs | None) -> None:
        self.renderer, self.runs = renderer, runs
        self._looks, self._prepares = Worker(), Worker()
        self._guard = threading.Lock()
        self._prepared: OrderedDict[tuple, _Preparation] = OrderedDict()

    def close(self) -> None:
        self._looks.close()
        self._prepares.close()

    def subject(self, name: str, place: Place, label: int | None, lane: str | None = None) -> Future[Subject]:
        """The picture of a place."""
        return self.renderer.ask(name, lambda ready: _drawn(name, ready, place, label), lane)

    # Training pictures --------------------------------------------------------------------------------------------

    def nearest(self, subject: Subject, way: str, lane: str | None = None) -> Future[tuple[Near, Tensor]]:
        """The nearest training pictures, by "pixels" or "features", and those pictures uint8 [n, C, H, W].

        Raises NotYet, NotHad or DataError at once.
        """
        if way not in self.ways(subject):
            raise NotHad("There is no network here that knows pictures of this kind.")
        pictures, space = self._prepare(subject, "pixels"), self._prepare(subject, way)
        image = subject.image

        def look() -> tuple[Near, Tensor]:
            numbers = image.flatten() if way == "pixels" else load(subject.config.dataset).look(image[None])[0][0]
            found = space.real.near(numbers)
            return found, pictures.train.images[found.rows]

        return self._looks.submit(torch.inference_mode()(look), lane)

    def ways(self, subject: Subject) -> list[str]:
        """In what the nearest pictures can be looked for."""
        cfg = subject.config
        known = cfg.dataset in EPOCHS and (cfg.channels, cfg.size) == (1, 28)
        return list(WAYS if known else WAYS[:1])

    def _prepare(self, subject: Subject, way: str) -> _Searchable:
        """What is looked among, once it is ready. Raises NotYet, NotHad or DataError."""
        cfg = subject.config
        own_dir = self._may_read(subject)
        key = (cfg.dataset, cfg.data_limit, cfg.channels, cfg.size, way)
        with self._guard:
            found = self._prepared.get(key)
            if found is None:
                found = self._prepared[key] = _Preparation()
                found.future = self._prepares.submit(lambda: _searchable(cfg, own_dir, way, found.tell))
            self._prepared.move_to_end(key)
            while len(self._prepared) > KEPT:
                self._prepared.popitem(last=False)
            if not found.future.done():
                raise NotYet(found.words)
            if found.future.exception() is not None:
                del self._prepared[key]  # the next one who asks tries again
        return found.future.result()

    def _may_read(self, subject: Subject) -> Path | None:
        """The folder of own pictures, where this data set needs it. Raises NotHad.

        Somebody's own pictures are shown through his run alone: whoever has its id may watch it. A weights file only
        claims to be made from a data set.
        """
        name = subject.config.dataset
        if name in DATA:
            if DATA[name].downloads and not (data.download_dir() / f"{name}-train.safetensors").is_file():
                raise NotHad(f"{DATA[name].title} is not on this machine, so nothing can be compared with it.")
            return None
        if self.runs is None or not subject.name.startswith("run-"):
            raise NotHad("The pictures that these weights learned from are not here.")
        return self.runs.own_dir


class _Preparation:
    """Something that is being made ready, and what is to be said meanwhile."""

    future: Future

    def __init__(self) -> None:
        self.words = "Reading the training pictures."

    def tell(self, done: int, total: int) -> None:
        self.words = f"Looking at the training pictures: {min(done, total):,} of {total:,}."


@dataclass(frozen=True)
class _Searchable:
    train: Pictures
    real: RealPictures


def _searchable(cfg: Config, own_dir: Path | None, way: str, tell: Callable[[int, int], None]) -> _Searchable:
    train, test = (data.load(cfg.dataset, split, own_dir) for split in ("train", "test"))
    if tuple(train.images.shape[1:]) != (cfg.channels, cfg.size, cfg.size):
        raise DataError(f"{train.name} has other pictures than these weights draw, so they cannot be compared.")
    held = None if train is test or torch.equal(train.images, test.images) else test.images
    train = limited(train, cfg.data_limit)
    total, done = len(train.images) + len(test.images), 0

    def rows(images: Tensor) -> Tensor:
        """[N, F]"""
        nonlocal done
        if way == "pixels":
            return images.flatten(1)
        found = features_of(load(cfg.dataset), images, lambda count: tell(done + count, total))
        done += len(images)
        return found

    return _Searchable(train, RealPictures(rows(train.images), None if held is None else rows(held)))


@torch.inference_mode()
def _drawn(name: str, ready: Ready, place: Place, label: int | None) -> Subject:
    z, told = ready.latents(place, label)
    x = ready.network(z, told)
    return Subject(name, ready.config, ready.weights.step, z, told, x, to_uint8(x)[0])

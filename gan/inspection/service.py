"""What a picture is made of: the service behind the card of the Latent sliders tab.

It never touches a run that trains: what it needs of one it reads from the run's files. Looking takes place in a thread
of its own, and so does making ready what is looked among, which takes seconds the first time.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import torch
from torch import Tensor, nn

from gan.core.config import Config
from gan.core.images import to_uint8
from gan.core.messages import say
from gan.data import catalog
from gan.data.catalog import DATA, DataError
from gan.data.codes import attributes_of
from gan.data.pictures import Pictures
from gan.inspection.networks import Layer, feature_maps, heat_map
from gan.latent.spec import LatentSpec
from gan.losses.objectives import OBJECTIVES
from gan.metrics.classifier import knows, load
from gan.metrics.nearest import Near, RealPictures, features_of
from gan.models import meta_discriminator, meta_generator
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.serving.generator import LoadedGenerator
from gan.serving.renderer import Renderer
from gan.serving.worker import Check, Job, Worker
from gan.training.checkpoint import CheckpointError, discriminator_state, read_header, shown_generator_state
from gan.training.trainer import limit_pictures

KEPT_BYTES = 96 << 20  # of networks of runs, ready to be used
KEPT = 4  # sets of real pictures ready to be searched: pixels and features of two data sets
WAYS = ("pixels", "features")

T = TypeVar("T")
Network = TypeVar("Network", bound=nn.Module)


class Preparing(Exception):
    """It is being made ready; the message says what happens just now."""


class NotAvailable(Exception):
    """These weights do not have what is asked for; the message is one sentence that says why."""


@dataclass(frozen=True)
class Subject:
    """The picture that is looked at, and how it was drawn."""

    name: str  # of the weights
    config: Config
    step: int
    z: Tensor  # [1, z_dim]
    condition: Tensor | None  # its class [1], or mixture of classes or groups [1, k]
    x: Tensor  # [1, C, H, W], about [-1, 1]
    image: Tensor  # uint8 [C, H, W]
    own_dir: Path | None = None  # the folder of own pictures, for who may see some of those that these weights saw


@dataclass(frozen=True)
class Verdict:
    """What D says of a picture, and which pixels it depends on."""

    image: Tensor  # uint8 [C, H, W]
    logit: float
    probability: float | None  # of being real; None where D gives a score without a scale
    heat: Tensor  # uint8 [H, W], 255 where the logit depends on a pixel most
    steepest: float  # by how much that pixel alone would change the logit from black to white, as far as it is linear
    step: int  # of D: the newest that the run has saved


class Inspector:
    """Answers about pictures that a Renderer draws.

    Args:
        renderer: draws them.
        runs: where states of runs are found; None: there are none.
    """

    def __init__(self, renderer: Renderer, runs: Runs | None) -> None:
        self.renderer, self.runs = renderer, runs
        self._looks, self._prepares = Worker("gan-inspect"), Worker("gan-prepare")
        self._guard = threading.Lock()
        self._prepared: OrderedDict[tuple, _Preparation] = OrderedDict()
        self._networks = _Networks()

    def close(self) -> None:
        self._looks.close()
        self._prepares.close()

    def subject(
        self, name: str, spec: LatentSpec, label: int | None, own_dir: Path | None = None, slot: str | None = None
    ) -> Job[Subject]:
        """The picture of a latent. own_dir: where its data set is looked for, if that is somebody's own pictures."""

        def draw(generator: LoadedGenerator, _: Check) -> Subject:
            return _drawn(name, generator, spec, label, own_dir)

        return self.renderer.ask(name, draw, slot, urgent=True)

    # Training pictures --------------------------------------------------------------------------------------------

    def nearest(self, subject: Subject, way: str, slot: str | None = None) -> Job[tuple[Near, Tensor]]:
        """The nearest training pictures, by "pixels" or "features", and those pictures uint8 [n, C, H, W].

        Raises Preparing, NotAvailable or DataError at once.
        """
        if way not in self.ways(subject):
            raise NotAvailable(say("inspection.no_network"))
        space = self._prepare(subject, way)
        image = subject.image

        def look(_: Check) -> tuple[Near, Tensor]:
            numbers = image.flatten() if way == "pixels" else load(subject.config.dataset).look(image[None])[0][0]
            found = space.real.near(numbers)
            return found, space.train.images[found.rows]

        return self._looks.submit(torch.inference_mode()(look), slot)

    def ways(self, subject: Subject) -> list[str]:
        """In what the nearest pictures can be looked for."""
        cfg = subject.config
        return list(WAYS if knows(cfg.dataset, (cfg.channels, cfg.size, cfg.size)) else WAYS[:1])

    def _prepare(self, subject: Subject, way: str) -> ReferenceIndex:
        """What is looked among, once it is ready. Raises Preparing, NotAvailable or DataError."""
        cfg, own_dir = subject.config, subject.own_dir
        _check_here(subject)
        key = (cfg.dataset, cfg.data_limit, cfg.channels, cfg.size, way)
        with self._guard:
            found = self._prepared.get(key)
            if found is None:
                found = _Preparation()
                found.job = self._prepares.submit(lambda _: _reference_index(cfg, own_dir, way, found.tell))
                self._prepared[key] = found
            self._prepared.move_to_end(key)
            ready = [k for k, other in self._prepared.items() if other.job.done() and k != key]
            for old in ready[: max(0, len(self._prepared) - KEPT)]:  # what is being made is waited for
                del self._prepared[old]
            if not found.job.done():
                raise Preparing(found.words)
            if found.job.exception() is not None:
                del self._prepared[key]  # the next one who asks tries again
        return found.job.result()

    # What a run has saved -----------------------------------------------------------------------------------------

    def verdict(self, subject: Subject, row: int | None = None, slot: str | None = None) -> Job[Verdict]:
        """D's verdict on the picture, or on training picture number `row`, which must be one of the nearest.

        Raises Preparing, NotAvailable or DataError at once; the job may raise NotAvailable.
        """
        run = self._run(subject, say("inspection.no_discriminator"))
        known = None if row is None else self._prepare(subject, "pixels")

        def look(_: Check) -> Verdict:
            config, path = subject.config, run.best_path if subject.name.endswith("@best") else run.checkpoint_path
            try:
                D = self._networks.get(path, lambda: meta_discriminator(config), discriminator_state)
                step = read_header(path)["steps_done"]
            except CheckpointError as error:
                raise NotAvailable(error.message) from None
            if row is None or known is None:
                image, x, condition = subject.image, subject.x, subject.condition
            else:
                train = known.train
                if row not in known.real.near(subject.image.flatten()).rows:  # a link does not give all of them away
                    raise NotAvailable(say("inspection.only_nearest"))
                if config.classes and train.labels[row] >= config.classes:
                    raise NotAvailable(say("inspection.class_unknown"))
                image = train.images[row]
                x = image[None].float() / 127.5 - 1
                told = train.labels[row : row + 1] if config.classes else attributes_of(train, row, config)
                condition = subject.condition if told is None else told  # of the picture, where groups are told
            logit, heat = heat_map(D, x, condition)
            if not (math.isfinite(logit) and heat.isfinite().all()):
                raise NotAvailable(say("inspection.not_finite"))
            objective, most = OBJECTIVES[config.objective], heat.max().clamp(min=1e-12)
            probability = float(torch.tensor(logit).sigmoid()) if objective.is_probability else None
            shades = (heat / most * 255).round().byte()
            return Verdict(image, logit, probability, shades, 2 * float(most), step)

        return self._looks.submit(look, slot)

    def snapshots(self, subject: Subject, slot: str | None = None) -> Job[tuple[list[int], Tensor]]:
        """The same latent drawn by the states that its run keeps, and now: steps and pictures uint8 [n, C, H, W].

        Raises NotAvailable at once.
        """
        run = self._run(subject, say("inspection.no_early_states"))
        if not run.states.steps():
            raise NotAvailable(say("inspection.early_states_gone"))

        def look(check: Check) -> tuple[list[int], Tensor]:
            drawn = []
            for step in run.states.steps():
                check()
                with suppress(CheckpointError):  # deleted meanwhile
                    path = run.states.path(step)
                    G = self._networks.get(path, lambda: meta_generator(subject.config), shown_generator_state)
                    drawn.append((step, to_uint8(G(subject.z, subject.condition))[0]))
            drawn = [(step, image) for step, image in drawn if step < subject.step] + [(subject.step, subject.image)]
            return [step for step, _ in drawn], torch.stack([image for _, image in drawn])

        return self._looks.submit(torch.inference_mode()(look), slot)

    def _run(self, subject: Subject, otherwise: str) -> Run:
        if self.runs is None or not subject.name.startswith("run-"):
            raise NotAvailable(otherwise)
        return self.runs.whose_weights(subject.name[4:])[0]

    # Layers -------------------------------------------------------------------------------------------------------

    def layers(
        self, name: str, spec: LatentSpec, label: int | None, slot: str | None = None
    ) -> Job[list[tuple[Layer, Tensor]]]:
        """What every layer of the generator makes of a latent, see `networks.feature_maps`."""
        return self.renderer.ask(name, lambda generator, _: _layers(generator, spec, label), slot, urgent=True)


class _Networks:
    """Networks read from checkpoints, ready to be used, at most KEPT_BYTES of them. Only one thread touches it."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple, nn.Module] = OrderedDict()

    def get(self, path: Path, empty: Callable[[], Network], read: Callable[[Path], dict[str, Tensor]]) -> Network:
        """A network without memory, filled with what `read` finds in the file. Raises CheckpointError."""
        try:
            key = (path, path.stat().st_mtime_ns, read)
        except OSError:
            raise CheckpointError(say("inspection.state_gone")) from None
        if key not in self._kept:
            self._kept[key] = _filled(empty(), read(path))
        self._kept.move_to_end(key)
        sizes = {k: sum(t.nbytes for t in network.state_dict().values()) for k, network in self._kept.items()}
        while len(self._kept) > 1 and sum(sizes.values()) > KEPT_BYTES:
            sizes.pop(self._kept.popitem(last=False)[0])
        return cast(Network, self._kept[key])  # `read` tells which of a file's networks it is


def _filled(network: Network, state: dict[str, Tensor]) -> Network:
    wanted, found = ({name: (t.shape, t.dtype) for name, t in s.items()} for s in (network.state_dict(), state))
    if wanted != found:
        raise CheckpointError(say("inspection.state_of_others"))
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


class _Preparation:
    """Something that is being made ready, and what is to be said meanwhile."""

    job: Job[ReferenceIndex]

    def __init__(self) -> None:
        self.words = say("inspection.reading")

    def tell(self, done: int, total: int) -> None:
        self.words = say("inspection.looking", done=min(done, total), total=total)


def _check_here(subject: Subject) -> None:
    """Raises NotAvailable where the pictures that these weights learned from are not at hand."""
    name = subject.config.dataset
    if name not in DATA and subject.own_dir is None:
        raise NotAvailable(say("inspection.pictures_gone"))
    if name in DATA and DATA[name].downloads and not (catalog.download_dir() / f"{name}-train.safetensors").is_file():
        raise NotAvailable(say("inspection.set_not_here", title=DATA[name].title))


@dataclass(frozen=True)
class ReferenceIndex:
    """The pictures that weights learned from, and what is looked among: their pixels, or their features."""

    train: Pictures
    real: RealPictures


def _reference_index(cfg: Config, own_dir: Path | None, way: str, tell: Callable[[int, int], None]) -> ReferenceIndex:
    """Raises DataError where the pictures cannot be read, NotAvailable where they cannot be compared."""
    train, test = (catalog.load(cfg.dataset, split, own_dir) for split in ("train", "test"))
    if tuple(train.images.shape[1:]) != (cfg.channels, cfg.size, cfg.size):
        raise DataError(say("inspection.other_pictures", name=train.name))
    held = None if train is test or torch.equal(train.images, test.images) else test.images
    train = limit_pictures(train, cfg.data_limit)
    total, done = len(train.images) + len(test.images), 0

    def rows(images: Tensor) -> Tensor:
        """[N, F]"""
        nonlocal done
        if way == "pixels":
            return images.flatten(1)
        found = features_of(load(cfg.dataset), images, lambda count: tell(done + count, total))
        done += len(images)
        return found

    try:
        return ReferenceIndex(train, RealPictures(rows(train.images), None if held is None else rows(held)))
    except DataError as why:
        raise NotAvailable(why.message) from None


@torch.inference_mode()
def _drawn(name: str, generator: LoadedGenerator, spec: LatentSpec, label: int | None, own_dir: Path | None) -> Subject:
    z, condition = generator.latents(spec, label)
    x = generator.network(z, condition)
    return Subject(name, generator.config, generator.weights.step, z, condition, x, to_uint8(x)[0], own_dir)


def _layers(generator: LoadedGenerator, spec: LatentSpec, label: int | None) -> list[tuple[Layer, Tensor]]:
    return feature_maps(generator.network, *generator.latents(spec, label))

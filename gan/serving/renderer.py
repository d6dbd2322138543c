"""Serving pictures: which weights, which latent, pixels. One thread draws for everybody.

Why one thread: its arithmetic always runs on one core, so that the same request gives the same bytes in every process
and a training run beside it keeps its own thread setting; and a queue of one can be kept short. A page names its
`lane`; a request that still waits is replaced by the next of its lane (newest wins). A single picture, which is what a
moving slider asks for, is drawn between two pictures of somebody's path or neighbours.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from gan.core.config import Config
from gan.core.errors import UserError
from gan.core.images import to_uint8
from gan.latent import directions as studies
from gan.latent import interpolation, steering
from gan.latent import spec as specs
from gan.latent.directions import Direction, StudyResult
from gan.latent.inversion import Found, opinion_of, search
from gan.latent.spec import LatentSpec
from gan.models import as_mixture
from gan.models import weights_file as files
from gan.models.weights_file import Weights, WeightsError
from gan.serving import browser_export
from gan.serving.browser_export import PageWeightsError

KEPT = 6  # generators ready to draw
KEPT_FILES = 4  # files that visitors opened
MAX_UPLOAD_BYTES = 32 << 20
MAX_WAITING = 200  # requests in the queue before the next one is sent away
DIRECTIONS = 8
KEPT_STUDIES = 4  # 1,000 pictures each, for the directions of weights
STRIP = range(-3, 4)  # amounts of a direction that a strip shows

T = TypeVar("T")
State = Mapping[str, Tensor]
# run id -> (stamp, step, config, class names, state of the shown generator, or a function that reads it). Raises
# KeyError when the run has no weights yet, its own error when it is unknown. Asked at every request, so the stamp must
# be cheap; a new stamp is what makes the state be read.
Learned = tuple[str, int, Config, Sequence[str], State | Callable[[], State]]
Source = Callable[[str], Learned]


class RenderError(UserError):
    """The request asks for something impossible; the message is one sentence."""


class UnknownWeights(RenderError):
    """There are no such weights (any more)."""

    status = 404


class Superseded(UserError):
    """A newer request of the same lane took this one's place."""

    status = 409


class Busy(UserError):
    """Too many requests are waiting."""

    status = 503


@dataclass(frozen=True)
class Pixels:
    """Pictures uint8 [N, C, H, W], and which weights drew them."""

    images: np.ndarray
    stamp: str
    step: int


@dataclass(frozen=True)
class PageFile:
    """What a browser draws with (see gan/serving/browser_export.py), and a name for exactly this content."""

    data: bytes
    digest: str


@dataclass(frozen=True)
class Keyframe:
    """A keyframe of a path: a spec and a class (None when the weights have no classes)."""

    spec: LatentSpec
    label: int | None = None


@dataclass(frozen=True)
class KeyframePath:
    """A path: where it leads through, and how (see gan.latent.interpolation.path)."""

    keyframes: tuple[Keyframe, ...]
    mode: str
    frames: int
    loop: bool = False


@dataclass(frozen=True)
class Near:
    """Which neighbours of a spec: `count` of them from number `first` on, and how far away (0 to 1)."""

    count: int = 0
    first: int = 0
    spread: float = 0.5


@dataclass(frozen=True)
class Sums:
    """Weighted sums of keyframes (interpolation.blend), each drawn once, or once as each of some classes."""

    keyframes: tuple[Keyframe, ...]
    shares: tuple[tuple[float, ...], ...]  # one row for each sum, with a number for each keyframe
    labels: tuple[int, ...] = ()


class Ready:
    """A generator that can draw at once."""

    def __init__(self, weights: Weights, stamp: str) -> None:
        self.weights, self.stamp, self.config = weights, stamp, weights.config
        self.network = files.build(weights)

    @cached_property
    def principal(self) -> tuple[Tensor, Tensor]:
        """Directions [k, z_dim] and shares [k]; only computed when somebody asks."""
        return specs.principal_directions(self.network, DIRECTIONS)

    @cached_property
    def digest(self) -> str:
        """What these weights are, for whoever was handed a picture of them."""
        return files.digest(self.weights)

    @cached_property
    def page(self) -> PageFile:
        """Only made when a page asks. Raises PageWeightsError."""
        cfg = self.config
        about = {"stamp": self.stamp, "digest": self.digest, "step": self.weights.step}
        about |= {"size": cfg.size, "channels": cfg.channels}
        data = browser_export.to_bytes(self.network, self.principal[0], about)
        return PageFile(data, hashlib.sha256(data).hexdigest()[:32])

    @cached_property
    def page_refusal(self) -> str:
        """Why a browser cannot draw with these weights, in a sentence; empty when it can."""
        try:
            browser_export.check(self.network)
        except PageWeightsError as error:
            return str(error)
        return ""

    def directions(self, spec: LatentSpec) -> Tensor:
        """The principal directions a spec needs: none, most of the time, and then nothing is decomposed."""
        self.check(spec)
        numbers = [*spec.principal, *(int(key) for key in spec.locked if key.isdecimal())]
        found = self.principal[0] if numbers else torch.empty(0, self.config.z_dim)
        if numbers and max(numbers) >= len(found):
            raise RenderError(f"There is no direction {max(numbers)}; these weights have {len(found)}.")
        return found

    def check(self, spec: LatentSpec) -> None:
        """Refuse what was written for other weights."""
        z_dim = self.config.z_dim
        if spec.fixed and max(spec.fixed) >= z_dim:
            raise RenderError(f"There is no latent dimension {max(spec.fixed)}; these weights have {z_dim}.")
        if spec.base and len(spec.base) != 2 * z_dim:
            raise RenderError(f"This latent has {len(spec.base) // 2} numbers; these weights take {z_dim}.")
        for push in spec.directions:
            if len(push.vector) != 2 * z_dim:
                raise RenderError(
                    f"The direction {push.key!r} has {len(push.vector) // 2} numbers; these weights take {z_dim}."
                )

    def latents(self, spec: LatentSpec, label: int | None, near: Near | None = None) -> tuple[Tensor, Tensor | None]:
        """The latents [N, z_dim] of a spec and its neighbours, and what the network is told: [1], [N, k] or None."""
        found, near = self.directions(spec), near or Near()
        z = specs.bases_around(spec, near.count, near.spread, self.config.z_dim, near.first)
        z = specs.cluster_latents(z, spec, found, self.config.clusters)
        condition = self.network.condition(z, self.label(label, spec.mix))
        return specs.final_latents(z, spec, found), condition

    def label(self, label: int | None, mix: tuple[int, float] | None = None) -> Tensor | None:
        """The class as the network wants it, [1], or mixed, [1, classes]; the first class when none is asked for."""
        classes = self.config.classes
        if not classes:
            if label is not None or mix is not None:
                raise RenderError("These weights have no classes to choose from.")
            return None
        for number in (label, mix and mix[0]):
            if number is not None and not 0 <= number < classes:
                raise RenderError(f"There is no class {number}; these weights have classes 0 to {classes - 1}.")
        ours = torch.tensor([label or 0])
        if mix is None:
            return ours
        other = as_mixture(torch.tensor([mix[0]]), classes)
        return torch.lerp(as_mixture(ours, classes), other, mix[1])

    def keyframes(self, keyframes: Sequence[Keyframe]) -> tuple[Tensor, Tensor | None]:
        """Their latents [K, z_dim], and their mixtures of classes or groups [K, classes]."""
        latents, condition = zip(*(self.latents(keyframe.spec, keyframe.label) for keyframe in keyframes), strict=True)
        if condition[0] is None:
            return torch.cat(latents), None
        classes = self.config.classes or self.config.clusters
        return torch.cat(latents), torch.cat([as_mixture(c, classes) for c in condition])

    def path(self, way: KeyframePath) -> tuple[Tensor, Tensor | None]:
        return interpolation.path(*self.keyframes(way.keyframes), way.mode, way.frames, way.loop)

    def sums(self, sums: Sums) -> tuple[Tensor, Tensor | None]:
        """Latents [N, z_dim] and what the network is told; without classes each votes for its group itself."""
        labels = [condition for label in sums.labels if (condition := self.label(label)) is not None]
        shares = torch.tensor(sums.shares, dtype=torch.float64)
        latents, mixtures = self.keyframes(sums.keyframes)
        z = interpolation.blend(latents, shares)
        if not self.config.classes or mixtures is None:
            return z, self.network.condition(z)
        if not labels:
            return z, interpolation.blend_mixtures(mixtures, shares)
        condition = as_mixture(torch.cat(labels).repeat(len(z)), self.config.classes)
        return z.repeat_interleave(len(labels), 0), condition

    @torch.inference_mode()
    def draw_at_once(self, *latents: tuple[Tensor, Tensor | None]) -> np.ndarray:
        """Small pictures where the last bit does not matter, uint8 [N, C, H, W]: a third of the time of `draw`."""
        z, condition = zip(*latents, strict=True)
        return to_uint8(self.network(torch.cat(z), None if condition[0] is None else torch.cat(condition))).numpy()

    @torch.inference_mode()
    def draw(self, z: Tensor, c: Tensor | None, pause: Callable[[], None] = lambda: None) -> np.ndarray:
        """z [N, z_dim], c [1], [N, classes] or None -> uint8 [N, C, H, W]; `pause` is called between two pictures.

        One picture at a time: batched arithmetic differs in the last bit with the size of the batch, and a picture must
        not depend on its neighbours.
        """
        pictures = []
        for i in range(len(z)):
            label = None if c is None else c[i : i + 1] if len(c) > 1 else c
            pictures.append(to_uint8(self.network(z[i : i + 1], label)))
            pause()
        return torch.cat(pictures).numpy()


class Renderer:
    """Pictures of shipped weights, of runs and of opened files.

    Args:
        shipped: folder with generators as .safetensors; names starting with "metric-" are other networks.
        source: where the weights of runs come from.
    """

    def __init__(self, shipped: Path, source: Source | None = None) -> None:
        self._folder, self.source = Path(shipped), source
        self._worker = Worker()
        self._ready: OrderedDict[str, Ready] = OrderedDict()  # only the worker's thread touches it
        self._studies: OrderedDict[str, tuple[str, StudyResult]] = (
            OrderedDict()
        )  # name -> stamp and study; the worker's too
        self._opened: OrderedDict[str, Weights] = OrderedDict()
        self._guard = threading.Lock()
        self._titles: dict[Path, tuple[int, Weights]] = {}

    def close(self) -> None:
        self._worker.close()

    # What there is ------------------------------------------------------------------------------------------------

    def shipped(self) -> dict[str, Weights]:
        """Shipped generators by name, with labels but no tensors. Files that cannot be read are left out."""
        found = {}
        for path in sorted(self._folder.glob("*.safetensors")):
            if path.name.startswith("metric-"):
                continue
            try:
                found[path.stem] = self._peek(path)
            except WeightsError:
                continue  # `load` says why when somebody asks for it by name
        return found

    def _peek(self, path: Path) -> Weights:
        try:
            changed = path.stat().st_mtime_ns
        except OSError as error:
            raise WeightsError(f"The file {path.name} cannot be read.") from error
        known = self._titles.get(path)
        if known is None or known[0] != changed:
            known = self._titles[path] = changed, files.peek(path)
        return known[1]

    def open_file(self, data: bytes) -> str:
        """Keep a visitor's weights in memory; returns their id. Raises WeightsError."""
        weights = files.from_bytes(data, MAX_UPLOAD_BYTES)
        name = files.file_id(data)
        with self._guard:
            self._opened[name] = weights
            self._opened.move_to_end(name)
            while len(self._opened) > KEPT_FILES:
                self._opened.popitem(last=False)
        return name

    def about(self, name: str, lane: str | None = None) -> Future[dict]:
        """What a page needs to know of weights (see the route `weights/{id}`)."""
        return self._worker.submit(lambda: self._about(name), lane)

    def _about(self, name: str) -> dict:
        ready = self._get(name)
        cfg, w = ready.config, ready.weights
        return {
            "id": name,
            "title": w.title,
            "about": w.about,
            "z_dim": cfg.z_dim,
            "classes": cfg.classes,
            "class_names": list(w.class_names),
            "groups": cfg.clusters,
            "dataset": cfg.dataset,
            "size": cfg.size,
            "channels": cfg.channels,
            "studied": studies.STUDIED,
            "measured": list(studies.measurable(cfg.dataset)),
            "steered": [key for key in steering.STEERED if key in studies.measurable(cfg.dataset)],
            "directions": [{"share": round(share, 6)} for share in ready.principal[1].tolist()],
            "stamp": ready.stamp,
            "step": w.step,
            "page_refusal": ready.page_refusal,
        }

    def page(self, name: str) -> Future[PageFile]:
        """The weights as a browser needs them. Raises PageWeightsError."""
        return self._worker.submit(lambda: self._get(name).page)

    def ask(self, name: str, call: Callable[[Ready], T], lane: str | None = None) -> Future[T]:
        """Something short of the generator itself, in the thread that draws."""
        return self._worker.submit(lambda: call(self._get(name)), lane, urgent=True)

    # Pictures -----------------------------------------------------------------------------------------------------

    def pixels(
        self, name: str, spec: LatentSpec, label: int | None = None, near: Near | None = None, lane: str | None = None
    ) -> Future[Pixels]:
        """The picture of a spec, then its neighbours."""
        near = near or Near()
        return self._worker.submit(lambda: self._pixels(name, spec, label, near), lane, urgent=not near.count)

    def _pixels(self, name: str, spec: LatentSpec, label: int | None, near: Near) -> Pixels:
        ready = self._get(name)
        z, condition = ready.latents(spec, label, near)
        if near.count:
            return self._draw_many(ready, z, condition)
        return Pixels(ready.draw(z, condition), ready.stamp, ready.weights.step)

    def signed(self, name: str, spec: LatentSpec, label: int | None = None) -> Future[tuple[Pixels, str]]:
        """The picture of a spec, and the digest of the weights that drew it."""
        return self._worker.submit(lambda: self._signed(name, spec, label))

    def _signed(self, name: str, spec: LatentSpec, label: int | None) -> tuple[Pixels, str]:
        ready = self._get(name)
        return Pixels(ready.draw(*ready.latents(spec, label)), ready.stamp, ready.weights.step), ready.digest

    def strips(
        self, name: str, spec: LatentSpec, label: int | None, keys: Sequence[str], lane: str | None = None
    ) -> Future[Pixels]:
        """For each direction of the spec (a push's key, or a number) its pictures from -3 to 3."""
        return self._worker.submit(lambda: self._strips(name, spec, label, keys), lane)

    def _strips(self, name: str, spec: LatentSpec, label: int | None, keys: Sequence[str]) -> Pixels:
        ready, strips = self._get(name), []
        for key in keys:
            found = [ready.latents(specs.along(spec, key, amount), label) for amount in STRIP]
            strips.append(ready.draw_at_once(*found))
            self._worker.let_urgent_pass()
        return Pixels(np.concatenate(strips), ready.stamp, ready.weights.step)

    def numbers(self, name: str, spec: LatentSpec, lane: str | None = None) -> Future[list[float]]:
        """The latent itself."""
        return self._worker.submit(lambda: self._numbers(self._get(name), spec), lane)

    @staticmethod
    def _numbers(ready: Ready, spec: LatentSpec) -> list[float]:
        directions = ready.directions(spec)
        return specs.latent_at(spec, ready.config.z_dim, directions, ready.config.clusters)[0].tolist()

    # Directions ---------------------------------------------------------------------------------------------------

    def directions(self, name: str, lane: str | None = None) -> Future[tuple[str, list[Direction]]]:
        """The stamp of the weights, and what directions a study of them found (see gan.latent.directions)."""
        return self._worker.submit(lambda: self._directions(name), lane)

    def _directions(self, name: str) -> tuple[str, list[Direction]]:
        stamp, seen = self._seen(name, "")
        return stamp, seen.directions(self._worker.let_urgent_pass)

    def steered(
        self, name: str, spec: LatentSpec, label: int | None, stamp: str, lane: str | None = None
    ) -> Future[list[Direction]]:
        """The directions that are fitted to this place's picture (gan.latent.steering), before any push that keeps it.

        They begin at the study with this stamp as long as that is remembered.
        """
        return self._worker.submit(lambda: self._steered(name, spec, label, stamp), lane)

    def _steered(self, name: str, spec: LatentSpec, label: int | None, stamp: str) -> list[Direction]:
        ready, common = self._get(name), self._seen(name, stamp)[1].measured
        kept = tuple(push if push.may_change_cluster else replace(push, amount=0.0) for push in spec.directions)
        z, condition = ready.latents(replace(spec, directions=kept), label)
        found = steering.steer(ready.network, z, condition, common, self._worker.let_urgent_pass)
        return [Direction(key, "measured", vector) for key, vector in found.items()]

    def studied(self, name: str, rows: Sequence[int], stamp: str, lane: str | None = None) -> Future[Pixels]:
        """Pictures of the study, for marking; of the weights with this stamp as long as they are remembered."""
        return self._worker.submit(lambda: self._studied(name, rows, stamp), lane)

    def _studied(self, name: str, rows: Sequence[int], stamp: str) -> Pixels:
        stamp, seen = self._seen(name, stamp)
        return Pixels(seen.pictures(rows).numpy(), stamp, 0)

    def taught(
        self, name: str, more: Sequence[int], less: Sequence[int], stamp: str, lane: str | None = None
    ) -> Future[Tensor]:
        """The direction [z_dim] from the pictures marked "less" to those marked "more", by their rows in the study."""
        return self._worker.submit(lambda: self._seen(name, stamp)[1].teach(more, less), lane)

    def search(
        self, name: str, target: Tensor, report: Callable[[Found], bool], lane: str | None = None
    ) -> Future[None]:
        """Look for the latent of a picture uint8 [C, H, W]; `report` gets the best so far, says whether to go on."""
        return self._worker.submit(lambda: self._search(name, target, report), lane)

    def _search(self, name: str, target: Tensor, report: Callable[[Found], bool]) -> None:
        seen = self._seen(name, "")[1]
        opinion = opinion_of(seen.generator, seen.dataset, target)
        for found in search(seen.generator, seen.study, target, opinion):
            if not report(found):
                raise Superseded("A newer search of the same page took this one's place.")
            self._worker.let_urgent_pass()

    def _seen(self, name: str, stamp: str) -> tuple[str, StudyResult]:
        """The study of these weights: the remembered one if it has this stamp, else one of the newest."""
        kept = self._studies.get(name)
        if kept is None or (kept[0] != stamp and kept[0] != self._find(name)[0]):
            ready = self._get(name)
            seen = studies.look(ready.network, ready.config.dataset, self._worker.let_urgent_pass)
            kept = self._studies[name] = (ready.stamp, seen)
        self._studies.move_to_end(name)
        while len(self._studies) > KEPT_STUDIES:
            self._studies.popitem(last=False)
        return kept

    # Paths and sums -----------------------------------------------------------------------------------------------

    def path(self, name: str, way: KeyframePath, lane: str | None = None) -> Future[Pixels]:
        """The pictures of a path."""
        return self._worker.submit(lambda: self._path(name, way), lane)

    def _path(self, name: str, way: KeyframePath) -> Pixels:
        ready = self._get(name)
        return self._draw_many(ready, *ready.path(way))

    def path_latents(self, name: str, way: KeyframePath) -> Future[tuple[Tensor, Tensor | None]]:
        """The latents [N, z_dim] of a path, and the mixtures of classes or groups [N, classes] that go with them."""
        return self._worker.submit(lambda: self._get(name).path(way))

    def sums(self, name: str, sums: Sums, lane: str | None = None) -> Future[Pixels]:
        """Pictures of weighted sums: for each sum one, or one as each class."""
        alone = len(sums.shares) * max(len(sums.labels), 1) == 1
        return self._worker.submit(lambda: self._sums(name, sums, alone), lane, urgent=alone)

    def _sums(self, name: str, sums: Sums, alone: bool) -> Pixels:
        ready = self._get(name)
        z, condition = ready.sums(sums)
        if alone:
            return Pixels(ready.draw(z, condition), ready.stamp, ready.weights.step)
        return self._draw_many(ready, z, condition)

    def sum_latents(self, name: str, sums: Sums) -> Future[tuple[Tensor, Tensor | None]]:
        """The latents of weighted sums [N, z_dim], and the mixtures of classes [N, classes] where there are any."""
        return self._worker.submit(lambda: self._sum_latents(self._get(name), sums))

    @staticmethod
    def _sum_latents(ready: Ready, sums: Sums) -> tuple[Tensor, Tensor | None]:
        z, condition = ready.sums(sums)
        return z, condition if ready.config.classes else None

    def _draw_many(self, ready: Ready, z: Tensor, c: Tensor | None) -> Pixels:
        return Pixels(ready.draw(z, c, self._worker.let_urgent_pass), ready.stamp, ready.weights.step)

    # Generators, in the worker's thread ---------------------------------------------------------------------------

    def _get(self, name: str) -> Ready:
        stamp, load = self._find(name)
        ready = self._ready.get(name)
        if ready is None or ready.stamp != stamp:
            ready = self._ready[name] = Ready(load(), stamp)
        self._ready.move_to_end(name)
        while len(self._ready) > KEPT:
            self._ready.popitem(last=False)
        return ready

    def _find(self, name: str) -> tuple[str, Callable[[], Weights]]:
        """The stamp of the newest weights of this name, and how to get them."""
        if name.startswith("run-"):
            return self._find_run(name[4:])
        if name.startswith("file-"):
            with self._guard:
                weights = self._opened.get(name)
            if weights is None:
                raise UnknownWeights("This weights file is no longer open here; please open it again.")
            return name[5:], lambda: weights
        path = self._folder / f"{name}.safetensors"
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name) or name.startswith("metric-") or not path.is_file():
            raise UnknownWeights(f"There are no weights named {name[:60]!r}.")
        status = path.stat()
        return f"{status.st_mtime_ns:x}-{status.st_size:x}", lambda: files.load(path)

    def _find_run(self, run_id: str) -> tuple[str, Callable[[], Weights]]:
        try:
            if self.source is None:
                raise KeyError(run_id)
            stamp, step, config, class_names, state = self.source(run_id)
        except KeyError:
            raise UnknownWeights("This run has no weights to draw with (yet).") from None
        names = tuple(class_names) if config.classes else ()
        return stamp, lambda: Weights(config, "", names, step, state() if callable(state) else state)


# The thread ------------------------------------------------------------------------------------------------------


@dataclass
class _Job:
    call: Callable[[], object]
    lane: str | None
    future: Future
    urgent: bool


class Worker:
    """One thread and its short queue."""

    def __init__(self) -> None:
        self._jobs: deque[_Job] = deque()
        self._waiting: dict[str, _Job] = {}  # lane -> its job in the queue
        self._changed = threading.Condition()
        self._closed = False
        started = threading.Event()
        # torch keeps the number of threads for each thread, and the number last set anywhere for threads to come.
        # Setting it again here leaves this thread's own as it was and gives later threads what they would have had.
        before = torch.get_num_threads()
        threading.Thread(target=self._work, args=(started,), name="gan-render", daemon=True).start()
        started.wait()
        torch.set_num_threads(before)

    def submit(self, call: Callable[[], T], lane: str | None = None, urgent: bool = False) -> Future[T]:
        job = _Job(call, lane, Future(), urgent)
        with self._changed:
            if self._closed:
                raise Busy("The server is stopping.")
            older = self._waiting.get(lane) if lane else None
            if older is not None:  # take its spec in the queue, not a new one at the end
                self._jobs[self._jobs.index(older)] = job
                older.future.set_exception(Superseded("A newer request of the same page took this one's place."))
            elif len(self._jobs) >= MAX_WAITING:
                raise Busy("Too many people are asking for pictures right now; please try again.")
            else:
                self._jobs.append(job)
            if lane:
                self._waiting[lane] = job
            self._changed.notify()
        return job.future

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _work(self, started: threading.Event) -> None:
        torch.set_num_threads(1)
        torch.get_num_threads()  # makes it this thread's own: before the first use, the number last set anywhere counts
        started.set()
        while True:
            with self._changed:
                while not self._jobs and not self._closed:
                    self._changed.wait()
                if not self._jobs:
                    return
                job = next((job for job in self._jobs if job.urgent), self._jobs[0])
                self._take(job)
            self._run(job)

    def let_urgent_pass(self) -> None:
        """Called in the middle of a long job: do the urgent ones now. They are short and never call this."""
        while True:
            with self._changed:
                job = next((job for job in self._jobs if job.urgent), None)
                if job is None:
                    return
                self._take(job)
            self._run(job)

    def _take(self, job: _Job) -> None:
        self._jobs.remove(job)
        if job.lane:
            del self._waiting[job.lane]

    @staticmethod
    def _run(job: _Job) -> None:
        if not job.future.set_running_or_notify_cancel():
            return
        try:
            job.future.set_result(job.call())
        except Exception as error:
            job.future.set_exception(error)

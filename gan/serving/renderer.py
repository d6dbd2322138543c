"""Pictures on request, by the name of the weights that draw them.

Two threads: one draws, the other studies and searches, which takes long and so never holds back a slider's picture.
Why one draws for everybody: its arithmetic always runs on one core, so that the same request gives the same bytes in
every process and a training run beside it keeps its own thread setting; and a queue of one can be kept short. A page
names the `slot` of a request, in which the newest wins (see gan.serving.worker). A single picture, which is what a
moving slider asks for, is drawn between two pictures of somebody's path or neighbours.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from gan.core.messages import say
from gan.latent import directions as studies
from gan.latent.directions import StudyResult
from gan.models import weights_file as files
from gan.models.weights_file import Weights, WeightsError
from gan.serving.generator import LoadedGenerator, RenderError, StudiedGenerator
from gan.serving.worker import Check, Job, Worker

KEPT = 6  # generators ready to draw
KEPT_FILES = 4  # files that visitors opened
KEPT_STUDIES = 4  # 1,000 pictures each, for the directions of weights
MAX_UPLOAD_BYTES = 32 << 20

T = TypeVar("T")
# A run's id, or ID@best -> the stamp of its newest weights, and what reads them. Raises KeyError when the run has none
# yet, its own error when it is unknown. Asked at every request, so the stamp must be cheap; a new one is what makes the
# weights be read.
Source = Callable[[str], tuple[str, Callable[[], Weights]]]


class UnknownWeights(RenderError):
    """There are no such weights (any more)."""

    status = 404


class _Recent(Generic[T]):
    """By name, the things that were asked for last, at most `most`. Threads may share it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, name: str) -> T | None:
        with self._guard:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def keep(self, name: str, thing: T) -> T:
        with self._guard:
            self._kept[name] = thing
            self._kept.move_to_end(name)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return thing


class Renderer:
    """What shipped weights, runs and opened files draw.

    Args:
        folder: with generators as .safetensors; names starting with "metric-" are other networks.
        source: where the weights of runs come from.
    """

    def __init__(self, folder: Path, source: Source | None = None) -> None:
        self.folder, self.source = Path(folder), source
        self._draws, self._studies = Worker("gan-draw"), Worker("gan-study")
        self._loaded: _Recent[LoadedGenerator] = _Recent(KEPT)
        self._studied: _Recent[tuple[str, StudyResult]] = _Recent(KEPT_STUDIES)  # stamp and study
        self._opened: _Recent[Weights] = _Recent(KEPT_FILES)
        self._titles: dict[Path, tuple[int, Weights]] = {}

    def close(self) -> None:
        self._draws.close()
        self._studies.close()

    # Asking -------------------------------------------------------------------------------------------------------

    def ask(
        self, name: str, call: Callable[[LoadedGenerator, Check], T], slot: str | None = None, urgent: bool = False
    ) -> Job[T]:
        """Something of the newest weights of this name, in the thread that draws. Raises Busy at once.

        The job raises UnknownWeights, WeightsError, or what `call` raises. urgent: one picture, or as short.
        """
        return self._draws.submit(lambda check: call(self.newest(name), check), slot, urgent)

    def ask_study(
        self, name: str, call: Callable[[StudiedGenerator, Check], T], slot: str | None = None, stamp: str = ""
    ) -> Job[T]:
        """Something of a study: of the weights with this stamp as long as that is remembered, else of the newest."""
        return self._studies.submit(lambda check: call(self._study(name, stamp, check), check), slot)

    def newest(self, name: str) -> LoadedGenerator:
        """The newest weights of this name. Raises UnknownWeights or WeightsError."""
        stamp, load = self._find(name)
        kept = self._loaded.get(name)
        return kept if kept and kept.stamp == stamp else self._loaded.keep(name, LoadedGenerator(load(), stamp))

    def _study(self, name: str, stamp: str, check: Check) -> StudiedGenerator:
        kept = self._studied.get(name)
        if kept is None or (kept[0] != stamp and kept[0] != self._find(name)[0]):
            generator = self.newest(name)
            seen = studies.look(generator.network, generator.config.dataset, check)
            kept = self._studied.keep(name, (generator.stamp, seen))
        return StudiedGenerator(*kept, lambda: self.newest(name))

    # What there is ------------------------------------------------------------------------------------------------

    def shipped(self) -> dict[str, Weights]:
        """Shipped generators by name, with labels but no tensors. Files that cannot be read are left out."""
        found = {}
        for path in sorted(self.folder.glob("*.safetensors")):
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
            raise WeightsError(say("serving.file_unreadable", name=path.name)) from error
        known = self._titles.get(path)
        if known is None or known[0] != changed:
            known = self._titles[path] = changed, files.peek(path)
        return known[1]

    def open_file(self, data: bytes) -> str:
        """Keep a visitor's weights in memory; returns their id. Raises WeightsError."""
        weights = files.from_bytes(data, MAX_UPLOAD_BYTES)
        name = files.file_id(data)
        self._opened.keep(name, weights)
        return name

    def _find(self, name: str) -> tuple[str, Callable[[], Weights]]:
        """The stamp of the newest weights of this name, and how to get them."""
        if name.startswith("run-"):
            return self._find_run(name[4:])
        if name.startswith("file-"):
            weights = self._opened.get(name)
            if weights is None:
                raise UnknownWeights(say("serving.file_closed"))
            return name[5:], lambda: weights
        path = self.folder / f"{name}.safetensors"
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name) or name.startswith("metric-") or not path.is_file():
            raise UnknownWeights(say("serving.no_weights", name=repr(name[:60])))
        status = path.stat()
        return f"{status.st_mtime_ns:x}-{status.st_size:x}", lambda: files.load(path)

    def _find_run(self, run_id: str) -> tuple[str, Callable[[], Weights]]:
        try:
            if self.source is None:
                raise KeyError(run_id)
            return self.source(run_id)
        except KeyError:
            raise UnknownWeights(say("serving.run_without_weights")) from None

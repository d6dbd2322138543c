"""Files of a run: its weights, history, time-lapse, all of it as a zip; and a run that comes back from such a zip."""

from __future__ import annotations

import contextlib
import functools
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
from anyio import CapacityLimiter, to_thread
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from gan.core.errors import Missing
from gan.core.images import gif_bytes, grid, is_exact, mp4_bytes, split_grid
from gan.core.messages import say
from gan.models.weights_file import to_bytes
from gan.runs.archive import pack
from gan.runs.errors import RunsError
from gan.runs.history import RECORDS
from gan.runs.run import Run
from gan.web.access import Access
from gan.web.routes.answers import Table, answer_json, attachment, tokens_of
from gan.web.routes.kept_uploads import KeptUploads
from gan.web.routes.uploads import received, with_room

BEST_WEIGHTS = "weights-best.safetensors"
RUN_ZIP = "run.zip"
FILMS = ("timelapse.gif", "timelapse.mp4")
MAX_RUN_ZIP_BYTES = 500 << 20
TIMELAPSE_FRAMES, TIMELAPSE_FPS, TIMELAPSE_SCALE = 200, 20, 2
TIMELAPSE_BYTES = 128 << 20  # of its frames, before they are enlarged


class RunFiles:
    """kept: files that make room on the disk for what is sent."""

    def __init__(self, access: Access, kept: KeptUploads) -> None:
        self.runs, self.access, self.kept = access.runs, access, kept
        # One at a time of each, as training needs the other core. Who waits for that takes no thread from others.
        self._filming, self._packing, self._unpacking = CapacityLimiter(1), CapacityLimiter(1), CapacityLimiter(1)

    def table(self) -> Table:
        return {"GET runs/{run_id}/download/{what}": self.download, "POST runs/import": self.bring_back}

    async def bring_back(self, request: Request) -> Response:
        self.access.check_training(tokens_of(request))
        async with received(request, MAX_RUN_ZIP_BYTES, self.kept.drop_oldest) as file:
            unpack = functools.partial(self.runs.bring_back, file, tokens_of(request))
            run, token, claim = await to_thread.run_sync(unpack, limiter=self._unpacking)
            await run_in_threadpool(self.runs.evict_oldest, run)
        return answer_json({"id": run.id, "token": token, "pictures_token": claim}, 201)

    async def download(self, request: Request) -> Response:
        """The file `what` of a run; with pictures=1 the zip holds the own pictures that it learned from."""
        run, what = self.runs.get(request.path_params["run_id"]), request.path_params["what"]
        headers = attachment(download_name(run, what))
        if what == RUN_ZIP:
            return await self._zip(run, request, headers)
        if what not in _DOWNLOADS:
            raise Missing(say("web.no_download", name=repr(what[:40]), known=[*_DOWNLOADS, RUN_ZIP]))
        media_type, make = _DOWNLOADS[what]
        made = await to_thread.run_sync(make, run, limiter=self._filming if what in FILMS else None)
        return Response(made, media_type=media_type, headers=headers)

    async def _zip(self, run: Run, request: Request, headers: dict[str, str]) -> Response:
        along = request.query_params.get("pictures") == "1"
        own = self.access.pictures_to_take(run, tokens_of(request)) if along else None
        pack_it = functools.partial(with_room, functools.partial(_run_zip, run, own), self.kept.drop_oldest)
        file = await to_thread.run_sync(pack_it, limiter=self._packing)
        headers |= {"Content-Length": str(file.tell())}
        return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)


def _run_zip(run: Run, pictures: Path | None) -> IO[bytes]:
    """The whole run, in a file without a name that has been written to its end."""
    with contextlib.ExitStack() as on_failure:
        file = on_failure.enter_context(tempfile.TemporaryFile())
        pack(run.folder, file, pictures)
        file.flush()
        on_failure.pop_all()
    return file


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(1 << 20):
            yield piece


def download_name(run: Run, what: str) -> str:
    """What a file of a run is called on the visitor's disk."""
    recipe = re.sub(r"[^A-Za-z0-9.-]+", "-", run.config.recipe)[:60]  # a run that was brought back may say anything
    return f"gan-forge-{recipe}-{run.id[:6]}-{what}"


def _weights_file(run: Run) -> bytes:
    found = run.weights()
    if found is None:
        raise RunsError(say("web.no_weights_yet"))
    return to_bytes(found)


def _history_file(run: Run) -> bytes:
    rows = RECORDS["rows"]
    path = run.folder / rows.file
    return path.read_bytes() if path.exists() else rows.head.encode()


def _timelapse(run: Run, encode: Callable[..., bytes]) -> bytes:
    frames = run.history.frames
    if len(frames) < 2:
        raise RunsError(say("web.no_timelapse_yet"))
    chosen = [frames[round(i)] for i in np.linspace(0, len(frames) - 1, min(len(frames), _most_frames(run)))]
    sheets = [_sheet(run, f["step"]) for f in chosen]
    sheets += sheets[-1:] * TIMELAPSE_FPS  # the result stays for a second before the loop starts again
    return encode(sheets, TIMELAPSE_FPS, TIMELAPSE_SCALE if is_exact(run.config.size) else 1)


def _most_frames(run: Run) -> int:
    tiles = run.meta.tiles
    return min(TIMELAPSE_FRAMES, TIMELAPSE_BYTES // (tiles["count"] * tiles["channels"] * tiles["size"] ** 2))


def _sheet(run: Run, step: int) -> np.ndarray:
    tiles = run.meta.tiles
    return grid(split_grid(run.history.frame_path(step).read_bytes(), **tiles), tiles["columns"])


_DOWNLOADS: dict[str, tuple[str, Callable[[Run], bytes]]] = {
    "weights.safetensors": ("application/octet-stream", _weights_file),
    BEST_WEIGHTS: ("application/octet-stream", lambda run: to_bytes(run.best_weights())),
    "history.csv": ("text/csv", _history_file),
    "timelapse.gif": ("image/gif", lambda run: _timelapse(run, gif_bytes)),
    "timelapse.mp4": ("video/mp4", lambda run: _timelapse(run, mp4_bytes)),
}

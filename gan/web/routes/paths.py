"""Routes that travel: a path through keyframes as pixels, film, sheet or latents; weighted sums of keyframes."""

from __future__ import annotations

import asyncio
import functools
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from torch import Tensor

from gan.core.images import boomerang, gif_bytes, grid, mp4_bytes, png_bytes, webp_bytes, zip_bytes
from gan.core.messages import say
from gan.latent import interpolation
from gan.latent.query import MAX_VALUE, BadQuery, in_base64, integer, label_of, number, spec_of
from gan.latent.spec import packed
from gan.serving.generator import Latents, LoadedGenerator, Pixels
from gan.serving.renderer import Renderer
from gan.serving.requests import Keyframe, KeyframePath, Sums
from gan.serving.worker import Busy, Check
from gan.web.routes.answers import Table, answer_json, file, wait
from gan.web.routes.queries import SCALES, weights_of

LETTERS = "abcdefghijkl"  # the keyframes of a path, in order
FRAMES = (2, 240)  # pictures of a leg, both its keyframes among them
MAX_PICTURES = 480  # of a whole path
FPS = (1, 50)
MAX_FILM_BYTES = 200_000_000  # of all pictures of a film or zip, enlarged: some ten seconds of encoding
MAX_SHEET_BYTES = 64_000_000
MOST_WAITING = 8  # files that are made one after the other
MAX_SUMS = 320  # pictures of one request
MAX_SHARE = 10.0

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Film:
    """A kind of film: its media type, how its name ends, and what encodes pictures [H, W, C] (pictures, fps, scale)."""

    kind: str
    ending: str
    encode: Callable[[Sequence[np.ndarray], float, int], bytes]


FILMS = (
    Film("image/gif", "gif", gif_bytes),
    Film("video/mp4", "mp4", mp4_bytes),
    Film("image/webp", "webp", webp_bytes),
)


class PathRoutes:
    """Files of paths and of weighted sums; the pictures themselves are in `drawings`."""

    def __init__(self, renderer: Renderer) -> None:
        self.renderer = renderer
        self._filming = asyncio.Semaphore(1)  # one file at a time; who drags a slider needs the other core
        self._waiting = 0

    def table(self) -> Table:
        films = {f"GET path.{film.ending}": functools.partial(self.film, film) for film in FILMS}
        return films | {
            "GET path.png": self.sheet,
            "GET path.zip": self.singles,
            "GET path.npy": self.latents,
            "GET sums.png": self.sums_sheet,
            "GET sums.zip": self.sums_singles,
            "GET sums.npy": self.sums_latents,
            "GET sum": self.sum,
        }

    def _ask(self, query: Mapping[str, str], call: Callable[[LoadedGenerator, Check], T]) -> asyncio.Future[T]:
        """Something of the weights w=..."""
        return wait(self.renderer.ask(weights_of(query), call))

    def _draw(self, query: Mapping[str, str]) -> asyncio.Future[Pixels]:
        way = path_of(query)
        return self._ask(query, lambda generator, check: generator.path(way, check))

    async def film(self, film: Film, request: Request) -> Response:
        """The path as a film, with boomerang=1 there and back."""
        query = request.query_params
        fps = integer(query, "fps", *FPS, default=20)
        back = integer(query, "boomerang", 0, 1, default=0)
        images, scale = await self._enlarged(query, MAX_FILM_BYTES, 1 + back, "film")
        frames = [image.transpose(1, 2, 0) for image in images]  # [H, W, C] each
        data = await self._made(film.encode, boomerang(frames) if back else frames, fps, scale)
        return file(data, film.kind, f"gan-forge-path.{film.ending}")

    async def _made(self, encode: Callable[P, bytes], *arguments: P.args, **more: P.kwargs) -> bytes:
        """Encode in a worker thread when it is this file's turn; raises Busy when too many wait."""
        if self._waiting >= MOST_WAITING:
            raise Busy(say("web.files_being_made"))
        self._waiting += 1
        try:
            async with self._filming:
                return await run_in_threadpool(encode, *arguments, **more)
        finally:
            self._waiting -= 1

    async def sheet(self, request: Request) -> Response:
        """Every picture once, row by row, in a sheet about as wide as it is high."""
        images, scale = await self._enlarged(request.query_params, MAX_SHEET_BYTES, 1, "sheet")
        return await self._png(images, -int(-(len(images) ** 0.5) // 1), scale, "path")

    async def _png(self, images: np.ndarray, columns: int, scale: int, name: str) -> Response:
        data = await self._made(png_bytes, grid(images, columns), scale)
        return file(data, "image/png", f"gan-forge-{name}.png")

    async def singles(self, request: Request) -> Response:
        """Every picture once, each in a file of its own."""
        images, scale = await self._enlarged(request.query_params, MAX_FILM_BYTES, 1, "zip")
        return await self._zip(images, scale, "path")

    async def _zip(self, images: np.ndarray, scale: int, name: str) -> Response:
        data = await self._made(zip_bytes, images, scale)
        return file(data, "application/zip", f"gan-forge-{name}.zip")

    async def _enlarged(self, query: Mapping[str, str], most: int, times: int, what: str) -> tuple[np.ndarray, int]:
        """The path's pictures and the scale asked for; refused where that would be more than `most` bytes."""
        scale = integer(query, "scale", *SCALES, default=8)
        images = (await self._draw(query)).images
        check_size(images, scale, most, times, what)
        return images, scale

    async def latents(self, request: Request) -> Response:
        query = request.query_params
        way = path_of(query)
        return numbers_file(query, *await self._ask(query, lambda generator, _: generator.path_latents(way)))

    # Weighted sums ------------------------------------------------------------------------------------------------

    def _draw_sums(self, query: Mapping[str, str]) -> asyncio.Future[Pixels]:
        sums = sums_of(query)
        return self._ask(query, lambda generator, check: generator.sums(sums, check))

    async def sums_sheet(self, request: Request) -> Response:
        """The pictures of the sums, columns=5 in a row."""
        query = request.query_params
        scale = integer(query, "scale", *SCALES, default=8)
        images = (await self._draw_sums(query)).images
        columns = min(integer(query, "columns", 1, MAX_SUMS, default=1), len(images))
        empty = -len(images) % columns
        check_size(images, scale, MAX_SHEET_BYTES, 1 + empty / len(images), "sheet")
        return await self._png(images, columns, scale, "grid" if len(images) > 1 else "sum")

    async def sums_singles(self, request: Request) -> Response:
        """The pictures of the sums, each in a file of its own."""
        query = request.query_params
        scale = integer(query, "scale", *SCALES, default=8)
        images = (await self._draw_sums(query)).images
        check_size(images, scale, MAX_FILM_BYTES, 1, "zip")
        return await self._zip(images, scale, "grid")

    async def sums_latents(self, request: Request) -> Response:
        query = request.query_params
        return numbers_file(query, *await self._sum_latents(query))

    def _sum_latents(self, query: Mapping[str, str]) -> asyncio.Future[Latents]:
        sums = sums_of(query)
        return self._ask(query, lambda generator, _: generator.sum_latents(sums))

    async def sum(self, request: Request) -> Response:
        """The first of the sums as an address: from, c and mix, and the share of classes not said there."""
        query = request.query_params
        z, c = await self._sum_latents(query)
        if z[0].abs().max() > MAX_VALUE:
            raise BadQuery(say("web.sum_too_far"))
        answer: dict[str, object] = {"from": in_base64(packed(z[0]))}
        if c is not None:
            shares, classes = c[0].sort(descending=True)
            answer |= {"c": int(classes[0]), "left_out": round(float(shares[2:].sum()), 4)}
            if shares[1:2].sum() > 0:
                answer["mix"] = f"{int(classes[1])}:{float(shares[1] / shares[:2].sum()):.4f}"
        return answer_json(answer)


def check_size(images: np.ndarray, scale: int, most: int, times: float, what: str) -> None:
    """Refuse pictures [N, C, H, W] that, enlarged and shown so many times, would be more than `most` bytes."""
    if images.size * times * scale**2 > most:
        raise BadQuery(say(f"web.path_{what}_too_large"))


def numbers_file(query: Mapping[str, str], z: Tensor, c: Tensor | None) -> Response:
    """float32 [N, z_dim]; with part=c the mixtures of classes or groups that the network is told, [N, classes]."""
    part = query.get("part", "z")
    if part not in ("z", "c"):
        raise BadQuery(say("web.wrong_part", part=repr(part[:20])))
    numbers = z if part == "z" else c
    if numbers is None:
        raise BadQuery(say("web.only_latent"))
    out = io.BytesIO()
    np.save(out, numbers.numpy(), allow_pickle=False)
    shape = "x".join(map(str, numbers.shape))
    name = f"gan-forge-{'latents' if part == 'z' else 'classes'}-{shape}.npy"
    return file(out.getvalue(), "application/octet-stream", name)


# Questions -------------------------------------------------------------------------------------------------------


def path_of(query: Mapping[str, str]) -> KeyframePath:
    """The keyframes a, b, c, ... of an address, and how to go through them."""
    mode = query.get("mode", "slerp")
    if mode not in interpolation.MODES:
        raise BadQuery(say("web.wrong_path", modes=interpolation.MODES, mode=repr(mode[:20])))
    frames = integer(query, "frames", *FRAMES, default=16)
    loop = bool(integer(query, "loop", 0, 1, default=0))
    keyframes = keyframes_of(query)
    found = interpolation.count(len(keyframes), frames, loop)
    if found > MAX_PICTURES:
        raise BadQuery(say("web.path_too_long", most=MAX_PICTURES, number=found))
    return KeyframePath(keyframes, mode, frames, loop)


def keyframes_of(query: Mapping[str, str], least: int = 2) -> tuple[Keyframe, ...]:
    """Keyframes, each SEED or SEED:CLASS; where one was edited, am, ad, az, ... (or bm, ...) tell how."""
    given = [letter for letter in LETTERS if query.get(letter)]
    if missing := [letter for letter in LETTERS[: max(least, len(given))] if letter not in given]:
        letter = missing[0]
        where = {"a": "begins", "b": "ends"}.get(letter, "goes_on")
        raise BadQuery(say(f"web.where_path_{where}", letter=letter))
    return tuple(_keyframe(query, letter) for letter in given)


def sums_of(query: Mapping[str, str]) -> Sums:
    """shares=1:-1:1,0.5:0.5:0: sums of the keyframes; with as=0,1,2 each as each of these classes."""
    keyframes = keyframes_of(query, least=1)
    rows = query.get("shares", "").split(",")
    asked = query["as"].split(",") if query.get("as") else []
    labels = tuple(label for text in asked if (label := label_of(text)) is not None)
    if len(labels) < len(asked):
        raise BadQuery(say("web.wrong_as"))
    if len(rows) * max(len(labels), 1) > MAX_SUMS:
        raise BadQuery(say("web.too_many_sums", most=MAX_SUMS, number=len(rows) * max(len(labels), 1)))
    return Sums(keyframes, tuple(_shares(row, len(keyframes)) for row in rows), labels)


def _shares(text: str, count: int) -> tuple[float, ...]:
    parts = text.split(":")
    if len(parts) != count:
        raise BadQuery(say("web.wrong_shares", number=count, text=repr(text[:40])))
    shares = tuple(number(part, "shares", -MAX_SHARE, MAX_SHARE) for part in parts)
    if abs(sum(shares) - 1) > 0.01:
        raise BadQuery(say("web.wrong_sum", sum=sum(shares)))
    return shares


def _keyframe(query: Mapping[str, str], letter: str) -> Keyframe:
    seed, _, label = query[letter].partition(":")
    return Keyframe(spec_of({**query, "seed": seed}, letter), label_of(label))

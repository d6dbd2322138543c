"""Pictures as bytes: tensors to pixels, grids, and PNG, GIF, WebP, MP4 and zip files in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from gan.core.errors import UserError
from gan.core.files import brief
from gan.core.messages import say

EXACT_UNTIL = 32  # pixels a side; frames of larger pictures are kept without their last details
# A frame has the first quality of WebP at which it takes no more bytes than this; noise, at first, has little to lose.
QUALITIES, BYTES_A_PIXEL = (85, 70, 55, 40, 25, 10, 0), 0.36
LEVEL = 2 / 255  # between two of the 256 levels of a pixel in [-1, 1]


class PictureError(UserError):
    """Its message is one clear sentence for the person."""


def to_uint8(x: Tensor) -> Tensor:
    """[-1, 1] -> 0 to 255, rounded; what lies outside is cut off, what is not a number becomes mid-grey."""
    return ((x.nan_to_num(0.0) + 1) * 127.5).round_().clamp_(0, 255).byte()


def grid(images: np.ndarray | Tensor, columns: int, gap: int = 0, background: int = 0) -> np.ndarray:
    """uint8 [N, C, H, W] -> one sheet [rows * H, columns * W, C], row by row, `gap` pixels between."""
    images = np.asarray(images)
    n, channels, height, width = images.shape
    rows = -(-n // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, channels), background, np.uint8)
    for i, image in enumerate(images):
        top, left = i // columns * (height + gap), i % columns * (width + gap)
        sheet[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return sheet


def upscale(sheet: np.ndarray, scale: int) -> np.ndarray:
    """[H, W, C] -> [H * scale, W * scale, C]: every pixel becomes a square."""
    return sheet.repeat(scale, 0).repeat(scale, 1)


def image_of(sheet: np.ndarray) -> Image.Image:
    """uint8 [H, W, 1 or 3] as a Pillow picture, grey or colour."""
    return Image.fromarray(sheet[:, :, 0] if sheet.shape[2] == 1 else sheet)


def png_bytes(sheet: np.ndarray, scale: int = 1, words: Mapping[str, str] | None = None) -> bytes:
    """A PNG file of uint8 [H, W, C]; words: keyword -> text inside it, both in Latin-1."""
    out, info = io.BytesIO(), PngInfo()
    for keyword, text in (words or {}).items():
        info.add_text(keyword, text)
    image_of(upscale(sheet, scale)).save(out, "PNG", compress_level=6, pnginfo=info)
    return out.getvalue()


def frame_bytes(tiles: np.ndarray, columns: int) -> bytes:
    """Pictures uint8 [N, C, S, S] as a run keeps them, in a gapless grid: see `is_exact`."""
    sheet = grid(tiles, columns)
    if not is_exact(tiles.shape[2]):
        return small_webp(sheet, BYTES_A_PIXEL)
    return png_bytes(sheet) if sheet.shape[2] == 1 else _still_webp(sheet, lossless=True, quality=50)


def is_exact(size: int) -> bool:
    """Whether frames of pictures of this side keep every pixel: grey as PNG, colour as lossless WebP."""
    return size <= EXACT_UNTIL


def small_webp(sheet: np.ndarray, most: float) -> bytes:
    """A sheet [H, W, C] as WebP of the best of QUALITIES that takes at most so many bytes a pixel."""
    for quality in QUALITIES:
        data = _still_webp(sheet, quality=quality)
        if len(data) <= most * sheet.shape[0] * sheet.shape[1]:
            break
    return data


def _still_webp(sheet: np.ndarray, **options: Any) -> bytes:
    out = io.BytesIO()
    image_of(sheet).save(out, "WEBP", method=2, **options)
    return out.getvalue()


def is_webp(data: bytes) -> bool:
    """Whether a file begins as a WebP does."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def zip_bytes(images: np.ndarray, scale: int = 1) -> bytes:
    """A zip of uint8 [N, C, H, W] as single pictures: 0000.png, 0001.png, ... Equal pictures give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as pack:  # a PNG is compressed already
        for i, image in enumerate(images):
            pack.writestr(zipfile.ZipInfo(f"{i:04}.png"), png_bytes(image.transpose(1, 2, 0), scale))
    return out.getvalue()


def boomerang(frames: Sequence) -> list:
    """There and back again: the two ends are shown once, so that a loop does not stop there."""
    return [*frames, *frames[-2:0:-1]]


def gif_bytes(frames: Sequence[np.ndarray], fps: float, scale: int = 1) -> bytes:
    """An endless GIF of uint8 [H, W, C]. Grey is exact; colour gets the best 256 colours of each frame, undithered."""
    pictures = [image_of(upscale(frame, scale)) for frame in frames]
    if pictures[0].mode == "RGB":
        pictures = [p.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE) for p in pictures]
    out = io.BytesIO()
    # GIF counts in hundredths of a second, and many viewers slow down what is shorter than two.
    duration = 10 * max(2, round(100 / fps))
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:], duration=duration, loop=0, optimize=True)
    return out.getvalue()


def webp_bytes(frames: Sequence[np.ndarray], fps: float, scale: int = 1) -> bytes:
    """An endless animated WebP of uint8 [H, W, C], exact in grey and in colour."""
    pictures = [image_of(upscale(frame, scale)) for frame in frames]
    out = io.BytesIO()
    # Method 2 of 6 with half the effort: as small as the best on enlarged pixels, in half the time.
    options = {"save_all": True, "append_images": pictures[1:], "duration": round(1000 / fps), "loop": 0}
    pictures[0].save(out, "WEBP", lossless=True, method=2, quality=50, **options)
    return out.getvalue()


def mp4_bytes(frames: Sequence[np.ndarray], fps: float, scale: int = 1) -> bytes:
    """An H.264 film of uint8 [H, W, C] that every browser and phone plays (yuv420p, even sides)."""
    try:
        import av  # large, and only needed here
    except ImportError:
        raise PictureError(say("core.films_need_av")) from None
    out = io.BytesIO()
    first = _even(upscale(frames[0], scale))
    with av.open(out, "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=round(fps), options={"crf": "16", "preset": "veryfast"})
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1  # leaves the other core to whoever is training
        for frame in frames:
            rgb = np.broadcast_to(_even(upscale(frame, scale)), (*first.shape[:2], 3))
            film.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")))
        film.mux(stream.encode())
    return out.getvalue()


def _even(sheet: np.ndarray) -> np.ndarray:
    """Repeat the last row and column where a side is odd: yuv420p has one colour for two by two pixels."""
    height, width = sheet.shape[:2]
    return np.pad(sheet, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def split_grid(data: bytes, count: int, columns: int, size: int, channels: int) -> np.ndarray:
    """The inverse of a gapless `grid`: PNG or WebP -> uint8 [count, C, size, size]. Raises ValueError for others."""
    try:
        rows = -(-count // columns)
        with Image.open(io.BytesIO(data), formats=["PNG", "WEBP"]) as picture:
            mode = "L" if channels == 1 and picture.format == "PNG" else "RGB"  # a grey WebP has three channels
            if picture.size != (columns * size, rows * size) or picture.mode != mode:
                raise ValueError(f"{picture.size} {picture.mode} does not hold {count} tiles of {size}×{size}")
            sheet = np.asarray(picture).reshape(rows, size, columns, size, -1)[..., :channels]
    except ValueError:
        raise
    except Exception as error:  # decoders answer hostile bytes with any exception there is
        raise ValueError(f"not a picture that can be read ({brief(error)})") from None
    return sheet.transpose(0, 2, 4, 1, 3).reshape(rows * columns, channels, size, size)[:count]

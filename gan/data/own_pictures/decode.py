"""One file to one square picture. Every file is hostile until decoded: its size is checked before a pixel is read."""

from __future__ import annotations

import functools
import importlib.util
import io
import re
from contextlib import closing
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image, ImageCms, ImageOps, features

from gan.core.config import SIZES, wrong_size
from gan.core.messages import say
from gan.data.pictures import DataError

MOST_FILE_BYTES = 64 << 20  # one picture, compressed
MOST_PIXELS = 40_000_000  # one picture, decoded
MOST_FRAMES = 20  # of an animation that are looked at
NOTICED = 3  # of 255: a profile that moves colours by no more is that of the screen itself
MOST_PROFILE_BYTES = 4 << 20  # those of printing presses have about 2 MB
LONG = 2.5  # times as wide as high, or as high as wide: the middle square is then a small part
FITS = ("crop", "pad", "squeeze")
USUAL_SIZES = {1: 32, 3: 64}  # of pictures of so many channels, where nobody says another

_SUFFIXES = {
    "PNG": (".png",), "JPEG": (".jpg", ".jpeg", ".jfif"), "WEBP": (".webp",), "GIF": (".gif",), "BMP": (".bmp",),
    "TIFF": (".tif", ".tiff"), "PPM": (".ppm", ".pgm", ".pbm", ".pnm"), "AVIF": (".avif",), "HEIF": (".heic", ".heif"),
}  # fmt: skip
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_CUT = re.compile("truncat|broken data stream|premature|unexpected end|not enough|incomplete", re.IGNORECASE)


class Unreadable(Exception):
    """Why one picture is left out, as what follows "it is"; the others go on."""


@dataclass(frozen=True)
class Square:
    """What a picture is made into."""

    size: int = 64  # pixels a side
    channels: int = 3  # 1 grey, 3 colour
    fit: str = "crop"  # the middle square, "pad" to a square with the colour of the edge, "squeeze" into one


@dataclass(frozen=True)
class Form(Square):
    """How the pictures of a data set are prepared. Raises DataError."""

    def __post_init__(self) -> None:
        if self.channels not in (1, 3):
            raise DataError(say("data.wrong_channels", channels=self.channels))
        if self.size not in SIZES:
            raise DataError(wrong_size(self.size))
        if self.fit not in FITS:
            raise DataError(say("data.no_such_fit", fits=FITS, fit=repr(str(self.fit)[:20])))


class Small(NamedTuple):
    """What one file became."""

    pixels: bytes  # uint8 [C, size, size]
    deep: bytes  # of 16-bit grey also uint16 [size, size], little endian, as it was; else empty
    long: bool  # only a small part of it is seen


@functools.cache
def _formats() -> tuple[str, ...]:
    """What Pillow reads here; HEIC only where pillow-heif is installed beside it."""
    missing = set() if features.check("avif") else {"AVIF"}
    if importlib.util.find_spec("pillow_heif") is None:
        missing.add("HEIF")
    else:
        import pillow_heif

        pillow_heif.register_heif_opener()
    return tuple(name for name in _SUFFIXES if name not in missing)


def readable_suffixes() -> tuple[str, ...]:
    """Endings of the file names of pictures that can be read on this machine, in small letters."""
    return tuple(suffix for name in _formats() for suffix in _SUFFIXES[name])


def open_picture(data: bytes) -> Image.Image:
    """The header of a picture, its size checked before anything is decoded. Raises Unreadable."""
    try:
        picture = Image.open(io.BytesIO(data), formats=_formats())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unreadable(say("data.is_larger_pixels", most=MOST_PIXELS // 1_000_000)) from None
    except Exception:  # decoders answer hostile bytes with any exception there is
        raise Unreadable(_what_else(data)) from None
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise Unreadable(say("data.is_larger", width=width, height=height, most=MOST_PIXELS // 1_000_000))
    if min(width, height) < 1:
        raise Unreadable(say("data.is_empty"))
    return picture


def _what_else(data: bytes) -> str:
    """What bytes are that no decoder takes, as far as their beginning tells."""
    start = data[:64].lstrip().lower()
    if not data:
        return say("data.is_empty")
    if start.startswith((b"<!doctype", b"<html")):
        return say("data.is_web_page")
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return say("data.is_heic")
    known = ("PNG", "JPEG", "WebP", "GIF", "BMP", "TIFF", *(("AVIF",) if "AVIF" in _formats() else ()))
    return say("data.is_no_picture", formats=[*known, "PPM"])


# Bytes a pixel that are held at once, measured at 40 megapixels: decoded, cut out, weighed by opacity, copied by numpy.
_WEIGHTS = {"1": 4, "L": 4, "P": 6, "RGB": 8, "RGBA": 12, "CMYK": 12, "LA": 16, "I;16": 8}
_WEIGHTS_OF_FORMATS = {"JPEG": 6, "MPO": 6, "AVIF": 12, "HEIF": 12, "WEBP": 20}
_WEIGHT_OF_OTHERS = 20


def weight_of(picture: Image.Image) -> int:
    """Bytes that decoding may hold at once."""
    each = _WEIGHTS_OF_FORMATS.get(picture.format or "") or _WEIGHTS.get(picture.mode, _WEIGHT_OF_OTHERS)
    return (each + 4 * _is_animated(picture)) * picture.width * picture.height


def shrink(picture: Image.Image, form: Square) -> Small:
    """An opened picture, closed here, as the networks will see it. Raises Unreadable."""
    try:
        with closing(picture):  # gives its pixels back before the square is worked on
            picture.draft(None, (2 * form.size, 2 * form.size))  # a JPEG decodes at 1/2, 1/4 or 1/8 for much less work
            ImageOps.exif_transpose(picture, in_place=True)
            wide, high = picture.size
            small, deep = _first_that_shows(picture, form)
        long = form.fit == "crop" and max(wide, high) > LONG * min(wide, high)
        pixels = np.asarray(small.convert("RGB").convert("L" if form.channels == 1 else "RGB"))
    except Exception as error:  # as above
        raise Unreadable(_damage(error)) from None
    return Small(pixels.reshape(form.size, form.size, -1).transpose(2, 0, 1).tobytes(), deep, long)


def _damage(error: Exception) -> str:
    words = str(error)[:80] or type(error).__name__
    return say("data.is_cut_off") if _CUT.search(words) else say("data.is_damaged", error=words)


def read_one(data: bytes, size: int, channels: int) -> np.ndarray:
    """A stranger's picture, cropped to a square in the middle: uint8 [C, size, size]. Raises DataError."""
    try:
        pixels = shrink(open_picture(data), Square(size, channels)).pixels
    except Unreadable as reason:
        raise DataError(say("data.picture_unusable", reason=reason.args[0])) from None
    return np.frombuffer(pixels, np.uint8).reshape(channels, size, size).copy()


# ---- which frame ----


def _is_animated(picture: Image.Image) -> bool:
    try:
        return picture.format in ("GIF", "WEBP", "PNG", "AVIF") and bool(getattr(picture, "is_animated", False))
    except Exception:  # it looks for the second frame, which may be damaged
        return False


def _first_that_shows(picture: Image.Image, form: Square) -> tuple[Image.Image, bytes]:
    """The picture, or the first frame of an animation in which there is more than one colour."""
    first = _fitted(picture, form)
    if not _is_animated(picture) or not _is_blank(first[0]):
        return first
    for frame in range(1, min(MOST_FRAMES, MOST_PIXELS // (picture.width * picture.height))):
        try:
            picture.seek(frame)
            found = _fitted(picture, form)
        except Exception:  # the last frame, or a damaged one
            break
        if not _is_blank(found[0]):
            return found
    return first


def _is_blank(small: Image.Image) -> bool:
    return small.convert("RGB").getcolors(1) is not None


# ---- size and colour ----


def _fitted(picture: Image.Image, form: Square) -> tuple[Image.Image, bytes]:
    """(the square in 8 bits, opaque, and in colours of sRGB; its 16 bits or nothing)."""
    part = _square(picture) if form.fit == "crop" else picture
    profile = picture.info.get("icc_profile")
    deep = _deep(part, form)
    ink = part.mode == "CMYK" and _transform(profile, "CMYK") is not None
    small = _resized(part if ink else _eight_bits(part), form)
    small = _opaque(_to_srgb(small, profile))
    return _padded(small, form.size), deep


def _square(picture: Image.Image) -> Image.Image:
    """The largest square in the middle."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    return picture.crop((left, top, left + side, top + side))


def _resized(part: Image.Image, form: Square) -> Image.Image:
    """At most size x size; smaller on one side where it is to be padded. Weighs colours by their opacity."""
    size = (form.size, form.size)
    if form.fit == "pad":
        longest = max(part.size)
        width, height = (max(1, round(form.size * side / longest)) for side in part.size)
        size = (width, height)
    return part.resize(size, Image.Resampling.LANCZOS)


def _padded(small: Image.Image, size: int) -> Image.Image:
    """In the middle of a square that has the colour of the picture's own edge, so that no frame is learned."""
    if small.size == (size, size):
        return small
    pixels = np.asarray(small)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    colour = np.median(edge, axis=0).round().astype(int)
    square = Image.new(small.mode, (size, size), int(colour) if colour.ndim == 0 else tuple(colour.tolist()))
    square.paste(small, ((size - small.width) // 2, (size - small.height) // 2))
    return square


def _opaque(small: Image.Image) -> Image.Image:
    """On white."""
    if small.mode != "RGBA":
        return small
    return Image.alpha_composite(Image.new("RGBA", small.size, "white"), small).convert("RGB")


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Any Pillow mode -> "L", "RGB" or "RGBA"; 16 bits and floats are scaled, where Pillow's convert would clip."""
    if picture.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    if picture.mode in ("I", "F"):
        values = np.nan_to_num(np.asarray(picture, np.float32))
        values *= 255 / _white(picture.mode, values)
        return Image.fromarray(values.round(out=values).clip(0, 255, out=values).astype(np.uint8))
    clear = picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info
    mode = "RGBA" if clear else "L" if picture.mode == "L" else "RGB"
    return picture if picture.mode == mode else picture.convert(mode)  # which copies even when nothing changes


def _white(mode: str, values: np.ndarray) -> int:
    """What white is goes unsaid in these formats."""
    highest = values.max()
    return 1 if mode == "F" and highest <= 1 else 255 if highest <= 255 else 65535


def _deep(part: Image.Image, form: Square) -> bytes:
    """Grey of 16 bits, shrunk as it is: uint16 [size, size], little endian. Nothing of other pictures."""
    if part.mode == "I;16":
        return _deep_bytes(_resized(part, form), form)
    if not (part.mode.startswith("I;16") or part.mode == "I"):
        return b""
    values = np.asarray(part).astype(np.float32)  # Pillow scales no other 16 bits rightly
    if part.mode == "I" and _white("I", values) != 65535:
        return b""
    return _deep_bytes(_resized(Image.fromarray(values), form), form)


def _deep_bytes(small: Image.Image, form: Square) -> bytes:
    return np.asarray(_padded(small, form.size)).astype(np.float32).round().clip(0, 65535).astype("<u2").tobytes()


# ---- colour profiles ----


def _to_srgb(small: Image.Image, profile: bytes | None) -> Image.Image:
    """What the numbers mean by the file's own profile; the picture as it is where that cannot be used."""
    opacity = small.getchannel("A") if small.mode == "RGBA" else None
    colours = small.convert("RGB") if opacity else small
    transform = _transform(profile, colours.mode)
    if transform is None:
        return small
    shown = ImageCms.applyTransform(colours, transform)
    assert shown is not None  # as the transform is not in place
    if opacity:
        shown.putalpha(opacity)
    return shown


def _transform(profile: bytes | None, mode: str) -> ImageCms.ImageCmsTransform | None:
    usable = isinstance(profile, bytes) and 0 < len(profile) <= MOST_PROFILE_BYTES
    return _transform_of(profile, mode) if usable else None


@functools.lru_cache(8)  # photographs of one camera share theirs
def _transform_of(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """From the profile's colours to sRGB; None where they are the same or the profile is broken."""
    try:
        opened = ImageCms.getOpenProfile(io.BytesIO(profile))
        found = ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB")
        shown = np.asarray(ImageCms.applyTransform(_COLOURS.convert(mode), found)).astype(int)
    except Exception:  # of another kind of colours than the picture, or broken
        return None
    same = np.abs(shown - np.asarray(_COLOURS)).max() <= NOTICED
    return None if same and mode == "RGB" else found


_STEPS = np.linspace(0, 255, 6)
_COLOURS = Image.fromarray(np.stack(np.meshgrid(_STEPS, _STEPS, _STEPS), -1).reshape(6, 36, 3).astype(np.uint8))


class Readable(Protocol):
    """What a picture's bytes are read from."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""


def read_bounded(file: Readable, most: int = MOST_FILE_BYTES) -> bytes:
    """The bytes of a file. Raises Unreadable above `most`."""
    data = file.read(most + 1)
    if len(data) > most:
        raise Unreadable(say("data.is_larger_bytes", most=most >> 20))
    return data

"""One file to one picture: fits, frames, profiles, depths, formats."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from gan.data.catalog import DataError, load
from gan.data.own_pictures import Form, Prepared, prepare, readable_suffixes
from gan.data.own_pictures.decode import LONG, Unreadable, open_picture, shrink


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def small(data: bytes, size: int = 8, channels: int = 3, fit: str = "crop") -> np.ndarray:
    """uint8 [C, size, size]."""
    pixels = shrink(open_picture(data), Form(size, channels, fit)).pixels
    return np.frombuffer(pixels, np.uint8).reshape(channels, size, size)


def prepared(files: list[bytes], own: Path, form: Form) -> tuple[Prepared, np.ndarray]:
    """The data set, and its pictures [N, C, S, S]."""
    made = prepare([(f"{i:02}.png", io.BytesIO(data)) for i, data in enumerate(files)], form, own)
    return made, load(made.name, own_dir=own).images.numpy()


# ---- fit ----

WIDE = np.zeros((8, 32, 3), np.uint8)
WIDE[:, :12] = (250, 0, 0)
WIDE[:, 12:20] = (0, 250, 0)
WIDE[:, 20:] = (0, 0, 250)


@pytest.mark.parametrize("upright", [False, True])
def test_crop_keeps_the_middle_and_squeeze_all(upright: bool) -> None:
    pixels = np.ascontiguousarray(WIDE.transpose(1, 0, 2)) if upright else WIDE
    data = encoded(Image.fromarray(pixels))
    cropped, squeezed = (small(data, fit=fit) for fit in ("crop", "squeeze"))
    assert (cropped[1] == 250).all() and not cropped[[0, 2]].any()
    along = squeezed[:, :, 4] if upright else squeezed[:, 4]  # [3, 8]
    assert min(along[0, 0], along[1, 4], along[2, 7]) > 200 and max(along[1, [0, 7]]) < 50


@pytest.mark.parametrize("upright", [False, True])
def test_pad_keeps_all_and_its_border_has_the_colour_of_the_edge(upright: bool) -> None:
    lying = np.full((8, 32, 3), (10, 20, 30), np.uint8)
    lying[3:5, 10:22] = 255
    pixels = np.ascontiguousarray(lying.transpose(1, 0, 2)) if upright else lying
    got = small(encoded(Image.fromarray(pixels)), size=32, fit="pad")
    got = got.transpose(0, 2, 1) if upright else got
    assert (got[:, 12:20] == lying.transpose(2, 0, 1)).all()
    assert (got[:, :12] == np.array([10, 20, 30])[:, None, None]).all()
    assert (got[:, 20:] == np.array([10, 20, 30])[:, None, None]).all()


@pytest.mark.parametrize("fit", ["crop", "pad", "squeeze"])
@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1, 1), (3, 2), (9, 8)])
def test_any_shape_fits(fit: str, size: tuple[int, int]) -> None:
    for mode in ("L", "RGB", "RGBA", "P", "1", "I;16", "F", "CMYK"):
        kind = "TIFF" if mode in ("F", "CMYK") else "PNG"
        got = shrink(open_picture(encoded(Image.new(mode, size, 0), kind)), Form(8, 3, fit))
        assert len(got.pixels) == 3 * 64 and len(got.deep) == (128 if mode == "I;16" else 0)
        assert got.long == (fit == "crop" and max(size) > LONG * min(size))


@pytest.mark.parametrize("fit", ["pad", "squeeze"])
def test_a_square_is_the_same_whatever_the_fit(fit: str) -> None:
    data = encoded(Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8)))
    assert (small(data, fit=fit) == small(data)).all()


@pytest.mark.parametrize(
    ("size", "channels", "fit"), [(4, 1, "crop"), (257, 1, "crop"), (32, 2, "crop"), (32, 3, "fill")]
)
def test_impossible_forms(size: int, channels: int, fit: str) -> None:
    with pytest.raises(DataError):
        Form(size, channels, fit)


# ---- frames ----


def animation(kind: str, colours: list[str], last: Image.Image | None = None) -> bytes:
    frames = [Image.new("RGB", (16, 16), colour) for colour in colours] + ([last] if last else [])
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


def half() -> Image.Image:
    picture = Image.new("RGB", (16, 16), "red")
    picture.paste("blue", (8, 0, 16, 16))
    return picture


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_the_first_frame_that_shows_something(kind: str) -> None:
    got = small(animation(kind, ["black", "white", "black"], half())).astype(int)
    assert np.abs(got[:, 4, 1] - [255, 0, 0]).max() < 12 and np.abs(got[:, 4, 6] - [0, 0, 255]).max() < 12


def test_an_animation_that_shows_nothing_gives_its_first_frame() -> None:
    assert small(animation("GIF", ["lime", "blue"]))[:, 4, 4].tolist() == [0, 255, 0]


@pytest.mark.parametrize(("blank", "found"), [(19, True), (20, False)])
def test_twenty_frames_are_looked_at(blank: int, found: bool) -> None:
    colours = ["black", "white"] * 10  # equal neighbours would become one frame
    assert bool(small(animation("GIF", colours[:blank], half())).std() > 0) == found


def test_a_damaged_later_frame_is_not_needed() -> None:
    data = animation("GIF", ["black", "white", "black"], half())
    assert small(data[: len(data) * 2 // 3]).max() in (0, 255)


# ---- colour ----


def swapped_profile() -> bytes:
    """As sRGB, but red and blue exchanged: every viewer shows red what the numbers call blue."""
    b = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {bytes(b[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(struct.unpack(">I", b[128:132])[0])}
    r, bl = tags[b"rXYZ"], tags[b"bXYZ"]
    b[r + 4 : r + 12], b[bl + 4 : bl + 12] = b[bl + 4 : bl + 12], b[r + 4 : r + 12]
    return bytes(b)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF"])
def test_a_profile_says_what_the_numbers_mean(kind: str) -> None:
    plain = Image.new("RGB", (40, 40), (3, 10, 220))
    got = small(encoded(plain, kind, icc_profile=swapped_profile())).astype(int)[:, 4, 4]
    assert np.abs(got - [220, 10, 3]).max() <= 6


def test_a_profile_under_transparency() -> None:
    picture = Image.new("RGBA", (40, 40), (0, 0, 255, 255))
    picture.paste((0, 0, 255, 0), (20, 0, 40, 40))
    got = small(encoded(picture, icc_profile=swapped_profile()))
    assert np.abs(got[:, 4, 1].astype(int) - [255, 0, 0]).max() <= 3 and got[:, 4, 6].min() >= 254


def test_srgb_itself_changes_nothing() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert (small(encoded(noise, icc_profile=srgb)) == small(encoded(noise))).all()


@pytest.mark.parametrize(
    "profile",
    [b"no profile", b"\0" * 200, swapped_profile()[:300],
     ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_a_profile_that_cannot_be_used_is_ignored(profile: bytes, mode: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)).convert(mode)
    assert (small(encoded(noise, icc_profile=profile)) == small(encoded(noise))).all()


# ---- depth ----


def deep(values: np.ndarray, kind: str = "PNG") -> bytes:
    return encoded(Image.fromarray(values.astype(np.uint16)), kind)


def test_16_bits_that_use_a_part_of_their_range_are_scaled_as_one_set(tmp_path: Path) -> None:
    """Each picture keeps its place between the darkest and the lightest of all."""
    files = [deep(np.full((8, 8), 1000 + 100 * i)) for i in range(21)]
    made, images = prepared(files, tmp_path, Form(8, 1))
    assert images[:, 0, 3, 3].tolist() == [round(255 * i / 20) for i in range(21)]
    assert "The pictures of 16 bits use 1,000 to 3,000 of 65,535" in made.summary.sentence


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bits_that_use_their_whole_range_are_not(kind: str, tmp_path: Path) -> None:
    files = [deep(np.full((8, 8), 3276 * i), kind) for i in range(21)]
    made, images = prepared(files, tmp_path, Form(8, 3))
    assert images[:, :, 3, 3].tolist() == [[3276 * i // 257] * 3 for i in range(21)]
    assert "16 bits" not in made.summary.sentence


def test_8_bits_beside_16_stay_as_they_are(tmp_path: Path) -> None:
    files = [encoded(Image.new("L", (8, 8), 10 * i)) for i in range(16)] + [deep(np.full((8, 8), v)) for v in (0, 500)]
    made, images = prepared(files, tmp_path, Form(8, 3))
    assert images[:, 0, 3, 3].tolist() == [10 * i for i in range(16)] + [0, 255]
    assert "2 pictures of 16 bits use 0 to 500" in made.summary.sentence


def test_big_endian_16_bits(tmp_path: Path) -> None:
    ramp = np.linspace(0, 60_000, 64).reshape(8, 8).astype(">u2")
    out = io.BytesIO()
    Image.frombytes("I;16B", (8, 8), ramp.tobytes()).save(out, "TIFF")
    got = shrink(open_picture(out.getvalue()), Form(8, 1))
    assert np.abs(np.frombuffer(got.deep, "<u2").astype(int) - ramp.reshape(-1)).max() <= 1


def test_padded_16_bits(tmp_path: Path) -> None:
    _, images = prepared([deep(np.full((4, 8), 100 * i)) for i in range(21)], tmp_path, Form(8, 1, "pad"))
    assert images[:, 0].std((1, 2)).max() == 0 and images[20].max() == 255


# ---- formats ----


def test_avif_is_read() -> None:
    assert ".avif" in readable_suffixes()
    got = small(encoded(Image.new("RGB", (20, 20), (200, 30, 90)), "AVIF", quality=90)).astype(int)
    assert np.abs(got - np.array([200, 30, 90])[:, None, None]).max() < 12


def test_netpbm_is_read() -> None:
    assert (small(b"P5 4 4 255\n" + bytes([77] * 16)) == 77).all()


HEIC = struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"heic", 0, b"mif1", b"heic") + bytes(2000)


def test_heic_is_named_where_it_cannot_be_read() -> None:
    if ".heic" in readable_suffixes():
        pytest.skip("pillow-heif is installed here")
    with pytest.raises(Unreadable, match="HEIC picture: export it as JPEG"):
        open_picture(HEIC)


def test_heic_is_read_where_pillow_heif_is_installed() -> None:
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    heif.register_heif_opener()
    got = small(encoded(Image.new("RGB", (64, 64), (200, 30, 90)), "HEIF", quality=90)).astype(int)
    assert ".heic" in readable_suffixes() and np.abs(got - np.array([200, 30, 90])[:, None, None]).max() < 12


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"<!DOCTYPE html><title>403", "a web page"), (b" \n<html>", "a web page"), (b"", "empty"), (b"x", "not a PNG")],
)  # fmt: skip
def test_what_else_it_is(data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        open_picture(data)

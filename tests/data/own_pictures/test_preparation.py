"""A stranger's pictures: good ones come out right, bad ones end in one sentence, fast and in little memory."""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gan.core.seeds import Seeds
from gan.data import own_pictures, pictures
from gan.data.catalog import DataError, Dataset, describe, load
from gan.data.own_pictures import Form, decode, files, preparation
from gan.data.pictures import Progress, split_of


def prepare(given, size: int, channels: int, own: Path, say: Progress | None = None, fit: str = "crop") -> str:
    """The name of the data set."""
    return own_pictures.prepare(given, Form(size, channels, fit), own, say).name


def prepare_folder(path: Path, size: int, channels: int, own: Path, say: Progress | None = None) -> str:
    return own_pictures.prepare_folder(path, Form(size, channels), own, say).name


def prepare_zip(path: Path, size: int, channels: int, own: Path) -> str:
    return own_pictures.prepare_zip(path, Form(size, channels), own).name


def words_of(name: str, own: Path) -> str:
    """What is said of a data set, but that the pictures of these tests have one colour each."""
    return describe(name, own).summary.sentence.replace(" All show one colour only.", "")


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def plain(value: int, size: tuple[int, int] = (12, 12)) -> bytes:
    return encoded(Image.new("L", size, value))


def good(count: int = 20, start: int = 0) -> list[tuple[str, io.BytesIO]]:
    return [(f"{i:03}.png", io.BytesIO(plain(start + i))) for i in range(count)]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def huge_png(side: int) -> bytes:
    """A valid header of side x side pixels and hardly anything after it."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def one(data: bytes, tmp_path: Path, size: int = 8, channels: int = 3) -> torch.Tensor:
    """The picture [C, size, size] that a file becomes, between 16 others that are plain."""
    name = prepare([("it", io.BytesIO(data)), *good(16)], size, channels, tmp_path)
    got = load(name, own_dir=tmp_path)
    assert len(got.images) == 17, "the picture was skipped"
    return got.images[0]


@pytest.fixture(autouse=True)
def fast_and_small() -> Iterator[None]:
    """No input may take more than a few seconds of computing or a lot of memory."""
    start, before = time.process_time(), largest_so_far()
    yield
    assert time.process_time() - start < 8
    assert largest_so_far() - before < 600_000


def largest_so_far() -> int:
    """Memory of this process at its largest, kB; 0 on Windows, which has no `resource`."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


# ---- what good pictures become ----


def test_the_whole_way_and_back(tmp_path: Path) -> None:
    name = prepare(good(), 16, 1, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [f"{name}.safetensors"]
    got, source = load(name, own_dir=tmp_path), describe(name, tmp_path)
    assert got.images.shape == (20, 1, 16, 16) and got.images.dtype == torch.uint8
    assert got.images[:, 0, 3, 3].tolist() == list(range(20))
    assert got.labels.tolist() == [0] * 20 and got.class_names == source.class_names == ()
    assert (source.size, source.channels, source.downloads) == (16, 1, False)
    assert words_of(name, tmp_path) == "20 pictures."
    assert torch.equal(load(name, "test", tmp_path).images, got.images)


def test_same_pictures_same_name_and_anything_else_another(tmp_path: Path) -> None:
    name = prepare(good(), 16, 1, tmp_path)
    before = (tmp_path / f"{name}.safetensors").stat().st_mtime_ns
    assert prepare(good(), 16, 1, tmp_path) == name
    assert (tmp_path / f"{name}.safetensors").stat().st_mtime_ns == before
    foldered = [(f"{i % 2}/{n}", file) for i, (n, file) in enumerate(good())]
    others = [(good(), 8, 1), (good(), 16, 3), (good(start=1), 16, 1), (foldered, 16, 1)]
    assert len({prepare(*other, tmp_path) for other in others} | {name}) == 5


def test_the_name_is_a_hash_that_never_changes(tmp_path: Path) -> None:
    """Runs and folders of earlier versions hold it: sizes, classes, labels, pixels."""
    pixels = np.repeat(np.arange(20, dtype=np.uint8), 144).tobytes()
    digest = hashlib.sha256(b"[12, 1, []]" + np.zeros(20, "<i8").tobytes() + pixels)
    assert prepare(good(), 12, 1, tmp_path) == f"own-{digest.hexdigest()[:12]}"


def test_files_may_be_paths(tmp_path: Path) -> None:
    for name, file in good():
        (tmp_path / name).write_bytes(file.getvalue())
    by_path = prepare([(p.name, p) for p in sorted(tmp_path.glob("*.png"))], 8, 1, tmp_path / "own")
    assert by_path == prepare(good(), 8, 1, tmp_path / "own")


def test_the_middle_square_is_kept(tmp_path: Path) -> None:
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = (10, 200, 30)
    for pixels in (wide, wide.transpose(1, 0, 2)):
        got = one(encoded(Image.fromarray(np.ascontiguousarray(pixels))), tmp_path)
        assert (got == torch.tensor([10, 200, 30])[:, None, None]).all()


def test_scaling_down_averages_instead_of_skipping(tmp_path: Path) -> None:
    board = (np.indices((512, 512)).sum(0) % 2 * 255).astype(np.uint8)
    got = one(encoded(Image.fromarray(board)), tmp_path, size=32, channels=1).float()
    assert 120 < got.min() <= got.max() < 135


def test_exif_orientation_turns_upright(tmp_path: Path) -> None:
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[:8] = 255  # top is white
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held so that the picture must be turned right by 90 degrees
    got = one(encoded(Image.fromarray(pixels), "JPEG", exif=exif, quality=95), tmp_path).float()
    assert got[:, :, 5:].mean() > 240 and got[:, :, :3].mean() < 15  # so white is on the right


def test_transparent_is_white(tmp_path: Path) -> None:
    rgba = np.zeros((16, 16, 4), np.uint8)
    rgba[:, 8:] = (255, 0, 0, 255)
    expected = torch.tensor([[255, 255], [255, 0], [255, 0]])
    palette = Image.new("P", (16, 16), 0)
    palette.putpalette([9, 9, 9, 255, 0, 0])
    palette.paste(1, (8, 0, 16, 16))
    files = [
        encoded(Image.fromarray(rgba)),
        encoded(Image.fromarray(rgba), "WEBP", lossless=True, exact=True),
        encoded(palette, "PNG", transparency=0),
        encoded(palette, "GIF", transparency=0),
    ]
    for file in files:
        assert (one(file, tmp_path)[:, 4, [1, 6]].long() - expected).abs().max() <= 1
    half = one(encoded(Image.new("LA", (16, 16), (0, 128))), tmp_path)
    assert (half.float() - 127).abs().max() <= 1


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = np.repeat(np.linspace(0, 65535, 8).astype(np.uint16)[None], 8, 0)
    for kind in ("PNG", "TIFF"):
        got = one(encoded(Image.fromarray(ramp), kind), tmp_path, channels=1)
        assert (got[0, 0].float() - torch.linspace(0, 255, 8)).abs().max() <= 1
    dark = one(encoded(Image.fromarray(np.full((8, 8), 200, np.uint16))), tmp_path, channels=1)
    assert dark.max() <= 1
    unit = one(encoded(Image.fromarray(ramp.astype(np.float32) / 65535), "TIFF"), tmp_path, channels=1)
    assert (unit[0, 0].float() - torch.linspace(0, 255, 8)).abs().max() <= 1


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_is_ink(kind: str, tmp_path: Path) -> None:
    got = one(encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), kind), tmp_path).float()  # magenta + yellow
    assert got[0].mean() > 240 and got[1:].mean() < 15


def test_animation_gives_its_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    gif = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert one(gif, tmp_path)[:, 4, 4].tolist() == [255, 0, 0]


def test_grey_and_colour(tmp_path: Path) -> None:
    red = encoded(Image.new("RGB", (9, 9), "red"))
    assert (one(red, tmp_path, channels=1) == 76).all()  # ITU-R 601 luma
    assert (one(plain(90), tmp_path, channels=3) == 90).all()
    assert one(encoded(Image.new("1", (9, 9), 1)), tmp_path, channels=1).min() == 255
    assert one(encoded(Image.new("RGB", (9, 9), "blue"), "BMP"), tmp_path)[:, 0, 0].tolist() == [0, 0, 255]


# ---- classes ----


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["cat/{}.png", "dog/{}.png"], ("cat", "dog")),
        (["all/cat/{}.png", "all/dog/{}.png"], ("cat", "dog")),
        (["cat/black/{}.png", "cat/{}.png", "dog/{}.png"], ("cat", "dog")),
        (["a\\cat\\{}.png", "a\\dog\\{}.png"], ("cat", "dog")),
        (["../cat/{}.png", "/dog/{}.png"], ("cat", "dog")),
        (["cat/{}.png", "{}.png"], ()),
        (["cat/{}.png"], ()),
        (["{}.png"], ()),
        ([f"{i:03}/{{}}.png" for i in range(100)], tuple(f"{i:03}" for i in range(100))),
        ([f"{i:03}/{{}}.png" for i in range(101)], ()),
        (["c\u202eat\n/{}.png", "dog/{}.png"], ("cat", "dog")),
    ],
)
def test_folders_become_classes(names: list[str], classes: tuple[str, ...], tmp_path: Path) -> None:
    count = max(20, len(names))
    files = [(names[i % len(names)].format(i), io.BytesIO(plain(i % len(names)))) for i in range(count)]
    got = load(prepare(files, 8, 1, tmp_path), own_dir=tmp_path)
    assert got.class_names == classes
    if len(classes) == len(names):
        assert torch.equal(got.labels, got.images[:, 0, 0, 0].long())
    if not classes:
        assert not got.labels.any()


def test_a_folder_on_disk_with_everything_in_it(tmp_path: Path) -> None:
    root = tmp_path / "pets"
    for i, (name, file) in enumerate(good()):
        at = root / ("cat" if i % 2 else "dog")
        at.mkdir(parents=True, exist_ok=True)
        (at / name.upper()).write_bytes(file.getvalue())
    (root / "readme.txt").write_text("not a picture, and its name says so")
    (root / ".hidden.png").write_text("no")
    (root / "__MACOSX").mkdir()
    (root / "__MACOSX" / "x.png").write_text("no")
    (root / "cat" / "loop").symlink_to(root)
    os.mkfifo(root / "cat" / "pipe.png")
    name = prepare_folder(root, 8, 1, tmp_path / "own")
    assert load(name, own_dir=tmp_path / "own").class_names == ("cat", "dog")
    assert words_of(name, tmp_path / "own") == (
        "20 pictures, 2 classes: cat (10), dog (10). 1 other file (readme.txt) was left out. "
        "1 could not be read (cat/pipe.png, not a file). 1 link to a folder was not followed (cat/loop)."
    )
    assert describe(name, tmp_path / "own").title == "pets"
    with pytest.raises(DataError, match="no folder"):
        prepare_folder(tmp_path / "nowhere", 8, 1, tmp_path / "own")


def folder(at: Path, count: int = 20) -> Path:
    at.mkdir()
    for name, file in good(count):
        (at / name).write_bytes(file.getvalue())
    return at


def test_an_unchanged_folder_is_not_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, own, words = folder(tmp_path / "f"), tmp_path / "own", []
    name = prepare_folder(root, 8, 1, own)
    with monkeypatch.context() as patch:
        patch.setattr(preparation, "open_picture", lambda data: pytest.fail("opened again"))
        assert prepare_folder(root, 8, 1, own, words.append) == name
    assert words == ["Prepared before; the folder has not changed since."]
    assert prepare_folder(root, 8, 3, own) != name != prepare_folder(root, 16, 1, own)
    (own / f"{name}.safetensors").unlink()
    assert prepare_folder(root, 8, 1, own) == name and len(load(name, own_dir=own).images) == 20


def another_with_its_date_kept(file: Path) -> None:
    """As `cp -p` and `tar x` leave it: other pixels, the same size and time of modification."""
    seen, other = file.stat(), plain(199)
    assert len(other) == seen.st_size
    file.write_bytes(other)
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "000.png").write_bytes(plain(200)),
        lambda root: another_with_its_date_kept(root / "003.png"),
        lambda root: (root / "000.png").rename(root / "999.png"),
        lambda root: (root / "000.png").unlink(),
        lambda root: (root / "new.png").write_bytes(plain(50)),
        lambda root: (root / "d").mkdir() or [p.rename(root / "d" / p.name) for p in list(root.glob("00*.png"))],
    ],
)
def test_a_changed_folder_is_prepared_anew(change: Callable[[Path], object], tmp_path: Path) -> None:
    root, words = folder(tmp_path / "f"), []
    prepare_folder(root, 8, 1, tmp_path / "own")
    change(root)
    name = prepare_folder(root, 8, 1, tmp_path / "own", words.append)
    assert not words and name == prepare_folder(root, 8, 1, tmp_path / "fresh")


def test_a_folder_with_unreadable_pictures_is_tried_again(tmp_path: Path) -> None:
    root = folder(tmp_path / "f")
    (root / "bad.png").write_bytes(b"no")
    name = prepare_folder(root, 8, 1, tmp_path / "own")
    assert words_of(name, tmp_path / "own").endswith("or PPM picture).")
    (root / "bad.png").write_bytes(plain(77))
    assert prepare_folder(root, 8, 1, tmp_path / "own") != name


def test_hidden_folders_count_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, own = folder(tmp_path / "f"), tmp_path / "own"
    (root / ".git").mkdir()
    for i in range(20):
        (root / ".git" / f"{i}.png").write_bytes(b"no")
    monkeypatch.setattr(files, "MOST_FILES", 30)
    prepare_folder(root, 8, 1, own)
    (root / ".DS_Store").write_bytes(b"changed")
    (root / ".git" / "0.png").write_bytes(b"changed")
    monkeypatch.setattr(preparation, "open_picture", lambda data: pytest.fail("opened again"))
    assert prepare_folder(root, 8, 1, own)


def test_what_is_said_of_a_folder_is_of_today(tmp_path: Path) -> None:
    """What a look at it tells counts, too: an empty folder, another file, a link."""
    root, said = tmp_path / "f", []
    for i, (name, file) in enumerate(good()):
        (root / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        (root / "ab"[i % 2] / name).write_bytes(file.getvalue())
    changes = [lambda: (root / "bird").mkdir(), lambda: (root / "bird").rmdir(),
               lambda: (root / "x.txt").write_text("x"), lambda: (root / "link").symlink_to(root / "a")]  # fmt: skip
    for change in [lambda: None, *changes]:
        change()
        said.append(own_pictures.prepare_folder(root, Form(8, 1), tmp_path / "own").summary.sentence)
    assert said[0] == said[2] and "“bird” has no picture" in said[1] and "x.txt" in said[3] and "link" in said[4]


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, scandir = folder(tmp_path / "f"), os.scandir
    (root / "closed").mkdir()

    def refused(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)
    name = prepare_folder(root, 8, 1, tmp_path / "own")
    assert "1 folder may not be read and was left out (closed)." in words_of(name, tmp_path / "own")


@pytest.mark.parametrize("content", [b"", b"own-000000000000", b"../../etc/passwd", b"\xff\xfe"])
def test_a_damaged_mark_is_ignored(content: bytes, tmp_path: Path) -> None:
    root, own = folder(tmp_path / "f"), tmp_path / "own"
    name = prepare_folder(root, 8, 1, own)
    [mark] = own.glob("folder-*.txt")
    mark.write_bytes(content)
    assert prepare_folder(root, 8, 1, own) == name == mark.read_text(encoding="utf-8").partition("\n")[0]


# ---- hostile pictures ----


@pytest.mark.parametrize("count", [0, 1, 3, 15])
def test_too_few_names_both_numbers(count: int, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"\b{count}\b.*\b16\b"):
        prepare(good(count), 8, 1, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_too_many_is_refused_when_the_next_one_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "MOST", 30)
    assert prepare(good(30), 8, 1, tmp_path)
    with pytest.raises(DataError, match="more than 30"):
        prepare(good(31), 8, 1, tmp_path)


NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "text": (lambda: b"just words\n" * 100, "not a PNG"),
    "empty": (lambda: b"", "empty"),
    "cut png": (lambda: encoded(Image.fromarray(NOISE))[:4000], "cut off"),
    "cut jpeg": (lambda: encoded(Image.fromarray(NOISE), "JPEG")[:1500], "cut off"),
    "cut webp": (lambda: encoded(Image.fromarray(NOISE), "WEBP")[:800], "not a PNG|damaged|cut off"),
    "cut tiff": (lambda: encoded(Image.fromarray(NOISE), "TIFF")[:800], "not a PNG|damaged|cut off"),
    "20,000 square": (lambda: huge_png(20_000), "megapixels"),
    "7,000 square": (lambda: huge_png(7_000), "7000 x 7000, more than 40 megapixels"),
    "11,000 square": (lambda: huge_png(11_000), "megapixels"),
    "webp 16,383 square": (lambda: huge_webp(16_383), "megapixels|not a PNG"),
    "postscript": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a PNG"),
    "zip": (lambda: b"PK\x05\x06" + bytes(18), "not a PNG"),
    "65 MB": (lambda: bytes((64 << 20) + 1), "larger than 64 MB"),
    "text bomb": (lambda: text_bomb(), "damaged|cut off|not a PNG"),
}


def huge_webp(side: int) -> bytes:
    flags = struct.pack("<I", 0) + (side - 1).to_bytes(3, "little") * 2
    body = b"WEBPVP8X" + struct.pack("<I", 10) + flags + encoded(Image.new("RGB", (4, 4)), "WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def text_bomb() -> bytes:
    """A PNG whose compressed comment unpacks to 100 MB."""
    bomb = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100_000_000), 1))
    file = plain(0)
    return file[:33] + bomb + file[33:]


@pytest.mark.parametrize("kind", HOSTILE)
def test_one_bad_picture_is_skipped_and_too_many_are_an_error(kind: str, tmp_path: Path) -> None:
    make, reason = HOSTILE[kind]
    bad = make()
    name = prepare([*good(8), ("bad.png", io.BytesIO(bad)), *good(8, 8)], 8, 1, tmp_path)
    assert describe(name, tmp_path).about.startswith("16 pictures")
    assert re.search(rf"^16 pictures\. 1 could not be read \(bad\.png, .*({reason})", words_of(name, tmp_path))
    with pytest.raises(DataError, match=f"(?s)15 pictures .* 16 are needed.*bad.png.*({reason})"):
        prepare([*good(15), ("bad.png", io.BytesIO(bad))], 8, 1, tmp_path)


def test_random_damage_never_escapes(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    files = []
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        whole = np.frombuffer(encoded(Image.fromarray(NOISE), kind), np.uint8)
        for i in range(40):
            hurt = whole.copy()
            hurt[rng.integers(0, min(len(hurt), 200 if i % 2 else len(hurt)), 5)] = rng.integers(0, 256, 5)
            files.append((f"{kind}{i}", io.BytesIO(hurt.tobytes())))
    assert prepare([*good(16), *files], 8, 3, tmp_path)


def test_many_pixels_in_all_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparation, "MOST_PIXELS_TOGETHER", 16 * 144)
    assert prepare(good(16), 8, 1, tmp_path)
    with pytest.raises(DataError, match="gigapixels"):
        prepare(good(17), 8, 1, tmp_path)


def test_a_reader_that_fails_is_one_bad_picture(tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(DataError, match=r"15 pictures can be used.*Input/output error"):
        prepare([*good(15), ("x.png", Broken())], 8, 1, tmp_path)


@pytest.mark.slow
def test_the_largest_pictures_allowed_need_little_memory(tmp_path: Path) -> None:
    """40 megapixels with transparency: 160 MB decoded, cut and scaled without ever holding many copies."""
    big = encoded(Image.new("RGBA", (6300, 6300), (0, 0, 0, 255)), compress_level=1)
    assert one(big, tmp_path).max() == 0


def test_names_in_messages_are_tame(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        prepare([("\x1b[31m\u202e\n" + "x" * 10_000, io.BytesIO(b"no"))], 8, 1, tmp_path)
    assert len(str(caught.value)) < 400 and str(caught.value).isprintable()


@pytest.mark.parametrize(("size", "channels"), [(4, 1), (1000, 3), (32, 2), (32, 4)])
def test_impossible_forms(size: int, channels: int, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\d"):
        prepare(good(), size, channels, tmp_path)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pictures.os, "replace", full)
    with pytest.raises(DataError, match="full"):
        prepare(good(), 8, 1, tmp_path)
    assert list(tmp_path.iterdir()) == []


# ---- many at a time ----


def mixed(count: int = 60) -> list[tuple[str, io.BytesIO]]:
    """Pictures of many sizes and formats, every seventh of them damaged."""
    rng = np.random.default_rng(2)
    files = []
    for i in range(count):
        noise = Image.fromarray(rng.integers(0, 256, (*rng.integers(9, 200, 2), 3), np.uint8))
        data = encoded(noise, ("PNG", "JPEG", "WEBP")[i % 3])
        files.append((f"{i % 2}/{i}", io.BytesIO(data[: len(data) // 2] if i % 7 == 3 else data)))
    return files


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Prepare with a single thread and a single picture in flight: the name, or the sentence."""

    def run(prepare: Callable[..., str], *args: object) -> str:
        with monkeypatch.context() as patch:
            patch.setattr(preparation, "THREADS", 1)
            patch.setattr(preparation, "MOST_IN_FLIGHT", 1)
            return outcome(prepare, *args)

    return run


def outcome(prepare: Callable[..., str], *args: object) -> str:
    """The name, or the sentence. What is said of the progress depends on the clock, and is not compared."""
    try:
        return prepare(*args)
    except DataError as error:
        return str(error)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "channels"), [(8, 1), (32, 3)])
def test_all_cores_give_what_one_gives(
    size: int, channels: int, tmp_path: Path, one_by_one: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is the hash of pixels, order and classes."""
    expected = one_by_one(prepare, mixed(), size, channels, tmp_path / "a")
    assert words_of(expected, tmp_path / "a").startswith("51 pictures, 2 classes: 0 (26), 1 (25). 9 could not be")
    for threads, flight in ((2, 3), (8, 256)):
        monkeypatch.setattr(preparation, "THREADS", threads)
        monkeypatch.setattr(preparation, "MOST_IN_FLIGHT", flight)
        assert outcome(prepare, mixed(), size, channels, tmp_path / "b") == expected


def test_a_slow_picture_keeps_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is decoded last: its thread waits for all the others."""
    shrink, others = decode.shrink, threading.Semaphore(0)

    def first_last(picture: Image.Image, form: Form) -> decode.Small:
        if picture.width == 13:
            assert all(others.acquire(timeout=60) for _ in range(20))
            return shrink(picture, form)
        done = shrink(picture, form)
        others.release()
        return done

    monkeypatch.setattr(preparation, "shrink", first_last)
    monkeypatch.setattr(preparation, "THREADS", 2)
    name = prepare([("slow", io.BytesIO(plain(99, (13, 13)))), *good()], 8, 1, tmp_path)
    assert load(name, own_dir=tmp_path).images[:, 0, 0, 0].tolist() == [99, *range(20)]


@pytest.mark.parametrize(("limit", "value"), [("MOST", 30), ("MOST_PIXELS_TOGETHER", 40_000), ("MOST_FILES", 5),
                                              ("MOST_RESULT_BYTES", 30 * 64)])  # fmt: skip
def test_limits_strike_at_the_same_picture(
    limit: str, value: int, tmp_path: Path, one_by_one: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files if limit == "MOST_FILES" else preparation, limit, value)
    given = [(n, io.BytesIO(plain(0, (40, 40)))) for n in "abc"] + mixed()
    expected = one_by_one(prepare, [(n, io.BytesIO(f.getvalue())) for n, f in given], 8, 1, tmp_path)
    assert "more" in expected
    assert outcome(prepare, given, 8, 1, tmp_path) == expected
    assert list(tmp_path.iterdir()) == []


def test_what_a_reader_raises_is_heard_in_its_turn(tmp_path: Path, one_by_one: Callable) -> None:
    """Reading runs ahead of the limits on what has been read, but the person hears of the first trouble."""

    class Cut(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            raise DataError("The cable was pulled.")

    def given() -> list[tuple[str, io.BytesIO]]:
        return [*good(20), ("cut", Cut()), *good(300)]

    assert outcome(prepare, given(), 8, 1, tmp_path) == "The cable was pulled."
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparation, "MOST", 19)
        expected = one_by_one(prepare, given(), 8, 1, tmp_path)
        assert "more than 19" in expected and outcome(prepare, given(), 8, 1, tmp_path) == expected


def test_pictures_in_flight_are_limited_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted from the start of decoding until the result has been taken; a picture beyond the limit flies alone."""
    rng, held, peak, lock = np.random.default_rng(3), 0, 0, threading.Lock()
    sides = [*rng.integers(1, 100, 200).tolist(), 300, *rng.integers(1, 100, 100).tolist()]
    limit = 4 * 100 * 100 * 3

    def shrink(picture: Image.Image, form: Form) -> bytes:
        nonlocal held, peak
        with lock:
            held += 4 * picture.width * picture.height
            peak = max(peak, held)
            assert held <= limit or held == 4 * 300 * 300
        return bytes([picture.width % 256])

    monkeypatch.setattr(preparation, "MOST_IN_FLIGHT_BYTES", limit)
    monkeypatch.setattr(preparation, "THREADS", 8)
    monkeypatch.setattr(preparation, "shrink", shrink)
    got = []
    for job in preparation._decoded([(0, lambda s=s: plain(0, (s, s))) for s in sides], Form()):
        got += job.done.result()
        with lock:
            held -= 4 * job.pixels
    assert got == [s % 256 for s in sides] and peak == 4 * 300 * 300 and held == 0


def test_pictures_in_flight_are_limited_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    def one_more() -> bytes:
        nonlocal read
        read += 1
        return plain(0, (1, 1)) if read % 2 else b"not a picture"

    monkeypatch.setattr(preparation, "MOST_IN_FLIGHT", 10)
    for taken, _ in enumerate(preparation._decoded([(0, one_more)] * 100, Form())):
        assert read <= taken + 11


def test_two_are_decoded_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2, timeout=60)  # breaks when nobody else comes
    monkeypatch.setattr(preparation, "THREADS", 2)
    monkeypatch.setattr(preparation, "shrink", lambda picture, form: bytes([both.wait()]))
    jobs = preparation._decoded([(0, lambda: plain(0))] * 6, Form())
    assert sorted(job.done.result() for job in jobs) == [b"\0"] * 3 + [b"\1"] * 3


def test_of_unreadable_files_only_the_reason_is_kept() -> None:
    """256 files of 64 MB may wait behind a slow picture; a traceback would hold on to their bytes."""
    for job in preparation._decoded([(0, lambda: b"not a picture"), (1, lambda: bytes(1))], Form()):
        reason = job.done.exception()
        assert "not a PNG" in str(reason) and reason.__traceback__ is None and reason.__context__ is None


def test_giving_up_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Enough(Exception):
        pass

    def enough(words: str) -> None:
        raise Enough

    monkeypatch.setattr(preparation, "SAY_SECONDS", 0.0)
    with pytest.raises(Enough):
        prepare(good(600), 8, 1, tmp_path, enough)
    assert list(tmp_path.iterdir()) == []
    assert not [t for t in threading.enumerate() if t.name.startswith("pictures")]


def test_progress_counts_and_knows_the_total(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[str] = []
    monkeypatch.setattr(preparation, "SAY_SECONDS", 0.0)
    prepare_folder(folder(tmp_path / "f", 30), 8, 1, tmp_path / "own", words.append)
    assert words == [f"{n} of 30 pictures read." for n in range(1, 31)]


# ---- hostile zips ----


def zipped(path: Path, entries: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def entries(count: int = 20) -> list[tuple[str, bytes]]:
    return [(name, file.getvalue()) for name, file in good(count)]


def test_zip_equals_folder(tmp_path: Path) -> None:
    files = [(f"{'cat' if i % 2 else 'dog'}/{name}", data) for i, (name, data) in enumerate(entries())]
    for name, data in files:
        (tmp_path / "f" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "f" / name).write_bytes(data)
    extra = [("notes.txt", b"hello"), ("__MACOSX/._0.png", b"x"), ("inner.zip", b"PK"), ("cat/", b"")]
    name = prepare_zip(zipped(tmp_path / "z.zip", files[::-1] + extra), 8, 1, tmp_path / "own")
    assert name == prepare_folder(tmp_path / "f", 8, 1, tmp_path / "own")
    assert describe(name, tmp_path / "own").class_names == ("cat", "dog")


def test_path_tricks_write_nothing(tmp_path: Path) -> None:
    tricks = [(f"../../{name}", data) for name, data in entries(10)] + [(f"/etc/{n}", d) for n, d in entries(10)]
    name = prepare_zip(zipped(tmp_path / "z.zip", tricks), 8, 1, tmp_path / "a" / "b" / "own")
    found = sorted(p.name for p in tmp_path.rglob("*") if p.is_file())
    assert found == [f"{name}.safetensors", "z.zip"]


def test_a_zip_of_100_000_entries(tmp_path: Path) -> None:
    """Written by hand, because zipfile would take a minute."""
    local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 5, 0) + b"a.png"
    central = (
        struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0) + b"a.png"
    )
    table = central * 100_000
    for declared in (65_535, 3):  # the end record may lie about the number
        end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, declared, declared, len(table), len(local), 0)
        (tmp_path / "z.zip").write_bytes(local + table + end)
        with pytest.raises(DataError, match="more than 60,000 entries"):
            prepare_zip(tmp_path / "z.zip", 8, 1, tmp_path)


def test_a_table_of_contents_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_DIRECTORY_BYTES", 70_000)
    many = [("x" * 60_000, b""), ("y" * 60_000, b"")]
    with pytest.raises(DataError, match="table of contents"):
        prepare_zip(zipped(tmp_path / "z.zip", many), 8, 1, tmp_path)


def patch_sizes(path: Path, size: int, only: int | None = None) -> None:
    """Overwrite the declared unpacked size of every entry (or the first few) in the table of contents."""
    data, at, done = bytearray(path.read_bytes()), 0, 0
    while (at := data.find(b"PK\x01\x02", at)) >= 0 and (only is None or done < only):
        data[at + 24 : at + 28] = struct.pack("<I", size)
        at, done = at + 4, done + 1
    path.write_bytes(data)


def test_a_zip_that_declares_10_gb(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", entries())
    patch_sizes(path, 500 << 20)
    with pytest.raises(DataError, match=r"unpacks to 9\.8 GB, more than 4 GB"):
        prepare_zip(path, 8, 1, tmp_path)


def test_a_film_beside_the_pictures_weighs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_UNPACKED_BYTES", 1 << 20)
    path = zipped(tmp_path / "z.zip", [*entries(), ("film.mp4", bytes(2 << 20))])
    assert prepare_zip(path, 8, 1, tmp_path)


@pytest.mark.slow
def test_a_zip_bomb_entry_is_not_unpacked(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", [("0bomb.png", bytes(80 << 20)), *entries(16)])
    said = own_pictures.prepare_zip(path, Form(8, 1), tmp_path).summary.sentence
    assert "1 could not be read (0bomb.png, larger than 64 MB)" in said
    patch_sizes(path, 1000, only=1)  # now its header lies
    said = own_pictures.prepare_zip(path, Form(8, 1), tmp_path).summary.sentence
    assert "1 could not be read (0bomb.png, damaged inside the zip" in said


def test_bytes_are_counted_while_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "z.zip", entries())
    total = sum(len(data) for _, data in entries())
    monkeypatch.setattr(files, "MOST_UNPACKED_BYTES", total - 1)
    monkeypatch.setattr(files, "sum", lambda sizes: 0, raising=False)  # as if every declared size were zero
    with pytest.raises(DataError, match="unpacks to more than"):
        prepare_zip(path, 8, 1, tmp_path)


def test_an_encrypted_zip(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", entries())
    data = bytearray(path.read_bytes())
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(DataError, match="password"):
        prepare_zip(path, 8, 1, tmp_path)


def test_damage_inside_a_zip_skips_that_picture(tmp_path: Path) -> None:
    path = zipped(tmp_path / "z.zip", entries(17), zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[60] ^= 0xFF
    path.write_bytes(data)
    name = prepare_zip(path, 8, 1, tmp_path)
    assert "16 pictures. 1 could not be read (000.png, damaged inside the zip" in words_of(name, tmp_path)


def test_lzma_entries_are_not_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="packed in a way"):
        prepare_zip(zipped(tmp_path / "z.zip", entries(), zipfile.ZIP_LZMA), 8, 1, tmp_path)


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"not a zip", b"PK\x05\x06" + b"\xff" * 18, encoded(Image.new("L", (9, 9)))]
)
def test_not_a_zip(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "z.zip").write_bytes(data)
    with pytest.raises(DataError, match=r"not a readable zip|table of contents"):
        prepare_zip(tmp_path / "z.zip", 8, 1, tmp_path)
    with pytest.raises(DataError, match="not a readable zip"):
        prepare_zip(tmp_path / "none.zip", 8, 1, tmp_path)


# ---- prepared files that were tampered with ----


def test_a_damaged_prepared_file_is_a_sentence(tmp_path: Path) -> None:
    name = prepare(good(), 8, 1, tmp_path)
    path = tmp_path / f"{name}.safetensors"
    whole = path.read_bytes()
    swapped = whole.replace(b'"U8"', b'"I8"')
    label = bytearray(whole)
    label[8 + int.from_bytes(whole[:8], "little")] = 7  # a class that does not exist
    classes = whole.replace(b'"classes": "[]"', b'"classes": "{}"').replace(b'"classes": "{}"', b'"classes": "[!"')
    for bad in (
        b"",
        whole[:50],
        whole[:-1],
        whole + b"x",
        swapped,
        bytes(label),
        classes,
        bytes([255] * 8) + whole[8:],
    ):
        path.write_bytes(bad)
        with pytest.raises(DataError, match="damaged"):
            load(name, own_dir=tmp_path)
    path.unlink()
    with pytest.raises(DataError, match="not here"):
        describe(name, tmp_path)


def test_prepared_pictures_are_mapped_not_read(tmp_path: Path) -> None:
    """40 MB of them cost no memory of their own, and what is written to the tensor never reaches the file."""
    rng = np.random.default_rng(4)
    path, pixels = tmp_path / "own-0123456789ab.safetensors", rng.integers(0, 256, (13_000, 3, 32, 32), np.uint8)
    labels = rng.integers(0, 2, 13_000)
    in_memory = pictures.Pictures("kept", torch.from_numpy(pixels), torch.from_numpy(labels), ("a", "b"))
    pictures.write_pictures(path, [split_of(in_memory)], {"classes": '["a", "b"]'})
    before = private_bytes()
    got = load(path.stem, own_dir=tmp_path)
    mapped = Dataset(got, Seeds(1), labels=got.labels)
    kept = Dataset(in_memory, Seeds(1), labels=in_memory.labels)
    for index in (0, 1, 202, 203, 204, 500):  # 203 crosses the border of two epochs
        for a, b in zip(
            mapped.batch(index, 64, torch.Generator()), kept.batch(index, 64, torch.Generator()), strict=True
        ):
            assert torch.equal(a, b)
    assert torch.equal(got.images, torch.from_numpy(pixels)) and got.images.is_contiguous()
    assert private_bytes() - before < 10_000_000
    whole = path.read_bytes()
    got.images[0] = 0
    assert path.read_bytes() == whole


def private_bytes() -> int:
    """Memory that belongs to this process alone, without the pages of files (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))


def test_a_replaced_or_deleted_file_does_not_hurt_who_reads_it(tmp_path: Path) -> None:
    name = prepare(good(), 8, 1, tmp_path)
    path, got = tmp_path / f"{name}.safetensors", load(name, own_dir=tmp_path)
    other = pictures.Split((1, 1, 8, 8), np.zeros(1, np.int64), lambda: [bytes(64)])
    pictures.write_pictures(path, [other], {"classes": "[]"})
    path.unlink()
    assert got.images[:, 0, 3, 3].tolist() == list(range(20))


def test_two_threads_preparing_the_same(tmp_path: Path) -> None:
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(prepare(good(), 8, 1, tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 4 and len(set(names)) == 1
    assert [p.name for p in tmp_path.iterdir()] == [f"{names[0]}.safetensors"]

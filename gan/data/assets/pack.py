"""Makes the files of this folder from the originals; README.md beside it gives the exact commands.

    python gan/data/assets/pack.py idx NAME FOLDER   FOLDER: the four uncompressed idx files of MNIST or Fashion-MNIST
    python gan/data/assets/pack.py emoji PACKAGE     PACKAGE: the unpacked npm package emoji-datasource-google
    python gan/data/assets/pack.py drawn WORLD       WORLD: one of DRAWN, from the pinned packages

Pictures become strips, up to 10,000 one below the other, in PNG: lossless, and bytes in the order a tensor wants
them. Every file written is read back with the reader of the program and compared with its source, pixel by pixel.
(Measured on the 60,000 of MNIST and Fashion-MNIST: lossless WebP mosaics 9.1 and 23.7 MB but three times the time
and five times the memory to read, LZMA 8.1 and 22.6 MB but two to three times the time, PNG 9.7 and 23.7 MB.)

(Measured on monsters of 64 x 64 in colour, bytes a picture: PNG 1,566; WebP 1,271. With 32 colours each, which is
41 dB from the drawings: PNG of the indices 445 and 91 of palettes, WebP of them 397 in twice the time of LZMA, LZMA
of both 447; a turned hue then costs a palette and no pixel. Hence LZMA.)
"""

from __future__ import annotations

import io
import json
import lzma
import random
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from gan.data import catalog, worlds

EMOJI_SIZE = 32


@dataclass(frozen=True)
class Drawn:
    """How a world is drawn."""

    style: str  # a definition of the package dicebear-styles
    train: int = 1000
    test: int = 1000
    view: tuple[float, float, float] = (0, 0, 1)  # left, top and side of what is shown, as shares of the drawing
    sizes: tuple[float, float] = (0.86, 0.97)  # least and most
    tilt: float = 4  # degrees at most; drawings lean and grow about the middle of their lower edge
    options: dict[str, Any] = field(default_factory=dict)  # besides those that a seed chooses


def _shown(name: str, attribute: str) -> list[str]:
    """All parts of which an attribute's values speak."""
    return [part for parts in worlds.WORLDS[name].attributes[attribute].parts for part in parts]


DRAWN = {
    "monsters": Drawn("critters", train=10_000, test=2_000),
    "faces": Drawn(
        "toon-head",
        train=10_000,
        test=2_000,
        view=(0.025, -0.025, 0.95),
        sizes=(0.93, 1.01),
        options={
            "beardProbability": 40,
            "eyesVariant": {"happy": 3, "wide": 3, "bow": 1, "humble": 1, "wink": 2},  # most look at us
            "backgroundColor": _shown("faces", "background"),
        },
    ),
    "sprouts": Drawn("sprouts"),
    "clay": Drawn("clay"),
    "moods": Drawn("moods", view=(0, 0.04, 1), sizes=(0.82, 0.96)),
}


def png(strip: np.ndarray) -> bytes:
    """The smallest PNG of uint8 [H, W, C]: colour, grey, or grey by way of a palette.

    Pillow filters rows of grey pixels but never those of palette entries; drawings like MNIST pack better unfiltered.
    """
    if strip.shape[2] == 3:
        return _encode(Image.fromarray(strip))
    grey = Image.fromarray(strip[:, :, 0])
    listed = grey.copy()
    listed.putpalette([value for value in range(256) for _ in "RGB"])
    return min(_encode(grey), _encode(listed), key=len)


def _encode(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=9)
    return file.getvalue()


def write(name: str, split: str, images: np.ndarray, labels: np.ndarray) -> None:
    """Write the shards and labels of one split, then read them back and compare. images [N, H, W, C], labels [N]."""
    (catalog.ASSETS / f"{name}-{split}.labels").write_bytes(labels.astype(np.uint8).tobytes())
    for shard, start in enumerate(range(0, len(images), catalog.STRIP_TILES)):
        part = images[start : start + catalog.STRIP_TILES]
        path = catalog.ASSETS / f"{name}-{split}-{shard}.png"
        path.write_bytes(png(part.reshape(-1, *part.shape[2:])))  # [n * H, W, C]
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    again = catalog.read_shipped(name, split, catalog.DATA[name])
    assert np.array_equal(again.images.numpy(), images.transpose(0, 3, 1, 2)), f"{name} {split}: pixels differ"
    assert np.array_equal(again.labels.numpy(), labels), f"{name} {split}: labels differ"


def pack_idx(name: str, folder: Path) -> None:
    """MNIST and its family: idx3 has 16 bytes of header before the pixels, idx1 has 8 before the labels."""
    for split, stem in (("train", "train"), ("test", "t10k")):
        labels = np.frombuffer((folder / f"{stem}-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
        pixels = np.frombuffer((folder / f"{stem}-images-idx3-ubyte").read_bytes(), np.uint8, offset=16)
        write(name, split, pixels.reshape(len(labels), 28, 28, 1), labels)


def emoji_tile(path: Path) -> np.ndarray:
    """A 64 x 64 picture with transparency -> uint8 [32, 32, 3] on white, each pixel the mean of 2 x 2."""
    drawing = Image.open(path).convert("RGBA")
    on_white = Image.alpha_composite(Image.new("RGBA", drawing.size, "white"), drawing).convert("RGB")
    return np.asarray(on_white.resize((EMOJI_SIZE, EMOJI_SIZE), Image.Resampling.BOX))


def pack_emoji(package: Path) -> None:
    """Every emoji once (no skin-tone variants), in the order of the Unicode charts, each distinct picture once."""
    classes = catalog.DATA["emoji"].class_names
    entries = json.loads((package / "emoji.json").read_text(encoding="utf-8"))
    entries = sorted((e for e in entries if e["has_img_google"] and e["category"] in classes), key=_chart_order)
    tiles: dict[bytes, tuple[np.ndarray, int]] = {}
    for entry in entries:
        tile = emoji_tile(package / "img" / "google" / "64" / entry["image"])
        tiles.setdefault(tile.tobytes(), (tile, classes.index(entry["category"])))
    images, labels = zip(*tiles.values(), strict=True)
    write("emoji", "train", np.stack(images), np.array(labels))
    print(f"{len(images)} distinct pictures of {len(entries)}")


def _chart_order(entry: dict) -> tuple[int, str]:
    return entry["sort_order"], entry["unified"]


def pack_drawn(name: str) -> None:
    """Draw a world. No two drawings have the same parts whatever their colours, so train and test share none."""
    drawn = DRAWN[name]
    chosen = _distinct(name, drawn.train + drawn.test)
    with ProcessPoolExecutor() as pool:
        indexed = list(pool.map(partial(_indexed, name), chosen, chunksize=50))
    square, worst = np.mean([square for *_, square, _ in indexed]), max(error for *_, error in indexed)
    print(f"{worlds.COLOURS} colours: mean square error {square:.2f}, at most {worst} of 255")
    labels = np.array(list(chosen.values()), np.uint8)
    for split, rows in (("train", slice(drawn.train)), ("test", slice(drawn.train, None))):
        palettes, planes = (np.stack(part) for part in list(zip(*indexed[rows], strict=True))[:2])
        write_drawn(name, split, palettes, planes, labels[rows])


def write_drawn(name: str, split: str, palettes: np.ndarray, planes: np.ndarray, labels: np.ndarray) -> None:
    """Write one split of a world, then read it back and compare."""
    (catalog.ASSETS / f"{name}-{split}.labels").write_bytes(labels.tobytes())
    for shard, start in enumerate(range(0, len(labels), worlds.STRIP)):
        part = slice(start, start + worlds.STRIP)
        path = catalog.ASSETS / f"{name}-{split}-{shard}.xz"
        path.write_bytes(
            lzma.compress(palettes[part].tobytes() + planes[part].tobytes(), preset=9 | lzma.PRESET_EXTREME)
        )
        again = worlds.unpacked(path.read_bytes(), len(labels[part]))
        assert all(map(np.array_equal, again, (palettes[part], planes[part]))), f"{path.name}: pixels differ"
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    images, known = worlds.read_world(catalog.ASSETS, name, split)
    assert len(images) == len(labels) and np.array_equal(known, labels), f"{name} {split}: labels differ"


def _distinct(name: str, count: int) -> dict[str, list[int]]:
    """The first seeds whose drawings have different parts, each with its labels."""
    seen: set[tuple[str, ...]] = set()
    found: dict[str, list[int]] = {}
    for seed in (f"{name} {number}" for number in range(10 * count)):
        options = _drawing(name, seed)["options"]
        parts = tuple(str(options.get(part)) for part in sorted(options) if part.endswith("Variant"))
        if parts not in seen:
            seen.add(parts)
            found[seed] = [attribute.label(options) for attribute in worlds.WORLDS[name].attributes.values()]
        if len(found) == count:
            return found
    raise SystemExit(f"{name} has only {len(found)} drawings with different parts.")


@cache
def _style(style: str) -> Any:
    from dicebear import Style

    return Style(json.loads((files("dicebear_styles") / f"{style}.json").read_text(encoding="utf-8")))


def _drawing(name: str, seed: str) -> dict[str, Any]:
    from dicebear import Avatar

    return Avatar(_style(DRAWN[name].style), {"seed": seed, **DRAWN[name].options}).to_json()


def _picture(name: str, seed: str) -> np.ndarray:
    """uint8 [SIZE, SIZE, 3], each pixel the mean of 2 x 2."""
    from resvg_py import svg_to_bytes

    drawing, drawn, dice = _drawing(name, seed), DRAWN[name], random.Random(seed)
    svg, (background,) = drawing["svg"], drawing["options"]["backgroundColor"]
    whole = int(svg.partition('viewBox="0 0 ')[2].partition(" ")[0])
    left, top, side = (whole * share for share in drawn.view)
    middle, bottom = left + side / 2, top + side
    tilt, size = dice.uniform(-drawn.tilt, drawn.tilt), dice.uniform(*drawn.sizes)
    leaning = f"translate({middle} {bottom}) rotate({tilt:.3f}) scale({size:.4f}) translate({-middle} {-bottom})"
    svg = svg.replace(f'viewBox="0 0 {whole} {whole}"', f'viewBox="{left} {top} {side} {side}"', 1)
    # Without its frame and its ground, which do not lean.
    svg, found = re.subn(r'<g clip-path="url\(#clip-\w+\)"><rect [^>]*/>', f'<g transform="{leaning}">', svg)
    assert found == 1, "a drawing of another structure"
    png = svg_to_bytes(svg_string=svg, width=2 * worlds.SIZE, height=2 * worlds.SIZE, background=background)
    large = Image.open(io.BytesIO(bytes(png))).convert("RGB")
    return np.asarray(large.resize((worlds.SIZE, worlds.SIZE), Image.Resampling.BOX))


def _indexed(name: str, seed: str) -> tuple[np.ndarray, np.ndarray, float, int]:
    """Palette uint8 [3, COLOURS], the most used first, indices uint8 [SIZE, SIZE], mean square and largest error."""
    pixels = _picture(name, seed)
    few = Image.fromarray(pixels).quantize(worlds.COLOURS, Image.Quantize.MEDIANCUT, kmeans=4, dither=Image.Dither.NONE)
    plane, palette = np.asarray(few), np.zeros((worlds.COLOURS, 3), np.uint8)
    listed = np.array(few.getpalette("RGB"), np.uint8).reshape(-1, 3)[: worlds.COLOURS]
    palette[: len(listed)] = listed
    order = np.argsort(-np.bincount(plane.ravel(), minlength=worlds.COLOURS), kind="stable")
    plane, palette = np.argsort(order).astype(np.uint8)[plane], palette[order]
    error = palette[plane].astype(int) - pixels
    return palette.T, plane, float((error**2).mean()), int(abs(error).max())


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["idx", name, folder]:
            pack_idx(name, Path(folder))
        case ["emoji", package]:
            pack_emoji(Path(package))
        case ["drawn", name] if name in DRAWN:
            pack_drawn(name)
        case _:
            sys.exit(__doc__)

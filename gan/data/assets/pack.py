"""Makes the files of this folder from the originals; README.md beside it gives the exact commands.

    python gan/data/assets/pack.py idx NAME FOLDER   FOLDER: the four uncompressed idx files of MNIST or Fashion-MNIST
    python gan/data/assets/pack.py emoji PACKAGE     PACKAGE: the unpacked npm package emoji-datasource-google

Pictures become strips, up to 10,000 one below the other, in PNG: lossless, and bytes in the order a tensor wants
them. Every file written is read back with the reader of the program and compared with its source, pixel by pixel.
(Measured on the 60,000 of MNIST and Fashion-MNIST: lossless WebP mosaics 9.1 and 23.7 MB but three times the time
and five times the memory to read, LZMA 8.1 and 22.6 MB but two to three times the time, PNG 9.7 and 23.7 MB.)
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from gan.data import catalog

EMOJI_SIZE = 32


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


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["idx", name, folder]:
            pack_idx(name, Path(folder))
        case ["emoji", package]:
            pack_emoji(Path(package))
        case _:
            sys.exit(__doc__)

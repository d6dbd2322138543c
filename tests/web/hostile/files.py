"""Files: bombs, lies about sizes, what is no picture, what would be executed; tricks in names."""

from __future__ import annotations

import io
import itertools
import json
import pickle
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache

from tests import samples
from tests.damage import hurt, hurt_safetensors, png_of
from tests.web.hostile.asking import VARIATIONS, Ask, Kinds, Target, ask, ask_json, kind, send_files, word

ZIP = "pictures.zip"
SCRIPTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "${alert(1)}",
    "{{constructor}}",
    "javascript:x",
)
TURNED = (
    "\u202egnp.exe",
    "a\u2066b",
    "\u200b\u200b",
    "\ufeffx",
    "\u2067\u2067\u2067",
    "a\u0000b",
    "\x1b[2Jx",
    "\u2028x",
)
WORDS = ("data", "picture", "zip", "history", "run")


def zip_of(files: list[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        for name, data in files:
            packed.writestr(name, data)
    return out.getvalue()


@cache
def zeros(mebibytes: int) -> bytes:
    """A zip of one file of zeros, a thousandth as large."""
    return zip_of([("a.png", bytes(mebibytes << 20))])


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A picture that says its size, and has less."""
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return png_of([(b"IHDR", size), (b"IDAT", zlib.compress(data or bytes(1000))), (b"IEND", b"")])


def gif(width: int, height: int, frames: int) -> bytes:
    """An animation of so many empty frames."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02\x02\x44\x01\x00"
    return head + frame * frames + b";"


def zip_bombs(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        inner = zeros((20, 40, 80)[i % 3])
        bomb = (inner, zip_of([(f"{n}.zip", inner) for n in range(20)]), zip_of([("a.png", inner)]))[i % 3]
        yield send_files([(word(rng, 5) + ".zip", bomb)])


def lying_zips(target: Target, rng: random.Random) -> Iterator[Ask]:
    good = zip_of([(f"{i}.png", png(40, 40)) for i in range(3)])
    for i in range(VARIATIONS):
        at = good.rindex(b"PK\x01\x02")
        odd = (
            hurt(good, rng),
            good[:at] + good[at : at + 20] + b"\xff" * 8 + good[at + 28 :],  # sizes
            good[: rng.randrange(len(good))],
            good[:-22] + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 65535, 65535, 46, 0, 0),
            b"PK\x05\x06" + bytes(18),
        )[i % 5]
        yield send_files([(ZIP, odd)])


def climbing_zips(target: Target, rng: random.Random) -> Iterator[Ask]:
    names = ("../../evil.png", "/etc/evil.png", "C:\\evil.png", "..\\..\\evil.png", "a/../../evil.png")
    for i in range(VARIATIONS):
        files = [(names[i % 5] + word(rng, 3), rng.randbytes(50)), ("run.json", b"{}")]
        yield ask("POST", "runs/import", zip_of(files)) if i % 2 else send_files([(ZIP, zip_of(files))])


def picture_bombs(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        side = rng.randrange(7000, 2**31)
        tiff = (
            b"II*\0\x08\0\0\0\x02\0\0\1\4\0\1\0\0\0"
            + struct.pack("<I", side)
            + b"\1\1\4\0\1\0\0\0"
            + struct.pack("<I", side)
        )
        bmp = b"BM" + bytes(8) + struct.pack("<IIiiHH", 54, 40, side, side, 1, 24) + bytes(24)
        ppm = f"P6 {side} {side} 255\n".encode()
        bomb = (
            (".png", png(side, side)),
            (".tif", tiff + bytes(4)),
            (".bmp", bmp),
            (".ppm", ppm),
            (".png", png(1, side)),
        )
        suffix, data = bomb[i % 5]
        yield send_files([(word(rng, 4) + suffix, data)])


def animation_bombs(target: Target, rng: random.Random) -> Iterator[Ask]:
    for _ in range(VARIATIONS):
        side = rng.randrange(7000, 65_535)
        yield send_files([(f"{word(rng, 4)}.gif", gif(side, side, rng.randrange(1, 60_000)))])


def no_pictures(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{word(rng, 5)}"><script>1</script></svg>'
        odd = (svg.encode(), b"<html><script>1</script>", b"\x7fELF" + bytes(99), b"%!PS\n(x) run", pickle.dumps([1]))
        yield send_files([(f"{word(rng, 4)}.{('png', 'svg', 'jpg', 'gif', 'webp')[i % 5]}", odd[i % 5])])


def weights_bombs(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        shape = [rng.randrange(10**5, 10**9)] * rng.randrange(1, 9)
        tensor = {"dtype": "F32", "shape": shape, "data_offsets": [0, 4]}
        head = json.dumps(
            {"__metadata__": {"gan_forge": "{}"}, **{f"{n}": tensor for n in range(rng.randrange(1, 900))}}
        )
        odd = (
            struct.pack("<Q", len(head)) + head.encode() + bytes(4),
            struct.pack("<Q", rng.randrange(10**6, 2**63)) + b"{}",
            struct.pack("<Q", 200_000) + b"[" * 200_000,
            hurt_safetensors(samples.weights(), rng, "gan_forge")[:-1],
            samples.weights()[: rng.randrange(1000)],
        )
        yield ask("POST", "weights", odd[i % 5])


def large_weights(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        head = struct.pack("<Q", rng.randrange(100)) + b"{}"
        size = (32 << 20) + rng.randrange(1, 2 << 20) if i % 2 else rng.randrange(1 << 20, 16 << 20)
        yield ask("POST", "weights", head + bytes(size))


def unpacked_runs(target: Target, rng: random.Random) -> Iterator[Ask]:
    """A run.json that is refused, behind what would take seconds to unpack."""
    large = bytes(50 << 20)
    bomb = zip_of([("checkpoint.safetensors", large), ("best.safetensors", large), ("run.json", b"{}")])
    yield from itertools.repeat(ask("POST", "runs/import", bomb), VARIATIONS)


class _Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit",)


def pickles(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        data = pickle.dumps(_Runs(), protocol=i % 6)
        body = (data, zip_of([("archive/data.pkl", data), ("archive/version", b"3")]))[i % 2]
        yield ask("POST", ("weights", "runs/import", f"weights/{target.weights}/directions")[i % 3], body)


def run_zips(target: Target, rng: random.Random) -> Iterator[Ask]:
    good = samples.zipped()
    for i in range(VARIATIONS):
        big = zip_of([("run.json", b" " * (30 << 20)), ("checkpoint.safetensors", b"")]) if i % 5 == 0 else b""
        odd = (big, good[: rng.randrange(len(good))], zip_of([("run.json", b"[" * 9000)]), zeros(80), zip_of([]))
        yield ask("POST", "runs/import", odd[i % 5])


def directions_bombs(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        odd = (hurt(samples.directions(), rng)[:-1], b"[" * 90_000, b'{"directions":[NaN]}', b"{}", rng.randbytes(900))
        yield ask("POST", f"weights/{target.weights}/directions", odd[i % 5])


def searched_bombs(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        side = rng.randrange(7000, 65_535)
        odd = (png(side, side), gif(side, side, 900), rng.randbytes(500), b"", b"x" * (1 << 20))[i % 5]
        yield ask("POST", f"find?w={target.weights}&slot={word(rng, 8).strip('_')}&kind=picture", odd)


# Names -----------------------------------------------------------------------------------------------------------


def titles(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        title = SCRIPTS[i % 5] + word(rng, i % 4)
        yield ask_json("PATCH", f"runs/{target.mine}", {"title": title}, X_Owner=target.my_token)


def turned_titles(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        title = word(rng, i % 9) + TURNED[i % len(TURNED)] + word(rng, 2)
        yield ask_json("PATCH", f"runs/{target.mine}", {"title": title}, X_Owner=target.my_token)


def file_names(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        name = (SCRIPTS[i % 5].replace('"', ""), TURNED[i % 8], "../" * 9 + "x", "x" * 9000, "CON")[i % 5]
        yield send_files([(f"{name}{i}.png", b"no picture")], others=json.dumps([name * 3]))


def raised(target: Target, rng: random.Random) -> Iterator[Ask]:
    for i in range(VARIATIONS):
        odd = (SCRIPTS[i % 5], TURNED[i % 8], "w=plain&seed=1#" + word(rng, 5), "w=../x&seed=1", "x" * 30_000)[i % 5]
        yield ask_json("POST", "lesson/raised", {"by": rng.choice((word(rng, 16), odd)), "picture": odd})


FILES: Kinds = {
    "zip bombs": kind("a thousand times as large unpacked, zips in zips", "400", zip_bombs),
    "lying zips": kind("wrong sizes, directories and ends", "400", lying_zips),
    "climbing zips": kind("names that lead out of a folder, as pictures and as a run", "400", climbing_zips),
    "picture bombs": kind("PNG, TIFF, BMP, PPM that say 49 million pixels and more", "400", picture_bombs),
    "animation bombs": kind("GIFs of up to 60,000 large frames", "400", animation_bombs),
    "no pictures": kind("SVG, HTML, programs, PostScript, pickles named as pictures", "400", no_pictures),
    "weights bombs": kind("safetensors with huge shapes, lengths, nesting", "400", weights_bombs),
    "large weights": kind("1 to 34 MB that are none", "400", large_weights),
    "pickles": kind("pickles, alone and zipped, as weights, runs and directions", "400", pickles),
    "broken runs": kind("zips of runs that are cut, empty, bombs", "400", run_zips),
    "large runs": kind("zips of runs with a broken run.json and 100 MB of zeros", "400", unpacked_runs),
    "broken directions": kind("damaged, nested, NaN, random", "400", directions_bombs),
    "bombs to search for": kind("picture bombs, noise and nothing as what to look for", "400", searched_bombs),
    "scripts in titles": kind("`<script>` and templates as a run's title", "200: it stays text, in JSON", titles),
    "turned titles": kind(
        "right-to-left marks, invisible and control characters in a title",
        "200 or 400: line breaks become spaces",
        turned_titles,
    ),
    "names of files": kind("scripts, marks, paths, 9,000 letters as the names of files", "400", file_names),
    "raised nonsense": kind("scripts and paths as a raised picture in a lesson", "400", raised),
}

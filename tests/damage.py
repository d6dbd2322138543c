"""What strangers and broken disks do to bytes: the same damage for every reader, a function of a seeded `rng`."""

from __future__ import annotations

import io
import itertools
import json
import os
import random
import signal
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows: nothing is limited there
    resource = None

# Values that a reader does not expect where it expects another.
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 2**31, 2**63, 10**30, 0.5, -0.0, 1e-320, 1e308),
    *(float("nan"), float("inf"), float("-inf"), "", "0", "x" * 300, "line\nbreak", "\u202e", "é猫", "\0", "../x"),
    *([], [[]], [1, 2, 3], [0] * 300, [None], {}, {"a": 1}, {"toString": 1}, {"": {"": []}}),
)
NESTED = "[" * 5000 + "]" * 5000


def seeds_for_a_while(seconds: float) -> Iterator[int]:
    """At least one seed, then others until the time is over.

    The same ones each time, so that a test that passed passes again. GAN_FORGE_FUZZ_SEED begins elsewhere and
    GAN_FORGE_FUZZ_SECONDS goes on for longer: that is how to look for what is not known yet.
    """
    end = time.monotonic() + float(os.environ.get("GAN_FORGE_FUZZ_SECONDS", seconds))
    for seed in itertools.count(int(os.environ.get("GAN_FORGE_FUZZ_SEED", "1000"))):
        yield seed
        if time.monotonic() > end:
            return


def hurt(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed, cut, doubled or exchanged."""
    some = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(max(1, len(some)))
        kind = rng.randrange(6)
        if kind == 0:
            some[at : at + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            del some[at:]
        elif kind == 2:
            some[at:at] = some[max(0, at - rng.randrange(200)) : at]
        elif kind == 3:
            some[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", bytes(4), b"\x7f\xff\xff\xff", b"PK\1\2", b"\0\0\1\0"])
        elif kind == 4:
            del some[at : at + rng.randrange(1, 50)]
        else:
            some[at : at + 2] = bytes(reversed(some[at : at + 2]))
    return bytes(some)


def hurt_text(text: str, rng: random.Random, alphabet: str) -> str:
    """Letters changed, cut out or doubled; the new ones mostly from those that mean something to the reader."""
    letters = list(text)
    for _ in range(rng.randrange(1, 5)):
        at, kind = rng.randrange(len(letters) + 1), rng.randrange(4)
        if kind == 0:
            letters[at : at + 1] = rng.choice([*alphabet, "\0", "é", "9" * 40])
        elif kind == 1:
            letters[at:at] = letters[max(0, at - rng.randrange(40)) : at] * rng.choice([1, 1, 30])
        elif kind == 2:
            del letters[at : at + rng.randrange(1, 8)]
        else:
            letters.insert(at, rng.choice(alphabet))
    return "".join(letters)


# Trees of JSON -----------------------------------------------------------------------------------------------------


def hurt_tree(tree: Any, rng: random.Random) -> Any:
    """A copy of something that JSON can say, with one value of it odd, missing, doubled, or under another name."""
    if not isinstance(tree, dict | list) or not tree or rng.random() < 0.05:
        return rng.choice(ODD)
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    key = rng.choice(keys)
    copy: Any = tree.copy()
    kind = rng.randrange(8)
    if kind == 0:
        del copy[key]
    elif kind == 1 and isinstance(copy, dict):
        copy[rng.choice(["", "self", "\u202e", "__metadata__"])] = copy.pop(key)
    elif kind == 1:
        copy.append(copy[key])
    else:
        copy[key] = hurt_tree(copy[key], rng)
    return copy


def hurt_json(data: bytes, rng: random.Random) -> bytes:
    """A file of JSON that says something odd, or one that is damaged."""
    chance = rng.random()
    if chance < 0.3:
        return hurt(data, rng)
    if chance < 0.35:
        return NESTED.encode()
    tree = json.loads(data)
    for _ in range(rng.randrange(1, 3)):
        tree = hurt_tree(tree, rng)
    return json.dumps(tree).encode()


def _is_json(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data), dict)
    except (ValueError, RecursionError):
        return False


def hurt_lines(data: bytes, rng: random.Random) -> bytes:
    """A file of lines of which some are damaged, odd, doubled or in another place."""
    lines = data.splitlines(keepends=True)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(lines))
        other = hurt_json(lines[at], rng) + b"\n" if _is_json(lines[at]) else hurt(lines[at], rng)
        lines[at : at + 1] = rng.choice([[other], [other], [], [lines[at]] * 2])
        if not lines:
            break
    return b"".join(lines)


# Containers: the outside is whole, so that the damage inside is met ---------------------------------------------------


def hurt_safetensors(data: bytes, rng: random.Random, key: str = "") -> bytes:
    """A safetensors file with another header or other numbers; key: of JSON inside its metadata."""
    if rng.random() < 0.3:
        return hurt(data, rng)
    length = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    if key and rng.random() < 0.6:
        words = header["__metadata__"]
        words[key] = hurt_json(words[key].encode(), rng).decode(errors="replace")
    elif rng.random() < 0.7:
        header = hurt_tree(header, rng)
    else:
        body = hurt(body, rng)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def hurt_zip(data: bytes, rng: random.Random, inside: Callable[[str, bytes], bytes]) -> bytes:
    """A zip in which some files went through `inside` (name, content), are missing, or have another name."""
    if rng.random() < 0.2:
        return hurt(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        files = [(name, z.read(name)) for name in z.namelist()]
    at = rng.randrange(len(files))
    name, content = files[at]
    kind = rng.randrange(8)
    if kind == 0:
        del files[at]
    elif kind == 1:
        files.append((rng.choice(["../x", "/x", "x.py", "frames/", "frames/../run.json", name]), content))
    else:
        files[at] = name, inside(name, content)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as z:
        for name, content in files:
            z.writestr(name, content)
    return out.getvalue()


def hurt_png(data: bytes, rng: random.Random) -> bytes:
    """A PNG whose checksums are right and whose chunks are not, or one that is damaged."""
    if rng.random() < 0.4:
        return hurt(data, rng)
    chunks = list(png_chunks(data))
    at = rng.randrange(len(chunks))
    kind, body = chunks[at]
    chunks[at] = rng.choice([(kind, hurt(body, rng)), (rng.choice([b"IDAT", b"tEXt", b"PLTE", b"acTL"]), body)])
    if rng.random() < 0.2:
        chunks.insert(rng.randrange(len(chunks)), rng.choice(chunks))
    return png_of(chunks)


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, content) of each chunk."""
    at = 8
    while at < len(data):
        length = struct.unpack(">I", data[at : at + 4])[0]
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def png_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """The inverse of `png_chunks`, with right checksums."""
    parts = [struct.pack(">I", len(b)) + k + b + struct.pack(">I", zlib.crc32(k + b)) for k, b in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


# Limits --------------------------------------------------------------------------------------------------------------


STATM = Path("/proc/self/statm")  # Linux alone says there how much memory a process has


@contextmanager
def limited(mebibytes: int, seconds: int) -> Iterator[None]:
    """What is done inside fails where it takes so much more memory (where that can be told), or so long."""
    if resource is None:
        yield
        return
    heard, before = signal.signal(signal.SIGALRM, _too_long), resource.getrlimit(resource.RLIMIT_AS)
    signal.alarm(seconds)
    try:
        if STATM.exists():
            now = int(STATM.read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (now + (mebibytes << 20), before[1]))
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, heard)
        resource.setrlimit(resource.RLIMIT_AS, before)


def _too_long(*_: Any) -> None:
    raise AssertionError("a reader did not come to an end")

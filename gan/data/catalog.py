"""Data sets: what ships with the program, what it can download once, and the user's own prepared pictures.

`load` gives whole splits as uint8 tensors and keeps them in the process; `Dataset` cuts them into batches that
depend on (seed, index) alone, never on the global random state.
"""

from __future__ import annotations

import errno
import json
import lzma
import os
import re
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gan.core.files import disk_is_full
from gan.core.messages import labelled, say
from gan.core.paths import ASSETS
from gan.core.proxies import use_proxies
from gan.core.seeds import Seeds, Stream
from gan.data.own_pictures.summary import Summary
from gan.data.pictures import (
    THREADS,
    DataError,
    Pictures,
    Progress,
    Split,
    read_header,
    read_pictures,
    write_pictures,
)
from gan.data.worlds import SIZE, WORLDS, Attribute, World, read_world

STRIP_TILES = 10_000  # pictures in one file
SPLITS = ("train", "test")
KEPT_BYTES = 1 << 30  # data sets kept in memory; beyond this the least recently used one is let go


@dataclass(frozen=True)
class Download:
    """Where a data set is had from."""

    megabytes: int  # about
    fetch: Callable[[str, bool], tuple[Tensor, Tensor]]  # (folder, train) -> uint8 [N, C, S, S], labels int64 [N]
    url: Callable[[], str]  # the address to try first


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is known of a data set before a pixel of it is read."""

    title: str = ""
    about: str = ""  # one line
    size: int  # pixels a side
    channels: int  # 1 grey, 3 colour
    class_names: tuple[str, ...]
    attributes: dict[str, Attribute] = field(default_factory=dict)  # in the order of `Pictures.attributes`
    licence: str = ""
    load: Callable[[str, Progress | None], Pictures]  # (split, progress)
    download: Download | None = None  # fetched once over the network, and only when chosen
    strokes: bool = False  # grey things drawn with a pen on black: they have a thickness and a slant
    shapes: bool = False  # other grey things on black: they have a width and a height
    metric_epochs: int = 0  # how long its metric network learns (gan/metrics/classifier.py); 0: there is none
    mirrored: bool = False  # whether a mirrored picture is one of the same class
    count: int = 0  # of own pictures; 0: known when they are read
    summary: Summary | None = None  # what became of a person's files, where that is known

    @property
    def downloads(self) -> bool:
        return self.download is not None

    @property
    def attribute_values(self) -> tuple[int, ...]:
        """How many values each attribute has."""
        return tuple(len(attribute.values) for attribute in self.attributes.values())


# ---- shipped ----


def read_shipped(name: str, split: str, source: Source) -> Pictures:
    """Read the strips `NAME-SPLIT-0.png`, ... and `NAME-SPLIT.labels` of gan/assets."""
    try:
        labels = np.frombuffer((ASSETS / f"{name}-{split}.labels").read_bytes(), np.uint8)
        images = np.empty((len(labels), source.channels, source.size, source.size), np.uint8)
        parts = [images[start : start + STRIP_TILES] for start in range(0, len(labels), STRIP_TILES)]
        paths = [ASSETS / f"{name}-{split}-{shard}.png" for shard in range(len(parts))]
        with ThreadPoolExecutor(THREADS) as pool:  # Pillow decodes outside the interpreter's lock
            list(pool.map(_decode_strip, paths, parts))
    except (OSError, ValueError) as error:
        raise _damaged(source, error) from error
    return Pictures(name, torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64)), source.class_names)


def _damaged(source: Source, error: Exception) -> DataError:
    return DataError(say("data.assets_damaged", title=source.title, folder=ASSETS, error=error))


def _decode_strip(path: Path, out: np.ndarray) -> None:
    """Fill out, uint8 [n, C, S, S], from a PNG of its n pictures one below the other."""
    count, channels, size, _ = out.shape
    with Image.open(path, formats=["PNG"]) as strip:
        # A grey strip may be stored with a palette (it packs better), of which entry v is the grey v.
        out[:] = np.asarray(strip).reshape(count, size, size, channels).transpose(0, 3, 1, 2)


def _load_shipped(name: str, stored: dict[str, str], split: str, progress: Progress | None) -> Pictures:
    return read_shipped(name, stored[split], DATA[name])


def _load_drawn(name: str, split: str, progress: Progress | None) -> Pictures:
    try:
        images, labels = read_world(ASSETS, name, split)
    except (OSError, ValueError, lzma.LZMAError) as error:
        raise _damaged(DATA[name], error) from error
    world = WORLDS[name]
    classes, known = torch.from_numpy(world.classes_of(labels)), torch.from_numpy(labels.copy())
    return Pictures(name, torch.from_numpy(images), classes, world.class_names, known)


def _drawn(name: str, world: World) -> Source:
    return Source(
        size=SIZE,
        channels=3,
        class_names=world.class_names,
        attributes=world.attributes,
        load=partial(_load_drawn, name),
        metric_epochs=world.metric_epochs,
    )


# ---- downloaded once, when chosen ----


def download_dir() -> Path:
    """$GAN_FORGE_DATA, or ~/.cache/gan-forge."""
    chosen = os.environ.get("GAN_FORGE_DATA")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "gan-forge"


def _load_downloaded(name: str, split: str, progress: Progress | None) -> Pictures:
    path = download_dir() / f"{name}-{split}.safetensors"
    if not path.is_file():
        _download(name, path.parent, progress or (lambda words: None))
    return read_pictures(path, name)


def _download(name: str, root: Path, progress: Progress) -> None:
    """Fetch both splits through torchvision into a throw-away folder, and keep only our own compact files.

    What torchvision leaves there when it is interrupted can pass for complete the next time, hence the throw-away.
    """
    title, known = DATA[name].title, DATA[name].download
    assert known is not None
    megabytes = known.megabytes
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=f".{name}-") as folder:
            progress(say("data.downloading", title=title, megabytes=megabytes))
            use_proxies()
            _reach(known.url())
            with _reporting(Path(folder), title, megabytes, progress):
                splits = {split: known.fetch(folder, split == "train") for split in SPLITS}
            for split, (images, labels) in splits.items():
                words = {"title": title, "classes": json.dumps(DATA[name].class_names)}
                path, pixels = root / f"{name}-{split}.safetensors", images.contiguous().numpy()
                write_pictures(path, [Split(pixels.shape, labels.numpy(), partial(_whole, pixels))], words)
        progress(say("data.ready", title=title))
    except Exception as error:  # network, disk, archive, checksum: torchvision raises many kinds
        raise DataError(_why_not(title, megabytes, root, error)) from error


def _whole(pixels: np.ndarray) -> list[bytes]:
    return [pixels.tobytes()]


def _why_not(title: str, megabytes: int, root: Path, error: Exception) -> str:
    shipped = titles(name for name in DATA if not DATA[name].downloads)
    return say(
        f"data.download_{_kind_of(error)}", title=title, megabytes=megabytes, root=root, error=error, shipped=shipped
    )


def _kind_of(error: Exception) -> str:
    if isinstance(error, (urllib.error.URLError, ConnectionError, TimeoutError)):
        return "unreachable"
    if isinstance(error, ModuleNotFoundError):
        return "needs_torchvision"
    if disk_is_full(error):
        return "disk_full"
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
        return "not_written"
    return "broke_off"


def _reach(url: str) -> None:
    """Raise URLError within seconds when there is no network: torchvision itself would wait without limit."""
    with suppress(urllib.error.HTTPError):  # an answer, if only a refusal of HEAD: the server is there
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=15).close()


@contextmanager
def _reporting(folder: Path, title: str, megabytes: int, progress: Progress) -> Iterator[None]:
    """Tell every two seconds how much has arrived in folder; torchvision itself only draws on the terminal."""
    done = threading.Event()

    def report() -> None:
        while not done.wait(2):
            got = sum(os.path.getsize(os.path.join(at, f)) for at, _, fs in os.walk(folder) for f in fs) // 1_000_000
            if got < megabytes:
                progress(say("data.downloaded", title=title, got=got, megabytes=megabytes))
            else:
                progress(say("data.unpacking", title=title))

    thread = threading.Thread(target=report, name=f"download {title}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


# torchvision takes about a second to import, so it is imported only where it is needed.


def _fetch_kmnist(folder: str, train: bool) -> tuple[Tensor, Tensor]:
    from torchvision.datasets import KMNIST

    found = KMNIST(folder, train=train, download=True)
    return found.data[:, None], found.targets  # [N, 1, 28, 28]


def _fetch_emnist_letters(folder: str, train: bool) -> tuple[Tensor, Tensor]:
    from torchvision.datasets import EMNIST

    found = EMNIST(folder, split="letters", train=train, download=True)
    return found.data[:, None].transpose(2, 3), found.targets - 1  # stored lying on their side, and counted from 1


def _fetch_cifar10(folder: str, train: bool) -> tuple[Tensor, Tensor]:
    from torchvision.datasets import CIFAR10

    found = CIFAR10(folder, train=train, download=True)
    return torch.from_numpy(found.data).permute(0, 3, 1, 2), torch.tensor(found.targets)  # [N, 3, 32, 32]


def _url(dataset: str) -> str:
    from torchvision import datasets

    known = getattr(datasets, dataset)
    return known.mirrors[0] if dataset == "KMNIST" else known.url


# ---- the table ----

DIGITS = tuple("0123456789")
GARMENTS = tuple(say(f"datasets.fashion-mnist.class_{i}") for i in range(10))
EMOJI_GROUPS = tuple(say(f"datasets.emoji.class_{i}") for i in range(9))

KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
OBJECTS = tuple(say(f"datasets.cifar10.class_{i}") for i in range(10))

_BOTH_SPLITS = {"train": "train", "test": "test"}
_TEST_IS_TRAIN = {"train": "train", "test": "train"}

DATA: dict[str, Source] = {
    "mnist": Source(
        size=28,
        channels=1,
        class_names=DIGITS,
        load=partial(_load_shipped, "mnist", _BOTH_SPLITS),
        strokes=True,
        metric_epochs=12,
    ),
    "fashion-mnist": Source(
        size=28,
        channels=1,
        class_names=GARMENTS,
        load=partial(_load_shipped, "fashion-mnist", _BOTH_SPLITS),
        shapes=True,
        metric_epochs=15,
        mirrored=True,
    ),
    **{name: _drawn(name, world) for name, world in WORLDS.items()},
    "emoji": Source(
        size=32,
        channels=3,
        class_names=EMOJI_GROUPS,
        load=partial(_load_shipped, "emoji", _TEST_IS_TRAIN),
    ),
    "kmnist": Source(
        size=28,
        channels=1,
        class_names=KANA,
        load=partial(_load_downloaded, "kmnist"),
        download=Download(21, _fetch_kmnist, partial(_url, "KMNIST")),
        strokes=True,
    ),
    "emnist-letters": Source(
        size=28,
        channels=1,
        class_names=LETTERS,
        load=partial(_load_downloaded, "emnist-letters"),
        download=Download(562, _fetch_emnist_letters, partial(_url, "EMNIST")),
        strokes=True,
    ),
    "cifar10": Source(
        size=32,
        channels=3,
        class_names=OBJECTS,
        load=partial(_load_downloaded, "cifar10"),
        download=Download(170, _fetch_cifar10, partial(_url, "CIFAR10")),
    ),
}
DATA = labelled("datasets", DATA, "title", "about", "licence")


def titles(names: Iterable[str]) -> str:
    """What data sets of the table are called, in a sentence: "A, B and C"."""
    return say("data.list", items=[DATA[name].title for name in names])


# ---- one door for all ----

OWN_NAME = re.compile(r"own-[0-9a-f]{12}")

_kept: dict[tuple[str, ...], Pictures] = {}  # least recently used first
_loading: dict[str, threading.Lock] = {}  # by name: two splits of one download must not fetch it twice
_guard = threading.Lock()


def load(name: str, split: str = "train", own_dir: Path | None = None, progress: Progress | None = None) -> Pictures:
    """A whole split, loaded once per process; treat its tensors as read-only.

    name is a key of DATA, or "own-..." as gan.data.own_pictures returned it (then own_dir is where it was put, and both
    splits are the same where none of the pictures were held back). Raises DataError when it is unknown, missing,
    damaged or cannot be downloaded.
    """
    if split not in SPLITS:
        raise DataError(say("data.no_split", name=repr(split), splits=SPLITS))
    source = describe(name, own_dir)
    key = (name, split) if name in DATA else (name, split, str(own_dir))
    with _guard:
        lock = _loading.setdefault(name, threading.Lock())
    with lock:  # a second caller waits for the first instead of loading again
        with _guard:
            found = _kept.pop(key, None)
        pictures = found or source.load(split, progress)
        with _guard:
            _kept[key] = pictures
            _let_go()
    return pictures


def _let_go() -> None:
    """Forget the least recently used data sets until the rest fits KEPT_BYTES; the newest always stays."""
    total = sum(pictures.images.nbytes for pictures in _kept.values())
    while total > KEPT_BYTES and len(_kept) > 1:
        total -= _kept.pop(next(iter(_kept))).images.nbytes


def forget(name: str, own_dir: Path) -> None:
    """Let go of own pictures that were deleted."""
    with _guard:
        for key in [key for key in _kept if (key[0], key[-1]) == (name, str(own_dir))]:
            del _kept[key]


def describe(name: str, own_dir: Path | None = None) -> Source:
    """The Source of a data set without loading a pixel; for own pictures from the header of their file."""
    if name in DATA:
        return DATA[name]
    if OWN_NAME.fullmatch(name):  # exactly this, so that a name can never be a path
        return _describe_own(name, own_dir)
    raise DataError(say("data.no_set", name=repr(name[:40]), sets=list(DATA)))


def _describe_own(name: str, own_dir: Path | None) -> Source:
    if own_dir is None:
        raise DataError(say("data.no_own_folder", name=name))
    path = Path(own_dir) / f"{name}.safetensors"
    header = read_header(path)
    count, channels, size, _ = header.shape
    about = say(f"data.about_own_{'grey' if channels == 1 else 'colour'}", count=count, size=size)
    load = partial(_load_own, name, path)
    return Source(
        title=header.title,
        about=about,
        size=size,
        channels=channels,
        class_names=header.classes,
        licence=say("data.your_own"),
        load=load,
        count=count,
        summary=Summary.of(header),
    )


def _load_own(name: str, path: Path, split: str, progress: Progress | None) -> Pictures:
    return read_pictures(path, name, split)


# ---- batches ----


class Dataset:
    """Batches of one split, as the trainer eats them."""

    def __init__(
        self, pictures: Pictures, seeds: Seeds, sampling: str = "shuffle", labels: Tensor | None = None
    ) -> None:
        """What comes with each picture is its entry of `labels`, int64 [N] or float32 [N, F], or nothing.

        sampling is "shuffle" (endless epochs, each a permutation) or "replacement" (drawn from the batch's rng).
        """
        if sampling not in ("shuffle", "replacement"):
            raise DataError(say("data.no_such_sampling", sampling=repr(sampling)))
        if not len(pictures.images):
            raise DataError(say("data.no_pictures", name=pictures.name))
        self.pictures, self.seeds, self.sampling, self.labels = pictures, seeds, sampling, labels
        self._permutations: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self.pictures.images)

    def batch(self, index: int, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Batch number `index` since the start (0, 1, 2, ...), on the CPU.

        Returns x float32 [n, C, H, W] in [-1, 1] and c int64 [n] or float32 [n, F], or None without labels. With
        "shuffle" it is a function of (seed, index, n) alone, always n pictures: a batch may cross the border of two
        epochs.
        """
        rows = self._shuffled(index, n) if self.sampling == "shuffle" else self._drawn(n, rng)
        x = self.pictures.images[rows].float().div_(127.5).sub_(1)
        return x, None if self.labels is None else self.labels[rows]

    def _drawn(self, n: int, rng: torch.Generator) -> Tensor:
        return torch.randint(len(self), (n,), generator=rng, device=rng.device).cpu()

    def _shuffled(self, index: int, n: int) -> Tensor:
        """Positions [index * n, (index + 1) * n) of the endless stream of epochs."""
        start, stop = index * n, (index + 1) * n
        epochs = range(start // len(self), (stop - 1) // len(self) + 1)
        known = self._permutations
        # One assignment replaces the cache, so that a second thread sees either the old or the new, both right.
        self._permutations = current = {e: known[e] if e in known else self._permutation(e) for e in epochs}
        stream = torch.cat([current[e] for e in epochs]) if len(epochs) > 1 else current[epochs[0]]
        first = epochs[0] * len(self)
        return stream[start - first : stop - first]

    def _permutation(self, epoch: int) -> Tensor:
        rng = torch.Generator().manual_seed(self.seeds.of(Stream.EPOCH, epoch))
        return torch.randperm(len(self), generator=rng)

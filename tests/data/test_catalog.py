"""Shipped data is the original bit for bit; batches depend on nothing but what they should."""

from __future__ import annotations

import gzip
import hashlib
import pickle
import struct
import threading
import urllib.error
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.core.seeds import Seeds, seed_of
from gan.data import catalog
from gan.data.catalog import DATA, DataError, Dataset, Pictures, describe, load

# sha256 of the pixels and of the labels of the original idx files, without their headers.
ORIGINALS = {
    ("mnist", "train"): (
        60_000, "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757", "1feba77c54802fa5"),
    ("mnist", "test"): (10_000, "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161", "ddeff807876a9661"),
    ("fashion-mnist", "train"): (
        60_000, "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012", "657fbd221bfc9f41",
    ),
    ("fashion-mnist", "test"): (
        10_000, "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a", "3d0e6c6ea990b53b",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "split"), ORIGINALS)
def test_shipped_pictures_are_the_originals(name: str, split: str) -> None:
    count, pixels, labels = ORIGINALS[name, split]
    got = load(name, split)
    assert got.images.shape == (count, 1, 28, 28)
    assert got.images.is_contiguous() and got.images.dtype == torch.uint8
    assert hashlib.sha256(got.images.numpy().tobytes()).hexdigest() == pixels
    assert hashlib.sha256(got.labels.numpy().astype(np.uint8).tobytes()).hexdigest().startswith(labels)


def test_mnist_labels_are_the_published_ones() -> None:
    train, test = load("mnist"), load("mnist", "test")
    assert train.labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert test.labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_fashion_classes_are_balanced() -> None:
    assert load("fashion-mnist").labels.bincount().tolist() == [6000] * 10
    assert load("fashion-mnist", "test").labels[:5].tolist() == [9, 2, 1, 1, 6]


def test_a_one_is_thin_and_a_zero_is_hollow() -> None:
    digits = load("mnist")
    mean = [digits.images[digits.labels == d, 0].float().mean(0) for d in range(10)]
    assert mean[0][13:15, 13:15].mean() < 30 < 150 < mean[1][13:15, 13:15].mean()


def test_emoji_are_distinct_coloured_and_on_white() -> None:
    emoji = load("emoji")
    assert len(emoji.images) >= 1500 and emoji.images.shape[1:] == (3, 32, 32)
    assert len({picture.numpy().tobytes() for picture in emoji.images}) == len(emoji.images)
    corners = emoji.images[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]  # [N, 3, 4]
    assert (corners == 255).float().mean() > 0.8
    assert (emoji.images.float().std(1).amax((1, 2)) > 30).float().mean() > 0.8
    assert emoji.labels.bincount(minlength=9).min() >= 50
    assert torch.equal(load("emoji", "test").images, emoji.images)


@pytest.mark.parametrize("name", [name for name in DATA if not DATA[name].downloads])
def test_the_table_tells_the_truth(name: str) -> None:
    source, got = describe(name), load(name)
    assert got.images.shape[1:] == (source.channels, source.size, source.size)
    assert got.class_names == source.class_names and got.name == name
    assert got.labels.dtype == torch.int64
    assert (got.labels.min(), got.labels.max()) == (0, len(source.class_names) - 1)
    assert "\n" not in source.about and source.licence


def test_every_shipped_file_is_small_enough_for_git_hosts() -> None:
    assert max(file.stat().st_size for file in catalog.ASSETS.iterdir() if file.is_file()) < 10_000_000


@pytest.mark.parametrize("name", ["nist", "", "own-", "own-../../etc/pas", "own-0123456789ab\n", "own-0123456789AB"])
def test_unknown_names_are_refused_in_words(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="There is no data set"):
        load(name, own_dir=tmp_path)


def test_unknown_split_and_missing_own_pictures() -> None:
    with pytest.raises(DataError, match="no split 'validation'"):
        load("mnist", "validation")
    with pytest.raises(DataError, match="no folder for own pictures"):
        load("own-0123456789ab")


def test_load_happens_once_in_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    calls, real = [], catalog.read_shipped
    monkeypatch.setattr(catalog, "_kept", {})
    monkeypatch.setattr(catalog, "read_shipped", lambda *a: calls.append(a) or real(*a))
    got: list[Pictures] = []
    threads = [threading.Thread(target=lambda: got.append(load("emoji"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1 and len(got) == 8 and all(p is got[0] for p in got)


def test_memory_for_data_sets_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "_kept", {})
    monkeypatch.setattr(catalog, "KEPT_BYTES", 10_000_000)
    for name, split in (("mnist", "test"), ("emoji", "train"), ("fashion-mnist", "test")):
        load(name, split)
    assert list(catalog._kept) == [("fashion-mnist", "test")]


def test_a_damaged_shipped_file_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(catalog, "ASSETS", tmp_path)
    (tmp_path / "mnist-test.labels").write_bytes(bytes(3))
    (tmp_path / "mnist-test-0.png").write_bytes(b"\x89PNG\r\n\x1a\n cut")
    with pytest.raises(DataError, match="MNIST"):
        catalog.read_shipped("mnist", "test", DATA["mnist"])


# ---- batches ----


def numbered(count: int) -> Pictures:
    """count pictures of one pixel, picture i being i."""
    images = torch.arange(count, dtype=torch.uint8).reshape(count, 1, 1, 1)
    return Pictures("numbered", images, torch.arange(count) % 3, ("a", "b", "c"))


def picked(dataset: Dataset, index: int, n: int) -> list[int]:
    x, _ = dataset.batch(index, n, torch.Generator())
    return ((x.flatten() + 1) * 127.5).round().int().tolist()


@pytest.mark.parametrize(("count", "n"), [(10, 5), (10, 3), (10, 10), (3, 8), (1, 4), (200, 64)])
def test_every_epoch_is_a_permutation(count: int, n: int) -> None:
    dataset = Dataset(numbered(count), Seeds(1))
    stream = [p for index in range(-(-4 * count // n)) for p in picked(dataset, index, n)]
    epochs = [stream[e * count : (e + 1) * count] for e in range(4)]
    assert all(sorted(epoch) == list(range(count)) for epoch in epochs)
    assert count < 10 or len({tuple(epoch) for epoch in epochs}) == 4


def test_batches_depend_on_seed_and_index_alone() -> None:
    forward = [picked(Dataset(numbered(50), Seeds(7)), i, 16) for i in range(12)]
    one = Dataset(numbered(50), Seeds(7))
    torch.manual_seed(123)
    assert [picked(one, i, 16) for i in reversed(range(12))][::-1] == forward
    assert picked(Dataset(numbered(50), Seeds(8)), 0, 16) != forward[0]


def test_the_first_permutation_never_changes() -> None:
    """Recorded runs replay only as long as this holds."""
    assert picked(Dataset(numbered(10), Seeds(0, 1)), 0, 10) == [8, 1, 7, 0, 3, 9, 4, 2, 5, 6]
    assert picked(Dataset(numbered(10), Seeds(0, 2)), 0, 10) == [9, 5, 8, 0, 2, 7, 3, 4, 6, 1]
    assert [seed_of(), seed_of(0), seed_of(1, 2), seed_of(2, 1), seed_of(-1)] == [
        0, 3823739569125505706, 2580743952533848029, 258129156945048009, 5069569746219768715,
    ]  # fmt: skip


@pytest.mark.parametrize("sampling", ["shuffle", "replacement"])
def test_the_global_random_state_is_neither_read_nor_moved(sampling: str) -> None:
    def two(seed: int) -> torch.Tensor:
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        dataset, rng = Dataset(numbered(50), Seeds(3), sampling), torch.Generator().manual_seed(5)
        x = torch.stack([dataset.batch(i, 8, rng)[0] for i in range(9)])
        assert torch.equal(before, torch.get_rng_state())
        return x

    assert torch.equal(two(0), two(1))


def test_replacement_draws_from_rng_and_repeats() -> None:
    dataset = Dataset(numbered(100), Seeds(0), sampling="replacement")
    x, _ = dataset.batch(0, 100, torch.Generator().manual_seed(1))
    again, _ = dataset.batch(9, 100, torch.Generator().manual_seed(1))
    other, _ = dataset.batch(0, 100, torch.Generator().manual_seed(2))
    assert torch.equal(x, again) and not torch.equal(x, other)
    assert 45 < len(x.unique()) < 80  # 63 expected


def test_values_span_minus_one_to_one_and_labels_follow_their_pictures() -> None:
    pictures = numbered(256)
    dataset = Dataset(pictures, Seeds(0), labels=pictures.labels)
    x, c = dataset.batch(0, 256, torch.Generator())
    assert x.dtype == torch.float32 and x.shape == (256, 1, 1, 1) and (x.min(), x.max()) == (-1, 1)
    assert c is not None and c.dtype == torch.int64
    assert torch.equal(((x.flatten() + 1) * 127.5).round().long() % 3, c)
    assert Dataset(numbered(5), Seeds(0)).batch(0, 2, torch.Generator())[1] is None


def test_a_batch_is_a_copy() -> None:
    pictures = numbered(5)
    Dataset(pictures, Seeds(0)).batch(0, 5, torch.Generator())[0].fill_(9)
    assert pictures.images.flatten().tolist() == [0, 1, 2, 3, 4]


def test_dataset_refuses_in_words() -> None:
    bare = Pictures("bare", torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64), ())
    with pytest.raises(DataError, match="'sorted'"):
        Dataset(bare, Seeds(0), "sorted")


def test_seeds_differ_in_value_order_and_number_of_parts() -> None:
    seeds = {seed_of(a, b) for a in range(100) for b in range(100)} | {seed_of(a) for a in range(100)} | {seed_of()}
    assert len(seeds) == 10_101
    assert all(0 <= seed < 2**63 for seed in seeds)
    low = [seed_of(0, b) & 0xFFFFFFFF for b in range(1000)]  # what torch's CPU generator keeps of a seed
    assert len(set(low)) == 1000 and abs(sum(f"{s:032b}".count("1") for s in low) / 1000 - 16) < 0.5


# ---- downloads, without a network ----


def idx(values: np.ndarray) -> bytes:
    """torchvision's raw format: two zero bytes, 8 (bytes), number of dimensions, the dimensions, the values."""
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.astype(np.uint8).tobytes()


def ramps(count: int) -> np.ndarray:
    """[count, 28, 28]: brightness grows from top to bottom, constant along a row; picture i starts at i."""
    return np.broadcast_to(np.arange(28)[None, :, None] + np.arange(count)[:, None, None], (count, 28, 28))


def fake_kmnist(self) -> None:
    Path(self.raw_folder).mkdir(parents=True, exist_ok=True)
    for stem, count in (("train", 20), ("t10k", 10)):
        Path(self.raw_folder, f"{stem}-images-idx3-ubyte").write_bytes(idx(ramps(count)))
        Path(self.raw_folder, f"{stem}-labels-idx1-ubyte").write_bytes(idx(np.arange(count) % 10))


def fake_emnist(self) -> None:
    Path(self.raw_folder).mkdir(parents=True, exist_ok=True)
    for stem, count in (("train", 52), ("test", 26)):
        lying = ramps(count).transpose(0, 2, 1)
        Path(self.raw_folder, f"emnist-letters-{stem}-images-idx3-ubyte").write_bytes(idx(lying))
        Path(self.raw_folder, f"emnist-letters-{stem}-labels-idx1-ubyte").write_bytes(idx(np.arange(count) % 26 + 1))


def fake_cifar(self) -> None:
    folder = Path(self.root, self.base_folder)
    folder.mkdir(parents=True, exist_ok=True)
    row = np.concatenate([np.full(1024, level, np.uint8) for level in (200, 100, 0)])
    for name in ["test_batch", *(f"data_batch_{i}" for i in range(1, 6))]:
        batch = {"data": np.tile(row, (10, 1)), "labels": list(range(10))}
        (folder / name).write_bytes(pickle.dumps(batch))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list(catalog.OBJECTS)}))


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A world where every server answers and torchvision gets tiny files."""
    from torchvision import datasets

    monkeypatch.setenv("GAN_FORGE_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(catalog, "_kept", {})
    monkeypatch.setattr(catalog, "_reach", lambda url: None)
    monkeypatch.setattr(datasets.KMNIST, "download", fake_kmnist)
    monkeypatch.setattr(datasets.EMNIST, "download", fake_emnist)
    monkeypatch.setattr(datasets.CIFAR10, "download", fake_cifar)
    monkeypatch.setattr(datasets.CIFAR10, "_check_integrity", lambda self: True)
    monkeypatch.setattr(datasets.CIFAR10, "_load_meta", lambda self: None)
    return tmp_path / "cache"


def test_kmnist_is_downloaded_once(online: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[str] = []
    got = load("kmnist", "train", progress=words.append)
    assert got.images.shape == (20, 1, 28, 28) and got.images[3, 0, :, 5].tolist() == list(range(3, 31))
    assert got.labels.tolist() == [*range(10), *range(10)]
    assert "downloading about 21 MB" in words[0] and words[-1] == "KMNIST: ready."
    assert sorted(p.name for p in online.iterdir()) == ["kmnist-test.safetensors", "kmnist-train.safetensors"]
    monkeypatch.setattr(catalog, "_download", lambda *a: pytest.fail("downloaded twice"))
    assert len(load("kmnist", "test").images) == 10


def test_emnist_letters_stand_upright_and_count_from_zero(online: Path) -> None:
    got = load("emnist-letters")
    assert got.images[0, 0, :, 0].tolist() == list(range(28))
    assert got.labels[:26].tolist() == list(range(26)) and got.class_names[0] == "A"


def test_cifar_is_red_green_blue_planes(online: Path) -> None:
    got = load("cifar10")
    assert got.images.shape == (50, 3, 32, 32)
    assert got.images.float().mean((0, 2, 3)).tolist() == [200, 100, 0]
    assert len(load("cifar10", "test").images) == 10


@pytest.mark.parametrize("name", [name for name in DATA if DATA[name].downloads])
def test_without_a_network_one_sentence_says_so(name: str, online: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(url: str) -> None:
        assert url.startswith("http")
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(catalog, "_reach", unreachable)
    with pytest.raises(DataError, match=r"downloaded once \(about \d+ MB\) and this machine could not reach") as caught:
        load(name)
    assert "come with the program" in str(caught.value) and "\n" not in str(caught.value)
    assert list(online.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (urllib.error.URLError("gone"), "could not reach"),
        (TimeoutError(), "could not reach"),
        (OSError(28, "No space left on device"), "is full"),
        (PermissionError(13, "denied"), "cannot be written"),
        (gzip.BadGzipFile("cut"), "broke off or arrived damaged"),
        (RuntimeError("File not found or corrupted."), "broke off or arrived damaged"),
    ],
)
def test_a_broken_download_is_never_used(
    error: Exception, words: str, online: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision import datasets

    def breaks(self) -> None:
        fake_kmnist(self)
        raise error

    monkeypatch.setattr(datasets.KMNIST, "download", breaks)
    with pytest.raises(DataError, match=words):
        load("kmnist")
    assert list(online.iterdir()) == []
    monkeypatch.setattr(datasets.KMNIST, "download", fake_kmnist)
    assert len(load("kmnist").images) == 20


def test_a_download_folder_that_is_a_file(online: Path) -> None:
    online.write_text("in the way")
    with pytest.raises(DataError, match="KMNIST has to be downloaded once"):
        load("kmnist")

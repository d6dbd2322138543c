"""Worlds are what their labels say, the same bits everywhere, and no two of their drawings have the same parts."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from gan.cli.main import main
from gan.core.messages import Message
from gan.core.paths import ASSETS
from gan.data import catalog, worlds
from gan.data.assets import pack
from gan.data.catalog import DATA, DataError, load
from gan.data.worlds import ASIDE, SIZE, UP, WORLDS, Attribute, World, turned, varied

SPLITS = ("train", "test")
BOTH = [(name, split) for name in WORLDS for split in SPLITS]
# sha256 of the loaded pictures, then of their labels: moved and turned in whole numbers, they are the same everywhere.
BITS = {
    ("monsters", "train"): (10_000, "86078a6bb3740186", "e680b08af89e7cda"),
    ("monsters", "test"): (2_000, "7387dcae90cdc557", "6317d75e7a58f781"),
    ("faces", "train"): (10_000, "52cc536a83c9425c", "44e38614a2e7ac46"),
    ("faces", "test"): (2_000, "e4bc055d7df26f23", "237c4329048b2a55"),
    ("sprouts", "train"): (1_000, "032344ea55dfae8d", "164ed28bf5a973cc"),
    ("sprouts", "test"): (1_000, "f5fe1f5bbfe3d266", "f74da2c1094cb0fd"),
    ("clay", "train"): (1_000, "8cc3579cb5729e31", "1758af1bcbe72156"),
    ("clay", "test"): (1_000, "11350f12d06df07b", "86cd4ae85f772e1b"),
    ("moods", "train"): (1_000, "50f9542f5cb0e30d", "8775959cf7f31ed0"),
    ("moods", "test"): (1_000, "e13d5f3e5ba2342f", "0ee4b527d00abc17"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "split"), BOTH)
def test_a_world_loads_the_same_bits_everywhere(name: str, split: str) -> None:
    got = load(name, split)
    assert got.images.shape[1:] == (3, SIZE, SIZE) and got.images.is_contiguous()
    digests = (hashlib.sha256(part.numpy().tobytes()).hexdigest()[:16] for part in (got.images, got.attributes))
    assert (len(got.images), *digests) == BITS[name, split]


@pytest.mark.parametrize("name", WORLDS)
def test_no_two_pictures_are_the_same(name: str) -> None:
    both = [picture.numpy().tobytes() for split in SPLITS for picture in load(name, split).images]
    assert len(set(both)) == len(both)


@pytest.mark.parametrize(("name", "split"), BOTH)
def test_every_label_is_in_range_and_every_value_occurs(name: str, split: str) -> None:
    got, source = load(name, split), DATA[name]
    assert got.attributes is not None and got.attributes.shape == (len(got.images), len(source.attributes))
    for column, attribute in enumerate(source.attributes.values()):
        counts = got.attributes[:, column].long().bincount()
        assert len(counts) == len(attribute.values) and counts.min() > 0, attribute.title
    world = WORLDS[name]
    assert got.class_names == world.attributes[world.classes].values
    assert torch.equal(got.labels, got.attributes[:, list(world.attributes).index(world.classes)].long())


@pytest.mark.parametrize("name", WORLDS)
def test_attributes_are_in_words_that_can_be_translated(name: str) -> None:
    for attribute in DATA[name].attributes.values():
        words = (attribute.title, *attribute.values)
        assert len(set(attribute.values)) == len(attribute.values)
        assert all(isinstance(word, Message) and word != word.key for word in words)
        assert len({part for parts in attribute.parts for part in parts}) == sum(map(len, attribute.parts))


def nearest(attribute: Attribute, colours: np.ndarray) -> np.ndarray:
    """The value whose colour is nearest to each of colours [N, 3]; -1 where that has none."""
    known = [(v, part) for v, parts in enumerate(attribute.parts) for part in parts if part]
    listed = np.array([[int(part[i : i + 2], 16) for i in (1, 3, 5)] for _, part in known])
    distance = ((colours[:, None].astype(int) - listed) ** 2).sum(2)
    return np.array([v for v, _ in known])[distance.argmin(1)]


def commonest(pixels: np.ndarray) -> np.ndarray:
    """The commonest colour of each of some pictures uint8 [N, 3, H, W]."""
    found = []
    for picture in pixels:
        listed, counts = np.unique(picture.reshape(3, -1).T, axis=0, return_counts=True)
        found.append(listed[counts.argmax()])
    return np.array(found)


# Where a colour of an attribute is seen: rows and columns of a picture.
SEEN = {
    "monsters": {"body_colour": (slice(40, 62), slice(26, 38)), "background": (slice(0, 20), slice(0, 8))},
    "faces": {"clothes_colour": (slice(61, 64), slice(20, 44)), "background": (slice(0, 20), slice(0, 6))},
    "sprouts": {"pot_colour": (slice(38, 62), slice(26, 38)), "background": (slice(0, 20), slice(0, 8))},
    "clay": {"body_colour": (slice(44, 58), slice(26, 38))},
    "moods": {"face_colour": (slice(20, 50), slice(18, 46)), "background": (slice(0, 6), slice(0, 6))},
}


@pytest.mark.parametrize(("name", "attribute"), [(name, each) for name in SEEN for each in SEEN[name]])
def test_what_a_label_says_of_a_colour_is_seen(name: str, attribute: str) -> None:
    got, (rows, columns) = load(name, "test"), SEEN[name][attribute]
    known = DATA[name].attributes
    labels = got.attributes[:, list(known).index(attribute)].numpy()
    found = nearest(known[attribute], commonest(got.images[:, :, rows, columns].numpy()))
    assert (found == labels).mean() > 0.95  # hair may hide clothes


def test_pictures_are_moved_and_turned_evenly_and_by_whole_numbers() -> None:
    aside, up, turn = varied("monsters-train", 0, 10_000, 60)
    for values, most in ((aside, ASIDE), (up, UP), (turn, 60)):
        assert values.dtype == np.int64 and (values.min(), values.max()) == (-most, most)
        assert np.bincount(values + most).min() > 0.6 * 10_000 / (2 * most + 1)
    assert [int(values[0]) for values in (aside, up, turn)] == [int(v[0]) for v in varied("monsters-train", 0, 1, 60)]
    later = varied("monsters-train", 2500, 10, 60)
    assert all(np.array_equal(a[2500:2510], b) for a, b in zip((aside, up, turn), later, strict=True))


def test_a_turn_of_hue_leaves_grey_as_it_is_and_takes_red_to_orange_or_pink() -> None:
    palette = np.array([[[200], [40], [40]], [[90], [90], [90]]], np.uint8)
    on, back = turned(palette, np.array([60, 60])), turned(palette, np.array([-60, -60]))
    assert (on[1] == 90).all() and (back[1] == 90).all()
    assert on[0, 1] > on[0, 2] and back[0, 1] < back[0, 2]  # more green than blue; more blue than green
    assert (turned(palette, np.array([0, 0])) == palette).all()


def test_attributes_follow_when_a_run_takes_the_first_pictures_only() -> None:
    few = load("monsters", "test").first(10)
    assert len(few.images) == len(few.labels) == len(few.attributes) == 10
    assert load("mnist", "test").first(10).attributes is None


@pytest.mark.parametrize("name", WORLDS)
def test_shares_are_those_of_the_training_pictures(name: str) -> None:
    labels = catalog.load(name).attributes
    for i, found in enumerate(worlds.shares(ASSETS, name)):
        assert sum(found) == pytest.approx(1, abs=1e-3)
        assert found[0] == pytest.approx((labels[:, i] == 0).double().mean().item(), abs=1e-4)


def test_a_new_world_is_one_entry_and_one_line_to_pack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Drawn from nothing but these, by a stand-in for the packages, it is there for all that loads."""
    shape = Attribute("Shape", ("round", "square"), "shapeVariant", (("circle",), ("square", "box")))
    monkeypatch.setitem(WORLDS, "dummies", World({"shape": shape}, "shape"))
    monkeypatch.setitem(pack.DRAWN, "dummies", pack.Drawn("dummy", train=20, test=10))
    monkeypatch.setitem(DATA, "dummies", catalog._drawn("dummies", WORLDS["dummies"]))
    monkeypatch.setattr(catalog, "ASSETS", tmp_path)
    noise = np.random.default_rng(0)
    palettes = noise.integers(0, 256, (30, 3, worlds.COLOURS), dtype=np.uint8)
    planes = noise.integers(0, worlds.COLOURS, (30, SIZE, SIZE), dtype=np.uint8)
    labels = np.array([[shape.label({"shapeVariant": ("circle", "box")[i % 2]})] for i in range(30)], np.uint8)
    for split, rows in (("train", slice(20)), ("test", slice(20, None))):
        pack.write_drawn("dummies", split, palettes[rows], planes[rows], labels[rows])
    got = load("dummies")
    assert got.images.shape == (20, 3, SIZE, SIZE) and got.labels.tolist() == [0, 1] * 10
    assert len(load("dummies", "test").images) == 10
    (tmp_path / "dummies-test-0.xz").write_bytes(b"cut")
    monkeypatch.setattr(catalog, "_kept", {})
    with pytest.raises(DataError, match="missing or damaged"):
        load("dummies", "test")


def test_a_part_of_which_no_value_speaks_is_an_error() -> None:
    eyes = WORLDS["monsters"].attributes["eyes"]
    assert eyes.values[eyes.label({"eyesVariant": "mono"})] == "one eye"
    with pytest.raises(StopIteration):
        eyes.label({"eyesVariant": "seventeen"})
    top = WORLDS["monsters"].attributes["top_colour"]
    assert top.values[top.label({})] == "nothing" and top.values[top.label({"accentColor": ["#bef264"]})] == "lime"


def test_author_and_licence_stand_beside_the_data() -> None:
    readme = (ASSETS / "README.md").read_text(encoding="utf-8")
    for name in WORLDS:
        licence, author = re.match(r"(CC\S* (?:BY )?\d\.\d) \((\w+)", DATA[name].licence).groups()
        row = next(line for line in readme.splitlines() if line.startswith(f"| `{name}-*`"))
        assert licence in row and author in readme


def test_what_ships_is_small() -> None:
    """At most 25 MB for all worlds."""
    assert sum(path.stat().st_size for name in WORLDS for path in ASSETS.glob(f"{name}-*")) < 25_000_000


@pytest.mark.slow
def test_a_colour_recipe_trains_on_monsters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--dataset", "monsters", "--steps", "2", "--batch", "4", "--width", "4", "--runs", str(tmp_path))
    assert main(["train", "quick-colour", *flags]) == 0
    (config,) = [json.loads(path.read_text())["config"] for path in tmp_path.glob("*/run.json")]
    assert (config["dataset"], config["size"], config["channels"]) == ("monsters", 64, 3)

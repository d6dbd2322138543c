"""Worlds: pictures drawn from parts that are known, so that what each shows can be counted and asked for.

A file `NAME-SPLIT-K.xz` holds up to STRIP pictures: first a palette for each, then the index of every pixel. That is
small, and a hue is turned by turning a palette. Where a picture stands and how far its hue is turned depends on its
number alone, in whole numbers, so that every machine reads the same bits.
"""

from __future__ import annotations

import lzma
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from gan.core.messages import say
from gan.data.pictures import THREADS

SIZE = 64  # pixels a side
COLOURS = 32  # in the palette of a picture
STRIP = 2500  # pictures in a file
ASIDE, UP = 3, 2  # pixels at most that a picture is moved
_NOTHING = "nothing"  # the value of a part that a drawing does not have


@dataclass(frozen=True)
class Attribute:
    """Something that differs from picture to picture, and what it can be."""

    title: str
    values: tuple[str, ...]  # in words; a label is a place in them
    option: str  # how the drawings' definition calls it
    parts: tuple[tuple[str, ...], ...]  # what of that definition each value stands for; "" is none

    def label(self, options: Mapping[str, str | list[str]]) -> int:
        """The label of a drawing with these options. Raises StopIteration for a part of which no value speaks."""
        found = options.get(self.option) or ""
        part = found if isinstance(found, str) else found[0]
        return next(label for label, parts in enumerate(self.parts) if part in parts)


@dataclass(frozen=True)
class World:
    """A set of drawings: what is known of each, and how far its colours may be turned."""

    attributes: dict[str, Attribute]
    classes: str  # the attribute whose values are its classes
    turn: int = 60  # at most, in 1024ths of the distance between two channels; 60 is 6 degrees of hue
    metric_epochs: int = 0  # see gan.data.catalog.Source
    open_mouth: tuple[int, int] | None = None  # the places of the attribute and of its value, where there is one

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.attributes[self.classes].values

    def classes_of(self, labels: np.ndarray) -> np.ndarray:
        """The classes, int64 [N], among the labels of all attributes [N, A]."""
        return labels[:, list(self.attributes).index(self.classes)].astype(np.int64)


# ---- what is known of each ----


def _of(option: str, **values: str) -> Attribute:
    """Each value by its key, and the parts that it stands for, divided by bars."""
    return Attribute("", tuple(values), option, tuple(tuple(parts.split("|")) for parts in values.values()))


_SOFT = {
    "blue": "#7dd3fc",
    "periwinkle": "#a5b4fc",
    "violet": "#c4b5fd",
    "pink": "#f0abfc",
    "rose": "#fda4af|#fca5a5",
    "orange": "#fdba74",
    "yellow": "#fcd34d",
    "lime": "#bef264",
    "green": "#6ee7b9|#5eead4",
    "white": "#e2e8f0",
}
_DEEP = {
    "blue": "#0369a1|#1d4ed8",
    "violet": "#4338ca|#6d28d9",
    "magenta": "#a21caf",
    "red": "#be185d|#be123c",
    "orange": "#c2410c|#b45309",
    "green": "#047857|#0f766e",
    "dark": "#1e293b",
}

WORLDS: dict[str, World] = {
    "monsters": World(
        classes="body",
        metric_epochs=30,
        attributes=dict(
            body=_of(
                "bodyVariant",
                round="dome|round|squat",
                box="block|wedgeInv",
                tall="tower|chimney",
                leaning="tilt|lean",
                bell="bell|wedge",
                bumpy="blob",
                pointed="peak",
                shoulders="steps",
            ),
            top=_of(
                "topVariant",
                nothing="",
                horns="horns|hornsIn|hornsSmall",
                ears="earsRound|earsPointy|earsDroop",
                antennae="antenna|antennae|bobble",
                spikes="spike|spikes|crown",
                knob="fin|nub",
                sprout="sprout",
            ),
            eyes=_of(
                "eyesVariant",
                round="round|bigPupils|sideeye|inward|uneven|wide",
                dots="dots|close",
                one="mono|monoSleepy",
                three="trio|threeRow",
                four="four",
                closed="happy|closedLine|squint",
                wink="wink",
                sleepy="sleepy",
                angry="angry",
            ),
            mouth=_of(
                "mouthVariant",
                smile="smile|tinySmile|smirk|catMouth",
                laugh="grin|laugh",
                teeth="teeth|tooth",
                open="ooh|open|dot",
                straight="line|slant",
                wavy="wavy|zigzag",
                sad="frown|sad",
                tongue="tongue|blep",
            ),
            pattern=_of(
                "patternVariant",
                nothing="",
                spot="belly|spot|ring",
                dots="dots|speckles|dotRow",
                stripes="bar|bars|stripes|chevron",
            ),
            cheeks=_of("cheeksVariant", nothing="", blush="blush|blushBig|freckles"),
            body_colour=_of("bodyColor", **_SOFT),
            top_colour=_of("accentColor", nothing="", **_SOFT),
            background=_of("backgroundColor", **_DEEP),
        ),
    ),
    "faces": World(
        classes="hair",
        turn=30,  # skin stays skin
        metric_epochs=30,
        attributes=dict(
            hair=_of("hairVariant", bun="bun", parting="sideComed", spiky="spiky", undercut="undercut"),
            length=_of("rearHairVariant", short="", shoulders="neckHigh|shoulderHigh", long="longStraight|longWavy"),
            hair_colour=_of(
                "hairColor", black="#2c1b18", brown="#724133", red="#a55728", dark_blond="#b58143", blond="#d6b370"
            ),
            skin=_of("skinColor", dark="#5c3829", brown="#a36b4f", tan="#c68e7a|#b98e6a", light="#f1c3a5"),
            beard=_of(
                "beardVariant",
                nothing="",
                goatee="chin|chinMoustache",
                moustache="moustacheTwirl",
                full="fullBeard",
                long="longBeard",
            ),
            mouth=_of("mouthVariant", smile="smile", laugh="laugh", open="agape", teeth="angry", sad="sad"),
            eyes=_of("eyesVariant", open="happy|wide", closed="bow|humble", wink="wink"),
            brows=_of("eyebrowsVariant", raised="happy|raised", straight="neutral", sad="sad", angry="angry"),
            clothes=_of(
                "clothesVariant",
                shirt="shirt",
                t_shirt="tShirt",
                turtleneck="turtleNeck",
                jacket="openJacket",
                dress="dress",
            ),
            clothes_colour=_of(
                "clothesColor",
                black="#151613",
                grey="#545454",
                white="#e8e9e6",
                blue="#0b3286",
                green="#147f3c",
                yellow="#eab308",
                orange="#f97316",
                red="#b11f1f",
                pink="#ec4899",
                violet="#731ac3",
            ),
            background=_of(
                "backgroundColor",
                blue="#bcd8f2",
                green="#c5e3c8",
                yellow="#f3e2b3",
                violet="#d8cbee",
                grey="#cfd6de",
            ),
        ),
    ),
    "sprouts": World(
        classes="plant",
        attributes=dict(
            plant=_of(
                "plantVariant",
                leaves="sprout|seedling|tall",
                cactus="cactus|ball",
                flower="flower|tulip|buds",
                grass="grass|succulent",
                bush="bush",
                palm="palm",
            ),
            pot=_of("potVariant", round="bowl|round|bag", tapered="taper|tub", straight="cylinder|rim"),
            eyes=_of(
                "eyesVariant",
                round="round|bigPupils|sideeye|wide",
                dots="dots|close",
                closed="happy|closedLine",
                wink="wink",
                sleepy="sleepy",
                angry="angry",
            ),
            mouth=_of(
                "mouthVariant",
                smile="smile|tinySmile|catMouth",
                laugh="grin",
                teeth="tooth",
                open="ooh|open",
                straight="line",
                wavy="wavy",
                sad="frown",
                tongue="tongue",
            ),
            pot_colour=_of("potColor", **_SOFT),
            background=_of("backgroundColor", **_DEEP),
        ),
    ),
    "clay": World(
        classes="body",
        attributes=dict(
            body=_of(
                "bodyVariant",
                low="boulder|loaf|squat|slug",
                egg="egg|lean",
                pointed="gumdrop|dollop",
                bell="pear|bell",
                box="column|cube",
                bumpy="blob",
                two="stack",
            ),
            top=_of(
                "topVariant",
                nothing="",
                horns="horns|hornsSmall",
                ears="ears",
                antennae="antenna",
                spikes="spikes|crest",
                knob="nub|peak|pellet",
                curl="curl|loop|swirl|tuft",
            ),
            eyes=_of(
                "eyesVariant",
                round="googly|even|big|tiny|side|outward|inward|down|up|pinprick",
                dots="dots",
                one="mono",
                three="trio",
                closed="happy",
                wink="wink",
            ),
            mouth=_of(
                "mouthVariant",
                smile="smile|smirk|smileBig|cat|uu",
                laugh="open|openSmall|laugh",
                teeth="teeth|toothy|grin",
                open="o|dot",
                straight="line",
                wavy="wavy|zigzag",
                sad="frown|pout",
                tongue="tongue|smileTongue",
            ),
            body_colour=_of(
                "bodyColor",
                orange="#c4795c|#d99277",
                yellow="#e0bd6a|#cf9f52",
                green="#a8b37e|#8ba06b",
                turquoise="#83b0a4",
                blue="#86a5c3",
                violet="#9793bd|#ab8bbd",
                pink="#cd8ea6",
                grey="#b3a696",
            ),
        ),
    ),
    "moods": World(
        classes="mouth",
        attributes=dict(
            mouth=_of(
                "mouthVariant",
                smile="smile|wide|cat|smirk",
                laugh="bigSmile|smileOpen|laugh",
                teeth="grin|teeth",
                open="open|gasp",
                straight="line",
                wavy="wavy",
                sad="frown",
                tongue="tongue",
            ),
            eyes=_of(
                "eyesVariant",
                round="pupils|bigPupils|sparkle|small|uneven|tallPupils|lookSide|lookDown|lookUp",
                closed="happy|closed|squint",
                wink="wink",
                sleepy="sleepy|calm",
                angry="angry",
            ),
            face=_of(
                "faceVariant", round="circle|wide|tall", square="squircle|softSquare", pebble="bean|pebble|blob|hexagon"
            ),
            cheeks=_of("cheeksVariant", nothing="", blush="blush"),
            face_colour=_of("faceColor", **_SOFT),
            background=_of("backgroundColor", **_DEEP),
        ),
    ),
}


def _worded(name: str, world: World) -> World:
    """The world with its attributes and their values in words."""

    def word(kind: str, place: int, value: str) -> str:
        if kind == world.classes:
            return say(f"datasets.{name}.class_{place}")
        shared = value == _NOTHING or "Color" in known[kind].option
        return say(f"attributes.{'colour' if shared else kind}.{value}")

    known = world.attributes
    words = {kind: tuple(word(kind, *each) for each in enumerate(known[kind].values)) for kind in known}
    titled = {k: replace(known[k], title=say(f"attributes.{k}.title"), values=words[k]) for k in known}
    values = known["mouth"].values if "mouth" in known else ()
    places = (list(known).index("mouth"), values.index("open")) if "open" in values else None
    return replace(world, attributes=titled, open_mouth=places)


WORLDS = {name: _worded(name, world) for name, world in WORLDS.items()}


# ---- reading ----


def read_world(folder: Path, name: str, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures uint8 [N, 3, SIZE, SIZE] and labels uint8 [N, A]. Raises OSError, ValueError or lzma.LZMAError."""
    world = WORLDS[name]
    labels = read_labels(folder, name, split, world)
    images = np.empty((len(labels), 3, SIZE, SIZE), np.uint8)
    starts = range(0, len(labels), STRIP)
    with ThreadPoolExecutor(THREADS) as pool:  # neither unpacking nor numpy's take holds the interpreter's lock
        list(pool.map(partial(_read_strip, folder / f"{name}-{split}", images, world.turn), starts))
    return images, labels


def read_labels(folder: Path, name: str, split: str, world: World) -> np.ndarray:
    """The labels of all attributes, uint8 [N, A]."""
    stored = np.frombuffer((folder / f"{name}-{split}.labels").read_bytes(), np.uint8)
    return stored.reshape(-1, len(world.attributes))


def shares(folder: Path, name: str) -> list[list[float]]:
    """For each attribute how many of the training pictures have each of its values, as shares of all."""
    world = WORLDS[name]
    labels = read_labels(folder, name, "train", world)
    known = enumerate(world.attributes.values())
    return [(np.bincount(labels[:, i], minlength=len(a.values)) / len(labels)).round(4).tolist() for i, a in known]


def _read_strip(stem: Path, images: np.ndarray, most: int, start: int) -> None:
    """Fill the pictures from `start` on that one file holds."""
    out = images[start : start + STRIP]
    palettes, planes = unpacked(Path(f"{stem}-{start // STRIP}.xz").read_bytes(), len(out))
    aside, up, turn = varied(stem.name, start, len(out), most)
    colours = np.zeros((len(out), COLOURS, 4), np.uint8)  # four bytes each, so that a pixel is looked up once
    colours[..., :3] = turned(palettes, turn).transpose(0, 2, 1)
    wide = np.pad(planes, ((0, 0), (UP, UP), (ASIDE, ASIDE)), mode="edge")  # the border of a picture goes on
    for i, (x, y) in enumerate(zip((aside + ASIDE).tolist(), (up + UP).tolist(), strict=True)):
        pixels = colours[i].view(np.uint32)[:, 0][wide[i, y : y + SIZE, x : x + SIZE]]
        out[i] = pixels.view(np.uint8).reshape(SIZE, SIZE, 4)[..., :3].transpose(2, 0, 1)


def unpacked(stored: bytes, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Palettes uint8 [count, 3, COLOURS] and planes uint8 [count, SIZE, SIZE] of a file. Raises ValueError."""
    values = np.frombuffer(lzma.decompress(stored), np.uint8)
    palettes, planes = np.split(values, [count * 3 * COLOURS])
    return palettes.reshape(count, 3, COLOURS), planes.reshape(count, SIZE, SIZE)


def varied(split: str, start: int, count: int, most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By how many pixels pictures are moved (aside, up), and how far their hue is turned; int64 [count] each.

    Numbers as if drawn by lot from that of the picture (splitmix64), in arithmetic modulo 2 ** 64.
    """
    salt = int.from_bytes(split.encode()[-8:], "big")
    bits = np.arange(start, start + count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    bits ^= bits >> np.uint64(31)

    def between(at: int, limit: int) -> np.ndarray:
        return (bits >> np.uint64(at) & np.uint64(0xFFFF)).astype(np.int64) % (2 * limit + 1) - limit

    return between(0, ASIDE), between(16, UP), between(32, most)


def turned(palettes: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Palettes uint8 [N, 3, K] with their hue turned: every channel moves along the difference of the other two.

    That is the first order of a turn about the axis of greys, which leaves grey as it is.
    """
    old = palettes.astype(np.int32)
    moved = old + turn.astype(np.int32)[:, None, None] * (old[:, [2, 0, 1]] - old[:, [1, 2, 0]]) // 1024
    return moved.clip(0, 255).astype(np.uint8)

"""The sheet: up to a hundred states of development runs, to be named by somebody who looks at them without the numbers.

Which states, and in which order, follows from what was measured alone; the picture shows neither words nor settings,
but how many pictures a run learns from.
docs/oracle-eye.csv lists those of all sheets and says what the eye saw; the last sheet is drawn and held against it.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from gan.bench.common import BenchError, Figure, side_by_side
from gan.bench.corpus_runs import Judged, judged, states_folder
from gan.bench.corpus_states import State, needed_run, pictures_of
from gan.bench.oracle import MEASURED, WORDS, Facts, Judge, words
from gan.core.files import write_atomically
from gan.core.images import grid, image_of
from gan.core.paths import ROOT
from gan.core.seeds import seed_of
from gan.data.catalog import load
from gan.data.pictures import spread_rows
from gan.metrics.classifier import to_float
from gan.monitor.signals import small
from gan.training.trainer import Trainer, limit_pictures

TILES = 100
SAMPLES = 10_000  # generated pictures that a state of the sheet is measured with
EYE = ROOT / "docs" / "oracle-eye.csv"
PICTURE, PICTURE_BYTES = ROOT / "docs" / "oracle-sheet.webp", 1_500_000
AGREE = 0.85  # of the states: the bar
_CHOICE, _ORDER = 71, 72  # streams of randomness, see gan.core.seeds

CELL, GAP, LINE = 33, 6, 14  # pixels: a picture and its border, between parts and tiles, a tile's title
# Pictures, in so many columns: generated, the real ones most like some of them, of all moments before, any real ones.
PARTS = ((24, 6), (4, 1), (24, 6), (8, 2))
PAPER = 208  # level of grey, so that white pictures are seen
AMONG = 10_000  # training pictures among which the most similar one is looked for
TILES_WIDE = 8


class Named(NamedTuple):
    """A state on a sheet and what the eye says of it: "" nothing yet, two words have a ; between."""

    number: int
    step: int
    eye: str
    sheet: int = 1

    @property
    def said(self) -> list[str]:
        return [word.strip() for word in self.eye.split(";") if word.strip()]


class Tile(NamedTuple):
    """What is drawn of a state: pictures uint8 [N, C, H, W] for each of PARTS; how many it was trained on."""

    parts: list[Tensor]
    trained_on: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--new-sheet", action="store_true", help="of states that no sheet has had yet")


def measure(args: argparse.Namespace) -> list[Figure]:
    """Choose the states where that is still to be done and draw them; where all are named, hold both words together.

    Nothing of the oracle is said before, so that who names them may call this too.
    """
    folder = states_folder(args)
    seen = read_eye(EYE) if EYE.exists() else []
    if args.new_sheet or not seen:
        seen += _new_sheet(seen, [s for number in range(0, args.runs, 2) for s in judged(number, folder)])
        write_eye(EYE, seen)
    named = [one for one in seen if one.sheet == seen[-1].sheet]
    write_atomically(PICTURE, sheet([shown(one, folder) for one in named]))
    missing = sum(not one.said for one in named)
    if missing:
        return [Figure("states on the sheet", str(len(named)), f"{missing} to be named in {EYE.name}")]
    found = _measured(named, folder, args.jobs)
    print("\n".join(["", *table(named, found), ""]), flush=True)
    return [agreement(named, found)]


def _new_sheet(seen: Sequence[Named], states: Iterable[Judged]) -> list[Named]:
    """Of states that no sheet has had. Raises BenchError where one is still to be named, or there are none."""
    if not all(one.said for one in seen):
        raise BenchError(f"Not all states of the last sheet are named in {EYE.name}.")
    before = {(one.number, one.step) for one in seen}
    chosen = chosen_of(s for s in states if (s.number, s.step) not in before)
    if not chosen:
        raise BenchError("There are no measured states that no sheet has had; --part corpus makes more.")
    sheet = 1 + max((one.sheet for one in seen), default=0)
    return [Named(s.number, s.step, "", sheet) for s in chosen]


# Which states -------------------------------------------------------------------------------------------------------


def chosen_of(found: Iterable[Judged], most: int = TILES) -> list[Judged]:
    """Development states, as many of each word as there are, in an order that tells nothing.

    Words take turns; which of its states comes first follows from run and step alone.
    """
    states = sorted((s for s in found if s.number % 2 == 0), key=lambda s: seed_of(_CHOICE, s.number, s.step))
    piles = [[s for s in states if word in words(s.facts)] for word in WORDS]
    chosen: list[Judged] = []
    while len(chosen) < most and any(piles):
        for pile in piles[:]:
            new = next((s for s in pile if s not in chosen), None)  # one with two words is in two piles
            if new and len(chosen) < most:
                chosen.append(new)
            piles = [[s for s in p if s not in chosen] for p in piles]
    return sorted(chosen, key=lambda s: seed_of(_ORDER, s.number, s.step))


def write_eye(path: Path, named: Sequence[Named]) -> None:
    """A line for each state of the sheets."""
    lines: list[tuple[object, ...]] = [("sheet", "tile", "run", "step", "eye")]
    for number in sorted({one.sheet for one in named}):
        mine = [one for one in named if one.sheet == number]
        lines += [(number, k, one.number, one.step, one.eye) for k, one in enumerate(mine, 1)]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def read_eye(path: Path) -> list[Named]:
    """Raises BenchError where the eye says what the oracle never says."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    named = [Named(int(row["run"]), int(row["step"]), row["eye"], int(row["sheet"])) for row in rows]
    odd = sorted({word for one in named for word in one.said} - set(WORDS))
    if odd:
        raise BenchError(f"{path.name} says {', '.join(odd)}, which is none of the oracle's words.")
    return named


# What is drawn ------------------------------------------------------------------------------------------------------


def shown(one: Named, folder: Path) -> Tile:
    """In each row: six generated pictures; what the run learns from that is most like the last of them, so that copies
    are seen; the pictures of the first one's latents at the start and at each moment before; two that it learns from.
    """
    run = needed_run(folder, one.number)
    state, whole = State(run, one.step), load(run.config.dataset, "train", folder / "pictures")
    count, columns = PARTS[0]
    start = pictures_of(Trainer(run.config, whole, format=1))
    rows = spread_rows(len(start), count)
    *before, now = (x[rows] for x in (start, *(state.pictures(step) for step in state.steps)))
    train = limit_pictures(whole, run.config.data_limit).images
    like = most_similar(now[columns - 1 :: columns], train[spread_rows(len(train), AMONG)])
    none = torch.full_like(now, PAPER)
    earlier = torch.stack([*before, *[none] * (PARTS[2][1] - len(before))], 1)[::columns].flatten(0, 1)
    few = PARTS[3][0]
    return Tile([now, like, earlier, train[spread_rows(len(train), few).repeat(few)[:few]]], len(train))


def most_similar(images: Tensor, among: Tensor) -> Tensor:
    """Of each picture uint8 [N, C, H, W] the one that is nearest to it at half the size."""
    return among[torch.cdist(small(to_float(images)), small(to_float(among))).argmin(1)]


def sheet(tiles: Sequence[Tile]) -> bytes:
    """All tiles in one WebP, numbered from 1, as good as PICTURE_BYTES allow."""
    drawn = [_drawn(k, tile) for k, tile in enumerate(tiles, 1)]
    width, height = drawn[0].size
    picture = Image.new("RGB", (TILES_WIDE * width, -(-len(drawn) // TILES_WIDE) * height), (PAPER,) * 3)
    for k, one in enumerate(drawn):
        picture.paste(one, (k % TILES_WIDE * width, k // TILES_WIDE * height))
    for quality in range(90, 0, -10):
        out = BytesIO()
        picture.save(out, "WEBP", quality=quality)
        if out.tell() <= PICTURE_BYTES:
            break
    return out.getvalue()


def _drawn(number: int, tile: Tile) -> Image.Image:
    width = sum(columns * CELL + 2 * GAP for _, columns in PARTS)
    picture = Image.new("RGB", (width, LINE + PARTS[0][0] // PARTS[0][1] * CELL + GAP), (PAPER,) * 3)
    ImageDraw.Draw(picture).text((GAP, 0), f"{number}: of {tile.trained_on} pictures", fill="black")
    left = GAP
    for images, (_, columns) in zip(tile.parts, PARTS, strict=True):
        picture.paste(image_of(grid(images, columns, CELL - images.shape[3], background=PAPER)), (left, LINE))
        left += columns * CELL + 2 * GAP
    return picture


# Both words ---------------------------------------------------------------------------------------------------------


def _measured(named: Sequence[Named], folder: Path, jobs: int) -> list[Facts]:
    """The facts of each, with SAMPLES pictures; a run's states together."""
    numbers = sorted({one.number for one in named})
    steps = [[one.step for one in named if one.number == number] for number in numbers]
    looked = side_by_side(partial(_facts, folder=folder), list(zip(numbers, steps, strict=True)), jobs)
    found = dict(zip(numbers, looked, strict=True))
    return [found[one.number][one.step] for one in named]


def _facts(states: tuple[int, list[int]], folder: Path) -> dict[int, Facts]:
    """Of one run's number and steps; written beside it, so that a command that was stopped goes on."""
    number, steps = states
    torch.set_num_threads(1)
    path, run = folder / f"{number:05d}-sheet.json", needed_run(folder, number)
    key = f"{MEASURED} {steps}"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    if known.get("key") != key:
        judge = Judge(run, folder, SAMPLES)
        known = {"key": key, "states": {step: judge.facts(State(run, step)).to_json() for step in steps}}
        write_atomically(path, json.dumps(known).encode())
    return {int(step): Facts.from_json(facts) for step, facts in known["states"].items()}


def table(named: Sequence[Named], found: Sequence[Facts]) -> list[str]:
    """Both words of each state."""
    rows = [
        f"| {k} | {one.number} | {one.step} | {', '.join(words(facts))} | {', '.join(one.said)} |"
        for k, (one, facts) in enumerate(zip(named, found, strict=True), 1)
    ]
    return ["| tile | run | step | the oracle | the eye |", "| --- | --- | --- | --- | --- |", *rows]


def agreement(named: Sequence[Named], found: Sequence[Facts]) -> Figure:
    """How often the eye's first word is one of the oracle's."""
    same = sum(one.said[0] in words(facts) for one, facts in zip(named, found, strict=True))
    met = "met" if same >= AGREE * len(named) else "missed"
    return Figure("the eye agrees", f"{same} of {len(named)}", f"at least {AGREE:.0%}: {met}")

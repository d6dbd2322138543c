"""python -m gan sample, evaluate, export: what is done with a generator that has learned."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gan.core.config import Config, ConfigError
from gan.core.files import write_atomically
from gan.core.flags import Commands, empty_folder, file_to_write, seed, whole
from gan.core.messages import say
from gan.metrics.evaluate import LEAST_SAMPLES, MOST_SAMPLES, SAMPLES
from gan.runs.sources import RUNS, find_run, find_weights, open_run

if TYPE_CHECKING:
    from gan.models.layers import Generator

MOST_PICTURES = 100_000  # of one call of `sample`
MOST_SHEET_BYTES = 256_000_000  # of the pixels of a sheet
BATCH = 100  # pictures drawn at once
_GIVEN = "a shipped name (mnist-conditional), a .safetensors file, or a run's id or folder"


def sample(args: argparse.Namespace) -> int:
    """Write pictures, uncurated: seeds seed, seed+1, ..., as one sheet or as single files."""
    from gan.models import weights_file

    found = find_weights(args.weights, Path(args.runs), args.best).weights
    labels = _labels(args, found.config)
    if not args.files:
        _check_sheet(args, found.config)
    pictures = _drawn(weights_file.build(found), found.config.z_dim, args.seed, args.count, labels)
    if args.files:
        return _write_files(args, pictures, [found.class_names[k] for k in labels] if labels else [])
    from gan.core.images import grid, png_bytes

    out = args.out or Path("samples.png")
    write_atomically(out, png_bytes(grid(np.stack(list(pictures)), _columns(args)), args.scale or 2))
    print(f"{args.count} pictures in {out}")
    return 0


def _labels(args: argparse.Namespace, config: Config) -> list[int]:
    """The class of each picture; nothing for weights without classes."""
    if not config.classes:
        if args.label is not None:
            raise ConfigError(say("serving.no_classes"))
        return []
    if args.label is None:
        return [i % config.classes for i in range(args.count)]
    if not 0 <= args.label < config.classes:
        raise ConfigError(say("serving.no_class", number=args.label, last=config.classes - 1))
    return [args.label] * args.count


def _columns(args: argparse.Namespace) -> int:
    return min(args.columns or 10, args.count)


def _check_sheet(args: argparse.Namespace, config: Config) -> None:
    columns, side = _columns(args), config.size * (args.scale or 2)
    width, height = columns * side, -(-args.count // columns) * side
    if width * height * config.channels > MOST_SHEET_BYTES:
        raise ConfigError(
            f"This sheet would have {width:,} × {height:,} pixels; choose fewer pictures, a smaller --scale, "
            "or --files DIR for single pictures."
        )


def _drawn(network: Generator, z_dim: int, first: int, count: int, labels: list[int]) -> Iterator[np.ndarray]:
    """uint8 [C, H, W] for each of the seeds first, first + 1, ..."""
    import torch

    from gan.core.images import to_uint8
    from gan.core.noise import latent_of

    for start in range(0, count, BATCH):
        seeds = range(first + start, first + min(start + BATCH, count))
        z = torch.cat([latent_of(i, z_dim) for i in seeds])
        c = torch.tensor(labels[start : start + BATCH]) if labels else None
        with torch.inference_mode():
            yield from to_uint8(network(z, c)).numpy()


def _write_files(args: argparse.Namespace, pictures: Iterator[np.ndarray], names: list[str]) -> int:
    """DIR/0000.png, DIR/0001.png, ...; where there are classes, with the class in the name."""
    from gan.core.images import grid, png_bytes

    if args.columns:
        raise ConfigError("--columns is for a sheet; --files writes single pictures.")
    digits = max(4, len(str(args.count - 1)))
    args.files.mkdir(parents=True, exist_ok=True)
    for i, picture in enumerate(pictures):
        name = f"{i:0{digits}}{'-' + _slug(names[i]) if names else ''}.png"
        with (args.files / name).open("xb") as file:  # never over another one
            file.write(png_bytes(grid(picture[None], 1), args.scale or 1))
    print(f"{args.count} pictures in {args.files}")
    return 0


def _slug(name: str) -> str:
    """A class's name as part of a file's name on every system."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "class"


def evaluate(args: argparse.Namespace) -> int:
    """Print the measures, each with its protocol and the same number for real against real."""
    import torch

    from gan.metrics import evaluate as metrics
    from gan.metrics.inception import Inception
    from gan.models import weights_file

    _, loaded, own_dir = find_weights(args.weights, Path(args.runs), args.best)
    network, config = weights_file.build(loaded), loaded.config
    through = Inception(progress=_on_stderr) if args.inception else None
    with torch.inference_mode():
        report = metrics.evaluate(
            network, config.z_dim, config.classes, config.dataset, args.samples, args.seed,
            progress=_on_stderr if through else None, through=through, own_dir=own_dir,
            seen=config.data_limit,
        )  # fmt: skip
    if args.json:
        print(json.dumps({"weights": args.weights, "title": loaded.title, "step": loaded.step} | asdict(report)))
    else:
        print(f"{args.weights}: {loaded.title}, {loaded.step:,} steps")
        print("\n".join(report.lines()))
    return 0


def _on_stderr(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def export(args: argparse.Namespace) -> int:
    """A generator as a weights file: of a run's last checkpoint, or one more of weights that there are."""
    from gan.models import weights_file
    from gan.training.checkpoint import networks_of

    if args.networks:
        if args.best or args.half or args.title or args.about:
            raise ConfigError("--networks takes the newest state, in half precision, without words.")
        run = open_run(find_run(args.weights, Path(args.runs)))
        write_atomically(args.out, networks_of(run.checkpoint_path))
        print(f"G and D of {run.meta.title}: {args.out}, {args.out.stat().st_size / 1e6:.2f} MB")
        return 0
    found = find_weights(args.weights, Path(args.runs), args.best).weights
    found = replace(found, title=args.title or found.title, about=args.about or found.about)
    weights_file.save(args.out, found, args.half)
    print(f"{found.title} at step {found.step:,}: {args.out}, {args.out.stat().st_size / 1e6:.2f} MB")
    return 0


# The parsers -----------------------------------------------------------------------------------------------------


def add_parsers(commands: Commands) -> None:
    """One sub-command for each function above."""
    _sample_parser(commands.add_parser("sample", help="draw pictures: a sheet, or single files"))
    _evaluate_parser(commands.add_parser("evaluate", help="FID, KID, precision, recall, copies, classes"))
    _export_parser(commands.add_parser("export", help="a run's generator as a weights file"))


def _sample_parser(p: argparse.ArgumentParser) -> None:
    _weights_flags(p)
    place = p.add_mutually_exclusive_group()
    words = "a .png with all of them, row by row (default: samples.png)"
    place.add_argument("--out", metavar="FILE", type=file_to_write(".png"), help=words)
    words = "instead a new folder with one .png for each: 0000.png, ..., with its class in the name where it has one"
    place.add_argument("--files", metavar="DIR", type=empty_folder, help=words)
    words = f"how many, at most {MOST_PICTURES:,} (default: 100)"
    p.add_argument("--count", metavar="N", type=whole(1, MOST_PICTURES), default=100, help=words)
    words = "pictures in a row of the sheet (default: 10)"
    p.add_argument("--columns", metavar="N", type=whole(1, MOST_PICTURES), help=words)
    p.add_argument("--seed", type=seed, default=0, help="of the first; the others have the next ones (default: 0)")
    words = "the number of one class for all (default: every class in turn)"
    p.add_argument("--class", metavar="N", dest="label", type=whole(0, 999), help=words)
    words = "side of a pixel, 1 to 16 (default: 2 in a sheet, 1 in files)"
    p.add_argument("--scale", metavar="N", type=whole(1, 16), help=words)
    p.set_defaults(run=sample)


def _evaluate_parser(p: argparse.ArgumentParser) -> None:
    _weights_flags(p)
    words = f"how many pictures to draw, {LEAST_SAMPLES} to {MOST_SAMPLES:,} (default: {SAMPLES:,})"
    p.add_argument("--samples", metavar="N", type=whole(LEAST_SAMPLES, MOST_SAMPLES), default=SAMPLES, help=words)
    p.add_argument("--seed", type=seed, default=0, help="of the latents (default: 0)")
    p.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    words = "look through Inception-v3, also at colour: slower, and its weights (91 MB) are downloaded once"
    p.add_argument("--inception", action="store_true", help=words)
    p.set_defaults(run=evaluate)


def _export_parser(p: argparse.ArgumentParser) -> None:
    _weights_flags(p)
    p.add_argument("out", type=file_to_write(".safetensors"), help="a .safetensors file")
    p.add_argument("--half", action="store_true", help="store matrices in 16 bits: half the size")
    words = "G and D of a run, for others to begin with (weights/starts); no weights file for the page"
    p.add_argument("--networks", action="store_true", help=words)
    p.add_argument("--title", default="", help="what the page calls it (default: the run's title)")
    p.add_argument("--about", default="", help="one line that the page shows with it")
    p.set_defaults(run=export)


def _weights_flags(p: argparse.ArgumentParser) -> None:
    p.add_argument("weights", help=_GIVEN)
    p.add_argument("--runs", default=str(RUNS), help=f"folder for runs (default: {RUNS})")
    p.add_argument("--best", action="store_true", help="of a run: the state with the best FID, not the newest")

"""python -m gan record, record-recipes, shipped-weights, metric-network …: what a checkout ships, made anew."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from gan.core.config import Changes, ConfigError
from gan.core.files import write_atomically
from gan.core.flags import Commands, empty_folder, file_to_write, seed, whole
from gan.core.paths import WEIGHTS
from gan.metrics.classifier import measured_sets
from gan.recipes.catalog import ALL_RECIPES
from gan.recipes.failures import PREFIX
from gan.runs.recordings import FRAMES, TILES
from gan.runs.shipped import SHIPPED, file_of, files_of, make, trained
from gan.runs.sources import RUNS, find_run, open_run

DIVERGES = f"{PREFIX}divergence"  # the one recipe that ends before its last step


def record(args: argparse.Namespace) -> int:
    """A run as something to be looked at: its history, with fewer and smaller pictures and without its networks."""
    from gan.runs.recordings import record as write

    write(open_run(find_run(args.run_folder, Path(args.runs))), args.out, args.frames, args.tiles)
    _print_size(args.out)
    return 0


def record_recipes(args: argparse.Namespace) -> int:
    """Train each recipe that has no recording yet, and record it: what a checkout ships in weights/recorded."""
    from gan.runs.recordings import name_of
    from gan.training.checks import check_config

    for name in args.recipes or ALL_RECIPES:
        out = args.out / name_of(name)
        if out.exists():
            print(f"{out} is there already")
            continue
        try:
            check_config(ALL_RECIPES[name].config)
        except ConfigError as refused:  # the one program that cannot run as it was printed
            print(f"{name}: {refused}")
            continue
        _train_and_record(name, out, args.threads)
    return 0


def _train_and_record(recipe: str, out: Path, threads: int) -> None:
    from gan.runs.recordings import STEPS
    from gan.runs.recordings import record as write

    steps: Changes = {"total_steps": STEPS[recipe]} if recipe in STEPS else {}
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".") as folder:  # half a recording is none
        run = trained(recipe, Path(folder) / "runs", threads, steps, may_fail=recipe == DIVERGES)
        made = Path(folder) / "made"
        write(run, made)
        made.rename(out)
    _print_size(out)


def shipped_weights(args: argparse.Namespace) -> int:
    """Train each generator that ships and is not there yet, on a GPU where there is one."""
    for name in args.names or SHIPPED:
        if all(path.exists() for path in files_of(name, args.out)):
            print(f"{file_of(name, args.out)} is there already")
            continue
        args.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=args.out, prefix=".") as folder:
            for path in make(name, Path(folder), args.out, args.threads):
                _print_size(path)
    return 0


def _print_size(path: Path) -> None:
    """Of a file, or of all in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    size = sum(file.stat().st_size for file in files)
    print(f"{path}, {size / 1e3:,.0f} kB", flush=True)


def metric_network(args: argparse.Namespace) -> int:
    """Train the classifier whose features the measures use, and note what it sees in the real pictures."""
    from gan.metrics.classifier import main_train, path_of
    from gan.monitor.live_metrics import write_reference

    if not args.live_only:
        result = main_train(args.dataset, args.out or path_of(args.dataset), args.seed, print)
        print(", ".join(f"{k} {v}" for k, v in result.items()))
    if not args.out:
        print(write_reference(args.dataset))
    return 0


def drawing_discriminator(args: argparse.Namespace) -> int:
    """Fine-tune a run's discriminator to tell digits from scribbles, for the game."""
    import torch

    from gan.data import catalog
    from gan.inspection.drawing_discriminator import fine_tune
    from gan.training.checkpoint import discriminator_of, read_header

    torch.set_num_threads(1)
    run = open_run(find_run(args.run_folder, Path(args.runs)))
    config = read_header(run.checkpoint_path)["config"]
    if config.classes or config.clusters or config.channels > 1 or config.size != 28:
        raise ConfigError("The run must have grey pictures of 28×28, no classes and no groups (--clusters 0).")
    checkpoints = [run.states.path(step) for step in run.states.steps()] + [run.checkpoint_path]
    learned = fine_tune(checkpoints, catalog.load(config.dataset).images, args.seed, _told)
    write_atomically(args.out, discriminator_of(run.checkpoint_path, learned.state_dict()))
    print(args.out)
    return 0


def _told(step: int, loss: float) -> None:
    print(f"step {step:,}: loss {loss:.3f}", flush=True)


# The parsers -----------------------------------------------------------------------------------------------------


def add_parsers(commands: Commands) -> None:
    """One sub-command for each function above."""
    _record_parser(commands.add_parser("record", help="a run as a recording: its history and some of its pictures"))
    _record_recipes_parser(commands.add_parser("record-recipes", help="train and record the recipes that lack it"))

    p = commands.add_parser("shipped-weights", help="train the generators that ship, where they are missing")
    p.add_argument("names", nargs="*", metavar="name", type=_shipped, help=f"which of {', '.join(SHIPPED)}")
    p.add_argument("--out", type=Path, default=WEIGHTS, help=f"a folder like {WEIGHTS}, the default")
    p.add_argument("--threads", metavar="N", type=whole(1, 64), default=1, help="processor threads (default: 1)")
    p.set_defaults(run=shipped_weights)

    p = commands.add_parser("metric-network", help="train the network that the measures use")
    p.add_argument("dataset", choices=measured_sets(), help="whose pictures it is to tell apart")
    p.add_argument("--out", type=file_to_write(".safetensors"), help="where to write it (default: weights/)")
    p.add_argument("--seed", type=seed, default=0, help="of its first weights and its batches (default: 0)")
    p.add_argument("--live-only", action="store_true", help="only what live measures need of the real pictures")
    p.set_defaults(run=metric_network)

    p = commands.add_parser("drawing-discriminator", help="fine-tune a run's discriminator to judge drawings")
    p.add_argument("run_folder", metavar="run", help="its folder or id")
    p.add_argument("out", type=file_to_write(".safetensors"), help="a .safetensors file (weights/discriminators)")
    p.add_argument("--runs", default=str(RUNS), help=f"folder for runs (default: {RUNS})")
    p.add_argument("--seed", type=seed, default=0, help="of scribbles and batches (default: 0)")
    p.set_defaults(run=drawing_discriminator)


def _record_parser(p: argparse.ArgumentParser) -> None:
    p.add_argument("run_folder", metavar="run", help="its folder or id")
    p.add_argument("out", type=empty_folder, help="a new folder, for the page: weights/recorded/RECIPE")
    p.add_argument("--runs", default=str(RUNS), help=f"folder for runs (default: {RUNS})")
    words = f"how many moments, 2 to 1000 (default: {FRAMES})"
    p.add_argument("--frames", metavar="N", type=whole(2, 1000), default=FRAMES, help=words)
    words = f"how many pictures of each, 1 to 40 (default: {TILES})"
    p.add_argument("--tiles", metavar="N", type=whole(1, 40), default=TILES, help=words)
    p.set_defaults(run=record)


def _record_recipes_parser(p: argparse.ArgumentParser) -> None:
    p.add_argument("recipes", nargs="*", metavar="recipe", type=_recipe, help="which (default: all)")
    where = WEIGHTS / "recorded"
    p.add_argument("--out", type=Path, default=where, help=f"the folder of the recordings (default: {where})")
    p.add_argument("--threads", metavar="N", type=whole(1, 64), default=1, help="processor threads (default: 1)")
    p.set_defaults(run=record_recipes)


def _recipe(name: str) -> str:
    if name not in ALL_RECIPES:
        raise argparse.ArgumentTypeError(f"there is no recipe {name!r}; known: {', '.join(ALL_RECIPES)}")
    return name


def _shipped(name: str) -> str:
    if name not in SHIPPED:
        raise argparse.ArgumentTypeError(f"no generator {name!r} ships; known: {', '.join(SHIPPED)}")
    return name

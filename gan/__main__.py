"""python -m gan: train, sample, evaluate and export without the page; everything the page does, these can do."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gan import dist
from gan.bench import add_parsers as add_benches
from gan.checkpoint import CheckpointError, refuse_other_config, write_atomically
from gan.config import KNOBS, Config, ConfigError, parse_value
from gan.console import print_anywhere
from gan.data import DATA, DataError
from gan.memory import keep_freed_memory
from gan.recipes import ALL_RECIPES, make_config

EPILOG = """examples:
  python -m gan train quick                          digits in about a minute
  python -m gan train quick --dataset fashion-mnist --seed 3
  python -m gan train quick --dataset ~/Pictures/cats --size 32 --channels 3
  python -m gan train --resume runs/AbCdEfGhIjKl --total-steps 40000
  python -m gan train --fork runs/AbCdEfGhIjKl --at 1000 --g-lr 0.001
  torchrun --nproc-per-node=4 -m gan train quick     four processes, or GPUs, train one GAN
  python -m gan sample weights/mnist-conditional.safetensors --class 7 --out sevens.png
  python -m gan evaluate weights/mnist-conditional.safetensors
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Whatever a person got wrong is one sentence on stderr."""
    print_anywhere()
    args = _parser().parse_args(argv)
    keep_freed_memory()
    try:
        return args.run(args)
    except KeyboardInterrupt:
        return 130
    except (ValueError, OSError) as e:
        if isinstance(e, _sentences()):
            print(f"gan: {e}", file=sys.stderr)
            return 1
        raise


def _sentences() -> tuple[type[Exception], ...]:
    from gan.archive import ArchiveError
    from gan.metric_network import MetricError
    from gan.picture import PictureError
    from gan.runs import RunsError
    from gan.weights import WeightsError

    return (
        ConfigError, DataError, CheckpointError, WeightsError, MetricError, PictureError, RunsError,
        ArchiveError, dist.DistError, OSError,
    )  # fmt: skip


# train -----------------------------------------------------------------------------------------------------------


def train(args: argparse.Namespace) -> int:
    """Train in the foreground, with a progress bar; Ctrl-C saves and ends. Under torchrun the other ranks follow."""
    dist.join()
    try:
        if dist.rank():
            from gan.follower import Follower

            return Follower(args.threads).follow()
        return _lead(args)
    finally:
        dist.leave()


def _lead(args: argparse.Namespace) -> int:
    from gan.run import Command, checked_measure_share

    run = _resumed(args) if args.resume else _forked(args) if args.fork else _created(args)
    run.threads, run.status = _threads(args), "running"
    if args.measure_share is not None:
        run.measure_share = run.meta["measure_share"] = checked_measure_share(args.measure_share)
    signal.signal(signal.SIGINT, lambda *_: _stop_once(run.send, Command("stop")))
    if dist.job():  # torchrun ends its processes so when one is lost, or to start them again with others
        signal.signal(signal.SIGTERM, lambda *_: run.send(Command("shutdown")))
    print(f"{run.meta['title']}: {run.folder}")
    with _progress_bar(run) as show:
        run.loop(show)
    _write_sheet(run)
    if run.status == "running":  # the launcher ended us: the run is listed as interrupted, and goes on when it wishes
        run.message = f"Training was ended from outside at step {run.trainer.steps_done:,}; --resume {run.id} goes on."
    if run.status in ("failed", "interrupted", "running"):
        print(f"gan: {run.message}", file=sys.stderr)
        return 1
    print(f"{run.status} at step {run.trainer.steps_done:,}; pictures in {run.folder / 'samples.png'}")
    return 0


def _threads(args: argparse.Namespace) -> tuple[int, ...]:
    """What was asked for; else what the machine has, or, of several processes, what torchrun gave each."""
    import torch

    from gan.threads import thread_counts

    if args.threads:
        return (args.threads,)
    return thread_counts() if dist.world() == 1 else (torch.get_num_threads(),)


def _created(args: argparse.Namespace) -> Any:
    """A new run; or, when torchrun has started its job anew, the run that the job was training."""
    from gan.runs import Runs
    from gan.trainer import check_config

    if not args.recipe:
        raise ConfigError(f"Which recipe? Known: {', '.join(ALL_RECIPES)}.")
    runs = Runs(Path(args.runs), limit=10**6, keep=10**6)
    config = make_config(args.recipe, _dataset(args, runs.own_dir), runs.own_dir, **_changes(args))
    check_config(config)
    return runs.of_job(config) or runs.adopt(config)[0]


def _resumed(args: argparse.Namespace) -> Any:
    from gan.run import Run

    folder = Path(args.resume)
    if not (folder / "run.json").exists():
        folder = Path(args.runs) / args.resume
    run = Run(folder, folder.parent / "pictures")
    if args.recipe and args.recipe != run.config.recipe:
        raise CheckpointError(f"This run was made with the recipe {run.config.recipe!r}, not {args.recipe!r}.")
    wanted = run.config.changed(**_changes(args))
    refuse_other_config(run.config, wanted)
    run.config = wanted
    return run


def _forked(args: argparse.Namespace) -> Any:
    """A new run from a state of another one; or, when torchrun has started its job anew, the run it was training."""
    from gan.fork import plan_fork
    from gan.runs import Runs

    if args.dataset:
        raise ConfigError("A fork keeps its data set (dataset); start a new run to change it.")
    folder = Path(args.fork)
    if not (folder / "run.json").exists():
        folder = Path(args.runs) / args.fork
    runs = Runs(folder.resolve().parent, limit=10**6, keep=10**6)
    source, changes = runs.get(folder.name), _changes(args)
    if args.recipe and args.recipe != source.config.recipe:
        raise CheckpointError(f"This run was made with the recipe {source.config.recipe!r}, not {args.recipe!r}.")
    if args.at == BEST and source.best_step is None:
        raise CheckpointError("This run keeps no state with the best FID.")
    at = source.best_step if args.at == BEST else args.at
    again = runs.of_job(plan_fork(source, changes, at).config)
    return again or runs.fork(source.id, changes, at)[0]


BEST = "best"


def _moment(text: str) -> int | str:
    """A step, or "best"; argparse makes a sentence of the ValueError."""
    return BEST if text == BEST else int(text)


def _changes(args: argparse.Namespace) -> dict[str, Any]:
    return {n: parse_value(n, v) for n, v in vars(args).items() if n in FLAGS and v is not None}


def _dataset(args: argparse.Namespace, own_dir: Path) -> str | None:
    """A name from the table, or a folder or zip of pictures, which is prepared here."""
    given = args.dataset
    if given is None or given in DATA or given.startswith("own-"):
        return given
    from gan.pictures import prepare_folder, prepare_zip

    path = Path(given).expanduser()
    if not path.exists():
        raise DataError(f"There is no data set and no folder named {given!r}; known data sets: {', '.join(DATA)}.")
    make = prepare_folder if path.is_dir() else prepare_zip
    return make(path, args.size, args.channels, own_dir, print)


def _stop_once(send: Callable[[Any], None], command: Any) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C ends at once
    send(command)


def _progress_bar(run: Any) -> Any:
    from contextlib import contextmanager

    from tqdm import tqdm

    @contextmanager
    def shown() -> Any:
        with tqdm(total=run.config.total_steps, unit="step", smoothing=0.05, disable=None) as bar:

            def show(run: Any) -> None:
                bar.update(run.trainer.steps_done - bar.n)
                if run.history.rows and bar.n % 20 == 0:
                    row = run.history.rows[-1]
                    found = {"fid": run.history.measures[-1]["fid"]} if run.history.measures else {}
                    bar.set_postfix(d_loss=row[3], g_loss=row[4], **found, refresh=False)

            yield show

    return shown()


def _write_sheet(run: Any) -> None:
    from gan.picture import grid, png_bytes

    if run.latest is not None:
        write_atomically(run.folder / "samples.png", png_bytes(grid(run.latest.tiles, run.latest.columns), 2))


# sample, evaluate, export, metric-network ------------------------------------------------------------------------


def sample(args: argparse.Namespace) -> int:
    """Write a sheet of pictures, uncurated: seeds seed, seed+1, ..."""
    import torch

    from gan import latent, weights
    from gan.picture import grid, png_bytes, to_uint8

    loaded = weights.load(args.weights)
    network, config = weights.build(loaded), loaded.config
    z = torch.cat([latent.latent_of(args.seed + i, config.z_dim) for i in range(args.count)])
    c = _labels(args, config)
    with torch.inference_mode():
        images = to_uint8(network(z, c)).numpy()
    write_atomically(Path(args.out), png_bytes(grid(images, args.columns), args.scale))
    print(f"{args.count} pictures in {args.out}")
    return 0


def _labels(args: argparse.Namespace, config: Config) -> Any:
    import torch

    if not config.classes:
        if args.label is not None:
            raise ConfigError("These weights have no classes to choose from.")
        return None
    if args.label is None:
        return torch.arange(args.count) % config.classes
    if not 0 <= args.label < config.classes:
        raise ConfigError(f"There is no class {args.label}; these weights have classes 0 to {config.classes - 1}.")
    return torch.full((args.count,), args.label)


def evaluate(args: argparse.Namespace) -> int:
    """Print the measures, each with its protocol and the same number for real against real."""
    import torch

    from gan import metrics, weights
    from gan.inception import Inception

    loaded = weights.load(args.weights)
    network, config = weights.build(loaded), loaded.config
    through = Inception(progress=_on_stderr) if args.inception else None
    with torch.inference_mode():
        report = metrics.evaluate(
            network, config.z_dim, config.classes, config.dataset, args.samples, args.seed,
            progress=_on_stderr if through else None, through=through, own_dir=Path(args.runs) / "pictures",
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
    """The generator of a run's last checkpoint as a weights file."""
    from gan import weights
    from gan.run import Run

    run = Run(Path(args.folder))
    found = (str(run.best_step), run.best_weights()) if args.best else run.weights()
    if found is None:
        raise CheckpointError(f"The run {run.id} has no weights yet.")
    names = tuple(run.meta["class_names"]) if run.config.classes else ()
    title = args.title or run.meta["title"]
    weights.save(args.out, weights.Weights(run.config, title, names, int(found[0]), found[1], args.about), args.half)
    print(f"{title} at step {int(found[0]):,}: {args.out}, {Path(args.out).stat().st_size / 1e6:.2f} MB")
    return 0


def metric_network(args: argparse.Namespace) -> int:
    """Train the classifier whose features the measures use, and note what it sees in the real pictures."""
    from gan.live_measures import write_reference
    from gan.metric_network import main_train, path_of

    if not args.live_only:
        result = main_train(args.dataset, Path(args.out) if args.out else path_of(args.dataset), args.seed, print)
        print(", ".join(f"{k} {v}" for k, v in result.items()))
    if not args.out:
        print(write_reference(args.dataset))
    return 0


# The parser ------------------------------------------------------------------------------------------------------

_FITTED = {"recipe", "dataset", "size", "channels", "classes"}  # come from the recipe and the data set
FLAGS = [name for name in KNOBS if name not in _FITTED]


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m gan", description=__doc__, epilog=EPILOG, formatter_class=form)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _train_parser(commands)
    _weights_parsers(commands)

    p = commands.add_parser("metric-network", help="train the network that the measures use")
    p.add_argument("dataset", choices=["mnist", "fashion-mnist"])
    p.add_argument("--out", help="where to write it (default: weights/)")
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--live-only", action="store_true", help="only what live measures need of the real pictures")
    p.set_defaults(run=metric_network)

    add_benches(commands.add_parser("bench", help="measure speed, as ratios in one run"))
    return parser


def _train_parser(commands: Any) -> None:
    p = commands.add_parser("train", help="train a recipe", epilog=f"recipes: {', '.join(ALL_RECIPES)}")
    p.add_argument("recipe", nargs="?", help="where the settings start from")
    p.add_argument("--dataset", help=f"{', '.join(DATA)}, or a folder or .zip of your own pictures")
    p.add_argument("--size", type=int, default=32, help="pixels a side of your own pictures (28 or 32)")
    p.add_argument("--channels", type=int, default=3, choices=[1, 3], help="colours of your own pictures")
    p.add_argument("--resume", metavar="RUN", help="continue this run (its folder or id) exactly")
    p.add_argument("--fork", metavar="RUN", help="a new run that begins where this one was, with the settings given")
    words = "with --fork: from the last state kept until this step; best: from the state with the best FID"
    p.add_argument("--at", metavar="STEP", type=_moment, help=words)
    p.add_argument("--runs", default="runs", help="folder for runs (default: runs)")
    p.add_argument("--threads", type=int, default=None, help="processor threads (default: chosen by timing steps)")
    words = "share of the time for measures between the steps, 0 to 0.5 (default: 0.1; 0: none)"
    p.add_argument("--measure-share", metavar="SHARE", help=words)
    p.add_argument("--steps", dest="total_steps", help="the same as --total-steps")
    for name in FLAGS:
        k = KNOBS[name]
        around = f", {k.low:g} to {k.high:g}" if k.low is not None else ""
        words = f"{k.label}: {k.help}{around}".replace("%", "%%")
        p.add_argument(f"--{name.replace('_', '-')}", dest=name, help=words, metavar=k.kind.__name__.upper())
    p.set_defaults(run=train)


def _weights_parsers(commands: Any) -> None:
    p = commands.add_parser("sample", help="draw pictures with a weights file")
    p.add_argument("weights")
    p.add_argument("--out", default="samples.png")
    p.add_argument("--count", type=int, default=100)
    p.add_argument("--columns", type=int, default=10)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--class", dest="label", type=int, help="one class for all (default: every class in turn)")
    p.add_argument("--scale", type=int, default=2)
    p.set_defaults(run=sample)

    p = commands.add_parser("evaluate", help="FID, KID, precision, recall, copies, classes of a weights file")
    p.add_argument("weights")
    p.add_argument("--samples", type=int, default=10_000)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--json", action="store_true", help="one line of JSON instead of a table")
    words = "look through Inception-v3, also at colour; its weights are downloaded once (91 MB), samples take long"
    p.add_argument("--inception", action="store_true", help=words)
    p.add_argument("--runs", default="runs", help="folder for runs, where your own pictures are (default: runs)")
    p.set_defaults(run=evaluate)

    p = commands.add_parser("export", help="a run's generator as a weights file")
    p.add_argument("folder", help="the run's folder")
    p.add_argument("out", help="a .safetensors file")
    p.add_argument("--best", action="store_true", help="of the state with the best FID, not of the newest")
    p.add_argument("--half", action="store_true", help="store matrices in 16 bits")
    p.add_argument("--title", default="")
    p.add_argument("--about", default="")
    p.set_defaults(run=export)


if __name__ == "__main__":
    sys.exit(main())

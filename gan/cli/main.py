"""python -m gan: train, diagnose, sample, evaluate and export; everything the page does, without the page."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import torch
from tqdm import tqdm

from gan.bench import add_parsers as add_benches
from gan.cli import weights
from gan.cli.shipped import add_parsers as add_shipped
from gan.core.config import KNOBS, SIZES, Changes, ConfigError, Knob, parse_value, wrong_size
from gan.core.console import print_anywhere, print_problem
from gan.core.files import write_atomically
from gan.core.flags import Commands, Parser, decimal, whole, words_of
from gan.core.images import grid, png_bytes
from gan.core.messages import say
from gan.data.catalog import DATA, DataError
from gan.data.own_pictures import FITS, USUAL_SIZES, Form, edit_classes, prepare_folder, prepare_zip
from gan.losses.objectives import OBJECTIVES
from gan.losses.penalties import PENALTIES
from gan.models import MODELS
from gan.monitor.diagnosis import diagnose as verdicts_on
from gan.monitor.records import while_training
from gan.recipes.catalog import ALL_RECIPES
from gan.runs.commands import Command
from gan.runs.diagnosis_report import answer, last_step, lines, past_of, short_lines
from gan.runs.fork import plan_fork
from gan.runs.meta import MOST_MEASURE_SHARE
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.runs.sources import RUNS, find_run, open_run
from gan.runs.starts import settings, shipped, start_of
from gan.training import distributed
from gan.training.checkpoint import CheckpointError, refuse_other_config
from gan.training.checks import check_config
from gan.training.follower import Follower
from gan.training.malloc import keep_freed_memory
from gan.training.threads import thread_counts
from gan.web import start

EPILOG = """examples:
  python -m gan train quick                          digits in about a minute
  python -m gan train quick --dataset fashion-mnist --seed 3
  python -m gan train quick --dataset ~/Pictures/cats --size 64 --channels 3
  python -m gan train --resume runs/AbCdEfGhIjKl --total-steps 40000
  python -m gan train --fork runs/AbCdEfGhIjKl --at 1000 --g-lr 0.001
  torchrun --nproc-per-node=4 -m gan train quick     four processes, or GPUs, train one GAN
  python -m gan sample mnist-conditional --class 7 --out sevens.png
  python -m gan sample AbCdEfGhIjKl --files pictures --count 1000
  python -m gan evaluate mnist-conditional
  python -m gan diagnose AbCdEfGhIjKl                what is happening to a run, in words
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Whatever a person got wrong is one sentence on stderr, and code 1."""
    print_anywhere()
    argv = sys.argv[1:] if argv is None else list(argv)
    if argv[:1] == ["page"]:  # whose flags are its own
        return start.main(argv[1:])
    try:
        args = _parser().parse_args(words_of(argv))
        keep_freed_memory()
        return args.run(args)
    except KeyboardInterrupt:
        return 130
    except Exception as problem:
        if not print_problem(problem, "gan: "):
            raise
        return 1


# train -----------------------------------------------------------------------------------------------------------


def train(args: argparse.Namespace) -> int:
    """Train in the foreground, with a progress bar; Ctrl-C saves and ends. Under torchrun the other ranks follow."""
    distributed.join()
    try:
        if distributed.rank():
            return Follower(args.threads).follow()
        return _lead(args)
    finally:
        distributed.leave()


def _lead(args: argparse.Namespace) -> int:
    if args.at is not None and not args.fork:
        raise ConfigError("--at says where a fork begins, so it needs --fork RUN.")
    if args.resume or args.fork:
        _refuse_form(args)
    run = _resumed(args) if args.resume else _forked(args) if args.fork else _created(args)
    run.threads, run.status = _threads(args), "running"
    if args.measure_share is not None:
        run.meta.measure_share = args.measure_share
    signal.signal(signal.SIGINT, lambda *_: _stop_once(run.send, Command("stop")))
    if distributed.job():  # torchrun ends its processes so when one is lost, or to start them again with others
        signal.signal(signal.SIGTERM, lambda *_: run.send(Command("shutdown")))
    print(f"{run.meta.title}: {run.folder}")
    with _progress_bar(run) as show:
        run.train(show)
    _write_sheet(run)
    if run.status == "running":  # the launcher ended us: the run is listed as interrupted, and goes on when it wishes
        run.message = f"Training was ended from outside at step {run.trainer.steps_done:,}. {_how_to_go_on(run)}"
    if run.status in ("failed", "interrupted", "running"):
        print(f"gan: {run.message}", file=sys.stderr)
        _print_diagnosis(run)
        return 1
    print(f"{run.status} at step {run.trainer.steps_done:,}; pictures in {run.folder / 'samples.png'}")
    _print_diagnosis(run)
    print(_how_to_go_on(run))
    return 0


def _print_diagnosis(run: Run) -> None:
    said = answer(run, verdicts_on(*past_of(run)))
    print("\n".join(short_lines(run, said, last_step(run))))


def _how_to_go_on(run: Run) -> str:
    command = f"python -m gan train --resume {shlex.quote(str(run.folder))}"
    if run.status == "finished":
        return f"To train longer: {command} --total-steps N, with N more than {run.trainer.steps_done}."
    return f"To go on: {command}"


def _threads(args: argparse.Namespace) -> tuple[int, ...]:
    """What was asked for; else what the machine has, or, of several processes, what torchrun gave each."""
    if args.threads:
        return (args.threads,)
    return thread_counts() if distributed.world() == 1 else (torch.get_num_threads(),)


def _created(args: argparse.Namespace) -> Run:
    """A new run; or, when torchrun has started its job anew, the run that the job was training."""
    if not args.recipe:
        raise ConfigError(f"Which recipe? Known: {', '.join(ALL_RECIPES)}.")
    runs, changes = Runs(Path(args.runs), limit=10**6), _changes(args)
    start = start_of(args.start_from, lambda run: open_run(find_run(run, runs.folder))) if args.start_from else None
    config = settings(start, args.recipe, _dataset(args, runs.own_dir), runs.own_dir, changes)
    return runs.of_job(config) or runs.begin(config, start, [runs.master])[0]


def _resumed(args: argparse.Namespace) -> Run:
    run = open_run(find_run(args.resume, Path(args.runs)))
    if args.dataset:
        raise ConfigError("A run keeps its data set (dataset); start a new run to change it.")
    _refuse_other_recipe(args, run)
    wanted = run.config.changed(**_changes(args))
    refuse_other_config(run.config, wanted)
    done = run.checkpoint_step() or 0
    if args.total_steps and wanted.total_steps < done:
        raise ConfigError(f"This run is at step {done:,}, so its last one (total_steps) must be later.")
    run.config = wanted
    return run


def _refuse_other_recipe(args: argparse.Namespace, run: Run) -> None:
    if args.recipe and args.recipe != run.config.recipe:
        raise CheckpointError(f"This run was made with the recipe {run.config.recipe!r}, not {args.recipe!r}.")


def _forked(args: argparse.Namespace) -> Run:
    """A new run from a state of another one; or, when torchrun has started its job anew, the run it was training."""
    if args.dataset:
        raise ConfigError("A fork keeps its data set (dataset); start a new run to change it.")
    folder = find_run(args.fork, Path(args.runs))
    runs = Runs(folder.resolve().parent, limit=10**6)
    source, changes = runs.get(folder.resolve().name), _changes(args)
    _refuse_other_recipe(args, source)
    at = _step_of(args.at, source)
    plan = plan_fork(source, changes, at)
    return runs.of_job(plan.config) or runs.fork(plan)[0]


BEST = "best"


def _moment(text: str) -> int | str:
    """An argparse type: a step, or "best"."""
    return BEST if text == BEST else whole(0, 10**9)(text)


def _step_of(at: int | str | None, source: Run) -> int | None:
    """Where a fork begins; None: at the newest state."""
    if isinstance(at, str):  # BEST
        if source.best_step is None:
            raise CheckpointError(say("runs.no_best_state"))
        at = source.best_step
    newest = source.checkpoint_step() or 0
    if at is not None and at > newest:
        raise ConfigError(f"The run {source.id} is at step {newest:,}, so it has no state of step {at:,} (--at).")
    return at


def _changes(args: argparse.Namespace) -> Changes:
    return {n: parse_value(n, v) for n, v in vars(args).items() if n in FLAGS and v is not None}


def _dataset(args: argparse.Namespace, own_dir: Path) -> str | None:
    """A name from the table, or a folder or zip of pictures, which is prepared here."""
    given = args.dataset
    if given is None or given in DATA or given.startswith("own-"):
        _refuse_form(args)
        return given
    path = Path(given).expanduser()
    if not path.exists():
        raise DataError(f"There is no data set and no folder named {given!r}; known data sets: {', '.join(DATA)}.")
    make = prepare_folder if path.is_dir() else prepare_zip
    channels = args.channels or Form.channels
    form = Form(args.size or USUAL_SIZES[channels], channels, args.fit or Form.fit)
    name, summary = make(path, form, own_dir, _seldom(print))
    print(summary.sentence)
    if args.class_name:
        name, summary = edit_classes(name, own_dir, dict(args.class_name))
        print(summary.sentence)
    return name


def _seldom(pass_on: Callable[[str], None], seconds: float = 2.0) -> Callable[[str], None]:
    """Passes on what is said only every few seconds."""
    last = time.monotonic()

    def tell(words: str) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds:
            last = time.monotonic()
            pass_on(words)

    return tell


def _refuse_form(args: argparse.Namespace) -> None:
    """Whatever is not prepared here has its size and colours."""
    for name, flag in (("size", "size"), ("channels", "channels"), ("fit", "fit"), ("class_name", "class")):
        if getattr(args, name) is not None:
            raise ConfigError(f"--{flag} is for a folder or .zip of your own pictures, which --dataset names.")


def _stop_once(send: Callable[[Command], None], command: Command) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C ends at once
    send(command)


def _progress_bar(run: Run) -> AbstractContextManager[Callable[[Run], None]]:
    @contextmanager
    def shown() -> Iterator[Callable[[Run], None]]:
        with tqdm(total=run.config.total_steps, unit="step", smoothing=0.05, disable=None) as bar:

            def show(run: Run) -> None:
                bar.update(run.trainer.steps_done - bar.n)
                if run.history.rows and bar.n % 20 == 0:
                    row = run.history.rows[-1]
                    measured = while_training(run.history.measures[-1:])
                    found = {"fid": measured[0]["fid"]} if measured else {}
                    bar.set_postfix(d_loss=row.d_loss, g_loss=row.g_loss, **found, refresh=False)

            yield show

    return shown()


def _write_sheet(run: Run) -> None:
    if run.latest is not None:
        write_atomically(run.folder / "samples.png", png_bytes(grid(run.latest.tiles, run.latest.columns), 2))


# diagnose --------------------------------------------------------------------------------------------------------


def diagnose(args: argparse.Namespace) -> int:
    """Print what is happening to a run, from what it has written down; nothing is changed in its folder."""
    run = open_run(find_run(args.run_named, Path(args.runs)))
    check_config(run.config)  # a foreign file may name an objective that nobody knows
    newest = last_step(run)
    step = newest if args.step is None else args.step
    if step > newest:
        raise ConfigError(f"The run {run.id} is at step {newest:,}, so nothing is known of step {step:,} (--step).")
    said = answer(run, verdicts_on(*past_of(run, args.step)))
    print(json.dumps(said) if args.json else "\n".join(lines(run, said, step)))
    return 0


# The parser ------------------------------------------------------------------------------------------------------

FLAGS = [name for name, knob in KNOBS.items() if knob.scope != "fitted"]


def _parser() -> Parser:
    form = argparse.RawDescriptionHelpFormatter
    parser = Parser("python -m gan", description=__doc__, epilog=EPILOG, formatter_class=form)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _train_parser(commands)
    _diagnose_parser(commands.add_parser("diagnose", help="what is happening to a run, in words"))
    weights.add_parsers(commands)
    add_shipped(commands)
    commands.add_parser("page", help="start the page, as app.py does; page --help lists its flags")
    add_benches(commands.add_parser("bench", help="measure speed, as ratios in one run"))
    return parser


def _renaming(text: str) -> tuple[str, str]:
    """ "old=new" as a pair."""
    old, equals, new = text.partition("=")
    if not equals or not old:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not OLD=NEW.")
    return old, new


def _size(text: str) -> int:
    """One of SIZES."""
    size = whole(0, 10**9)(text)
    if size not in SIZES:
        raise argparse.ArgumentTypeError(wrong_size(size))
    return size


def _train_parser(commands: Commands) -> None:
    p = commands.add_parser("train", help="train a recipe", epilog=f"recipes: {', '.join(ALL_RECIPES)}")
    p.add_argument("recipe", nargs="?", help="where the settings start from")
    p.add_argument("--dataset", help=f"{', '.join(DATA)}, or a folder or .zip of your own pictures")
    words = f"pixels a side of your own pictures: {', '.join(map(str, SIZES))} (default: 64, in grey 32)"
    p.add_argument("--size", type=_size, metavar="PIXELS", help=words)
    p.add_argument("--channels", type=int, choices=[1, 3], help="colours of your own pictures (default: 3)")
    words = "what to do with those that are no squares (default: crop the middle)"
    p.add_argument("--fit", choices=FITS, help=words)
    words = "another name for a class of your own pictures; equal names make one class, an empty one leaves it out"
    p.add_argument("--class", dest="class_name", type=_renaming, action="append", metavar="OLD=NEW", help=words)
    source = p.add_mutually_exclusive_group()
    source.add_argument("--resume", metavar="RUN", help="continue this run (its folder or id) exactly")
    words = "a new run that begins where this one was, with the settings given"
    source.add_argument("--fork", metavar="RUN", help=words)
    words = "a new run that begins with these weights instead of noise: "
    words += f"{' or '.join(shipped())}, or those of a run (its folder or id)"
    source.add_argument("--start-from", metavar="WEIGHTS", help=words)
    words = "with --fork: from the last state kept until this step; best: from the state with the best FID"
    p.add_argument("--at", metavar="STEP", type=_moment, help=words)
    p.add_argument("--runs", default=str(RUNS), help=f"folder for runs (default: {RUNS})")
    cores = os.cpu_count() or 1
    words = f"processor threads, at most the {cores} of this machine (default: chosen by timing steps)"
    p.add_argument("--threads", metavar="N", type=whole(1, cores), help=words)
    words = "share of the time for measures between the steps, 0 to 0.5 (default: 0.1; 0: none)"
    p.add_argument("--measure-share", metavar="SHARE", type=decimal(0, MOST_MEASURE_SHARE), help=words)
    p.add_argument("--steps", dest="total_steps", metavar="INT", help="the same as --total-steps")
    for name in FLAGS:
        k = KNOBS[name]
        around = f", {' to '.join(k.limits)}" if k.low is not None else ""
        words = f"{k.label}: {k.help}{around}".replace("%", "%%")
        p.add_argument(f"--{name.replace('_', '-')}", dest=name, help=words, metavar=_values(k))
    p.set_defaults(run=train)


def _diagnose_parser(p: argparse.ArgumentParser) -> None:
    p.add_argument("run_named", metavar="RUN", help="a run's id or folder, also of one that trains at the moment")
    p.add_argument("--runs", default=str(RUNS), help=f"folder for runs (default: {RUNS})")
    p.add_argument("--json", action="store_true", help="one line of JSON, as the page's route has it")
    p.add_argument("--step", metavar="N", type=whole(0, 10**9), help="as it looked at this step (default: now)")
    p.set_defaults(run=diagnose)


def _values(k: Knob) -> str:
    """What stands for a setting's value in the help: every word there is, or what kind of number."""
    tables: dict[str, Iterable[str]] = {"model": MODELS, "objective": OBJECTIVES, "penalty": PENALTIES}
    words = ("true", "false") if k.kind is bool else k.choices or tuple(tables.get(k.name, ()))
    return f"{{{','.join(words)}}}" if words else k.kind.__name__.upper()

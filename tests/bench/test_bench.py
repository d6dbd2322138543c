"""The measurements measure what they say; nothing here looks at a clock."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gan.bench import BENCHES, common, folders, quality, search
from gan.bench.articles import BARS, best_threads
from gan.bench.bare import Bare
from gan.bench.common import BenchError, Figure, PausedRun, alternate, at_least, at_most, table
from gan.bench.throughput import operations, operations_of_a_step
from gan.bench.torch_program import BATCH, Digits, Program
from gan.core.config import ConfigError
from gan.core.paths import ROOT
from gan.data.catalog import Pictures
from gan.models.layers import Dropout
from gan.recipes.catalog import RECIPES, make_config
from gan.training.trainer import Trainer
from tests.conftest import PATIENCE, of_random_pictures, until

# The bare loop ---------------------------------------------------------------------------------------------------


def twins(recipe: str, pictures, **changes) -> tuple[Trainer, Bare]:
    """Both loops from the same first weights. Their dropout draws from different generators, so it is switched off."""
    config = of_random_pictures(RECIPES[recipe].config).changed(batch=8, **changes)
    ours = Trainer(config, pictures)
    bare = Bare(config, pictures.images.float() / 127.5 - 1, ours.data.labels)
    bare.G.load_state_dict(ours.G.state_dict())
    bare.D.load_state_dict(ours.D.state_dict())
    if ours.ema is not None:
        bare.ema.load_state_dict(ours.ema.state_dict())
    for m in (*ours.D.modules(), *bare.D.modules()):
        if isinstance(m, Dropout):
            m.p = 0.0
    return ours, bare


def step_both(ours: Trainer, bare: Bare, monkeypatch) -> None:
    """One step each, the bare loop on the pictures and the noise that the Trainer has drawn."""
    batches, fakes, batch, imagine = [], [], ours._batch, ours._generate
    monkeypatch.setattr(ours, "_batch", lambda k: batches.append(batch(k)) or batches[-1])
    monkeypatch.setattr(ours, "_generate", lambda n, c: fakes.append(imagine(n, c)) or fakes[-1])
    ours.step()
    monkeypatch.undo()
    (x, c), z_d, z_g = batches[0], fakes[0].z, fakes[-1].z
    bare.learn(x.detach().clone(), c, z_d, z_g)


def assert_equal(ours: Trainer, bare: Bare) -> None:
    for name in ("G", "D", "ema"):
        a, b = getattr(ours, name), getattr(bare, name)
        if a is not None:
            for key, value in a.state_dict().items():
                assert torch.equal(value, b.state_dict()[key]), (name, key)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "precision"),
    [(r, "float32") for r in common.PLAIN]
    + [(r, "bfloat16") for r in ("quick", "quick-conditional", "quick-colour", "quick-monsters")],
)
def test_bare_loop_and_trainer_reach_equal_parameters(recipe, precision, random_pictures, monkeypatch):
    ours, bare = twins(recipe, random_pictures, penalty="none", precision=precision)
    for _ in range(4):
        step_both(ours, bare, monkeypatch)
    assert_equal(ours, bare)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_bare_loop_and_trainer_reach_equal_parameters_with_r1(precision, random_pictures, monkeypatch):
    ours, bare = twins("quick-conditional", random_pictures, penalty="r1", penalty_every=2, precision=precision)
    for _ in range(5):
        step_both(ours, bare, monkeypatch)
    assert_equal(ours, bare)


@pytest.mark.slow
def test_bare_loop_learns_by_itself_in_every_recipe(random_pictures):
    for recipe in common.PLAIN:
        _, bare = twins(recipe, random_pictures)
        before = [p.detach().clone() for p in (*bare.g_params, *bare.d_params)]
        bare.step()
        assert all(not torch.equal(a, b) for a, b in zip(before, (*bare.g_params, *bare.d_params), strict=True)), recipe


@pytest.mark.parametrize("changes", [{"objective": "hinge"}, {"augment": 0.5}, {"gradient_clip": 1.0}])
def test_bare_loop_refuses_what_is_not_written_in_it(random_pictures, changes):
    with pytest.raises(ConfigError, match="bare loop"):
        twins("mlp", random_pictures, **changes)


# Operations ------------------------------------------------------------------------------------------------------


def test_operations_of_a_linear_layer_agree_with_the_closed_form():
    n, a, b = 5, 7, 11
    layer, x = nn.Linear(a, b), torch.randn(n, a)
    assert operations(lambda: layer(x)) == 2 * n * a * b
    # The gradient of the weights is one more product of the same size; that of the pictures would be a third.
    assert operations(lambda: layer(x).sum().backward()) == 4 * n * a * b
    assert operations(lambda: layer(x.requires_grad_()).sum().backward()) == 6 * n * a * b


def test_operations_of_a_step_agree_with_the_closed_form(random_pictures):
    trainer = Trainer(RECIPES["mlp"].config.changed(batch=8), random_pictures)
    g = [m.in_features * m.out_features for m in trainer.G.modules() if isinstance(m, nn.Linear)]
    d = [m.in_features * m.out_features for m in trainer.D.modules() if isinstance(m, nn.Linear)]
    fakes = sum(g)
    d_learns = 2 * (sum(d) + sum(d) + sum(d[1:]))  # two batches: forward, weights, and what lies between the layers
    g_learns = sum(g) + sum(d) + sum(d) + sum(g) + sum(g[1:])  # D passes a gradient on, but none to its weights
    assert operations_of_a_step(trainer) == 2 * 8 * (fakes + d_learns + g_learns)


@pytest.mark.slow
def test_operations_of_a_step_are_the_mean_over_a_lazy_penalty(random_pictures):
    often, never = (
        operations_of_a_step(Trainer(RECIPES["quick"].config.changed(batch=8, **changes), random_pictures))
        for changes in ({"penalty_every": 1}, {"penalty": "none"})
    )
    lazy = operations_of_a_step(Trainer(RECIPES["quick"].config.changed(batch=8, penalty_every=4), random_pictures))
    assert lazy == never + (often - never) / 4


# The articles ----------------------------------------------------------------------------------------------------


def test_torch_program_changes_both_networks_and_takes_whole_epochs(random_pictures):
    pictures = random_pictures.images[:100, 0].numpy()
    program = Program(pictures)
    before = [p.detach().clone() for p in (*program.generator.parameters(), *program.discriminator.parameters())]
    assert [program.step() for _ in range(3)] == [BATCH, 100 - BATCH, BATCH]
    after = (*program.generator.parameters(), *program.discriminator.parameters())
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_torch_program_reads_the_pictures_that_we_read(random_pictures):
    pictures = random_pictures.images[:4, 0].numpy()
    theirs = torch.stack([Digits(pictures)[i][0] for i in range(4)])
    torch.testing.assert_close(theirs, random_pictures.images[:4].float() / 127.5 - 1)


def test_torch_program_has_our_networks(random_pictures):
    program, ours = Program(random_pictures.images[:, 0].numpy()), Trainer(RECIPES["mlp"].config, random_pictures)
    for theirs, own in ((program.generator, ours.G), (program.discriminator, ours.D)):
        assert [p.shape for p in theirs.parameters()] == [p.shape for p in own.parameters()]


def test_every_reference_recipe_has_a_bar():
    assert set(BARS) == {n for n, r in RECIPES.items() if r.group == "reference" and not n.endswith("as-printed")}


def test_the_faster_number_of_threads_is_chosen():
    assert best_threads(lambda n: -n) == 1
    assert best_threads(lambda n: n) >= 1


# Quality ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def options(tmp_path, random_pictures, monkeypatch):
    monkeypatch.setattr(quality, "trainer_of", lambda recipe, device, seed: Trainer(
        RECIPES[recipe].config.changed(batch=8, seed=seed), random_pictures))  # fmt: skip
    parser = argparse.ArgumentParser()
    quality.add_arguments(parser)

    def parsed(*words: str) -> argparse.Namespace:
        return parser.parse_args(
            ["--recipes", "dense", "--marks", "0.01", "0.02", "--threads", "1", "--cache", str(tmp_path / "c"), *words]
        )

    return parsed


def test_quality_resumes_from_its_cache(options, monkeypatch):
    looked = []

    def look(trainer: Trainer, samples: int) -> dict[str, float]:
        looked.append(trainer.config.seed)
        return {
            "steps": trainer.steps_done,
            "images": trainer.steps_done * 8,
            "fid": 2.0,
            "times_real": 1.5,
            "modes": 10,
            "confidence": 0.9,
        }

    monkeypatch.setattr(quality, "look", look)
    first = quality.measure(options("--seeds", "0"))
    cache = options().cache
    cache.write_text(cache.read_text() + '{"key": {"config": {"rec')  # a process killed while it wrote
    quality.measure(options("--seeds", "0", "1"))
    assert looked == [0, 0, 1, 1]
    assert quality.measure(options("--seeds", "0")) == first and looked == [0, 0, 1, 1]
    quality.measure(options("--seeds", "0", "--samples", "9000"))
    assert looked == [0, 0, 1, 1, 0, 0]


@pytest.mark.slow
def test_quality_measures_at_every_mark_without_counting_the_look(random_pictures, monkeypatch):
    trainer = Trainer(RECIPES["dense"].config.changed(batch=8), random_pictures)
    monkeypatch.setattr(quality, "look", lambda t, n: {"steps": t.steps_done})
    rows = quality.train_and_look(trainer, [0.01, 1], "seconds", 100)  # no step takes the second between
    assert [r["seconds"] >= m for r, m in zip(rows, [0.01, 1], strict=True)] == [True, True]
    assert rows[0]["steps"] < rows[1]["steps"] == trainer.steps_done


def test_marks_in_steps_are_met_exactly(random_pictures, monkeypatch):
    trainer = Trainer(RECIPES["dense"].config.changed(batch=8), random_pictures)
    monkeypatch.setattr(quality, "look", lambda t, n: {"steps": t.steps_done})
    rows = quality.train_and_look(trainer, [2, 5], "steps", 100)
    assert [r["steps"] for r in rows] == [2, 5]


def test_where_no_network_can_look_patches_are_compared(random_pictures):
    images = torch.randint(0, 256, (80, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    config = make_config("quick-colour", clusters=4, z_dim=20, batch=8)
    row = quality.look(Trainer(config, Pictures("noise", images, torch.zeros(80, dtype=torch.int64), ())), 40)
    assert set(row) == {"steps", "images", "times_real", "distance", "nearest", "nyquist"} and row["steps"] == 0
    assert row["times_real"] > 2  # a fresh generator draws grey, these are noise


@pytest.mark.parametrize("recipe", search.RECIPES)
def test_search_changes_one_thing_of_the_recipe_at_a_time(recipe):
    config, names = make_config(recipe), search.candidates(recipe)
    assert names[0] == "as it is" and len(names) > 10
    assert all(config.changed(**search.CANDIDATES[name]) != config for name in names[1:])
    assert ("20 groups" in names) == bool(config.codes)


# What they share -------------------------------------------------------------------------------------------------


def test_pairs_alternate_and_keep_their_sides():
    calls = []

    def side(name: str) -> str:
        calls.append(name)
        return name

    found = list(alternate(3, lambda: side("a"), lambda: side("b")))
    assert found == [("a", "b")] * 3 and "".join(calls) == "abbaab"


def _hold(started: Path) -> None:
    started.write_text(str(os.getpid()))
    time.sleep(10 * PATIENCE)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
def test_no_process_outlives_who_started_it(how, tmp_path):
    started = tmp_path / "started"
    script = (
        "from pathlib import Path\n"
        "from gan.bench import _ends_as_by_ctrl_c\n"
        "from gan.bench.common import side_by_side\n"
        "from tests.bench.test_bench import _hold\n"
        "if __name__ == '__main__':\n"
        f"  with _ends_as_by_ctrl_c(): list(side_by_side(_hold, [Path({str(started)!r})], 1))"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.DEVNULL)
    child = int(until(lambda: started.exists() and started.read_text()))
    try:
        parent.send_signal(how)
        parent.wait(PATIENCE)
        until(lambda: not _runs(child))
    finally:
        if _runs(child):
            os.kill(child, signal.SIGKILL)


def _runs(pid: int) -> bool:
    """Whether there is such a process, and it has not ended: what nobody has taken notice of stays in the list."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_bars_judge_the_median():
    assert at_least(1, [0.5, 1.1, 1.2]).endswith("met") and at_most(1, [0.5, 1.1, 1.2]).endswith("missed")


def test_table_is_aligned():
    lines = table([Figure("a", "one", "x"), Figure("bbb", "twice", "y")]).splitlines()
    assert lines[0].index("x") == lines[1].index("y") and table([]) == ""


def test_a_paused_run_is_measured_between_its_events():
    events, step, shares = [], iter([100, 160]), []

    def command(kind: str, **more: float) -> None:
        if kind == "measure_share":
            return shares.append(more[kind])
        events.append({"kind": kind, "step": next(step) if kind == "pause" else 100})

    run = PausedRun(lambda: list(events), command)
    assert run.step == 100 and shares == [0.0]
    assert run.per_second(lambda: None) > 0 and run.step == 160


def test_every_bench_has_options_with_defaults():
    for name, bench in BENCHES.items():
        parser = argparse.ArgumentParser(name)
        sys.modules[bench.__module__].add_arguments(parser)
        assert parser.parse_args([]) is not None


def test_all_makes_one_table_and_says_what_could_not_be_measured(monkeypatch, capsys):
    from gan import bench
    from gan.cli.main import main

    def absent(args: argparse.Namespace) -> list[Figure]:
        raise BenchError("There is none here.")

    found = {"startup": absent, "busy": lambda args: [Figure("busy", f"{args.pairs} pairs of {args.seconds:g} s")]}
    monkeypatch.setattr(bench, "BENCHES", found)
    assert main(["bench", "all", "--pairs", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-3].split() == ["startup", "not", "measured:", "There", "is", "none", "here."]
    assert lines[-2].split() == ["busy", "2", "pairs", "of", "15", "s"]
    assert lines[-1].startswith("load of the machine")


def test_pictures_for_other_programs_are_the_training_pictures(tmp_path, random_pictures, monkeypatch):
    from gan.bench import articles

    monkeypatch.setattr(articles, "load", lambda name: random_pictures)
    stored = np.load(articles._write_pictures(tmp_path / "new"))
    assert np.array_equal(stored, random_pictures.images[:, 0].numpy())


def test_folders_are_prepared_by_the_checkout_that_is_named(tmp_path):
    """Each by its own program, whatever its functions are called there."""
    with pytest.raises(argparse.ArgumentTypeError, match="is no checkout of this program"):
        folders._checkout(str(tmp_path))
    other = tmp_path / "gan" / "bench"
    other.mkdir(parents=True)
    (tmp_path / "gan" / "__init__.py").touch()
    (other / "__init__.py").touch()
    (other / "folders.py").write_text('print(\'{"pictures_per_s": 7, "peak_mb": 1}\')', encoding="utf-8")
    assert folders._measured("all", folders._checkout(str(tmp_path)), ".") == {"pictures_per_s": 7, "peak_mb": 1}
    (other / "folders.py").write_text("import sys; sys.exit('no room')", encoding="utf-8")
    with pytest.raises(BenchError, match="could not prepare the pictures: no room"):
        folders._measured("all", tmp_path, ".")
    found = {
        "all": [{"pictures_per_s": 8.0, "peak_mb": 1.0}],
        "the other checkout": [{"pictures_per_s": 4.0, "peak_mb": 1}],
    }
    last = folders._figures(found)[-1]
    assert "times the other checkout" in last.what and last.value.startswith("median 2")


def test_a_measured_program_that_fails_is_a_sentence():
    from gan.bench.articles import images_per_s

    assert images_per_s([sys.executable, "-c", f"print('x'); print('{json.dumps({'images_per_s': 7})}')"]) == 7
    with pytest.raises(BenchError, match="D does not learn"):
        images_per_s([sys.executable, "-c", "import sys; sys.exit('D does not learn')"])

"""The signals say what they are named after, and looking changes nothing."""

from __future__ import annotations

import math

import pytest
import torch

from gan.monitor.records import QUANTILES, SIGNALS, SKETCH
from gan.monitor.signals import (
    EVERY,
    Signals,
    Sketch,
    d_auroc,
    largest_spectral_norm,
    mean_distance,
    mean_nearest_other,
    quantiles,
    signal_due,
    small,
    spread_rows,
)
from gan.recipes.catalog import RECIPES
from gan.runs import loop as loop_module
from gan.runs.history import History
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.training.checkpoint import flatten
from gan.training.trainer import Trainer
from tests.conftest import make_pictures

pytestmark = pytest.mark.slow

SMALL = {"batch": 8, "width": 8, "z_dim": 16, "clusters": 0}


def small_trainer(pictures, **changes) -> Trainer:
    return Trainer(RECIPES["quick"].config.changed(**SMALL | changes), pictures)


def same(a: Trainer, b: Trainer) -> bool:
    one, two = flatten(a.state_dict()), flatten(b.state_dict())
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    "recipe, changes",
    [
        ("quick", SMALL | {"spectral_norm": True}),  # its power iteration must not turn while somebody looks
        ("quick", SMALL | {"clusters": 12}),
        ("dense", {"batch": 8}),  # batch statistics in G
        ("conv-small", {"batch": 8}),  # D in two steps
        ("mlp", {"batch": 8, "update_order": "simultaneous"}),
    ],
)
def test_looking_changes_no_bit_of_training(recipe, changes, random_pictures):
    config = RECIPES[recipe].config.changed(**changes)
    watched, alone = Trainer(config, random_pictures), Trainer(config, random_pictures)
    signals = Signals(watched)
    for step in range(6):
        gradients = watched.step(grad_norms=step % 2 == 0)
        alone.step()
        signals.look({name: gradients[name] for name in ("d_grad", "g_grad") if name in gradients})
    assert same(watched, alone)


def test_gradient_norms_are_those_of_the_loss(random_pictures):
    """With Adam's β₁ = 0, its mean of the gradient is the gradient itself."""
    trainer = small_trainer(random_pictures, beta1=0.0)
    stats = trainer.step(grad_norms=True)
    for name, opt in (("d_grad", trainer.opt_d), ("g_grad", trainer.opt_g)):
        squares = sum(slots["exp_avg"].double().square().sum() for slots in opt.state.values())
        assert stats[name].item() == pytest.approx(squares.sqrt().item(), rel=1e-5)
    assert not {"d_grad", "g_grad"} & set(trainer.step())
    assert "g_grad" not in trainer.step("d", grad_norms=True)


def test_d_auroc_is_the_share_of_pairs_in_the_right_order():
    real, fake = torch.tensor([3.0, 1.0]), torch.tensor([0.0, 2.0, 1.0])
    assert d_auroc(real, fake).item() == pytest.approx((3 + 1 + 0.5) / 6)  # 1 against 1 counts half
    assert d_auroc(fake, real).item() == pytest.approx(1 - 4.5 / 6)
    assert d_auroc(real.exp(), fake.exp()) == d_auroc(real, fake)  # the scale does not matter


def test_distances_of_a_hand_made_set():
    x = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]])
    assert mean_distance(x).item() == pytest.approx((5 + 1 + math.sqrt(18)) / 3)
    assert mean_nearest_other(x).item() == pytest.approx((1 + math.sqrt(18) + 1) / 3)
    assert mean_nearest_other(x, 1).item() == pytest.approx(1)


def test_spectral_norm_agrees_with_the_singular_value_decomposition(random_pictures):
    D = small_trainer(random_pictures).D.eval()
    weights = [m.weight.flatten(1) for m in D.modules() if hasattr(m, "weight")]
    exact = max(torch.linalg.matrix_norm(w, 2).item() for w in weights)
    D.classifier = torch.nn.Linear(D.head.in_features, 3)  # which is not on the way to the logit
    torch.nn.init.constant_(D.classifier.weight, 100.0)
    assert exact * 0.97 <= largest_spectral_norm(D).item() <= exact * (1 + 1e-5)  # from below


def test_quantiles_and_rows():
    found = quantiles("real", torch.arange(101.0))
    assert {name: value.item() for name, value in found.items()} == {f"real_q{q:02d}": q for q in QUANTILES}
    assert spread_rows(10, 4).tolist() == [0, 2, 5, 7] and spread_rows(3, 4).tolist() == [0, 1, 2]


def painted(trainer: Trainer, pictures: torch.Tensor, monkeypatch) -> dict:
    """A look at a generator that paints exactly these pictures, uint8 [64, C, H, W]."""
    monkeypatch.setattr(trainer, "sample", lambda z, c: pictures.float() / 127.5 - 1)
    return Signals(trainer).look({})


def test_a_generator_that_copies_collapses_or_paints_fresh_pictures_is_seen_as_such(monkeypatch):
    pictures = make_pictures(512)
    trainer = small_trainer(pictures)
    copies = painted(trainer, pictures.images[:64], monkeypatch)
    assert copies["train_nn_ratio"] == pytest.approx(0, abs=1e-3) and copies["diversity"] == pytest.approx(1, rel=0.02)
    collapsed = painted(trainer, pictures.images[:1].expand(64, -1, -1, -1), monkeypatch)
    assert collapsed["diversity"] == pytest.approx(0, abs=1e-3)
    assert collapsed["fake_nn_ratio"] == pytest.approx(0, abs=1e-3)
    fresh = torch.randint(0, 256, (64, 1, 28, 28), generator=torch.Generator().manual_seed(9), dtype=torch.uint8)
    record = painted(trainer, fresh, monkeypatch)
    assert all(record[name] == pytest.approx(1, rel=0.05) for name in ("train_nn_ratio", "diversity", "fake_nn_ratio"))
    grey = painted(trainer, fresh.clamp(min=128), monkeypatch)
    assert grey["min_pixel"] > 0 > record["min_pixel"] == -1
    assert record["d_grad"] is None and tuple(record) == SIGNALS


def test_the_probability_of_augmentation_is_written_down_where_it_follows_d():
    pictures, config = make_pictures(128), RECIPES["quick"].config.changed(batch=8, width=8, clusters=0, augment=1.0)
    assert Signals(Trainer(config, pictures)).look({})["augment_p"] is None
    trainer = Trainer(config.changed(augment_target=0.6), pictures)
    trainer.adaptive.p.fill_(0.125)
    assert Signals(trainer).look({})["augment_p"] == 0.125


def test_what_is_not_finite_is_left_empty(monkeypatch):
    pictures = make_pictures(128)
    record = painted(small_trainer(pictures), torch.full((64, 1, 28, 28), math.nan), monkeypatch)
    assert record["diversity"] is None and record["d_weights"] > 0


def test_small_pictures_ignore_the_noise_of_single_pixels():
    board = torch.ones(1, 1, 4, 4)
    board[..., ::2, 1::2] = board[..., 1::2, ::2] = -1
    assert small(board).tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("moving", ["each in its own way", "all alike", "one of them"])
def test_the_distance_of_two_sketches_is_that_of_the_pictures(moving):
    """Of the same latents; in root mean square, as a share of the distance of two real ones."""
    rng = torch.Generator().manual_seed(5)
    sketch, ratios = Sketch(64 * 196), []
    for _ in range(300):
        a, way = torch.randn(2, 64, 196, generator=rng)
        if moving == "all alike":
            way = way[:1].expand(64, -1)
        elif moving == "one of them":
            way = way * (torch.arange(64) == 3)[:, None]
        b = a + way * torch.rand((), generator=rng)
        ratios.append((sketch(a) - sketch(b)).norm() / (a - b).square().sum(1).mean().sqrt())
    assert torch.stack(ratios).mean() == pytest.approx(1, abs=0.05) and torch.stack(ratios).std() < 1 / 6
    assert torch.equal(sketch(a), Sketch(64 * 196)(a)) and sketch(a).shape == (len(SKETCH),)
    torch.testing.assert_close(sketch(2 * a - 3 * b), 2 * sketch(a) - 3 * sketch(b))


def test_there_is_no_sketch_of_what_is_not_finite_or_where_real_pictures_do_not_differ(monkeypatch):
    pictures = make_pictures(128)
    nothing = painted(small_trainer(pictures), torch.full((64, 1, 28, 28), math.nan), monkeypatch)
    alone = painted(small_trainer(pictures.first(1)), pictures.images[:64], monkeypatch)
    assert {record[name] for record in (nothing, alone) for name in SKETCH} == {None}


def test_records_tell_how_far_the_pictures_have_moved(monkeypatch):
    pictures = make_pictures(512)
    trainer = small_trainer(pictures)
    records = [painted(trainer, pictures.images[rows], monkeypatch) for rows in (slice(64), slice(64, 128), slice(64))]
    one, other, again = ([record[name] for name in SKETCH] for record in records)
    assert math.dist(one, other) == pytest.approx(1, abs=0.4) and one == again


def test_signals_fall_due_by_step_and_thin_out():
    steps = [s for s in range(100_001) if signal_due(s)]
    assert steps[:5] == [0, 1, EVERY, 2 * EVERY, 3 * EVERY] and 100 < len(steps) < 400


def record(step: int) -> dict:
    return dict.fromkeys(SIGNALS, 0.5) | {"step": step, "g_grad": None}


def test_signals_are_read_back_and_taken_back(tmp_path):
    history = History(tmp_path)
    for step in (20, 40, 60):
        history.add("signals", record(step) | {"train_nn_ratio": 1.23456789})
    history.flush()
    assert History(tmp_path).signals == history.signals
    assert history.signals[0] == record(20) | {"train_nn_ratio": 1.23457}
    assert (tmp_path / "signals.csv").read_text().splitlines()[0] == ",".join(SIGNALS)
    history.forget_after(45)
    assert [s["step"] for s in History(tmp_path).signals] == [20, 40]


def test_a_run_writes_signals_and_takes_them_along(tmp_path, monkeypatch, random_pictures):
    monkeypatch.setattr(loop_module, "load", lambda *a, **k: random_pictures)
    runs = Runs(tmp_path)
    run, _ = runs.create("quick", changes=SMALL | {"total_steps": 45})
    run.threads, run.status = (1,), "running"
    run.train()
    first, *others = run.history.signals
    assert [s["step"] for s in others] == [1, 20, 40]
    assert {name for s in others for name, value in s.items() if value is None} == {"augment_p"}
    assert first["step"] == 0 and {k for k, v in first.items() if v is None} == {"d_grad", "g_grad", "augment_p"}
    assert Run(run.folder).history.signals == run.history.signals
    from gan.runs.archive import pack

    pack(run.folder, tmp_path / "run.zip")
    back, *_ = runs.bring_back(tmp_path / "run.zip")
    assert back.history.signals == run.history.signals

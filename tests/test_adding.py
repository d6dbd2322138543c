"""What is added in one file and one line is there everywhere: the form, the flags, refusals, training. A dummy of each.

A drawing route: tests/web/test_picture_routes.py. A tab: tests/e2e/test_adding.py.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn

from gan.cli.main import main
from gan.core.config import Config, ConfigError
from gan.core.paths import PACKAGE as GAN
from gan.data.catalog import DATA, DataError, Source, describe
from gan.losses.objectives import OBJECTIVES
from gan.losses.penalties import PENALTIES
from gan.metrics import classifier, evaluate
from gan.metrics.classifier import MetricError
from gan.metrics.stroke_attributes import measurable
from gan.models import MODELS, Model, meta_generator
from gan.models.layers import Discriminator, Generator, Stack, input_size
from gan.monitor.live_metrics import Measurer
from gan.recipes.catalog import make_config
from gan.serving.browser_export import PageWeightsError, check
from gan.training.checks import check_config
from gan.training.trainer import Trainer
from gan.web.routes.start import _tables
from tests.conftest import make_pictures

Help = Callable[..., str]


@pytest.fixture
def help_of(capsys: pytest.CaptureFixture[str]) -> Help:
    """What a command says of itself, on one line."""

    def words(*command: str) -> str:
        with pytest.raises(SystemExit):
            main([*command, "--help"])
        return " ".join(capsys.readouterr().out.split())

    return words


def trains(**settings: object) -> None:
    """Two steps change both networks, and stay finite."""
    config = make_config("quick", "mnist", batch=8, width=4, clusters=0, z_dim=8, penalty="none").changed(**settings)
    trainer = Trainer(config, make_pictures(64))
    before = [p.detach().clone() for p in (*trainer.g_params, *trainer.d_params)]
    for _ in range(2):
        assert all(value.isfinite().all() for value in trainer.step().values())
    after = [*trainer.g_params, *trainer.d_params]
    assert all(p.isfinite().all() for p in after) and not all(map(torch.equal, before, after))


def refusal(**settings: object) -> str:
    with pytest.raises(ConfigError) as refused:
        check_config(Config().changed(**settings))
    return str(refused.value)


def test_an_objective(monkeypatch: pytest.MonkeyPatch, help_of: Help) -> None:
    monkeypatch.setitem(OBJECTIVES, "dummy", replace(OBJECTIVES["minimax"], title="Dummy's objective"))
    assert "dummy" in help_of("train").partition("--objective {")[2].partition("}")[0]
    assert ("dummy", "Dummy's objective") in [
        (entry["name"], entry["title"]) for entry in _tables("en")["tables"]["objective"]
    ]
    assert "dummy" in refusal(objective="no such one")
    assert refusal(objective="hinge", label_smoothing=0.1).endswith(
        "choose the objective Non-saturating, Minimax or dummy."
    )
    trains(objective="dummy", label_smoothing=0.1)


def test_a_penalty(monkeypatch: pytest.MonkeyPatch, help_of: Help) -> None:
    monkeypatch.setitem(PENALTIES, "dummy", replace(PENALTIES["r1"], title="Dummy's penalty"))
    assert "dummy" in help_of("train").partition("--penalty {")[2].partition("}")[0]
    assert ("dummy", "Dummy's penalty") in [
        (entry["name"], entry["title"]) for entry in _tables("en")["tables"]["penalty"]
    ]
    assert "dummy" in refusal(penalty="no such one")
    trains(penalty="dummy")


def dummy_generator(cfg: Config, last: nn.Module) -> Generator:
    numbers = cfg.channels * cfg.size**2
    layers = (nn.Linear(input_size(cfg), 32), nn.SiLU(), nn.Linear(32, numbers))
    return Generator(cfg, Stack(*layers, last, nn.Unflatten(1, (cfg.channels, cfg.size, cfg.size))))


def dummy_discriminator(cfg: Config) -> Discriminator:
    return Discriminator(cfg, Stack(nn.Flatten(), nn.Linear(cfg.channels * cfg.size**2, 32), nn.SiLU()), 32)


def test_a_model_family_with_a_layer_of_a_new_kind(monkeypatch: pytest.MonkeyPatch, help_of: Help) -> None:
    monkeypatch.setitem(MODELS, "dummy", Model(dummy_generator, dummy_discriminator, "pytorch"))
    assert "dummy" in help_of("train").partition("--model {")[2].partition("}")[0]
    assert "dummy" in refusal(model="no such one")
    trains(model="dummy")
    with pytest.raises(PageWeightsError, match=r"a layer that only the server can draw \(SiLU\)"):
        check(meta_generator(Config(model="dummy")))


def test_a_data_set(monkeypatch: pytest.MonkeyPatch, help_of: Help) -> None:
    pictures = make_pictures(300)
    dummy = Source(
        title="Dummies",
        about="300 dummies",
        size=28,
        channels=1,
        class_names=tuple("0123456789"),
        licence="none",
        load=lambda split, progress: pictures,
        strokes=True,
        metric_epochs=1,
    )
    monkeypatch.setitem(DATA, "dummy", dummy)
    assert "dummy" in help_of("train").rpartition("--dataset DATASET")[2][:200] and "dummy" in help_of("metric-network")
    assert "dummy" in [entry["name"] for entry in _tables("en")["datasets"]]
    with pytest.raises(DataError, match="dummy"):
        describe("no such one")
    for ask in (lambda: classifier.load("emoji"), lambda: evaluate.check_measurable("emoji")):
        with pytest.raises(MetricError, match="dummy"):
            ask()
    assert "slant" in measurable("dummy") and measurable("emoji") == ()
    config = make_config("quick-conditional", "dummy", batch=8, width=4, z_dim=8)
    assert (config.classes, config.size) == (10, 28) and Measurer(config).measurable
    trains(dataset="dummy")


# Where names of data sets may stand: their entries, what packs the shipped ones, settings that begin with one, and what
# benches measure.
NAMED_IN = (
    "data/catalog.py",
    "data/worlds.py",
    "data/assets/pack.py",
    "core/config.py",
    "recipes/",
    "bench/",
    "runs/shipped.py",
)


@pytest.mark.slow
def test_nobody_else_knows_data_sets_by_name() -> None:
    found = []
    for path in sorted(GAN.rglob("*.py")):
        name = path.relative_to(GAN).as_posix()
        words = {n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant)}
        if not name.startswith(NAMED_IN) and words & DATA.keys():
            found.append(name)
    assert found == []

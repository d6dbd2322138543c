"""Any set of pictures trains, or is refused in words: too few, too alike, too uneven, with few test pictures.

Whatever is written down or answered about such a run is a finite number, or None where there is nothing to know.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from torch import Tensor

from gan.core.config import Config, ConfigError
from gan.data.catalog import Pictures, load
from gan.data.pictures import DataError, Split, split_of, write_pictures
from gan.inspection.service import Inspector
from gan.latent.directions import look
from gan.latent.inversion import search
from gan.latent.steering import steer
from gan.metrics.classifier import MetricError
from gan.metrics.evaluate import Report, evaluate
from gan.metrics.nearest import FEWEST_JUDGED, RealPictures
from gan.models.weights_file import Weights, build
from gan.monitor.diagnosis import YOUNG, Verdict, diagnose
from gan.monitor.records import Row
from gan.monitor.signals import Signals
from gan.recipes.catalog import ALL_RECIPES, make_config
from gan.runs.fork import plan_fork
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.serving.renderer import Renderer
from gan.training.trainer import Trainer
from gan.web.access import Access
from gan.web.middleware import OURS
from gan.web.routes.answers import routes_of
from gan.web.routes.register import all_tables
from tests.conftest import until
from tests.metrics.test_evaluate import Averages

pytestmark = pytest.mark.slow

# The sets ---------------------------------------------------------------------------------------------------------


def noise(n: int, size: int, channels: int) -> Tensor:
    """Pictures uint8 [n, C, S, S], each different."""
    rng = torch.Generator().manual_seed(n)
    return torch.randint(0, 256, (n, channels, size, size), generator=rng, dtype=torch.uint8)


def plain(levels: list[int], size: int, channels: int) -> Tensor:
    """Pictures of one colour each."""
    return torch.tensor(levels, dtype=torch.uint8)[:, None, None, None].repeat(1, channels, size, size)


def nearly(n: int, size: int, channels: int) -> Tensor:
    """Pictures of which each has one pixel a level brighter than all others have."""
    images, rows = noise(1, size, channels).clamp(max=254).repeat(n, 1, 1, 1), torch.arange(n)
    images[rows, 0, rows % size, rows // size] += 1
    return images


class Set(NamedTuple):
    """A set, and how many pictures each class has; none: without classes. test: so many more are held back."""

    images: Tensor  # uint8 [N, C, S, S]
    counts: tuple[int, ...] = ()
    test: int = 0

    @property
    def splits(self) -> list[Split]:
        labels = np.repeat(np.arange(len(self.counts)), self.counts) if self.counts else np.zeros(len(self.images), int)
        _, channels, size, _ = self.images.shape
        parts = [(self.images, labels)]
        if self.test:
            parts.append((noise(self.test, size, channels), labels[: self.test]))
        return [split_of(Pictures("", images, torch.from_numpy(labels), ())) for images, labels in parts]


SETS: dict[str, Set] = {
    "17": Set(noise(17, 28, 1)),
    "17 in colour": Set(noise(17, 32, 3), (9, 8)),
    "a class with one picture": Set(noise(18, 32, 1), (17, 1)),
    "300 to 1": Set(noise(301, 28, 3), (300, 1)),
    "all the same": Set(noise(1, 28, 1).repeat(40, 1, 1, 1), (20, 20)),
    "all the same in colour": Set(noise(1, 32, 3).repeat(120, 1, 1, 1)),
    "black": Set(plain([0] * 20, 28, 1), (10, 10)),
    "white": Set(plain([255] * 20, 32, 3)),
    "one colour each": Set(plain(list(range(0, 255, 15)), 32, 3), (5, 12)),
    "each twice": Set(noise(20, 28, 1).repeat(2, 1, 1, 1), (20, 20)),
    "hardly different": Set(nearly(30, 28, 1)),
    "all black but one": Set(torch.cat([noise(1, 28, 1), plain([0] * 29, 28, 1)]), (1, 29)),
    "one to test": Set(noise(30, 28, 1), (15, 15), 1),
    "two to test": Set(noise(40, 32, 3), (), 2),
    "eight to test": Set(noise(50, 28, 3), (25, 25), 8),
    "all the same, eight to test": Set(plain([9] * 30, 32, 1), (), 8),
    "enough to test": Set(noise(130, 28, 1), (), 2 * FEWEST_JUDGED),
}
ALIKE = [name for name in SETS if name.startswith("all the same") or name in ("black", "white", "hardly different")]
# Those that training itself may stumble over; what looks at a run is asked about all.
DIFFERENT = ["17", "a class with one picture", "300 to 1", "all the same", "all the same in colour", "black",
             "one colour each", "hardly different"]  # fmt: skip
SINGLE = Pictures("single", noise(1, 28, 1), torch.zeros(1, dtype=torch.int64), ())
BATCH = 24  # more than some sets have pictures


def own_name(name: str) -> str:
    return f"own-{list(SETS).index(name):012x}"


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Iterator[Runs]:
    runs = Runs(tmp_path_factory.mktemp("runs"))
    runs.threads = (1,)
    for name, each in SETS.items():
        words = {"title": name, "classes": json.dumps([f"class {i + 1}" for i in range(len(each.counts))])}
        write_pictures(runs.own_dir / f"{own_name(name)}.safetensors", each.splits, words)
    yield runs
    runs.close()


def finite(record: Any) -> Any:
    """What a page can read: JSON without NaN and infinity."""
    json.dumps(record, allow_nan=False)
    return record


# Training, and what is written down about it --------------------------------------------------------------------------


def looked(config: Config, pictures: Pictures, steps: int = 2) -> dict[str, float | None]:
    """What a run of these settings writes down."""
    trainer = Trainer(config, pictures)
    for _ in range(steps):
        stats = {name: float(value) for name, value in trainer.step(grad_norms=True).items()}
        assert all(map(math.isfinite, stats.values())), stats
    gradients = {name: torch.tensor(stats[name]) for name in ("d_grad", "g_grad")}
    return finite(Signals(trainer).look(gradients))


def judged(config: Config, record: dict[str, float | None]) -> list[Verdict]:
    """The diagnosis of a run that looks like this at every look."""
    steps = (0, 1, *range(20, YOUNG + 121, 20))
    rows = [Row(s, s, 1.0, 1.3, 0.7, record["real_q50"], record["fake_q50"], 1e-3, 1e-3) for s in steps]
    return diagnose(config, rows, [record | {"step": s} for s in steps])


def tried(runs: Runs, recipe: str, name: str) -> None:
    try:
        config = make_config(recipe, own_name(name), runs.own_dir, batch=BATCH, width=4)
        record = looked(config, load(own_name(name), "train", runs.own_dir))
    except (ConfigError, DataError) as refusal:
        assert str(refusal).endswith(".") and ("classes" in str(refusal) or recipe == "conv-small-as-printed")
        return
    shares = {record[name] for name in ("diversity", "fake_nn_ratio", "train_nn_ratio")}
    assert all(value is None or value < 100 for value in shares), record  # no share of a rounding error
    assert (shares == {None}) == (name in ALIKE)
    said = " ".join(verdict.seen for verdict in judged(config, record))
    assert said and not any(word in said for word in ("nan", "inf", "unknown"))
    assert not any(word in said for word in ("differ", "lie")) or None not in shares


FEW = ["17", "a class with one picture", "all the same", "each twice"]


@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("recipe", ["quick", "quick-conditional", "dense"])
def test_any_set_trains_or_is_refused_in_words(runs, recipe, name):
    tried(runs, recipe, name)


@pytest.mark.thorough
@pytest.mark.parametrize("recipe", ALL_RECIPES)
def test_any_set_trains_with_any_recipe_or_is_refused_in_words(runs, recipe):
    for name in DIFFERENT:
        tried(runs, recipe, name)


# Routes ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(runs, tmp_path_factory) -> Iterator[TestClient]:
    renderer = Renderer(tmp_path_factory.mktemp("weights"), runs.newest_weights)
    inspector = Inspector(renderer, runs)
    app = Starlette(routes=routes_of(*all_tables(Access(runs), renderer, inspector)))
    with TestClient(app, base_url="http://test" + OURS) as client:
        yield client
    inspector.close()
    renderer.close()


def trained(runs: Runs, recipe: str, dataset: str, **changes: Any) -> Run:
    run, _ = runs.create(recipe, dataset, {"batch": BATCH, "width": 4, "total_steps": 21} | changes)
    run.status = "running"
    run.train()
    assert run.status == "finished", run.message
    return run


def strict(text: str) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in {text[:300]}")

    return json.loads(text, parse_constant=refuse)


def asked(client: TestClient, address: str, content: bytes | None = None) -> Any:
    """What a route answers once it is ready: numbers that a page can read, pictures, or a sentence."""

    def ready() -> Any:
        answer = client.get(address) if content is None else client.post(address, content=content)
        return answer if answer.status_code != 202 else None

    answer = until(ready)
    assert answer.status_code < 500, (address, answer.text)
    kind = answer.headers["content-type"]
    if "json" not in kind:
        assert answer.status_code == 200, address
        return answer.content
    found = [strict(line) for line in answer.text.splitlines()]
    assert answer.status_code == 200 or found[0]["error"].endswith("."), address
    return found[-1]


RUN = ("", "/diagnosis")
WEIGHTS = (
    "weights/{w}", "weights/{w}/page", "weights/{w}/directions", "pixels?w={w}&seed=1&near=16", "latent?w={w}&seed=1",
    "steered?w={w}&seed=1", "study?w={w}&rows=0,999", "teach?w={w}&more=1,11&less=31", "origin?w={w}&seed=1",
    "made-of/nearest?w={w}&seed=1", "made-of/nearest?w={w}&seed=1&way=features", "made-of/verdict?w={w}&seed=1",
    "made-of/verdict?w={w}&seed=1&row={row}", "made-of/snapshots?w={w}&seed=1", "made-of/layers?w={w}&seed=1",
    "made-of/layers?w={w}&seed=1&layer=1", "find/tests?w={w}", "path?w={w}&a=1&b=2&mode=slerp&frames=3",
    "sums?w={w}&a=1&b=2&shares=0.5:0.5", "sum?w={w}&a=1&b=2&shares=0.5:0.5",
)  # fmt: skip


def png(image: Tensor) -> bytes:
    """uint8 [C, H, W]"""
    pixels, out = image.permute(1, 2, 0).numpy(), io.BytesIO()
    Image.fromarray(pixels[..., 0] if len(image) == 1 else pixels).save(out, "PNG")
    return out.getvalue()


def everything(client: TestClient, run: Run, picture: Tensor) -> dict[str, Any]:
    """What every route says of a run; `picture` uint8 [C, H, W] is looked for."""
    w = f"run-{run.id}"
    found = {path: asked(client, f"runs/{run.id}{path}") for path in RUN}
    found["/follow"] = strict(asked(client, f"runs/{run.id}/follow").partition(b"\n")[0].decode())
    row = asked(client, f"made-of/nearest?w={w}&seed=1").get("rows", [0])[0]
    found |= {path: asked(client, path.format(w=w, row=row)) for path in WEIGHTS}
    assert 0 <= asked(client, f"find?w={w}&kind=picture&slot=x", png(picture))["error"] <= 1
    return found


def checked(client: TestClient, runs: Runs, recipe: str, dataset: str, **changes: Any) -> dict[str, Any]:
    """Train, ask every route, and train on from there."""
    run = trained(runs, recipe, dataset, **changes)
    found = everything(client, run, load(dataset, "train", runs.own_dir).images[0])
    fork, _ = runs.fork(plan_fork(run, {"total_steps": 23}))
    fork.status = "running"
    fork.train()
    assert fork.status == "finished", fork.message
    return found


NEAREST = "made-of/nearest?w={w}&seed=1"


def checked_set(client: TestClient, runs: Runs, recipe: str, name: str) -> None:
    nearest = checked(client, runs, recipe, own_name(name))[NEAREST]
    assert ("No two training pictures differ" in nearest.get("why", "")) == (name in ALIKE), nearest
    assert name in ALIKE or (nearest["limit"] > 0 and (nearest["held"] > 0) == (name == "enough to test"))


@pytest.mark.parametrize(("recipe", "name"), [("quick", "17"), ("quick-conditional", "all the same")])
def test_whatever_looks_at_a_run_answers_in_numbers_or_words(client, runs, recipe, name):
    checked_set(client, runs, recipe, name)


@pytest.mark.thorough
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("recipe", ["quick", "cgan"])
def test_whatever_looks_at_a_run_on_any_set_answers_in_numbers_or_words(client, runs, recipe, name):
    if ALL_RECIPES[recipe].config.classes and not SETS[name].counts:
        with pytest.raises(ConfigError, match="has no classes"):
            runs.create(recipe, own_name(name))
    else:
        checked_set(client, runs, recipe, name)


@pytest.mark.thorough
def test_a_run_on_a_single_digit_is_measured_in_every_way_that_digits_are(client, runs):
    """Held-back digits are compared with; directions have names, and slants are fitted."""
    found = checked(client, runs, "gallery:memorisation", "mnist", data_limit=1)
    assert found[NEAREST]["trained"] == 1 and found[NEAREST]["held"] > 1000
    assert found["/follow"]["records"]["signals"].keys().isdisjoint({"diversity", "fake_nn_ratio", "train_nn_ratio"})


def test_a_generator_that_always_draws_the_same(runs):
    """Every direction leads nowhere, and the one picture that it draws is found, not far from all that it draws."""
    config = make_config("quick", "mnist", width=4)
    state = {name: torch.zeros_like(value) for name, value in Trainer(config, SINGLE).G.state_dict().items()}
    network = build(Weights(config, "", (), 0, state))
    seen = look(network, "mnist", n=60)
    assert all(d.vector.isfinite().all() for d in seen.directions())
    assert seen.teach([1], [2]).tolist() == [0] * config.z_dim
    leaning = steer(network, seen.study.z[:1], network.condition(seen.study.z[:1]), {"slant": torch.ones(config.z_dim)})
    assert leaning["slant"].isfinite().all()
    *_, found = search(network, seen.study, seen.study.images[0] + 1)
    assert not found.far and found.explained == 1 and found.error < 1 / 200
    *_, found = search(network, seen.study, SINGLE.images[0])
    assert found.far and 0 <= found.explained <= 1 and math.isfinite(found.error)


# Yardsticks --------------------------------------------------------------------------------------------------------


def test_a_picture_that_is_there_twice_is_no_neighbour_of_itself():
    rows = noise(120, 8, 1).flatten(1)
    once, twice = RealPictures(rows, None), RealPictures(torch.cat([rows, rows]), None)
    assert torch.equal(twice.scores[:120], once.scores) and twice.limit == pytest.approx(once.limit, rel=0.1)
    level = rows.clamp(max=254) + (torch.arange(64) % 2).byte()  # the eye sees no difference
    assert RealPictures(torch.cat([rows, level]), None).limit == pytest.approx(once.limit, rel=0.1)


@pytest.mark.parametrize("held", [0, 1, 2, 8, 2 * FEWEST_JUDGED - 1])
def test_few_held_back_pictures_are_no_yardstick(held):
    """Of one real picture alone, every second new picture would come out lower."""
    rng = torch.Generator().manual_seed(2)
    train, tests, new = (torch.randn(n, 8, generator=rng) for n in (400, held, 300))
    real = RealPictures(train, tests)
    found = [real.near(x) for x in new]
    assert real.others is None and found[0].held == 0 and found[0].judged == 400
    assert sum(f.copied for f in found) / len(found) < 0.05


def test_held_back_pictures_that_are_all_the_same_are_few():
    train, same = noise(60, 8, 1).flatten(1), noise(1, 8, 1).flatten(1).repeat(500, 1)
    assert RealPictures(train, same).others is None


@pytest.mark.parametrize("name", SETS)
def test_measures_of_any_set_are_numbers_or_words(runs, name):
    """Another network stands for Inception-v3: what it sees is not what is asked here."""
    images, _, test = SETS[name]

    def measured() -> Report:
        flat = lambda z, c: torch.zeros(len(z), *images.shape[1:])  # noqa: E731
        return evaluate(flat, 3, 0, own_name(name), through=Averages(), own_dir=runs.own_dir)

    if 0 < test < 6:
        with pytest.raises(MetricError, match=f"at least 6 test pictures are needed, and it has {test}"):
            measured()
        return
    report = measured()
    finite(asdict(report))
    lines = " ".join(report.lines())
    assert "nan" not in lines and "inf" not in lines and ("times real" in lines)
    assert name not in ALIKE or re.search(r"times real +- ", lines) or test

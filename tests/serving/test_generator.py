"""A loaded generator, asked without any thread: what it draws, refuses and tells."""

import numpy as np
import pytest
import torch

from gan.data.catalog import load
from gan.latent import directions
from gan.latent.spec import LatentSpec
from gan.serving.generator import LoadedGenerator, RenderError, StudiedGenerator
from gan.serving.requests import Keyframe, KeyframePath, Near, Sums
from gan.serving.worker import Cancelled
from tests.serving.test_renderer import PLACE, make


@pytest.fixture(scope="module")
def by_class():
    return LoadedGenerator(make(), "stamp")


@pytest.fixture(scope="module")
def plain():
    return LoadedGenerator(make("quick"), "stamp")


class Checks:
    """Counts the checks of a job, and cancels it at number `last`."""

    def __init__(self, last: int | None = None) -> None:
        self.count, self.last = 0, last

    def __call__(self) -> None:
        self.count += 1
        if self.count == self.last:
            raise Cancelled


def picture(generator, spec, label=None) -> np.ndarray:
    return generator.pixels(spec, label).images


WAY = KeyframePath((Keyframe(PLACE, 2), Keyframe(LatentSpec(8), 7)), "slerp", 9)
THREE = tuple(Keyframe(LatentSpec(seed), label) for seed, label in ((1, 0), (2, 3), (3, 9)))


def same(drawn: np.ndarray, wanted: list[np.ndarray]) -> bool:
    """But for the last bit: a sum is computed."""
    return np.abs(drawn.astype(int) - np.concatenate(wanted)).max() <= 1


def test_the_corners_of_weighted_sums_are_the_keyframes(by_class):
    sums = Sums(THREE, ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    wanted = [picture(by_class, keyframe.spec, keyframe.label) for keyframe in THREE]
    assert same(by_class.sums(sums).images, wanted)
    assert not sums.single and Sums(THREE, ((1.0, 0.0, 0.0),)).single


def test_a_sum_as_each_of_some_classes(by_class):
    sums = Sums(THREE, ((1.0, 0.0, 0.0),), (4, 7))
    wanted = [picture(by_class, THREE[0].spec, label) for label in (4, 7)]
    assert same(by_class.sums(sums).images, wanted) and not sums.single


def test_strips_go_from_minus_to_plus_three(by_class):
    drawn = by_class.strips(PLACE, 4, ["0", "5"]).images
    assert len(drawn) == 14
    for row, move in ((0, {0: -3.0}), (6, {0: 3.0}), (3 + 7, {0: 1.5, 5: 0.0})):
        spec = LatentSpec(PLACE.seed, PLACE.walk, move, PLACE.fixed)
        wanted = picture(by_class, spec, 4)[0]
        assert np.abs(drawn[row].astype(int) - wanted).max() <= 1  # drawn together: the last bit


@pytest.mark.parametrize("keys", [["a"], ["0", "0"], ["8"], [""]])
def test_strips_along_what_the_place_does_not_hold_are_refused(by_class, keys):
    with pytest.raises(RenderError, match="each once"):
        by_class.strips(PLACE, 4, keys)


@pytest.mark.parametrize(
    ("draw", "checks"),
    [
        (lambda generator, check: generator.pixels(PLACE, 4, None, check), 0),  # one picture is always finished
        (lambda generator, check: generator.pixels(PLACE, 4, Near(16), check), 16),
        (lambda generator, check: generator.path(WAY, check), 8),
        (lambda generator, check: generator.sums(Sums(THREE, ((1.0, 0.0, 0.0),) * 3), check), 2),
        (lambda generator, check: generator.strips(PLACE, 4, ["0", "1"], check), 2),
    ],
)
def test_a_drawing_checks_between_two_pictures_and_can_be_ended_there(by_class, draw, checks):
    counted = Checks()
    draw(by_class, counted)
    assert counted.count == checks
    if checks:
        ended = Checks(last=1)
        with pytest.raises(Cancelled):
            draw(by_class, ended)
        assert ended.count == 1


@pytest.mark.parametrize(
    ("name", "spec", "label", "words"),
    [
        ("by_class", LatentSpec(), 10, "classes 0 to 9"),
        ("plain", LatentSpec(), 0, "no classes"),
        ("plain", LatentSpec(principal={8: 1.0}), None, "no direction 8"),
        ("plain", LatentSpec(fixed={64: 1.0}), None, "no latent dimension 64"),
    ],
)
def test_what_these_weights_cannot_do_is_said(request, name, spec, label, words):
    with pytest.raises(RenderError, match=words):
        request.getfixturevalue(name).pixels(spec, label)


def test_about_tells_what_a_page_needs(by_class):
    about = by_class.about()
    assert (about["z_dim"], about["classes"], about["size"], about["channels"]) == (64, 10, 28, 1)
    assert len(about["directions"]) == 8 and 0 < about["directions"][0]["share"] < 1


# ---- studies ----


@pytest.fixture(scope="module")
def studied(plain):
    return StudiedGenerator("stamp", directions.look(plain.network, "mnist"), lambda: plain)


@pytest.mark.slow
def test_a_search_reports_and_ends_at_a_check(studied):
    target, reports = load("mnist", "test").images[0], []
    studied.search(target, reports.append)
    assert reports[-1].share == 1 and [r.share for r in reports] == sorted(r.share for r in reports)
    some: list = []
    with pytest.raises(Cancelled):
        studied.search(target, some.append, Checks(last=2))
    assert [r.share for r in some] == [r.share for r in reports[:2]]


def test_pictures_of_a_study_are_those_of_its_latents(studied, plain):
    shown = studied.pictures([0, 999])
    again = plain.pixels(LatentSpec(0, sheet=("study", 999))).images[0]
    assert shown.stamp == "stamp" and np.abs(shown.images[1].astype(int) - again).max() <= 1


def test_looking_into_a_generator_leaves_it_as_it_was(plain):
    """Nothing hangs on the network meanwhile: another thread may be drawing with it."""
    seen = directions.study(plain.network, 40)
    hooks = []
    with torch.nn.modules.module.register_module_forward_hook(
        lambda module, *_: hooks.append(len(module._forward_hooks))
    ):
        directions.varied(plain.network, seen)
    assert hooks and not any(hooks)

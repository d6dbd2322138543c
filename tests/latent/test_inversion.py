"""Finding a picture: the generator's own are found again, what it cannot draw is said to be far."""

import pytest
import torch

from gan.core.config import NEVER
from gan.core.images import to_uint8
from gan.core.noise import latent_of
from gan.core.paths import WEIGHTS
from gan.data import catalog
from gan.latent import directions
from gan.latent.inversion import InversionError, _nearest, centred, hold_votes, ink_on_dark, opinion_of, search
from gan.latent.spec import LatentSpec, unpacked
from gan.models import build_generator, weights_file
from gan.models.layers import chosen
from gan.recipes.catalog import make_config
from gan.serving.generator import LoadedGenerator

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["mnist", "mnist-conditional"])
def generator(request):
    return LoadedGenerator(weights_file.load(WEIGHTS / f"{request.param}.safetensors"), "")


@pytest.fixture(scope="module")
def seen(generator):
    return directions.study(generator.network, 300)


@torch.inference_mode()
def own(generator, seed):
    z, label = latent_of(seed, generator.config.z_dim), torch.tensor([3]) if generator.config.classes else None
    return to_uint8(generator.network(z, label))[0]


def test_its_own_pictures_are_found_again_and_a_link_draws_them(generator, seen):
    target = own(generator, 5)
    reports = list(search(generator.network, seen, target))
    found = reports[-1]
    assert [r.share for r in reports] == sorted(r.share for r in reports) and found.share == 1
    assert found.explained > 0.93 and not found.far and found.error < reports[0].error
    drawn = generator.draw(*generator.latents(LatentSpec(base=found.latent), found.label))[0]
    assert (torch.from_numpy(drawn).int() - found.image.int()).abs().max() <= 1
    *_, again = search(generator.network, seen, target)
    assert torch.equal(found.image, again.image)  # nothing is left to chance


def test_noise_is_far_outside(generator, seen):
    noise = torch.randint(0, 256, (1, 28, 28), generator=torch.Generator().manual_seed(0)).byte()
    *_, found = search(generator.network, seen, noise)
    assert found.far and found.explained < 0.4


def test_a_target_of_another_size_is_refused_in_words(generator, seen):
    with pytest.raises(InversionError, match=r"\[3, 32, 32\]"):
        next(search(generator.network, seen, torch.zeros(3, 32, 32, dtype=torch.uint8)))


def test_a_raised_vote_wins_and_others_stay(generator):
    z = torch.randn(8, generator.network.z_dim, generator=torch.Generator().manual_seed(1))
    if not generator.network.votes:
        assert hold_votes(generator.network, z, None) is z
        return
    labels = torch.arange(8)
    led = hold_votes(generator.network, z, torch.nn.functional.one_hot(labels, generator.network.votes).bool())
    vote = generator.network.vote(led)
    assert torch.equal(vote.argmax(1), labels) and vote.amax(1).min() > 0.99
    changed = led != z
    assert changed.sum(1).max() <= 1 and (led - z).min() >= 0
    rounded = generator.network.vote(torch.stack([unpacked(row.numpy().astype("<f2").tobytes()) for row in led]))
    assert torch.equal(rounded.argmax(1), labels)


def test_the_likeliest_classes_go_on_in_turn():
    cost, classes = torch.tensor([0.5, 0.1, 0.2, 0.3, 0.9, 0.4]), torch.tensor([7, 3, 3, 3, 8, 9])
    assert _nearest(cost, classes, 10, 5).tolist() == [1, 5, 0, 2, 3]  # 3, 9 and 7 in turn, then what is left of them
    assert _nearest(cost, classes, 10, 2).tolist() == [1, 5]
    assert _nearest(cost, classes, 0, 3).tolist() == [1, 2, 3]  # without classes: the nearest


def test_what_the_network_sees_in_the_target_has_a_say():
    network = weights_file.build(weights_file.load(WEIGHTS / "mnist-conditional.safetensors"))
    seen, target = directions.study(network, 300), catalog.load("mnist", "test").images[18]  # a 3 that is near to an 8
    opinion = opinion_of(network, "mnist", target)
    assert int(opinion.argmax()) == 3 and opinion.sum().item() == pytest.approx(1)
    *_, found = search(network, seen, target, opinion)
    assert found.label == found.looks == 3
    sure = torch.nn.functional.one_hot(torch.tensor(8), 10).float()
    *_, otherwise = search(network, seen, target, sure)
    assert otherwise.looks == 8
    assert opinion_of(network, "emoji", target) is None
    *_, silent = search(network, seen, target)
    assert silent.looks is None


# ---- drawings ----


def drawing(top, left, height, width, side=140):
    page = torch.zeros(side, side, dtype=torch.uint8)
    page[top : top + height, left : left + width] = 255
    return page


@pytest.mark.parametrize(("height", "width"), [(60, 30), (30, 120), (10, 10)])
def test_a_drawing_is_put_into_the_middle_as_mnist_does(height, width):
    found = centred(drawing(3, 11, height, width))[0].float()
    rows, columns = (torch.nonzero(found.amax(axis) > 127)[:, 0] for axis in (1, 0))
    sides = len(rows), len(columns)
    assert max(sides) == 20 and sides[0] / sides[1] == pytest.approx(height / width, rel=0.1)
    at = torch.arange(28) + 0.5
    for axis in (0, 1):
        assert float(found.sum(axis) @ at / found.sum()) == pytest.approx(14, abs=0.51)


def test_an_empty_drawing_is_said():
    with pytest.raises(InversionError, match="nothing on this picture"):
        centred(torch.zeros(140, 140, dtype=torch.uint8))


def test_ink_on_paper_becomes_bright_on_dark():
    page = drawing(20, 20, 60, 30)
    paper = 200 - (page > 0).byte() * 150
    assert torch.equal(ink_on_dark(paper), page) and torch.equal(ink_on_dark(page), page)


def test_what_a_told_generator_is_asked_to_hold_leads_and_is_nothing_that_it_never_draws():
    """A monster without anything on its head has no colour there, which the generator was never told."""
    network = build_generator(make_config("quick-monsters", width=4), torch.Generator().manual_seed(0)).eval()
    test = catalog.load("monsters", "test")
    kinds = list(catalog.DATA["monsters"].attributes)
    top, colour = kinds.index("top"), kinds.index("top_colour")
    bald = next(row for row in range(len(test.images)) if test.attributes[row, colour] == 0)
    never = sum(network.codes[:colour])
    network.odds[never] = NEVER
    opinion = opinion_of(network, "monsters", test.images[bald])
    assert opinion.shape == (network.votes,) and opinion[never] > 0.9
    held = network.likeliest(opinion[None])
    told = [int(part.int().argmax()) for part in held[0].split(network.codes)]
    seen = test.attributes[bald].tolist()
    assert told[:colour] == seen[:colour] and told[colour] != 0 and told[top] == 0
    z = torch.randn(3, network.z_dim, generator=torch.Generator().manual_seed(1))
    led = hold_votes(network, z, held.expand(3, -1))
    for rows in (led, torch.stack([unpacked(row.numpy().astype("<f2").tobytes()) for row in led])):
        votes = network.vote(rows)
        assert torch.equal(chosen(votes, network.codes), held.expand(3, -1)) and votes[held.expand(3, -1)].min() > 0.99
    assert led.abs().max() < 10 and torch.equal(led[:, network.votes :], z[:, network.votes :])

"""Directions: planted ones are found again, a file is read as if it came from an enemy."""

import json
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from gan.latent import directions as d
from gan.latent.directions import Direction, DirectionError, SampleSet
from gan.latent.spec import (
    LatentSpec,
    Push,
    along,
    cluster_latents,
    final_latents,
    latent_at,
    packed,
    principal_directions,
    without,
)
from gan.metrics.classifier import Form
from gan.models import build_generator
from gan.models.layers import Stack
from gan.recipes.catalog import make_config

Z, N = 12, 600


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def planted(noise: float = 0.3, groups: int = 4) -> tuple[SampleSet, torch.Tensor, torch.Tensor]:
    """A study whose value grows along one direction, and jumps from group to group."""
    z, where = torch.randn(N, Z, generator=rng()), torch.arange(N) % groups
    direction = d.unit(torch.randn(Z, generator=rng(1)))
    values = 2 * z @ direction + 50 * where + noise * torch.randn(N, generator=rng(2))
    return SampleSet(z, where, torch.zeros(N, 1, 4, 4, dtype=torch.uint8)), values, direction


# ---- slopes ----


def test_slopes_find_the_planted_direction_whatever_the_groups_do():
    seen, values, direction = planted()
    found = d.slopes(seen, values[:, None], ridge=1e-6)[0]
    assert torch.allclose(found, 2 * direction, atol=0.1)


def test_a_measured_direction_keeps_the_other_attributes():
    seen, _, _ = planted()
    a, b = torch.randn(2, Z, generator=rng(5))
    found = d.measured(seen, {"thickness": seen.z @ a, "slant": seen.z @ (a + b), "width": torch.zeros(N)})
    assert set(found) == {"thickness", "slant"}
    assert abs(found["thickness"] @ (a + b)) < 0.02 and abs(found["slant"] @ a) < 0.02
    assert found["thickness"] @ a > 0 and found["slant"] @ (a + b) > 0
    assert found["thickness"].norm() == pytest.approx(1)


def test_an_attribute_with_nothing_to_keep_is_its_own_slope():
    """As the ink of clothes, which are not measured for thickness and slant."""
    seen, _, _ = planted()
    a = torch.randn(Z, generator=rng(5))
    found = d.measured(seen, {"ink": seen.z @ a, "width": torch.zeros(N)})
    assert set(found) == {"ink"} and d.unit(found["ink"]) @ d.unit(a) > 0.99


def test_without_leaves_nothing_along_the_others():
    vector, others = torch.randn(Z, generator=rng()), torch.randn(3, Z, generator=rng(1))
    rest = without(vector, torch.cat([others, others[:1]]))
    assert torch.allclose(others @ rest, torch.zeros(3), atol=1e-5)
    assert torch.allclose(without(rest, others), rest, atol=1e-6)


# ---- towards a value of an attribute ----


class Painted(nn.Module):
    """Pictures whose redness grows along one direction, and that are a little green."""

    def __init__(self, along: torch.Tensor) -> None:
        super().__init__()
        self.along = along

    def condition(self, z: torch.Tensor, labels: None) -> None:
        return None

    def forward(self, z: torch.Tensor, condition: None) -> torch.Tensor:
        red = torch.tanh(z @ self.along / 3)
        return torch.stack([red, torch.full_like(red, 0.2), torch.zeros_like(red)], 1)[:, :, None, None].expand(
            -1, -1, 4, 4
        )


class Sees(nn.Module):
    """Tells whether a picture is red, and whether it is green: logits of one class, then of two attributes."""

    form = Form(3, 4, 1, attributes=(2, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        red, green, _ = x.mean((2, 3)).T
        return torch.stack([0 * red, -9 * red, 9 * red, -9 * green, 9 * green], 1)


def test_a_direction_towards_a_value_leads_there_and_what_never_changes_has_none():
    along = d.unit(torch.randn(Z, generator=rng(1)))
    generator, z = Painted(along), torch.randn(N, Z, generator=rng())
    seen = SampleSet(z, torch.zeros(N, dtype=torch.int64), d.to_uint8(generator(z, None)))
    found = d.attribute_directions(generator, seen, Sees())
    assert [(each.key, each.kind, each.may_change_cluster) for each in found] == [
        ("attribute-0-0", "attribute", False),
        ("attribute-0-1", "attribute", False),
    ]
    for each, sign in zip(found, (-1, 1), strict=True):
        assert sign * float(d.unit(each.vector) @ along) > 0.98
        pushed = sign * ((z + d.END * each.vector) @ along)
        assert (pushed > 0).float().mean() > d.ENOUGH
        assert float(each.vector.norm()) == pytest.approx(1)  # no longer than is needed


def test_a_direction_that_does_not_lead_far_enough_is_longer_or_left_out():
    along = d.unit(torch.randn(Z, generator=rng(1)))
    z = torch.randn(N, Z, generator=rng())
    lengths = []
    for far in (2.0, 3.3, 9.0):  # how far to go until a picture is red

        class Reluctant(Painted):
            def forward(self, z: torch.Tensor, condition: None, far: float = far) -> torch.Tensor:
                far = far if len(z) == d.AT_ONCE else 0.0  # but not in the study
                return super().forward(z - far * self.along, condition)

        generator = Reluctant(along)
        seen = SampleSet(z, torch.zeros(N, dtype=torch.int64), d.to_uint8(generator(z, None)))
        found = {each.key: each for each in d.attribute_directions(generator, seen, Sees())}
        lengths.append(float(found["attribute-0-1"].vector.norm()) if "attribute-0-1" in found else None)
    assert lengths == [pytest.approx(1), pytest.approx(1.5), None]


# ---- towards a class, by components, by teaching ----


def test_the_direction_towards_a_class_is_that_of_a_planted_border():
    z = torch.randn(20_000, Z, generator=rng())
    border = d.unit(torch.randn(Z, generator=rng(1)))
    found = d.towards(z, (z @ border > 0.5).long(), 3)
    assert found[1] @ border > 0.995 and torch.allclose(found[0], -found[1])
    assert not found[2].any()


def linear_generator() -> tuple[SimpleNamespace, torch.Tensor]:
    """x = W z, with an activation that does nothing to numbers above zero; W's singular vectors are known."""
    layer = nn.Linear(Z, 40)
    with torch.no_grad():
        left, right = (torch.linalg.qr(torch.randn(n, Z, generator=rng(n)))[0] for n in (40, 13))
        right = torch.linalg.qr(right[:Z])[0]
        layer.weight.copy_(left @ torch.diag(torch.arange(Z, 0, -1.0) ** 2) @ right.T)
        layer.bias.fill_(1e4)
    stack = Stack(layer, nn.ReLU())
    network = nn.Module()
    network.layers, network.z_dim, network.classes, network.unseen = stack, Z, 0, 0
    network.inputs = lambda z, c=None: z
    return network, right


def test_components_of_activations_are_those_of_the_weights_where_the_first_layer_is_linear():
    network, right = linear_generator()
    z = torch.randn(d.ACTIVE, Z, generator=rng(3))
    z = torch.linalg.qr(z - z.mean(0))[0]  # exactly white: the sample's components are then the weights' own
    found = d.varied(network, SampleSet(z, torch.zeros(len(z), dtype=torch.int64), torch.zeros(len(z), 1, 1, 1)), 4)
    from_weights, _ = principal_directions(network, 4)
    assert torch.allclose((found @ right[:, :4]).diagonal().abs(), torch.ones(4), atol=1e-2)
    assert torch.allclose(found, from_weights, atol=0.05)


@pytest.mark.parametrize("number", [0.0, float("nan")])
def test_a_generator_that_always_says_the_same_or_nothing_varies_by_nothing(number):
    generator, _ = linear_generator()
    seen = planted()[0]
    with torch.no_grad():
        generator.layers[0].weight.fill_(number)
        generator.layers[0].bias.fill_(number)
    assert d.varied(generator, seen).shape == (0, seen.z.shape[1])


def test_ten_marks_teach_a_planted_direction():
    seen, values, direction = planted(groups=1)
    features = torch.cat([values[:, None], torch.randn(N, 8, generator=rng(7))], 1)
    shown = torch.arange(24)
    order = shown[values[:24].argsort()]
    marked, signs = torch.cat([order[:5], order[-5:]]), torch.tensor([-1.0] * 5 + [1.0] * 5)
    found = d.fit_marks(seen, features, marked, signs)
    assert found @ direction > 0.9
    assert torch.allclose(d.fit_marks(seen, features, marked, -signs), -found, atol=1e-5)


# ---- in a spec ----


def test_a_push_keeps_the_group_and_one_that_regroups_changes_it():
    vote = torch.zeros(Z)
    vote[0] = 1.0
    for may_change_cluster, expected in ((False, 0.0), (True, 100.0)):
        spec = LatentSpec(directions=(Push("a", 100.0, packed(vote), may_change_cluster),), base=packed(torch.zeros(Z)))
        z = cluster_latents(torch.zeros(1, Z), spec, torch.empty(0, Z), votes=4)
        assert z[0, 0] == expected and final_latents(z, spec, torch.empty(0, Z))[0, 0] == 100.0


def test_directions_of_told_attributes_choose_their_value_and_leave_the_others():
    config = make_config("quick-monsters", width=4)
    G = build_generator(config, rng()).eval()
    seen = d.SampleSet(torch.randn(400, config.z_dim, generator=rng(1)), torch.zeros(400).long(), torch.zeros(0))
    found = d.told_directions(G, seen)
    before = G.vote(seen.z).split(config.codes, 1)
    assert len(found) == sum(config.codes) and all(direction.may_change_cluster for direction in found)
    for direction in found:
        a, value = map(int, direction.key.split("-")[1:])
        for sign, least, most in ((1, 0.97, 1.0), (-1, 0.0, 0.03)):
            after = G.vote(seen.z + sign * d.END * direction.vector).split(config.codes, 1)
            assert least <= (after[a].argmax(1) == value).double().mean() <= most
            assert all(torch.equal(after[b], before[b]) for b in range(len(before)) if b != a)


def test_a_told_direction_is_weak_where_too_few_of_the_pictures_told_its_value_show_it():
    config = make_config("quick-monsters", width=4)
    G = build_generator(config, rng()).eval()
    seen = d.SampleSet(torch.randn(400, config.z_dim, generator=rng(1)), torch.zeros(400).long(), torch.zeros(0))
    votes = list(G.vote(seen.z).split(config.codes, 1))
    votes[2][torch.arange(400) % 9 == 0] = 0  # a ninth of the pictures shows the first kind of eyes, whatever was told
    kinds = {found.key: found.kind for found in d.told_directions(G, seen, votes)}
    weak = {key for key, kind in kinds.items() if kind == "weak"}
    assert kinds.keys() == {found.key for found in d.told_directions(G, seen)}
    assert "attribute-2-0" not in weak and weak and all(key.startswith("attribute-2-") for key in weak)
    assert {found.kind for found in d.told_directions(G, seen)} == {"attribute"}
    votes[2][:] = votes[2][0]  # all show the same, also those that are told it
    assert all(found.kind == "weak" for found in d.told_directions(G, seen, votes) if found.key[:12] == "attribute-2-")


def test_nothing_moves_along_a_locked_direction():
    a, b = torch.randn(2, Z, generator=rng(4)).half().float()
    principal = torch.linalg.qr(torch.randn(Z, 2, generator=rng(5)))[0].T
    pushes = (Push("a", 0.0, packed(a)), Push("b", 2.0, packed(b)))
    spec = LatentSpec(3, directions=pushes, principal={1: 1.5}, locked=frozenset({"a", "0"}))
    moved = (latent_at(spec, Z, principal) - latent_at(LatentSpec(3), Z, principal))[0]
    assert abs(moved @ a) < 1e-4 and abs(moved @ principal[0]) < 1e-5 and moved.norm() > 0.5
    alone = (latent_at(along(spec, "a", 1.0), Z, principal) - latent_at(spec, Z, principal))[0]
    assert torch.allclose(alone, a, atol=1e-5)  # the locked one itself moves freely


def test_truncation_goes_towards_the_mean_and_keeps_the_votes():
    full, half = (latent_at(LatentSpec(7, psi=psi), Z, torch.empty(0, Z), votes=5) for psi in (1.0, 0.5))
    assert torch.equal(full[:, :5], half[:, :5]) and torch.equal(full[:, 5:] / 2, half[:, 5:])


# ---- the file ----


def written(**changes) -> str:
    entry = {"name": "bolder", "vector": [0.5] * Z} | changes
    return json.dumps({"format": d.FORMAT, "version": 1, "directions": [entry]})


def test_a_file_brings_directions_back():
    kept = [
        Direction("bolder", "own", torch.randn(Z, generator=rng())),
        Direction("to 7", "class", torch.ones(Z), True),
    ]
    found = d.from_text(d.to_text(kept, "mnist", "1"), Z)
    assert [(f.key, f.may_change_cluster) for f in found] == [("bolder", False), ("to 7", True)]
    assert torch.allclose(found[0].vector, kept[0].vector, atol=1e-6)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("not json", "not a file of directions"),
        ("[" * 100_000, "not a file of directions"),
        ("{}", "not a file of directions"),
        (json.dumps({"format": d.FORMAT, "version": 2, "directions": []}), "version 2"),
        (json.dumps({"format": d.FORMAT, "version": 1, "directions": []}), "1 to 200"),
        (written(name="a:b"), "no name"),
        (written(name="7"), "no name"),
        (written(vector=[0.5] * 11), "11 numbers; these weights take 12"),
        (written(vector=[float("nan")] * Z), "numbers up to 10"),
        (written(vector=[1e9] * Z), "numbers up to 10"),
        (written(vector=["x"] * Z), "numbers up to 10"),
        (written(vector=[0] * Z), "leads nowhere"),
    ],
)
def test_a_bad_file_gets_one_sentence(text, words):
    with pytest.raises(DirectionError, match=words) as found:
        d.from_text(text, Z)
    assert str(found.value).endswith(".")


def test_marks_of_one_kind_teach_nothing():
    seen, values, _ = planted()
    taught = d.StudyResult(None, "mnist", seen, {"thickness": values})
    with pytest.raises(DirectionError, match="at least one picture"):
        taught.teach([1, 2], [])
    with pytest.raises(DirectionError, match="0 to 599"):
        taught.teach([1], [600])

"""Networks with a picture at every size: shapes, refusals, and that the pictures of all sizes add up."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import interpolate

from gan.core.config import Changes, Config, ConfigError
from gan.core.images import to_uint8
from gan.data.catalog import DATA, load
from gan.metrics.checkerboard import nyquist_energy
from gan.models import build_discriminator, build_generator, check_networks
from gan.models import weights_file as files
from gan.models.layers import Generator
from gan.models.skip import (
    Canvas,
    FirstPicture,
    LastDoubling,
    SkipDoubling,
    channels,
    d_channels,
    doubled,
    first_side,
    sides,
)
from gan.recipes.catalog import make_config
from gan.training.checks import check_config, check_data

SMALL = Config(model="skip", size=64, channels=3, width=4, z_dim=8)


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def generator_of(**changes: int) -> Generator:
    return build_generator(SMALL.changed(**changes), rng())


@pytest.mark.parametrize("kinds", [{}, {"classes": 10}, {"clusters": 5}, {"attributes": "3,4"}])
@pytest.mark.parametrize("size", [8, 24, 28, 40, 48, 56, 64, 80, 128])
def test_every_size_of_four_to_seven_times_a_power_of_two(size: int, kinds: Changes) -> None:
    cfg = SMALL.changed(size=size, **kinds)
    G, D = build_generator(cfg, rng()), build_discriminator(cfg, rng())
    z = torch.randn(3, cfg.z_dim, generator=rng())
    c = G.condition(z, torch.arange(3) if cfg.classes else None)
    x = G(z, c)
    assert x.shape == (3, 3, size, size) and x.abs().max() <= 1
    assert D(x, c).shape == (3,)
    assert first_side(size) in (4, 5, 6, 7) and sides(size)[-1] * 2 == size


@pytest.mark.parametrize("size", [9, 26, 36, 52, 60, 63])
def test_another_size_of_before_is_refused_in_words(size: int) -> None:
    with pytest.raises(ConfigError, match=rf"4 to 7 times a power of two .*, not {size}\."):
        check_networks(SMALL.changed(size=size))


def test_one_rule_for_widths() -> None:
    assert [channels(SMALL, side) for side in sides(64)] == [16, 16, 8, 4]
    assert [channels(SMALL.changed(size=256), side) for side in sides(256)] == [16, 16, 16, 16, 8, 4]
    assert [channels(SMALL.changed(size=48), side) for side in sides(48)] == [16, 8, 4]


def test_the_discriminator_has_half_of_that_or_its_own_width() -> None:
    assert [d_channels(SMALL, side) for side in sides(64)] == [8, 8, 4, 2]
    assert [d_channels(SMALL.changed(d_width=3), side) for side in sides(64)] == [12, 12, 6, 3]
    for model, sizes in (("skip", [12, 6, 12, 12]), ("quick", [3, 3, 6, 12])):
        D = build_discriminator(SMALL.changed(model=model, d_width=3), rng())
        convolutions = [m for m in D.features if isinstance(m, nn.Conv2d)]
        assert [convolutions[0].in_channels, *(m.out_channels for m in convolutions)] == sizes


def test_doubling_is_linear_interpolation() -> None:
    x = torch.randn(2, 3, 5, 7, dtype=torch.double, generator=rng())
    torch.testing.assert_close(doubled(x), interpolate(x, scale_factor=2, mode="bilinear", align_corners=False))


def test_doubling_leaves_nothing_at_the_nyquist_frequency_but_from_the_edges() -> None:
    x = torch.randn(1, 1, 1, 9, dtype=torch.double, generator=rng())
    line = doubled(x)[0, 0, 0]
    torch.testing.assert_close(line[::2].sum() - line[1::2].sum(), (x[..., 0] - x[..., -1]).squeeze() / 2)


def test_the_pictures_of_all_sizes_add_up() -> None:
    G, z = generator_of(), torch.randn(4, 8, generator=rng())
    x, total = z, torch.zeros(4, 3, 2, 2)
    for layer in G.layers[:-1]:  # all but the last activation
        before, x = x, layer(x)
        if isinstance(layer, FirstPicture | SkipDoubling):
            total = layer.to_picture(x.features) + (doubled(total) if isinstance(layer, SkipDoubling) else 0)
            torch.testing.assert_close(x.picture, total)
        elif isinstance(layer, LastDoubling):
            total = doubled(total) + layer.to_picture(before.features)
    torch.testing.assert_close(x, total)
    torch.testing.assert_close(G(z), total.tanh())


def test_a_gradient_reaches_every_size() -> None:
    G = generator_of()
    pictures = [m.to_picture.weight for m in G.layers if hasattr(m, "to_picture")]
    assert len(pictures) == len(sides(64)) + 1
    x = G(torch.randn(4, 8, generator=rng()))
    for slope in torch.autograd.grad(x.square().sum(), pictures):
        assert slope.abs().sum() > 0


def test_layers_are_channels_last_throughout() -> None:
    """A convolution of another layout is copied first, forwards and backwards."""
    G = generator_of()
    seen = []
    for m in G.modules():
        if isinstance(m, nn.Conv2d):
            m.register_forward_hook(lambda _, inputs, y: seen.extend([inputs[0], y]))
    G(torch.randn(4, 8, generator=rng()))
    assert len(seen) == 2 * 2 * len(sides(64))
    assert all(x.is_contiguous(memory_format=torch.channels_last) for x in seen)


def test_no_doubling_can_draw_a_checkerboard() -> None:
    """What is repeated has nothing at the Nyquist frequency, and a convolution adds none: only the edges are left."""
    layer = LastDoubling(4, 1).double()
    x, inside = torch.ones(1, 4, 16, 16, dtype=torch.double), slice(4, -4)
    made = layer(Canvas(x, torch.zeros(1, 1, 16, 16, dtype=torch.double)))[..., inside, inside]
    torch.testing.assert_close(made, made.mean().expand_as(made))


def test_untrained_pictures_have_little_of_a_checkerboard() -> None:
    """Most of what an untrained generator draws comes from coarser grids, which cannot change from pixel to pixel."""
    G = generator_of(width=16).eval()
    with torch.inference_mode():
        energy = nyquist_energy(to_uint8(G(torch.randn(64, 8, generator=rng()))))
    assert energy < 0.02  # a full checkerboard has 2


def test_a_weights_file_brings_the_pictures_back() -> None:
    cfg, z = SMALL.changed(clusters=5), torch.randn(3, 8, generator=rng())
    G = build_generator(cfg, rng()).eval()
    weights = files.from_bytes(files.to_bytes(files.Weights(cfg, "Small monsters", (), 7, G.state_dict())))
    with torch.inference_mode():
        assert torch.equal(files.build(weights)(z), G(z))


@pytest.mark.parametrize(("model", "settings"), [("skip", {}), ("quick", {"model": "quick"})])
def test_large_pictures_take_these_networks_unless_others_are_asked_for(model: str, settings: Changes) -> None:
    assert make_config("quick", "monsters", **settings).model == model
    assert make_config("quick", "emoji").model == "quick"


def test_colour_takes_these_networks_whatever_the_size() -> None:
    """Those of quick draw a checkerboard. A discriminator as wide as the generator learns at half the rate."""
    small, large = make_config("quick-colour"), make_config("quick-colour", "moods")
    assert (small.size, large.size) == (32, 64) and small == large.changed(size=32, dataset=small.dataset)
    assert small.model == "skip" and d_channels(small, 16) == channels(small, 16)
    assert 2 * small.d_lr == make_config("quick").d_lr
    other, quick = make_config("quick-colour", model="quick", batch=16), make_config("quick")
    assert (other.width, other.d_width, other.d_lr, other.batch) == (quick.width, 0, quick.d_lr, 16)


def test_each_attribute_is_chosen_for_itself_and_votes_draw_nothing_else() -> None:
    G = generator_of(attributes="3,4").eval()
    z = torch.randn(6, G.z_dim, generator=rng(1))
    told = G.condition(z)
    assert told is not None and torch.allclose(told[:, :3].sum(1), torch.ones(6)) and told[:, 3:].sum() == 6
    other = z.clone()
    other[:, 3:7] = z[:, 3:7].flip(1)
    other[:, :3] *= 2  # the same winner
    assert torch.equal(G.vote(other)[:, :3].argmax(1), told[:, :3].argmax(1))
    with torch.inference_mode():
        assert torch.equal(G(other, told), G(z, told))
        assert not torch.equal(G(other), G(z))


def test_a_discriminator_that_is_told_several_things_listens_as_much_as_if_it_were_one() -> None:
    D = build_discriminator(SMALL.changed(attributes="3,4,2,5"), rng())
    assert D.embed is not None
    D.embed.data.normal_(generator=rng(2))
    x = torch.rand(2, 3, 64, 64, generator=rng(3))
    told = torch.zeros(2, 14)
    told[:, [0, 3, 7, 9]] = 1
    features = D.features(x)
    spoken = (D.embed[[0, 3, 7, 9]].sum(0) / 2 * features).sum(1)
    torch.testing.assert_close(D(x, told), D.head(features).squeeze(1) + spoken)


def test_attributes_are_told_where_they_are_known_and_groups_otherwise() -> None:
    known = DATA["monsters"].attribute_values
    config = make_config("quick-monsters")
    assert config.codes == known and config.clusters == 0 and config.z_dim == 64 + sum(known)
    sprouts = make_config("quick-monsters", "sprouts")
    assert sprouts.codes == DATA["sprouts"].attribute_values
    for other in (make_config("quick-monsters", "emoji"), make_config("quick-monsters", clusters=100, z_dim=164)):
        assert (other.attributes, other.codes, other.z_dim) == ("", (100,), 164)
    assert make_config("quick-monsters", clusters=0).codes == ()


@pytest.mark.parametrize("wrong", ["3,1", "0,4", "3,,4", "3, 4", "a", "200,57", "3,4,", "-3,4", "³,4"])
def test_attributes_that_say_no_counts_are_refused_in_words(wrong: str) -> None:
    with pytest.raises(ConfigError, match="Attributes say how many values each has"):
        SMALL.changed(attributes=wrong)


def test_attributes_that_are_not_those_of_the_pictures_are_refused_in_words() -> None:
    config = make_config("quick-monsters")
    for refused in (config.changed(attributes="8,7"), config.changed(attributes=config.attributes.replace("9", "8"))):
        with pytest.raises(ConfigError, match="are others than the settings say"):
            check_data(refused, load("monsters"))
    for wrong, words in (({"clusters": 5}, "instead of groups or classes"), ({"z_dim": 66}, r"above 66, not 66")):
        with pytest.raises(ConfigError, match=words):
            check_config(config.changed(**wrong))

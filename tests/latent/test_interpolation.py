"""Paths and weighted sums of latents do what geometry says."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import one_hot

from gan.core.noise import latent_of
from gan.latent import interpolation


def vectors(*seeds, z_dim=64):
    return torch.cat([latent_of(seed, z_dim) for seed in seeds])


def speeds(way, loop=False):
    """How far each latent of a path is from the one before."""
    return (torch.cat([way, way[:1]]) if loop else way).diff(dim=0).norm(dim=1)


# ---- between two ----


@pytest.mark.parametrize("between", [interpolation.lerp, interpolation.slerp])
def test_paths_hit_their_ends_exactly(between):
    a, b = vectors(1, 2).split(1)
    assert torch.equal(between(a, b, 0.0), a)
    assert torch.equal(between(a, b, 1.0), b)


def test_slerp_keeps_the_length_of_equally_long_vectors_and_lerp_does_not():
    a, b = vectors(1, 2).split(1)
    b = b * (a.norm() / b.norm())
    t = torch.linspace(0, 1, 11, dtype=torch.float64)[:, None]
    assert torch.allclose(interpolation.slerp(a, b, t).norm(dim=1), a.norm().expand(11), rtol=1e-6)
    assert interpolation.lerp(a, b, 0.5).norm() < 0.9 * a.norm()


def test_slerp_turns_at_constant_speed():
    a, b = vectors(1, 2).split(1)
    a, b = a / a.norm(), b / b.norm()
    points = interpolation.slerp(a, b, torch.linspace(0, 1, 9, dtype=torch.float64)[:, None])
    angles = torch.arccos((points[:-1] * points[1:]).sum(1).clamp(-1, 1))
    assert torch.allclose(angles, angles.mean().expand(8), atol=1e-3)


def test_slerp_of_orthogonal_vectors_is_half_way_their_sum_over_root_two():
    a, b = torch.tensor([[1.0, 0, 0]]), torch.tensor([[0, 1.0, 0]])
    assert torch.allclose(interpolation.slerp(a, b, 0.5), (a + b) / math.sqrt(2))


def test_slerp_of_parallel_vectors_is_the_straight_line():
    a = latent_of(1, 64)
    assert torch.equal(interpolation.slerp(a, a, 0.3), a)
    assert torch.allclose(interpolation.slerp(a, 2 * a, 0.5), 1.5 * a)


def test_slerp_of_opposite_vectors_goes_round_and_not_through_zero():
    a = latent_of(1, 64)
    t = torch.linspace(0, 1, 7, dtype=torch.float64)[:, None]
    points = interpolation.slerp(a, -a, t)
    assert torch.equal(points[:1], a) and torch.equal(points[-1:], -a)
    assert torch.allclose(points.norm(dim=1), a.norm().expand(7), rtol=1e-6)
    assert abs((points[3] * a[0]).sum()) < 1e-3  # half way is perpendicular


def test_slerp_from_zero_is_finite():
    a, zero = latent_of(1, 8), torch.zeros(1, 8)
    assert torch.allclose(interpolation.slerp(zero, a, 0.5), a / 2)


# ---- through keyframes ----

FIVE = vectors(1, 2, 3, 4, 5)
FINE = 2001


@pytest.mark.parametrize("mode", interpolation.MODES)
@pytest.mark.parametrize("loop", [False, True])
def test_a_path_hits_its_keyframes_exactly(mode, loop):
    way, _ = interpolation.path(FIVE, None, mode, 7, loop)
    assert len(way) == interpolation.count(5, 7, loop) == (30 if loop else 25)
    assert torch.equal(way[::6], FIVE)


@pytest.mark.parametrize("mode", ["slerp", "lerp"])
def test_each_leg_alone_is_the_path_between_its_keyframes(mode):
    way, _ = interpolation.path(FIVE, None, mode, 7)
    for i in range(4):
        assert torch.equal(way[6 * i : 6 * i + 7], interpolation.path(FIVE[i : i + 2], None, mode, 7)[0])


@pytest.mark.parametrize("pair", [vectors(1, 2), vectors(1, 2) * torch.tensor([[1.0], [3.0]]), vectors(1, 1)])
def test_the_spline_through_two_keyframes_is_the_great_circle(pair):
    shares = torch.eye(10)[[2, 5]]
    (smooth, c), (slerp, d) = (interpolation.path(pair, shares, mode, 9) for mode in ("smooth", "slerp"))
    assert torch.allclose(smooth, slerp, atol=1e-5) and torch.allclose(c, d)


@pytest.mark.parametrize("loop", [False, True])
def test_the_spline_is_continuously_differentiable(loop):
    """One-sided differences agree at every keyframe, where those of great circles do not."""
    keyframes = FIVE.double() * torch.linspace(0.8, 1.2, 5).double()[:, None]
    joints = range(5) if loop else range(1, 4)

    def corner(mode):
        way, _ = interpolation.path(keyframes, None, mode, FINE, loop)
        speed = (FINE - 1) * (torch.cat([way, way[:1]]) if loop else way).diff(dim=0)
        return max(
            (speed[i * (FINE - 1)] - speed[i * (FINE - 1) - 1]).norm() / speed.norm(dim=1).mean() for i in joints
        )

    assert corner("smooth") < 0.01 < 0.5 < corner("slerp")


def test_the_spline_turns_as_catmull_and_rom_say():
    """On a small part of the sphere it is the flat spline, half way (-p0 + 9 p1 + 9 p2 - p3) / 16."""
    north, steps = torch.zeros(8).double(), torch.randn(4, 8, generator=torch.Generator().manual_seed(0)).double()
    north[0], steps[:, 0] = 1, 0
    points = torch.nn.functional.normalize(north + 1e-4 * steps)
    middle = interpolation.path(points, None, "smooth", 3)[0][3]
    flat = (-points[0] + 9 * points[1] + 9 * points[2] - points[3]) / 16
    assert (middle - flat).norm() < 1e-7 < 1e-5 < (middle - (points[1] + points[2]) / 2).norm()


@pytest.mark.parametrize("loop", [False, True])
def test_the_spline_stays_on_the_sphere_of_equally_long_keyframes(loop):
    keyframes = 8 * torch.nn.functional.normalize(FIVE)
    way, _ = interpolation.path(keyframes, None, "smooth", 50, loop)
    assert torch.allclose(way.norm(dim=1), torch.tensor(8.0), rtol=1e-5)
    assert interpolation.path(keyframes, None, "lerp", 51)[0][25].norm() < 7


@pytest.mark.parametrize("mode", interpolation.MODES)
def test_odd_keyframes_give_finite_paths_without_jumps(mode):
    """The same twice, there and back, opposite, longer, zero: in few dimensions too."""
    a, b = vectors(1, 2, z_dim=3).split(1)
    for rows in ([a, a, b], [a, b, a], [a, -a, b], [a, 3 * a, b], [a, 0 * a, b], [a, b, -a, -b]):
        for loop in (False, True):
            way, _ = interpolation.path(torch.cat(rows), None, mode, 200, loop)
            assert torch.isfinite(way).all()
            assert speeds(way, loop).max() < 0.3, (rows, loop)


def test_a_path_blends_the_classes():
    shares = one_hot(torch.tensor([2, 5, 7]), 10).float()
    for mode in interpolation.MODES:
        _, c = interpolation.path(FIVE[:3], shares, mode, 5)
        assert torch.equal(c[::4], shares) and torch.allclose(c.sum(1), torch.ones(9)) and (c >= 0).all()
    _, c = interpolation.path(FIVE[:2], shares[:2], "slerp", 5)
    assert torch.allclose(c[:, 5], torch.linspace(0, 1, 5))
    assert torch.equal(interpolation.path(FIVE[:2], shares[[0, 0]], "lerp", 5)[1][:, 2], torch.ones(5))


def test_classes_of_a_spline_change_without_corners():
    shares = one_hot(torch.tensor([2, 5, 7]), 10).double()
    _, c = interpolation.path(FIVE[:3].double(), shares, "smooth", FINE, loop=True)
    slopes = (FINE - 1) * torch.cat([c, c[:1]]).diff(dim=0)
    for i in range(3):
        assert (slopes[i * (FINE - 1)] - slopes[i * (FINE - 1) - 1]).abs().max() < 0.01


# ---- weighted sums ----


def test_a_share_of_one_is_the_keyframe():
    assert torch.equal(interpolation.blend(FIVE[:3], torch.eye(3)), FIVE[:3].half().float())


def test_what_is_taken_away_again_leaves_nothing():
    a, b = vectors(1, 2).split(1)
    minus = torch.tensor([[1.0, -1.0, 1.0]])
    assert torch.allclose(interpolation.blend(torch.cat([a, a, b]), minus), b, atol=2e-3)
    assert torch.allclose(interpolation.blend(torch.cat([a, b, b]), minus), a, atol=2e-3)


def test_sums_are_as_long_as_the_sums_of_lengths():
    keyframes = FIVE[:3]
    shares = torch.tensor([[1.0, -1, 1], [0.2, 0.3, 0.5], [3, -1, -1]])
    lengths = keyframes.norm(dim=1)
    wanted = (shares @ lengths).clamp(lengths.min(), lengths.max())
    assert torch.allclose(interpolation.blend(keyframes, shares).norm(dim=1), wanted, rtol=1e-3)


def test_the_plane_is_a_plane():
    """All sums of three keyframes lie in the span of the three."""
    rng = torch.Generator().manual_seed(0)
    shares = torch.randn(50, 3, generator=rng).double()
    shares[:, 0] = 1 - shares[:, 1:].sum(1)
    spanned = torch.linalg.svdvals(torch.cat([FIVE[:3], interpolation.blend(FIVE[:3], shares)]).double())
    assert spanned[2] > 1 and spanned[3] < 0.05  # what is left is the rounding of links


def test_a_sum_of_opposites_is_finite():
    a = vectors(1)
    assert not interpolation.blend(torch.cat([a, -a]), torch.tensor([[0.5, 0.5]])).any()
    assert not interpolation.blend(0 * FIVE[:2], torch.tensor([[0.5, 0.5]])).any()


def test_classes_taken_away_are_none():
    three, eight = one_hot(torch.tensor([3, 8]), 10).float()
    minus = torch.tensor([[1.0, -1.0, 1.0]])
    assert torch.equal(interpolation.blend_mixtures(torch.stack([three, three, eight]), minus)[0], eight)
    one, two = torch.eye(10)[:2]
    assert torch.equal(interpolation.blend_mixtures(torch.stack([one, two, three]), minus)[0], (one + three) / 2)


# ---- whatever the latents are ----

NEAR = {"rtol": 1e-7, "atol": 1e-7}
SHARES = st.floats(0, 1)


@st.composite
def latents(draw, least=2, most=6):
    """Float64 [K, z_dim], normal, of lengths that differ by up to a hundred times; no two are parallel or opposite."""
    rng = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    z = torch.randn(draw(st.integers(least, most)), draw(st.integers(8, 40)), generator=rng, dtype=torch.float64)
    return z * torch.rand(len(z), 1, generator=rng).double().mul(4).sub(2).exp()


@st.composite
def turned(draw, least=2, most=6):
    """Latents, and a rotation (perhaps with a reflection) of their space."""
    z = draw(latents(least, most))
    rng = torch.Generator().manual_seed(draw(st.integers(0, 2**32)))
    return z, torch.linalg.qr(torch.randn(z.shape[1], z.shape[1], generator=rng, dtype=torch.float64))[0]


@pytest.mark.parametrize("between", [interpolation.lerp, interpolation.slerp])
@given(z=latents(most=2), t=SHARES)
def test_the_way_back_is_the_way_there(between, z, t):
    a, b = z
    assert torch.allclose(between(a, b, t), between(b, a, 1 - t), **NEAR)


@given(z=latents(most=2), t=SHARES, s=SHARES)
def test_slerp_goes_on_where_it_was_left(z, t, s):
    """On a sphere: a part of the way, of a part of the way, is a part of the whole way; and every point is on it."""
    a, b = 5 * torch.nn.functional.normalize(z)
    part = interpolation.slerp(a, b, t)
    assert abs(part.norm() - 5) < 1e-7
    assert torch.allclose(interpolation.slerp(a, part, s), interpolation.slerp(a, b, t * s), atol=1e-6)
    angle = lambda u, v: torch.atan2((u - v).norm(), (u + v).norm())  # noqa: E731 - half of it
    assert abs(angle(a, part) - t * angle(a, b)) < 1e-6


@given(z=latents(most=2), t=SHARES)
def test_slerp_stays_between_its_ends_in_their_plane(z, t):
    a, b = z
    point = interpolation.slerp(a, b, t)
    shares = torch.linalg.lstsq(z.T, point[:, None]).solution[:, 0]
    assert torch.allclose(shares @ z, point, **NEAR) and (shares > -1e-7).all()


@pytest.mark.slow
@pytest.mark.parametrize("mode", interpolation.MODES)
@given(made=turned(), loop=st.booleans(), scale=st.floats(0.1, 10))
def test_no_axis_and_no_unit_is_special(mode, made, loop, scale):
    """What is turned, mirrored or made longer first goes the turned, mirrored, longer way."""
    z, rotation = made
    way = interpolation.path(z, None, mode, 5, loop)[0]
    other = interpolation.path(scale * z @ rotation, None, mode, 5, loop)[0]
    assert torch.allclose(other, scale * way @ rotation, rtol=1e-6, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("mode", interpolation.MODES)
@given(z=latents(), frames=st.integers(2, 9), loop=st.booleans(), classes=st.booleans())
def test_a_path_has_its_length_and_its_keyframes_and_leads_back(mode, z, frames, loop, classes):
    shares = torch.eye(len(z), dtype=torch.float64) if classes else None
    way, blends = interpolation.path(z, shares, mode, frames, loop)
    assert len(way) == interpolation.count(len(z), frames, loop)
    assert torch.equal(way[:: frames - 1], z) and torch.isfinite(way).all()
    back, backward = interpolation.path(z.flip(0), shares.flip(0) if classes else None, mode, frames, loop)
    turn = 2 - frames if loop else 0  # flipped, a loop begins on its last leg
    assert torch.allclose(back.flip(0).roll(turn, 0), way, rtol=1e-6, atol=1e-6)
    if classes:
        assert torch.allclose(backward.flip(0).roll(turn, 0), blends, atol=1e-6)
        assert torch.allclose(blends.sum(1), torch.ones(len(way), dtype=torch.float64)) and (blends > -1e-12).all()


@pytest.mark.slow
@pytest.mark.parametrize("mode", interpolation.MODES)
@given(z=latents(), by=st.integers(0, 5))
def test_a_loop_has_no_first_keyframe(mode, z, by):
    way = interpolation.path(z, None, mode, 4, loop=True)[0]
    other = interpolation.path(z.roll(-by, 0), None, mode, 4, loop=True)[0]
    assert torch.allclose(other, way.roll(-3 * by, 0), rtol=1e-6, atol=1e-6)


@pytest.mark.slow
@given(made=turned(), data=st.data())
def test_sums_do_not_know_the_order_or_the_axes(made, data):
    """But for the 16 bits that links round to."""
    z, rotation = made
    z = z / z.norm(dim=1).max()
    shares = torch.tensor([data.draw(st.lists(st.floats(-3, 3), min_size=len(z), max_size=len(z)))]).double()
    shares = shares + (1 - shares.sum()) / len(z)
    plain = interpolation.blend(z, shares)
    order = torch.tensor(data.draw(st.permutations(range(len(z)))))
    assert torch.allclose(interpolation.blend(z[order], shares[:, order]), plain, atol=2e-3)
    if (shares @ z).norm() > 1e-3:  # else rounding decides the direction
        assert torch.allclose(interpolation.blend(z @ rotation, shares), (plain.double() @ rotation).float(), atol=2e-3)
    lengths = z.norm(dim=1)
    assert lengths.min() - 2e-3 < plain.norm() < lengths.max() + 2e-3 or (shares @ z).norm() < 1e-5

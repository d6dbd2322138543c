"""The generator in the page: layer by layer as torch computes it, pictures as the server draws them, and without it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from playwright.sync_api import expect
from torch import nn

from gan.bench.common import ROOT
from gan.core.images import to_uint8
from gan.core.noise import latent_of
from gan.latent import interpolation
from gan.latent import spec as specs
from gan.latent.inversion import centred
from gan.latent.query import in_base64
from gan.latent.spec import LatentSpec, Push
from gan.models import build_discriminator
from gan.models import weights_file as files
from gan.models.layers import Grid, SameConv, SameConvTranspose, UpsampleConv, batch_norm
from gan.models.skip import FirstPicture, LastDoubling, SkipDoubling
from gan.recipes.catalog import make_config
from gan.serving import browser_export
from gan.serving.browser_export import discriminator_bytes
from gan.serving.generator import DIRECTIONS
from gan.serving.renderer import Renderer
from gan.serving.requests import Keyframe, KeyframePath, Near, Sums
from tests.conftest import PATIENCE
from tests.e2e.conftest import css, drawn_by, grey_of, look, part, same, set_slider, wait_for_change
from tests.serving.test_renderer import make

SHIPPED = ["fashion-mnist-conditional", "mnist", "mnist-conditional"]
STATES = 1000
PICTURE = css("latent", "picture")
SCRIPTS = "new URL('/gradio_api/gan/static/', location)"


@pytest.fixture(scope="module")
def bare(shared_server: Any, browser: Any) -> Iterator[Any]:
    """A page of the server without the app: scripts are imported and called."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE * 1000)
    page.route("**/bare", lambda route: route.fulfill(content_type="text/html", body=""))
    page.goto(shared_server.url("bare"))
    yield page
    page.close()


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    """The server's own drawing, in this process."""
    renderer = Renderer(ROOT / "weights")
    yield renderer
    renderer.close()


def call(page: Any, script: str, body: str, argument: Any) -> Any:
    """Run the body of a function of (module, argument) in the page; LatentSpec is known there.

    Both ways as text: the browser's driver takes seconds for lists of many numbers.
    """
    both = f"[await import(new URL('{script}', SCRIPTS)), await import(new URL('engine/latent_spec.js', SCRIPTS))]"
    known = f"const SCRIPTS = {SCRIPTS}, [module, {{LatentSpec}}] = {both}, argument = JSON.parse(text)"
    inner = f"await (async () => {{ {body} }})()"
    return json.loads(
        page.evaluate(f"async (text) => {{ {known}; return JSON.stringify({inner}); }}", json.dumps(argument))
    )


def pixels(text: str, *shape: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)


# Numbers of the page as text, in pieces that String.fromCharCode can take.
_BASE64 = """
const base64 = (bytes) => {
  let text = '';
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
};
"""


# Layers ----------------------------------------------------------------------------------------------------------

LAYERS = {
    "dense": ([nn.Linear(7, 12)], (7,)),
    "dense without bias": ([nn.Linear(7, 12, bias=False)], (7,)),
    "batch norm of numbers": ([nn.BatchNorm1d(12, eps=1e-3)], (12,)),
    "batch norm of channels": ([Grid(3, 2), batch_norm(3, 0.8)], (12,)),
    "relu": ([nn.ReLU()], (9,)),
    "leaky relu": ([nn.LeakyReLU(0.3)], (9,)),
    "tanh": ([nn.Tanh()], (9,)),
    "convolution": ([Grid(6, 4), SameConv(6, 5, 3)], (96,)),
    "convolution of even size": ([Grid(6, 4), SameConv(6, 5, 4)], (96,)),
    "transposed": ([Grid(6, 4), nn.ConvTranspose2d(6, 5, 4, 2, 1, bias=False)], (96,)),
    "transposed, larger than its stride": ([Grid(6, 4), nn.ConvTranspose2d(6, 5, 5, 3, 2)], (96,)),
    "keras transposed": ([Grid(6, 4), SameConvTranspose(6, 5, 5, 2)], (96,)),
    "keras transposed of stride 1": ([Grid(6, 4), SameConvTranspose(6, 5, 5, 1)], (96,)),
    "doubling": ([Grid(6, 4), UpsampleConv(6, 5)], (96,)),
    "pixel shuffle": ([Grid(12, 3), nn.PixelShuffle(2)], (108,)),
    "planes": ([nn.Unflatten(1, (3, 4, 4))], (48,)),
    "a picture at every size": ([Grid(6, 4), FirstPicture(6, 3), SkipDoubling(6, 5, 3), LastDoubling(5, 3)], (96,)),
}

_LAYERS = """
const drawn = ({layers, x}) => {
  const shared = module.alone();
  return layers.reduce((x, {kind, sizes, tensors}) => {
    const own = (name) => tensors[name] && Float32Array.from(tensors[name]);
    return module.KINDS[kind](sizes, own, shared)(x);
  }, Float32Array.from(x));
};
return argument.map(drawn).map((y) => Array.from(y));
"""


def settled(modules: list[nn.Module], rng: torch.Generator) -> nn.Sequential:
    """The layers with random weights and statistics, ready to draw."""
    stack = nn.Sequential(*modules).eval().requires_grad_(False)
    for tensor in stack.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(0.2 + torch.rand(tensor.shape, generator=rng))
    for parameter in stack.parameters():
        parameter.copy_(torch.randn(parameter.shape, generator=rng))
    return stack


def test_every_layer_computes_what_torch_computes(bare):
    rng = torch.Generator().manual_seed(1)
    cases, wanted = [], []
    for modules, shape in LAYERS.values():
        stack = settled(modules, rng)
        x = torch.randn(1, *shape, generator=rng).relu_() - 0.3 * torch.rand(1, *shape, generator=rng).round()
        layers = browser_export.layers_of(SimpleNamespace(layers=stack))
        named = [
            {"kind": y.kind, "sizes": y.sizes, "tensors": {n: t.flatten().tolist() for n, t in y.tensors.items()}}
            for y in layers
        ]
        cases.append({"layers": named, "x": x.flatten().tolist()})
        y = stack(x)
        wanted.append((y.permute(0, 2, 3, 1) if y.dim() == 4 else y).flatten())
    kinds = {layer["kind"] for case in cases for layer in case["layers"]}
    assert kinds | {"conv"} == set(browser_export.KINDS)  # that one is a discriminator's
    for name, y, right in zip(LAYERS, call(bare, "engine/layers.js", _LAYERS, cases), wanted, strict=True):
        assert len(y) == len(right), name
        torch.testing.assert_close(torch.tensor(y), right, rtol=1e-5, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize(
    "weights",
    [
        make("quick", width=16, channels=3),
        make("quick", width=32, z_dim=164, clusters=100),  # too many numbers for 32 bits
        make("dense", clusters=0, channels=3),
        make("mlp", clusters=0),
        make("conv-small", clusters=0, output="relu"),
        make("dcgan-upsample", clusters=0, size=8),
        make("dcgan-transposed", clusters=0, size=8),
        make("quick", model="skip", size=64, channels=3, width=24),
        make("quick", model="skip", size=64, channels=3, width=8, clusters=0, z_dim=15, attributes="3,4"),
    ],
    ids=lambda w: f"{w.config.model}-{w.config.width}",
)
def test_networks_of_every_family_draw_what_torch_draws(bare, weights):
    network = settled_network(weights)
    about = {"size": weights.config.size, "channels": weights.config.channels}
    z = torch.randn(20, weights.config.z_dim, generator=torch.Generator().manual_seed(3))
    data = browser_export.to_bytes(network, torch.empty(0, weights.config.z_dim), about)
    drawn = call(
        bare,
        "engine/generator.js",
        _BASE64 + "const file = Uint8Array.from(atob(argument.file), (c) => c.charCodeAt(0));"
        "const generator = module.readGenerator(file.buffer);"
        "return argument.z.map((z) => base64(generator.draw(z, generator.condition(z, null))));",
        {"file": base64.b64encode(data).decode(), "z": z.tolist()},
    )
    right = to_uint8(network(z)).numpy()
    assert len(np.unique(right)) > 20, "pictures of many greys"
    for got, picture in zip(drawn, right, strict=True):
        same(pixels(got, *picture.shape), picture)


@pytest.mark.parametrize(
    "changes",
    [{}, {"size": 32}, {"model": "conv-small"}, {"model": "mlp"}, {"classes": 10}, {"clusters": 7}],
    ids=str,
)
def test_discriminators_judge_as_torch_does(bare, changes):
    config = make_config("quick").changed(
        **{"clusters": 0 if "classes" in changes or "model" in changes else 7} | changes
    )
    rng = torch.Generator().manual_seed(5)
    network = build_discriminator(config, rng).eval().requires_grad_(False)
    for tensor in network.parameters():
        tensor.copy_(0.2 * torch.randn(tensor.shape, generator=rng))
    images = torch.randint(0, 256, (5, config.size**2), generator=rng, dtype=torch.uint8)
    logits = call(
        bare,
        "engine/discriminator.js",
        "const file = Uint8Array.from(atob(argument.file), (c) => c.charCodeAt(0));"
        "const {logit} = module.readDiscriminator(file.buffer);"
        "return argument.images.map((pixels) => logit(pixels));",
        {
            "file": base64.b64encode(discriminator_bytes(network, {}, config.channels, config.size)).decode(),
            "images": images.tolist(),
        },
    )
    x = images.reshape(5, 1, config.size, config.size).float() / 127.5 - 1
    conditions = config.classes or sum(config.codes) or 1
    each = [network(x, torch.full((5,), k) if conditions > 1 else None) for k in range(conditions)]
    torch.testing.assert_close(torch.tensor(logits), torch.stack(each).amax(0), rtol=1e-3, atol=1e-3)


def test_a_drawing_is_put_into_the_middle_as_python_does(bare):
    rng = torch.Generator().manual_seed(6)
    drawings = []
    for _ in range(12):
        ends = torch.randint(5, 135, (6,), generator=rng).tolist()  # of two lines: one alone could lie on either pixel
        sheet = Image.new("L", (140, 140))
        width = int(torch.randint(1, 20, (), generator=rng))
        ImageDraw.Draw(sheet).line(ends, fill=int(torch.randint(60, 256, (), generator=rng)), width=width)
        drawings.append(torch.from_numpy(np.array(sheet)))
    made = call(
        bare,
        "engine/ink.js",
        "return argument.map((drawing) => Array.from(module.centred(Uint8Array.from(drawing), 140)));",
        [drawing.flatten().tolist() for drawing in drawings],
    )
    for pixels_of_page, drawing in zip(made, drawings, strict=True):
        right = centred(drawing).flatten().int()
        assert (torch.tensor(pixels_of_page) - right).abs().max() <= 1
    empty = "return module.centred(new Uint8Array(argument), 10);"
    assert call(bare, "engine/ink.js", empty, 100) is None


def settled_network(weights: files.Weights) -> nn.Module:
    """The network with statistics as if it had learned, so that batch normalisation does something."""
    network = files.build(weights)
    rng = torch.Generator().manual_seed(2)
    for m in network.modules():
        if isinstance(m, nn.modules.batchnorm._BatchNorm):
            m.running_mean.copy_(0.3 * torch.randn(m.running_mean.shape, generator=rng))
            m.running_var.copy_(0.05 + torch.rand(m.running_var.shape, generator=rng))
    return network


# Noise -----------------------------------------------------------------------------------------------------------


def test_seeds_are_the_same_latents_as_on_the_server(bare):
    """To the last digits of a float32: those of torch's own logarithm differ from processor to processor."""
    sizes, seeds = [1, 2, 15, 16, 17, 31, 32, 64, 100, 164, 1024], [0, 7, 2**31 - 1]
    asked = [{"size": size, "seed": seed} for size in sizes for seed in seeds]
    body = """return argument.map(({size, seed}) =>
      Array.from(module.latentAt(new LatentSpec({seed}), size, []).z));"""
    for question, z in zip(asked, call(bare, "engine/noise.js", body, asked), strict=True):
        wanted = latent_of(question["seed"], question["size"])[0]
        torch.testing.assert_close(torch.tensor(z), wanted, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("mode", ["slerp", "lerp"])
def test_paths_go_the_same_way_as_on_the_server(bare, mode):
    """Also between opposite, parallel and vanishing vectors."""
    a, b = latent_of(1, 20)[0], latent_of(2, 20)[0]
    pairs = [(a, b), (a, -a), (a, 3 * a), (a, torch.zeros(20)), (a, -a + 1e-4 * b)]
    t = [0, 0.2, 0.5, 0.77, 1]
    body = f"""return argument.pairs.map(([a, b]) => argument.t.map((t) =>
      Array.from(module.{mode}(Float32Array.from(a), Float32Array.from(b), t))));"""
    argument = {"pairs": [[x.tolist() for x in pair] for pair in pairs], "t": t}
    for pair, found in zip(pairs, call(bare, "engine/interpolation.js", body, argument), strict=True):
        wanted = torch.stack([getattr(interpolation, mode)(*pair, x) for x in t])
        torch.testing.assert_close(torch.tensor(found), wanted, rtol=1e-4, atol=1e-4)


def test_splines_go_the_same_way_as_on_the_server(bare):
    """With classes, open and closed, also through equal, opposite and vanishing vectors."""
    a, b, c = (latent_of(seed, 20) for seed in (1, 2, 3))
    rows = [[a, b, c], [a, b], [a, a, b], [a, b, a], [a, -a, b], [a, 0 * a, c, 2 * b]]
    shares = torch.eye(4)
    cases = [{"z": torch.cat(row).tolist(), "loop": loop} for row in rows for loop in (False, True)]
    body = """return argument.cases.map(({z, loop}) => {
      const keyframes = z.map((numbers, i) => [Float32Array.from(numbers), Float32Array.from(argument.shares[i])]);
      return module.pathThrough(keyframes, 'smooth', 9, loop).map((pair) => pair.map((part) => Array.from(part)));
    });"""
    found = call(bare, "engine/interpolation.js", body, {"cases": cases, "shares": shares.tolist()})
    for case, way in zip(cases, found, strict=True):
        keyframes = torch.tensor(case["z"])
        z, blends = interpolation.path(keyframes, shares[: len(keyframes)], "smooth", 9, case["loop"])
        torch.testing.assert_close(torch.tensor([pair[0] for pair in way]), z, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(torch.tensor([pair[1] for pair in way]), blends, rtol=1e-5, atol=1e-5)


# Whole pictures --------------------------------------------------------------------------------------------------


def random_places(rng: np.random.Generator, z_dim: int, directions: int) -> list[LatentSpec]:
    def some(most: int, keys: int, reach: float) -> dict[int, float]:
        chosen = rng.choice(keys, rng.integers(0, most + 1), replace=False)
        return {int(k): round(rng.uniform(-reach, reach), 2) for k in chosen}

    def spec() -> LatentSpec:
        steps = tuple((int(rng.integers(0, 48)), round(rng.uniform(0.05, 1), 2)) for _ in range(rng.integers(0, 3)))
        return LatentSpec(int(rng.integers(0, 2**31)), steps, some(4, directions, 3), some(5, z_dim, 4))

    def pushes() -> tuple[Push, ...]:
        """Any of three directions: one that may change the group, one that is nearly another, one of its own."""
        first, other, near = (rng.normal(size=z_dim) / z_dim**0.5 for _ in range(3))
        vectors = {"own": first, "twin": first + 0.1 * near, "group": other}
        chosen = rng.choice(list(vectors), rng.integers(0, 4), replace=False)
        return tuple(
            Push(str(key), round(rng.uniform(-3, 3), 2), vectors[key].astype("<f2").tobytes(), key == "group")
            for key in chosen
        )

    def edited(spec: LatentSpec) -> LatentSpec:
        """Half of them with what a link may hold besides."""
        if rng.random() < 0.5:
            return spec
        found = pushes()
        keys = [push.key for push in found] + [str(k) for k in range(directions)]
        locked = frozenset(str(key) for key in rng.choice(keys, rng.integers(0, 3), replace=False))
        start = rng.normal(size=z_dim).astype("<f2").tobytes() if rng.random() < 0.3 else b""
        return replace(spec, directions=found, locked=locked, base=start, psi=round(rng.uniform(0.3, 1), 2))

    return [edited(spec()) for _ in range(STATES)]


def query(name: str, spec: LatentSpec, label: int | None) -> dict[str, Any]:
    """As the page writes it."""
    pairs = lambda items: ",".join(f"{k}:{v}" for k, v in items)  # noqa: E731
    edits = {"m": pairs(spec.walk), "d": pairs(spec.principal.items()), "z": pairs(spec.fixed.items())}
    pushes = (
        f"{p.key}:{p.amount}:{in_base64(p.vector)}" + (":g" if p.may_change_cluster else "") for p in spec.directions
    )
    more = {"u": ",".join(pushes), "lock": ",".join(spec.locked), "psi": spec.psi, "from": in_base64(spec.base)}
    return {"w": name, "seed": spec.seed, "c": label} | edits | more


_DRAW_ALL = """
await module.bring({id: argument.id, stamp: '', page_refusal: ''});
const parts = argument.queries.map((query) => module.drawHere(argument.id, LatentSpec.parse(query)).pixels);
const all = new Uint8Array(parts.length * parts[0].length);
parts.forEach((part, i) => all.set(part, i * part.length));
return base64(all);
"""


def _latents(spec: LatentSpec, network: nn.Module, directions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The latent that votes for the group, and the one that is drawn."""
    voting = specs.cluster_latents(specs.base_of(spec, network.z_dim), spec, directions, network.votes)
    return voting, specs.final_latents(voting, spec, directions)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_thousand_random_states_are_drawn_as_torch_draws_them(bare, name):
    rng = np.random.default_rng(5)
    network = files.build(files.load(ROOT / f"weights/{name}.safetensors"))
    directions, _ = specs.principal_directions(network, DIRECTIONS)
    places = random_places(rng, network.z_dim, DIRECTIONS)
    labels = rng.integers(network.classes, size=STATES).tolist() if network.classes else [None] * STATES
    queries = [query(name, spec, label) for spec, label in zip(places, labels, strict=True)]
    here = call(bare, "engine/draw_here.js", _BASE64 + _DRAW_ALL, {"id": name, "queries": queries})
    voting, z = zip(*(_latents(spec, network, directions) for spec in places), strict=True)
    told = network.condition(torch.cat(voting), torch.tensor(labels) if network.classes else None)
    there = to_uint8(network(torch.cat(z), told)).numpy()
    same(pixels(here, *there.shape), there)


@pytest.mark.parametrize("name", SHIPPED)
def test_paths_and_neighbours_are_drawn_as_the_server_draws_them(bare, renderer, name):
    """A path goes through mixtures of classes, or of the groups that its keyframes have voted for."""
    c = (2, 7) if renderer.newest(name).config.classes else (None, None)
    a, b = LatentSpec(3, ((5, 0.5),), {0: 1.5}, {7: -0.5}), LatentSpec(8)
    texts = [f"{seed}:{label}" if label else str(seed) for seed, label in ((3, c[0]), (8, c[1]), (21, c[0]))]
    path = {"w": name, **dict(zip("abc", texts, strict=True)), "am": "5:0.5", "ad": "0:1.5", "az": "7:-0.5"}
    if c[0]:  # both ends, and the neighbours, partly of another class
        a, b = replace(a, mix=(4, 0.3)), replace(b, mix=(1, 0.6))
        path |= {"amix": "4:0.3", "bmix": "1:0.6"}
    near = query(name, a, c[0]) | {"mix": path.get("amix")}
    body = (
        _BASE64
        + """
    const {near, path} = argument, around = {near: 16, spread: 0.7, ring: 2};
    await module.bring({id: near.w, stamp: '', page_refusal: ''});
    const {readKeyframes} = await import(new URL('engine/keyframes.js', SCRIPTS));
    const films = [];
    for (const mode of ['slerp', 'lerp', 'smooth'])
      films.push(await module.drawPathHere(near.w, readKeyframes(path), {mode, frames: 10, loop: true}));
    films.push(await module.drawNeighboursHere(near.w, LatentSpec.parse(near), around));
    return films.map(({pixels}) => base64(pixels));
    """
    )
    here = call(bare, "engine/draw_here.js", body, {"path": path, "near": near})
    keyframes = Keyframe(a, c[0]), Keyframe(b, c[1]), Keyframe(LatentSpec(21), c[0])
    ways = [KeyframePath(keyframes, mode, 10, True) for mode in ("slerp", "lerp", "smooth")]
    there = [renderer.newest(name).path(way).images for way in ways]
    there.append(renderer.newest(name).pixels(a, c[0], Near(16, 32, 0.7)).images)
    for film, wanted in zip(here, there, strict=True):
        same(pixels(film, *wanted.shape), wanted)


def test_strips_are_those_of_the_server(bare, renderer):
    """Along pushes and numbered directions, with walk, truncation, lock and mix, and one that changes the group."""
    rng = np.random.default_rng(3)
    for name, z_dim, label in (("mnist", 164, None), ("mnist-conditional", 64, 4)):
        vectors = [(0.1 * rng.normal(size=z_dim)).astype("<f2").tobytes() for _ in range(2)]
        pushes = Push("a", 1.0, vectors[0]), Push("b", 0.0, vectors[1], label is None)
        spec = LatentSpec(5, ((3, 0.5),), {1: 1.5}, {7: -0.5}, psi=0.8, directions=pushes, locked=frozenset("a"))
        spec = spec if label is None else replace(spec, mix=(9, 0.25))
        keys = ["a", "b", "0", "1"]
        more = {"keys": keys, "mix": None if label is None else "9:0.25"}
        body = (
            _BASE64
            + """
        await module.bring({id: argument.w, stamp: '', page_refusal: ''});
        return base64((await module.drawStripsHere(argument.w, LatentSpec.parse(argument), argument.keys)).pixels);
        """
        )
        wanted = renderer.newest(name).strips(spec, label, keys).images
        same(pixels(call(bare, "engine/draw_here.js", body, query(name, spec, label) | more), *wanted.shape), wanted)


def test_a_picture_of_a_sheet_is_that_of_the_server(bare, renderer):
    for name, label, sheet in (("mnist", None, ("tile", 39)), ("mnist-conditional", 7, ("study", 997))):
        body = """
        await module.bring({id: argument.w, stamp: '', page_refusal: ''});
        return Array.from(module.drawHere(argument.w, LatentSpec.parse(argument)).pixels);
        """
        asked = query(name, LatentSpec(6), label) | {"from": ":".join(map(str, sheet))}
        wanted = renderer.newest(name).pixels(LatentSpec(6, sheet=sheet), label).images
        same(np.array(call(bare, "engine/draw_here.js", body, asked)).reshape(wanted.shape), wanted)


@pytest.mark.parametrize("name", SHIPPED)
def test_sums_are_drawn_as_the_server_draws_them(bare, renderer, name):
    """Inside, outside and on the corners of the triangle; with classes also as each of some."""
    rng = np.random.default_rng(3)
    classes = renderer.newest(name).config.classes
    seeds, labels = [3, 8, 21], [2, 7, 7] if classes else [None] * 3
    rows = [[1.0, 0.0, 0.0], [1.0, -1.0, 1.0]]
    for right, top in rng.uniform(-0.5, 1, (20, 2)).round(3):
        rows.append([round(1 - right - top, 3), right, top])
    texts = [f"{seed}:{label}" if classes else str(seed) for seed, label in zip(seeds, labels, strict=True)]
    body = (
        _BASE64
        + """
    const {query, rows, labels} = argument;
    await module.bring({id: query.w, stamp: '', page_refusal: ''});
    const {readKeyframes} = await import(new URL('engine/keyframes.js', SCRIPTS));
    const terms = readKeyframes(query);
    const films = [await module.drawSumsHere(query.w, terms, rows, labels)];
    for (const row of rows) films.push(module.drawSumHere(query.w, terms, row));
    return films.map(({pixels}) => base64(pixels));
    """
    )
    query = {"w": name, **dict(zip("abc", texts, strict=True)), "bpsi": 0.7}
    chosen = (0, 5) if classes else ()
    together, *alone = call(bare, "engine/draw_here.js", body, {"query": query, "rows": rows, "labels": chosen})
    keyframes = tuple(Keyframe(LatentSpec(s, psi=p), c) for s, c, p in zip(seeds, labels, (1, 0.7, 1), strict=True))
    shares = tuple(map(tuple, rows))
    as_classes, plain = (renderer.newest(name).sums(Sums(keyframes, shares, c)).images for c in (chosen, ()))
    same(pixels(together, *as_classes.shape), as_classes)
    for picture, wanted in zip(alone, plain, strict=True):
        same(pixels(picture, *wanted.shape), wanted)


def test_what_the_page_does_not_understand_is_left_to_the_server(bare):
    strange = [{"psi": "x"}, {"d": "8:1"}, {"z": "64:1"}, {"c": "10"}, {"d": "x"}, {"w": "mnist-elsewhere"}]
    strange += [{"from": "tile:40"}, {"from": "sheet:1"}, {"from": "tile:x"}, {"from": "ADwAwAA4"}, {"from": "tile:3"}]
    body = """
    await module.bring({id: 'mnist-conditional', stamp: '', page_refusal: ''});
    return argument.map(({w = 'mnist-conditional', ...more}) =>
      module.canDraw(w, LatentSpec.parse({seed: 1, c: 3, ...more})));
    """
    assert call(bare, "engine/draw_here.js", body, strange) == [False] * 10 + [True]


# In the tab ------------------------------------------------------------------------------------------------------


def test_sliders_go_on_without_the_server(server, visit):
    visit.expect("ERR_INTERNET_DISCONNECTED")
    page = visit(server.url("?tab=latent&w=mnist-conditional&seed=5&c=4"))
    expect(drawn_by(page, "page")).to_have_text("drawn in your browser")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.context.set_offline(True)
    for change, shows in (
        (lambda: set_slider(page.locator('[data-key="1"] input'), 2), "d=1:2"),
        (lambda: part(page, "latent", "classes").get_by_role("radio").nth(7).click(), "c=7"),
        (lambda: part(page, "latent", "seed").fill("123456"), "seed=123456"),
    ):
        before = look(page, "print", PICTURE)
        change()
        page.wait_for_selector(f'{PICTURE}[data-shows*="{shows}"]')
        wait_for_change(page, PICTURE, before)
    page.wait_for_url("**seed=123456**")
    assert not [url for url in asked if "pixels?" in url or "strips?" in url]
    shown = grey_of(page, PICTURE)
    page.context.set_offline(False)
    same(shown, server.pixels("w=mnist-conditional&seed=123456&c=7&d=1:2")[0, 0])


def test_large_networks_stay_on_the_server_and_the_line_says_why(server, visit, large_run):
    page = visit(server.url(f"?tab=latent&w=run-{large_run}"))
    line = drawn_by(page, "server")
    expect(line).to_have_text("drawn by the server")
    assert server.get(f"weights/run-{large_run}")["page_refusal"] in line.get_attribute("title")


def test_a_path_is_walked_in_the_page(server, visit):
    page = visit(server.url("?tab=interpolation&w=mnist&a=1&b=5&frames=6"))
    drawn_by(page, "page", "interpolation")
    second = css("interpolation", "keyframes") + " button:nth-of-type(2) canvas"
    stage = grey_of(page, second)
    same(stage, server.pixels("w=mnist&seed=5")[0, 0])


def test_newer_weights_of_a_run_come_to_the_page(server, visit):
    run = server.train("dense")
    page = visit(server.url(f"?tab=latent&w=run-{run}"))
    drawn_by(page, "page")
    step = int(part(page, "latent", "picture").get_attribute("data-step"))
    page.wait_for_function(f"Number(document.querySelector('{PICTURE}').dataset.step) > {step}")
    drawn_by(page, "page")
    assert server.status(run) == "running"

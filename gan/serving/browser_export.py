"""A network as a browser needs it: what its answer depends on, in one file (static/engine/page_file.js).

That is a generator, which draws there (static/engine/generator.js), or a discriminator, which judges what a visitor
draws (static/engine/discriminator.js).

The file: four bytes with the length of a JSON header (little-endian), the header, then the numbers of all tensors. The
header lists the layers, each a `kind` (KINDS of static/engine/layers.js) with its sizes, and the tensors (`2.weight`
belongs to layer 2), each with its type and offset. Pictures are channels last ([y][x][channel]), matrices have one row
for each input.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from gan.core.errors import UserError
from gan.core.messages import say
from gan.models.layers import (
    Discriminator,
    Dropout,
    FlatGrid,
    Generator,
    Grid,
    SameConv,
    SameConvTranspose,
    SameConvTranspose5,
    UpsampleConv,
    same_padding,
)
from gan.models.skip import FirstPicture, LastDoubling, SkipDoubling

FORMAT_VERSION = 2
MAX_BYTES = 3_000_000
MAX_MULTIPLICATIONS = 25_000_000  # of one picture: some 5 ms with a browser's vector units, 15 without


@dataclass(frozen=True)
class PageFile:
    """What a browser computes with, and a name for exactly this content."""

    data: bytes
    digest: str

    @classmethod
    def of(cls, data: bytes) -> PageFile:
        return cls(data, hashlib.sha256(data).hexdigest()[:32])


class PageWeightsError(UserError):
    """Why these weights are not for a browser; the message is one sentence."""


Export = tuple[str, Callable[..., "Layer"]]


@dataclass(frozen=True)
class Layer:
    """One layer of the browser's: its sizes, its tensors, what it costs, and its kind (see _EXPORTS)."""

    sizes: dict[str, float]
    tensors: dict[str, Tensor]
    multiplications: int = 0
    kind: str = ""


# Layers ----------------------------------------------------------------------------------------------------------


def layers_of(network: Generator) -> list[Layer]:
    """The network's layers as the browser computes them; works on the meta device too. Raises PageWeightsError."""
    return _exported(_steps(network.layers), _EXPORTS, 0, 1)


def layers_of_discriminator(network: Discriminator, channels: int, size: int) -> list[Layer]:
    """The same of one that judges pictures [channels, size, size]; the last layer makes a logit for each condition."""
    flat = [m for m in network.features if not isinstance(m, Dropout)]
    if channels > 1 and any(isinstance(m, nn.Flatten) for m in flat):
        raise PageWeightsError(say("serving.layer_of_server", name="Flatten"))
    found = _exported((m for m in flat if not isinstance(m, nn.Flatten)), _EXPORTS | _OF_DISCRIMINATORS, channels, size)
    embed = torch.zeros(()) if network.embed is None else network.embed
    weight = network.head.weight + embed.to(network.head.weight.device)  # logit = head(f) + <embed(c), f>
    bias = network.head.bias.expand(len(weight))
    sizes = {"inputs": weight.shape[1], "outputs": weight.shape[0]}
    return [*found, Layer(dict(sizes), {"weight": weight.T, "bias": bias}, weight.numel(), "dense")]


def _exported(modules: Iterable[object], exports: Mapping[type, Export], channels: int, side: int) -> list[Layer]:
    """channels, side: of the picture so far."""
    found: list[Layer] = []
    for module in modules:
        if isinstance(module, Grid):  # a dense layer's numbers are already in the browser's order
            channels, side = module.channels, module.side
            continue
        if isinstance(module, FlatGrid):
            continue
        if type(module) not in exports:
            name = type(module).__name__
            raise PageWeightsError(say("serving.layer_of_server", name=name))
        kind, export = exports[type(module)]
        layer = replace(export(module, channels, side), kind=kind)
        channels, side = int(layer.sizes.get("outputs", channels)), int(layer.sizes.get("to", side))
        found.append(layer)
    return found


class ToPicture(NamedTuple):
    """What features add to the picture so far, which is doubled before or, where there is none yet, begun."""

    conv: nn.Conv2d
    doubled: bool


class WithPicture(NamedTuple):
    """The picture so far, doubled, is added to numbers that are colours already."""

    colours: int


def _steps(layers: Iterable[nn.Module]) -> Iterator[object]:
    """Layers with a picture at every size as what they do one after the other; the others as they are."""
    for m in layers:
        if isinstance(m, FirstPicture):
            yield ToPicture(m.to_picture, doubled=False)
        elif isinstance(m, SkipDoubling):
            yield from (m.up, m.norm, nn.ReLU(), ToPicture(m.to_picture, doubled=True))
        elif isinstance(m, LastDoubling):
            yield from (m.to_picture, WithPicture(m.to_picture.out_channels))
        else:
            yield m


def _dense(m: nn.Linear, *_: int) -> Layer:
    tensors = {"weight": m.weight.T, "bias": m.bias}
    return Layer({"inputs": m.in_features, "outputs": m.out_features}, _given(tensors), m.weight.numel())


def _conv(m: SameConv, _: int, side: int) -> Layer:
    """A convolution is a transposed one with the kernel turned round."""
    if m.stride != (1, 1):
        raise PageWeightsError(say("serving.stride_of_server"))
    kernel = m.kernel_size[0]
    before, _ = same_padding(side, kernel, 1)
    return _spread(m.weight.flip(2, 3).transpose(0, 1), m.bias, 1, kernel - 1 - before, side, side)


def _conv_down(m: nn.Conv2d, _: int, side: int) -> Layer:
    """A convolution with a stride; of ours, with TensorFlow's padding."""
    kernel, stride, inputs, outputs = m.kernel_size[0], m.stride[0], m.in_channels, m.out_channels
    pad = same_padding(side, kernel, stride) if isinstance(m, SameConv) else 2 * (int(m.padding[0]),)
    to = (side + sum(pad) - kernel) // stride + 1
    sizes: dict[str, float] = {"inputs": inputs, "outputs": outputs, "kernel": kernel, "stride": stride}
    sizes |= {"pad": pad[0], "from": side, "to": to}
    tensors = {"weight": m.weight.permute(2, 3, 1, 0), "bias": m.bias}  # [kernel, kernel, inputs, outputs]
    return Layer(sizes, _given(tensors), to**2 * m.weight.numel())


def _conv_transpose(m: nn.ConvTranspose2d, _: int, side: int) -> Layer:
    kernel, stride, pad = m.kernel_size[0], m.stride[0], m.padding[0]
    assert isinstance(pad, int)  # a word, such as "same", is for convolutions that are not transposed
    to = side * stride if isinstance(m, SameConvTranspose) else (side - 1) * stride - 2 * pad + kernel
    return _spread(m.weight, m.bias, stride, pad, side, to)


def _upsample(m: UpsampleConv, _: int, side: int) -> Layer:
    return _spread(m.doubling_kernel(), m.bias, 2, 1, side, 2 * side)


def _spread(weight: Tensor, bias: Tensor | None, stride: int, pad: int, side: int, to: int) -> Layer:
    """weight [inputs, outputs, kernel, kernel]."""
    inputs, outputs, kernel, _ = weight.shape
    sizes: dict[str, float] = {
        "inputs": inputs,
        "outputs": outputs,
        "kernel": kernel,
        "stride": stride,
        "pad": pad,
        "from": side,
        "to": to,
    }
    tensors = {"weight": weight.permute(0, 2, 3, 1), "bias": bias}  # [inputs, kernel, kernel, outputs]
    return Layer(sizes, _given(tensors), side**2 * weight.numel())


def _affine(m: nn.BatchNorm1d | nn.BatchNorm2d, *_: int) -> Layer:
    """Not multiplied into the layer before it: that one's weights then stay as they are, often exactly 16 bits."""
    assert m.running_var is not None and m.running_mean is not None  # ours keep them
    scale = m.weight.double() / (m.running_var.double() + m.eps).sqrt()
    shift = m.bias.double() - m.running_mean.double() * scale
    return Layer({}, {"scale": scale.float(), "shift": shift.float()})


def _leaky(m: nn.LeakyReLU | nn.ReLU, *_: int) -> Layer:
    return Layer({"slope": getattr(m, "negative_slope", 0.0)}, {})


def _tanh(_: nn.Tanh, *__: int) -> Layer:
    return Layer({}, {})


def _shuffle(m: nn.PixelShuffle, channels: int, side: int) -> Layer:
    factor = m.upscale_factor
    left = channels // factor**2
    return Layer({"outputs": left, "factor": factor, "from": side, "to": side * factor}, {})


def _to_picture(m: ToPicture, channels: int, side: int) -> Layer:
    colours = m.conv.out_channels
    sizes: dict[str, float] = {"inputs": channels, "colours": colours, "side": side, "doubled": int(m.doubled)}
    weight = m.conv.weight[:, :, 0, 0].T  # [inputs, colours]
    return Layer(sizes, _given({"weight": weight, "bias": m.conv.bias}), side**2 * weight.numel())


def _with_picture(m: WithPicture, _: int, side: int) -> Layer:
    return Layer({"colours": m.colours, "side": side}, {})


def _planes(m: nn.Unflatten, *_: int) -> Layer:
    channels, side, _width = m.unflattened_size
    return Layer({"outputs": channels, "to": side}, {})


# What each layer of ours is in the page: the function of this name in KINDS of static/engine/layers.js, and what
# makes its sizes and tensors from (layer, channels so far, side so far). Layers that are not here the server draws.
_EXPORTS: dict[type, Export] = {
    nn.Linear: ("dense", _dense),
    SameConv: ("spread", _conv),
    nn.ConvTranspose2d: ("spread", _conv_transpose),
    SameConvTranspose: ("spread", _conv_transpose),
    SameConvTranspose5: ("spread", _conv_transpose),
    UpsampleConv: ("spread", _upsample),
    nn.BatchNorm1d: ("affine", _affine),
    nn.BatchNorm2d: ("affine", _affine),
    nn.ReLU: ("leaky", _leaky),
    nn.LeakyReLU: ("leaky", _leaky),
    nn.Tanh: ("tanh", _tanh),
    nn.PixelShuffle: ("shuffle", _shuffle),
    nn.Unflatten: ("planes", _planes),
    ToPicture: ("toPicture", _to_picture),
    WithPicture: ("withPicture", _with_picture),
}
_OF_DISCRIMINATORS: dict[type, Export] = {nn.Conv2d: ("conv", _conv_down), SameConv: ("conv", _conv_down)}
KINDS = tuple(sorted({kind for kind, _ in (_EXPORTS | _OF_DISCRIMINATORS).values()} | {"spread"}))


def _given(tensors: Mapping[str, Tensor | None]) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in tensors.items() if tensor is not None}


def check(network: Generator) -> None:
    """Raise PageWeightsError when a browser cannot draw with this network, or should not. Reads no numbers."""
    _check(layers_of(network))


def check_discriminator(network: Discriminator, channels: int, size: int) -> None:
    """The same of a discriminator of pictures [channels, size, size]."""
    _check(layers_of_discriminator(network, channels, size))


def _check(layers: list[Layer]) -> None:
    work = sum(layer.multiplications for layer in layers)
    if work > MAX_MULTIPLICATIONS:
        raise PageWeightsError(say("serving.too_much_work", work=work / 1e6, most=MAX_MULTIPLICATIONS / 1e6))
    least = sum(2 * tensor.numel() for layer in layers for tensor in layer.tensors.values())
    if least > MAX_BYTES:
        raise PageWeightsError(_too_large(least))


def _too_large(size: int) -> str:
    return say("serving.too_large", size=size / 1e6, most=MAX_BYTES / 1e6)


# The file --------------------------------------------------------------------------------------------------------


def to_bytes(network: Generator, directions: Tensor, about: dict[str, object]) -> bytes:
    """The file of a generator.

    Args:
        network: the generator, in eval mode.
        directions: principal directions [K, z_dim], which the page pushes the latent along.
        about: what else the header says (stamp, digest, step, size, channels).

    Raises:
        PageWeightsError: a browser cannot draw with it, or should not.
    """
    further = {"directions": directions} | ({"odds": network.odds} if network.votes else {})
    about = about | {
        "z_dim": network.z_dim,
        "classes": network.classes,
        "codes": list(network.codes),
        "unseen": network.unseen,
        "directions": len(directions),
    }
    return _file(layers_of(network), further, about)


def discriminator_bytes(network: Discriminator, about: Mapping[str, object], channels: int, size: int) -> bytes:
    """The file of a discriminator, in eval mode, of pictures [channels, size, size]. Raises PageWeightsError."""
    layers = layers_of_discriminator(network, channels, size)
    return _file(layers, {}, {**about, "channels": channels, "size": size})


def _file(layers: list[Layer], further: Mapping[str, Tensor], about: Mapping[str, object]) -> bytes:
    """further: tensors that belong to no layer."""
    _check(layers)
    tensors = {f"{i}.{name}": tensor for i, layer in enumerate(layers) for name, tensor in layer.tensors.items()}
    numbers = _numbers({**tensors, **further})
    header = {
        **about,
        "version": FORMAT_VERSION,
        "layers": [{"kind": layer.kind, **layer.sizes} for layer in layers],
        "tensors": _entries(numbers),
    }
    words = json.dumps(header, sort_keys=True).encode()
    words += b" " * (-len(words) % 4)  # numbers begin at multiples of their size
    data = struct.pack("<I", len(words)) + words + b"".join(map(_padded, numbers.values()))
    if len(data) > MAX_BYTES:
        raise PageWeightsError(_too_large(len(data)))
    return data


def _numbers(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Flat tensors, in 16 bits where those hold the same numbers, else in 32; rounded only where there is no room."""
    flat = {name: tensor.detach().float().cpu().contiguous().flatten() for name, tensor in tensors.items()}
    small = {name: _halved(tensor, exactly=True) for name, tensor in flat.items()}
    if sum(map(len, map(_padded, small.values()))) <= MAX_BYTES - (1 << 15):
        return small
    return {name: _halved(tensor, exactly=tensors[name].dim() < 2) for name, tensor in flat.items()}


def _halved(tensor: Tensor, exactly: bool) -> Tensor:
    half = tensor.half()
    fits = torch.equal(half.float(), tensor) if exactly else bool(torch.isfinite(half).all())
    return half if fits else tensor


def _padded(tensor: Tensor) -> bytes:
    data = tensor.numpy().tobytes()
    return data + bytes(-len(data) % 4)


def _entries(numbers: dict[str, Tensor]) -> list[dict[str, object]]:
    entries, at = [], 0
    for name, tensor in numbers.items():
        kind = "float16" if tensor.dtype == torch.float16 else "float32"
        entries.append({"name": name, "type": kind, "count": tensor.numel(), "at": at})
        at += len(_padded(tensor))
    return entries

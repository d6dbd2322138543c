"""Pictures as files decode back to what went in."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from gan.core.images import boomerang, gif_bytes, grid, mp4_bytes, png_bytes, to_uint8, upscale


def frames(count=6, side=28, channels=1):
    """Smooth, clearly different pictures [H, W, C]."""
    y, x = np.mgrid[0:side, 0:side]
    waves = [127 + 120 * np.sin((x * (c + 1) + y + 9 * i) / 7) for i in range(count) for c in range(channels)]
    return list(np.stack(waves).reshape(count, channels, side, side).transpose(0, 2, 3, 1).astype(np.uint8))


def test_to_uint8_rounds_and_cuts_off():
    x = torch.tensor([-2.0, -1.0, -0.999, 0.0, 0.999, 1.0, 7.0, float("nan"), float("inf")])
    assert to_uint8(x).tolist() == [0, 0, 0, 128, 255, 255, 255, 128, 255]
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(every.float() / 127.5 - 1), every)


def test_to_uint8_leaves_its_input_alone():
    x = torch.zeros(3)
    to_uint8(x)
    assert not x.any()


@pytest.mark.parametrize("channels", [1, 3])
def test_grid_lays_pictures_row_by_row(channels):
    images = np.arange(5 * channels * 4, dtype=np.uint8).reshape(5, channels, 2, 2)
    sheet = grid(images, 3)
    assert sheet.shape == (4, 6, channels)
    assert (sheet[0:2, 2:4] == images[1].transpose(1, 2, 0)).all()
    assert (sheet[2:4, 0:2] == images[3].transpose(1, 2, 0)).all()
    assert not sheet[2:4, 4:6].any()  # no sixth picture
    assert grid(images, 3, gap=1).shape == (5, 8, channels)


@pytest.mark.parametrize("channels", [1, 3])
def test_png_decodes_to_the_same_pixels(channels):
    frame = frames(1, channels=channels)[0]
    picture = Image.open(io.BytesIO(png_bytes(frame, scale=3)))
    assert picture.size == (84, 84) and picture.mode == ("L" if channels == 1 else "RGB")
    assert (np.asarray(picture).reshape(84, 84, channels) == upscale(frame, 3)).all()


def test_grey_gif_decodes_to_the_same_pixels_and_loops():
    shown = frames()
    film = Image.open(io.BytesIO(gif_bytes(shown, fps=20, scale=2)))
    assert film.n_frames == len(shown) and film.info["loop"] == 0 and film.info["duration"] == 50
    for i, frame in enumerate(shown):
        film.seek(i)
        assert (np.asarray(film.convert("L")) == upscale(frame, 2)[:, :, 0]).all()


def test_colour_gif_is_close():
    shown = frames(3, channels=3)
    film = Image.open(io.BytesIO(gif_bytes(shown, fps=10)))
    for i, frame in enumerate(shown):
        film.seek(i)
        assert np.abs(np.asarray(film.convert("RGB")).astype(int) - frame).mean() < 6


@pytest.mark.parametrize(("side", "channels"), [(28, 1), (27, 1), (32, 3)])
def test_mp4_decodes_to_nearly_the_same_pixels(side, channels):
    av = pytest.importorskip("av")
    shown = frames(side=side, channels=channels)
    with av.open(io.BytesIO(mp4_bytes(shown, fps=25, scale=7))) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == 25 and stream.width % 2 == stream.height % 2 == 0
        decoded = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
    assert len(decoded) == len(shown)
    for got, frame in zip(decoded, shown, strict=True):
        wanted = upscale(frame, 7)
        assert np.abs(got[: len(wanted), : len(wanted)].astype(int) - wanted).mean() < 6


def test_boomerang_shows_both_ends_once():
    assert boomerang([1, 2, 3, 4]) == [1, 2, 3, 4, 3, 2]
    assert boomerang([1, 2]) == [1, 2] and boomerang([1]) == [1]

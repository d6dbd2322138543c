"""Frames: exact up to 32 pixels a side, small beyond; those that lie on the disk already stay what they are."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from gan.core.images import BYTES_A_PIXEL, frame_bytes, grid, is_webp, png_bytes, split_grid
from gan.monitor.records import due
from gan.runs import archive
from gan.runs.history import FRAME_GROWTH, History
from gan.runs.registry import Runs
from gan.runs.run import Run
from gan.web.following import Following, cursor_of
from gan.web.routes.run_files import _DOWNLOADS

COLUMNS, COUNT = 8, 40
LIVE_BYTES, RUN_BYTES = 60_000, 25_000_000
HOSTILE = (b"", b"RIFF", b"RIFF\0\0\0\0WEBP", b"RIFF\xff\xff\xff\xffWEBPVP8 ")


def noise(size: int, channels: int) -> np.ndarray:
    return np.random.default_rng(size).integers(0, 256, (COUNT, channels, size, size), np.uint8)


def drawn(size: int, channels: int) -> np.ndarray:
    """Discs in front of a ground, each of one colour."""
    rng, (y, x) = np.random.default_rng(size), np.mgrid[:size, :size] / size - 0.5
    inside = np.hypot(y, x) < rng.uniform(0.2, 0.45, (COUNT, 1, 1, 1))
    ink, ground = rng.integers(0, 256, (2, COUNT, channels, 1, 1))
    return np.where(inside, ink, ground).astype(np.uint8)


def read(data: bytes, tiles: np.ndarray) -> np.ndarray:
    count, channels, size, _ = tiles.shape
    return split_grid(data, count, COLUMNS, size, channels)


@pytest.mark.parametrize("make", [noise, drawn])
@pytest.mark.parametrize(("size", "channels"), [(28, 1), (32, 1), (28, 3), (32, 3)])
def test_small_pictures_keep_every_pixel(make, size: int, channels: int) -> None:
    tiles = make(size, channels)
    data = frame_bytes(tiles, COLUMNS)
    assert np.array_equal(read(data, tiles), tiles) and is_webp(data) == (channels == 3)


@pytest.mark.parametrize("size", [28, 32])
def test_grey_ones_are_the_files_they_have_always_been(size: int) -> None:
    tiles = drawn(size, 1)
    assert frame_bytes(tiles, COLUMNS) == png_bytes(grid(tiles, COLUMNS))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [40, 64, 128])
def test_larger_ones_are_small_whatever_they_show(size: int, channels: int) -> None:
    for tiles in (noise(size, channels), drawn(size, channels)):
        data = frame_bytes(tiles, COLUMNS)
        assert is_webp(data) and len(data) <= BYTES_A_PIXEL * COUNT * size**2
        assert read(data, tiles).shape == tiles.shape


def test_what_they_show_is_hardly_changed() -> None:
    tiles = drawn(64, 3)
    error = read(frame_bytes(tiles, COLUMNS), tiles).astype(float) - tiles
    assert np.abs(error).mean() < 5 and 10 * np.log10(255**2 / (error**2).mean()) > 27


def test_a_run_of_64_in_colour_takes_at_most_its_share() -> None:
    """However noisy its pictures: each live picture, and all frames of a million steps with their records."""
    most = BYTES_A_PIXEL * COUNT * 64**2
    frames = sum(due(step, FRAME_GROWTH) for step in range(1_000_000))
    assert most < LIVE_BYTES and frames * most < RUN_BYTES - 1_500_000


@pytest.mark.parametrize("data", HOSTILE)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a picture"):
        split_grid(data, COUNT, COLUMNS, 64, 3)


def test_a_webp_of_another_form_is_refused() -> None:
    data = frame_bytes(noise(64, 3), COLUMNS)
    for count, size in ((COUNT, 32), (8, 64)):
        with pytest.raises(ValueError, match="does not hold"):
            split_grid(data, count, COLUMNS, size, 3)


# On the disk ------------------------------------------------------------------------------------------------------


def with_frames(folder: Path, **pictures: bytes) -> History:
    folder.mkdir(exist_ok=True)
    history = History(folder)
    for step, picture in enumerate(pictures.values()):
        history.add_frame(step, picture, [0.5], [0.5])
    history.flush()
    return history


def test_older_frames_stay_beside_newer_ones(tmp_path: Path) -> None:
    tiles = drawn(64, 3)
    old, new = png_bytes(grid(tiles, COLUMNS)), frame_bytes(tiles, COLUMNS)
    history = with_frames(tmp_path / "a", old=old, new=new)
    (tmp_path / "b").mkdir()
    copy = history.copy_until(1, tmp_path / "b")
    for there in (history, copy, History(tmp_path / "a")):
        assert [there.frame_path(step).read_bytes() for step in (0, 1)] == [old, new]
        assert [there.frame_path(step).suffix for step in (0, 1)] == [".png", ".webp"]


def test_a_step_has_one_frame(tmp_path: Path) -> None:
    """A picture whose record was lost with its process does not hide the one that comes after it."""
    tiles = drawn(64, 3)
    history = with_frames(tmp_path, old=png_bytes(grid(tiles, COLUMNS)))
    history.add_frame(0, frame_bytes(tiles, COLUMNS), [], [])
    history.flush()
    assert [path.name for path in (tmp_path / "frames").iterdir()] == ["00000000.webp"]
    history.forget_after(-1)
    assert not list((tmp_path / "frames").iterdir())


@pytest.fixture
def learned(tmp_path: Path) -> Run:
    """A run of 64×64 in colour that has ended."""
    runs = Runs(tmp_path / "runs")
    run, _ = runs.create("dense", "monsters", {"batch": 4, "total_steps": 12, "precision": "float32"})
    runs.start(run)
    run.join(120)
    yield run
    runs.close()


@pytest.mark.slow
def test_a_run_in_colour_is_kept_shown_and_taken_along(learned: Run, tmp_path: Path) -> None:
    paths = [learned.history.frame_path(frame["step"]) for frame in learned.history.frames]
    assert len(paths) > 5 and {path.suffix for path in paths} == {".webp"}
    again = Run(learned.folder)
    for run in (learned, again):  # what is shown is the file that is kept
        body = Following().answer(run, cursor_of("")).body
        assert body.endswith(b"\n" + paths[-1].read_bytes()) and len(run.latest.frame) < LIVE_BYTES
    packed = io.BytesIO()
    archive.pack(learned.folder, packed)
    archive.unpack(packed, tmp_path / "back")
    assert [path.read_bytes() for path in paths] == [
        path.read_bytes() for path in sorted((tmp_path / "back" / "frames").iterdir())
    ]
    _, film = _DOWNLOADS["timelapse.mp4"]
    assert film(learned)[4:8] == b"ftyp"

"""Pictures of a size that is no longer offered, from files of before, are read and learned from."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan.data.catalog import DataError, load
from gan.data.own_pictures import Form, prepare, take_in
from gan.data.own_pictures.decode import Square
from gan.recipes.catalog import make_config
from gan.training.trainer import Trainer


def png(number: int) -> io.BytesIO:
    out = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (40, 40), np.uint8)
    Image.fromarray(pixels).save(out, "PNG")
    out.seek(0)
    return out


def of_before(size: int, own_dir: Path) -> str:
    return prepare([(f"{i}.png", png(i)) for i in range(20)], Square(size, 1), own_dir).name


@pytest.mark.parametrize("size", [36, 44])
def test_old_sizes_go_on(size: int, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    name = of_before(size, tmp_path / "a")
    assert take_in(tmp_path / "a" / f"{name}.safetensors", name, tmp_path / "b").name == name
    config = make_config("quick", name, tmp_path / "b", width=4, batch=4)
    trainer = Trainer(config, load(name, "train", tmp_path / "b"))
    trainer.step()
    assert config.size == size and trainer.steps_done == 1


def test_new_ones_are_refused_in_words() -> None:
    with pytest.raises(DataError, match="doubled one to six times"):
        Form(36, 1)

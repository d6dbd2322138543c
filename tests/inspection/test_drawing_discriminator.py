"""The discriminator of the game's drawings: what it takes for real, and that scribbles are what they are said to be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from gan.data import catalog
from gan.inspection import drawing_discriminator
from gan.inspection.drawing_discriminator import fine_tune, penlike, scribbles
from gan.inspection.page_discriminator import SHIPPED
from gan.latent.inversion import centred
from gan.models import meta_discriminator
from gan.models.layers import Discriminator
from gan.recipes.catalog import make_config
from gan.training.checkpoint import discriminator_state, networks_of, read_header, save_checkpoint
from gan.training.trainer import Trainer, limit_pictures

RNG = torch.Generator  # the same numbers each time
UNSEEN_SEED = 1000  # no scribble that it learned from


@pytest.fixture(scope="module")
def shipped() -> Discriminator:
    path = SHIPPED / "mnist.safetensors"
    D = meta_discriminator(read_header(path)["config"])
    D.load_state_dict(discriminator_state(path), assign=True)
    return D.float().eval().requires_grad_(False)


def share_taken_for_real(D: Discriminator, images: Tensor) -> float:
    return float((D(images.float() / 127.5 - 1) > 0).float().mean())


def printed(letters: str) -> Tensor:
    """As somebody with a steady hand would draw them: Pillow's own font, large, put into the middle."""
    font, found = ImageFont.load_default(180), []
    for letter in letters:
        sheet = Image.new("L", (280, 280))
        ImageDraw.Draw(sheet).text((60, 20), letter, 255, font)
        found.append(centred(torch.from_numpy(np.array(sheet))))
    return torch.stack(found)


def test_it_takes_digits_for_real_and_hardly_any_scribble(shipped: Discriminator) -> None:
    digits = catalog.load("mnist", "test").images[:2000]
    assert share_taken_for_real(shipped, digits) > 0.88
    assert share_taken_for_real(shipped, ((penlike(digits[:500], RNG()) + 1) * 127.5).round().byte()) > 0.85
    assert share_taken_for_real(shipped, scribbles(300, UNSEEN_SEED)) < 0.15
    assert share_taken_for_real(shipped, catalog.load("fashion-mnist", "test").images[:500]) < 0.15


def test_it_has_seen_no_letters_and_still_tells_many_from_digits(shipped: Discriminator) -> None:
    assert share_taken_for_real(shipped, printed("02345678")) >= 0.75
    assert share_taken_for_real(shipped, printed("ABEHKMRTXW")) <= 0.4


def test_scribbles_are_the_same_again_and_look_like_drawings() -> None:
    found = scribbles(20, 3)
    assert found.shape == (20, 1, 28, 28) and found.dtype == torch.uint8
    assert torch.equal(found, scribbles(20, 3)) and not torch.equal(found, scribbles(20, 4))
    ink = (found > 127).float().mean((1, 2, 3))
    assert ink.min() > 0.005 and ink.max() < 0.7


def test_edges_of_a_pen_keep_the_picture(shipped: Discriminator) -> None:
    images = catalog.load("mnist", "test").images[:50]
    x = penlike(images, RNG())
    assert x.shape == images.shape and x.min() >= -1 and x.max() <= 1
    assert ((x + 1) * 127.5 - images.float()).abs().mean() < 25


def test_fine_tuning_changes_the_discriminator_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing_discriminator, "STEPS", 2)
    monkeypatch.setattr(drawing_discriminator, "SCRIBBLES", 10)
    monkeypatch.setattr(drawing_discriminator, "GENERATED_BY_LAST", 500)
    path = tmp_path / "c.safetensors"
    trainer = Trainer(make_config("quick").changed(clusters=0, batch=8), limit_pictures(catalog.load("mnist"), 64))
    save_checkpoint(path, trainer)
    before = networks_of(path)
    D = fine_tune([path], catalog.load("mnist").images[:100], 0, lambda step, loss: None)
    old = discriminator_state(path)
    assert {name: t.shape for name, t in D.state_dict().items()} == {name: t.shape for name, t in old.items()}
    assert any(not torch.equal(old[name], t) for name, t in D.state_dict().items())
    assert networks_of(path) == before

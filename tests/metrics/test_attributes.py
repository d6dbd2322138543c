"""A network that tells what a picture shows besides its class."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gan.data import catalog
from gan.data.catalog import Pictures
from gan.metrics import classifier, evaluate
from gan.metrics.classifier import Form, View, to_float

pytestmark = pytest.mark.slow

SIZE = 48


def halves(count: int, seed: int) -> Pictures:
    """Pictures whose left half has one of three colours, their class and first attribute, and the right one of two."""
    rng = torch.Generator().manual_seed(seed)
    left, right = (torch.randint(0, values, (count,), generator=rng) for values in (3, 2))
    images = torch.randint(0, 60, (count, 3, SIZE, SIZE), generator=rng, dtype=torch.uint8)
    images[torch.arange(count), left, :, : SIZE // 2] += 150
    images[torch.arange(count), right, :, SIZE // 2 :] += 150
    return Pictures("halves", images, left, ("red", "green", "blue"), torch.stack([left, right], 1).byte())


def test_every_attribute_of_pictures_that_were_held_back_is_told():
    network = classifier.fit(halves(480, 1), Form(3, SIZE, 3, 16, (3, 2)), View(border=None), epochs=8)
    held_back = halves(100, 2)
    assert min(classifier.accuracies(network, held_back)) > 0.95
    features, logits = network.look(held_back.images)
    told = network.attributes(features)
    assert logits.shape == (100, 3) and [len(labels) for labels in told] == [100, 100]
    assert (torch.stack(told, 1) == held_back.attributes).float().mean() > 0.95


def test_of_a_picture_without_attributes_only_the_class_is_asked():
    pictures = catalog.load("mnist", "test").first(10)
    assert torch.equal(classifier.told(pictures), pictures.labels[:, None])


def test_attributes_drawn_stand_beside_those_of_real_pictures(monkeypatch):
    """Through a network that has learned nothing: it says something of every picture, and of copies the same."""
    monkeypatch.setitem(catalog.DATA, "clay", replace(catalog.DATA["clay"], metric_epochs=1))
    network = classifier.fresh(torch.Generator().manual_seed(1), classifier.form_of("clay")).eval()
    monkeypatch.setattr(evaluate, "load", lambda dataset: network)
    train, handed = catalog.load("clay").images, [0]

    def replay(z: Tensor, c: Tensor | None) -> Tensor:
        handed[0] += len(z)
        return to_float(train[handed[0] - len(z) : handed[0]])

    report = evaluate.evaluate(replay, z_dim=2, classes=0, dataset="clay", n=1000, extras=("copies",))
    evaluate._reference.cache_clear()
    known = catalog.DATA["clay"].attributes
    assert report.fid == pytest.approx(report.real_fid) and report.copied == 1 and report.real_copied < 0.1
    assert report.judged == 333  # of a thousand that were held back
    lines = report.lines()
    for name, attribute in known.items():
        assert sum(report.attributes[name]) == pytest.approx(1) == sum(report.real_attributes[name])
        at = lines.index(attribute.title)
        assert [line.split("  ")[1] for line in lines[at + 1 : at + 1 + len(attribute.values)]] == [*attribute.values]


def test_it_is_asked_only_about_pictures_of_its_kind():
    assert classifier.knows("mnist", [1, 28, 28]) and not classifier.knows("mnist", (3, 28, 28))
    assert not classifier.knows("emoji", (3, 32, 32))

"""Looking through Inception-v3: with weights that the test makes, and with none that can be had."""

from __future__ import annotations

import hashlib
import io

import pytest
import torch
from torch import nn

from gan.metrics import inception
from gan.metrics.classifier import MetricError
from gan.metrics.inception import Inception

library = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of the right layers with random weights, as none can be downloaded here."""
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "load_state_dict_from_url", lambda url, progress: {})
        patch.setattr(nn.Module, "load_state_dict", lambda self, state: None)
        network = library.FeatureExtractorInceptionV3("inception-v3", ["2048"])
    torch.save(network.state_dict(), path)
    return path


@pytest.mark.slow
def test_grey_and_colour_pictures_of_any_size_are_seen(weights):
    network = Inception(weights)
    rng = torch.Generator().manual_seed(2)
    grey = torch.randint(0, 256, (2, 1, 28, 28), generator=rng, dtype=torch.uint8)
    features, logits = network.look(grey)
    assert features.shape == (2, 2048) and logits.shape == (2, 1008)
    assert torch.equal(features, network.look(grey.repeat(1, 3, 1, 1))[0])
    assert not torch.allclose(features[0], features[1], atol=0)  # random weights make small features
    with pytest.raises(MetricError, match="uint8"):
        network.look(grey.float())


class Evil:
    def __reduce__(self):
        return exec, ("raise SystemExit('a file was executed')",)


@pytest.mark.parametrize("content", [b"", b"no weights", {"fc.weight": torch.zeros(2)}, Evil()])
def test_foreign_files_are_refused_in_words_and_nothing_in_them_runs(tmp_path, content):
    path = tmp_path / "weights.pth"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(MetricError, match=r"weights\.pth does not hold the weights of Inception-v3"):
        Inception(path)


def test_weights_are_fetched_once_and_checked(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_FORGE_DATA", str(tmp_path / "kept"))
    asked, content, said = [], b"weights", []

    def answer(url: str, timeout: float) -> io.BytesIO:
        asked.append(url)
        return io.BytesIO(content)

    monkeypatch.setattr(inception.urllib.request, "urlopen", answer)
    with pytest.raises(MetricError, match="arrived was damaged"):
        inception.fetched(said.append)
    assert not (tmp_path / "kept").exists()
    monkeypatch.setattr(inception, "SHA256", hashlib.sha256(content).hexdigest()[:8])
    path = inception.fetched(said.append)
    assert path.read_bytes() == content and path == inception.fetched(said.append)
    assert asked == [inception.URL] * 2 and len(said) == 2 and "91 MB" in said[0]

"""Inception-v3 as the measures look through it where no network of ours can see: colour, or any other size.

The network, with the weights of the first FID paper, comes from torch-fidelity, which computes it as the TensorFlow
original does (resizing included), so these FIDs can be compared with published ones. Its weights are fetched once
(91 MB), and only when somebody asks with --inception.
"""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from gan.core.files import write_atomically
from gan.core.messages import say
from gan.core.proxies import use_proxies
from gan.data.catalog import download_dir
from gan.metrics.classifier import MetricError, check_saved

URL = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"
SHA256 = "6726825d"  # its first digits, as the file's name says
MEGABYTES = 91


class Inception:
    """Looks at pictures of any size: features [N, 2048] of the last pooling, and logits [N, 1008] without bias."""

    name = "Inception-v3 of torch-fidelity (weights of 2015-12-05), pictures resized to 299×299"

    def __init__(self, weights: Path | None = None, progress: Callable[[str], None] = lambda words: None) -> None:
        """weights: a file of them; None: those of torch-fidelity, fetched once.

        Raises MetricError in one sentence when the library is not installed or the weights cannot be had.
        """
        try:
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
        except ImportError:
            raise MetricError(say("metrics.inception_missing")) from None
        path = Path(weights) if weights else fetched(progress)
        try:
            torch.load(path, weights_only=True)  # tensors only: the library itself would run whatever a file says
            self.network = FeatureExtractorInceptionV3("inception-v3", ["2048", "logits_unbiased"], str(path))
        except Exception as error:  # missing, cut off, of other layers, not tensors: torch raises many kinds
            raise MetricError(say("metrics.inception_unusable", path=path)) from error

    @torch.inference_mode()
    def look(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features and logits of pictures uint8 [N, 1 or 3, H, W]; grey ones become grey colour ones."""
        check_saved(images)
        features, logits = self.network(images.expand(-1, 3, -1, -1))
        return features, logits


def fetched(progress: Callable[[str], None]) -> Path:
    """Where the weights lie, after downloading them if they were not there. Raises MetricError."""
    path = download_dir() / Path(URL).name
    if path.is_file():
        return path
    progress(say("metrics.inception_downloading", megabytes=MEGABYTES))
    try:
        use_proxies()
        with urllib.request.urlopen(URL, timeout=20) as answer:
            content = answer.read()
    except (OSError, ValueError) as error:  # URLError, timeouts, broken connections; a proxy's unreadable address
        raise MetricError(say("metrics.inception_unreachable", megabytes=MEGABYTES)) from error
    if not hashlib.sha256(content).hexdigest().startswith(SHA256):
        raise MetricError(say("metrics.inception_damaged", megabytes=MEGABYTES))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    return path

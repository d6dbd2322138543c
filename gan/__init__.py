"""GAN Forge: see a generative adversarial network learn, take it apart, and play with what it learned.

Packages, each of which imports only what stands above it (tests/test_architecture.py has the whole table):
`core`; `data`, `models`, `losses`; `recipes`, `metrics`, `training`; `latent`, `monitor`; `serving`, `runs`;
`inspection`; `draw`; `bench`, `web`; `cli`.
"""

from gan.core.version import VERSION as __version__

__all__ = ["__version__"]

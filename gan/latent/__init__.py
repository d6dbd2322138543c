"""Latent space.

`spec` (a latent, written down), `interpolation`, `query` (what a link says), `directions`, `steering`, `inversion`
(the latent of a given picture). Imports core, metrics, models.
"""

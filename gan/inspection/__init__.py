"""What a picture is made of.

`networks` (what D looked at, what each layer of G makes: pure), `service` (threads, caches, states of runs). Imports
core, data, latent, losses, metrics, models, runs, serving, training.
"""

"""The names of the files in a run's folder, beside those that gan.runs.history keeps."""

from __future__ import annotations

RUN_JSON = "run.json"  # what the run says of itself, see gan.runs.meta
CHECKPOINT = "checkpoint.safetensors"  # its newest state
START = "start.safetensors"  # the networks that a new run begins with, until it has a state of its own
BEST = "best.safetensors"  # its state with the best FID
REAL_PNG = "real.png"  # the real pictures that are shown beside its frames
PICTURES = "pictures.safetensors"  # own pictures, which may travel in the zip of the run that learned from them

"""Press Train with `quick`, watch for a minute as the owner's page does, then measure what it has learned."""

from __future__ import annotations

import argparse
import itertools
import json
import time
import urllib.request
from typing import Any

from gan.bench.common import App, Figure, app, moment_at
from gan.core.flags import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=whole(1, 100), default=3, help="how many")


def measure(args: argparse.Namespace) -> list[Figure]:
    figures = []
    for seed in range(args.seeds):
        with app() as (ours, _):
            found = _watch_a_minute(ours, seed)
        print(json.dumps({"seed": seed, **found}), flush=True)
        words = (
            f"{found['times_real']} times real, rarest class {found['rarest_class']}, "
            f"confidence {found['mean_confidence']}, {found['frames_per_s']} frames/s"
        )
        figures.append(Figure(f"the first minute of quick, seed {seed}", words))
    return figures


def _watch_a_minute(ours: App, seed: int) -> dict[str, Any]:
    clicked = time.monotonic()
    run = ours.train("quick", seed=seed)
    arrivals, since, step = [], "", 0
    address = ours.watched(f"runs/{run}")
    while time.monotonic() - clicked < 60:
        since, moment = moment_at(address, since)
        if moment:
            arrivals.append(time.monotonic() - clicked)
            step = moment[1]
        time.sleep(0.2)
    ours.post(f"runs/{run}/command", {"command": "stop"})
    while ours.get(f"runs/{run}")["status"] != "stopped":
        time.sleep(0.1)
    gaps = [b - a for a, b in itertools.pairwise(arrivals)]
    return {
        "first_frame_s": round(arrivals[0], 2),
        "frames_per_s": round(len(gaps) / sum(gaps), 2),
        "longest_gap_s": round(max(gaps), 2),
        "steps": step,
        **_quality(ours, run),
    }


def _quality(ours: App, run: str) -> dict[str, Any]:
    from gan.metrics import evaluate
    from gan.models import weights_file

    with urllib.request.urlopen(f"{ours.base}runs/{run}/download/weights.safetensors", timeout=60) as answer:
        loaded = weights_file.from_bytes(answer.read())
    network, config = weights_file.build(loaded), loaded.config
    report = evaluate.evaluate(network, config.z_dim, config.classes, config.dataset, extras=())
    assert report.histogram is not None and report.confidence is not None  # the network is the data set's own
    return {
        "fid": round(report.fid, 2),
        "times_real": round(report.fid / report.real_fid, 1),
        "rarest_class": f"{min(report.histogram) / sum(report.histogram):.1%}",
        "mean_confidence": round(report.confidence, 4),
    }

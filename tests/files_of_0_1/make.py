"""Made the files beside it, in a checkout of the last commit before there were packages; README.md says how."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from gan.checkpoint import load_checkpoint, save_checkpoint
from gan.own_pictures import Form, prepare_folder
from gan.run import Command, Run
from gan.trainer import Trainer
from PIL import Image
from playwright.sync_api import sync_playwright

from gan import archive, directions, weights
from gan.data import load
from gan.draw import draw
from gan.recipes import make_config
from gan.runs import Runs
from tests.e2e import conftest as eyes

OUT = Path(sys.argv[1])
PROBE = runpy.run_path(str(Path(__file__).parent / "probe.py"))["probe"]
STEPS, FORKED, FORK_STEPS, MORE = 26, 16, 22, 20
SMALL = {"width": 4, "z_dim": 12, "batch": 16, "total_steps": STEPS, "precision": "float32", "data_limit": 150}
LINK = "seed=7&m=3:0.7,12:0.4&d=0:2,3:-1.25&z=4:1.5,0:-0.5&lock=2&psi=0.6"
CLASSES = "w=mnist-conditional"


def own_pictures(folder: Path, own_dir: Path) -> str:
    """160 small pictures of two kinds: a bar that lies, a bar that stands."""
    rng = np.random.default_rng(0)
    for k in range(160):
        picture = np.zeros((16, 16), np.uint8)
        where, light = int(rng.integers(2, 11)), int(rng.integers(120, 256))
        picture[where : where + 3, 2:14] = light
        kind = "lying" if k % 2 else "standing"
        (folder / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture if k % 2 else picture.T.copy()).save(folder / kind / f"{k:03}.png")
    return prepare_folder(folder, Form(16, 1), own_dir)[0]


def trained(runs: Runs) -> Run:
    """A run with something in every record: a pause, another rate, a single step of D."""
    name = own_pictures(Path(tempfile.mkdtemp(), "bars"), runs.own_dir)
    run, _ = runs.adopt(make_config("quick", name, runs.own_dir, clusters=3, **SMALL))
    commands = {
        8: [Command("lr", d_lr=0.003)],
        12: [Command("pause"), Command("step", players="d"), Command("resume")],
    }
    run.status = "running"
    run.loop(lambda run: [run._commands.put(c) for c in commands.get(run.trainer.steps_done, [])])
    return run


def forked(runs: Runs, source: Run) -> Run:
    """From an earlier step on with another rate, and longer."""
    run, _ = runs.fork(source.id, {"g_lr": 0.002, "total_steps": FORK_STEPS}, FORKED)
    run.status = "running"
    run.loop()
    return run


def goes_on(run: Run, path: Path, out: Path, step: int) -> dict:
    """The losses of the next steps from a checkpoint, and the whole state after them in a file."""
    torch.set_num_threads(1)
    trainer = Trainer(run.config, load(run.config.dataset, "train", run.own_dir))
    load_checkpoint(path, trainer)
    stats = [trainer.step() for _ in range(MORE)]
    save_checkpoint(out, trainer)
    losses = [{name: float(value) for name, value in stat.items()} for stat in stats]
    return {"from": step, "losses": losses, "checkpoint": path.relative_to(OUT).as_posix(), "after": out.name}


def requests(run: Run, fork: Run) -> list[str]:
    """What pages asked the server for."""
    ours = f"w=run-{run.id}"
    own_vector = "".join(["ADwAvAA4"] * 4)  # twelve numbers, as many as its latents
    return [
        "pixels?w=mnist&seed=3",
        "pixels?w=mnist&seed=2147483647&psi=0.7",
        f"pixels?w=mnist&{LINK}",
        "pixels?w=mnist&seed=1&from=tile:39",
        "pixels?w=mnist&seed=0&from=study:999&d=1:-2",
        f"pixels?{CLASSES}&seed=5&c=4",
        f"pixels?{CLASSES}&seed=5&c=4&mix=9:0.3&m=0:1,255:0.25",
        f"pixels?{CLASSES}&seed=5&c=4&d=0:2,7:1.5&z=60:2.5&lock=0",
        f"pixels?{CLASSES}&seed=5&c=7&near=8&ring=1&spread=0.35",
        "pixels?w=fashion-mnist-conditional&seed=11&c=8&psi=0.5",
        f"pixels?{ours}&seed=9&{LINK[7:]}",
        f"pixels?{ours}&seed=2&u=bolder:1.5:{own_vector},to%201:-2:{own_vector}:g&lock=bolder",
        f"pixels?{ours}&seed=2&from={own_vector}",
        f"pixels?w=run-{fork.id}&seed=0&from=tile:5",
        f"strips?{ours}&seed=4&along=0,3",
        f"path?{CLASSES}&a=1:3&b=2:8&c=9:0&mode=slerp&frames=5",
        f"path?{CLASSES}&a=1:3&b=2:8&mode=smooth&frames=6&loop=1&am=3:0.5&bd=0:1.5&bpsi=0.8",
        "path?w=mnist&a=1&b=2&c=3&d=4&mode=smooth&frames=4",
        f"path?{ours}&a=1&b=2&mode=lerp&frames=4&az=3:1",
        f"sums?{CLASSES}&a=1:3&b=2:8&c=9:0&shares=1:-1:1,0.2:0.3:0.5",
        f"sums?{CLASSES}&a=1:3&b=2:8&shares=0.5:0.5&as=0,1,2",
        "sums?w=mnist&a=1&b=2&shares=0.25:0.75",
    ]


def pages(run: Run, fork: Run) -> list[tuple[str, str, str]]:
    """Addresses of the page; what says that all is there, and the canvas to look at."""
    latent, stage = eyes.css("latent", "picture"), eyes.css("interpolation", "stage")
    path = '#gf-tab-interpolation [data-shows*="frames=12"]'
    columns = f"#gf-tab-compare .gf-compare-run[data-run='{fork.id}'] canvas"
    return [
        ("?tab=latent&w=mnist-conditional&seed=5&c=4&d=0:2&psi=0.8&mix=9:0.3", latent + "[data-shows]", latent),
        (f"?tab=latent&w=run-{run.id}&seed=9&{LINK[7:]}", latent + "[data-shows]", latent),
        ("?tab=interpolation&w=mnist-conditional&a=1:3&b=2:8&mode=smooth&frames=12&bd=0:1.5", path, stage),
        (f"?tab=compare&runs={run.id},{fork.id}&at=20", columns + '[data-step="20"]', columns),
        (f"?tab=compare&runs={run.id},{fork.id}&x=images&at=288", columns + '[data-step="18"]', columns),
    ]


def looked_at(server: eyes.Server, addresses: list[tuple[str, str, str]]) -> list[dict]:
    """For each the address that the page itself writes, and what its canvas showed: its red channel, or the step."""
    written = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=eyes.find_chromium(), args=["--no-sandbox"])
        visits = eyes.Visits(chromium)
        for address, ready, canvas in addresses:
            page = visits(server.url(address), reduced_motion="reduce")
            page.wait_for_selector(ready)
            if "interpolation" in address:
                eyes.set_slider(eyes.part(page, "interpolation", "position"), 5)
                page.wait_for_selector(canvas + '[data-frame="5"]')
            if "latent" in address:
                eyes.drawn_by(page, "page")
            page.wait_for_timeout(1500)  # until the page has written its address
            seen = {"address": "?" + page.url.partition("?")[2].partition("#")[0], "ready": ready, "canvas": canvas}
            shown = {"red": eyes.grey_of(page, canvas).ravel().tolist()} if "compare" not in address else {}
            written.append(seen | shown)
        chromium.close()
    return written


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    runs = Runs(OUT / "runs")
    runs.threads = (1,)
    run = trained(runs)
    fork = forked(runs, run)
    with open(OUT / "run.zip", "wb") as out:
        archive.pack(run.folder, out, runs.own_dir / f"{run.config.dataset}.safetensors")
    with open(OUT / "fork.zip", "wb") as out:
        archive.pack(fork.folder, out)
    on = [
        goes_on(run, run.checkpoint_path, OUT / "run-after.safetensors", STEPS),
        goes_on(run, run.states.path(FORKED), OUT / "state-after.safetensors", FORKED),
        goes_on(fork, fork.checkpoint_path, OUT / "fork-after.safetensors", FORK_STEPS),
    ]
    shutil.copyfile(run.states.path(FORKED), OUT / "state.safetensors")
    made = weights.Weights(run.config, "Bars", (), STEPS, run.trainer.shown.state_dict())
    weights.save(OUT / "weights.safetensors", made)
    query = f"seed=4&{LINK[7:]}"
    picture = draw(OUT / "weights.safetensors", query)
    picture.save(OUT / "picture.png", scale=4)
    seen = directions.look(weights.build(made), run.config.dataset)
    found = [*seen.directions(), directions.Direction("taught", "own", seen.teach([1, 2, 3], [5, 8]), True)]
    (OUT / "directions.json").write_text(directions.to_text(found, "file", "1"))
    with eyes.served(OUT / "runs") as server:
        asked = requests(run, fork)
        pictures = [server.pixels(query, route) for route, _, query in (text.partition("?") for text in asked)]
        addresses = looked_at(server, pages(run, fork))
    about = {
        "run": run.id, "fork": fork.id, "dataset": run.config.dataset, "probe": PROBE(), "torch": torch.__version__,
        "goes_on": on, "requests": asked, "pages": addresses, "picture": query,
    }  # fmt: skip
    (OUT / "made.json").write_text(json.dumps(about))
    arrays = {f"request{i}": p for i, p in enumerate(pictures)}
    np.savez_compressed(OUT / "drawn.npz", picture=picture.pixels, **arrays)


main()

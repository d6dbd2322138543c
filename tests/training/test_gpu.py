"""What a step may not do, so that a GPU can record it; and, where there is one, that a replayed step is the same."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from gan.models import layers
from gan.recipes.catalog import RECIPES
from gan.training.checkpoint import flatten, load_checkpoint, save_checkpoint
from gan.training.cuda_graphs import EAGER, CudaGraphs
from gan.training.trainer import Trainer
from tests.conftest import make_pictures, of_random_pictures

SMALL = {"batch": 8, "width": 8}
KINDS = {
    **{name: (name, {}) for name in RECIPES if name != "conv-small-as-printed"},
    "simultaneous": ("mlp", {"update_order": "simultaneous"}),
    "several steps of D": ("conv-small", {"update_order": "alternate", "d_steps": 3, "weight_clip": 0.01}),
    "every stabiliser": ("quick", {"augment": 1.0, "instance_noise": 0.1, "gradient_clip": 1.0, "penalty_every": 2}),
    "augmentation that follows D": ("quick", {"augment": 1.0, "augment_target": 0.01}),
    "noise that falls": ("dense", {"instance_noise": 0.1, "instance_noise_images": 2000}),
    "spectral norm": ("quick", {"spectral_norm": True, "penalty": "none"}),
    "relativistic": ("quick", {"objective": "relativistic", "penalty": "r1+r2", "penalty_every": 1}),
    "bfloat16": ("quick", {"precision": "bfloat16"}),
    "auxiliary classifier": ("quick-conditional", {"classifier_weight": 0.5}),
}
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no NVIDIA GPU here")


def trainer_of(kind: str, device: str, recorded: bool = True) -> Trainer:
    recipe, changes = KINDS[kind]
    config = of_random_pictures(RECIPES[recipe].config)
    small = {name: value for name, value in SMALL.items() if name != "width" or config.width}
    config = config.changed(**small | changes)
    trainer = Trainer(config, make_pictures(256, config.size, config.channels), device)
    trainer.graphs.wanted &= recorded
    return trainer


class NothingWaits(TorchDispatchMode):
    """Refuses whatever would make the processor wait for the device, as recording does."""

    WAITS = ("_local_scalar_dense", "nonzero", "equal", "is_nonzero", "unique", "masked_select")

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        assert not name.startswith(self.WAITS), name
        indices = args[1] if name in ("index", "index_put_") else ()
        assert not any(i is not None and i.dtype == torch.bool for i in indices), "the size depends on values"
        return func(*args, **(kwargs or {}))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_never_waits_and_makes_every_tensor_where_it_computes(kind, monkeypatch):
    # torch's one_hot looks at the labels first, but only on a processor.
    monkeypatch.setattr(layers, "one_hot", lambda c, n: c[:, None] == torch.arange(n, device=c.device))
    trainer = trainer_of(kind, "cpu")
    inside = trainer._learn

    def learn(*args):
        with NothingWaits(), torch.device("meta"):  # a tensor whose device was not said does not fit to the others
            return inside(*args)

    for step in range(4):
        if step == 2:  # by then whatever is made once is made
            trainer._learn = learn
        trainer.step(grad_norms=step == 3)
    assert trainer.steps_done == 4


def test_on_a_processor_nothing_is_recorded():
    graphs = CudaGraphs(torch.Generator())
    for k in range(EAGER + 2):
        given = [(torch.ones(2), None)]
        found = graphs("kind", lambda inputs, numbers: {"same": inputs, "numbers": numbers}, given, [float(k)])
        assert found["same"] is given and found["numbers"] == [float(k)]


# On a GPU --------------------------------------------------------------------------------------------------------


def states(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: t.cpu() for name, t in flatten(trainer.state_dict()).items()}


def assert_same(a: Trainer, b: Trainer) -> None:
    found, expected = states(a), states(b)
    assert found.keys() == expected.keys()
    for name, t in expected.items():
        assert torch.equal(found[name], t), name


@gpu
@pytest.mark.parametrize("kind", KINDS)
def test_replayed_steps_are_the_launched_ones_bit_for_bit(kind):
    """Learning rates that change, looks, and steps of one player among them."""
    replayed, launched = trainer_of(kind, "cuda"), trainer_of(kind, "cuda", recorded=False)
    for step in range(40):
        players = {13: "d", 14: "g"}.get(step, "both")
        look = step % 5 == 4
        if step == 20:
            replayed.lr["d"] = launched.lr["d"] = 1e-4
        mine, other = (t.step(players, look) for t in (replayed, launched))
        assert mine.keys() == other.keys()
        assert all(torch.equal(mine[name], other[name]) for name in mine), step
    assert_same(replayed, launched)
    assert bool(replayed.graphs.kept) == (kind != "noise that falls")


@gpu
def test_a_loaded_state_continues_exactly_although_its_steps_were_recorded(tmp_path):
    straight, second = trainer_of("quick", "cuda"), trainer_of("quick", "cuda")
    for step in range(60):
        straight.step()
        if step == 29:
            save_checkpoint(tmp_path / "c.safetensors", straight)
        if step < 40:
            second.step()  # it has recorded, and goes back
    load_checkpoint(tmp_path / "c.safetensors", second)
    for _ in range(30):
        second.step()
    assert_same(second, straight)


@gpu
def test_numbers_of_a_step_stay_when_the_next_is_replayed():
    trainer = trainer_of("quick", "cuda")
    found = [trainer.step() for _ in range(30)]
    assert len({float(stats["d_loss"]) for stats in found}) == 30


@gpu
def test_others_may_use_the_gpu_while_a_step_is_recorded():
    rng, done = torch.Generator("cuda"), threading.Event()

    def compute():
        while not done.is_set():
            x = torch.randn(512, 512, generator=rng, device="cuda")
            assert (x @ x.T).trace().item() > 0

    with ThreadPoolExecutor() as pool:
        other = pool.submit(compute)
        try:
            test_replayed_steps_are_the_launched_ones_bit_for_bit("quick")
        finally:
            done.set()
        other.result()


@gpu
def test_two_runs_may_be_recorded_at_once():
    replayed, launched = ([trainer_of(k, "cuda", r) for k in ("quick", "dense", "mlp")] for r in (True, False))

    def steps(trainer):
        for _ in range(20):
            trainer.step()

    with ThreadPoolExecutor(len(replayed)) as pool:
        list(pool.map(steps, replayed))
    for trainer, other in zip(replayed, launched, strict=True):
        steps(other)
        assert_same(trainer, other)
        assert trainer.graphs.kept


@gpu
@pytest.mark.parametrize("kind", ["quick", "dense", "conv-small", "dcgan-upsample", "dcgan-transposed", "mlp"])
def test_networks_compute_what_they_compute_on_a_processor(kind, monkeypatch):
    """But for the order of sums; convolutions in TF32, torch's habit on a GPU, would differ in the third digit."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    here, there = trainer_of(kind, "cpu"), trainer_of(kind, "cuda")
    x, c = here._batch(0)
    torch.testing.assert_close(there.verdict(x, c).cpu(), here.verdict(x, c), rtol=1e-4, atol=1e-4)
    z, told = here.preview_latents(16)
    torch.testing.assert_close(there.sample(z, told).cpu(), here.sample(z, told), rtol=1e-4, atol=1e-4)

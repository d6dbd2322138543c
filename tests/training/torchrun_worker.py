"""What tests/training/test_distributed.py starts under torchrun: `torchrun_worker.py TASK ARGUMENTS`, see TASKS."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from pathlib import Path

import torch
import torch.distributed as td

from gan.cli.main import main
from gan.data.catalog import load
from gan.recipes.catalog import RECIPES
from gan.training import distributed
from gan.training.checkpoint import flatten
from gan.training.trainer import Trainer
from tests.conftest import make_pictures, of_random_pictures

BIG = ("dcgan-upsample", "dcgan-upsample-as-printed", "dcgan-transposed")
FAMOUS = tuple(name for name, recipe in RECIPES.items() if recipe.group == "famous")  # the networks of quick
# Our own networks once more, with everything that keeps a state of its own.
VARIANTS = {
    "quick-spectral": ("quick", {"spectral_norm": True}),
    "gradient-penalty": ("mlp", {"objective": "wasserstein", "penalty": "gradient-penalty", "d_steps": 2}),
    "augmentation that follows D": ("quick", {"augment": 1.0, "augment_target": 0.6}),
    "auxiliary classifier": ("quick-conditional", {"classifier_weight": 0.5}),
    "seen through transforms": ("conv-small", {"augment": 1.0, "instance_noise": 0.2, "gradient_clip": 0.1}),
}
# No batch statistics and no dropout: every gradient must be the joint batch's.
JOINT = {
    "as it is": {},
    "alternate, r1": {"update_order": "alternate", "sampling": "shuffle", "penalty": "r1"},
    "same noise, two D steps": {"update_order": "alternate-same-noise", "d_steps": 2},
    "simultaneous, spectral": {"update_order": "simultaneous", "spectral_norm": True, "objective": "hinge"},
    # Each process compares its own pairs; side by side they are the pairs of the joint batch.
    "relativistic pairs, r1 and r2": {"update_order": "alternate", "objective": "relativistic", "penalty": "r1+r2"},
    "gradients clipped": {"update_order": "alternate", "gradient_clip": 0.05},
}
# One step, in which D has learned before G's gradient is taken: later, rounding may carry a unit over LeakyReLU's kink.
BATCH, JOINT_STEPS, STRAIGHT_STEPS, LOST_AT = 4, 1, 12, 7
STRAIGHT = {"width": 8, "batch": BATCH}


class Recording(Trainer):
    """Remembers every gradient that an optimiser was given."""

    def _bounded(self, grads):
        bounded = super()._bounded(grads)
        self.grads = [*getattr(self, "grads", []), *(g.clone() for g in bounded)]
        return bounded


def joint_config(name: str):
    # The largest epsilon makes Adam a plain descent; else it blows rounding differences up to whole steps.
    plain = {"adam_eps": 1.0, "d_lr": 0.01, "g_lr": 0.01}
    return RECIPES["conv-small"].config.changed(batch=BATCH, **plain, **JOINT[name])


def digest(trainer: Trainer) -> str:
    """One hash of the whole state: parameters, running statistics, moments, average."""
    flat = flatten(trainer.state_dict())
    return hashlib.sha256(b"".join(flat[n].contiguous().numpy().tobytes() for n in sorted(flat))).hexdigest()


def same_everywhere(thing) -> bool:
    everyone = [None] * distributed.world()
    td.all_gather_object(everyone, thing)
    return all(other == everyone[0] for other in everyone)


def agree(config, steps: int) -> dict:
    trainer = Trainer(config, make_pictures())
    begun = digest(trainer)
    stats = [trainer.step() for _ in range(steps)]
    losses = [{k: float(v) for k, v in s.items()} for s in stats]
    return {
        "steps": steps,
        "init": same_everywhere(begun),
        "state": same_everywhere(digest(trainer)),
        "losses": same_everywhere(losses),
        "moved": begun != digest(trainer),
        "images": trainer.images_done,
    }


def without(name: str, stand_in) -> dict:
    """The same with one of the exchanges left out, to see that the test would notice."""
    original = getattr(distributed, name)
    setattr(distributed, name, stand_in)
    try:
        return agree(RECIPES["mlp"].config.changed(batch=BATCH), 2)
    finally:
        setattr(distributed, name, original)


def other_beginnings() -> bool:
    """Processes that begin with other weights end up with rank 0's."""
    mine = torch.full((3,), float(distributed.rank() + 1))
    distributed.broadcast([mine])
    return mine.tolist() == [1.0] * 3


def asking() -> str:
    """A follower that was told to end asks the leader, who reads it."""
    if distributed.rank():
        word, lr = distributed.receive_command("shutdown")
        assert (word, lr) == ("wait", {"d": 0.1, "g": 1e-8})
        return "shutdown"
    return distributed.broadcast_command("wait", {"d": 0.1, "g": 1e-8})


def check(out: Path, own_dir: Path, dataset: str) -> int:
    """Everything that needs two processes but no command line, in one job."""
    distributed.join()
    report = {"asked": asking(), "other beginnings": other_beginnings()}
    report |= {r: agree(of_random_pictures(RECIPES[r].config).changed(batch=BATCH), steps_of(r)) for r in trainable()}
    report |= {n: agree(RECIPES[r].config.changed(batch=BATCH, **c), 20) for n, (r, c) in VARIANTS.items()}
    report["no gradients exchanged"] = without("average_grads", lambda grads: grads)
    report["no statistics exchanged"] = without("average", lambda tensors: None)
    for name in JOINT:
        trainer = Recording(joint_config(name), make_pictures())
        for _ in range(JOINT_STEPS):
            trainer.step()
        save(out / f"{name}.pt", {"grads": trainer.grads, "params": trainer.g_params + trainer.d_params})
    pictures = load(dataset, "train", own_dir)
    straight = Trainer(RECIPES["quick"].config.changed(dataset=dataset, **STRAIGHT), pictures)
    for _ in range(STRAIGHT_STEPS):
        straight.step()
    save(out / "straight.pt", flatten(straight.state_dict()))
    if distributed.rank() == 0:
        (out / "report.json").write_text(json.dumps(report))
    distributed.leave()
    return 0


def steps_of(recipe: str) -> int:
    return 10 if recipe in (*BIG, *FAMOUS) else 200


def trainable() -> list[str]:
    return [name for name in RECIPES if name != "conv-small-as-printed"]


def save(path: Path, thing) -> None:
    if distributed.rank() == 0:
        torch.save(thing, path)


def train(out: Path, lost_at: int, *arguments: str) -> int:
    """The command line; rank 1 is killed between the gradients of D and of G of one step, but never twice."""
    trainers, init, average, calls = [], Trainer.__init__, distributed.average_grads, [0]

    def remember(self, *args, **kwargs):
        trainers.append(self)
        init(self, *args, **kwargs)

    def die(grads):
        calls[0] += 1
        if distributed.rank() == 1 and not distributed.restarted() and calls[0] == 2 * lost_at + 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return average(grads)

    Trainer.__init__, distributed.average_grads = remember, die
    code = main(["train", *arguments])
    (out / f"rank-{os.environ['RANK']}.txt").write_text(digest(trainers[-1]))
    return code


if __name__ == "__main__":
    task, *rest = sys.argv[1:]
    if task == "check":
        sys.exit(check(Path(rest[0]), Path(rest[1]), rest[2]))
    sys.exit(train(Path(rest[0]), int(rest[1]), *rest[2:]))

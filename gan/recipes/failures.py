"""GALLERY: small trainings that fail on purpose, each reliably and within half a minute, and what cures them.

Every entry is `quick` with other settings (catalog.py), so that only what the settings say makes it fail.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gan.core.config import Changes

PREFIX = "gallery:"

# A quarter of quick's work, without its groups: they would keep a generator from collapsing.
_SMALL: Changes = {"clusters": 0, "z_dim": 32, "width": 16, "batch": 32, "total_steps": 500}


@dataclass(frozen=True)
class Failure:
    """A training that fails. `kind` is the verdict it should get (gan/monitor/diagnosis/), `cure`
    the settings to change.
    """

    kind: str
    title: str
    about: str
    look_for: str
    cure_about: str
    changes: Changes = field(default_factory=dict)
    cure: Changes = field(default_factory=dict)


# fmt: off
GALLERY: dict[str, Failure] = {
    "mode-collapse": Failure(
        "mode-collapse", "Mode collapse",
        "The generator's steps are 250 times as large as the discriminator's, and nothing keeps that one flat.",
        "Every noise gives the same picture. D learns to refuse it, and all of them change together.",
        "Both learn equally fast, and the R1 penalty keeps the discriminator flat around real pictures.",
        _SMALL | {"penalty": "none", "g_lr": 0.05, "d_lr": 2e-4, "beta1": 0.5, "total_steps": 800},
        {"penalty": "r1", "g_lr": 4e-3, "d_lr": 4e-3, "beta1": 0.0},
    ),
    "strong-discriminator": Failure(
        "discriminator-too-strong", "Discriminator too strong",
        "The objective as first written, and a discriminator that takes three large steps for each small one of G.",
        "D's verdict on generated pictures is 0 % within seconds, and the pictures stay as they were.",
        "The non-saturating objective gives a gradient also when D is sure; equal steps and R1 keep D from being sure.",
        _SMALL | {"objective": "minimax", "penalty": "none", "d_lr": 2e-3, "g_lr": 2e-4, "d_steps": 3,
                  "total_steps": 400},
        {"objective": "non-saturating", "penalty": "r1", "d_lr": 4e-3, "g_lr": 4e-3, "d_steps": 1},
    ),
    "oscillation": Failure(
        "oscillation", "Going round in circles",
        "Both learn at the same moment, with much momentum and no penalty: each answers where the other was.",
        "The verdicts swing from one side to the other, and the pictures with them, without getting better.",
        "They take turns, without momentum, and R1 damps the swings.",
        _SMALL | {"penalty": "none", "beta1": 0.9, "beta2": 0.9, "d_lr": 1e-3, "g_lr": 2e-3,
                  "update_order": "simultaneous", "total_steps": 600},
        {"penalty": "r1", "beta1": 0.0, "beta2": 0.99, "d_lr": 4e-3, "g_lr": 4e-3, "update_order": "alternate"},
    ),
    "divergence": Failure(
        "divergence", "Blowing up",
        "Adam without a memory of the gradients' size (β₂ = 0) but with momentum: some steps become enormous.",
        "The losses jump, and become NaN within seconds: not a number. The last good state is kept.",
        "With β₂ = 0.99 Adam knows how large gradients are, and takes no step much larger than the learning rate.",
        _SMALL | {"beta1": 0.9, "beta2": 0.0},
        {"beta1": 0.0, "beta2": 0.99},
    ),
    "memorisation": Failure(
        "memorisation", "Learned by heart",
        "There are only sixteen training pictures.",
        "D tells these sixteen from everything else, and the generator repeats them.",
        "With all 60,000 pictures nothing can be learned by heart: the generator has to learn what a digit is.",
        _SMALL | {"data_limit": 16, "total_steps": 800},
        {"data_limit": 0},
    ),
    "relu-output": Failure(
        "cannot-paint-black", "Cannot paint black",
        "The generator ends in relu, as the first article prints it: no pixel can be darker than mid-grey.",
        "The background stays grey, and D needs to look at nothing else.",
        "tanh reaches from black to white.",
        _SMALL | {"output": "relu"},
        {"output": "tanh"},
    ),
}
# fmt: on

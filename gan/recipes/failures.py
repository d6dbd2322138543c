"""GALLERY: small trainings that fail on purpose, each reliably and within half a minute, and what cures them.

Every entry is `quick` with other settings (catalog.py), so that only what the settings say makes it fail.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gan.core.config import Changes
from gan.core.messages import labelled

PREFIX = "gallery:"

# A quarter of quick's work, without its groups: they would keep a generator from collapsing.
_SMALL: Changes = {"clusters": 0, "z_dim": 32, "width": 16, "batch": 32, "total_steps": 500}


@dataclass(frozen=True)
class Failure:
    """A training that fails. `kind` is the verdict it should get (gan/monitor/diagnosis/), `cure`
    the settings to change.
    """

    kind: str
    changes: Changes = field(default_factory=dict)
    cure: Changes = field(default_factory=dict)
    title: str = ""  # what follows is in the catalogue, by its name
    about: str = ""
    look_for: str = ""
    cure_about: str = ""


# fmt: off
GALLERY: dict[str, Failure] = {
    "mode-collapse": Failure(
        "mode-collapse", _SMALL | {"penalty": "none", "g_lr": 0.05, "d_lr": 2e-4, "beta1": 0.5, "total_steps": 800},
        {"penalty": "r1", "g_lr": 4e-3, "d_lr": 4e-3, "beta1": 0.0},
    ),
    "strong-discriminator": Failure(
        "discriminator-too-strong",
        _SMALL | {"objective": "minimax", "penalty": "none", "d_lr": 2e-3, "g_lr": 2e-4, "d_steps": 3,
                  "total_steps": 400},
        {"objective": "non-saturating", "penalty": "r1", "d_lr": 4e-3, "g_lr": 4e-3, "d_steps": 1},
    ),
    "oscillation": Failure(
        "oscillation", _SMALL | {"penalty": "none", "beta1": 0.9, "beta2": 0.9, "d_lr": 1e-3, "g_lr": 2e-3,
                  "update_order": "simultaneous", "total_steps": 600},
        {"penalty": "r1", "beta1": 0.0, "beta2": 0.99, "d_lr": 4e-3, "g_lr": 4e-3, "update_order": "alternate"},
    ),
    "divergence": Failure(
        "divergence", _SMALL | {"beta1": 0.9, "beta2": 0.0},
        {"beta1": 0.0, "beta2": 0.99},
    ),
    "memorisation": Failure(
        "memorisation", _SMALL | {"data_limit": 16, "total_steps": 800},
        {"data_limit": 0},
    ),
    "relu-output": Failure(
        "cannot-paint-black", _SMALL | {"output": "relu"},
        {"output": "tanh"},
    ),
}
GALLERY = labelled("failures", GALLERY, "title", "about", "look_for", "cure_about")
# fmt: on

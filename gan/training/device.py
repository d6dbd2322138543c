"""Which device computes, in which precision, and with how many threads."""

from __future__ import annotations

import torch

from gan.core.config import Config, ConfigError
from gan.core.messages import say


def best_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def use_threads(count: int) -> None:
    torch.set_num_threads(count)
    torch.get_num_threads()  # pins it: a thread that has not computed yet would take the process-wide number


def resolved_precision(config: Config, device: torch.device) -> str:
    """float32 or bfloat16; "auto" is bfloat16 on processors with matrix units for it (Intel's AMX), else float32.

    Raises ConfigError for a GPU that cannot compute in bfloat16; every processor can, if slowly.
    """
    if config.precision == "auto":
        return "bfloat16" if device.type == "cpu" and has_amx() else "float32"
    if config.precision == "bfloat16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise ConfigError(say("training.no_bfloat16"))
    return config.precision


def has_amx() -> bool:
    """Whether this processor has AMX and the system lets us use it, which some sandboxes do not."""
    return torch.cpu._is_amx_tile_supported() and torch.cpu._init_amx()

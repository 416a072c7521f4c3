"""The weights that learn: taken out, put back, and drawn without touching torch's global random state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def isolated_randomness(seed: int, device: torch.device) -> Iterator[None]:
    """torch's global random state is seeded inside and untouched outside."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def trained_tensors(network: nn.Module) -> dict[str, Tensor]:
    """Copies of the trainable parameters on the CPU, by name."""
    return {
        name: parameter.detach().to("cpu", copy=True).contiguous()
        for name, parameter in network.named_parameters()
        if parameter.requires_grad
    }


def set_tensors(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Put `tensors` into the parameters of these names."""
    parameters = dict(network.named_parameters())
    with torch.no_grad():
        for name, tensor in tensors.items():
            parameters[name].copy_(tensor)

"""What makes a step out of a gradient: AdamW or SGD with decoupled weight decay, and the learning rate over time.

Loshchilov & Hutter 2019, Decoupled weight decay regularization (arXiv 1711.05101): decay is no part of the gradient,
so Adam does not rescale it and momentum does not carry it on. Devlin et al. 2019: no decay on biases and normalisation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from tianti.adapt.options import Training
from tianti.core.exceptions import IncompatibleError

FUSED_DEVICES = ("cpu", "cuda")
"""Where torch has one kernel for the whole of AdamW's step: about a seventh of the time on a CPU."""


SHARE = "share"
"""Of a group of parameters: what its learning rate is of that of all."""


class DecoupledSGD(torch.optim.SGD):
    """θ ← θ − η · m − η λ θ with m ← μ m + ∇L(θ), and m = ∇L(θ) without momentum.

    λ is `decay` of a parameter's group. torch's own `weight_decay` would add λ θ to the gradient, and so to the
    momentum.
    """

    def step(self, closure: Any = None) -> Any:
        with torch.no_grad():
            for group in self.param_groups:
                moved = [parameter for parameter in group["params"] if parameter.grad is not None]
                if group["decay"] and moved:
                    torch._foreach_mul_(moved, 1 - group["lr"] * group["decay"])
        return super().step(closure)


def make_optimizer(network: nn.Module, settings: Training, lr: float) -> torch.optim.Optimizer:
    """The optimizer over the trainable parameters; biases and normalisation weights (vectors) do not decay."""
    learning = trainable(network)
    decay = "decay" if settings.optimizer == "sgd" else "weight_decay"
    groups = []
    for parameters, share in _by_rate(network, settings, lr):
        matrices = [parameter for parameter in parameters if parameter.dim() > 1]
        vectors = [parameter for parameter in parameters if parameter.dim() <= 1]
        groups += [
            {"params": matrices, decay: settings.weight_decay, SHARE: share},
            {"params": vectors, decay: 0.0, SHARE: share},
        ]
    groups = [group for group in groups if group["params"]]
    if settings.optimizer == "sgd":
        return DecoupledSGD(groups, lr=lr, momentum=settings.momentum, foreach=True)
    fused = all(parameter.device.type in FUSED_DEVICES for parameter in learning)
    return torch.optim.AdamW(groups, lr=lr, fused=fused or None)


def _by_rate(network: nn.Module, settings: Training, lr: float) -> list[tuple[list[nn.Parameter], float]]:
    """The trainable parameters, those of a fresh head apart where it has a rate of its own, and the share of `lr`.

    Raises:
        IncompatibleError: a rate for a head, and the network has no fresh one.
    """
    learning = trainable(network)
    if settings.head_lr is None:
        return [(learning, 1.0)]
    head = getattr(network, "head", None)
    if not isinstance(head, nn.Module) or not hasattr(network, "body"):
        raise IncompatibleError(
            f"{settings.name}: head_lr is the rate of a fresh head, and {type(network).__name__} has none",
            remedy="leave head_lr out, or put a task head on the model with head=true",
        )
    fresh = {id(parameter) for parameter in head.parameters()}
    return [
        ([parameter for parameter in learning if id(parameter) not in fresh], 1.0),
        ([parameter for parameter in learning if id(parameter) in fresh], settings.head_lr / lr),
    ]


def rate_at(step: int, steps: int, warmup: float, schedule: str = "linear") -> float:
    """The share of the learning rate in `step` of `steps` (from 0): up over the warm-up, then by the schedule.

    Linear and cosine go down towards 0, which they would reach after the last step.
    """
    rising = math.ceil(warmup * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    if step >= steps:
        return 0.0
    if schedule == "constant":
        return 1.0
    left = (steps - step) / (steps - rising)
    return left if schedule == "linear" else 0.5 * (1 - math.cos(math.pi * left))


def set_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """The learning rate of the next step; a group's own share of it."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group[SHARE]


def trainable(network: nn.Module) -> list[nn.Parameter]:
    """The parameters that learn."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def clip(parameters: Iterable[nn.Parameter], largest: float) -> None:
    """Scale the whole gradient down to the norm `largest` where it is longer (Pascanu et al. 2013)."""
    torch.nn.utils.clip_grad_norm_(parameters, largest)

"""The training loop: AdamW, linear warm-up and decay, clipping, batches of equal length, the best epoch's weights.

Loshchilov & Hutter 2019 (decoupled weight decay); Devlin et al. 2019 (warm-up, linear decay, no decay on biases and
normalisation).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tianti.adapt.options import Training
from tianti.adapt.samples import Item, shuffled_batches, size, sorted_batches
from tianti.core.exceptions import NonFiniteError
from tianti.core.progress import Progress

Loss = Callable[[Any, Sequence[Any]], tuple[Tensor, int]]
"""(network, items) → the summed loss of the items in nats, and how many terms it sums."""


@dataclass(frozen=True)
class History:
    """What the training did."""

    steps: int
    tokens: int
    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]


@contextmanager
def isolated_randomness(seed: int, device: torch.device) -> Iterator[None]:
    """torch's global random state is seeded inside and untouched outside."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def train(
    network: nn.Module,
    loss: Loss,
    items: Sequence[Item],
    validation: Sequence[Item],
    settings: Training,
    lr: float,
    seed: int,
    progress: Progress,
    title: str,
) -> History:
    """Train the parameters of `network` that require a gradient, and leave it with the best epoch's weights.

    The best epoch is the one with the least validation loss; the last one where there is nothing to validate on.
    Same seed, machine and thread count: the same weights, bit for bit.

    Raises:
        NonFiniteError: the loss is no number any more.
    """
    device = next(network.parameters()).device
    steps = settings.epochs * math.ceil(len(items) / settings.batch)
    optimizer = make_optimizer(network, lr, settings.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: rate_at(step, steps, settings.warmup)
    )
    generator = torch.Generator().manual_seed(seed)
    sizes = [size(item) for item in items]
    train_losses: list[float] = []
    validation_losses: list[float] = []
    best: dict[str, Tensor] = {}
    with isolated_randomness(seed, device), progress.meter(title, steps) as meter:
        for _ in range(settings.epochs):
            network.train()
            total, count = 0.0, 0
            for batch in shuffled_batches(sizes, settings.batch, generator):
                summed, terms = loss(network, [items[index] for index in batch])
                mean = summed / terms
                if not torch.isfinite(mean):
                    raise NonFiniteError(
                        f"{title}: the loss became {mean.item()}", remedy=f"try lr below {lr:g}"
                    )
                optimizer.zero_grad(set_to_none=True)
                mean.backward()  # type: ignore[no-untyped-call]
                torch.nn.utils.clip_grad_norm_(_trainable(network), settings.max_grad_norm)
                optimizer.step()
                schedule.step()
                total, count = total + float(summed.detach()), count + terms
                meter.advance(note=f"loss {total / count:.3f}")
            train_losses.append(total / count)
            if validation:
                validation_losses.append(mean_loss(network, loss, validation, settings.batch))
                if validation_losses[-1] == min(validation_losses):
                    best = trained_tensors(network)
    if best:
        set_tensors(network, best)
    network.train(False)
    return History(steps, settings.epochs * sum(sizes), tuple(train_losses), tuple(validation_losses))


def mean_loss(network: nn.Module, loss: Loss, items: Sequence[Item], batch: int) -> float:
    """The mean loss over `items` without dropout and without learning."""
    network.train(False)
    total, count = 0.0, 0
    with torch.no_grad():
        for indices in sorted_batches([size(item) for item in items], batch):
            summed, terms = loss(network, [items[index] for index in indices])
            total, count = total + float(summed), count + terms
    return total / count


def make_optimizer(network: nn.Module, lr: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW over the trainable parameters; biases and normalisation weights (vectors) do not decay."""
    matrices = [parameter for parameter in _trainable(network) if parameter.dim() > 1]
    vectors = [parameter for parameter in _trainable(network) if parameter.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=lr)


def rate_at(step: int, steps: int, warmup: float) -> float:
    """The share of the learning rate in `step` of `steps` (from 0): up over the warm-up, then down, never quite 0."""
    rising = math.ceil(warmup * steps)
    if step < rising:
        return (step + 1) / (rising + 1)
    return (steps - step) / (steps - rising) if step < steps else 0.0


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


def _trainable(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]

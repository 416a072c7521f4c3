"""The training loop: what is trained on what, with which settings, until the best epoch's weights are there."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from tianti.adapt.checkpoints import Checkpoints
from tianti.adapt.course import Course, History, Hits, Loss, mean_loss
from tianti.adapt.hook import Hook
from tianti.adapt.options import Training
from tianti.adapt.precision import recomputed
from tianti.adapt.samples import Item
from tianti.adapt.weights import isolated_randomness, set_tensors, trained_tensors
from tianti.core.exceptions import IncompatibleError
from tianti.core.progress import Progress

__all__ = [
    "History",
    "Hits",
    "Loss",
    "isolated_randomness",
    "mean_loss",
    "set_tensors",
    "train",
    "trained_tensors",
]


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
    *,
    hits: Hits | None = None,
    checkpoints: Checkpoints | None = None,
    hook: Hook | None = None,
) -> History:
    """Train the parameters of `network` that require a gradient, and leave it with the best epoch's weights.

    The best epoch is the one with the least validation loss, or with `monitor=metric` the one with the largest
    share of `hits`; the last one where there is nothing to validate on. Same seed, machine and thread count: the same
    weights, bit for bit, also where `checkpoints` holds one to go on from.

    Raises:
        NonFiniteError: the loss is no number any more.
        IncompatibleError: settings that this network, device or data cannot follow.
    """
    _check_validation(settings, validation, hits)
    device = next(network.parameters()).device
    with isolated_randomness(seed, device), recomputed(network, settings.gradient_checkpointing):
        course = Course(network, loss, items, validation, settings, lr, seed, title, hits, checkpoints, hook)
        with progress.meter(title, course.steps) as meter:
            return course.run(meter)


def _check_validation(settings: Training, validation: Sequence[Item], hits: Hits | None) -> None:
    if settings.monitor == "metric" and hits is None:
        raise IncompatibleError(
            f"{settings.name}: monitor=metric has no metric for how this task is learned",
            remedy="use monitor=loss",
        )
    wanted = "monitor=metric" if settings.monitor == "metric" else "patience"
    if not validation and (settings.monitor == "metric" or settings.patience is not None):
        raise IncompatibleError(
            f"{settings.name}: {wanted} needs examples to validate on, and the task has fewer than ten",
            remedy=f"leave {wanted} out, or give the task a validation split",
        )

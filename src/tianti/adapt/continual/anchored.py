"""Strategies that hold weights near where they were: all alike (L2), or each as firmly as earlier tasks need it (EWC).

Kirkpatrick et al. 2017, Overcoming catastrophic forgetting in neural networks (arXiv 1612.00796): to second order,
the loss of an earlier task around its own optimum θ* is ½ Σᵢ Fᵢ (θᵢ − θ*ᵢ)² with the Fisher information F. Schwarz
et al. 2018, Progress & compress (arXiv 1805.06370): one running F and the newest optimum in place of one pair for
each task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tianti.adapt.continual.strategy import Kept, Practice, Stage, Strategy
from tianti.adapt.options import NotNegative, PositiveInt, Share

if TYPE_CHECKING:
    from torch import Tensor

    from tianti.adapt.continual.family import Family, OfTask

WEIGHT, CENTRE = "weight.", "centre."
"""The names of what is kept for each shared parameter: how firmly it is held, and where."""


class Anchored(Practice):
    """Adds ½ · strength · Σᵢ wᵢ (θᵢ − cᵢ)² over the shared weights; `after` says what is kept for the next stage."""

    def __init__(self, stage: Stage, strength: float, after: Callable[[Anchored], Kept]) -> None:
        super().__init__(stage)
        self.strength, self.after = strength, after
        self.start = {name: p.detach().clone() for name, p in stage.family.shared_parameters().items()}
        self.weights = part(stage.kept, WEIGHT)
        self.centres = part(stage.kept, CENTRE)

    def penalty(self, network: Any, items: Sequence[Any]) -> Tensor | None:
        return quadratic(network.shared_parameters(), self.weights, self.centres, self.strength)

    def keep(self) -> Kept:
        return self.after(self)


@dataclass(frozen=True)
class L2(Strategy):
    """Every shared weight is held near a point with the same strength: ½ · strength · ‖θ − c‖².

    `to` is the point: `start`, where the stream began (L2-SP: Li et al. 2018, arXiv 1802.01483), or `last`, where
    the stage before ended.
    """

    name: ClassVar[str] = "l2"
    summary: ClassVar[str] = "weights are held near where the stream began, or the last stage ended"

    strength: NotNegative = 0.1
    to: Literal["start", "last"] = "start"

    def begin(self, stage: Stage) -> Practice:
        return Anchored(stage, self.strength, self._keep)

    def _keep(self, done: Anchored) -> Kept:
        import torch

        now = {name: p.detach() for name, p in done.stage.family.shared_parameters().items()}
        centres = (done.centres or done.start) if self.to == "start" else now
        return kept({name: torch.ones_like(p) for name, p in now.items()}, centres)


@dataclass(frozen=True)
class EWC(Strategy):
    """½ · strength · Σₖ Σᵢ Fₖᵢ (θᵢ − θ*ₖᵢ)² over the earlier tasks k, with Fₖ from `samples` of their examples.

    F is the mean of the squares of **each example's own gradient**; the square of a batch's mean gradient is another,
    smaller thing. The sum over tasks is one quadratic with weights Σₖ Fₖ around Σₖ Fₖ θ*ₖ / Σₖ Fₖ and a constant,
    so what is kept does not grow with the stream.
    """

    name: ClassVar[str] = "ewc"
    summary: ClassVar[str] = (
        "weights are held as firmly as the Fisher information of each earlier task says (EWC)"
    )

    strength: NotNegative = 1000.0
    samples: PositiveInt = 200

    def begin(self, stage: Stage) -> Practice:
        return Anchored(stage, self.strength, self._keep)

    def _keep(self, done: Anchored) -> Kept:
        import torch

        fisher = fisher_of(done.stage, self.samples)
        now = {name: p.detach() for name, p in done.stage.family.shared_parameters().items()}
        if not done.weights:
            return kept(fisher, now)
        total, centres = {}, {}
        for name, own in fisher.items():
            before = done.weights[name].to(own.device)
            total[name] = before + own
            weighted = before * done.centres[name].to(own.device) + own * now[name]
            # Where no task holds a weight it does not matter what it would be held to.
            centres[name] = torch.where(total[name] > 0, weighted / total[name].clamp(min=1e-30), now[name])
        return kept(total, centres)


@dataclass(frozen=True)
class OnlineEWC(EWC):
    """As EWC, with one running Fisher F ← `decay` · F + Fₖ around the newest optimum: older tasks count less and
    less."""

    name: ClassVar[str] = "online-ewc"
    summary: ClassVar[str] = "EWC with one running Fisher information around the newest optimum (online EWC)"

    decay: Share = 0.95

    def _keep(self, done: Anchored) -> Kept:
        fisher = fisher_of(done.stage, self.samples)
        now = {name: p.detach() for name, p in done.stage.family.shared_parameters().items()}
        for name, before in done.weights.items():
            fisher[name] = self.decay * before.to(fisher[name].device) + fisher[name]
        return kept(fisher, now)


def quadratic(
    parameters: Mapping[str, Tensor],
    weights: Mapping[str, Tensor],
    centres: Mapping[str, Tensor],
    strength: float,
) -> Tensor | None:
    """½ · strength · Σᵢ wᵢ (θᵢ − cᵢ)²; None where nothing is held."""
    import torch

    if not weights or strength == 0:
        return None
    terms = [
        (weights[name].to(p.device) * (p - centres[name].to(p.device)).square()).sum()
        for name, p in parameters.items()
    ]
    return 0.5 * strength * torch.stack(terms).sum()


def fisher_of(stage: Stage, samples: int) -> dict[str, Tensor]:
    """The diagonal of the empirical Fisher information of the newest task: the mean over examples of the squared
    gradient of each example's own loss, for every shared weight, without dropout."""
    import torch

    items = stage.items(stage.number)
    chosen = torch.randperm(len(items), generator=torch.Generator().manual_seed(stage.draw))[
        :samples
    ].tolist()
    return mean_squared_gradients(stage.family, [items[index] for index in chosen])


def mean_squared_gradients(family: Family, items: Sequence[OfTask]) -> dict[str, Tensor]:
    """(1/n) Σ (∂ lossₛ / ∂θ)², one example at a time."""
    import torch

    from tianti.adapt.continual.family import loss

    family.train(False)
    parameters = family.shared_parameters()
    found = {name: torch.zeros_like(p) for name, p in parameters.items()}
    for item in items:
        summed, _ = loss(family, [item])
        gradients = torch.autograd.grad(summed, list(parameters.values()), allow_unused=True)
        for name, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                found[name] += gradient.square()
    return {name: total / len(items) for name, total in found.items()}


def kept(weights: Mapping[str, Tensor], centres: Mapping[str, Tensor]) -> Kept:
    """Weights and centres as they are kept: copies on the CPU."""
    tensors = {f"{WEIGHT}{name}": tensor for name, tensor in weights.items()}
    tensors |= {f"{CENTRE}{name}": tensor for name, tensor in centres.items()}
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}


def part(tensors: Mapping[str, Tensor], kind: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `kind`, without it."""
    return {name.removeprefix(kind): tensor for name, tensor in tensors.items() if name.startswith(kind)}

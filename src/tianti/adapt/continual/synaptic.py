"""Synaptic intelligence: weights that did much for earlier tasks are held (Zenke et al. 2017, arXiv 1703.04200)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tianti.adapt.continual.anchored import CENTRE, WEIGHT, kept, part, quadratic
from tianti.adapt.continual.strategy import Kept, Practice, Stage, Strategy
from tianti.adapt.options import NotNegative, PositiveFloat

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class SI(Strategy):
    """½ · strength · Σᵢ Ωᵢ (θᵢ − θ*ᵢ)² around the last stage's weights θ*, with Ω from the way that learning took.

    Along the way each weight's part in the fall of the loss is added up, ωᵢ = −∫ gᵢ dθᵢ, with the gradient g of the
    task's loss alone. After a stage Ωᵢ grows by max(ωᵢ, 0) / (Δᵢ² + damping), Δᵢ being how far the weight moved. ω
    is that of the way to the epoch whose weights are kept.
    """

    name: ClassVar[str] = "si"
    summary: ClassVar[str] = "weights that did much for earlier tasks are held (synaptic intelligence)"

    strength: NotNegative = 1.0
    damping: PositiveFloat = 0.001

    def begin(self, stage: Stage) -> Practice:
        return Path(stage, self)


class Path(Practice):
    """Adds up ω while the optimizer walks."""

    def __init__(self, stage: Stage, settings: SI) -> None:
        super().__init__(stage)
        self.settings = settings
        self.importance, self.centres = part(stage.kept, WEIGHT), part(stage.kept, CENTRE)
        parameters = stage.family.shared_parameters()
        self.start = {name: p.detach().clone() for name, p in parameters.items()}
        self.before = {name: p.detach().clone() for name, p in parameters.items()}
        self.path = {name: p.detach().new_zeros(p.shape) for name, p in parameters.items()}
        self.best: dict[str, Tensor] = {}
        self.gradient: dict[str, Tensor] = {}

    def after_gradient(self, network: Any) -> None:
        for name, p in network.shared_parameters().items():
            if p.grad is not None:
                self.gradient[name] = p.grad.detach().clone()
            self.before[name].copy_(p.detach())

    def penalty(self, network: Any, items: Sequence[Any]) -> Tensor | None:
        return quadratic(network.shared_parameters(), self.importance, self.centres, self.settings.strength)

    def after_step(self, network: Any) -> None:
        for name, p in network.shared_parameters().items():
            if name in self.gradient:
                self.path[name] -= self.gradient[name] * (p.detach() - self.before[name])

    def on_best(self, network: Any) -> None:
        self.best = {name: path.clone() for name, path in self.path.items()}

    def keep(self) -> Kept:
        now = {name: p.detach() for name, p in self.stage.family.shared_parameters().items()}
        importance = {}
        for name, path in (self.best or self.path).items():
            moved = (now[name] - self.start[name]).square()
            own = path.clamp(min=0) / (moved + self.settings.damping)
            before = self.importance.get(name)
            importance[name] = own if before is None else before.to(own.device) + own
        return kept(importance, now)

    def state(self) -> Mapping[str, Tensor]:
        state = {f"path.{name}": path.cpu() for name, path in self.path.items()}
        state |= {f"best.{name}": path.cpu() for name, path in self.best.items()}
        return state | {f"start.{name}": tensor.cpu() for name, tensor in self.start.items()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        like = self.path
        self.path = {name: tensor.to(like[name].device) for name, tensor in part(state, "path.").items()}
        self.best = {name: tensor.to(like[name].device) for name, tensor in part(state, "best.").items()}
        self.start = {name: tensor.to(like[name].device) for name, tensor in part(state, "start.").items()}

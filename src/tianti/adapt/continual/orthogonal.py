"""O-LoRA: a low-rank step for each task, orthogonal to those of earlier ones (Wang et al. 2023, arXiv 2310.14152)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tianti.adapt.continual.strategy import Kept, Practice, Stage, Strategy
from tianti.adapt.options import NotNegative
from tianti.core.exceptions import IncompatibleError
from tianti.models.model import LoadedModel
from tianti.tasks.task import Task

if TYPE_CHECKING:
    from torch import Tensor

    from tianti.adapt.continual.family import Family

PAIR = "pair."
"""`pair.STAGE.PARAMETER`: the matrices A and B of each stage."""


@dataclass(frozen=True)
class OLoRA(Strategy):
    """Each stage learns fresh matrices A and B beside those of the stages before, which stay and are added up. The loss
    grows by `strength` · Σ (Aₖ Aᵀ)² over the earlier tasks k: the rows of A should span new directions.
    """

    name: ClassVar[str] = "o-lora"
    summary: ClassVar[str] = "fresh LoRA matrices for each task, orthogonal to those of earlier ones (O-LoRA)"

    strength: NotNegative = 0.5

    def check(self, method: Any, model: LoadedModel, tasks: Sequence[Task]) -> None:
        need_lora(self.name, method, "its steps are low-rank matrices beside the weights")

    def begin(self, stage: Stage) -> Practice:
        return Orthogonal(stage, self.strength)

    def set_out(
        self, family: Family, weights: Mapping[str, Tensor], kept: Mapping[str, Tensor], draw: int
    ) -> None:
        from tianti.adapt.continual.family import HEADS
        from tianti.adapt.weights import isolated_randomness, set_tensors

        for number in range(stages_of(kept)):
            _merge(family, kept, number)
        with isolated_randomness(draw, next(family.parameters()).device):
            for _, layer in _layers(family):
                layer.reset_lora_parameters("default", True)
        set_tensors(family, {name: tensor for name, tensor in weights.items() if name.startswith(HEADS)})

    def stand(self, family: Family, weights: Mapping[str, Tensor], kept: Mapping[str, Tensor]) -> None:
        from tianti.adapt.weights import set_tensors

        for number in range(stages_of(kept) - 1):
            _merge(family, kept, number)
        set_tensors(family, dict(weights))


class Orthogonal(Practice):
    """Holds the A of every earlier stage."""

    def __init__(self, stage: Stage, strength: float) -> None:
        super().__init__(stage)
        self.strength = strength
        self.earlier = [
            {
                name.removeprefix(f"{PAIR}{number}."): tensor
                for name, tensor in stage.kept.items()
                if name.startswith(f"{PAIR}{number}.") and ".lora_A." in name
            }
            for number in range(stages_of(stage.kept))
        ]

    def penalty(self, network: Any, items: Sequence[Any]) -> Tensor | None:
        import torch

        if not self.earlier or self.strength == 0:
            return None
        now = network.shared_parameters()
        overlaps = [
            (before.to(now[name].device) @ now[name].T).square().sum()
            for each in self.earlier
            for name, before in each.items()
        ]
        return self.strength * torch.stack(overlaps).sum()

    def keep(self) -> Kept:
        number = stages_of(self.stage.kept)
        own = {
            f"{PAIR}{number}.{name}": p.detach().to("cpu", copy=True)
            for name, p in self.stage.family.shared_parameters().items()
        }
        return dict(self.stage.kept) | own


def need_lora(name: str, method: Any, reason: str) -> None:
    """Raise IncompatibleError unless the method is LoRA, or rsLoRA."""
    if method.name not in ("lora", "rslora"):
        raise IncompatibleError(
            f"{name} does not fit {method.name}: {reason}", remedy="use it over lora or rslora"
        )


def stages_of(kept: Mapping[str, Tensor]) -> int:
    """How many stages the matrices are of that were kept."""
    return len({name.split(".")[1] for name in kept if name.startswith(PAIR)})


def _layers(family: Family) -> list[tuple[str, Any]]:
    from peft.tuners.tuners_utils import BaseTunerLayer

    return [(name, module) for name, module in family.named_modules() if isinstance(module, BaseTunerLayer)]


def _merge(family: Family, kept: Mapping[str, Tensor], number: int) -> None:
    """Add what stage `number` learned to the frozen weights of this family; the model's own stay as they are."""
    import torch
    from torch import nn

    from tianti.adapt.weights import set_tensors

    set_tensors(
        family,
        {
            name.removeprefix(f"{PAIR}{number}."): tensor
            for name, tensor in kept.items()
            if name.startswith(f"{PAIR}{number}.")
        },
    )
    for _, layer in _layers(family):
        base = layer.get_base_layer()
        with torch.no_grad():
            grown = base.weight + layer.get_delta_weight("default").to(base.weight.dtype)
        base.weight = nn.Parameter(grown, requires_grad=False)

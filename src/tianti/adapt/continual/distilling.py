"""Learning without forgetting: the network before a stage is asked what it would say (Li & Hoiem 2016, arXiv
1606.09282)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tianti.adapt.continual.outputs import check_outputs, outputs
from tianti.adapt.continual.strategy import Practice, Stage, Strategy
from tianti.adapt.options import NotNegative, PositiveFloat
from tianti.core.exceptions import IncompatibleError
from tianti.models.model import LoadedModel
from tianti.tasks.task import Task

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tianti.adapt.continual.family import Family


@dataclass(frozen=True)
class LwF(Strategy):
    """On the new task's examples the network is held to the outputs p that it gave before the stage: the loss grows by
    `strength` · T² · KL(p ‖ q), q being its outputs now, both softened by the temperature T. Nothing of earlier
    tasks is kept but the weights.

    On an encoder every earlier head is asked about the new texts, and the mean over the heads is taken; a language
    model is asked for the answer's tokens.
    """

    name: ClassVar[str] = "lwf"
    summary: ClassVar[str] = (
        "new examples are also answered as the network did before the stage (distillation)"
    )

    strength: NotNegative = 1.0
    temperature: PositiveFloat = 2.0

    def check(self, method: Any, model: LoadedModel, tasks: Sequence[Task]) -> None:
        check_outputs(self.name, method, model, tasks)

    def begin(self, stage: Stage) -> Practice:
        return Distilling(stage, self) if stage.number else Practice(stage)


class Distilling(Practice):
    """Holds a frozen copy of the family as it was before the stage."""

    def __init__(self, stage: Stage, settings: LwF) -> None:
        super().__init__(stage)
        self.settings = settings
        self.teacher = frozen(stage.family)

    def penalty(self, network: Any, items: Sequence[Any]) -> Tensor | None:
        import torch

        from tianti.adapt.continual.family import by_task

        ((task, its),) = by_task(items).items()
        with torch.no_grad():
            then = earlier_outputs(self.teacher, task, its)
        now = earlier_outputs(network, task, its)
        losses = [distillation(q, p, self.settings.temperature) for p, q in zip(then, now, strict=True)]
        return self.settings.strength * torch.stack(losses).mean()


def frozen(family: Family) -> Family:
    """A copy that stays as the family is now. What does not learn is not copied."""
    same: dict[int, Any] = {id(p): p for p in family.parameters() if not p.requires_grad}
    copied: Family = copy.deepcopy(family, same | {id(family.objectives): family.objectives})
    copied.requires_grad_(False)
    copied.train(False)
    return copied


def earlier_outputs(family: Family, task: int, items: Sequence[Any]) -> list[Tensor]:
    """What is said of the items of task `task` by the head of every task before it, [items, labels] each; of a
    language model its outputs for the items."""
    from tianti.adapt.networks import PooledNetwork

    if family.head is None:
        return [outputs(family, task, items)]
    network = family.networks[task]
    features = network.item_features(items) if isinstance(network, PooledNetwork) else None
    if features is None:
        raise AssertionError("heads stand on pooled networks")
    heads = [family.networks[number].head for number in range(task)]
    return [head(fitted(features, head)) for head in heads]


def fitted(features: Tensor, head: nn.Linear) -> Tensor:
    """Features as wide as a head reads them: a relation's head reads the text and its two parts, other heads the text.

    Raises:
        IncompatibleError: a head of relations, and a task whose texts have no marked parts.
    """
    width = head.in_features
    if features.shape[1] < width:
        raise IncompatibleError(
            "lwf: a head for relations reads two marked parts, which the next task's texts do not have",
            remedy="put tasks of relations last, or use replay",
        )
    return features[:, :width]


def distillation(now: Tensor, then: Tensor, temperature: float) -> Tensor:
    """T² · mean over rows of KL(softmax(then / T) ‖ softmax(now / T)), in nats; both are logits [rows, classes].

    With T² its gradient is of the same size for every T (Hinton et al. 2015, arXiv 1503.02531).
    """
    p = (then.float() / temperature).log_softmax(dim=-1)
    q = (now.float() / temperature).log_softmax(dim=-1)
    return temperature**2 * (p.exp() * (p - q)).sum(dim=-1).mean()

"""One network for all tasks of a stream: shared weights, and on the body of an encoder a head for each task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from tianti.adapt.learning import untrained
from tianti.adapt.lesson import Lesson
from tianti.adapt.objectives import Objective
from tianti.adapt.samples import Item
from tianti.adapt.weights import isolated_randomness
from tianti.engine.tokens import Tokens, Window

HEADS = "heads."
"""The names of the parameters of heads begin so; those of the shared weights with `shared.`."""


@dataclass(frozen=True, slots=True)
class OfTask:
    """An example as its task's objective reads it, and the place of the task in the stream."""

    task: int
    item: Any

    @property
    def rows(self) -> tuple[Tokens, ...]:
        """What the network reads."""
        rows: tuple[Tokens, ...] = (
            (self.item.tokens,) if isinstance(self.item, Window) else tuple(self.item.rows)
        )
        return rows


class Family(nn.Module):
    """The networks of several tasks over the same weights.

    A language model is one network for all; encoders have a body in common and a head for each task, so there the
    task must be known when it is asked. `networks[k]` is the network of task k.
    """

    def __init__(self, objectives: Sequence[Objective], networks: Sequence[Any]) -> None:
        super().__init__()
        self.objectives = tuple(objectives)
        self._networks = tuple(
            networks
        )  # A tuple: their weights are registered once, by the two lines below.
        self.shared = getattr(networks[0], "body", networks[0])
        self.heads = nn.ModuleDict(
            {str(number): network.head for number, network in enumerate(networks) if hasattr(network, "body")}
        )

    @property
    def networks(self) -> tuple[Any, ...]:
        return self._networks

    @property
    def body(self) -> Any:
        """The shared network, as the training loop looks for it."""
        return self.shared

    @property
    def head(self) -> nn.ModuleDict | None:
        """All heads, which may have a learning rate of their own; None where there are none."""
        return self.heads if len(self.heads) else None

    def train(self, mode: bool = True) -> Family:
        super().train(mode)
        for network in self._networks:
            network.training = mode
        return self

    def items(self, task: int, examples: Sequence[Any]) -> list[OfTask]:
        """Examples of a task as its network reads them."""
        return [OfTask(task, item) for item in self.objectives[task].items(self._networks[task], examples)]

    def shared_parameters(self) -> dict[str, nn.Parameter]:
        """The weights that learn for all tasks, by name: what can be forgotten."""
        return {
            name: parameter
            for name, parameter in self.named_parameters()
            if parameter.requires_grad and not name.startswith(HEADS)
        }


def build_family(objectives: Sequence[Objective], prepare: Callable[[Any], Any]) -> Family:
    """An untrained family. Each head is drawn for its own task, so it does not depend on the stream around it.

    A task that comes again with other examples has the head that it had.
    """
    first = untrained(objectives[0], prepare)
    shared = getattr(first, "body", first)
    networks = [first]
    for objective in objectives[1:]:
        original, _ = objective.lesson.model.pair()
        with isolated_randomness(objective.lesson.draw, original.device):
            networks.append(objective.build(lambda _: shared))
    for number, (objective, network) in enumerate(zip(objectives, networks, strict=True)):
        for earlier, other in zip(objectives[:number], networks, strict=False):
            if hasattr(network, "body") and _one_head(earlier.lesson, objective.lesson):
                network.head = other.head
    return Family(objectives, networks)


def _one_head(earlier: Lesson, later: Lesson) -> bool:
    """Whether both are of the same task: one name, one form of answers, the same labels."""
    alike = earlier.task.info.name == later.task.info.name and earlier.form == later.form
    return alike and (earlier.form not in ("labels", "tags") or earlier.labels == later.labels)


def loss(family: Family, items: Sequence[OfTask]) -> tuple[Tensor, int | Tensor]:
    """The summed loss of items of any tasks, and how many terms it sums."""
    return _added(family, items, "loss")


def hits(family: Family, items: Sequence[OfTask]) -> tuple[Any, Any]:
    """How many terms are predicted right, and of how many."""
    return _added(family, items, "hits")


def by_task(items: Sequence[OfTask]) -> Mapping[int, list[Item]]:
    """What the items hold, by task."""
    found: dict[int, list[Item]] = defaultdict(list)
    for each in items:
        found[each.task].append(each.item)
    return found


def _added(family: Family, items: Sequence[OfTask], what: str) -> tuple[Any, Any]:
    total: Any = 0
    count: Any = 0
    for task, its in by_task(items).items():
        summed, terms = getattr(family.objectives[task], what)(family.networks[task], its)
        total, count = total + summed, count + terms
    return total, count

"""What a strategy is: a frozen dataclass that says what is done, beside plain training, so that less is forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from tianti.adapt.hook import Hook
from tianti.adapt.lesson import Lesson
from tianti.adapt.options import Checked, Training
from tianti.models.model import LoadedModel
from tianti.tasks.task import Task

if TYPE_CHECKING:
    from torch import Tensor

    from tianti.adapt.continual.family import Family, OfTask

Kept: TypeAlias = "dict[str, Tensor]"
"""What a strategy keeps from one stage for the next ones, by name, on the CPU."""


@dataclass(frozen=True)
class Stage:
    """One stage of a stream while it is learned: task `number` of `lessons`, with all that came before."""

    family: Family
    lessons: tuple[Lesson, ...]
    number: int
    settings: Training
    """With numbers in place of auto."""
    kept: Mapping[str, Tensor] = field(default_factory=dict)
    """What the strategy kept from the stages before; empty in the first one."""

    @property
    def draw(self) -> int:
        """The seed of this stage's task, for what the strategy draws."""
        return self.lessons[self.number].draw

    @cached_property
    def _items(self) -> dict[int, list[OfTask]]:
        return {}

    def items(self, task: int) -> list[OfTask]:
        """The training examples of a task of this stage or before it: the same list at every stage."""
        if task not in self._items:
            examples, _ = self.lessons[task].examples(self.settings.max_examples)
            self._items[task] = self.family.items(task, examples)
        return self._items[task]


class Practice(Hook):
    """A strategy at work in one stage; a base that does nothing beside plain training."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def keep(self) -> Kept:
        """What is kept when the stage is learned, and its best weights are in the family."""
        return {}

    @property
    def sample_bytes(self) -> int:
        """The size of the samples of earlier tasks that are kept besides: 4 bytes a token."""
        return 0


@dataclass(frozen=True)
class Strategy(Checked):
    """A way of learning a stream. A new one gives `name`, `summary`, `begin`, and `check` where it does not fit all."""

    name: ClassVar[str]
    summary: ClassVar[str]
    listed: ClassVar[str] = "docs/reference/continual.md lists the settings of {name}"
    routes: ClassVar[bool] = False
    """Whether it tells tasks apart by itself."""
    learns: ClassVar[Literal["in turn", "one alone", "all at once"]] = "in turn"
    """`in turn`: each stage goes on from the one before. `one alone`: each stage learns its own task from the start.
    `all at once`: the tasks are learned together, in the last stage."""

    def check(self, method: Any, model: LoadedModel, tasks: Sequence[Task]) -> None:
        """Raise IncompatibleError, with the reason, where it cannot be combined with them."""

    def begin(self, stage: Stage) -> Practice:
        """What is done beside plain training in this stage."""
        return Practice(stage)

    def set_out(
        self, family: Family, weights: Mapping[str, Tensor], kept: Mapping[str, Tensor], draw: int
    ) -> None:
        """Put what the stage before left into a fresh family, to learn the next task from there.

        `draw` is a seed for what is fresh besides.
        """
        from tianti.adapt.weights import set_tensors

        set_tensors(family, dict(weights))

    def stand(self, family: Family, weights: Mapping[str, Tensor], kept: Mapping[str, Tensor]) -> None:
        """Put what a stage left into a fresh family, to answer with it."""
        from tianti.adapt.weights import set_tensors

        set_tensors(family, dict(weights))

    def route(self, family: Family, task: int) -> Mapping[str, Any]:
        """Facts of a run about telling tasks apart, from an untrained family over the whole stream; empty where the
        strategy does not."""
        return {}

    def asked_at(self, stage: int, task: int, tasks: int) -> int | None:
        """The stage whose network answers task `task` (from 0) after stage `stage`; None where there is no such stage.

        One model per task goes on as it is, and a task that it has not come to is asked of the untrained model.
        """
        if self.learns == "all at once":
            return stage if stage in (0, tasks) else None
        if self.learns == "one alone":
            return task + 1 if stage > task else 0
        return stage

    def taught_at(self, task: int, tasks: int) -> int:
        """The stage after which task `task` (from 0) has been learned."""
        return tasks if self.learns == "all at once" else task + 1

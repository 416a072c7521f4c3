"""A task of which a step learns some examples only: the steps of a chain that learn one after another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Literal

from tianti.adapt.examples import proportional_order
from tianti.adapt.task_view import TaskView
from tianti.core.exceptions import IncompatibleError
from tianti.core.fingerprint import fingerprint
from tianti.tasks.task import Example, Task


class TaskPart(TaskView):
    """`task` with other training examples. What is asked and how it is graded is the task's own.

    `facts` say which examples they are: with the task's fingerprint they make this one's.
    """

    def __init__(self, task: Task, train: Sequence[Example], facts: object) -> None:
        super().__init__(task)
        self._train = list(train)
        self._facts = facts

    @property
    def fingerprint(self) -> str:
        return fingerprint({"task": self._task.fingerprint, "train": self._facts})

    def examples(self, split: Literal["train", "validation"]) -> list[Example]:
        return list(self._train) if split == "train" else self._task.examples(split)


def cut(task: Task, shares: Sequence[float], seed: int) -> list[Task]:
    """The task once for what is known first, and once for each of `shares` of its training split, which come later.

    The parts are disjoint, make up the whole, have the labels in its proportions, and keep the order of the data.

    Raises:
        IncompatibleError: a part would be empty.
    """
    examples = task.examples("train")
    first = 1 - sum(shares)
    ends = [round(end * len(examples)) for end in accumulate([0.0, first, *shares])]
    order = proportional_order(examples, task, seed, "parts")
    parts: list[Task] = []
    for number, (start, end) in enumerate(pairwise(ends)):
        if start >= end:
            raise IncompatibleError(
                f"update does not fit {task.info.name}: of its {len(examples)} training examples none is left for "
                f"part {number + 1} of {len(shares) + 1}",
                remedy="give other shares, or a task with more examples",
            )
        chosen = [examples[index] for index in sorted(order[start:end])]
        parts.append(TaskPart(task, chosen, {"shares": list(shares), "part": number, "seed": seed}))
    return parts


def with_data(task: Task, other: Task) -> Task:
    """The task with the training examples of `other`.

    Raises:
        IncompatibleError: `other` has none, or other labels.
    """
    new, old = other.examples("train"), task.examples("train")
    if not new:
        raise IncompatibleError(
            f"update: {other.info.name} has no training split", remedy="name a task that has one"
        )
    if other.info.kind != task.info.kind or _labels(new) != _labels(old):
        raise IncompatibleError(
            f"update: {other.info.name} is not learned as {task.info.name} is: "
            f"{other.info.kind} with {_said(new)} beside {task.info.kind} with {_said(old)}",
            remedy="name a task of the same kind with the same labels",
        )
    return TaskPart(task, new, {"data": other.fingerprint})


def _labels(examples: Sequence[Example]) -> tuple[str, ...] | None:
    """The labels that all examples share, if they do."""
    sets = {example.choices for example in examples}
    return next(iter(sets)) if len(sets) == 1 else None


def _said(examples: Sequence[Example]) -> str:
    labels = _labels(examples)
    return f"the labels {', '.join(labels)}" if labels else "no labels in common"

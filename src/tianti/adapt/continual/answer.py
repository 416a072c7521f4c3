"""What answers one task after a stage of a stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tianti.adapt.adaptation import Adapted, Cost
from tianti.adapt.continual.learn import Learned, Plan
from tianti.adapt.learning import answering, restore_dtype
from tianti.adapt.lesson import Lesson
from tianti.engine import Backend
from tianti.tasks.task import Task


class WithFacts:
    """A backend that records more about itself."""

    def __init__(self, backend: Backend, further: Mapping[str, Any]) -> None:
        self.backend, self.further = backend, further
        self.request_types = backend.request_types
        self.prepare, self.answer, self.count_tokens = backend.prepare, backend.answer, backend.count_tokens

    def facts(self) -> Mapping[str, Any]:
        return {**self.backend.facts(), **self.further}


def answer(plan: Plan, learned: Learned | None, task: Task, stream: Sequence[Task] = ()) -> Adapted:
    """The network of `task` after the last stage of the plan, or before any; one not yet taught has a fresh head.

    `stream` is all of its tasks, for a strategy that tells them apart.
    """
    lessons = [lesson for group in plan.lessons for lesson in group]
    known = [lesson.task.fingerprint for lesson in lessons]
    further = () if task.fingerprint in known else (Lesson(plan.method, plan.model, task, plan.seed),)
    family = plan.family(len(plan.groups), further)
    cost = Cost(total_parameters=sum(parameter.numel() for parameter in family.parameters()))
    names = tuple(name for name, parameter in family.named_parameters() if parameter.requires_grad)
    if learned is not None:
        plan.strategy.stand(family, learned.weights, learned.kept)
        cost = learned.cost
    place = len(lessons) if further else known.index(task.fingerprint)
    restore_dtype(family, family.objectives[place].lesson)
    backend = answering(family.networks[place], family.objectives[place])
    if plan.strategy.routes and learned is not None:
        backend = WithFacts(backend, _routing(plan, stream, task))
    return replace(Adapted(backend, cost), network=family.networks[place], trained=names)


def _routing(plan: Plan, stream: Sequence[Task], task: Task) -> Mapping[str, Any]:
    lessons = [Lesson(plan.method, plan.model, each, plan.seed) for each in stream]
    place = [each.fingerprint for each in stream].index(task.fingerprint)
    return plan.strategy.route(plan.family(0, lessons), place)

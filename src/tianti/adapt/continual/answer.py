"""What answers one task after a stage of a stream."""

from __future__ import annotations

from dataclasses import replace

from tianti.adapt.adaptation import Adapted, Cost
from tianti.adapt.continual.learn import Learned, Plan
from tianti.adapt.learning import answering, restore_dtype
from tianti.adapt.lesson import Lesson
from tianti.tasks.task import Task


def answer(plan: Plan, learned: Learned | None, task: Task) -> Adapted:
    """The network of `task` after the last stage of the plan, or before any; one not yet taught has a fresh head."""
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
    return replace(Adapted(backend, cost), network=family.networks[place], trained=names)

"""What an adaptation learns from: the examples that can give a test away."""

from __future__ import annotations

from tianti.adapt.adaptation import Adaptation
from tianti.tasks.task import Example, Task


def examples_learned(adaptation: Adaptation, task: Task, seed: int) -> list[Example]:
    """All examples that are trained on or that choose among what was trained; empty where nothing is trained."""
    if not adaptation.trains:
        return []
    if adaptation.name == "fit":
        return task.examples("train")
    from tianti.adapt.samples import split

    train, validation = split(
        task, getattr(adaptation, "max_examples", None), seed if adaptation.seeded else 0
    )
    return [*train, *validation]

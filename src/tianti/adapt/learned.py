"""What an adaptation learns from: the examples that can give a test away."""

from __future__ import annotations

from tianti.adapt.adaptation import Adaptation
from tianti.adapt.examples import split
from tianti.adapt.stages import stages
from tianti.adapt.transfer import Transfer
from tianti.adapt.update import Update
from tianti.tasks.task import Example, Task


def examples_learned(adaptation: Adaptation, task: Task, seed: int) -> list[Example]:
    """All examples that are trained on or that choose among what was trained; empty where nothing is trained."""
    if not adaptation.trains:
        return []
    if isinstance(adaptation, Transfer):
        return examples_learned(adaptation.base, adaptation.source, seed)
    if adaptation.name == "fit":
        return task.examples("train")
    learned = stages(adaptation, task, seed)
    found: list[Example] = []
    most: int | None = None
    for stage in learned:
        if not isinstance(stage.step, Update):  # which takes as many examples as the step that goes on
            most = getattr(stage.step, "max_examples", None)
        train, validation = split(stage.task, most, stage.seed)
        found += [*train, *validation]
    return found if len(learned) == 1 else list(dict.fromkeys(found))  # several steps may learn the same

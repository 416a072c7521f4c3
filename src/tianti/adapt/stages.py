"""The trained steps of an adaptation: who learns what, one after another, and where what was learned is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tianti.adapt.continual.continual import Continual
from tianti.adapt.dialogue import in_chat
from tianti.adapt.options import settings
from tianti.adapt.parts import cut, with_data
from tianti.adapt.transfer import Transfer
from tianti.adapt.update import Update
from tianti.core.fingerprint import fingerprint
from tianti.models.model import LoadedModel
from tianti.tasks.task import Task

if TYPE_CHECKING:
    from tianti.adapt.adaptation import Adaptation


@dataclass(frozen=True)
class Stage:
    """A trained step with the examples that it learns. The seed is 0 where the step draws nothing from it."""

    step: Adaptation
    task: Task
    seed: int


def stages(adaptation: Adaptation, task: Task, seed: int, tokenizer: Any = None) -> list[Stage]:
    """The trained steps in their order; none where nothing is trained.

    Steps of a chain that ends in a chat learn their examples in that chat, written by the model's `tokenizer`.
    """
    if isinstance(adaptation, Transfer):
        return stages(adaptation.base, adaptation.source, seed, tokenizer)
    if isinstance(adaptation, Continual):
        return adaptation.learned(seed)
    steps = [step for step in getattr(adaptation, "steps", (adaptation,)) if step.trains]
    shares = [step.part for step in steps if isinstance(step, Update) and step.data is None]
    parts = cut(task, shares, seed) if shares else [task]
    now = parts.pop(0)
    found: list[Stage] = []
    for step in steps:
        if isinstance(step, Update):
            now = parts.pop(0) if step.data is None else with_data(task, data_of(step))
        found.append(Stage(step, now, seed if step.seeded else 0))
    prompt = getattr(adaptation, "prompt", None)
    if tokenizer is None or not getattr(prompt, "chat", False):
        return found
    system = getattr(prompt, "system", None)
    return [replace(stage, task=in_chat(stage.task, tokenizer, system)) for stage in found]


def data_of(step: Update) -> Task:
    """The task whose training split an update learns."""
    from tianti.tasks import load_tasks

    (task,) = load_tasks(step.data or "")
    return task


def address(model: LoadedModel, learned: Sequence[Stage]) -> str:
    """64 hex digits for what these stages have learned: equal for the same steps on the same examples by one model.

    How many samples are asked afterwards is no part of it, so what was trained serves for all of that.
    """
    return fingerprint(
        {
            "model": model.model.fingerprint,
            "dtype": model.options.dtype,
            "stages": [
                {
                    "name": stage.step.name,
                    "settings": settings(stage.step),
                    "task": stage.task.fingerprint,
                    "seed": stage.seed,
                }
                for stage in learned
            ],
        }
    )


def facts_of_data(adaptation: Any) -> dict[str, str]:
    """The fingerprints of other data than the task's own that is learned, by reference: part of a trial's manifest."""
    if isinstance(adaptation, Transfer):
        return {adaptation.data: adaptation.source.fingerprint, **facts_of_data(adaptation.base)}
    steps = [step for step in getattr(adaptation, "steps", ()) if isinstance(step, Update)]
    return {step.data: data_of(step).fingerprint for step in steps if step.data is not None}

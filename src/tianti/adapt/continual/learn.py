"""A stream is learned stage by stage; each stage is kept in a folder of its own, and is found there again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import Tensor

from tianti.adapt import saving
from tianti.adapt.adaptation import Cost
from tianti.adapt.checkpoints import Checkpoints
from tianti.adapt.continual.family import Family, OfTask, build_family, hits, loss
from tianti.adapt.continual.strategy import Practice, Stage, Strategy
from tianti.adapt.defaults import resolved
from tianti.adapt.learning import training_cost
from tianti.adapt.lesson import Lesson
from tianti.adapt.memory import AddedMemory
from tianti.adapt.objectives import choose_objective
from tianti.adapt.options import Training, settings
from tianti.adapt.training import History, train, trained_tensors
from tianti.core.locks import locked
from tianti.core.progress import Progress
from tianti.models.model import LoadedModel
from tianti.tasks.task import Task

WEIGHTS, KEPT = "weights.", "kept."
"""What the names of saved tensors begin with: what was trained, and what the strategy keeps."""


@dataclass(frozen=True)
class Learned:
    """What a stage left: the trained weights, what the strategy keeps, and the cost of all stages so far.

    `cost.saved_bytes` is the size of this stage's folder alone, and of samples that are kept besides: what it takes to
    go on from here.
    """

    weights: dict[str, Tensor]
    kept: dict[str, Tensor]
    cost: Cost


@dataclass(frozen=True)
class Plan:
    """Who learns what in which order: each of `groups` is the tasks of one stage."""

    method: Any
    strategy: Strategy
    model: LoadedModel
    groups: tuple[tuple[Task, ...], ...]
    seed: int

    @cached_property
    def lessons(self) -> tuple[tuple[Lesson, ...], ...]:
        return tuple(
            tuple(Lesson(self.method, self.model, task, self.seed) for task in group) for group in self.groups
        )

    @cached_property
    def settings(self) -> Training:
        """The method's settings, with numbers in place of auto."""
        found: Training = resolved(self.method, self.model.pair()[0].num_parameters())
        return found

    def identity(self, stages: int) -> dict[str, Any]:
        """What decides what is there after so many stages."""
        return {
            "method": {"name": self.method.name, "settings": settings(self.method)},
            "strategy": {"name": self.strategy.name, "settings": settings(self.strategy)},
            "model": self.model.model.fingerprint,
            "tasks": [[task.fingerprint for task in group] for group in self.groups[:stages]],
            "seed": self.seed,
        }

    def family(self, stages: int, further: Sequence[Lesson] = ()) -> Family:
        """An untrained family over the tasks of the first `stages` stages, and `further` ones."""
        lessons = [lesson for group in self.lessons[:stages] for lesson in group]
        objectives = [choose_objective(lesson) for lesson in (*lessons, *further)]
        tokenizer = self.model.pair()[1]
        return build_family(objectives, lambda network: self.method.prepare(network, tokenizer))


def learn(plan: Plan, folders: Sequence[Path], progress: Progress) -> Learned:
    """What is there after the last stage: found in its folder, or learned, and before it what it starts from.

    `folders` has one for each stage; the last one is locked by whoever asks.
    """
    return _stage(plan, len(plan.groups), folders, progress)


def _stage(plan: Plan, stages: int, folders: Sequence[Path], progress: Progress) -> Learned:
    folder, identity = folders[stages - 1], plan.identity(stages)
    with locked(folder) if stages < len(folders) else nullcontext():
        found = saving.load(folder, identity)
        if found is None:
            tensors, cost = _train(plan, stages, folders, progress)
            saved = saving.save(folder, identity, tensors, cost)
            found = tensors, replace(cost, saved_bytes=cost.saved_bytes + saved)
            Checkpoints(folder, {}).clear()
    tensors, cost = found
    return Learned(_part(tensors, WEIGHTS), _part(tensors, KEPT), cost)


def _train(
    plan: Plan, stages: int, folders: Sequence[Path], progress: Progress
) -> tuple[dict[str, Tensor], Cost]:
    # Counted before the stages before are there: what they left is needed to go on.
    memory = AddedMemory(plan.model.pair()[0].device)
    before = _stage(plan, stages - 1, folders, progress) if stages > 1 else None
    family = plan.family(stages)
    lessons = tuple(lesson for group in plan.lessons[:stages] for lesson in group)
    number = len(lessons) - 1
    if before is not None:
        plan.strategy.set_out(family, before.weights, before.kept, lessons[number].draw)
    practice = plan.strategy.begin(
        Stage(family, lessons, number, plan.settings, before.kept if before is not None else {})
    )
    history, examples = _practise(plan, stages, practice, folders[stages - 1], progress)
    kept = practice.keep()
    weights = trained_tensors(family)
    own = training_cost(family, weights, history, examples, memory.most)
    cost = replace(before.cost.then(own) if before else own, saved_bytes=practice.sample_bytes)
    tensors = {f"{WEIGHTS}{name}": tensor for name, tensor in weights.items()}
    return tensors | {f"{KEPT}{name}": tensor.contiguous() for name, tensor in kept.items()}, cost


def _practise(
    plan: Plan, stages: int, practice: Practice, folder: Path, progress: Progress
) -> tuple[History, int]:
    """Train on the tasks of the newest stage; the best epoch is the one that is best on their validation examples."""
    stage, lessons = practice.stage, plan.lessons[stages - 1]
    first = stage.number + 1 - len(lessons)
    items: list[OfTask] = []
    held: list[OfTask] = []
    for number, lesson in enumerate(lessons, start=first):
        items += stage.items(number)
        held += stage.family.items(number, lesson.examples(plan.settings.max_examples)[1])
    history = train(
        stage.family,
        loss,
        items,
        held,
        plan.settings,
        float(plan.settings.lr),
        stage.draw,
        progress,
        f"{plan.method.name} · {plan.strategy.name} · {' + '.join(lesson.task.info.name for lesson in lessons)}",
        hits=hits,
        checkpoints=Checkpoints(
            folder, plan.identity(stages) | {"lr": plan.settings.lr, "batch": plan.settings.batch}
        ),
        hook=practice,
    )
    return history, len(items)


def _part(tensors: dict[str, Tensor], kind: str) -> dict[str, Tensor]:
    return {name.removeprefix(kind): tensor for name, tensor in tensors.items() if name.startswith(kind)}

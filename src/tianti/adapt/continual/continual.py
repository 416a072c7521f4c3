"""A stream of tasks as an adaptation: what a model is after it has learned the first of them, one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from tianti.adapt.adaptation import Adapted
from tianti.adapt.options import Checked, settings
from tianti.adapt.prompting import Text
from tianti.core.call import Call
from tianti.core.exceptions import IncompatibleError, InputError
from tianti.core.progress import Progress
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task

if TYPE_CHECKING:
    from tianti.adapt.continual.strategy import Strategy
    from tianti.adapt.stages import Stage

METHODS = ("full", "lora", "dora", "rslora")
"""Methods whose weights are the model's own, or merge into them."""


@dataclass(frozen=True)
class Continual(Checked):
    """`method` learns the tasks of `stream` one after another, and `strategy` works against forgetting.

    `stage` is how many tasks have been learned, all where it is not given; at stage 0 nothing has. An encoder has one
    body and a head for each task: there the task is known when it is asked. A study writes it with the keys `stream`
    and `strategies`, and asks every task after every stage.
    """

    name: ClassVar[str] = "continual"
    summary: ClassVar[str] = "tasks one after another, with a strategy against forgetting"
    seeded: ClassVar[bool] = True
    trains: ClassVar[bool] = True

    method: Text = "full"
    strategy: Text = "plain"
    stream: tuple[Text, ...] = ()
    stage: Annotated[int, Field(ge=0)] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.learner.name not in METHODS or not hasattr(self.learner, "prepare"):
            raise InputError(
                f"continual: {self.method} does not go on over a stream",
                remedy=f"use one of {', '.join(METHODS)}, with settings and not with ranges of them",
            )
        if self.learner.batches == "packed":
            raise InputError("continual: batches=packed does not go on over a stream", remedy="leave it out")
        if self.stage is not None and self.stage > len(self.stream):
            raise InputError(
                f"continual: stage {self.stage} of a stream of {len(self.stream)} tasks",
                remedy=f"give a stage from 0 to {len(self.stream)}",
            )
        if self.policy.learns == "all at once" and self.at not in (0, len(self.stream)):
            raise InputError(
                f"continual: {self.policy.name} learns all tasks at once, and has no stage {self.at}",
                remedy="leave stage out",
            )

    @classmethod
    def over(cls, tasks: Sequence[Task], references: Sequence[str], **fields: Any) -> Continual:
        """One whose tasks are open already."""
        made = cls(stream=tuple(references), **fields)
        made.__dict__["tasks"] = tuple(tasks)
        return made

    @cached_property
    def learner(self) -> Any:
        """The method, as an adaptation."""
        from tianti.adapt import parse_adaptation

        return parse_adaptation(self.method)

    @cached_property
    def policy(self) -> Strategy:
        """The strategy."""
        from tianti.adapt.continual import parse_strategy

        return parse_strategy(self.strategy)

    @property
    def at(self) -> int:
        """The stage as a number."""
        return len(self.stream) if self.stage is None else self.stage

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of the stream.

        Raises:
            InputError: a reference that is not exactly one task.
        """
        from tianti.tasks import load_tasks

        found = [load_tasks(reference) for reference in self.stream]
        for reference, loaded in zip(self.stream, found, strict=True):
            if len(loaded) != 1:
                raise InputError(f"stream: {reference} is {len(loaded)} tasks", remedy="name each by itself")
        return tuple(loaded[0] for loaded in found)

    @property
    def max_examples(self) -> int | None:
        """How many examples of each task are learned."""
        most: int | None = self.learner.max_examples
        return most

    @property
    def epochs(self) -> int:
        epochs: int = self.learner.epochs
        return epochs

    @property
    def in_full(self) -> dict[str, Any]:
        """All settings, with those of method and strategy written out: later defaults change nothing."""
        from tianti.adapt.continual import in_full

        method = {key: value for key, value in settings(self.learner).items() if value is not None}
        return {
            "method": str(Call(self.learner.name, method)),
            "strategy": in_full(self.policy),
            "stream": list(self.stream),
            "stage": self.at,
        }

    @property
    def label(self) -> str:
        """What it is called: the stream is left out, and the stage where it is the last."""
        from tianti.adapt import label
        from tianti.adapt.continual import short

        said: dict[str, Any] = {"method": label(self.learner), "strategy": short(self.policy)}
        return str(Call(self.name, said | ({} if self.at == len(self.stream) else {"stage": self.at})))

    @property
    def facts(self) -> list[dict[str, str]]:
        """Which tasks the stream is of: their names and fingerprints, part of a trial's manifest."""
        return [{"name": task.info.name, "fingerprint": task.fingerprint} for task in self.tasks]

    @property
    def groups(self) -> tuple[tuple[Task, ...], ...]:
        """The tasks that each stage up to this one learns, as far as this one depends on it."""
        if self.at == 0:
            return ()
        if self.policy.learns == "all at once":
            return (self.tasks,)
        if self.policy.learns == "one alone":
            return ((self.tasks[self.at - 1],),)
        return tuple((task,) for task in self.tasks[: self.at])

    def learned(self, seed: int) -> list[Stage]:
        """Every task that is learned, in order, for whoever looks at what a model has seen."""
        from tianti.adapt.stages import Stage

        alone = replace(self, stream=(), stage=None)
        return [Stage(alone, task, seed) for group in self.groups for task in group]

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        return Shots(0)

    def check(self, model: LoadedModel, task: Task) -> None:
        if not self.stream:
            raise IncompatibleError(
                "continual learns a stream of tasks, and none is given",
                remedy="give a study the key stream: [nano/sentiment, nano/relations], or the setting of this name",
            )
        for each in self.tasks:
            self.learner.check(model, each)
        self.policy.check(self.learner, model, self.tasks)
        known = [task.fingerprint for task in self.tasks]
        if task.fingerprint not in known:
            raise IncompatibleError(
                f"continual: {task.info.name} is no task of the stream", remedy="add it to the stream"
            )
        place = known.index(task.fingerprint) + 1
        if self.policy.learns == "one alone" and self.at not in (0, place):
            raise IncompatibleError(
                f"continual: the model that {self.policy.name} has for task {self.at} of the stream does not answer "
                f"task {place}",
                remedy=f"give stage={place}",
            )

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        from tianti.adapt.continual.answer import answer
        from tianti.adapt.continual.learn import Plan, learn
        from tianti.adapt.stages import address

        plan = Plan(self.learner, self.policy, model, self.groups, seed)
        steps, sizes = self.learned(seed), [len(group) for group in self.groups]
        ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
        folders = [folder.parent / address(model, steps[:end])[:16] for end in ends[:-1]]
        learned = learn(plan, [*folders, folder], progress) if sizes else None
        return answer(plan, learned, task, self.tasks)


def facts_of_stream(adaptation: Any) -> dict[str, Any]:
    """What a trial's manifest says of the stream; nothing for other adaptations."""
    return {"stream": adaptation.facts} if isinstance(adaptation, Continual) else {}

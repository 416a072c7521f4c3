"""A chain: several adaptations one after another, each starting from the model that the one before left.

`lora + few-shot(k=4)`: trained with LoRA, then asked with four solved examples. `lora + update(share=0.25)`: trained on
three quarters of the examples, then on the last one. `head-only + full`: the head first, then everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from tianti.adapt.adaptation import Adaptation, Adapted, Cost
from tianti.adapt.stages import Stage, address, stages
from tianti.adapt.update import Update
from tianti.core.exceptions import IncompatibleError, InputError
from tianti.core.locks import locked
from tianti.core.progress import Progress
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task

BETWEEN = " + "
"""Stands between the steps in the notation."""


@dataclass(frozen=True)
class Chain:
    """Trained steps, and behind them at most one that prompts.

    What each trained step learned is kept in a folder of its own, next to the chain's, named by what it is: a step
    that the store has trained before, alone or in another chain, is found and not trained again.
    """

    steps: tuple[Adaptation, ...]

    def __post_init__(self) -> None:
        if len(self.steps) < 2:
            raise InputError("a chain has at least two steps")
        for number, step in enumerate(self.steps):
            _check_place(step, self.steps[:number], last=number == len(self.steps) - 1)
        if sum(step.part for step in self.steps if isinstance(step, Update)) >= 1:
            raise InputError(
                f"{self.name}: the updates take the whole training split, and nothing is left for the steps before",
                remedy="give smaller shares: lora + update(share=0.25) + update(share=0.25)",
            )

    @property
    def name(self) -> str:
        return BETWEEN.join(step.name for step in self.steps)

    @property
    def summary(self) -> str:
        return "; then ".join(step.summary for step in self.steps)

    @property
    def seeded(self) -> bool:
        return any(step.seeded for step in self.steps)

    @property
    def trains(self) -> bool:
        return True

    @property
    def prompt(self) -> Adaptation | None:
        """The step that prompts, if there is one."""
        return None if self.steps[-1].trains else self.steps[-1]

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        return self.steps[-1].shots(seed, tokenizer)

    def check(self, model: LoadedModel, task: Task) -> None:
        trained: Sequence[Stage] = stages(self, task, 0)
        for step, after in pairwise([stage.step for stage in trained if not isinstance(stage.step, Update)]):
            if not getattr(step, "goes_on", True):
                raise IncompatibleError(
                    f"{self.name}: what {step.name} adds stands beside the model's weights and is not part of "
                    f"them, so {after.name} cannot start from it",
                    remedy=f"put {step.name} last, or use lora, whose matrices merge into the weights",
                )
            _check_heads(self.name, step, after)
        for stage in trained:
            if not isinstance(stage.step, Update):
                stage.step.check(model, stage.task)
        if self.prompt is not None:
            if _answers_by_head(self.steps[-2], model):
                raise IncompatibleError(
                    f"{self.name} does not fit {model.model.name}: what {self.steps[-2].name} trains answers by a "
                    "head, which reads the question alone and no prompt",
                    remedy=f"leave {self.prompt.name} out, or use a causal or an encoder–decoder model",
                )
            self.prompt.check(model, task)

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        learned = stages(self, task, seed, model.tokenizer)
        done: _Done | None = None
        cost = Cost()
        for number, stage in enumerate(learned):
            last = number == len(learned) - 1
            start, step = _start(model, stage, done, address(model, learned[:number]))
            # The chain's own folder is locked by whoever gave it.
            place = folder if last else folder.parent / address(model, learned[: number + 1])[:16]
            with nullcontext() if last else locked(place):
                adapted = step.adapt(start, stage.task, stage.seed, place, progress)
            done, cost = _Done(start, step, adapted), cost.then(adapted.cost)
        if done is None:
            raise AssertionError("a chain without a trained step")
        if self.prompt is None:
            return replace(done.adapted, cost=cost)
        asked = replace(done.start, network=done.adapted.network)
        prompted = self.prompt.adapt(asked, task, seed, folder, progress)
        return replace(done.adapted, backend=prompted.backend, cost=cost)


@dataclass(frozen=True)
class _Done:
    """A step that was taken: the model that it started from, the adaptation as it was carried out, the outcome."""

    start: LoadedModel
    step: Adaptation
    adapted: Adapted


def _start(
    model: LoadedModel, stage: Stage, done: _Done | None, fingerprint: str
) -> tuple[LoadedModel, Adaptation]:
    """The model that a stage starts from, and the adaptation that is carried out."""
    from tianti.adapt.carrying import carried, going_on

    if done is None:
        return model, stage.step
    if isinstance(stage.step, Update):
        step = stage.step.after(done.adapted.chosen or done.step)
        return going_on(done.start, done.adapted, fingerprint), step
    return carried(done.start, done.adapted, fingerprint), stage.step


def _check_place(step: Adaptation, before: Sequence[Adaptation], *, last: bool) -> None:
    """Raise InputError where a step cannot stand behind those before it."""
    if step.name == "fit":
        raise InputError(
            "fit stands alone: a baseline has no weights to go on with", remedy="write fit without +"
        )
    if step.name == "continual":
        raise InputError(
            "continual stands alone: what it learns is its stream", remedy="write continual without +"
        )
    if not step.trains and not last:
        raise InputError(
            f"{step.name} trains nothing, and stands before another step",
            remedy=f"put it last: … + {step.name}",
        )
    if not isinstance(step, Update):
        return
    if not before:
        raise InputError(
            "update goes on with what another step has trained, and stands first",
            remedy="write it behind that step: lora + update(share=0.5)",
        )
    trained = next(each for each in reversed(before) if not isinstance(each, Update))
    if trained.name == "head-only":
        raise InputError(
            "update cannot stand behind head-only, which is fitted to its optimum at once and does not go on",
            remedy="use update behind lora or full",
        )
    step.after(getattr(trained, "base", trained))


def _check_heads(name: str, step: Adaptation, after: Adaptation) -> None:
    """Raise IncompatibleError where a step would learn text from a body that a head has taken the place of text on."""
    if getattr(step, "head", False) and not getattr(after, "head", False):
        raise IncompatibleError(
            f"{name}: {step.name}(head=true) leaves a body with a task head, and {after.name} after it learns text",
            remedy=f"give {after.name} head=true as well, or leave it out of {step.name}",
        )


def _answers_by_head(step: Adaptation, model: LoadedModel) -> bool:
    """Whether what `step` trains on `model` answers by a head on its body."""
    return model.model.architecture in ("encoder", "masked") or bool(getattr(step, "head", False))

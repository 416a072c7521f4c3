"""Learning curves: the same trained adaptation on parts of the training split of several sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, Literal

from tianti.adapt.adaptation import Adaptation
from tianti.adapt.chain import Chain
from tianti.adapt.examples import count_to_learn
from tianti.adapt.search import Searched
from tianti.adapt.stages import stages
from tianti.adapt.transfer import Transfer
from tianti.adapt.update import Update
from tianti.core.exceptions import IncompatibleError, InputError, StudyError
from tianti.tasks.task import Task

Size = int | Literal["all"]


def with_sizes(adaptations: Sequence[Adaptation], sizes: Sequence[Size]) -> list[Adaptation]:
    """Each trained adaptation once for each size, smallest first; what takes no part of the examples stays one.

    Raises:
        StudyError: nothing takes a part, or an adaptation says how many examples itself.
    """
    if not sizes:
        return list(adaptations)
    if not any(map(_takes_part, adaptations)):
        raise StudyError(
            "train_sizes has no effect: no adaptation of the study takes a part of the training examples",
            remedy="add one that trains, such as lora, or leave train_sizes out",
        )
    ordered = sorted(sizes, key=lambda size: (size == "all", size if size != "all" else 0))
    return [
        each
        for adaptation in adaptations
        for each in (
            [_of_size(adaptation, size) for size in ordered] if _takes_part(adaptation) else [adaptation]
        )
    ]


def check_sizes(adaptation: Adaptation, task: Task, sizes: Sequence[Size]) -> None:
    """Raise StudyError where a size is more than a step has to learn from.

    A task without a training split is not this one's to refuse.
    """
    numbers = [size for size in sizes if size != "all"]
    if not numbers or not _takes_part(adaptation) or not task.examples("train"):
        return
    try:
        least = min(count_to_learn(stage.task) for stage in stages(adaptation, task, 0))
    except IncompatibleError:
        return  # the trial is refused with this reason
    if max(numbers) > least:
        raise StudyError(
            f"train_sizes: {max(numbers):,} is more than the {least:,} examples of {task.info.name} that "
            f"{adaptation.name} can learn from",
            remedy="give smaller sizes, and `all` for the whole training split",
        )


def shortfall(adaptation: Adaptation, task: Task) -> dict[str, dict[str, int]]:
    """Facts of a run whose `max_examples` is more than a step has to learn from; empty where it is not.

    It is no error: one number may be the most for many tasks, of which some have fewer.
    """
    if size_of(adaptation) is None or not adaptation.trains or not task.examples("train"):
        return {}
    try:
        learned = stages(adaptation, task, 0)
    except IncompatibleError:
        return {}  # the trial is refused with this reason
    short, most = [], None
    for stage in learned:
        if not isinstance(stage.step, Update):  # which takes as many examples as the step that goes on
            most = getattr(stage.step, "max_examples", None)
        there = count_to_learn(stage.task)
        if most is not None and most > there:
            short.append({"asked": most, "there": there})
    return {"max_examples": max(short, key=lambda each: each["asked"] - each["there"])} if short else {}


def size_of(adaptation: Adaptation) -> int | None:
    """How many examples an adaptation takes; None for all that there are."""
    found = [each for step in _steps(adaptation) if (each := getattr(step, "max_examples", None)) is not None]
    return max(found, default=None)


def without_size(adaptation: Adaptation) -> Adaptation:
    """The adaptation as it is with all examples: what the points of one learning curve have in common."""
    return _of_size(adaptation, "all", given=True)


def _of_size(adaptation: Adaptation, size: Size, *, given: bool = False) -> Adaptation:
    if isinstance(adaptation, Transfer):
        return replace(adaptation, base=_of_size(adaptation.base, size, given=given))
    steps = []
    for step in _steps(adaptation):
        changed: Any = step
        if _has_size(step):
            if getattr(step, "max_examples", None) is not None and not given:
                raise StudyError(
                    f"{adaptation.name}: max_examples and train_sizes both say how many examples are learned",
                    remedy="leave one of them out",
                )
            changed = _with_size(changed, None if size == "all" else size)
        steps.append(changed)
    return Chain(tuple(steps)) if isinstance(adaptation, Chain) else steps[0]


def _takes_part(adaptation: Adaptation) -> bool:
    return any(map(_has_size, _steps(adaptation)))


def _has_size(step: Any) -> bool:
    if isinstance(step, Searched):
        return _has_size(step.base)
    return not isinstance(step, Update) and any(field.name == "max_examples" for field in fields(step))


def _with_size(step: Any, size: int | None) -> Any:
    if isinstance(step, Searched):
        return replace(step, base=_with_size(step.base, size))
    return replace(step, max_examples=size)


def _steps(adaptation: Adaptation) -> tuple[Adaptation, ...]:
    if isinstance(adaptation, Transfer):
        return _steps(adaptation.base)
    return adaptation.steps if isinstance(adaptation, Chain) else (adaptation,)


def parse_sizes(text: str) -> list[Size]:
    """`16,64,256,all` as numbers.

    Raises:
        InputError: something else stands there.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or not all(part == "all" or (part.isdigit() and int(part)) for part in parts):
        raise InputError(
            f"--train-size: expected numbers greater than 0, or all, got {text!r}",
            remedy="write --train-size 16,64,256,all",
        )
    return [int(part) if part != "all" else "all" for part in parts]

"""Transfer: what one task taught is asked another: `lora(r=8) from nano/sentiment`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tianti.adapt.adaptation import Adaptation, Adapted
from tianti.adapt.fitting import Form, form_of
from tianti.core.exceptions import IncompatibleError, InputError
from tianti.core.progress import Progress
from tianti.engine import ChooseRequest, GenerateRequest, SpanRequest, TagRequest
from tianti.models.model import LoadedModel
from tianti.tasks.task import Shots, Task

FROM = " from "
"""Stands between the adaptation and the task that it learns, in the notation."""


@dataclass(frozen=True)
class Transfer:
    """`base` learns the training split of the task `data`, and answers the questions of whatever task it is asked.

    What is learned is that of `base` on `data` by itself, and lies in the same folder: it is trained once, whichever
    tasks are asked afterwards. A language model that writes or scores text can be asked any task; a head gives the
    answers that it has learned, and a task with others is refused.
    """

    base: Adaptation
    data: str

    def __post_init__(self) -> None:
        if isinstance(self.base, Transfer):
            raise InputError(
                f"{self.base.data} and {self.data}: one task is learned", remedy="name one behind from"
            )
        if not self.base.trains:
            raise InputError(
                f"{self.base.name} learns nothing, so nothing can be carried over from {self.data}",
                remedy="write it with an adaptation that trains: lora from nano/sentiment",
            )

    @property
    def name(self) -> str:
        return self.base.name

    @property
    def summary(self) -> str:
        return f"{self.base.summary}; learned from {self.data}, whatever is asked"

    @property
    def seeded(self) -> bool:
        return self.base.seeded

    @property
    def trains(self) -> bool:
        return True

    @property
    def prompt(self) -> Adaptation | None:
        """The step that prompts, if there is one."""
        return getattr(self.base, "prompt", None)

    @cached_property
    def source(self) -> Task:
        """The task that is learned."""
        from tianti.tasks import load_tasks

        found = load_tasks(self.data)
        if len(found) != 1:
            raise InputError(
                f"{self.data} is {len(found)} tasks, and one is learned",
                remedy=f"name one of them: {', '.join(task.info.name for task in found[:5])}",
            )
        return found[0]

    def shots(self, seed: int, tokenizer: Any = None) -> Shots:
        return self.base.shots(seed, tokenizer)

    def check(self, model: LoadedModel, task: Task) -> None:
        self.base.check(model, self.source)
        if self.prompt is not None:
            self.prompt.check(model, task)
        if _answers_by_head(self.base, model):
            self._check_answers(task)

    def adapt(self, model: LoadedModel, task: Task, seed: int, folder: Path, progress: Progress) -> Adapted:
        return self.base.adapt(model, self.source, seed, folder, progress)

    def _check_answers(self, task: Task) -> None:
        """Raise IncompatibleError where `task` wants other answers than a head has learned to give."""
        examples = self.source.examples("train")
        form = form_of(examples, self.source.info.kind)
        try:
            questions = list(task.questions(Shots(), frozenset({_REQUESTS[form]})))
        except IncompatibleError as error:
            raise self._refused(
                task, f"{self.data} teaches {_WORDS[form]}, and it asks for others"
            ) from error
        if form not in ("labels", "tags"):
            return
        learned = {example.choices for example in examples}
        for request in (request for question in questions for request in question.requests):
            wanted = tuple(getattr(request, "choices", ()) or getattr(request, "labels", ()))
            if wanted not in learned:
                known = ", ".join(next(iter(learned)))
                raise self._refused(task, f"it knows the labels {known}; asked for are {', '.join(wanted)}")

    def _refused(self, task: Task, reason: str) -> IncompatibleError:
        return IncompatibleError(
            f"what {self.base.name} learned from {self.data} cannot be asked {task.info.name}: {reason}",
            remedy="ask a task with the same answers, or take a language model, which learns them as text",
        )


_REQUESTS: dict[Form, type] = {
    "labels": ChooseRequest,
    "choices": ChooseRequest,
    "tags": TagRequest,
    "span": SpanRequest,
    "text": GenerateRequest,
}
"""What a head, or a baseline, is asked that has learned such answers."""

_WORDS: dict[Form, str] = {
    "labels": "labels",
    "choices": "choices among options",
    "tags": "tags of words",
    "span": "places in a passage",
    "text": "free text",
}


def _answers_by_head(base: Any, model: LoadedModel) -> bool:
    """Whether answers come from a head, or from a baseline's rule, and not from text that is scored or written."""
    if model.model.architecture in ("encoder", "masked", "baseline"):
        return True
    learning = [step for step in getattr(base, "steps", (base,)) if step.trains]
    return any(bool(getattr(getattr(step, "base", step), "head", False)) for step in learning)

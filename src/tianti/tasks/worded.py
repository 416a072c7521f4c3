"""A task of a task file, asked in another wording than its own; see `tasks/wording.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tianti.core.exceptions import IncompatibleError, nearest
from tianti.engine import Request, Response, ScoreRequest
from tianti.tasks.calibrated import calibrated, without_content
from tianti.tasks.kinds.kind import Sample
from tianti.tasks.task import Grade, Question, Shots
from tianti.tasks.task_file import TaskFile
from tianti.tasks.thoughts import Thoughts
from tianti.tasks.wording import ALL, OWN, Wording

if TYPE_CHECKING:
    from tianti.tasks.yaml_task import YamlTask


@dataclass(frozen=True)
class Asked:
    """What `grade` needs of a question: the task as it was asked, and that task's own sample."""

    worded: Worded
    sample: Sample

    def grade(self, question: Question, responses: Sequence[Response]) -> Grade:
        """Judge the responses to a question of `Worded.questions`."""
        return self.worded.grade(replace(question, sample=self.sample), responses)


class Worded:
    """`task` in one wording. `asked` is the task with the template's keys in place of its own."""

    def __init__(self, task: YamlTask, wording: Wording, template: str | None) -> None:
        self.wording = wording
        self.asked = task.with_file(_file(task, wording, template))
        self._thoughts = Thoughts(self.asked, wording.thought) if wording.thought else None

    def check(self, request_types: frozenset[type]) -> None:
        """Raise IncompatibleError, with the reason, where the task cannot be asked so."""
        task = self.asked
        if not task.kind.takes_shots:
            raise IncompatibleError(
                f"{task.name}: {task.kind.name} has no question that could be worded otherwise",
                remedy="use zero-shot without settings",
            )
        if self._thoughts:
            self._thoughts.check(request_types)
        if not self.wording.calibrate:
            return
        if not isinstance(task.file.doc_to_choice, list):
            raise IncompatibleError(
                f"{task.name}: calibrate needs one set of labels for all samples, and {task.kind.name} has none here",
                remedy="leave calibrate out",
            )
        if self._thoughts or ScoreRequest not in request_types:
            raise IncompatibleError(
                f"{task.name}: calibrate compares the scores of labels, and none are asked for here",
                remedy="leave calibrate out",
            )

    def questions(
        self, shots: Shots, request_types: frozenset[type], limit: int | None
    ) -> Iterator[Question]:
        """The questions of the task in this wording."""
        plain = replace(shots, wording=Wording())
        if self._thoughts:
            for question in self._thoughts.questions(plain, limit):
                yield replace(question, sample=Asked(self, question.sample))
            return
        for question in self.asked.questions(plain, request_types, limit):
            extra = self._without_content(question.sample, plain) if self.wording.calibrate else ()
            yield replace(
                question, requests=(*question.requests, *extra), sample=Asked(self, question.sample)
            )

    def grade(self, question: Question, responses: Sequence[Response]) -> Grade:
        """Judge the responses to a question of `questions`, whose sample is the inner task's own."""
        if self._thoughts:
            return self._thoughts.grade(question.sample, responses)
        if self.wording.calibrate:
            responses = calibrated(responses, len(question.sample.form.choices))
        return self.asked.grade(question, responses)

    def _without_content(self, sample: Sample, shots: Shots) -> tuple[Request, ...]:
        """For each input without content one request per label, under the examples of the sample."""
        task = self.asked
        delimiter = "" if shots.chat is not None else task.file.target_delimiter
        return tuple(
            ScoreRequest(task.asker.prompt(sample, shots, replace(sample, text=text)), delimiter + choice)
            for text in without_content(task.file, sample, task.name)
            for choice in sample.form.choices
        )


def wordings(task: YamlTask, wording: Wording) -> dict[str, Worded]:
    """The task in each template that the wording names, by name: one, or all of them, its own first.

    Raises:
        IncompatibleError: it has no such template, or no instruction of its own.
    """
    if wording.template != ALL:
        return {wording.template or OWN: Worded(task, wording, wording.template)}
    if not task.file.templates:
        raise _no_template(task, ALL)
    return {OWN: Worded(task, wording, None)} | {
        name: Worded(task, wording, name) for name in task.file.templates
    }


def repeats_of(file: TaskFile, wording: Wording) -> int:
    """How many questions each sample becomes."""
    return 1 + len(file.templates) if wording.template == ALL else 1


def worded_questions(
    task: YamlTask, shots: Shots, request_types: frozenset[type], limit: int | None
) -> Iterator[Question]:
    """The questions sample by sample; where there are several templates, each is a repeat of the sample."""
    found = list(wordings(task, shots.wording).values())
    for worded in found:
        worded.check(request_types)
    streams = [worded.questions(shots, request_types, limit) for worded in found]
    return (
        replace(question, repeat=repeat)
        for together in zip(*streams, strict=True)
        for repeat, question in enumerate(together)
    )


def facts(file: TaskFile, wording: Wording) -> dict[str, Any]:
    """What a wording takes from the task file, for the manifest: the fingerprint of the task leaves it out."""
    found: dict[str, Any] = {}
    names = list(file.templates) if wording.template == ALL else [wording.template]
    used = {
        name: file.templates[name].model_dump(exclude_none=True) for name in names if name in file.templates
    }
    if used:
        found["templates"] = used
    if wording.instruction is True:
        found["instruction"] = file.instruction
    if wording.thought is not None:
        found |= {"extract": _plain(file.extract), "doc_to_rationale": file.doc_to_rationale}
    return found


def _plain(extract: Any) -> Any:
    return extract.model_dump() if hasattr(extract, "model_dump") else extract


def _file(task: YamlTask, wording: Wording, template: str | None) -> TaskFile:
    file = task.file
    if template not in (None, OWN):
        if template not in file.templates:
            raise _no_template(task, str(template))
        file = file.model_copy(update=_keys(file.templates[str(template)]))
    instruction = wording.instruction
    if instruction is True:
        if file.instruction is None:
            raise IncompatibleError(
                f"{task.name}: instruction=true asks for the task's own, and it has none",
                remedy="write instruction='…', or give the task file the key instruction",
            )
        instruction = file.instruction
    if instruction:
        before = f"{instruction}{file.fewshot_delimiter}{file.description}"
        file = file.model_copy(update={"description": before})
    return file


def _keys(template: Any) -> Mapping[str, Any]:
    return {name: getattr(template, name) for name in template.model_fields_set}


def _no_template(task: YamlTask, name: str) -> IncompatibleError:
    names = list(task.file.templates)
    near = nearest(name, names)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return IncompatibleError(
        f"{task.name}: no template {name!r}{hint}",
        remedy=f"templates: {', '.join([OWN, *names])}" if names else "give the task file the key templates",
    )

"""A task as a search sees it: its examples can be learned, its test cannot be asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from tianti.tasks.task import Example, Grade, Metric, Question, Shots, Task, TaskInfo


class LearningOnly:
    """The training and validation examples of `task`. Whoever touches its test is stopped: that is a bug."""

    def __init__(self, task: Task) -> None:
        self._task = task

    @property
    def info(self) -> TaskInfo:
        return self._task.info

    @property
    def fingerprint(self) -> str:
        return self._task.fingerprint

    @property
    def metrics(self) -> tuple[Metric, ...]:
        raise _asked()  # their chance levels are those of the test samples

    def count(self, limit: int | None = None) -> int:
        raise _asked()

    def questions(
        self, shots: Shots, request_types: frozenset[type], limit: int | None = None
    ) -> Iterator[Question]:
        raise _asked()

    def grade(self, question: Question, responses: Sequence[Any]) -> Grade:
        raise _asked()

    def examples(self, split: Literal["train", "validation"]) -> list[Example]:
        return self._task.examples(split)


def _asked() -> AssertionError:
    return AssertionError("the test split was asked for while settings are searched")

"""A task of which something else is learned than its own examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tianti.engine import Response
from tianti.tasks.task import Grade, Metric, Question, Shots, Task, TaskInfo


class TaskView:
    """`task` to all who ask it: questions, grades and metrics are its own.

    A subclass says which examples it teaches (`examples`) and gives them a `fingerprint`.
    """

    def __init__(self, task: Task) -> None:
        self._task = task

    @property
    def info(self) -> TaskInfo:
        return self._task.info

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return self._task.metrics

    def count(self, limit: int | None = None) -> int:
        return self._task.count(limit)

    def questions(
        self, shots: Shots, request_types: frozenset[type], limit: int | None = None
    ) -> Iterator[Question]:
        return self._task.questions(shots, request_types, limit)

    def grade(self, question: Question, responses: Sequence[Response]) -> Grade:
        return self._task.grade(question, responses)

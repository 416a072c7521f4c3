"""`transfer:` of a study: which tasks are learned in place of those that are asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tianti.adapt import Adaptation, Transfer, label
from tianti.core.exceptions import StudyError
from tianti.study.study import Study
from tianti.tasks import Task, load_tasks

ALL = "all"

AtTask = Callable[[Task], Adaptation]
"""task that is asked → the adaptation that is measured there."""


@dataclass(frozen=True)
class Source:
    """A task that is learned: its reference, and itself."""

    reference: str
    task: Task


def find_sources(study: Study, adaptations: Sequence[Adaptation], tasks: Sequence[Task]) -> list[Source]:
    """The tasks to learn; none where the study asks for no transfer.

    Raises:
        StudyError: nothing of the study trains, or an adaptation says itself what it learns.
    """
    if not study.transfer:
        return []
    if not any(each.trains for each in adaptations):
        raise StudyError(
            "transfer has no effect: no adaptation of the study trains",
            remedy="add one that does, such as lora, or leave transfer out",
        )
    for each in adaptations:
        if isinstance(each, Transfer):
            raise StudyError(
                f"{label(each)} and transfer both say which task is learned", remedy="leave one of them out"
            )
    named = [
        task
        for reference in study.transfer
        if reference != ALL
        for task in load_tasks(reference, study.include)
    ]
    found = [*named, *(tasks if ALL in study.transfer else [])]
    distinct = {task.fingerprint: task for task in reversed(found)}
    return [Source(task.info.reference or task.info.name, task) for task in reversed(distinct.values())]


def learned_from(adaptation: Adaptation, sources: Sequence[Source]) -> list[AtTask]:
    """The rows that an adaptation becomes: one for each task that it learns, or itself."""
    if not sources or not adaptation.trains:
        return [lambda _: adaptation]
    return [_row(adaptation, source) for source in sources]


def _row(adaptation: Adaptation, source: Source) -> AtTask:
    transferred = Transfer(adaptation, source.reference)

    def at(task: Task) -> Adaptation:
        return adaptation if task.fingerprint == source.task.fingerprint else transferred

    return at

"""A study with a stream → what is asked of what: every task, of every strategy, after every stage."""

from __future__ import annotations

from collections.abc import Sequence

from tianti.adapt import Adaptation, Continual, label
from tianti.adapt.continual import parse_strategy
from tianti.core.exceptions import StudyError
from tianti.study.study import Study
from tianti.study.trial import Trial
from tianti.tasks import Task

Cell = tuple[Continual, Task, int]
"""What a task is asked of, the task, the seed."""


def over_stream(study: Study, methods: Sequence[Adaptation], tasks: Sequence[Task]) -> list[Cell]:
    """The cells of every adaptation under every strategy, in the order in which stages are learned, each once.

    Before any training all strategies are the same untrained model, so it is asked once for all of them; and one model
    per task is not asked again after stages that did not change it.

    Raises:
        StudyError: a reference in the stream that is not exactly one task, or two that are the same task.
        InputError: an adaptation that does not go on over a stream, or no such strategy.
    """
    if len(tasks) != len(study.stream):
        raise StudyError(
            f"stream: {len(study.stream)} references are {len(tasks)} tasks",
            remedy="name each task by itself",
        )
    references = study.stream
    for place, task in enumerate(tasks):
        first = next(number for number, other in enumerate(tasks) if other.fingerprint == task.fingerprint)
        if first < place:
            raise StudyError(
                f"stream: {references[first]} and {references[place]} are the same task",
                remedy="leave one of them out",
            )
    untrained = Continual.over(tasks, references, stage=0)
    cells: dict[tuple[str, int, str, int], Cell] = {}
    for method in methods:
        for text in study.strategies or ("plain",):
            policy = parse_strategy(text)
            stages = {
                stage: Continual.over(tasks, references, method=label(method), strategy=text, stage=stage)
                for stage in range(1, len(tasks) + 1)
                if policy.asked_at(stage, 0, len(tasks)) is not None
            }
            for seed in study.seeds:
                for stage in range(len(tasks) + 1):
                    for number, task in enumerate(tasks):
                        at = policy.asked_at(stage, number, len(tasks))
                        if at is not None:
                            made = stages[at] if at else untrained
                            key = (_in_full(made), seed, task.fingerprint, at)
                            cells.setdefault(key, (made, task, seed))
    return list(cells.values())


def nothing_fits(trials: Sequence[tuple[Trial, bool]]) -> bool:
    """Whether all that these trials are about is refused, with each given whether it is.

    Models that are asked before they learn a stream are asked to compare with, and do not count beside others.
    """
    learned = [
        refused
        for trial, refused in trials
        if not isinstance(trial.adaptation, Continual) or trial.adaptation.at > 0
    ]
    return all(learned or [refused for _, refused in trials])


def _in_full(adaptation: Continual) -> str:
    """Method and strategy with all their settings."""
    return f"{adaptation.in_full['method']} {adaptation.in_full['strategy']}"

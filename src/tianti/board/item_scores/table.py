"""Entries × items of several tasks: what a store and a file of scores both become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tianti.board.tables import LeftOut
from tianti.core.exceptions import InputError, UnknownNameError
from tianti.stats import TaskMatrix
from tianti.stats.moments import Array
from tianti.stats.normalise import check_chance


@dataclass(frozen=True)
class TaskItems:
    """One task: `values` of shape (M, n), NaN where an entry has no answer, each the mean of `answers` (M, n)
    answers; `clusters` is None where items stand alone."""

    name: str
    names: tuple[str, ...]
    values: Array
    answers: Array
    clusters: tuple[str, ...] | None = None
    chance: float | None = None

    def matrix(self, weight: float) -> TaskMatrix:
        """The task as the tests take it."""
        return TaskMatrix(self.values, weight, self.clusters)


@dataclass(frozen=True)
class ItemTable:
    """Entries and tasks, each ordered by name; the items of a task too.

    `rows` were read, `repeated` of them are further answers of an entry to an item; `left_out` says what became
    of rows without a score, and `excluded` which tasks cannot be averaged, with the reason.
    """

    entries: tuple[str, ...]
    tasks: tuple[TaskItems, ...]
    rows: int = 0
    repeated: int = 0
    left_out: tuple[LeftOut, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()


def with_chances(table: ItemTable, chances: Mapping[str, float]) -> ItemTable:
    """The table with these chance levels, by task.

    Raises:
        UnknownNameError: there is no such task.
        InputError: a level is not in [0, 1).
    """
    check_tasks(table, chances)
    for name, chance in chances.items():
        try:
            check_chance(chance)
        except InputError as error:
            raise InputError(f"task {name}: {error.message}", remedy=error.remedy) from error
    tasks = tuple(replace(task, chance=chances.get(task.name, task.chance)) for task in table.tasks)
    return replace(table, tasks=tasks)


def check_tasks(table: ItemTable, named: Mapping[str, float]) -> None:
    """
    Raises:
        UnknownNameError: a name is not that of a task.
    """
    for name in named:
        if name not in {task.name for task in table.tasks}:
            raise UnknownNameError("task", name, [task.name for task in table.tasks])


def weights_of(table: ItemTable, weights: Mapping[str, float]) -> Array:
    """One weight per task, 1 where none is given, as shares that sum to 1.

    Raises:
        UnknownNameError: there is no such task.
        InputError: a weight is negative or not finite, or all are 0.
    """
    check_tasks(table, weights)
    found = np.array([weights.get(task.name, 1.0) for task in table.tasks])
    wrong = [name for name, weight in weights.items() if not (np.isfinite(weight) and weight >= 0)]
    if wrong or not found.any():
        raise InputError(
            f"a weight of {weights[wrong[0]]:g} for {wrong[0]}" if wrong else "all tasks have the weight 0",
            remedy="weights are finite and not negative, and not all are 0",
        )
    return np.asarray(found / found.sum(), dtype=np.float64)

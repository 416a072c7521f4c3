"""Two entries on the items that both answered: always the sharper comparison, as hard items are hard for
both."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from tianti.core.exceptions import InputError
from tianti.stats.intervals import Interval
from tianti.stats.macro import weighted_sum
from tianti.stats.moments import Array, as_array, steady_moments
from tianti.stats.normalise import check_chance
from tianti.stats.pair_sums import TaskMatrix
from tianti.stats.pairs import EXACT_BELOW, pairwise_p_values

IMAGINED_PAIRS = 2.0
"""Bonett and Price's two imagined pairs: one that only the first gets right, one that only the second
does."""


@dataclass(frozen=True)
class TaskPair:
    """The values of two entries on the shared items of one task: `first[i]` and `second[i]` are of the same
    item."""

    first: Array
    second: Array
    chance: float | None = None
    clusters: Sequence[Hashable] | None = None


@dataclass(frozen=True)
class Difference:
    """First minus second, with its interval; `p` is two-sided, for the hypothesis that there is no
    difference.

    `wins` and `losses` count the items on which the first is better, or worse; `test` names the test behind `p`.
    """

    interval: Interval
    p: float
    wins: int
    losses: int
    test: str


def paired_difference(
    tasks: Sequence[TaskPair], *, level: float = 0.95, normalised: bool = True
) -> Difference | None:
    """The mean over these tasks of first minus second, on shared items; None where a task has none.

    The interval is d̄ ± t·SE, with d_i = first_i − second_i and Var(d̄) = (Var₁ + Var₂ − 2Cov)/n, clustered
    (CR1) where there are cluster keys. Two imagined pairs, spread over the tasks, keep it from having zero
    width (Bonett and Price 2012 for one task with 0/1 values). The p-value is that of `pairwise_p_values`:
    McNemar's test for one task.

    Args:
        normalised: divide each task's difference by 1 − chance, as the board's mean does.

    Raises:
        InputError: two values that should belong together do not (their numbers differ).
    """
    if not tasks or any(not len(task.first) for task in tasks):
        return None
    differences = [_difference(task) for task in tasks]
    weights = [1 / (len(tasks) * (1 - check_chance(task.chance) if normalised else 1)) for task in tasks]
    found = [
        steady_moments(d, task.clusters, added=IMAGINED_PAIRS / len(tasks), added_values=(-1.0, 1.0))
        for d, task in zip(differences, tasks, strict=True)
    ]
    clustered = any(task.clusters is not None for task in tasks)
    interval = weighted_sum(
        found,
        [float(d.mean()) for d in differences],
        weights,
        reach=(-1.0, 1.0) if all(map(_are_shares, tasks)) else None,
        level=level,
        method="paired difference, CR1·t" if clustered else "paired difference, t",
    )
    return Difference(
        interval,
        _two_sided_p(tasks, weights),
        wins=sum(int((d > 0).sum()) for d in differences),
        losses=sum(int((d < 0).sum()) for d in differences),
        test=_test(tasks, differences),
    )


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """Each p-value as Holm's procedure corrects it: the smallest family-wise error at which its hypothesis falls."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for step, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, (len(p_values) - step) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def _test(tasks: Sequence[TaskPair], differences: Sequence[Array]) -> str:
    """The name of what `pairwise_p_values` does with these values."""
    if any(task.clusters is not None for task in tasks):
        return "CR1·t"
    if len(tasks) == 1 and np.isin(np.concatenate([tasks[0].first, tasks[0].second]), (0.0, 1.0)).all():
        return "McNemar, exact" if np.count_nonzero(differences[0]) < EXACT_BELOW else "McNemar, score"
    return "paired, Hoeffding's bound" if sum(map(_differing, tasks)) < EXACT_BELOW else "paired score"


def _differing(task: TaskPair) -> float:
    """How many items differ at least: Σd² over the largest d² that is possible."""
    reach = float(np.ptp(np.concatenate([task.first, task.second])))
    return float(np.square(task.first - task.second).sum()) / (reach or 1.0) ** 2


def _are_shares(task: TaskPair) -> bool:
    return all(
        bool(((values >= 0) & (values <= 1)).all()) for values in map(as_array, (task.first, task.second))
    )


def _difference(task: TaskPair) -> Array:
    first, second = as_array(task.first), as_array(task.second)
    if len(first) != len(second):
        raise InputError(
            f"{len(first)} values of the first entry, {len(second)} of the second",
            remedy="compare on shared items: give both values of each",
        )
    return first - second


def _two_sided_p(tasks: Sequence[TaskPair], weights: Sequence[float]) -> float:
    matrices = [
        TaskMatrix(np.stack([task.first, task.second]), weight, task.clusters)
        for task, weight in zip(tasks, weights, strict=True)
    ]
    one_sided = pairwise_p_values(matrices)
    return min(1.0, 2 * min(float(one_sided[0, 1]), float(one_sided[1, 0])))

"""Intervals of values and places: from paired tests where the aggregate is a mean, else from resampled items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tianti.board.board import Rules
from tianti.board.item_scores.table import ItemTable, TaskItems
from tianti.board.ranking import rank
from tianti.stats import Aggregate, AggregateName, TaskMatrix, TaskValues, macro_interval, resampled_places
from tianti.stats.intervals import NEW_ITEMS
from tianti.stats.moments import Array
from tianti.stats.normalise import check_chance
from tianti.stats.resampling import METHOD

TARGET = f"these tasks, {NEW_ITEMS}"


@dataclass(frozen=True)
class Intervals:
    """Shape (M,) each, NaN where not ranked; `first` only where items were resampled."""

    low: Array
    high: Array
    rank_low: Array
    rank_high: Array
    first: Array | None
    method: str
    interval_method: str
    family: int = 0
    unshared: Mapping[str, int] = field(default_factory=dict)
    """Pairs of entries that have no item of a task in common, by task: nothing can be shown between them."""
    seed: int | None = None
    draws: int = 0
    target: str = TARGET


def tested_intervals(table: ItemTable, found: Aggregate, share: Array, rules: Rules) -> Intervals:
    """For a weighted mean: the interval of each, and simultaneous ranks from paired tests on shared items.

    Raises:
        InputError: max-T was asked for, and an answer is missing.
    """
    used = np.flatnonzero(found.tasks)
    rows = np.flatnonzero(~np.isnan(found.values))
    tasks = [table.tasks[index] for index in used]
    weights = share[used] / share[used].sum()
    low, high, rank_low, rank_high = (np.full(len(table.entries), np.nan) for _ in range(4))
    interval_method = ""
    for row in rows:
        interval = macro_interval(
            [_values(task, int(row)) for task in tasks], list(weights), level=rules.level
        )
        if interval is not None:
            low[row], high[row], interval_method = interval.low, interval.high, interval.method
    ranking = None
    if len(rows):
        ranking = rank(
            [
                TaskMatrix(task.values[rows], float(weight) / (1 - check_chance(task.chance)), task.clusters)
                for task, weight in zip(tasks, weights, strict=True)
            ],
            rules,
        )
    if ranking is None:
        return Intervals(low, high, rank_low, rank_high, None, "nothing to rank", interval_method)
    ranks = ranking.simultaneous
    rank_low[rows], rank_high[rows] = ranks.low, ranks.high
    correction = "Holm" if rules.ranks == "holm" else "max-T"
    method = f"paired tests on shared items, {correction}"
    unshared = {task.name: count for task in tasks if (count := _pairs_apart(task.values[rows]))}
    return Intervals(
        low, high, rank_low, rank_high, None, method, interval_method, ranks.family, unshared, ranks.seed,
        ranks.draws,
    )  # fmt: skip


def resampled_intervals(
    table: ItemTable, by: AggregateName, share: Array, *, level: float, seed: int
) -> Intervals:
    """For any aggregate: the whole way from items to places, on resampled items."""
    found = resampled_places(
        [task.matrix(float(weight)) for task, weight in zip(table.tasks, share, strict=True)],
        [task.chance for task in table.tasks],
        by,
        seed=seed,
        level=level,
    )
    return Intervals(
        found.value_low, found.value_high, found.low, found.high, found.first, METHOD, METHOD,
        seed=found.seed, draws=found.resamples,
    )  # fmt: skip


def _pairs_apart(values: Array) -> int:
    """How many pairs of entries share no item."""
    present = (~np.isnan(values)).astype(np.float32)
    return int(np.triu(present @ present.T == 0, 1).sum())


def _values(task: TaskItems, row: int) -> TaskValues:
    has = ~np.isnan(task.values[row])
    clusters = None if task.clusters is None else [task.clusters[index] for index in np.flatnonzero(has)]
    return TaskValues(task.values[row, has], task.chance, clusters)

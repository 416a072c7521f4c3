"""Entries × items → an order by one of the aggregates, with intervals, and how stable it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from tianti.board.board import Rules
from tianti.board.item_scores.intervals import Intervals, resampled_intervals, tested_intervals
from tianti.board.item_scores.panel import Panel, name_groups, panel_of
from tianti.board.item_scores.table import ItemTable, weights_of
from tianti.board.rounding import rounded
from tianti.board.tables import LeftOut
from tianti.core.exceptions import InputError
from tianti.stats import AggregateName, aggregate, normalised_means, places_of, stability
from tianti.stats.moments import Array
from tianti.stats.ranks import RankMethod

TESTED: tuple[AggregateName, ...] = ("mean", "common")
"""Aggregates that are weighted means, whose differences paired tests fit; for the others items are resampled."""


@dataclass(frozen=True)
class RankedTask:
    """A task: its share of the weight, and whether this aggregate uses it."""

    name: str
    weight: float
    used: bool
    chance: float | None
    n: int
    clusters: int | None
    entries: int


@dataclass(frozen=True)
class RankedCell:
    """The mean of an entry over the `n` items of a task that it has, and that mean normalised."""

    value: float
    normalised: float
    n: int


@dataclass(frozen=True)
class RankedEntry:
    """An entry. `rank` is None where this aggregate cannot rank it.

    `value` is that of the aggregate, with an interval; it rests on `n` items of the tasks used, in `clusters` where
    they depend on each other, each with at least `repeats` answers. `first` is the share of resamples in which it is
    first, None where ranks come from tests.
    """

    name: str
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    value: float | None
    low: float | None
    high: float | None
    first: float | None
    n: int
    clusters: int | None
    repeats: int
    cells: Mapping[str, RankedCell]


@dataclass(frozen=True)
class ItemRanking:
    """Entries in their order, and how it was found.

    `ranks` are `simultaneous` (they hold for all entries at once, corrected for `family` hypotheses) or `marginal`
    (each for its entry alone, not corrected, `family` 0); `method` says how. `n` items in all, in `clusters` where
    they depend on each other, each with at least `repeats` answers. `missing` cells (entry and task) have no item,
    `short` ones fewer than the task has; `unshared` counts by task the pairs of entries that have no item in common,
    between which tests show nothing. `rows`, `repeated` and `left_out` are of the file.
    """

    by: AggregateName
    target: str
    level: float
    method: str
    interval_method: str
    ranks: Literal["simultaneous", "marginal"]
    family: int
    seed: int | None
    draws: int
    n: int
    clusters: int | None
    repeats: int
    cells: int
    missing: int
    short: int
    unshared: Mapping[str, int]
    tasks: tuple[RankedTask, ...]
    entries: tuple[RankedEntry, ...]
    stability: Panel
    rows: int = 0
    repeated: int = 0
    left_out: tuple[LeftOut, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> str:
        """All of it, numbers rounded to ten significant digits."""
        content: dict[str, Any] = rounded(asdict(self))
        return json.dumps(content, ensure_ascii=False, indent=1)

    def __str__(self) -> str:
        """The table that `tianti rank --stability` prints, without colours."""
        from tianti.board.item_scores.terminal import to_text

        return to_text(self)


def rank_items(
    table: ItemTable,
    by: AggregateName = "mean",
    *,
    weights: Mapping[str, float] | None = None,
    level: float = 0.95,
    ranks: RankMethod | None = None,
    seed: int = 0,
) -> ItemRanking:
    """Rank the entries of a table.

    Ranks by `mean` and `common` have simultaneous intervals from paired tests, as the board's; for the others every
    task's items are resampled, and the intervals are of each entry alone.

    Args:
        weights: by task, 1 where none is given.
        ranks: how the tests allow for many comparisons; `holm` unless given.

    Raises:
        UnknownNameError: no such aggregate or task.
        InputError: weights that make no mean; `ranks` for an aggregate without tests; for `latent` the entries fall
            into groups that share no task; for `max-t` an answer is missing.
    """
    share = weights_of(table, weights or {})
    matrices = [task.matrix(1.0) for task in table.tasks]
    chances = [task.chance for task in table.tasks]
    scores = normalised_means(matrices, chances)
    items = np.stack([(~np.isnan(task.values)).sum(axis=1) for task in table.tasks], axis=1).astype(float)
    groups = name_groups(table, scores, share)
    if by == "latent" and groups:
        raise InputError(groups, remedy="run one entry on tasks of both groups, or rank by borda or win-rate")
    found = aggregate(by, scores, share, items=items)
    if ranks is not None and by not in TESTED:
        raise InputError(
            f"--ranks {ranks} with --by {by}: no test between pairs fits it, its ranks come from resampling",
            remedy=f"leave it out, or rank by {' or '.join(TESTED)}",
        )
    if by in TESTED:
        intervals = tested_intervals(table, found, share, Rules(level, ranks=ranks or "holm", seed=seed))
    else:
        intervals = resampled_intervals(table, by, share, level=level, seed=seed)
    stable = stability(scores, share, by=by, items=items, seed=seed)
    entries = [
        _entry(table, row, found.values, intervals, scores, items, found.tasks) for row in range(len(scores))
    ]
    clusters = [_clusters(table, task) for task in range(len(table.tasks))]
    any_clustered = any(task.clusters is not None for task in table.tasks)
    return ItemRanking(
        by=by,
        target=intervals.target,
        level=level,
        method=intervals.method,
        interval_method=intervals.interval_method,
        ranks="simultaneous" if by in TESTED else "marginal",
        family=intervals.family,
        seed=intervals.seed,
        draws=intervals.draws,
        n=sum(len(task.names) for task in table.tasks),
        clusters=sum(clusters) if any_clustered else None,
        repeats=min(_repeats(table, row, found.tasks) for row in range(len(scores))),
        cells=int((items > 0).sum()),
        missing=int((items == 0).sum()),
        short=int(((items > 0) & (items < [len(task.names) for task in table.tasks])).sum()),
        unshared=intervals.unshared,
        tasks=tuple(
            RankedTask(
                task.name, float(share[index]), bool(found.tasks[index]), task.chance, len(task.names),
                clusters[index] if task.clusters is not None else None, int((items[:, index] > 0).sum()),
            )
            for index, task in enumerate(table.tasks)
        ),
        entries=tuple(sorted(entries, key=_order)),
        stability=panel_of(stable, table, groups),
        rows=table.rows,
        repeated=table.repeated,
        left_out=table.left_out,
        excluded=table.excluded,
    )  # fmt: skip


def _entry(
    table: ItemTable,
    row: int,
    values: Array,
    intervals: Intervals,
    scores: Array,
    items: Array,
    used: Any,
) -> RankedEntry:
    place = places_of(values)[row]
    rank = None if np.isnan(place) else int(place)
    cells = {
        task.name: RankedCell(
            float(np.nanmean(task.values[row])), float(scores[row, index]), int(items[row, index])
        )
        for index, task in enumerate(table.tasks)
        if items[row, index]
    }
    clustered = any(task.clusters is not None for task in table.tasks)
    return RankedEntry(
        name=table.entries[row],
        rank=rank,
        # Answers that are missing can put the place outside of what the tests show.
        rank_low=None if rank is None else min(rank, int(intervals.rank_low[row])),
        rank_high=None if rank is None else max(rank, int(intervals.rank_high[row])),
        value=_number(values[row]),
        low=_number(intervals.low[row]),
        high=_number(intervals.high[row]),
        first=None if intervals.first is None else _number(intervals.first[row]),
        n=int(items[row, used].sum()),
        clusters=sum(_clusters(table, int(task), row) for task in np.flatnonzero(used))
        if clustered
        else None,
        repeats=_repeats(table, row, used),
        cells=cells,
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _clusters(table: ItemTable, task: int, row: int | None = None) -> int:
    """How many clusters the items of a task are in, or those of them that one entry has."""
    found = table.tasks[task]
    has = np.ones(len(found.names), bool) if row is None else ~np.isnan(found.values[row])
    if found.clusters is None:
        return int(has.sum())
    return len({found.clusters[index] for index in np.flatnonzero(has)})


def _repeats(table: ItemTable, row: int, used: Any) -> int:
    counts = [table.tasks[task].answers[row] for task in np.flatnonzero(used)]
    found = [int(count[count > 0].min()) for count in counts if (count > 0).any()]
    return min(found, default=1)


def _order(entry: RankedEntry) -> tuple[float, str]:
    return (float("inf") if entry.rank is None else float(entry.rank), entry.name)

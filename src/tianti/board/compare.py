"""Two entries, task by task and overall, on the samples that both answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tianti.board.board import Board
from tianti.board.entries import Column, Entry
from tianti.board.entry_items import EntryItems
from tianti.board.ranking import task_matrix
from tianti.board.results import Items
from tianti.board.rounding import rounded
from tianti.board.show import is_share
from tianti.stats import Difference as PairedDifference
from tianti.stats import TaskPair, holm_adjusted, normalise, paired_difference
from tianti.stats.intervals import NEW_ITEMS
from tianti.store import Store

OVERALL = "mean"


@dataclass(frozen=True)
class Difference:
    """First minus second on one task, or overall. `first` and `second` are their values on the shared items.

    `wins` and `losses` count the items on which first has the greater, or smaller, value; `p` is two-sided.
    Interval, p and counts are None where the metric is no mean over items. `p_holm` is p corrected for all tasks of
    the comparison. `method` made the interval, `test` the p; `n` items, in `clusters` where they depend on each
    other, each with at least `repeats` answers of both, averaged first.
    """

    task: str
    first: float | None
    second: float | None
    difference: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    wins: int | None = None
    losses: int | None = None
    p_holm: float | None = None
    n: int = 0
    clusters: int | None = None
    repeats: int = 1
    method: str = ""
    test: str = ""
    target: str = NEW_ITEMS
    share: bool = True
    higher_is_better: bool = True
    signed: bool = False
    """Whether 0 is best: the difference is then of means with their signs, and neither of the two is better."""


@dataclass(frozen=True)
class Comparison:
    """`overall` is over the tasks that count and that both have, normalised as the board's mean; None for
    none.

    `only` lists tasks that one of the two lacks, by the entry that has them. `family` is the number of tasks that
    `p_holm` corrects for; the overall test is one test and needs no correction.
    """

    first: str
    second: str
    level: float
    tasks: tuple[Difference, ...]
    overall: Difference | None
    only: tuple[tuple[str, tuple[str, ...]], ...] = ()
    family: int = 0
    stopped: bool = False
    """Whether the entries stopped when their ranking was decided: interval and p do not allow for that."""


def compare(store: Store, board: Board, first: str, second: str) -> Comparison:
    """Compare two entries, named as the board names them.

    Raises:
        UnknownNameError: the board has no such entry.
        StoreError: answers are gone or were changed since they were sealed.
    """
    return compare_entries(board, EntryItems(store, board), board.entry(first), board.entry(second))


def compare_entries(board: Board, items: EntryItems, one: Entry, other: Entry) -> Comparison:
    """The same of two entries of the board, with its items at hand.

    Raises:
        StoreError: answers are gone or were changed since they were sealed.
    """
    of_one, of_other = items.of(one), items.of(other)
    shared = [column for column in board.columns if _has(one, column) and _has(other, column)]
    pairs = {
        column.name: _pair(of_one[column.name], of_other[column.name], column)
        for column in shared
        if column.name in of_one and column.name in of_other
    }
    repeats = {name: min(of_one[name].repeats, of_other[name].repeats) for name in pairs}
    tasks = _corrected(
        replace(
            _difference(column, one, other, pairs.get(column.name), board.level),
            repeats=repeats.get(column.name, 1),
        )
        for column in shared
    )
    counting = [pairs[column.name] for column in shared if column.counts and column.name in pairs]
    return Comparison(
        first=one.name,
        second=other.name,
        level=board.level,
        tasks=tasks,
        overall=_overall(counting, min(repeats.values(), default=1), board.level),
        only=_only(board, one, other),
        family=sum(task.p is not None for task in tasks),
        stopped=board.decided is not None,
    )


def _corrected(tasks: Iterable[Difference]) -> tuple[Difference, ...]:
    """The tasks with p-values that allow for there being several."""
    found = tuple(tasks)
    tested = [task for task in found if task.p is not None]
    adjusted = dict(
        zip((task.task for task in tested), holm_adjusted([task.p or 0.0 for task in tested]), strict=True)
    )
    return tuple(replace(task, p_holm=rounded(adjusted.get(task.task))) for task in found)


def _has(entry: Entry, column: Column) -> bool:
    return column.name in entry.cells and entry.cells[column.name].value is not None


def _pair(first: Items, second: Items, column: Column) -> TaskPair:
    """The values of both on the items that both have."""
    shared = set(first.names) & set(second.names)
    matrix = task_matrix([_only_items(first, shared), _only_items(second, shared)], 1.0)
    return TaskPair(
        matrix.values[0], matrix.values[1], column.chance if column.counts else None, matrix.clusters
    )


def _only_items(items: Items, names: set[str]) -> Items:
    kept = [index for index, name in enumerate(items.names) if name in names]
    clusters = None if items.clusters is None else tuple(items.clusters[index] for index in kept)
    return Items(tuple(items.names[index] for index in kept), items.values[kept], clusters)


def _difference(column: Column, one: Entry, other: Entry, pair: TaskPair | None, level: float) -> Difference:
    found = paired_difference([pair], level=level, normalised=False) if pair is not None else None
    if pair is None or found is None:
        first, second = one.cells[column.name].value, other.cells[column.name].value
        gap = None if first is None or second is None else rounded(first - second)
        return Difference(
            column.name,
            first,
            second,
            gap,
            share=is_share(column),
            higher_is_better=column.higher_is_better,
            signed=column.signed,
        )
    tested = _tested(column.name, float(pair.first.mean()), float(pair.second.mean()), found)
    return replace(
        tested, share=is_share(column), higher_is_better=column.higher_is_better, signed=column.signed
    )


def _overall(pairs: list[TaskPair], repeats: int, level: float) -> Difference | None:
    found = paired_difference(pairs, level=level)
    if found is None:
        return None
    first = [normalise(float(pair.first.mean()), pair.chance) for pair in pairs]
    second = [normalise(float(pair.second.mean()), pair.chance) for pair in pairs]
    tested = _tested(OVERALL, sum(first) / len(pairs), sum(second) / len(pairs), found)
    return replace(tested, repeats=repeats)


def _tested(task: str, first: float, second: float, found: PairedDifference) -> Difference:
    interval = found.interval
    return Difference(
        task=task,
        first=rounded(first),
        second=rounded(second),
        difference=rounded(interval.estimate),
        low=rounded(interval.low),
        high=rounded(interval.high),
        p=rounded(found.p),
        wins=found.wins,
        losses=found.losses,
        n=interval.n,
        clusters=interval.clusters,
        method=interval.method,
        test=found.test,
    )


def _only(board: Board, one: Entry, other: Entry) -> tuple[tuple[str, tuple[str, ...]], ...]:
    found = []
    for entry, against in ((one, other), (other, one)):
        tasks = tuple(c.name for c in board.columns if _has(entry, c) and not _has(against, c))
        if tasks:
            found.append((entry.name, tasks))
    return tuple(found)

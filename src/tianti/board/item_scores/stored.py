"""The runs of a store → entries × items, as the board averages them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from tianti.board.cells import average
from tianti.board.choose import choose, columns_of, entry_names
from tianti.board.entries import Column
from tianti.board.item_scores.table import ItemTable, TaskItems
from tianti.board.legend import EXCLUSIONS
from tianti.board.ranking import task_matrix
from tianti.board.results import Items, Result
from tianti.core.exceptions import InputError

NOTHING = Items((), np.empty(0))


def items_of_results(results: Sequence[Result]) -> ItemTable:
    """The tasks that count in the board's mean; their items averaged over the seeds.

    Raises:
        InputError: nothing with items was measured, or the runs stopped when their ranking was decided.
    """
    chosen, _ = choose(results)
    if any(result.decided for result in chosen):
        raise InputError(
            "these runs stopped when their ranking was decided: tests that look once would be wrong on them",
            remedy="`tianti board` has ranks that allow for it; or run the study without --until and rank that",
        )
    columns = columns_of(chosen)
    found: dict[str, dict[str, list[Items]]] = defaultdict(lambda: defaultdict(list))
    for result in sorted(chosen, key=lambda each: -1 if each.seed is None else each.seed):
        if result.items is not None and result.score is not None and result.score.value is not None:
            found[result.entry_key][result.task_key].append(result.items)
    counting = {key: column for key, column in columns.items() if column.counts}
    names = {key: " · ".join(name) for key, name in entry_names(chosen).items()}
    measured = [key for key in found if any(task in counting for task in found[key])]
    entries = sorted(measured, key=names.__getitem__)
    tasks = [
        _task(column, [average(found[key][task]) or NOTHING for key in entries])
        for task, column in sorted(counting.items(), key=lambda item: item[1].name)
        if any(found[key][task] for key in entries)
    ]
    if not tasks:
        raise InputError(
            "no run has scores per sample to rank by", remedy="`tianti board` shows what there is"
        )
    excluded = tuple(
        (column.name, EXCLUSIONS.get(column.excluded, column.excluded))
        for column in columns.values()
        if not column.counts
    )
    return ItemTable(tuple(names[key] for key in entries), tuple(tasks), excluded=excluded)


def _task(column: Column, entries: Sequence[Items]) -> TaskItems:
    names = list(dict.fromkeys(name for items in entries for name in items.names))
    order = sorted(range(len(names)), key=names.__getitem__)
    matrix = task_matrix(entries, 1.0)
    values = np.asarray(matrix.values, dtype=np.float64)[:, order]
    repeats = np.array([items.repeats for items in entries], dtype=np.float64)
    clusters = None if matrix.clusters is None else tuple(str(matrix.clusters[index]) for index in order)
    return TaskItems(
        name=column.name,
        names=tuple(names[index] for index in order),
        values=values,
        answers=np.where(np.isnan(values), 0.0, repeats[:, None]),
        clusters=clusters,
        chance=column.chance,
    )

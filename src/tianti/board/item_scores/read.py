"""A table with one score a row → entries × items."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tianti.board.item_scores.columns import ItemColumns
from tianti.board.item_scores.table import ItemTable, TaskItems
from tianti.board.tables import RowFilter, codes_of, numbers_of
from tianti.core.exceptions import InputError
from tianti.stats.moments import Array

Codes = NDArray[np.intp]


def read_items(table: pa.Table, columns: ItemColumns) -> ItemTable:
    """The entries × items of a table.

    A row without an entry, task, item or score is left out and counted. Several rows of one entry and item are
    repeated answers, and are averaged; items without a cluster stand alone.

    Raises:
        InputError: a score is not in [0, 1], a repeat is there twice, an item is in two clusters, a task has two
            chance levels or one not in [0, 1); or no row is left.
    """
    (entry,), entries = codes_of([table[columns.entry]])
    (task,), tasks = codes_of([table[columns.task]])
    (item,), items = codes_of([table[columns.item]])
    score = numbers_of(
        table[columns.score],
        columns.score,
        most=1.0,
        remedy="scores are shares from 0 to 1: divide points by 100",
    )
    out = RowFilter(table.num_rows)
    for name, missing in (
        (columns.entry, entry < 0), (columns.task, task < 0), (columns.item, item < 0),
        (columns.score, np.isnan(score)),
    ):  # fmt: skip
        out.drop(missing, f"no {name}")
    if not out.kept.any():
        raise InputError(
            f"no score is left of {table.num_rows:,} rows: no row has entry, task, item and score"
        )
    shown = np.unique(entry[out.kept])
    number = np.full(len(entries), -1, dtype=np.intp)
    number[shown] = np.arange(len(shown))
    rows = _Rows(table, columns, number[entry], item, items, score)
    found = [
        rows.task(tasks[code], np.flatnonzero(out.kept & (task == code)))
        for code in np.unique(task[out.kept])
    ]
    used = int(out.kept.sum())
    cells = sum(int((~np.isnan(each.values)).sum()) for each in found)
    return ItemTable(
        tuple(entries[code] for code in shown), tuple(found), table.num_rows, used - cells, tuple(out.found)
    )


class _Rows:
    """The columns as numbers."""

    def __init__(
        self, table: pa.Table, columns: ItemColumns, entry: Codes, item: Codes, items: list[str], score: Array
    ) -> None:
        self.entry, self.item, self.items, self.score = entry, item, items, score
        self.columns, self.entries = columns, int(entry.max()) + 1
        self.cluster, self.clusters = _optional_codes(table, columns.cluster)
        self.repeat, self.repeat_names = _optional_codes(table, columns.repeat)
        self.repeats = (
            None if columns.repeats is None else numbers_of(table[columns.repeats], columns.repeats)
        )
        self.chance = (
            None if columns.chance is None else numbers_of(table[columns.chance], columns.chance, most=1.0)
        )

    def task(self, name: str, rows: Codes) -> TaskItems:
        """One task, from its rows."""
        present, place = np.unique(self.item[rows], return_inverse=True)
        shape = (self.entries, len(present))
        cell = self.entry[rows] * len(present) + place
        self._refuse_same_repeat(name, rows, cell)
        size = shape[0] * shape[1]
        count = np.bincount(cell, minlength=size).astype(np.float64)
        total = np.bincount(cell, weights=self.score[rows], minlength=size)
        values = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
        return TaskItems(
            name=name,
            names=tuple(self.items[code] for code in present),
            values=values.reshape(shape),
            answers=self._answers(rows, cell, count).reshape(shape),
            clusters=self._clusters(name, rows, place, len(present)),
            chance=self._chance(name, rows),
        )

    def _answers(self, rows: Codes, cell: Codes, count: Array) -> Array:
        if self.repeats is None:
            return count
        each = np.where(np.isnan(self.repeats[rows]), 1.0, self.repeats[rows])
        return np.asarray(np.bincount(cell, weights=each, minlength=len(count)), dtype=np.float64)

    def _refuse_same_repeat(self, name: str, rows: Codes, cell: Codes) -> None:
        if self.repeat is None:
            return
        key = cell * (len(self.repeat_names) + 1) + self.repeat[rows]
        order = np.argsort(key, kind="stable")
        twice = np.flatnonzero(np.diff(key[order]) == 0)
        if len(twice):
            first, second = int(rows[order[twice[0]]]) + 1, int(rows[order[twice[0] + 1]]) + 1
            raise InputError(
                f"task {name}: rows {first} and {second} are the same repeat of one entry and item",
                remedy="number the repeats, or leave that column out: rows of one entry and item are averaged",
            )

    def _clusters(self, name: str, rows: Codes, place: Codes, count: int) -> tuple[str, ...] | None:
        if self.cluster is None:
            return None
        codes = self.cluster[rows]
        found = np.full(count, -1, dtype=np.intp)
        found[place[::-1]] = codes[::-1]  # the first row of an item counts
        wrong = np.flatnonzero(found[place] != codes)
        if len(wrong):
            item = self.items[self.item[rows[wrong[0]]]]
            raise InputError(
                f"row {int(rows[wrong[0]]) + 1}: item {item!r} of task {name} is in two clusters",
                remedy="an item belongs to one cluster, whoever answers it",
            )
        if (found < 0).all():
            return None
        present = np.unique(self.item[rows])
        return tuple(
            self.clusters[code] if code >= 0 else self.items[own]
            for code, own in zip(found, present, strict=True)
        )

    def _chance(self, name: str, rows: Codes) -> float | None:
        if self.chance is None:
            return None
        found = np.unique(self.chance[rows])
        known = found[~np.isnan(found)]
        if len(known) > 1 or (len(known) and (len(found) > 1 or known[0] >= 1)):
            levels = ", ".join(f"{level:g}" for level in found)
            raise InputError(
                f"task {name}: chance is {levels}, expected one number from 0 to below 1 in all of its rows",
                remedy="sub-tasks with other chance levels are tasks of their own",
            )
        return float(known[0]) if len(known) else None


def _optional_codes(table: pa.Table, name: str | None) -> tuple[Codes | None, list[str]]:
    if name is None:
        return None, []
    (codes,), values = codes_of([table[name]])
    return codes, values

"""Results → Board: make the rows, average, rank.

How it is ranked, in words: every task's metric is averaged over items (each item over its seeds first) and
normalised so that guessing is 0 and perfect is 1; the mean over the tasks ranks. The interval of ranks comes
from paired tests of every two entries on the items that both answered, corrected for all pairs at once
(Holm). An entry that lacks a counting task is shown and not ranked: its mean is not of the same tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tianti.board.aspects import aspect_columns
from tianti.board.board import Board, Rules, as_recorded
from tianti.board.choose import choose, columns_of
from tianti.board.decided import check_rules
from tianti.board.entries import Cell
from tianti.board.rank_rows import rank_on_task, rank_rows, rank_until_decided
from tianti.board.results import Result
from tianti.board.rows import Row, make_rows, with_mean

USUAL = Rules()


def assemble(results: Sequence[Result], title: str, rules: Rules = USUAL) -> Board:
    """The board of these results; their order does not matter."""
    chosen, left_out = choose(results)
    stopped = next((result.decided for result in chosen if result.decided), None)
    if stopped is not None:
        check_rules(rules)
    columns = columns_of(chosen)
    further = aspect_columns(chosen, columns)
    rows = make_rows(chosen, columns, further, rules)
    named, by_task = [], {}
    ranked: dict[str, dict[str, Cell]] = {row.entry.id: {} for row in rows}
    having: dict[str, list[Row]] = {column.name: [] for column in columns.values()}
    for row in rows:
        for name in row.measured:
            having[name].append(row)
    for column in columns.values():
        cells, column, by_task[column.name] = rank_on_task(having[column.name], column, rules)
        named.append(column)
        for entry, cell in cells.items():
            ranked[entry][column.name] = cell
    rows = [
        replace(row, entry=replace(row.entry, cells={**row.entry.cells, **ranked[row.entry.id]}))
        for row in rows
    ]
    counting = [column for column in named if column.counts]
    rows = [with_mean(row, counting, rules.level) for row in rows]
    decided = None
    if stopped is not None:
        rows, family, decided = rank_until_decided(rows, named, counting, stopped, rules)
        named, winner = [replace(column, better=0, pairs=0) for column in named], None
    else:
        rows, family, winner = rank_rows(rows, counting, named, by_task, rules)
    rows.sort(key=_order)
    entries = tuple(row.entry for row in rows)
    aspects = tuple(column for task in columns for column in further[task])
    return as_recorded(Board(title, rules, tuple(named), entries, family, left_out, winner, aspects, decided))


def _order(row: Row) -> tuple[float, int, float, str]:
    """Ranked entries first; then those with most tasks; equal ones by name."""
    entry = row.entry
    rank = float("inf") if entry.rank is None else float(entry.rank)
    mean = float("-inf") if entry.mean is None else entry.mean
    return rank, -entry.tasks_done, -mean, entry.name

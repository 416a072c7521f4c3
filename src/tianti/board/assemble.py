"""Results → Board: make the cells, average, rank.

How it is ranked, in words: every task's metric is averaged over items (each item over its seeds first) and
normalised so that guessing is 0 and perfect is 1; the mean over the tasks ranks. The interval of ranks comes
from paired tests of every two entries on the items that both answered, corrected for all pairs at once
(Holm). An entry that lacks a counting task is shown and not ranked: its mean is not of the same tasks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tianti.board.board import Board, Cell, Column, Entry, Price, as_recorded
from tianti.board.cells import Measured, measure
from tianti.board.choose import choose, columns_of, entry_names
from tianti.board.ranking import bands, places, rank
from tianti.board.results import Items, Result
from tianti.board.slugs import slugs
from tianti.stats import RankIntervals, TaskValues, macro_interval

LEVEL = 0.95


@dataclass(frozen=True)
class _Row:
    """An entry while the board is made: `measured` by column name."""

    entry: Entry
    measured: Mapping[str, Measured]

    def items(self, column: Column) -> Items | None:
        found = self.measured.get(column.name)
        return found.items if found else None


def assemble(results: Sequence[Result], title: str, level: float = LEVEL) -> Board:
    """The board of these results; their order does not matter."""
    chosen, left_out = choose(results)
    columns = columns_of(chosen)
    rows = _rows(chosen, columns, level)
    named = []
    for column in columns.values():
        rows, column = _rank_on_task(rows, column, level)
        named.append(column)
    counting = [column for column in named if column.counts]
    rows = [_with_mean(row, counting, level) for row in rows]
    rows, family = _rank(rows, counting, named, level)
    rows.sort(key=_order)
    entries = tuple(row.entry for row in rows)
    return as_recorded(Board(title, level, tuple(named), entries, family, left_out))


def _rows(results: Sequence[Result], columns: Mapping[str, Column], level: float) -> list[_Row]:
    grouped: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        grouped[result.entry_key][result.task_key].append(result)
    names = entry_names(results)
    ids = slugs(_title(names[key]) for key in grouped)
    rows = []
    for key in sorted(grouped, key=lambda key: names[key]):
        by_task = grouped[key]
        measured = {
            column.name: measure(by_task[task], column, level)
            for task, column in columns.items()
            if task in by_task
        }
        some = next(iter(by_task.values()))[0]
        rows.append(_Row(_entry(some, names[key], ids[_title(names[key])], measured), measured))
    return rows


def _entry(result: Result, names: tuple[str, str], slug: str, measured: Mapping[str, Measured]) -> Entry:
    prices = [each.price for each in measured.values()]
    return Entry(
        id=slug,
        name=_title(names),
        model=names[0],
        model_fingerprint=result.model["fingerprint"],
        model_source=result.model["source"],
        architecture=result.model["architecture"],
        parameters=result.model["parameters"],
        adaptation=names[1],
        method=result.adaptation["name"],
        cells={name: each.cell for name, each in measured.items()},
        price=Price(
            trainable_parameters=max(price.trainable_parameters for price in prices),
            training_seconds=sum(price.training_seconds for price in prices),
            evaluation_seconds=sum(price.evaluation_seconds for price in prices),
            training_tokens=sum(price.training_tokens for price in prices),
            evaluation_tokens=sum(price.evaluation_tokens for price in prices),
        ),
    )


def _title(names: tuple[str, str]) -> str:
    return " · ".join(names)


def _rank_on_task(rows: Sequence[_Row], column: Column, level: float) -> tuple[list[_Row], Column]:
    """Each entry's place on one task; with an interval where the metric is a mean over items."""
    sign = 1.0 if column.higher_is_better else -1.0
    cells = {row.entry.id: row.entry.cells[column.name] for row in rows if column.name in row.entry.cells}
    valued = {name: cell.value for name, cell in cells.items() if cell.value is not None}
    place = dict(zip(valued, places([sign * value for value in valued.values()]), strict=True))
    tested = [(row.entry.id, items) for row in rows if (items := row.items(column)) is not None]
    ranks = rank({column.name: [items for _, items in tested]}, {column.name: sign}, level)
    where = {name: index for index, (name, _) in enumerate(tested)}

    def ranked(row: _Row) -> _Row:
        name = row.entry.id
        if name not in place:
            return row
        low, high = _bounds(ranks, where.get(name), place[name])
        cell = replace(cells[name], rank=place[name], rank_low=low, rank_high=high)
        return replace(row, entry=replace(row.entry, cells={**row.entry.cells, column.name: cell}))

    pairs = len(tested) * (len(tested) - 1) // 2
    better = int(ranks.better.sum()) if ranks is not None else 0
    return [ranked(row) for row in rows], replace(column, better=better, pairs=pairs)


def _with_mean(row: _Row, counting: Sequence[Column], level: float) -> _Row:
    """The macro-average over the counting tasks that the entry has."""
    tasks = [
        TaskValues(items.values, column.chance, items.clusters)
        for column in counting
        if (items := row.items(column)) is not None
    ]
    interval = macro_interval(tasks, level=level)
    entry = replace(
        row.entry,
        tasks_done=len(tasks),
        complete=bool(tasks) and len(tasks) == len(counting),
        mean=interval.estimate if interval else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
    )
    return replace(row, entry=entry)


def _rank(
    rows: Sequence[_Row], counting: Sequence[Column], columns: Sequence[Column], level: float
) -> tuple[list[_Row], int]:
    """The ranks of the complete entries, and the size of the family of tests behind them."""
    if not counting and len(columns) == 1:
        # One task whose metric cannot be averaged with others (perplexity): the place on it is the rank.
        return [_ranked_by_cell(row, columns[0]) for row in rows], 0
    complete = [row for row in rows if row.entry.complete]
    items = {
        column.name: [found for row in complete if (found := row.items(column)) is not None]
        for column in counting
    }
    weights = {column.name: 1 / (len(counting) * (1 - (column.chance or 0.0))) for column in counting}
    ranks = rank(items, weights, level)
    place = places([row.entry.mean for row in complete if row.entry.mean is not None])
    if ranks is None:
        return list(rows), 0
    order = sorted(range(len(complete)), key=lambda index: (place[index], complete[index].entry.name))
    band = bands(order, ranks.better)
    ranked: dict[str, Entry] = {}
    for index, row in enumerate(complete):
        low, high = _bounds(ranks, index, place[index])
        ranked[row.entry.id] = replace(
            row.entry, rank=place[index], rank_low=low, rank_high=high, band=band[index]
        )
    return [replace(row, entry=ranked.get(row.entry.id, row.entry)) for row in rows], ranks.family


def _ranked_by_cell(row: _Row, column: Column) -> _Row:
    cell = row.entry.cells.get(column.name, Cell(column.name, "empty"))
    entry = replace(row.entry, rank=cell.rank, rank_low=cell.rank_low, rank_high=cell.rank_high)
    return replace(row, entry=entry)


def _bounds(ranks: RankIntervals | None, index: int | None, place: int) -> tuple[int | None, int | None]:
    """The interval of ranks, widened where missing answers make the place fall outside it."""
    if ranks is None or index is None:
        return None, None
    return min(int(ranks.low[index]), place), max(int(ranks.high[index]), place)


def _order(row: _Row) -> tuple[float, int, float, str]:
    """Ranked entries first; then those with most tasks; equal ones by name."""
    entry = row.entry
    rank = float("inf") if entry.rank is None else float(entry.rank)
    mean = float("-inf") if entry.mean is None else entry.mean
    return rank, -entry.tasks_done, -mean, entry.name

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
from typing import Any

from tianti.board.aspects import aspect_cells, aspect_columns
from tianti.board.board import Board, Decided, Rules, Winner, as_recorded
from tianti.board.cells import Measured, measure
from tianti.board.choose import choose, columns_of, entry_names
from tianti.board.decided import Asked, anytime_cells, check_rules, rank_decided
from tianti.board.entries import AspectColumn, Cell, Column, Entry, Price
from tianti.board.ranking import Ranking, bands, places, rank, task_matrices
from tianti.board.results import Items, Result
from tianti.board.slugs import slugs
from tianti.stats import (
    RankIntervals,
    TaskMatrix,
    TaskValues,
    fewest_items_to_unseat,
    macro_interval,
    picked_level,
)

USUAL = Rules()


@dataclass(frozen=True)
class _Row:
    """An entry while the board is made: `measured` by column name."""

    entry: Entry
    measured: Mapping[str, Measured]

    def items(self, column: Column) -> Items | None:
        found = self.measured.get(column.name)
        return found.items if found else None


def assemble(results: Sequence[Result], title: str, rules: Rules = USUAL) -> Board:
    """The board of these results; their order does not matter."""
    chosen, left_out = choose(results)
    stopped = next((result.decided for result in chosen if result.decided), None)
    if stopped is not None:
        check_rules(rules)
    columns = columns_of(chosen)
    further = aspect_columns(chosen, columns)
    rows = _rows(chosen, columns, further, rules)
    named, by_task = [], {}
    for column in columns.values():
        rows, column, by_task[column.name] = _rank_on_task(rows, column, rules)
        named.append(column)
    counting = [column for column in named if column.counts]
    rows = [_with_mean(row, counting, rules.level) for row in rows]
    decided = None
    if stopped is not None:
        rows, family, decided = _rank_decided(rows, named, counting, stopped, rules)
        named, winner = [replace(column, better=0, pairs=0) for column in named], None
    else:
        rows, family, winner = _rank(rows, counting, named, by_task, rules)
    rows.sort(key=_order)
    entries = tuple(row.entry for row in rows)
    aspects = tuple(column for task in columns for column in further[task])
    return as_recorded(Board(title, rules, tuple(named), entries, family, left_out, winner, aspects, decided))


def _rows(
    results: Sequence[Result],
    columns: Mapping[str, Column],
    further: Mapping[str, Sequence[AspectColumn]],
    rules: Rules,
) -> list[_Row]:
    grouped: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        grouped[result.entry_key][result.task_key].append(result)
    names = entry_names(results)
    ids = slugs(_title(names[key]) for key in grouped)
    rows = []
    for key in sorted(grouped, key=lambda key: names[key]):
        by_task = grouped[key]
        measured = {
            column.name: measure(by_task[task], column, rules)
            for task, column in columns.items()
            if task in by_task
        }
        some = next(iter(by_task.values()))[0]
        entry = _entry(some, names[key], ids[_title(names[key])], measured)
        aspects: dict[str, Cell] = {}
        for task in columns:
            aspects |= aspect_cells(by_task.get(task, ()), further[task], rules)
        rows.append(_Row(replace(entry, aspects=aspects), measured))
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


def _rank_on_task(
    rows: Sequence[_Row], column: Column, rules: Rules
) -> tuple[list[_Row], Column, Ranking | None]:
    """Each entry's place on one task; with an interval where the metric is a mean over items."""
    sign = 1.0 if column.higher_is_better else -1.0
    cells = {row.entry.id: row.entry.cells[column.name] for row in rows if column.name in row.entry.cells}
    valued = {name: cell.value for name, cell in cells.items() if cell.value is not None}
    place = dict(zip(valued, places([sign * value for value in valued.values()]), strict=True))
    tested = [(row.entry.id, items) for row in rows if (items := row.items(column)) is not None]
    matrices = task_matrices({column.name: [items for _, items in tested]}, {column.name: sign})
    ranking = rank(matrices, rules)
    ranks = ranking.simultaneous if ranking is not None else None
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
    return [ranked(row) for row in rows], replace(column, better=better, pairs=pairs), ranking


def _with_mean(row: _Row, counting: Sequence[Column], level: float) -> _Row:
    """The macro-average over the counting tasks that the entry has."""
    tasks = _task_values(row, counting)
    interval = macro_interval(tasks, level=level)
    entry = replace(
        row.entry,
        tasks_done=len(tasks),
        complete=bool(tasks) and len(tasks) == len(counting),
        mean=interval.estimate if interval else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        interval_method=interval.method if interval else "",
        target=interval.target if interval else "",
        n=interval.n if interval else 0,
        clusters=interval.clusters if interval else None,
        repeats=min(
            (items.repeats for column in counting if (items := row.items(column)) is not None), default=1
        ),
    )
    return replace(row, entry=entry)


def _task_values(row: _Row, counting: Sequence[Column]) -> list[TaskValues]:
    return [
        TaskValues(items.values, column.chance, items.clusters)
        for column in counting
        if (items := row.items(column)) is not None
    ]


def _rank(
    rows: Sequence[_Row],
    counting: Sequence[Column],
    columns: Sequence[Column],
    by_task: Mapping[str, Ranking | None],
    rules: Rules,
) -> tuple[list[_Row], int, Winner | None]:
    """The ranks of the complete entries, the size of the family of tests behind them, and who is first."""
    if not counting and len(columns) == 1:
        # One task whose metric cannot be averaged with others (perplexity): the place on it is the rank.
        return [_ranked_by_cell(row, columns[0]) for row in rows], 0, None
    complete = [row for row in rows if row.entry.complete]
    items = {
        column.name: [found for row in complete if (found := row.items(column)) is not None]
        for column in counting
    }
    weights = {column.name: 1 / (len(counting) * (1 - (column.chance or 0.0))) for column in counting}
    matrices = task_matrices(items, weights)
    # The tests on one task do not depend on its weight.
    ranking = by_task[counting[0].name] if len(counting) == 1 else rank(matrices, rules)
    place = places([row.entry.mean for row in complete if row.entry.mean is not None])
    if ranking is None:
        return list(rows), 0, None
    ranks = ranking.simultaneous
    order = sorted(range(len(complete)), key=lambda index: (place[index], complete[index].entry.name))
    band = bands(order, ranks.better)
    ranked: dict[str, Entry] = {}
    for index, row in enumerate(complete):
        low, high = _bounds(ranks, index, place[index])
        alone = ranking.marginal(index)
        ranked[row.entry.id] = replace(
            row.entry,
            rank=place[index],
            rank_low=low,
            rank_high=high,
            marginal_low=min(alone.low, place[index]),
            marginal_high=max(alone.high, place[index]),
            band=band[index],
        )
    all_rows = [replace(row, entry=ranked.get(row.entry.id, row.entry)) for row in rows]
    return all_rows, ranks.family, _winner(complete, order[0], matrices, counting, rules)


def _rank_decided(
    rows: Sequence[_Row],
    columns: Sequence[Column],
    counting: Sequence[Column],
    stopped: Mapping[str, Any],
    rules: Rules,
) -> tuple[list[_Row], int, Decided]:
    """Ranks and intervals that hold although the number of samples depended on the answers."""
    asked = [
        Asked(
            row.entry, {name: each.bounds for name, each in row.measured.items() if each.bounds is not None}
        )
        for row in rows
    ]
    complete = [each for each in asked if each.entry.complete]
    ranked, family, decided = rank_decided(complete, counting, stopped, rules)
    entries = {entry.id: entry for entry in ranked}
    found = []
    for row, each in zip(rows, asked, strict=True):
        entry = anytime_cells(
            entries.get(row.entry.id, row.entry), each.bounds, columns, stopped, rules.level
        )
        found.append(replace(row, entry=entry))
    return found, family, decided


def _winner(
    complete: Sequence[_Row],
    first: int,
    matrices: Sequence[TaskMatrix],
    counting: Sequence[Column],
    rules: Rules,
) -> Winner | None:
    """The first entry, with an interval that allows for its having been picked; None where it stands alone."""
    if len(complete) < 2:
        return None
    entry = complete[first].entry
    level = picked_level(rules.level, len(complete))
    interval = macro_interval(_task_values(complete[first], counting), level=level)
    if interval is None:
        raise AssertionError("a complete entry without values")
    unseating = fewest_items_to_unseat(matrices, first)
    return Winner(
        entry=entry.name,
        mean=interval.estimate,
        low=interval.low,
        high=interval.high,
        method=f"Bonferroni over {len(complete)} entries",
        candidates=len(complete),
        items=unseating.items if unseating else None,
        challenger=complete[unseating.challenger].entry.name if unseating else None,
        exact=unseating.exact if unseating else False,
    )


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

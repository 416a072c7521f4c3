"""The places of the entries: on each task, over all of them, and how firm the first place is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tianti.board.board import Decided, Rules, Winner
from tianti.board.decided import Asked, anytime_cells, rank_decided
from tianti.board.entries import Cell, Column, Entry
from tianti.board.ranking import Ranking, bands, places, rank, task_matrices
from tianti.board.rows import Row, task_values
from tianti.stats import RankIntervals, TaskMatrix, fewest_items_to_unseat, macro_interval, picked_level


def rank_on_task(
    rows: Sequence[Row], column: Column, rules: Rules
) -> tuple[dict[str, Cell], Column, Ranking | None]:
    """Each entry's cell with its place on one task, by id; with an interval where the metric is a mean over items."""
    cells = {row.entry.id: row.entry.cells[column.name] for row in rows if column.name in row.entry.cells}
    valued = {name: cell.value for name, cell in cells.items() if cell.value is not None}
    place = dict(zip(valued, places([column.goodness(value) for value in valued.values()]), strict=True))
    # Means can be tested against each other, but not their distances from 0.
    rows = [] if column.signed else rows
    tested = [(row.entry.id, items) for row in rows if (items := row.items(column)) is not None]
    sign = 1.0 if column.higher_is_better else -1.0
    matrices = task_matrices({column.name: [items for _, items in tested]}, {column.name: sign})
    ranking = rank(matrices, rules)
    ranks = ranking.simultaneous if ranking is not None else None
    where = {name: index for index, (name, _) in enumerate(tested)}

    ranked = {}
    for name, own in place.items():
        low, high = _bounds(ranks, where.get(name), own)
        ranked[name] = replace(cells[name], rank=own, rank_low=low, rank_high=high)
    pairs = len(tested) * (len(tested) - 1) // 2
    better = int(ranks.better.sum()) if ranks is not None else 0
    return ranked, replace(column, better=better, pairs=pairs), ranking


def rank_rows(
    rows: Sequence[Row],
    counting: Sequence[Column],
    columns: Sequence[Column],
    by_task: Mapping[str, Ranking | None],
    rules: Rules,
) -> tuple[list[Row], int, Winner | None]:
    """The ranks of the complete entries, the size of the family of tests behind them, and who is first."""
    if not counting and len(columns) == 1:
        # One task whose metric cannot be averaged with others (perplexity): the place on it is the rank.
        return [_ranked_by_cell(row, columns[0]) for row in rows], 0, None
    complete = [row for row in rows if row.entry.complete]
    if any(row.items(column) is None for row in complete for column in counting):
        return _ranked_by_mean(rows, complete), 0, None
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


def rank_until_decided(
    rows: Sequence[Row],
    columns: Sequence[Column],
    counting: Sequence[Column],
    stopped: Mapping[str, Any],
    rules: Rules,
) -> tuple[list[Row], int, Decided]:
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
    complete: Sequence[Row],
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
    interval = macro_interval(task_values(complete[first], counting), level=level)
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


def _ranked_by_mean(rows: Sequence[Row], complete: Sequence[Row]) -> list[Row]:
    """By the mean alone: without values per sample nothing can be tested."""
    place = places([row.entry.mean for row in complete if row.entry.mean is not None])
    ranks = {row.entry.id: own for row, own in zip(complete, place, strict=True)}
    return [replace(row, entry=replace(row.entry, rank=ranks.get(row.entry.id))) for row in rows]


def _ranked_by_cell(row: Row, column: Column) -> Row:
    cell = row.entry.cells.get(column.name, Cell(column.name, "empty"))
    entry = replace(row.entry, rank=cell.rank, rank_low=cell.rank_low, rank_high=cell.rank_high)
    return replace(row, entry=entry)


def _bounds(ranks: RankIntervals | None, index: int | None, place: int) -> tuple[int | None, int | None]:
    """The interval of ranks, widened where missing answers make the place fall outside it."""
    if ranks is None or index is None:
        return None, None
    return min(int(ranks.low[index]), place), max(int(ranks.high[index]), place)

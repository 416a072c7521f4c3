"""A row of the board while it is made: the results of an entry, measured on every task and averaged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tianti.board.aspects import aspect_cells
from tianti.board.board import Rules
from tianti.board.cells import Measured, measure
from tianti.board.choose import entry_names
from tianti.board.entries import AspectColumn, Cell, Column, Entry
from tianti.board.prices import whole_price
from tianti.board.results import Items, Result
from tianti.board.slugs import slugs
from tianti.stats import TaskValues, macro_interval


@dataclass(frozen=True)
class Row:
    """An entry while the board is made: `measured` by column name."""

    entry: Entry
    measured: Mapping[str, Measured]

    def items(self, column: Column) -> Items | None:
        """Its value on each item of a task; None where it has none."""
        found = self.measured.get(column.name)
        return found.items if found else None


def make_rows(
    results: Sequence[Result],
    columns: Mapping[str, Column],
    further: Mapping[str, Sequence[AspectColumn]],
    rules: Rules,
) -> list[Row]:
    """The entries with what they measured, ordered by name; `further` are the aspects of each task."""
    grouped: dict[str, dict[str, list[Result]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        grouped[result.entry_key][result.task_key].append(result)
    names = entry_names(results)
    ids = slugs(_title(names[key]) for key in grouped)
    place = {task: index for index, task in enumerate(columns)}
    rows = []
    for key in sorted(grouped, key=lambda key: names[key]):
        by_task = grouped[key]
        # A leaderboard of thousands of models is sparse: only the tasks that the entry has are looked at.
        own = sorted(by_task, key=place.__getitem__)
        measured = {columns[task].name: measure(by_task[task], columns[task], rules) for task in own}
        entry = _entry(by_task[own[0]][0], names[key], ids[_title(names[key])], measured, rules.watts)
        aspects: dict[str, Cell] = {}
        for task in own:
            if further[task]:
                aspects |= aspect_cells(by_task[task], further[task], rules)
        rows.append(Row(replace(entry, aspects=aspects), measured))
    return rows


def with_mean(row: Row, counting: Sequence[Column], level: float) -> Row:
    """The macro-average over the counting tasks that the entry has; without an interval where one of them has no
    values per sample."""
    values = [
        cell.normalised
        for column in counting
        if (cell := row.entry.cells.get(column.name)) is not None and cell.normalised is not None
    ]
    tasks = task_values(row, counting)
    if len(tasks) < len(values):
        mean = sum(values) / len(values)
        complete = len(values) == len(counting)
        return replace(row, entry=replace(row.entry, tasks_done=len(values), complete=complete, mean=mean))
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
        n=interval.n if interval else None,
        clusters=interval.clusters if interval else None,
        repeats=min(
            (items.repeats for column in counting if (items := row.items(column)) is not None), default=1
        ),
    )
    return replace(row, entry=entry)


def task_values(row: Row, counting: Sequence[Column]) -> list[TaskValues]:
    """What its mean is made of: its values on the items of each counting task that it has."""
    return [
        TaskValues(items.values, column.chance, items.clusters)
        for column in counting
        if (items := row.items(column)) is not None
    ]


def _entry(
    result: Result, names: tuple[str, str], slug: str, measured: Mapping[str, Measured], watts: float | None
) -> Entry:
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
        provenance=result.provenance,
        stated=result.model.get("stated", {}),
        cells={name: each.cell for name, each in measured.items()},
        price=whole_price([each.price for each in measured.values() if each.price is not None], watts),
    )


def _title(names: tuple[str, str]) -> str:
    return " · ".join(names)

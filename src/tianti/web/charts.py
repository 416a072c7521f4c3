"""What is drawn: tables of numbers. A page shows each as a table, and `static/chart.js` draws it from there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tianti.board.board import Board
from tianti.board.costs import COSTS
from tianti.board.curves import Curve, Point
from tianti.board.entries import Column
from tianti.board.gains import Gain
from tianti.board.pareto import Member, near_front, pareto
from tianti.board.show import is_share, plain

NEAR = 40
"""Entries that are drawn beside a front: a browser cannot hold thousands of rows for each cost."""

Kind = Literal["lines", "points", "intervals"]
"""Scores over a quantity; scores against a cost; values of several things with their intervals."""


@dataclass(frozen=True)
class Row:
    """One mark: of a `series`, called `label`, at `x` and `y`. `low` … `high` is the interval of the value that was
    measured (of intervals `x`, else `y`). `whole` says that `x` is all there is, `mark` that it stands out."""

    x: float
    y: float | None = None
    low: float | None = None
    high: float | None = None
    series: str = ""
    label: str = ""
    mark: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Chart:
    """A table that is drawn. `log`: the x axis is logarithmic."""

    kind: Kind
    rows: Sequence[Row]
    log: bool = False

    @property
    def ranges(self) -> bool:
        """Whether any row has an interval."""
        return any(row.low is not None for row in self.rows)

    @property
    def ends(self) -> list[tuple[str, float | None, float | None]]:
        """(series, what it begins with, what it ends with), by x."""
        found: dict[str, list[Row]] = {}
        for row in sorted(self.rows, key=lambda row: row.x):
            found.setdefault(row.series, []).append(row)
        return [(series, rows[0].y, rows[-1].y) for series, rows in found.items()]


def written(value: float | None) -> str:
    """A number as a table has it: counts whole, with separators, others in four digits."""
    if isinstance(value, int) or (value is not None and abs(value) >= 1000):
        return f"{value:,.0f}"
    return plain(value)


def gain_chart(found: Iterable[Gain]) -> Chart:
    """The gain of each adaptation over all tasks, in points, greatest first."""
    rows = [
        Row(
            _points(each.difference), None, _points(each.low), _points(each.high), label=gain.entry.adaptation
        )
        for gain in found
        if (each := gain.overall) is not None and each.difference is not None
    ]
    return Chart("intervals", sorted(rows, key=lambda row: -row.x))


def curve_chart(
    curves: Sequence[Curve], column: Column | None, sizes: Mapping[str, int], *, log: bool
) -> Chart:
    """Curves on one task, or of the mean (`column` None). `sizes` says how many the points without a size have, by
    their entries; where that is not known they have no place."""
    rows = []
    for curve in curves:
        for point in curve.points:
            size = sizes.get(point.entry) if point.size is None else point.size
            value = _value(point.cells.get(column.name), column) if column else _mean(point)
            if size is not None and value[0] is not None:
                rows.append(Row(size, *value, series=curve.adaptation, whole=point.size is None))
    return Chart("lines", rows, log)


def _mean(point: Point) -> tuple[float | None, float | None, float | None]:
    low, high = (None if each is None else 100 * each for each in (point.low, point.high))
    return (None if point.mean is None else 100 * point.mean), low, high


def _value(cell: Mapping[str, Any] | None, column: Column) -> tuple[float | None, float | None, float | None]:
    if cell is None:
        return None, None, None
    scale = 100 if is_share(column) else 1
    value, low, high = (None if cell[key] is None else scale * cell[key] for key in ("value", "low", "high"))
    return value, low, high


def training_chart(cost: Mapping[str, Any], trained: str, held: str = "", most: int = 200) -> Chart | None:
    """The losses of a training, from what its run recorded as its cost; None where that is not two numbers.

    `trained` and `held` name the curves of what was learned and of what was held out, of which the second is left out
    where it has no name. Of the first, at most so many points.
    """
    if by_epoch(cost):
        ends = range(1, len(cost.get("train_loss", ())) + 1)
        learned = list(zip(ends, cost.get("train_loss", ()), strict=True))
    else:
        ends = cost["epoch_steps"]
        learned = list(zip(cost["loss_steps"], cost["loss_by_step"], strict=True))
    every = max(1, -(-len(learned) // most))
    rows = [Row(x, loss, series=trained) for x, loss in [*reversed(learned[::-every])]]
    if held:
        rows += [Row(x, loss, series=held) for x, loss in zip(ends, cost.get("validation", ()), strict=False)]
    return Chart("lines", rows) if len(learned) > 1 else None


def by_epoch(cost: Mapping[str, Any]) -> bool:
    """Whether the losses of a cost are known by epoch only: of runs from before they were recorded by step, and of
    heads that are not learned in steps."""
    steps = cost.get("epoch_steps", ())
    return not cost.get("loss_steps") or len(steps) != len(cost.get("train_loss", ()))


@dataclass(frozen=True)
class Front:
    """Means against a cost: those on the front and those nearest to it, of so many `entries` of which the cost is
    known."""

    cost: str
    chart: Chart
    entries: int

    @property
    def marked(self) -> int:
        """How many are on the front."""
        return sum(row.mark for row in self.chart.rows)


def fronts(board: Board) -> list[Front]:
    """Means against each cost by which the entries of a board differ."""
    found = [(cost, pareto(board, cost)) for cost in COSTS]
    return [
        Front(cost, _pareto_chart(near_front(members, NEAR)), len(members))
        for cost, members in found
        if len({member.cost for member in members}) > 1
    ]


def _pareto_chart(members: Sequence[Member]) -> Chart:
    rows = [
        Row(
            member.cost,
            _points(member.entry.mean),
            _points(member.entry.low),
            _points(member.entry.high),
            series=member.entry.method,
            label=member.entry.name,
            mark=member.on_front,
        )
        for member in members
    ]
    return Chart("points", rows, log=True)


def _points(value: float | None) -> Any:
    return None if value is None else 100 * value

"""Learning curves: the entries of a board that are the same adaptation on more and more training examples."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tianti.adapt import Adaptation, FewShot, ZeroShot, label, parse_adaptation
from tianti.adapt.options import changed
from tianti.adapt.sizes import size_of, without_size
from tianti.board.board import Board
from tianti.board.entries import Cell, Column, Entry
from tianti.board.show import MISSING, cell_text, is_share, mean_text, number, percent
from tianti.core.call import Call
from tianti.core.exceptions import InputError

ALL = "all"


@dataclass(frozen=True)
class Point:
    """An entry of a curve: its name, the examples that it learned from, None for the whole training split."""

    size: int | None
    entry: str
    mean: float | None
    low: float | None
    high: float | None
    cells: dict[str, dict[str, Any]]
    """Value, interval and the value of each seed, by task."""


@dataclass(frozen=True)
class Curve:
    """One adaptation of one model by the number of examples, smallest first."""

    model: str
    adaptation: str
    points: tuple[Point, ...]


def curves(board: Board) -> list[Curve]:
    """The learning curves of a board: at least two sizes of one adaptation of one model."""
    found: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for entry in board.entries:
        adaptation = _parsed(entry)
        if adaptation is None:
            continue
        found[entry.model, label(without_size(adaptation))].append(_point(entry, size_of(adaptation)))
    return [
        Curve(model, adaptation, tuple(sorted(points, key=lambda point: point.size or float("inf"))))
        for (model, adaptation), points in sorted(found.items())
        if len({point.size for point in points}) > 1
    ]


def shot_curves(board: Board) -> list[Curve]:
    """Curves by the number of solved examples in the prompt: few-shot with at least two numbers of them, or with one
    beside zero-shot, which has none. Points have that number as their `size`."""
    found: dict[tuple[str, str], list[Point]] = defaultdict(list)
    untaught = {entry.model: _point(entry, 0) for entry in board.entries if entry.adaptation == ZeroShot.name}
    for entry in board.entries:
        if entry.method != FewShot.name:
            continue
        adaptation = _parsed(entry)
        if isinstance(adaptation, FewShot):
            settings = {name: value for name, value in changed(adaptation).items() if name != "k"}
            found[entry.model, str(Call(FewShot.name, settings))].append(_point(entry, adaptation.k))
    for (model, _), points in found.items():
        if model in untaught:
            points.append(untaught[model])
    return [
        Curve(model, adaptation, tuple(sorted(points, key=lambda point: point.size or 0)))
        for (model, adaptation), points in sorted(found.items())
        if len({point.size for point in points}) > 1
    ]


def render_curves(board: Board) -> RenderableType:
    """A table for each task, and one for the mean over several: curves by sizes, value ± half its interval, and the
    spread of several seeds."""
    found = curves(board)
    if not found:
        return Text("No learning curve here: run a study with --train-size 16,64,256,all.")
    sizes = sorted(
        {point.size for curve in found for point in curve.points}, key=lambda size: size or float("inf")
    )
    tables = [_table(board, found, sizes, column) for column in board.columns]
    if len(board.counting) > 1:
        tables.insert(0, _table(board, found, sizes, None))
    return Group(*tables)


def as_json(found: Sequence[Curve]) -> list[dict[str, Any]]:
    """The curves as plain data."""
    return [asdict(curve) for curve in found]


def _parsed(entry: Entry) -> Adaptation | None:
    """The adaptation of an entry; None where somebody else measured it."""
    return _read(re.sub(r" #[0-9a-f]{6}$", "", entry.adaptation))


@lru_cache(maxsize=1024)
def _read(label: str) -> Adaptation | None:
    """Thousands of entries share a few adaptations, and what is none takes time to say so."""
    try:
        return parse_adaptation(label)
    except InputError:
        return None


def _point(entry: Entry, size: int | None) -> Point:
    cells = {
        name: {"value": cell.value, "low": cell.low, "high": cell.high, "by_seed": list(cell.by_seed)}
        for name, cell in entry.cells.items()
    }
    return Point(size, entry.name, entry.mean, entry.low, entry.high, cells)


def _table(board: Board, found: Sequence[Curve], sizes: Sequence[int | None], column: Column | None) -> Table:
    title = "mean over the tasks" if column is None else f"{column.name} · {column.metric}"
    table = Table(title=f"{title}, by training examples", title_justify="left", box=None)
    table.add_column("model · adaptation")
    for size in sizes:
        table.add_column(ALL if size is None else f"{size:,}", justify="right")
    for curve in found:
        entries = {point.size: board.entry(point.entry) for point in curve.points}
        shown = [_shown(entries[size], column) if size in entries else MISSING for size in sizes]
        table.add_row(Text(f"{curve.model} · {curve.adaptation}"), *shown)
    return table


def _shown(entry: Entry, column: Column | None) -> str:
    if column is None:
        return mean_text(entry)
    cell = entry.cells.get(column.name)
    return MISSING if cell is None else cell_text(cell, column) + _spread(cell, column)


def _spread(cell: Cell, column: Column) -> str:
    """The lowest and the highest value of several seeds, on a line of its own; empty for one seed."""
    values = [value for value in cell.by_seed if value is not None]
    write = percent if is_share(column) else number
    return f"\nseeds {write(min(values))} to {write(max(values))}" if len(values) > 1 else ""

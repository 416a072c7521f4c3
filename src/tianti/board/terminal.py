"""A board for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import accumulate

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from tianti.board.aspects import chosen_aspects
from tianti.board.board import Board
from tianti.board.cut import Cut, cut
from tianti.board.entries import AspectColumn, Cell, Column
from tianti.board.filters import EVERYTHING, Selection
from tianti.board.legend import about, hidden, legend, more, notes
from tianti.board.show import MISSING, cell_text, value_text
from tianti.board.whisker import NARROWEST, WIDEST, Axis, axis_of, whisker

MODEL_WIDTH = 32
ADAPTATION_WIDTH = 26
HEADING_WIDTH = 12
WHOLE = "ranks and intervals are those of the whole board."
DRAWN = "├●┤: each mean in its interval, all on one axis; ┊: 0."


@dataclass(frozen=True)
class _Style:
    """How much of a cell is written."""

    decimals: int
    interval: bool
    names: bool = True
    """Whether tasks stand in the headings; otherwise numbers do, and the names below the table."""


STYLES = (_Style(1, True), _Style(0, True), _Style(0, False), _Style(0, False, names=False))
"""From full to brief: the first that fits the terminal is used; if none does, tasks are left out."""


def to_text(board: Board) -> str:
    """The board as plain text, as wide as the terminal or 80 characters where there is none."""
    console = Console(file=StringIO(), color_system=None, force_terminal=False, force_jupyter=False)
    with console.capture() as captured:
        console.print(render(board))
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")


def render(
    board: Board, metrics: Sequence[str] = (), top: int | None = None, selection: Selection = EVERYTHING
) -> RenderableType:
    """The board as a table as wide as the terminal allows, with a legend and a note for what is missing.

    Args:
        metrics: further metrics (calibration, robustness, …) that are shown as columns behind the tasks.
        top: show the first so many entries only.
        selection: which entries and columns are shown, and in which order.

    Raises:
        UnknownNameError, InputError: the board has no such metric, or nothing that is called as the selection says.
    """
    if not board.entries:
        return Text("The board is empty: nothing has been run yet.")
    shown = cut(board, selection)
    return _View(shown, chosen_aspects(shown.board.aspects, metrics), top)


@dataclass(frozen=True)
class _View:
    """Rich asks it how it looks in a given width."""

    cut: Cut
    further: Sequence[AspectColumn] = ()
    top: int | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        board, entries = self.cut.board, self.cut.board.entries[: self.top]
        left = [self.cut.texts(entry) for entry in entries]
        heads = ["rank", "model", "adaptation", *self.cut.quantities]
        used = sum(_width(column) for column in zip(heads, *left, strict=True)) + 1
        columns: list[Column] = [*board.columns, *self.further]
        names = _headings(columns)
        whole = [heading.replace("\n", "") for heading in _headings(columns, between=" · ")]
        for style in STYLES:
            headings = names if style.names else [str(number + 1) for number in range(len(names))]
            cells = [
                [_cell(entry.cells.get(c.name) or entry.aspects.get(c.name), c, style) for entry in entries]
                for c in columns
            ]
            widths = [_width([*h.split("\n"), *column]) for h, column in zip(headings, cells, strict=True)]
            if used + sum(widths) <= options.max_width:
                break
        ends = list(accumulate(widths, initial=used))
        shown = max(sum(end <= options.max_width for end in ends) - 1, 0)
        axis = self._axis(options.max_width - ends[shown] - 2)
        title = Text(board.title) if board.title else None
        table = Table(box=None, padding=(0, 1), title=title, title_justify="left", header_style="bold")
        _add_columns(table, self.cut.quantities, axis, headings[:shown])
        for index, (entry, texts) in enumerate(zip(entries, left, strict=True)):
            drawn = [whisker(axis, entry)] if axis else []
            row = [*texts[:4], *drawn, *texts[4:], *(column[index] for column in cells[:shown])]
            table.add_row(*map(Text, row))
        yield table
        yield ""
        for line in [
            *([] if style.names else [_numbered(whole)]),
            *([f"{self.cut.text}; {WHOLE}"] if self.cut.selection else []),
            *([DRAWN] if axis else []),
            *more(len(board.entries) - len(entries)),
            *legend(self.cut.whole),
            *about(self.further),
            *hidden(len(columns) - shown, "column" if self.further else "task"),
            *notes(board),
        ]:
            yield Text(line, style="dim")

    def _axis(self, room: int) -> Axis | None:
        """The axis of all means of the board, where the mean is shown first and there is room for a drawing."""
        if room < NARROWEST or self.cut.quantities[:1] != ("mean",):
            return None
        return axis_of(self.cut.whole.entries, min(room, WIDEST))


def _add_columns(table: Table, quantities: Sequence[str], axis: Axis | None, headings: Sequence[str]) -> None:
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold", max_width=MODEL_WIDTH)
    table.add_column("adaptation", overflow="fold", max_width=ADAPTATION_WIDTH)
    for quantity in quantities:
        table.add_column(quantity, justify="right", no_wrap=True)
        if axis is not None and quantity == "mean":
            table.add_column(Text(axis.heading), no_wrap=True)
    for heading in headings:
        table.add_column(Text(heading), justify="right", overflow="fold", max_width=HEADING_WIDTH)


def _width(texts: Iterable[str]) -> int:
    """The width of a column with its padding; long names are folded."""
    return 2 + min(max(max(map(cell_len, texts), default=0), 2), MODEL_WIDTH)


def _cell(cell: Cell | None, column: Column, style: _Style) -> str:
    if cell is None:
        return MISSING
    if cell.state != "ok":
        return {"failed": "✗", "running": "…"}.get(cell.state, "∅")
    write = cell_text if style.interval else value_text
    return write(cell, column, style.decimals) + ("*" if cell.errors or cell.skipped else "")


def _headings(columns: Sequence[Column], between: str = "\n") -> list[str]:
    """Task names without the folder that all share, broken at dashes and slashes so that columns stay
    narrow."""
    names = [column.name for column in columns]
    folders = {name.rpartition("/")[0] for name in names}
    cut = len(folders.pop()) + 1 if len(folders) == 1 and "/" in names[0] else 0
    return [
        name[cut:].replace("-", "-\n").replace("/", "/\n").replace("_", "_\n").replace(" · ", between)
        for name in names
    ]


def _numbered(headings: Sequence[str]) -> str:
    return "tasks: " + ", ".join(f"{number + 1} {name}" for number, name in enumerate(headings))

"""A board for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from itertools import accumulate

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from tianti.board.aspects import chosen_aspects
from tianti.board.board import Board
from tianti.board.cut import Cut, cut
from tianti.board.entries import AspectColumn, Cell, Column, Entry
from tianti.board.filters import EVERYTHING, Selection
from tianti.board.legend import about, hidden, legend, more, notes
from tianti.board.show import MISSING, cell_text, value_text
from tianti.board.whisker import NARROWEST, WIDEST, Axis, axis_of, whisker

MODEL_WIDTH = 32
ADAPTATION_WIDTH = 26
NARROW_NAMES = 12
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


@dataclass(frozen=True)
class _Way:
    """A way to fit a board into a width: what stands on the left, how cells are written, how many columns must fit."""

    cut: Cut
    style: _Style
    needed: int
    names: int = ADAPTATION_WIDTH
    """The width in which adaptations are folded."""


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
        # What was asked for by name keeps its place; it stands behind the tasks all the same.
        wanted: list[Column] = [*self.further, *board.columns]
        headings = _headings([*board.columns, *self.further])
        for way in self._ways():
            style, left = way.style, [["rank", "model", "adaptation", *way.cut.quantities]]
            left += [list(way.cut.texts(entry)) for entry in entries]
            limits = [MODEL_WIDTH, MODEL_WIDTH, way.names, *(MODEL_WIDTH for _ in way.cut.quantities)]
            used = sum(
                _width(column, most) for column, most in zip(zip(*left, strict=True), limits, strict=True)
            )
            cells = {column.name: _texts(entries, column, style) for column in wanted}
            heads = headings if style.names else {c.name: str(n) for n, c in enumerate(wanted, start=1)}
            widths = [
                max(_width(heads[name].split("\n"), HEADING_WIDTH), _width(texts, MODEL_WIDTH))
                for name, texts in cells.items()
            ]
            ends = list(accumulate(widths, initial=used + 1))
            if ends[way.needed] <= options.max_width:
                break
        shown = max(sum(end <= options.max_width for end in ends) - 1, 0)
        columns = [*wanted[len(self.further) : shown], *self.further[:shown]]
        axis = self._axis(way.cut.quantities, options.max_width - ends[shown] - 2)
        title = Text(board.title) if board.title else None
        table = Table(box=None, padding=(0, 1), title=title, title_justify="left", header_style="bold")
        _add_columns(table, way, axis, [heads[column.name] for column in columns])
        for index, (entry, texts) in enumerate(zip(entries, left[1:], strict=True)):
            drawn = [whisker(axis, entry)] if axis else []
            row = [*texts[:4], *drawn, *texts[4:], *(cells[column.name][index] for column in columns)]
            table.add_row(*map(Text, row))
        yield table if entries else Text("No entry fits what was asked for.")
        yield ""
        left_out = len(wanted) - shown + len(self.cut.quantities) - len(way.cut.quantities)
        for line in [
            *([] if style.names or not wanted else [_numbered(_headings(wanted, between=" · ").values())]),
            *([f"{self.cut.text}; {WHOLE}"] if self.cut.selection else []),
            *([DRAWN] if axis else []),
            *more(len(board.entries) - len(entries)),
            *legend(self.cut.whole),
            *about(self.further),
            *hidden(left_out, "column" if self.further else "task"),
            *notes(board),
        ]:
            yield Text(line, style="dim")

    def _ways(self) -> Iterable[_Way]:
        """From wide to narrow; the first that fits is taken, or else the last."""
        everything = len(self.cut.board.columns) + len(self.further)
        for style in STYLES[:2] if self.further else STYLES:
            yield _Way(self.cut, style, everything)
        asked = len(self.further)
        if asked:
            yield _Way(self.cut, STYLES[0], asked)
            yield _Way(self.cut, STYLES[0], asked, NARROW_NAMES)
            yield _Way(replace(self.cut, asked=self.cut.board.columns), STYLES[0], asked, NARROW_NAMES)

    def _axis(self, quantities: Sequence[str], room: int) -> Axis | None:
        """The axis of all means of the board, where the mean is shown first and there is room for a drawing."""
        if room < NARROWEST or tuple(quantities[:1]) != ("mean",):
            return None
        return axis_of(self.cut.whole.entries, min(room, WIDEST))


def _add_columns(table: Table, way: _Way, axis: Axis | None, headings: Sequence[str]) -> None:
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold", max_width=MODEL_WIDTH)
    table.add_column("adaptation", overflow="fold", max_width=way.names)
    for quantity in way.cut.quantities:
        table.add_column(quantity, justify="right", no_wrap=True)
        if axis is not None and quantity == "mean":
            table.add_column(Text(axis.heading), no_wrap=True)
    for heading in headings:
        table.add_column(Text(heading), justify="right", overflow="fold", max_width=HEADING_WIDTH)


def _width(texts: Iterable[str], most: int) -> int:
    """The width of a column with its padding; what is longer than `most` is folded."""
    return 2 + min(max(max(map(cell_len, texts), default=0), 2), most)


def _texts(entries: Sequence[Entry], column: Column, style: _Style) -> list[str]:
    """A column's cells, from the first entry to the last."""
    return [
        _cell(entry.cells.get(column.name) or entry.aspects.get(column.name), column, style)
        for entry in entries
    ]


def _cell(cell: Cell | None, column: Column, style: _Style) -> str:
    if cell is None:
        return MISSING
    if cell.state != "ok":
        return {"failed": "✗", "running": "…"}.get(cell.state, "∅")
    write = cell_text if style.interval else value_text
    return write(cell, column, style.decimals) + ("*" if cell.errors or cell.skipped else "")


def _headings(columns: Sequence[Column], between: str = "\n") -> dict[str, str]:
    """Task names without the folder that all share, broken at dashes and slashes so that columns stay narrow, by
    column."""
    names = [column.name for column in columns]
    folders = {name.rpartition("/")[0] for name in names}
    cut = len(folders.pop()) + 1 if len(folders) == 1 and "/" in names[0] else 0
    return {
        name: name[cut:].replace("-", "-\n").replace("/", "/\n").replace("_", "_\n").replace(" · ", between)
        for name in names
    }


def _numbered(headings: Iterable[str]) -> str:
    names = (heading.replace("\n", "") for heading in headings)
    return "tasks: " + ", ".join(f"{number} {name}" for number, name in enumerate(names, start=1))

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
from tianti.board.entries import AspectColumn, Cell, Column, Entry
from tianti.board.legend import about, hidden, legend, more, notes
from tianti.board.show import (
    MISSING,
    cell_text,
    mean_text,
    rank_text,
    value_text,
)

MODEL_WIDTH = 32
ADAPTATION_WIDTH = 26
HEADING_WIDTH = 12


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


def render(board: Board, metrics: Sequence[str] = (), top: int | None = None) -> RenderableType:
    """The board as a table as wide as the terminal allows, with a legend and a note for what is missing.

    Args:
        metrics: further metrics (calibration, robustness, …) that are shown as columns behind the tasks.
        top: show the first so many entries only.

    Raises:
        UnknownNameError, InputError: the board has no such metric.
    """
    further = chosen_aspects(board.aspects, metrics)
    return (
        _View(board, further, top) if board.entries else Text("The board is empty: nothing has been run yet.")
    )


@dataclass(frozen=True)
class _View:
    """Rich asks it how it looks in a given width."""

    board: Board
    further: Sequence[AspectColumn] = ()
    top: int | None = None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        board, everything = self.board, self.board
        if self.top is not None:
            board = replace(board, entries=board.entries[: self.top])
        left = [_left(entry) for entry in board.entries]
        used = sum(_width(column) for column in zip(*left, strict=True)) + 1
        columns: list[Column] = [*board.columns, *self.further]
        names = _headings(columns)
        whole = [heading.replace("\n", "") for heading in _headings(columns, between=" · ")]
        for style in STYLES:
            headings = names if style.names else [str(number + 1) for number in range(len(names))]
            cells = [
                [
                    _cell(entry.cells.get(c.name) or entry.aspects.get(c.name), c, style)
                    for entry in board.entries
                ]
                for c in columns
            ]
            widths = [_width([*h.split("\n"), *column]) for h, column in zip(headings, cells, strict=True)]
            if used + sum(widths) <= options.max_width:
                break
        ends = accumulate(widths, initial=used)
        shown = sum(end <= options.max_width for end in ends) - 1
        yield _table(board, left, headings[: max(shown, 0)], cells)
        yield ""
        numbered = [] if style.names else [_numbered(whole)]
        for line in [
            *numbered,
            *more(len(everything.entries) - len(board.entries)),
            *legend(everything),
            *about(self.further),
            *hidden(len(columns) - max(shown, 0), "column" if self.further else "task"),
            *notes(everything),
        ]:
            yield Text(line, style="dim")


def _table(
    board: Board, left: Sequence[Sequence[str]], headings: Sequence[str], cells: Sequence[Sequence[str]]
) -> Table:
    title = Text(board.title) if board.title else None
    table = Table(box=None, padding=(0, 1), title=title, title_justify="left", header_style="bold")
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("model", overflow="fold", max_width=MODEL_WIDTH)
    table.add_column("adaptation", overflow="fold", max_width=ADAPTATION_WIDTH)
    table.add_column("mean", justify="right", no_wrap=True)
    for heading in headings:
        table.add_column(Text(heading), justify="right", overflow="fold", max_width=HEADING_WIDTH)
    for index, texts in enumerate(left):
        row = [*texts, *(column[index] for column in cells[: len(headings)])]
        table.add_row(*map(Text, row))
    return table


def _left(entry: Entry) -> tuple[str, str, str, str]:
    rank = rank_text(entry.rank_low, entry.rank_high, entry.rank)
    mean = mean_text(entry) if entry.complete or entry.mean is None else f"({mean_text(entry)})"
    return rank, entry.model, entry.adaptation, mean


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

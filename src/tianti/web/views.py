"""A board with the slugs under which its models, tasks and runs have pages, and the axes that its drawings share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from tianti.board import Board, Cell, Column, Entry
from tianti.board.slugs import slugs
from tianti.board.zero import Zero, zero_of
from tianti.web import draw

UNTITLED = "all"


@dataclass(frozen=True)
class View:
    """A board as its pages show it: slugs by the names of its models and tasks and by the ids of its runs."""

    slug: str
    board: Board
    models: Mapping[str, str]
    tasks: Mapping[str, str]
    runs: Mapping[str, str]

    @cached_property
    def cells(self) -> list[Cell]:
        """All cells, those of further metrics too."""
        return [
            cell for entry in self.board.entries for cell in (*entry.cells.values(), *entry.aspects.values())
        ]

    @cached_property
    def entries(self) -> Mapping[str, Sequence[Entry]]:
        """The entries of each model, in the order of the board."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.board.entries:
            found[entry.model].append(entry)
        return found

    @cached_property
    def run_places(self) -> dict[str, tuple[Entry, Cell]]:
        """The entry and the cell that a run stands behind, by its id."""
        return {
            run_id: (entry, cell)
            for entry in self.board.entries
            for cell in entry.cells.values()
            for run_id in cell.run_ids
        }

    @cached_property
    def intervals(self) -> Literal["means", "scores", ""]:
        """What has intervals: means (and scores), scores alone, as where answers to single samples are not known, or
        nothing."""
        if any(entry.low is not None for entry in self.board.entries):
            return "means"
        return "scores" if any(cell.low is not None for cell in self.cells) else ""

    @property
    def zero(self) -> Zero:
        """What 0 is in a mean of this board."""
        return zero_of([column.chance for column in self.board.counting])

    def bar_of_mean(self, entry: Entry) -> draw.Bar | None:
        """The mean with its interval, on the axis of all means."""
        return draw.bar(self._mean_axis, entry.mean, entry.low, entry.high)

    def bar_of_cell(self, cell: Cell, column: Column) -> draw.Bar | None:
        """A cell with its interval, on the axis of its column."""
        return draw.bar(self._axes.get(column.name), cell.value, cell.low, cell.high)

    @cached_property
    def _mean_axis(self) -> draw.Axis | None:
        entries = self.board.entries
        return draw.axis([bound for e in entries for bound in (e.low, e.mean, e.high)], origin=0.0)

    @cached_property
    def _axes(self) -> dict[str, draw.Axis | None]:
        columns = [*self.board.columns, *self.board.aspects]
        bounds: dict[str, list[float | None]] = {column.name: [] for column in columns}
        for cell in self.cells:
            bounds[cell.task] += [cell.low, cell.value, cell.high]
        return {column.name: draw.axis(bounds[column.name], column.chance) for column in columns}


def views_of(boards: Sequence[Board]) -> tuple[View, ...]:
    """The views of the boards of a snapshot. Slugs are unique over all of them; those of the first are the plain ones,
    those of the others begin with the name of their board."""
    titles = slugs(board.title or UNTITLED for board in boards)
    models = slugs(_key(boards, b, entry.model) for b in boards for entry in b.entries)
    tasks = slugs(_key(boards, b, column.name) for b in boards for column in b.columns)
    return tuple(
        View(
            slug=titles[board.title or UNTITLED],
            board=board,
            models={entry.model: models[_key(boards, board, entry.model)] for entry in board.entries},
            tasks={column.name: tasks[_key(boards, board, column.name)] for column in board.columns},
            runs=slugs(
                run_id for entry in board.entries for cell in entry.cells.values() for run_id in cell.run_ids
            ),
        )
        for board in boards
    )


def _key(boards: Sequence[Board], board: Board, name: str) -> str:
    return name if board is boards[0] else f"{board.title}\0{name}"

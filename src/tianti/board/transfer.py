"""Transfer matrices: what an adaptation learned × what it was asked, from the entries of a board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tianti.adapt.transfer import FROM
from tianti.board.board import Board
from tianti.board.entries import Cell, Column, Entry
from tianti.board.show import MISSING, cell_text
from tianti.store import Run


@dataclass(frozen=True)
class Row:
    """What was learned and the cells by task. `learned` is None where nothing was: the model as it is.

    `own` is the task that was learned where it is asked, too: that cell is the ordinary score. A cell holds value,
    interval, its method, items, the value of each seed and the runs; a refused one its reason.
    """

    learned: str | None
    entry: str
    own: str | None
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Matrix:
    """One adaptation of one model: a row for each task that was learned, a column for each that was asked."""

    model: str
    adaptation: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def transfer_matrices(board: Board, runs: Sequence[Run]) -> list[Matrix]:
    """The matrices of a board: one for each adaptation of a model of which some run learned another task.

    `runs` are those that the board was made of: they say which data each row learned.
    """
    sources = _sources(runs)
    columns = {column.fingerprint: column.name for column in board.columns}
    rows: dict[tuple[str, str], list[Row]] = {}
    for entry in board.entries:
        base, between, reference = entry.adaptation.partition(FROM)
        if not between:
            continue
        reference = reference.partition(" #")[0]
        own = columns.get(sources.get(reference, ""))
        rows.setdefault((entry.model, base), []).append(_row(board, entry, base, reference, own))
    return [
        Matrix(model, base, board.columns, (*_untrained(board, model), *sorted(found, key=_order)))
        for (model, base), found in sorted(rows.items())
    ]


def render_transfer(found: Sequence[Matrix]) -> RenderableType:
    """A table for each matrix, value ± half its interval; reasons of what was refused stand below."""
    if not found:
        return Text("Nothing was learned from another task here: run a study with --transfer.")
    return Group(*(each for matrix in found for each in _shown(matrix)))


def _row(board: Board, entry: Entry, base: str, reference: str, own: str | None) -> Row:
    """The row of an entry; where the learned task itself is asked, its cell is the ordinary entry's."""
    cells = dict(entry.cells)
    ordinary = next(
        (each for each in board.entries if (each.model, each.adaptation) == (entry.model, base)), None
    )
    if own is not None and ordinary is not None and own in ordinary.cells:
        cells[own] = ordinary.cells[own]
    return Row(reference, entry.name, own if own in cells else None, cells)


def _untrained(board: Board, model: str) -> list[Row]:
    """The model under what trains nothing: what there was before anything was learned."""
    return [
        Row(None, entry.name, None, entry.cells)
        for entry in board.entries
        if entry.model == model and entry.price.trainable_parameters == 0 and _answered(entry)
    ]


def _answered(entry: Entry) -> bool:
    return FROM not in entry.adaptation and any(cell.state == "ok" for cell in entry.cells.values())


def _sources(runs: Sequence[Run]) -> dict[str, str]:
    """The fingerprints of the tasks that were learned, by the references under which rows name them."""
    found: dict[str, str] = {}
    for run in runs:
        adaptation = run.manifest["adaptation"]
        reference = adaptation["settings"].get("from")
        if reference is not None:
            found[reference] = adaptation["data"][reference]
    return found


def _order(row: Row) -> str:
    return row.own or row.learned or ""


def _shown(matrix: Matrix) -> list[RenderableType]:
    title = f"{matrix.model} · {matrix.adaptation}: rows learned, columns asked"
    table = Table(title=Text(title), title_justify="left", box=None)
    table.add_column("learned")
    for column in matrix.columns:
        heading = column.name.replace("/", "/\n").replace("-", "-\n").replace("_", "_\n")
        table.add_column(Text(heading), justify="right", overflow="fold")
    reasons: dict[str, None] = {}
    for row in matrix.rows:
        texts = [_text(row, column) for column in matrix.columns]
        untrained = row.entry.removeprefix(f"{matrix.model} · ")
        table.add_row(Text(row.learned or f"nothing ({untrained})"), *texts)
        reasons |= dict.fromkeys(cell.reason for cell in row.cells.values() if cell.reason)
    legend = "[ ]: the task that was learned, the ordinary score"
    lines = [legend, *(f"✗ {reason.splitlines()[0]}" for reason in reasons)]
    return [table, *(Text(line, style="dim") for line in lines), Text("")]


def _text(row: Row, column: Column) -> Text:
    cell = row.cells.get(column.name)
    if cell is None:
        return Text(MISSING)
    if cell.state != "ok":
        return Text({"failed": "✗", "running": "…"}.get(cell.state, "∅"))
    text = cell_text(cell, column)
    return Text(f"[{text}]" if column.name == row.own else text)

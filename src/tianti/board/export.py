"""A board as a table: one row per entry and task that is shown, for Arrow, Parquet, pandas and spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tianti.board.board import Board
from tianti.board.cut import Cut
from tianti.board.entries import Cell, Column, Entry
from tianti.board.filters import write
from tianti.board.show import letter
from tianti.core.exceptions import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = pa.schema(
    [
        ("rank", pa.int32()),
        ("rank_low", pa.int32()),
        ("rank_high", pa.int32()),
        ("band", pa.string()),
        ("entry", pa.string()),
        ("model", pa.string()),
        ("adaptation", pa.string()),
        ("provenance", pa.string()),
        ("mean", pa.float64()),
        ("mean_low", pa.float64()),
        ("mean_high", pa.float64()),
        ("parameters", pa.int64()),
        ("trainable_parameters", pa.int64()),
        ("training_examples", pa.int64()),
        ("training_seconds", pa.float64()),
        ("evaluation_seconds", pa.float64()),
        ("training_tokens", pa.int64()),
        ("evaluation_tokens", pa.int64()),
        ("watt_hours", pa.float64()),
        ("task", pa.string()),
        ("language", pa.string()),
        ("metric", pa.string()),
        ("state", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("normalised", pa.float64()),
        ("n", pa.int64()),
        ("seeds", pa.int32()),
        ("errors", pa.int64()),
        ("skipped", pa.int64()),
        ("task_rank", pa.int32()),
        ("reason", pa.string()),
        ("runs", pa.string()),
        ("snapshot", pa.string()),
    ]
)
"""`rank`, `band` (a letter, or nothing) and `mean` are the entry's, `value` and what follows the cell's, as shares and
not in per cent. Missing numbers are null. The `reason` of a reported figure is where it stands. `snapshot` is that of
the whole board."""

_CELL = SCHEMA.names[SCHEMA.get_field_index("task") : SCHEMA.get_field_index("runs") + 1]
NO_CELL = {name: "" if SCHEMA.field(name).type == pa.string() else None for name in _CELL}
"""What stands in a line without a task."""

# What a spreadsheet takes for the beginning of a formula, and what stands before one here.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def to_arrow(board: Board, snapshot: str = "") -> pa.Table:
    """One row per entry and task, in the order of the board; `snapshot` is that of the whole board, where this is a
    part of one."""
    return pa.Table.from_pylist(_rows(board, snapshot or board.snapshot), schema=SCHEMA)


def to_parquet(cut: Cut) -> bytes:
    """The table as a Parquet file, which says in its metadata of which board it is, and which part of it."""
    import pyarrow.parquet as pq

    whole = cut.whole
    about = {"title": whole.title, "snapshot": whole.snapshot, "level": f"{whole.level:g}"}
    if cut.selection:
        about["view"] = write(cut.selection)
    file = io.BytesIO()
    pq.write_table(to_arrow(cut.board, whole.snapshot).replace_schema_metadata(about), file)
    return file.getvalue()


def to_pandas(board: Board) -> pd.DataFrame:
    """One row per entry and task, in the order of the board.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    try:
        import pandas  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("pandas", "pandas", "Board.to_pandas") from error
    frame: pd.DataFrame = to_arrow(board).to_pandas()
    return frame


def to_csv(board: Board, snapshot: str = "") -> str:
    """One line per entry and task. A text that a spreadsheet would run as a formula gets a ' before it, and one that
    begins with a ' another: without the first ' of a text it is what it was. `snapshot` as above."""
    text = io.StringIO(newline="")
    # Lines end as RFC 4180 has it; only so are breaks of every kind within a text quoted.
    writer = csv.DictWriter(text, SCHEMA.names, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(
        {key: _safe(value) for key, value in row.items()} for row in _rows(board, snapshot or board.snapshot)
    )
    return text.getvalue()


def _rows(board: Board, snapshot: str) -> list[dict[str, Any]]:
    columns = {column.name: column for column in board.columns}
    return [
        {**_of_entry(entry), **cell, "snapshot": snapshot}
        for entry in board.entries
        # An entry of which no task is shown has a line all the same.
        for cell in _of_cells(entry, columns) or [NO_CELL]
    ]


def _of_cells(entry: Entry, columns: Mapping[str, Column]) -> list[dict[str, Any]]:
    return [
        _of_cell(columns[task], each) for task, cell in entry.cells.items() for each in _side_by_side(cell)
    ]


def _side_by_side(cell: Cell) -> list[Cell]:
    """The cell; of a published one a row for each figure, for none of them stands for the others."""
    if not cell.sources:
        return [cell]
    return [
        replace(cell, value=source.value, reason=f"{source.citation}, {source.url}")
        for source in cell.sources
    ]


def _of_entry(entry: Entry) -> dict[str, Any]:
    return {
        "rank": entry.rank,
        "rank_low": entry.rank_low,
        "rank_high": entry.rank_high,
        "band": letter(entry.band or 0),
        "entry": entry.name,
        "model": entry.model,
        "adaptation": entry.adaptation,
        "provenance": entry.provenance,
        "mean": entry.mean,
        "mean_low": entry.low,
        "mean_high": entry.high,
        "parameters": entry.parameters,
        **asdict(entry.price),
    }


def _of_cell(column: Column, cell: Cell) -> dict[str, Any]:
    return {
        "task": column.name,
        "language": column.language,
        "metric": column.metric,
        "state": cell.state,
        "value": cell.value,
        "low": cell.low,
        "high": cell.high,
        "normalised": cell.normalised,
        "n": cell.n,
        "seeds": len(cell.seeds) if cell.run_ids else None,
        "errors": cell.errors,
        "skipped": cell.skipped,
        "task_rank": cell.rank,
        "reason": cell.reason,
        "runs": " ".join(cell.run_ids),
    }


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value

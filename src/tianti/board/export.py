"""A board as a table: one row per entry and task, for Arrow, Parquet, pandas and spreadsheets."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tianti.board.board import Board
from tianti.board.entries import Cell, Column, Entry
from tianti.core.exceptions import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = pa.schema(
    [
        ("rank", pa.int32()),
        ("rank_low", pa.int32()),
        ("rank_high", pa.int32()),
        ("entry", pa.string()),
        ("model", pa.string()),
        ("adaptation", pa.string()),
        ("provenance", pa.string()),
        ("mean", pa.float64()),
        ("mean_low", pa.float64()),
        ("mean_high", pa.float64()),
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
        ("trainable_parameters", pa.int64()),
        ("training_seconds", pa.float64()),
        ("evaluation_seconds", pa.float64()),
        ("reason", pa.string()),
        ("runs", pa.string()),
    ]
)
"""`rank` and `mean` are the entry's, `value` and what follows the cell's. Missing numbers are null. The `reason` of a
reported figure is where it stands."""

# What a spreadsheet takes for the beginning of a formula, and what stands before one here.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")


def to_arrow(board: Board) -> pa.Table:
    """One row per entry and task, in the order of the board."""
    return pa.Table.from_pylist(_rows(board), schema=SCHEMA)


def to_parquet(board: Board) -> bytes:
    """The table as a Parquet file, which says in its metadata of which board it is."""
    import pyarrow.parquet as pq

    about = {"title": board.title, "snapshot": board.snapshot, "level": f"{board.level:g}"}
    file = io.BytesIO()
    pq.write_table(to_arrow(board).replace_schema_metadata(about), file)
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


def to_csv(board: Board) -> str:
    """One line per entry and task. A text that a spreadsheet would run as a formula gets a ' before it, and one that
    begins with a ' another: without the first ' of a text it is what it was."""
    text = io.StringIO(newline="")
    # Lines end as RFC 4180 has it; only so are breaks of every kind within a text quoted.
    writer = csv.DictWriter(text, SCHEMA.names, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({key: _safe(value) for key, value in row.items()} for row in _rows(board))
    return text.getvalue()


def _rows(board: Board) -> list[dict[str, Any]]:
    columns = {column.name: column for column in board.columns}
    return [
        _row(entry, columns[task], each)
        for entry in board.entries
        for task, cell in entry.cells.items()
        for each in _side_by_side(cell)
    ]


def _side_by_side(cell: Cell) -> list[Cell]:
    """The cell; of a published one a row for each figure, for none of them stands for the others."""
    if not cell.sources:
        return [cell]
    return [
        replace(cell, value=source.value, reason=f"{source.citation}, {source.url}")
        for source in cell.sources
    ]


def _row(entry: Entry, column: Column, cell: Cell) -> dict[str, Any]:
    return {
        "rank": entry.rank,
        "rank_low": entry.rank_low,
        "rank_high": entry.rank_high,
        "entry": entry.name,
        "model": entry.model,
        "adaptation": entry.adaptation,
        "provenance": entry.provenance,
        "mean": entry.mean,
        "mean_low": entry.low,
        "mean_high": entry.high,
        "task": column.name,
        "language": column.language,
        "metric": column.metric,
        "state": cell.state,
        "value": cell.value,
        "low": cell.low,
        "high": cell.high,
        "normalised": cell.normalised,
        "n": cell.n,
        "seeds": len(cell.seeds),
        "errors": cell.errors,
        "skipped": cell.skipped,
        "task_rank": cell.rank,
        "trainable_parameters": entry.price.trainable_parameters,
        "training_seconds": entry.price.training_seconds,
        "evaluation_seconds": entry.price.evaluation_seconds,
        "reason": cell.reason,
        "runs": " ".join(cell.run_ids),
    }


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value

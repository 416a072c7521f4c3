"""Entries × items → a file with one score a row, from which every number can be computed again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tianti.board.item_scores.table import ItemTable, TaskItems
from tianti.board.tables import FORMATS
from tianti.core.exceptions import InputError


def to_arrow(table: ItemTable) -> pa.Table:
    """One row per entry and item: entry, task, item, score, repeats, cluster, chance."""
    return pa.concat_tables([_task(table, task) for task in table.tasks])


def write_items(table: ItemTable, path: Path) -> int:
    """Write the scores in the format that the file's name says; returns the number of rows.

    Raises:
        InputError: another format, a folder that is not there, or a name that a TSV cannot hold.
    """
    form = path.suffix.lower()
    if form not in FORMATS:
        raise InputError(f"{path}: unknown format {path.suffix!r}, expected {', '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent}", remedy="make it first")
    rows = to_arrow(table)
    if form == ".parquet":
        from pyarrow import parquet

        parquet.write_table(rows, path)
    elif form == ".jsonl":
        import json

        with path.open("w", encoding="utf-8", newline="\n") as file:
            for row in rows.to_pylist():
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    else:
        _write_separated(rows, path, "," if form == ".csv" else "\t")
    return int(rows.num_rows)


def _task(table: ItemTable, task: TaskItems) -> pa.Table:
    row, column = np.nonzero(~np.isnan(task.values))
    names = pa.array(task.names, pa.string())
    clusters = pa.array(task.clusters or [None] * len(task.names), pa.string())
    return pa.table(
        {
            "entry": pa.array(table.entries, pa.string()).take(pa.array(row)),
            "task": pa.array([task.name] * len(row), pa.string()),
            "item": names.take(pa.array(column)),
            "score": pa.array(task.values[row, column]),
            "repeats": pa.array(task.answers[row, column].astype(np.int64)),
            "cluster": clusters.take(pa.array(column)),
            "chance": pa.array([task.chance] * len(row), pa.float64()),
        }
    )


def _write_separated(rows: pa.Table, path: Path, separator: str) -> None:
    import csv

    quoted = separator == ","
    if not quoted:
        for name in ("entry", "task", "item", "cluster"):
            if pc.any(pc.match_substring_regex(rows[name], r"[\t\r\n]")).as_py():
                raise InputError(
                    f"{path}: a name in {name} holds a tab or a new line, which a TSV cannot",
                    remedy="write a CSV",
                )
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = (
            csv.writer(file, lineterminator="\n")
            if quoted
            else csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        )
        writer.writerow(rows.column_names)
        for batch in rows.to_batches(10_000):
            writer.writerows(
                zip(*(batch.column(index).to_pylist() for index in range(batch.num_columns)), strict=True)
            )

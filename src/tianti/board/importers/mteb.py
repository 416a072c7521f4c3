"""MTEB: one main score per model, task, split and subset, as a CSV."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tianti.board.importers.form import SCORES, Content, columns_of
from tianti.board.importers.numbers import numbers
from tianti.board.importers.source import SourceFile
from tianti.core.wording import counted

NAME = "mteb"
NAMED = 5
"""Rows without a score that a note names."""
NEEDED = ("model", "task", "split", "hf_subset", "main_score")


def recognises(file: SourceFile) -> bool:
    return set(NEEDED) <= set(file.columns)


def read(file: SourceFile) -> Content:
    """The scores; a task's is later the mean over its splits and subsets, as MTEB has it.

    Raises:
        InputError: a score is no number; names the row.
    """
    table = file.table
    value = numbers(table["main_score"], "main_score", str(file.path))
    missing = np.flatnonzero(np.isnan(value))
    given = {
        # MTEB writes the / of a hub's name as two underscores in the names of its folders.
        "model": pc.replace_substring(table["model"], "__", "/", max_replacements=1),
        "revision": table["revision"] if "revision" in table.column_names else None,
        "task": table["task"],
        "metric": "main_score",
        "value": pa.array(value, from_pandas=True),
        "higher_is_better": True,
        "main": True,
    }
    fields = table.drop_columns(
        [name for name in ("model", "revision", "task", "main_score") if name in table.column_names]
    )
    scores = columns_of(SCORES, table.num_rows, given, fields)
    notes = (_without(table, missing),) if len(missing) else ()
    return Content(NAME, "mteb", {"scores": scores}, notes=notes)


def _without(table: pa.Table, rows: NDArray[np.intp]) -> str:
    """Which rows have no score, counted from 1 without the header; the first of them by name."""
    named = [
        f"row {row + 1} ({', '.join(str(table[name][int(row)]) for name in NEEDED[:-1])})"
        for row in rows[:NAMED]
    ]
    more = f" and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
    return f"{counted(len(rows), 'row')} without a score: {', '.join(named)}{more}"

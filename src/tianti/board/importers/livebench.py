"""LiveBench: one score per model and question, as Parquet."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tianti.board.importers.form import ITEMS, Content, columns_of
from tianti.board.importers.numbers import numbers
from tianti.board.importers.source import SourceFile
from tianti.core.exceptions import InputError

NAME = "livebench"
NEEDED = ("question_id", "task", "model", "score")


def recognises(file: SourceFile) -> bool:
    return set(NEEDED) <= set(file.columns)


def read(file: SourceFile) -> Content:
    """The values per question; several rows of a model and question are repeats.

    Raises:
        InputError: a score is no number from 0 to 1, or a name is missing; names the row.
    """
    table = file.table
    value = numbers(table["score"], "score", str(file.path))
    wrong = np.flatnonzero((value < 0) | (value > 1))
    if len(wrong):
        raise InputError(
            f"{file.path}, row {wrong[0] + 1}: score is {value[wrong[0]]:g}, expected a number from 0 to 1"
        )
    for name in ("question_id", "task", "model"):
        empty = np.flatnonzero(table[name].is_null().to_numpy())
        if len(empty):
            raise InputError(f"{file.path}, row {empty[0] + 1}: no {name}")
    given = {
        "model": table["model"],
        "task": table["task"],
        "metric": "score",
        "item": table["question_id"],
        "value": pa.array(value, from_pandas=True),
        "higher_is_better": True,
        "main": True,
    }
    items = columns_of(ITEMS, table.num_rows, given, table.drop_columns(list(NEEDED)))
    return Content(NAME, "livebench", {"items": items})

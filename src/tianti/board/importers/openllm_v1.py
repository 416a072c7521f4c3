"""The first Open LLM Leaderboard of Hugging Face (2023): a table of models with raw scores in points."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import numpy as np
import pyarrow as pa

from tianti.board.importers.form import NEWEST, SCORES, Content, columns_of
from tianti.board.importers.numbers import numbers
from tianti.board.importers.source import SourceFile
from tianti.core.wording import counted

NAME = "open-llm-leaderboard-v1"
TASK = re.compile(r"(\S+) ?\((\d+)-shot\)")
NOT_STATED = frozenset({"Parameters"})
"""They are shares of the largest model's."""
METRICS = {"ARC": "acc_norm", "HellaSwag": "acc_norm", "MMLU": "acc", "TruthfulQA": "mc2"}
"""What the leaderboard showed of its tasks."""


def recognises(file: SourceFile) -> bool:
    tasks = [column for column in file.columns if TASK.fullmatch(column)]
    return {"Model", "Average"} <= set(file.columns) and len(tasks) > 1


def read(file: SourceFile) -> Content:
    """The scores as shares, one row per model and task; a dated file is a study of its own.

    Raises:
        InputError: a score is no number; names the row.
    """
    table = file.table
    revision, same = _occurrences(table)
    table, revision = table.filter(pa.array(~same)), revision.filter(pa.array(~same))
    wide = {name: match for name in table.column_names if (match := TASK.fullmatch(name))}
    fields = table.drop_columns(["Model", *wide])
    parts = []
    for name, match in wide.items():
        given = {
            "model": table["Model"],
            "revision": revision,
            "task": match[1],
            "shots": int(match[2]),
            "metric": METRICS.get(match[1], "score"),
            "value": pa.array(numbers(table[name], name, str(file.path)) / 100, from_pandas=True),
            "higher_is_better": True,
            "main": True,
        }
        parts.append(columns_of(SCORES, table.num_rows, given, fields))
    notes = (
        (f"{counted(int(same.sum()), 'row')} left out: the same row stands before it",) if same.any() else ()
    )
    date = re.fullmatch(r"\d{8}", file.stem)
    study, facts = NAME, {}
    if date:
        study, facts = f"{NAME}-{date[0]}", {NEWEST: f"{date[0][:4]}-{date[0][4:6]}-{date[0][6:]}"}
    return Content(NAME, study, {"scores": pa.concat_tables(parts)}, facts, notes)


def _occurrences(table: pa.Table) -> tuple[pa.Array, Any]:
    """Which of several rows of a model each is: the table does not say what tells them apart. And which rows say
    nothing new."""
    seen: dict[Any, list[tuple[Any, ...]]] = defaultdict(list)
    revision, same = [], []
    rows = zip(*(table[name].to_pylist() for name in table.column_names), strict=True)
    for model, row in zip(table["Model"].to_pylist(), rows, strict=True):
        same.append(row in seen[model])
        seen[model].append(row)
        revision.append(f"row {len(seen[model])} of it" if len(seen[model]) > 1 else None)
    return pa.array(revision, pa.string()), np.array(same, dtype=bool)

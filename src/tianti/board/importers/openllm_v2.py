"""The second Open LLM Leaderboard of Hugging Face (2024–2025): a table of models with raw and normalised scores."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tianti.board.importers.form import CHAT, NEWEST, SCORES, Content, columns_of
from tianti.board.importers.numbers import numbers
from tianti.board.importers.source import SourceFile

NAME = "open-llm-leaderboard-v2"
SUBMITTED = "Submission Date"
SHOTS = {"IFEval": 0, "BBH": 3, "MATH Lvl 5": 4, "GPQA": 0, "MUSR": 0, "MMLU-PRO": 5}
NOT_STATED = frozenset({"", "eval_name", "T", "Model", "Architecture", "#Params (B)", "Chat Template"})
"""Columns that say nothing of the model, or what stands elsewhere on its page."""
NORMALISED = "normalised"
"""Its place between guessing (0) and perfect (1) as the leaderboard computed it from sub-tasks that the table lacks,
0 where it is worse than guessing."""


def recognises(file: SourceFile) -> bool:
    return {"fullname", "Precision"} <= set(file.columns) and any(
        f"{task} Raw" in file.columns for task in SHOTS
    )


def read(file: SourceFile) -> Content:
    """For each model and task the normalised score, which ranks, and the raw one.

    Raises:
        InputError: a score is no number; names the row.
    """
    table, rows = file.table, file.table.num_rows
    present = [task for task in SHOTS if task in table.column_names]
    scores = {name for task in present for name in (task, f"{task} Raw")}
    fields = table.drop_columns([name for name in (*scores, "fullname") if name in table.column_names])
    common = {
        "model": table["fullname"],
        "revision": _revision(table),
        "variant": _variant(table),
        "parameters": _parameters(table, str(file.path)),
        "architecture": table["Architecture"] if "Architecture" in table.column_names else None,
        "higher_is_better": True,
    }
    parts = []
    for task in present:
        for name, metric, points in ((task, NORMALISED, 100), (f"{task} Raw", "raw", 1)):
            if name in table.column_names:
                value = numbers(table[name], name, str(file.path)) / points
                given = {
                    **common,
                    "task": task,
                    "shots": SHOTS[task],
                    "metric": metric,
                    "main": metric == NORMALISED,
                    "value": pa.array(value, from_pandas=True),
                }
                parts.append(columns_of(SCORES, rows, given, fields))
    return Content(NAME, NAME, {"scores": pa.concat_tables(parts)}, _newest(table))


def _newest(table: pa.Table) -> dict[str, str]:
    """The newest day on which a model was submitted."""
    if SUBMITTED not in table.column_names:
        return {}
    days = [day for day in table[SUBMITTED].to_pylist() if day and re.fullmatch(r"\d{4}-\d\d-\d\d", day)]
    return {NEWEST: max(days)} if days else {}


def _revision(table: pa.Table) -> pa.ChunkedArray:
    """Commit and precision: the same model is there with several."""
    precision = table["Precision"].fill_null("")
    if "Model sha" not in table.column_names:
        return precision
    return pc.binary_join_element_wise(table["Model sha"].fill_null(""), precision, " ")


def _variant(table: pa.Table) -> pa.ChunkedArray | None:
    if "Chat Template" not in table.column_names:
        return None
    return pc.if_else(pc.equal(pc.utf8_lower(table["Chat Template"].cast(pa.string())), "true"), CHAT, None)


def _parameters(table: pa.Table, where: str) -> pa.Array | None:
    if "#Params (B)" not in table.column_names:
        return None
    billions = numbers(table["#Params (B)"], "#Params (B)", where)
    known = billions > 0  # the table has −1 where it does not know
    return pa.array(np.round(np.where(known, billions, 0) * 1e9).astype(np.int64), mask=~known)

"""The texts of imported samples, read from the store when somebody asks for them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from tianti.board.board import Board
from tianti.board.entries import Column
from tianti.board.imported import entry_ids, imported_pairs
from tianti.board.importers import lm_eval_samples
from tianti.board.importers.form import FIELD, WHO
from tianti.board.importers.sample_texts import SampleText, text_of
from tianti.board.importers.stored import Found
from tianti.store import Store

RECORD = f"{FIELD}record"


def imported_texts(
    store: Store, board: Board, column: Column, samples: Collection[str]
) -> Mapping[str, Mapping[str, SampleText]]:
    """What the files say of these samples of a task: by sample, then by the entry's id, in the order of the board.

    Samples are left out that no file has the text of.

    Raises:
        StoreError: a file of the store is gone or was changed.
    """
    if not any(each.format == lm_eval_samples.NAME for each in store.imports(board.title)):
        return {}
    ids = entry_ids(board)
    by_entry: dict[str, dict[str, SampleText]] = {}
    for each, result in imported_pairs(store, board.title):
        name = ids.get((result.model["fingerprint"], result.adaptation["label"]))
        if name is not None and each.items is not None and result.task["fingerprint"] == column.fingerprint:
            by_entry[name] = _texts(store, each, samples)
    found: dict[str, dict[str, SampleText]] = defaultdict(dict)
    for entry in board.entries:
        for sample, text in by_entry.get(entry.id, {}).items():
            found[sample][entry.id] = text
    return found


def _texts(store: Store, each: Found, samples: Collection[str]) -> dict[str, SampleText]:
    """Of one entry. The record stands in the row of the first metric of its filter."""
    names = (*WHO, "task", "metric", "item", RECORD)
    table = store.imported_table(each.record, "items", names)
    if table is None or RECORD not in table.column_names:
        return {}
    wanted = pc.and_(
        pc.equal(table["task"], each.task), pc.is_in(table["item"], pa.array(list(samples), pa.string()))
    )
    rows = table.filter(pc.and_(wanted, pc.is_valid(table[RECORD]))).to_pylist()
    key = (*each.who, each.shots, each.metric.partition("@")[2])
    return {
        row["item"]: text_of(json.loads(row[RECORD]))
        for row in rows
        if (*(row[name] for name in WHO), row["metric"].partition("@")[2]) == key
    }

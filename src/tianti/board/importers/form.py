"""The form that every importer brings a file into: a table of scores, and one of values per sample where there are any.

`model`, `revision`, `variant` (what else tells rows of a model apart: a chat template, a precision, an adapter) and
`shots` say who answered; `task`, `version` and `metric` what was asked. Further columns, named `field.…`, keep what the
file says besides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

FIELD = "field."
CHAT = "chat template"
NEWEST = "newest result"
"""The fact that says of which day the newest result of a file is, as `2026-01-31`."""
WHO = ("model", "revision", "variant", "shots")
WHAT = ("task", "version", "metric")
_KEYS = [
    ("model", pa.string()),
    ("revision", pa.string()),
    ("variant", pa.string()),
    ("shots", pa.int32()),
    ("task", pa.string()),
    ("version", pa.string()),
    ("metric", pa.string()),
    ("higher_is_better", pa.bool_()),
    ("main", pa.bool_()),
]
SCORES = pa.schema(
    [
        *_KEYS,
        ("value", pa.float64()),
        ("stderr", pa.float64()),
        ("n", pa.int64()),
        ("part_of", pa.string()),
        ("parameters", pa.int64()),
        ("architecture", pa.string()),
    ]
)
"""`main` marks the metric that stands on the board, `part_of` names a task that has this one in its own score. A null
`value` is a missing one; `shots` are null where the file does not say or says it in the task's name."""
ITEMS = pa.schema([*_KEYS, ("item", pa.string()), ("value", pa.float64())])
"""One row per sample; several rows of one sample are repeats."""


@dataclass(frozen=True)
class Content:
    """What an importer found in a file. `study` is the study that it belongs to by itself; `notes` are told to the
    user."""

    format: str
    study: str
    tables: Mapping[str, pa.Table]
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def table_of(schema: pa.Schema, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as a table of `schema`; keys beyond it are texts and become columns named `field.…`."""
    names = dict.fromkeys(name for row in rows for name in row if name not in schema.names)
    known = pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema)
    for name in names:
        known = known.append_column(FIELD + name, pa.array([row.get(name) for row in rows], pa.string()))
    return known


def columns_of(schema: pa.Schema, rows: int, given: Mapping[str, Any], fields: pa.Table) -> pa.Table:
    """A table of `schema` from whole columns or one value for all rows; missing ones are null. `fields` are kept."""
    columns: dict[str, Any] = {}
    for name, kind in zip(schema.names, schema.types, strict=True):
        value = given.get(name)
        if not isinstance(value, pa.Array | pa.ChunkedArray):
            value = pa.nulls(rows, kind) if value is None else pa.repeat(pa.scalar(value, kind), rows)
        columns[name] = value.cast(kind)
    for name in fields.column_names:
        columns[FIELD + name] = fields[name]
    return pa.table(columns)

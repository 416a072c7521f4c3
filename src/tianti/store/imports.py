"""What was imported: other programs' results, one record per file, its content in sealed tables.

A record is added whole or not at all, and the same file is added to a study once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection, insert, select

from tianti.core.exceptions import StoreError
from tianti.core.fingerprint import file_digest
from tianti.store import tables
from tianti.store.codec import to_text
from tianti.store.parts import Part


@dataclass(frozen=True)
class NewImport:
    """What is to be added: the tables made of one file (`scores`, `items`), and what else the file says."""

    study: str
    format: str
    source: str
    """The file's name."""
    sha256: str
    """Of the file's bytes."""
    facts: Mapping[str, Any]
    tables: Mapping[str, pa.Table]


@dataclass(frozen=True)
class ImportRecord:
    """A file that was imported; `parts` are its sealed tables by name."""

    import_id: int
    study: str
    format: str
    source: str
    sha256: str
    facts: Mapping[str, Any]
    imported_at: str
    parts: Mapping[str, Part]


def table_bytes(table: pa.Table) -> memoryview:
    """A table as Parquet; the same table gives the same bytes."""
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    return memoryview(buffer.getvalue())


def read_sealed(store_folder: Path, part: Part, columns: Sequence[str] | None = None) -> pa.Table:
    """A sealed table, or some columns of it (those that it has).

    Raises:
        StoreError: the file is gone or is not what was sealed.
        OSError: it cannot be read.
    """
    path = store_folder / part.uri
    if not path.is_file() or file_digest(path) != part.sha256:
        raise StoreError(
            f"{path}: what was imported is gone or was changed", remedy="put the file back from a copy"
        )
    with pq.ParquetFile(path) as file:
        known = file.schema_arrow.names
        return file.read(None if columns is None else [name for name in columns if name in known])


def insert_import(connection: Connection, new: NewImport, parts: Mapping[str, Part], now: str) -> int:
    """Record a file and its sealed tables."""
    values = {
        "study": new.study,
        "format": new.format,
        "source": new.source,
        "sha256": new.sha256,
        "facts": to_text(new.facts, f"what {new.source} says"),
        "imported_at": now,
    }
    number = connection.scalar(insert(tables.imported).values(values).returning(tables.imported.c.import_id))
    rows = [{"import_id": number, "name": name, **asdict(part)} for name, part in parts.items()]
    connection.execute(insert(tables.imported_part), rows)
    return int(number or 0)


def select_imports(connection: Connection, study: str | None = None) -> list[ImportRecord]:
    """The imported files in the order in which they came; with `study`, those of it."""
    imported, part = tables.imported, tables.imported_part
    query = select(imported).order_by(imported.c.import_id)
    found = connection.execute(query if study is None else query.where(imported.c.study == study)).all()
    parts: dict[int, dict[str, Part]] = {row.import_id: {} for row in found}
    for row in connection.execute(select(part).order_by(part.c.import_id, part.c.name)):
        if row.import_id in parts:
            parts[row.import_id][row.name] = Part(row.sha256, row.rows, row.uri)
    return [
        ImportRecord(**{**row._mapping, "facts": json.loads(row.facts), "parts": parts[row.import_id]})
        for row in found
    ]

"""Parts: sealed answers in Parquet files that are named by their digest and never change.

The same answers give the same bytes: nothing of the run, the time or the machine stands in the file. So a run
that was killed and resumed has the same digest as one that was not, and a crash leaves at most a spare file.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tianti.core.exceptions import StoreError
from tianti.core.failpoints import failpoint
from tianti.core.fingerprint import file_digest
from tianti.evaluation.answer import Answer
from tianti.store.codec import answer_from_fields, to_text

SCHEMA = pa.schema(
    [
        pa.field("sample_id", pa.string(), nullable=False),
        pa.field("repeat", pa.int32(), nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("state", pa.string(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        pa.field("target", pa.string(), nullable=False),
        pa.field("prediction", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("cluster", pa.string(), nullable=False),
        pa.field("tokens", pa.int64(), nullable=False),
        pa.field("values", pa.string(), nullable=False),
        pa.field("responses", pa.string(), nullable=False),
    ]
)
"""`values` and `responses` are JSON text."""
_JSON = ("values", "responses")
_ROWS_OF_A_GROUP = 4096
_ORPHAN_SECONDS = 3600


@dataclass(frozen=True)
class Part:
    """A sealed file. `uri` is its path relative to the store's folder."""

    sha256: str
    rows: int
    uri: str


@dataclass(frozen=True)
class Draft:
    """A part that is on the disk, but not under its name yet."""

    path: Path
    part: Part

    def place(self) -> Part:
        """Give the file its name; when this returns, the part survives a power cut."""
        failpoint("before_part_rename")
        # A file of this name would hold the same bytes: replacing it mends it, should it be damaged.
        self.path.replace(self.path.parent / f"{self.part.sha256}.parquet")
        _sync_folder(self.path.parent)
        failpoint("after_part_rename")
        return self.part


@contextmanager
def draft_part(folder: Path, answers: Sequence[Answer]) -> Iterator[Draft]:
    """Write `answers`, in their order, to a temporary file of `folder`, which goes unless it was placed.

    Raises:
        OSError: the disk refuses.
    """
    with draft_file(folder, _parquet(answers), len(answers)) as draft:
        yield draft


@contextmanager
def draft_file(folder: Path, content: memoryview, rows: int) -> Iterator[Draft]:
    """Write a Parquet file of so many rows to a temporary file of `folder`, which goes unless it was placed.

    Raises:
        OSError: the disk refuses.
    """
    path = folder / f".{uuid.uuid4().hex}.tmp"
    try:
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        digest = file_digest(path)
        yield Draft(path, Part(digest, rows, f"{folder.name}/{digest}.parquet"))
    finally:
        path.unlink(missing_ok=True)


def read_part(store_folder: Path, part: Part) -> list[Answer]:
    """The answers of a part, in the order they were written.

    Raises:
        StoreError: the file is gone or is not what was sealed.
        OSError: it cannot be read.
    """
    path = store_folder / part.uri
    if not path.is_file():
        raise StoreError(
            f"{path}: these answers are gone", remedy="put the file back from a copy, or run the trial anew"
        )
    if file_digest(path) != part.sha256:
        raise StoreError(
            f"{path}: these answers were changed after they were sealed (their sha256 differs)",
            remedy="put the file back from a copy, or run the trial anew",
        )
    with pq.ParquetFile(path) as file:
        return [_answer(row) for batch in file.iter_batches() for row in batch.to_pylist()]


def old_files(folder: Path) -> set[str]:
    """The names of files so old (an hour) that nobody can be busy writing or recording them."""
    now = time.time()
    return {entry.name for entry in os.scandir(folder) if now - entry.stat().st_mtime > _ORPHAN_SECONDS}


def _parquet(answers: Sequence[Answer]) -> memoryview:
    """The bytes of a part. Not written straight to a file: a writer whose disk is full tries again when collected."""
    buffer = pa.BufferOutputStream()
    with pq.ParquetWriter(buffer, SCHEMA, compression="zstd") as writer:
        for group in _groups(answers):
            writer.write_table(pa.Table.from_pylist([_row(answer) for answer in group], schema=SCHEMA))
    return memoryview(buffer.getvalue())


def _groups(answers: Sequence[Answer]) -> Iterator[list[Answer]]:
    remaining = iter(answers)
    while group := list(islice(remaining, _ROWS_OF_A_GROUP)):
        yield group


def _row(answer: Answer) -> dict[str, Any]:
    row = {name: getattr(answer, name) for name in SCHEMA.names}
    return row | {name: to_text(row[name], f"{name} of sample {answer.sample_id!r}") for name in _JSON}


def _answer(row: dict[str, Any]) -> Answer:
    return answer_from_fields(row | {name: json.loads(row[name]) for name in _JSON})


def _sync_folder(folder: Path) -> None:
    """Make the names in `folder` durable; on Windows a rename needs no such thing."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

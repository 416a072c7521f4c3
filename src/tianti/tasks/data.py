"""Reads a data file into rows: JSONL, JSON (a list), CSV, TSV and Parquet, all UTF-8, with errors that say where.

A row is a dict from column to value. CSV and TSV give text only; a TSV has no quoting (a quotation mark is a character
like any other), as the tables of GLUE are written.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tianti.core.exceptions import TaskError
from tianti.core.neighbours import name_neighbours

Rows = list[dict[str, Any]]


def read_rows(path: Path) -> Rows:
    """The rows of a data file, in its order.

    Raises:
        TaskError: no such file, unknown format, not UTF-8, broken syntax (with the line), or no rows.
    """
    reader = find_reader(path)
    if not path.is_file():
        raise TaskError(f"no file {path}", remedy=name_neighbours(path, READERS, "data files"))
    rows = reader(path)
    if not rows:
        raise TaskError(f"{path}: holds no rows", remedy="give at least one sample")
    return rows


def find_reader(path: Path) -> Callable[[Path], Rows]:
    """What reads a file with this suffix; TaskError where nothing does."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise TaskError(f"{path}: unknown format {path.suffix!r}", remedy=f"one of {', '.join(READERS)}")
    return reader


def columns(rows: Rows) -> frozenset[str]:
    """All columns that any row has."""
    return frozenset().union(*rows)


def _jsonl(path: Path) -> Rows:
    lines = _text(path).split("\n")
    return [_object(path, line, f"line {number}") for number, line in enumerate(lines, 1) if line.strip()]


def _json(path: Path) -> Rows:
    text = _text(path)
    if not text.strip():
        return []
    values = _loads(path, text, "")
    if not isinstance(values, list):
        raise TaskError(
            f"{path}: expected a list of objects, found {_kind(values)}", remedy='write [{"…": …}, …]'
        )
    return [_checked_object(path, value, f"element {number}") for number, value in enumerate(values, 1)]


def _csv(path: Path) -> Rows:
    return _table(path, csv.reader(io.StringIO(_text(path), newline=""), strict=True), ",")


def _tsv(path: Path) -> Rows:
    text = io.StringIO(_text(path), newline="")
    return _table(path, csv.reader(text, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None), "\t")


def _table(path: Path, lines: Iterator[list[str]], separator: str) -> Rows:
    try:
        header = next(lines, [])
        _refuse_other_separator(path, header, separator)
        twice = sorted({name for name in header if header.count(name) > 1})
        if twice:
            raise TaskError(
                f"{path}: the header names {twice[0]!r} twice", remedy="give each column its own name"
            )
        rows = []
        for number, line in enumerate(lines, 1):
            if len(line) != len(header):
                if not line:
                    continue  # an empty line
                raise TaskError(
                    f"{path}: row {number} has {len(line)} values, the header has {len(header)} columns",
                    remedy="a value that holds the separator needs quotation marks (CSV) or another format (TSV)",
                )
            rows.append(dict(zip(header, line, strict=True)))
        return rows
    except csv.Error as error:
        raise TaskError(
            f"{path}: broken table: {error}", remedy="write it again with a CSV library"
        ) from error


SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}


def _refuse_other_separator(path: Path, header: list[str], expected: str) -> None:
    """A spreadsheet writes "CSV" with semicolons where the comma is the decimal sign."""
    found = next((mark for mark in SEPARATORS if len(header) == 1 and mark in header[0]), None)
    if found is not None:
        form = path.suffix.lower()
        raise TaskError(
            f"{path}: the header is one column, {header[0]!r}: "
            f"{SEPARATORS[found]} stands between its names, a {form} has {SEPARATORS[expected]}",
            remedy=f"save it with {SEPARATORS[expected]}, or as JSONL",
        )


def _parquet(path: Path) -> Rows:
    import pyarrow
    from pyarrow import parquet

    try:
        rows: Rows = parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise TaskError(f"{path}: no Parquet file: {error}", remedy="write it again") from error
    return rows


READERS: dict[str, Callable[[Path], Rows]] = {
    ".jsonl": _jsonl,
    ".json": _json,
    ".csv": _csv,
    ".tsv": _tsv,
    ".parquet": _parquet,
}


def _text(path: Path) -> str:
    """The file's text: UTF-8, a byte order mark at its start is dropped, line ends become newlines."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8").removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        found = f"byte {error.start} (0x{content[error.start]:02x})"
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            found += "; it looks like UTF-16"
        raise TaskError(
            f"{path}: not UTF-8 at {found}",
            remedy=f"iconv -f OLD_ENCODING -t UTF-8 {path.name} > new{path.suffix}",
        ) from error


def _object(path: Path, text: str, place: str) -> dict[str, Any]:
    return _checked_object(path, _loads(path, text, place), place)


def _loads(path: Path, text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{place}, column {error.colno}" if place else f"line {error.lineno}, column {error.colno}"
        raise TaskError(f"{path}: broken JSON in {where}: {error.msg}", remedy="mend that place") from error


def _checked_object(path: Path, value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TaskError(
            f"{path}: {place} is {_kind(value)}, expected an object", remedy='write {"column": value, …}'
        )
    return value


def _kind(value: Any) -> str:
    names = {list: "a list", dict: "an object", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")

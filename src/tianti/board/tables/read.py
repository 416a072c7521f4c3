"""A file as an Arrow table: CSV, TSV (also .gz), JSONL or Parquet, UTF-8. Values stay as they are written."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from tianti.core.exceptions import InputError
from tianti.core.neighbours import name_neighbours
from tianti.core.wording import counted

FORMATS = (".csv", ".tsv", ".jsonl", ".parquet")
UNEVEN = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+): (.*)")
"""What Arrow says of a row with too few or too many columns; it counts the header."""


def as_table(given: Any, what: str) -> pa.Table:
    """A table from a file's path, an Arrow table, a pandas data frame, or columns by their names.

    Args:
        what: its rows in the plural, for messages: `votes`.

    Raises:
        InputError: it is none of these, or has no rows.
    """
    if isinstance(given, str | Path):
        return read_table(Path(given), what)
    try:
        table = (
            given if isinstance(given, pa.Table)
            else pa.table(dict(given)) if isinstance(given, Mapping)
            else pa.Table.from_pandas(given, preserve_index=False)
        )  # fmt: skip
    except (pa.ArrowException, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"{what}: expected a file, an Arrow table, a data frame or a mapping of columns: {error}"
        ) from error
    if not table.num_rows:
        raise InputError(f"{what}: the table has no rows")
    return table


def read_table(path: Path, what: str) -> pa.Table:
    """All rows of a file; an empty value of a CSV or TSV is a missing one.

    Raises:
        InputError: no such file, another format, or one that cannot be read (says where).
    """
    form = Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if form not in FORMATS:
        raise InputError(
            f"{path}: unknown format {path.suffix!r}, expected {', '.join(FORMATS)}",
            remedy="a JSON list becomes JSONL by `jq -c '.[]' FILE > FILE.jsonl`",
        )
    if not path.is_file():
        raise InputError(f"no file {path}", remedy=name_neighbours(path, FORMATS, f"files of {what}"))
    try:
        table = _table(path, form)
    except (pa.ArrowException, UnicodeDecodeError, OSError, EOFError, csv.Error) as error:
        # The reader's message names the line or the byte.
        raise InputError(f"{path}: cannot be read as {form}: {error}", remedy="mend that place") from error
    if not table.num_rows:
        raise InputError(f"{path}: holds no rows", remedy=f"give some {what}")
    return table


def _table(path: Path, form: str) -> pa.Table:
    if form == ".parquet":
        from pyarrow import parquet

        return parquet.read_table(path)
    if form == ".jsonl":
        from pyarrow import json

        return json.read_json(path)
    return _separated(path, "," if form == ".csv" else "\t", quoted=form == ".csv")


def _separated(path: Path, separator: str, *, quoted: bool) -> pa.Table:
    """Every column as text: a model named 007 keeps its zeros. A TSV has no quoting."""
    from pyarrow import csv as arrow

    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        quoting: Any = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        header = next(csv.reader(file, delimiter=separator, quoting=quoting), [])
    twice = sorted({name for name in header if header.count(name) > 1})
    if not header or twice:
        raise InputError(
            f"{path}: the header names {twice[0]!r} twice" if twice else f"{path}: has no header",
            remedy="give each column its own name in the first line",
        )

    def read(threads: bool) -> pa.Table:
        return arrow.read_csv(
            path,
            read_options=arrow.ReadOptions(use_threads=threads),
            parse_options=arrow.ParseOptions(
                delimiter=separator, quote_char='"' if quoted else False, newlines_in_values=quoted
            ),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )

    try:
        return read(threads=True)
    except pa.ArrowInvalid:
        # Of several threads none knows which row it reads.
        try:
            return read(threads=False)
        except pa.ArrowInvalid as error:
            found = UNEVEN.search(str(error))
            if found is None:
                raise
            row, expected, got = (int(found[place]) for place in (1, 2, 3))
            raise InputError(
                f"{path}, row {row - 1}: has {counted(got, 'column')}, expected {expected}: {found[4]:.80}",
                remedy="mend that row (the one below the header is row 1)",
            ) from error

"""A file that is to be imported, looked at no more than is needed to recognise it."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from tianti.board.tables import read_table
from tianti.core.exceptions import InputError
from tianti.core.fingerprint import file_digest


@dataclass(frozen=True)
class SourceFile:
    """`model` is what the user says that it is about, for files that do not say it."""

    path: Path
    model: str | None = None

    @property
    def kind(self) -> str:
        """The ending without .gz: `.csv`, `.json`, …"""
        suffixes = [suffix.lower() for suffix in self.path.suffixes]
        return (suffixes[-2:-1] if suffixes[-1:] == [".gz"] else suffixes[-1:] or [""])[0]

    @property
    def stem(self) -> str:
        """The name without .gz and ending."""
        name = self.path.name
        return name.removesuffix(".gz").removesuffix(self.kind)

    @cached_property
    def sha256(self) -> str:
        """Of its bytes."""
        return file_digest(self.path)

    def open(self) -> IO[str]:
        """Its text, UTF-8."""
        if self.path.suffix.lower() == ".gz":
            return gzip.open(self.path, "rt", encoding="utf-8-sig", newline="")
        return self.path.open(encoding="utf-8-sig", newline="")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of a CSV or Parquet file; empty of any other."""
        try:
            if self.kind == ".csv":
                with self.open() as file:
                    return tuple(next(csv.reader(file), ()))
            if self.kind == ".parquet":
                from pyarrow import parquet

                return tuple(parquet.read_schema(self.path).names)
        except (OSError, EOFError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
            raise InputError(f"{self.path}: cannot be read as {self.kind}: {error}") from error
        return ()

    @cached_property
    def table(self) -> pa.Table:
        """All rows; a CSV's are text."""
        return read_table(self.path, "scores")

    @cached_property
    def json(self) -> Any:
        """The content of a JSON file.

        Raises:
            InputError: it is none; names the line.
        """
        try:
            with self.open() as file:
                return json.load(file)
        except json.JSONDecodeError as error:
            raise InputError(
                f"{self.path}, line {error.lineno}: no JSON: {_said(error)}", remedy="mend that place"
            ) from error
        except (OSError, EOFError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"{self.path}: cannot be read as JSON: {error}") from error

    def records(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """The objects of a JSONL file with the numbers of their lines; or those of a JSON list, numbered from 1.

        Raises:
            InputError: a line is no JSON object; names it.
        """
        if self._is_list:
            for number, record in enumerate(self.json, 1):
                yield number, self._object(record, f"record {number}")
            return
        number = 0
        try:
            with self.open() as file:
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield number, self._object(json.loads(line.rstrip("\r\n")), f"line {number}")
        except json.JSONDecodeError as error:
            raise InputError(
                f"{self.path}, line {number}: no JSON: {_said(error)}",
                remedy="mend that line; nothing was imported",
            ) from error
        except (OSError, EOFError, UnicodeDecodeError, RecursionError) as error:
            raise InputError(f"{self.path}, after line {number}: cannot be read: {error}") from error

    @cached_property
    def first_record(self) -> dict[str, Any]:
        """The first object of a JSONL file or JSON list; empty where there is none."""
        if self.kind not in (".jsonl", ".json"):
            return {}
        return next((record for _, record in self.records()), {})

    @cached_property
    def _is_list(self) -> bool:
        try:
            with self.open() as file:
                return file.read(200).lstrip()[:1] == "["
        except (OSError, EOFError, UnicodeDecodeError) as error:
            raise InputError(f"{self.path}: cannot be read as JSON: {error}") from error

    def _object(self, record: Any, where: str) -> dict[str, Any]:
        if not isinstance(record, dict):
            raise InputError(f"{self.path}, {where}: expected a JSON object, got {json.dumps(record):.60}")
        return record


def _said(error: json.JSONDecodeError) -> str:
    """What is wrong and where in the line; the parser's words end before the place ("Invalid control character at")."""
    what = re.sub(r"( starting)? at$|: $", "", error.msg)
    return f"{what}, at character {error.colno}"

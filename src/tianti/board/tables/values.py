"""Columns of a table as numbers, and its rows that are left out, each with one reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array


@dataclass(frozen=True)
class LeftOut:
    """Rows that are no part of the result. `first_row` counts from 1, without a header."""

    reason: str
    rows: int
    first_row: int


class RowFilter:
    """Which rows are still in, and why the others are not; each row has one reason, the first that holds."""

    def __init__(self, rows: int) -> None:
        self.kept = np.ones(rows, dtype=bool)
        self.found: list[LeftOut] = []

    def drop(self, rows: NDArray[np.bool_], reason: str) -> None:
        gone = self.kept & rows
        if gone.any():
            self.found.append(LeftOut(reason, int(gone.sum()), int(gone.argmax()) + 1))
            self.kept &= ~gone


def codes_of(columns: Sequence[pa.ChunkedArray]) -> tuple[list[NDArray[np.intp]], list[str]]:
    """Numbers for the values of some columns, by the order of the values as text; −1 for a missing one."""
    texts = pa.chunked_array([chunk for column in columns for chunk in text_of(column).chunks], pa.string())
    encoded = texts.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    values: list[str] = encoded.dictionary.to_pylist()
    order = sorted(range(len(values)), key=values.__getitem__)
    place = np.full(len(values) + 1, -1, dtype=np.intp)
    place[order] = np.arange(len(values))
    codes = place[encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)]
    ends = np.cumsum([len(column) for column in columns])[:-1]
    return np.split(codes, ends), [values[index] for index in order]


def text_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as trimmed text; empty text is missing."""
    if pa.types.is_null(column.type):
        return pa.chunked_array([pa.nulls(len(column), pa.string())])
    texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.equal(texts, ""), None, texts)


def numbers_of(column: pa.ChunkedArray, name: str, *, most: float = math.inf, remedy: str = "") -> Array:
    """A column of numbers from 0 to `most`; NaN where there is none. True is 1 and false 0, as text too.

    Raises:
        InputError: a value is none of these; names the first such row.
    """
    numbers = _as_numbers(column, name)
    wrong = np.flatnonzero((numbers < 0) | (numbers > most) | np.isinf(numbers))
    if len(wrong):
        expected = "a finite number from 0" if math.isinf(most) else f"a number from 0 to {most:g}"
        raise InputError(
            f"row {int(wrong[0]) + 1}: {name} is {numbers[wrong[0]]:g}, expected {expected}", remedy=remedy
        )
    return numbers


def _as_numbers(column: pa.ChunkedArray, name: str) -> Array:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        texts = text_of(column)
        for word, digit in (("true", "1"), ("false", "0")):
            texts = pc.if_else(pc.equal(pc.utf8_lower(texts), word), digit, texts)
        try:
            column = texts.cast(pa.float64())
        except pa.ArrowInvalid as error:
            for row, text in enumerate(texts.to_pylist(), 1):
                if text is not None and not _is_number(text):
                    raise InputError(f"row {row}: {name} is {text!r}, expected a number") from error
            raise
    numbers = column.cast(pa.float64()).fill_null(np.nan).to_numpy()
    return np.array(numbers, dtype=np.float64)


def _is_number(text: Any) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

"""Columns of numbers in files of other programs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array


def numbers(column: pa.ChunkedArray, name: str, where: str) -> Array:
    """A column as numbers; NaN where it is empty, `nan` or not finite.

    Raises:
        InputError: a value is no number; names the row, counted from 1 without a header.
    """
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    try:
        found = column.cast(pa.float64())
    except pa.ArrowInvalid as error:
        for row, value in enumerate(column.to_pylist(), 1):
            try:
                float(value if value is not None else "nan")
            except ValueError:
                raise InputError(
                    f"{where}, row {row}: {name} is {value!r}, expected a number",
                    remedy="mend that row, or empty the field if there is no value; nothing was imported",
                ) from error
        found = pa.array([None if value is None else float(value) for value in column.to_pylist()])
    values = np.array(found.fill_null(np.nan).to_numpy(zero_copy_only=False), dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return values

"""Numbers are rounded to ten significant digits when something is put on record, so that the last bits of one machine's
arithmetic change neither its JSON nor its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any


def rounded(value: Any) -> Any:
    """`value` as JSON-ready data, with every float in it rounded to ten significant digits; dataclasses become
    mappings."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if is_dataclass(value):
        kind: Any = type(value)
        return {name: rounded(getattr(value, name)) for name in _names(kind)}
    if isinstance(value, Mapping):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value


def as_rounded(value: Any) -> Any:
    """The same with every float rounded to ten significant digits; dataclasses, mappings and tuples stay what they
    are."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if is_dataclass(value):
        kind: Any = type(value)
        return kind(**{name: as_rounded(getattr(value, name)) for name in _names(kind)})
    if isinstance(value, Mapping):
        return {key: as_rounded(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(as_rounded(item) for item in value)
    return value


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))

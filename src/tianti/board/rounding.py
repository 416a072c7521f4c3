"""Numbers are rounded to ten significant digits when something is put on record, so that the last bits of one machine's
arithmetic change neither its JSON nor its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from operator import attrgetter, is_
from typing import Any, NamedTuple

from tianti.core.fingerprint import fingerprint

_PLAIN = frozenset({str, int, bool, type(None)})
"""What is not rounded. Asked for by its type before anything is called: a board has a million such values."""


def rounded(value: Any) -> Any:
    """`value` as JSON-ready data, with every float in it rounded to ten significant digits; dataclasses become
    mappings."""
    return _as_json(value, brief=False)


def name_of(value: Any) -> str:
    """The sha256 of `value` as JSON-ready data. Fields of dataclasses at their defaults are left out, so that names
    outlive a field that is added later."""
    return fingerprint(_as_json(value, brief=True))


def as_rounded(value: Any) -> Any:
    """`value` with every float in dataclasses, mappings and tuples rounded to ten significant digits; itself where
    nothing changes."""
    if type(value) in _PLAIN:
        return value
    if isinstance(value, float):
        return _round(value)
    if is_dataclass(value):
        kind: Any = type(value)
        form = _form(kind)
        held = dict(zip(form.names, form.get(value), strict=True))
        changed = {
            name: new
            for name, old in held.items()
            if type(old) not in _PLAIN and (new := as_rounded(old)) is not old
        }
        return kind(**held | changed) if changed else value
    if isinstance(value, Mapping):
        held = {key: as_rounded(item) for key, item in value.items()}
        return value if all(map(is_, held.values(), value.values())) else held
    if isinstance(value, tuple):
        items = tuple(map(as_rounded, value))
        return value if all(map(is_, items, value)) else items
    return value


def _as_json(value: Any, brief: bool) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, float):
        return _round(value)
    if is_dataclass(value):
        kind: Any = type(value)
        form = _form(kind)
        return {
            name: item if type(item) in _PLAIN else _as_json(item, brief)
            for name, usual, item in zip(form.names, form.defaults, form.get(value), strict=True)
            if not brief or item != usual
        }
    if isinstance(value, Mapping):
        return {key: _as_json(item, brief) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_json(item, brief) for item in value]
    return value


def _round(value: float) -> float:
    found = float(f"{value:.10g}")
    return value if found == value else found


class _Form(NamedTuple):
    """The fields of a kind of dataclass: their names, their defaults (MISSING where there is none), and what reads all
    of them at once."""

    names: tuple[str, ...]
    defaults: tuple[Any, ...]
    get: Callable[[Any], tuple[Any, ...]]


@cache
def _form(kind: Any) -> _Form:
    names = tuple(field.name for field in fields(kind))
    # attrgetter of one name gives no tuple.
    get = (
        attrgetter(*names) if len(names) > 1 else lambda value: tuple(getattr(value, name) for name in names)
    )
    return _Form(names, tuple(map(_default, fields(kind))), get)


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()

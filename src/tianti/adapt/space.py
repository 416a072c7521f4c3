"""What a search may choose from: `lr=1e-4..1e-2`, a range, or `epochs=1|3|5`, some values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tianti.core.call import Call, parse_call
from tianti.core.exceptions import InputError

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*")
TRIES = "trials"
"""The name of the number of tries among the settings."""
USUAL_TRIES = 8
_EXAMPLE = 'write --search "lr=1e-4..1e-2 epochs=1,3,5 trials=8"'


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, evenly on a logarithmic scale; whole numbers where both ends are written so."""

    low: int | float
    high: int | float

    def __str__(self) -> str:
        return f"{self.low}..{self.high}"

    @property
    def examples(self) -> tuple[Any, ...]:
        """Values that show what kind is chosen from."""
        return self.low, self.high

    def suggest(self, tried: Any, name: str) -> Any:
        """The value that Optuna's trial takes next."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return tried.suggest_int(name, self.low, self.high, log=True)
        return tried.suggest_float(name, self.low, self.high, log=True)


@dataclass(frozen=True)
class Choices:
    """One of these values."""

    values: tuple[Any, ...]

    def __str__(self) -> str:
        return "|".join(map(_written, self.values))

    @property
    def examples(self) -> tuple[Any, ...]:
        """Values that show what kind is chosen from."""
        return self.values

    def suggest(self, tried: Any, name: str) -> Any:
        """The value that Optuna's trial takes next."""
        return tried.suggest_categorical(name, list(self.values))


Space = Range | Choices


def is_space(value: Any) -> bool:
    """Whether an argument of the short notation is something to choose from: `1e-4..1e-2`, `1|3|5`."""
    return isinstance(value, str) and (_RANGE.fullmatch(value) is not None or "|" in value)


def parse_space(name: str, value: Any) -> Space:
    """A range or some values, as they are written in a study, in a list, or in the short notation.

    Raises:
        InputError: a range with an end that is not above 0 or the wrong way round, or the same value twice.
    """
    if isinstance(value, list | tuple):
        return _choices(name, list(value))
    found = _RANGE.fullmatch(value) if isinstance(value, str) else None
    if found is not None:
        low, high = (_value(end) for end in found.groups())
        if not 0 < low < high:
            raise InputError(
                f"search: {name}={value}: a range goes from above 0 to more, evenly on a logarithmic scale",
                remedy=(
                    f"write {name}={high:g}..{low:g}"
                    if low > high > 0
                    else f"write {name}=1e-4..1e-2, or some values: {name}=1e-4,1e-3"
                ),
            )
        return Range(low, high)
    if isinstance(value, str):
        return _choices(name, [_value(part) for part in re.split(r"[|,]", value) if part.strip()])
    return _choices(name, [value])


def parse_search(text: str) -> dict[str, Any]:
    """`lr=1e-4..1e-2 epochs=1,3,5 trials=8` as a mapping.

    Raises:
        InputError: a part is not of the form key=value, or a key stands twice.
    """
    found: dict[str, Any] = {}
    for part in text.split():
        key, equals, value = part.partition("=")
        if not equals or not key or not value or key in found:
            raise InputError(f"search: cannot read {part!r}", remedy=_EXAMPLE)
        found[key] = _value(value) if key == TRIES else value
    if not found.keys() - {TRIES}:
        raise InputError("search: nothing to choose from", remedy=_EXAMPLE)
    return found


def split_arguments(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(plain settings, what is searched) of the short notation; the second is empty where nothing is chosen from."""
    searched = {name: value for name, value in arguments.items() if is_space(value)}
    if searched and TRIES in arguments:
        searched[TRIES] = arguments[TRIES]
    return {name: value for name, value in arguments.items() if name not in searched}, searched


def written(space: Mapping[str, Space]) -> dict[str, str]:
    """Each setting with what it is chosen from, in the short notation."""
    return {name: str(each) for name, each in space.items()}


def _choices(name: str, values: list[Any]) -> Choices:
    if not values or len({repr(value) for value in values}) < len(values):
        raise InputError(
            f"search: {name}: expected different values, got {values}", remedy="give each value once"
        )
    for value in values:
        if isinstance(value, list | dict):
            raise InputError(
                f"search: {name}: {value!r} is no single value",
                remedy="search numbers, words, true and false",
            )
    return Choices(tuple(values))


def _value(text: str) -> Any:
    """A value of the short notation."""
    return parse_call(f"a(b={text.strip()})").arguments["b"]


def _written(value: Any) -> str:
    return str(Call("a", {"b": value})).removeprefix("a(b=").removesuffix(")")

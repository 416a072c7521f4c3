"""What somebody wants to see of a board, in the words of its address: `q=llama&r=lora&f=parameters:lt:8e9&s=-mean`.

The same words are flags of `tianti board` and keys of the board's page; docs/concepts/board.md has the table of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from tianti.core.exceptions import InputError, UnknownNameError

Operator = Literal["lt", "le", "gt", "ge"]


@dataclass(frozen=True)
class Condition:
    """`column:operator:number`: entries whose number in a column is less (`lt`), at most (`le`), more (`gt`) or at
    least (`ge`) so much; those that have none are left out. Shares count in per cent, as the board shows them.
    """

    column: str
    operator: Operator
    number: float

    @classmethod
    def of(cls, text: str) -> Condition:
        """Read one.

        Raises:
            InputError: it is not of this form, or its number is none.
            UnknownNameError: there is no such operator.
        """
        # A task may have colons in its name.
        found = re.fullmatch(r"(.+):([^:]*):([^:]+)", text, re.DOTALL)
        if found is None:
            raise InputError(
                f"filter {text!r}: expected column:operator:number", remedy="such as parameters:lt:8e9"
            )
        column, operator, number = found.groups()
        if operator not in get_args(Operator):
            raise UnknownNameError("operator", operator, get_args(Operator), where=f"filter {text!r}")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(f"filter {text!r}: {number!r} is no number")
        return cls(column, operator, value)  # type: ignore[arg-type]

    def holds(self, value: float | None) -> bool:
        """Whether a number fits."""
        if value is None:
            return False
        return {
            "lt": value < self.number,
            "le": value <= self.number,
            "gt": value > self.number,
            "ge": value >= self.number,
        }[self.operator]

    def __str__(self) -> str:
        return f"{self.column}:{self.operator}:{repr(self.number).removesuffix('.0')}"


@dataclass(frozen=True)
class Selection:
    """Which entries and columns of a board are shown, and in which order. Empty is all, in the order of the ranks.

    Of several words of one kind an entry has to fit one; of several conditions, all. Columns are named by their slugs
    or names; those of `sort` have a `-` before them for the highest first, and the last one counts most. Entries in
    `pins`, by id or name, come first and are shown whether or not they fit.
    """

    search: str = ""
    regimes: tuple[str, ...] = ()
    families: tuple[str, ...] = ()
    provenances: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    columns: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    pins: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != EVERYTHING


EVERYTHING = Selection()

UNKNOWN = "unknown"
"""The word for entries of which the board does not say a thing that one can choose by."""

KEYS: Mapping[str, str] = MappingProxyType(
    {
        "q": "search",
        "r": "regimes",
        "family": "families",
        "provenance": "provenances",
        "lang": "languages",
        "f": "conditions",
        "cols": "columns",
        "s": "sort",
        "pin": "pins",
    }
)
"""Keys of an address, in the order in which it has them, and the parts of a selection that they say."""


def read(address: str, *more: tuple[str, str]) -> Selection:
    """The selection of an address of a board, or of what stands behind its `?`, and of more pairs of keys and values.

    Keys that are none are ignored; of what can be said once, the last counts.

    Raises:
        InputError: a condition cannot be read.
    """
    whole = re.match(r"[^=&]*\?", address) is not None
    said: dict[str, list[str]] = {key: [] for key in KEYS}
    for key, value in [*parse_qsl(urlsplit(address).query if whole else address), *more]:
        if key in said and value:
            said[key].append(value)
    return Selection(
        search=said["q"][-1] if said["q"] else "",
        regimes=_once(said["r"]),
        families=_once(said["family"]),
        provenances=_once(said["provenance"]),
        languages=_once(said["lang"]),
        conditions=tuple(map(Condition.of, _once(said["f"]))),
        columns=tuple(name for name in said["cols"][-1].split(",") if name) if said["cols"] else (),
        sort=_once(said["s"]),
        pins=_once(said["pin"]),
    )


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def write(selection: Selection) -> str:
    """The address of a selection, without its `?`; `read` gives the selection back."""
    words: list[tuple[str, str]] = []
    for key, part in KEYS.items():
        value = getattr(selection, part)
        if key == "cols":
            value = ",".join(value)
        values = value if isinstance(value, tuple) else (value,) if value else ()
        words += [(key, str(each)) for each in values]
    # What encodeURIComponent leaves as it is: the page writes the same.
    return urlencode(words, quote_via=quote, safe=":,!*'()")

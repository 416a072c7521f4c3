"""A selection applied to a board: fewer entries and columns; ranks, bands and intervals stay those of the whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from tianti.board.board import Board
from tianti.board.costs import COSTS
from tianti.board.entries import Cell, Column, Entry
from tianti.board.filters import UNKNOWN, Selection
from tianti.board.show import MISSING, mean_text, percent, place_text, quantity_text, value_text
from tianti.board.slugs import slugs
from tianti.core.exceptions import UnknownNameError

QUANTITIES: Mapping[str, Callable[[Entry], float | None]] = MappingProxyType(
    {
        "rank": lambda entry: entry.rank,
        "mean": lambda entry: _shown(percent(entry.mean)),
        **COSTS,
    }
)
"""The columns that are no tasks: the place, the mean in per cent as it is shown, and what an entry costs."""

TEXTS: Mapping[str, Callable[[Entry], str]] = MappingProxyType(
    {
        "model": lambda entry: entry.model,
        "adaptation": lambda entry: entry.adaptation,
        "provenance": lambda entry: entry.provenance,
    }
)
"""What entries are sorted by as text."""

BEHIND = tuple(COSTS)
"""What stands behind the tasks on a page and in a table for a paper, each where it is known of some entry."""

ALWAYS = "rank"
"""The column that no choice of columns leaves out."""


@dataclass(frozen=True)
class Cut:
    """What a selection shows: a board of fewer entries and columns, and which quantities stand beside them.

    `asked` are the tasks and quantities in the order in which they were asked for: by itself the mean and all tasks.
    """

    board: Board
    asked: tuple[Column | str, ...]
    whole: Board
    selection: Selection

    @property
    def quantities(self) -> tuple[str, ...]:
        """What stands before the tasks in a terminal."""
        return tuple(each for each in self.asked if isinstance(each, str))

    @property
    def text(self) -> str:
        """How much of the whole it is: `12 of 40 entries`."""
        return f"{len(self.board.entries):,} of {len(self.whole.entries):,} entries"

    def texts(self, entry: Entry) -> tuple[str, ...]:
        """What stands before an entry's tasks: place, names, and quantities; the mean of an entry that lacks a task is
        in brackets."""
        return (
            place_text(entry), entry.model, entry.adaptation, *(beside(entry, each) for each in self.quantities),
        )  # fmt: skip


def beside(entry: Entry, name: str) -> str:
    """A quantity of an entry as text; the mean of an entry that lacks a task is in brackets."""
    if name == "mean":
        return mean_text(entry) if entry.complete or entry.mean is None else f"({mean_text(entry)})"
    return quantity_text(name, QUANTITIES[name](entry))


def known_costs(board: Board) -> list[str]:
    """The quantities of BEHIND that are known of some entry."""
    return [name for name in BEHIND if any(QUANTITIES[name](entry) is not None for entry in board.entries)]


def cut(board: Board, selection: Selection) -> Cut:
    """What a selection shows of a board.

    Raises:
        UnknownNameError: the board has no such regime, family, provenance, language or column; names the nearest.
    """
    entries = [entry for entry in board.entries if _has_text(entry, selection.search)]
    for what, attribute, wanted in (
        ("regime", "method", selection.regimes),
        ("family", "architecture", selection.families),
        ("provenance", "provenance", selection.provenances),
    ):
        _check(what, wanted, (getattr(entry, attribute) for entry in board.entries))
        entries = [
            entry for entry in entries if not wanted or (getattr(entry, attribute) or UNKNOWN) in wanted
        ]
    for condition in selection.conditions:
        value = number_of(board, condition.column)
        entries = [entry for entry in entries if condition.holds(value(entry))]
    for column in selection.sort:
        entries = _sorted(entries, board, column)
    pinned = {entry.id: entry for entry in map(board.entry, selection.pins)}
    entries = [*pinned.values(), *(entry for entry in entries if entry.id not in pinned)]
    _check("language", selection.languages, (column.language for column in board.columns if column.language))
    asked = _asked(board, selection)
    columns = tuple(each for each in asked if isinstance(each, Column))
    names = {column.name for column in columns}
    aspects = tuple(column for column in board.aspects if column.task in names)
    further = {column.name for column in aspects}
    kept = tuple(
        replace(entry, cells=_only(entry.cells, names), aspects=_only(entry.aspects, further))
        for entry in entries
    )
    return Cut(replace(board, entries=kept, columns=columns, aspects=aspects), asked, board, selection)


def _natural(text: str) -> list[str | int]:
    """Text in whatever case, numbers in it as numbers: 7B comes before 13B."""
    parts = re.split(r"([0-9]+)", text.casefold())
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def number_of(board: Board, name: str, *others: str) -> Callable[[Entry], float | None]:
    """What a column says of an entry, as the board shows it (shares in per cent): a quantity, or a task by slug or
    name. `others` are names that one may have meant as well.

    Raises:
        UnknownNameError: the board has no such column.
    """
    if name in QUANTITIES:
        return QUANTITIES[name]
    column = _named(board)[_known(board, name, *others)]

    def value(entry: Entry) -> float | None:
        cell = entry.cells.get(column.name)
        return None if cell is None or cell.value is None else _shown(value_text(cell, column))

    return value


def _shown(text: str) -> float | None:
    """The number that is shown, for nobody can know of another one what it is compared with."""
    return None if text == MISSING else float(text.replace(",", ""))


def _has_text(entry: Entry, text: str) -> bool:
    wanted = text.casefold()
    return wanted in entry.model.casefold() or wanted in entry.adaptation.casefold()


def _sorted(entries: Sequence[Entry], board: Board, sort: str) -> list[Entry]:
    """By a column; what has no number there comes last in either direction, equal ones in the order of the board."""
    name = sort.removeprefix("-")
    sign = -1 if sort.startswith("-") else 1
    if name in TEXTS:
        return sorted(entries, key=lambda entry: _natural(TEXTS[name](entry)), reverse=sign < 0)
    value = number_of(board, name, *TEXTS)
    keyed = [(value(entry), entry) for entry in entries]
    known = [(sign * key, entry) for key, entry in keyed if key is not None]
    missing = [entry for key, entry in keyed if key is None]
    return [entry for _, entry in sorted(known, key=lambda pair: pair[0])] + missing


def _asked(board: Board, selection: Selection) -> tuple[Column | str, ...]:
    """The tasks and the quantities that are shown, in the order in which they were asked for."""
    named = _named(board)
    known = [_known(board, name) for name in selection.columns]
    wanted = [name if name in QUANTITIES else named[name] for name in known] or ["mean", *board.columns]
    languages = selection.languages
    return tuple(
        each
        for each in dict.fromkeys(wanted)
        if (each != ALWAYS if isinstance(each, str) else not languages or each.language in languages)
    )


def _known(board: Board, name: str, *others: str) -> str:
    if name not in QUANTITIES and name not in _named(board):
        there = {*QUANTITIES, *others, *slugs(c.name for c in board.columns).values()}
        raise UnknownNameError("column", name, there)
    return name


def _named(board: Board) -> dict[str, Column]:
    """The tasks by their names and by their slugs."""
    by_slug = slugs(column.name for column in board.columns)
    return {by_slug[c.name]: c for c in board.columns} | {column.name: column for column in board.columns}


def _check(what: str, wanted: Sequence[str], known: Iterable[str]) -> None:
    there = set(known)
    named = there - {""}
    valid = named | {UNKNOWN} if "" in there else named
    for name in wanted:
        if name not in valid:
            unknown = "" if named else f"it says the {what} of none; leave this out"
            raise UnknownNameError(what, name, valid if named else (), where="this board", remedy=unknown)


def _only(cells: Mapping[str, Cell], names: set[str]) -> dict[str, Cell]:
    return {name: cell for name, cell in cells.items() if name in names}

"""A board as the columns of a table: what a browser needs to search, filter, sort and draw it, and nothing else.

An array per column, an element per entry, in the order of the board. Numbers are those that are shown: shares, means
and seconds are whole numbers of tenths (713 is 71.3 %), other values have three digits; what is missing is null.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tianti.board.costs import COSTS
from tianti.board.cut import QUANTITIES
from tianti.board.entries import AspectColumn, Cell, Column, Entry
from tianti.board.filters import UNKNOWN
from tianti.board.show import arrow, half_width, is_share, number, percent
from tianti.board.slugs import slugs
from tianti.web.views import View

Numbers = list[float | int | None]


def table_json(view: View, snapshot: str) -> str:
    """The table as JSON text, as short as it can be.

    `words` are the adaptations, methods, families and provenances, `models` names with their pages: `entries` has
    their places in these lists. `cells` belong to `tasks`, then `aspects`: `value`, `half` of the interval (null where
    none has one), the rows that are `best`, and `notes` by row on what is missing or not scored.
    """
    board = view.board
    columns: list[Column] = [*board.columns, *board.aspects]
    content = {
        "snapshot": snapshot,
        "board": view.slug,
        "counting": len(board.counting),
        "axis": _axis(board.entries),
        "tasks": [_about(column, slug) for column, slug in zip(board.columns, task_slugs(view), strict=True)],
        "aspects": [_about(column, "") for column in board.aspects],
        "models": [{"name": name, "page": f"m/{slug}/"} for name, slug in view.models.items()],
        **_entries(view),
        "cells": [_cells(board.entries, column) for column in columns],
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def task_slugs(view: View) -> list[str]:
    """What an address calls the tasks of a board, as the terminal does."""
    names = [column.name for column in view.board.columns]
    found = slugs(names)
    return [found[name] for name in names]


def tenths(share: float | None) -> int | None:
    """A share in tenths of a per cent, rounded as it is shown."""
    return None if share is None else round(10 * float(percent(share)))


def digits(value: float | None) -> float | None:
    """A number with the digits that are shown."""
    return None if value is None else float(number(value).replace(",", ""))


def _axis(entries: Iterable[Entry]) -> list[int] | None:
    """The ends of the axis of all means and their intervals, which holds 0."""
    known = [tenths(bound) for e in entries for bound in (e.low, e.mean, e.high) if bound is not None]
    ends = [each for each in known if each is not None]
    return [min(0, *ends), max(0, *ends)] if ends else None


def _about(column: Column, slug: str) -> dict[str, Any]:
    """A column: `of` and `aspect` are set on further metrics."""
    return {
        "slug": slug,
        "name": column.name,
        "metric": column.metric,
        "language": column.language,
        "share": is_share(column),
        "up": column.higher_is_better,
        "arrow": arrow(column),
        "counts": column.counts,
        "chance": column.chance,
        "aspect": column.aspect if isinstance(column, AspectColumn) else "",
        "of": column.task if isinstance(column, AspectColumn) else "",
    }


def _entries(view: View) -> dict[str, Any]:
    entries = view.board.entries
    words: Mapping[str, Callable[[Entry], str]] = {
        "adaptation": lambda entry: entry.adaptation,
        "method": lambda entry: entry.method,
        "family": lambda entry: entry.architecture or UNKNOWN,
        "provenance": lambda entry: entry.provenance,
    }
    lists = {name: list(dict.fromkeys(map(word, entries))) for name, word in words.items()}
    places = {name: {word: place for place, word in enumerate(found)} for name, found in lists.items()}
    models = {name: place for place, name in enumerate(view.models)}
    return {
        "words": lists,
        "entries": {
            "id": [entry.id for entry in entries],
            "model": [models[entry.model] for entry in entries],
            **{name: [places[name][word(entry)] for entry in entries] for name, word in words.items()},
            **{
                name: [getattr(entry, name) for entry in entries]
                for name in ("rank", "rank_low", "rank_high", "band")
            },
            "done": [entry.tasks_done for entry in entries],
            "mean": [tenths(entry.mean) for entry in entries],
            "mean_half": [tenths(half_width(entry.low, entry.high)) for entry in entries],
            "low": [tenths(entry.low) for entry in entries],
            "high": [tenths(entry.high) for entry in entries],
            **_costs(entries),
        },
    }


def _costs(entries: Sequence[Entry]) -> dict[str, Numbers]:
    """Counts as they are, seconds in tenths, energy with three digits."""
    shown: Mapping[str, Callable[[float], float]] = {
        **dict.fromkeys(COSTS, round),
        "seconds": lambda seconds: round(10 * seconds),
        "energy": lambda energy: float(number(energy).replace(",", "")),
    }
    return {
        name: [None if (value := QUANTITIES[name](entry)) is None else write(value) for entry in entries]
        for name, write in shown.items()
    }


def _cells(entries: Sequence[Entry], column: Column) -> dict[str, Any]:
    shown = tenths if is_share(column) else digits
    cells = [_cell(entry, column) for entry in entries]
    halves = [None if cell is None else shown(half_width(cell.low, cell.high)) for cell in cells]
    return {
        "value": [None if cell is None else shown(cell.value) for cell in cells],
        "half": halves if any(half is not None for half in halves) else None,
        "best": [row for row, cell in enumerate(cells) if cell is not None and cell.rank_low == 1],
        "notes": {row: _note(cell) for row, cell in enumerate(cells) if cell is not None and _is_noted(cell)},
    }


def _cell(entry: Entry, column: Column) -> Cell | None:
    return (entry.aspects if isinstance(column, AspectColumn) else entry.cells).get(column.name)


def _is_noted(cell: Cell) -> bool:
    return cell.state != "ok" or bool(cell.errors or cell.skipped)


def _note(cell: Cell) -> dict[str, Any]:
    return {"state": cell.state, "reason": cell.reason, "errors": cell.errors, "skipped": cell.skipped}

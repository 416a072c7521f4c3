"""Rows and facts, printed as tables or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer

GAP = 2
"""Spaces between columns."""
MOST_ELEMENTS = 50
"""Of a list, such as the losses of a training."""
NARROWEST = 20
"""The last column is folded to no fewer characters."""


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, as_json: bool) -> None:
    """A table with the given columns, or a JSON list of objects.

    Only the last column is folded: the others hold names that can be typed, and stay whole however narrow the terminal.
    """
    if as_json:
        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        typer.echo(json.dumps(objects, ensure_ascii=False, indent=2))
        return
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(columns, *texts, strict=True)]
    *whole, last = widths
    console = Console()
    console.width = max(console.width, sum(whole) + GAP * len(whole) + min(last, NARROWEST))
    table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
    for column, width in zip(columns[:-1], whole, strict=True):
        table.add_column(column, no_wrap=True, min_width=width)
    table.add_column(columns[-1], overflow="fold")
    for row in texts:
        table.add_row(*map(Text, row))
    console.print(table, highlight=False)


def print_facts(facts: Mapping[str, Any], *, as_json: bool) -> None:
    """Names and values, one a line; what is nested is indented."""
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    _print_nested(facts, 0)


def _print_nested(facts: Mapping[str, Any], depth: int) -> None:
    for name, value in facts.items():
        if isinstance(value, Mapping) and value:
            typer.echo(f"{'  ' * depth}{name}:")
            _print_nested(value, depth + 1)
        elif value not in (None, "", (), [], {}):
            typer.echo(f"{'  ' * depth}{name}: {_one_line(value)}")


def _one_line(value: Any) -> str:
    if isinstance(value, list | tuple) and len(value) > MOST_ELEMENTS:
        shown = ", ".join(_one_line(each) for each in value[:MOST_ELEMENTS])
        return f"[{shown}, … {len(value) - MOST_ELEMENTS} more: --json has all]"
    if isinstance(value, str) and value.isprintable() and value == value.strip():
        return value
    return json.dumps(value, ensure_ascii=False, default=str)

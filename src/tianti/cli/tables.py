"""Rows and facts, printed as tables or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, as_json: bool) -> None:
    """A table with the given columns, or a JSON list of objects."""
    if as_json:
        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        typer.echo(json.dumps(objects, ensure_ascii=False, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    Console().print(table, highlight=False)


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
    if isinstance(value, str) and value.isprintable() and value == value.strip():
        return value
    return json.dumps(value, ensure_ascii=False, default=str)

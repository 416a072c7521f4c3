"""A board as an HTML table for notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from tianti.board.board import Board
from tianti.board.entries import Cell, Column, Entry
from tianti.board.show import MISSING, cell_text, mean_text, rank_text


def to_html(board: Board) -> str:
    """One row per entry; every text is escaped."""
    head = _row("th", ["rank", "model", "adaptation", "mean", *(column.name for column in board.columns)])
    body = "".join(_row("td", _texts(board, entry)) for entry in board.entries)
    caption = (
        f"{escape(board.title or 'board')}: mean and scores in % ± half of their {board.level:.0%} intervals; "
        f"ranks as simultaneous {board.level:.0%} intervals"
    )
    return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"


def _texts(board: Board, entry: Entry) -> list[str]:
    return [
        rank_text(entry.rank_low, entry.rank_high, entry.rank),
        entry.model,
        entry.adaptation,
        mean_text(entry),
        *(_cell(entry.cells.get(column.name), column) for column in board.columns),
    ]


def _cell(cell: Cell | None, column: Column) -> str:
    if cell is None:
        return MISSING
    return cell_text(cell, column) if cell.state == "ok" else cell.state


def _row(tag: str, texts: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(text)}</{tag}>" for text in texts) + "</tr>"

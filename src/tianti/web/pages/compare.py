"""Where one chooses what to compare: boards, and on each of them entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tianti.board import Board, Entry
from tianti.web.extent import LEAST, MOST
from tianti.web.page import Address, Page, once
from tianti.web.pages import board as board_page

if TYPE_CHECKING:
    from tianti.web.site import Site

BETWEEN = "~"
"""Stands between the entries of an address; no slug has one."""
MOST_OF_TABLE = 20
"""Entries of a board of which all pairs stand in a table."""


@dataclass(frozen=True)
class Refused:
    """Why nothing is compared; a key of `tianti.web.words.REFUSALS`, and the name that it speaks of."""

    reason: str
    name: str = ""


def asked(site: Site, wanted: Sequence[str], board: str | None) -> str | Refused:
    """The address below `compare/` of a comparison of the entries with these ids or names; of the first board that has
    all of them, where none is named."""
    names = list(dict.fromkeys(name.strip() for name in wanted if name.strip()))
    if not LEAST <= len(names) <= MOST:
        return Refused("number")
    views = site.views if board is None else [site.view(board)]
    for view in views:
        found = [_entry(view.board, name) for name in names]
        known = [entry for entry in found if entry is not None]
        if len(known) == len(names):
            ids = list(dict.fromkeys(entry.id for entry in known))
            return f"{view.slug}/{BETWEEN.join(ids)}/" if len(ids) >= LEAST else Refused("number")
    missing = next(
        (name for name in names if all(_entry(view.board, name) is None for view in views)), names[0]
    )
    return Refused("unknown", missing)


def _entry(board: Board, name: str) -> Entry | None:
    return next((entry for entry in board.entries if name in (entry.id, entry.name)), None)


def context(_: Site) -> Mapping[str, Any]:
    """Every page has the boards."""
    return {}


def board_context(site: Site, board: str) -> Mapping[str, Any]:
    """The entries to choose from."""
    view = site.view(board)
    limit = site.extent.compared
    return {
        "view": view,
        "tabled": 2 <= len(view.board.entries) <= MOST_OF_TABLE,
        "there": limit is None or len(view.board.entries) <= limit,
        "between": BETWEEN,
        "most": MOST,
    }


PAGE = Page(Address("compare/"), "compare.html", once, context)
BOARD_PAGE = Page(Address("compare/{board}/"), "compare_board.html", board_page.every, board_context)

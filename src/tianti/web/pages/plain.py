"""All rows of a board, a hundred on a page: for printing, for screen readers, for searching in the browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tianti.web.page import Address, Keys, NoSuchPageError, Page
from tianti.web.views import View

if TYPE_CHECKING:
    from tianti.web.site import Site

ROWS = 100
"""Entries on one page."""


def count_pages(view: View) -> int:
    """How many pages the rows take; at least one."""
    return max(1, -(-len(view.board.entries) // ROWS))


def every(site: Site) -> Iterable[Keys]:
    """All pages of all boards; they are numbered from 1."""
    for view in site.views:
        for number in range(1, count_pages(view) + 1):
            yield {"board": view.slug, "number": str(number)}


def context(site: Site, board: str, number: str) -> Mapping[str, Any]:
    """The rows of one page."""
    view = site.view(board)
    pages = count_pages(view)
    if number not in map(str, range(1, pages + 1)):
        raise NoSuchPageError(number)
    first = (int(number) - 1) * ROWS
    return {
        "view": view,
        "number": int(number),
        "pages": pages,
        "entries": view.board.entries[first : first + ROWS],
    }


PAGE = Page(Address("b/{board}/p/{number}/"), "plain.html", every, context)

"""The ranked table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tianti.web.page import Address, Keys, Page
from tianti.web.pages import plain

if TYPE_CHECKING:
    from tianti.web.site import Site

MOST_DRAWN = 4000
"""Cells with a drawing on one page; a larger board shows numbers in its task columns."""


def every(site: Site) -> Iterable[Keys]:
    """All boards."""
    return ({"board": view.slug} for view in site.views)


def context(site: Site, board: str) -> Mapping[str, Any]:
    """The board."""
    view = site.view(board)
    return {"view": view, "drawn": len(view.cells) <= MOST_DRAWN, "plain_pages": plain.count_pages(view)}


PAGE = Page(Address("b/{board}/"), "board.html", every, context)

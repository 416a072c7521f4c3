"""The first rows of a board without anything around them, for a frame on another site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tianti.web.page import Address, Page
from tianti.web.pages import board as board_page

if TYPE_CHECKING:
    from tianti.web.site import Site

ROWS = 100
"""Entries that a frame may show."""
USUAL = 10
"""Those that it shows where its address does not say `?top=25`, which a script reads: so an export does it too."""


def context(site: Site, board: str) -> Mapping[str, Any]:
    """The best entries of the board."""
    view = site.view(board)
    return {"view": view, "entries": view.board.entries[:ROWS], "usual": USUAL}


PAGE = Page(Address("embed/b/{board}/"), "embed.html", board_page.every, context)

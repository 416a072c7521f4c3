"""What papers report, apart from what was measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tianti.board.reported import layout, reported_scores
from tianti.web.page import Address, Page, once

if TYPE_CHECKING:
    from tianti.web.site import Site


def context(_: Site) -> Mapping[str, Any]:
    """All figures, and how they are laid out."""
    return {"scores": reported_scores(), "layout": layout}


PAGE = Page(Address("reported/"), "reported.html", once, context)

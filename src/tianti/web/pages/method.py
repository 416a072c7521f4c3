"""How the numbers are made, with the rules of the boards of this site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tianti.web.page import Address, Page, once

if TYPE_CHECKING:
    from tianti.web.site import Site


def context(site: Site) -> Mapping[str, Any]:
    """What the boards were computed with, and what stands on them."""
    entries = [entry for view in site.views for entry in view.board.entries]
    cells = [cell for entry in entries for cell in entry.cells.values()]
    return {
        "methods": sorted({entry.method for entry in entries}),
        "overlaps": sum(bool(cell.overlap) for cell in cells),
        "unscored": sum((cell.errors or 0) + (cell.skipped or 0) for cell in cells),
        "clustered": any(cell.clusters is not None for cell in cells),
    }


PAGE = Page(Address("method/"), "method.html", once, context)

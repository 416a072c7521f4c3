"""A run with the list of its first answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tianti.web.page import Address, Keys, Page
from tianti.web.pages.answers import rows

if TYPE_CHECKING:
    from tianti.web.site import Site


def every(site: Site) -> Iterable[Keys]:
    """All runs behind the cells of a board."""
    return ({"run": slug} for view in site.views for slug in view.runs.values())


def context(site: Site, run: str) -> Mapping[str, Any]:
    """The run, and where on the board it stands."""
    view, run_id = site.run(run)
    entry, cell = view.run_places[run_id]
    listed = site.listing(run_id)
    return {
        "view": view,
        "shown": site.run_page(run_id),
        "entry": entry,
        "task": cell.task,
        "slug": run,
        "listed": listed,
        **(rows(listed, "all", "1") if listed.answers else {}),
    }


PAGE = Page(Address("r/{run}/"), "run.html", every, context)

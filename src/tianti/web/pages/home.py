"""The first page of a language: which boards there are, and who leads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tianti.board import Entry
from tianti.board.reported import layout, reported_scores
from tianti.web.page import Address, Page, once
from tianti.web.sizes import SizeClass, size_classes
from tianti.web.views import View

if TYPE_CHECKING:
    from tianti.web.site import Site


@dataclass(frozen=True)
class Tile:
    """A board at a glance: its best entry, None where no entry has a mean; the best of each class of sizes, where there
    are several; and the day of its newest result, empty where it has none."""

    view: View
    best: Entry | None
    by_size: Sequence[tuple[SizeClass, Entry]]
    newest: str

    @property
    def imported(self) -> bool:
        """Whether something on it was not measured here."""
        return any(entry.provenance == "imported" for entry in self.view.board.entries)


def context(site: Site) -> Mapping[str, Any]:
    """A tile for each board; where nothing stands on any, all that papers report in their place."""
    empty = not any(view.board.entries for view in site.views)
    return {
        "tiles": [_tile(site, view) for view in site.views],
        "empty": empty,
        "scores": reported_scores(),
        "layout": layout,
    }


def _tile(site: Site, view: View) -> Tile:
    # A mean over fewer tasks leads nobody.
    known = [entry for entry in view.board.entries if entry.mean is not None and entry.complete]
    classes = size_classes(known)
    by_size = [(each, next(entry for entry in known if each.holds(entry))) for each in classes]
    return Tile(view, known[0] if known else None, by_size if len(classes) > 1 else (), site.newest(view))


PAGE = Page(Address(""), "home.html", once, context)

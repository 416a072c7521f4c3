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
    """A board at a glance: its best entry, None where none has a mean over all tasks, and the one with a mean over most
    of them (`fullest`); the best of each class of sizes, where there are several; the day of its newest result, empty
    where nobody says it; and that of its newest import."""

    view: View
    best: Entry | None
    fullest: Entry | None
    by_size: Sequence[tuple[SizeClass, Entry]]
    newest: str
    imported_on: str

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
    with_mean = [entry for entry in view.board.entries if entry.mean is not None]
    # A mean over fewer tasks leads nobody.
    known = [entry for entry in with_mean if entry.complete]
    fullest = max(with_mean, key=lambda entry: entry.tasks_done, default=None)
    classes = size_classes(known)
    by_size = [(each, next(entry for entry in known if each.holds(entry))) for each in classes]
    by_size = by_size if len(classes) > 1 else []
    return Tile(view, known[0] if known else None, fullest, by_size, *site.days(view))


PAGE = Page(Address(""), "home.html", once, context)

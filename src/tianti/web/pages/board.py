"""The ranked table: its first rows; a script draws the others from the board's data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tianti.board import Entry
from tianti.board.cut import QUANTITIES, known_costs
from tianti.board.filters import UNKNOWN
from tianti.board.show import quantity_text
from tianti.web.page import Address, Keys, Page
from tianti.web.pages import plain
from tianti.web.sizes import size_classes
from tianti.web.table import task_slugs
from tianti.web.views import View

if TYPE_CHECKING:
    from tianti.web.site import Site

MOST_CELLS = 2000
"""In the task columns of the first rows: a browser lays all of them out before the script draws those in sight."""
UNITS = {"seconds": "s", "energy": "Wh"}


def every(site: Site) -> Iterable[Keys]:
    """All boards."""
    return ({"board": view.slug} for view in site.views)


def context(site: Site, board: str) -> Mapping[str, Any]:
    """The board's first rows and columns, and what its controls offer."""
    view = site.view(board)
    entries = view.board.entries
    columns = max(1, len(view.board.columns) + len(view.board.aspects))
    return {
        "view": view,
        "entries": entries[: min(plain.ROWS, max(20, MOST_CELLS // columns))],
        "plain_pages": plain.count_pages(view),
        "columns": [*view.board.columns, *view.board.aspects],
        "costs": known_costs(view.board),
        "cost_text": cost_text,
        "units": UNITS,
        "regimes": _different(entry.method for entry in entries),
        "families": _families(entries),
        "provenances": _different(entry.provenance for entry in entries),
        "languages": _different(column.language for column in view.board.columns),
        "sizes": size_classes(entries),
        "together": site.extent.together(len(entries)),
        "task_keys": _task_keys(view),
    }


def cost_text(entry: Entry, key: str) -> str:
    """What an entry took of something, short."""
    return quantity_text(key, QUANTITIES[key](entry))


def _families(entries: Sequence[Entry]) -> list[str]:
    """The architectures; where that of some entries is not known, the word for it stands last."""
    missing = any(not entry.architecture for entry in entries)
    return [*_different(entry.architecture for entry in entries), *([UNKNOWN] if missing else [])]


def _different(words: Iterable[str]) -> list[str]:
    """The words that there are, in their order; what is not known is none that one could choose."""
    return [word for word in dict.fromkeys(words) if word]


def _task_keys(view: View) -> list[tuple[str, str]]:
    """What an address calls each task, and its name."""
    return [(slug, column.name) for slug, column in zip(task_slugs(view), view.board.columns, strict=True)]


PAGE = Page(Address("b/{board}/"), "board.html", every, context)

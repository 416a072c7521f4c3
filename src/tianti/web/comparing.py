"""Entries that are compared: the first against each of the others, and where all of them differ."""

from __future__ import annotations

from dataclasses import dataclass

from tianti.board import Entry
from tianti.board.compare import Comparison, compare_entries
from tianti.board.disagreements import Disagreements, disagreements
from tianti.board.entry_items import EntryItems
from tianti.web.extent import LEAST, MOST
from tianti.web.page import NoSuchPageError
from tianti.web.pages.compare import BETWEEN
from tianti.web.views import View


@dataclass(frozen=True)
class Comparing:
    """What is told of two to four entries."""

    entries: tuple[Entry, ...]
    comparisons: tuple[Comparison, ...]
    disagreements: tuple[Disagreements, ...]


def comparing(view: View, items: EntryItems, entries: str) -> Comparing:
    """The comparison of an address.

    Raises:
        NoSuchPageError: it names other than two to four entries, one twice, or one that the board lacks.
        StoreError: answers are gone or were changed since they were sealed.
    """
    known = {entry.id: entry for entry in view.board.entries}
    ids = entries.split(BETWEEN)
    if not LEAST <= len(ids) <= MOST or len(set(ids)) < len(ids) or not known.keys() >= set(ids):
        raise NoSuchPageError(entries)
    chosen = tuple(known[each] for each in ids)
    return Comparing(
        chosen,
        tuple(compare_entries(view.board, items, chosen[0], other) for other in chosen[1:]),
        tuple(disagreements(view.board, items, chosen)),
    )

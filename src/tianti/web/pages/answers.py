"""The answers of a run, or those of one kind, fifty on a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tianti.web.page import Address, Keys, NoSuchPageError, Page
from tianti.web.samples import Listing

if TYPE_CHECKING:
    from tianti.web.site import Site

ROWS = 50
"""Answers on one page."""


def every(site: Site) -> Iterable[Keys]:
    """All pages of all kinds of answers of all runs; they are numbered from 1."""
    for view in site.views:
        for run_id, slug in view.runs.items():
            for kind, numbers in site.listing(run_id).numbers.items():
                for number in range(1, count_pages(len(numbers)) + 1):
                    yield {"run": slug, "kind": kind, "number": str(number)}


def count_pages(answers: int) -> int:
    """How many pages so many answers take."""
    return -(-answers // ROWS)


def context(site: Site, run: str, kind: str, number: str) -> Mapping[str, Any]:
    """The answers of one page."""
    view, run_id = site.run(run)
    entry, cell = view.run_places[run_id]
    listed = site.listing(run_id)
    return {
        "view": view,
        "entry": entry,
        "task": cell.task,
        "slug": run,
        "run_id": run_id,
        **rows(listed, kind, number),
    }


def rows(listed: Listing, kind: str, number: str) -> Mapping[str, Any]:
    """What the list of one page is filled with; the page of a run shows the first."""
    numbers = listed.numbers.get(kind, ())
    pages = count_pages(len(numbers))
    if number not in map(str, range(1, pages + 1)):
        raise NoSuchPageError(number)
    first = (int(number) - 1) * ROWS
    return {
        "listed": listed,
        "kind": kind,
        "number": int(number),
        "pages": pages,
        "rows": listed.starts(numbers[first : first + ROWS]),
    }


PAGE = Page(Address("r/{run}/a/{kind}/{number}/"), "answers.html", every, context)

"""What this site is: version, licence, addresses of its data, how to cite it and to show it elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from tianti.web.page import Address, Page, once
from tianti.web.pages import comparison

if TYPE_CHECKING:
    from tianti.web.site import Site


def context(site: Site) -> Mapping[str, Any]:
    """Addresses of data, of which there is one example each."""
    return {"examples": list(_examples(site))}


def _examples(site: Site) -> Iterator[tuple[str, str]]:
    """(kind, address) of each kind of data that this site has."""
    view = site.views[0]
    yield "index", "index.json"
    yield "board", f"boards/{view.slug}.json"
    yield "lines", f"boards/{view.slug}.csv"
    for slug in list(view.models.values())[:1]:
        yield "model", f"models/{slug}.json"
    for slug in list(view.tasks.values())[:1]:
        yield "task", f"tasks/{slug}.json"
        yield "items", f"tasks/{slug}/items.json"
    for run_id, slug in list(view.runs.items())[:1]:
        yield "run", f"runs/{slug}.json"
        if site.listing(run_id).answers:
            yield "samples", f"runs/{slug}/samples/1.json"
    for keys in islice(comparison.every(site), 1):
        yield "compare", f"compare/{keys['board']}/{keys['entries']}.json"


PAGE = Page(Address("about/"), "about.html", once, context)

"""Two to four entries of a board against each other, task by task and sample by sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from tianti.board.compare import Difference
from tianti.board.disagreements import Disagreements
from tianti.web import draw
from tianti.web.page import Address, Keys, Page
from tianti.web.pages.compare import BETWEEN
from tianti.web.views import View

if TYPE_CHECKING:
    from tianti.web.comparing import Comparing
    from tianti.web.site import Site

Places = Sequence[tuple[str, int] | None]
"""For each entry the run and the number of its answer; None where that has no page."""


def every(site: Site) -> Iterable[Keys]:
    """Every two entries of a board, in its order, where the board is small enough."""
    limit = site.extent.compared
    for view in site.views:
        ids = [entry.id for entry in view.board.entries]
        if limit is None or len(ids) <= limit:
            for pair in combinations(ids, 2):
                yield {"board": view.slug, "entries": BETWEEN.join(pair)}


def context(site: Site, board: str, entries: str) -> Mapping[str, Any]:
    """The first entry against each of the others, and the samples on which they differ."""
    compared = site.comparing(board, entries)
    view = site.view(board)
    return {
        "view": view,
        "slug": entries,
        "entries": compared.entries,
        "pairs": [
            (comparison, sorted(comparison.tasks, key=_by_size), axis_of(comparison.tasks))
            for comparison in compared.comparisons
        ],
        "disagreements": [
            (each, [_places(site, view, compared, each, sample.sample) for sample in each.largest])
            for each in compared.disagreements
            if each.differing
        ],
        "bar": draw.bar,
    }


def axis_of(tasks: Sequence[Difference]) -> draw.Axis | None:
    """The axis of all differences that are shares."""
    shares = [task for task in tasks if task.share]
    return draw.axis([bound for each in shares for bound in (each.low, each.difference, each.high)], 0.0)


def _by_size(task: Difference) -> tuple[bool, bool, float]:
    """The largest first; those on other scales behind them, what has no difference last."""
    return task.difference is None, not task.share, -abs(task.difference or 0.0)


def _places(site: Site, view: View, compared: Comparing, found: Disagreements, sample: str) -> Places:
    places: list[tuple[str, int] | None] = []
    for entry in compared.entries:
        runs = entry.cells[found.task].run_ids[:1]
        number = site.numbers(runs[0]).get(sample) if runs else None
        places.append(None if number is None else (view.runs[runs[0]], number))
    return places


PAGE = Page(Address("compare/{board}/{entries}/"), "comparison.html", every, context)

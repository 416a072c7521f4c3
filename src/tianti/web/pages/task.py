"""A task with its ranking, and the first prompts of one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tianti.web.page import Address, Keys, Page
from tianti.web.runs import ShownAnswer
from tianti.web.views import View

if TYPE_CHECKING:
    from tianti.web.site import Site

PROMPTS = 3


def every(site: Site) -> Iterable[Keys]:
    """All tasks of all boards."""
    return ({"task": slug} for view in site.views for slug in view.tasks.values())


def context(site: Site, task: str) -> Mapping[str, Any]:
    """The column, the entries that have it in the order of their ranks, and prompts."""
    view, name = site.task(task)
    rows = [(entry, entry.cells[name]) for entry in view.board.entries if name in entry.cells]
    return {
        "view": view,
        "column": next(column for column in view.board.columns if column.name == name),
        "rows": sorted(rows, key=lambda row: (row[1].rank is None, row[1].rank or 0, row[0].name)),
        "prompts": _prompts(site, view, name),
    }


def _prompts(site: Site, view: View, name: str) -> Sequence[ShownAnswer]:
    """The first answers of the first run that has some."""
    for run_id, (_, cell) in view.run_places.items():
        if cell.task == name and site.snapshot.runs[run_id].run.answers_count:
            return site.run_page(run_id).answers[:PROMPTS]
    return []


PAGE = Page(Address("t/{task}/"), "task.html", every, context)

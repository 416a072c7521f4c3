"""A task: its ranking, what it can tell apart, its samples over all entries, and the first prompts of one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from tianti.board import Cell, Column
from tianti.board.items import Item, ItemAnalysis
from tianti.stats import normalise
from tianti.web.page import Address, Keys, Page
from tianti.web.runs import LONGEST_TEXT, ShownAnswer
from tianti.web.samples import START
from tianti.web.views import View

if TYPE_CHECKING:
    from tianti.web.site import Site

PROMPTS = 3
LISTED = 20
"""Samples of each kind that a page lists."""
ANSWERS = 5
"""Entries whose answers stand beside the text of an imported sample."""
NEAR_TOP = 0.95
"""Where a normalised score is taken for near the top."""


@dataclass(frozen=True)
class Text:
    """An imported sample: its prompt and what is right, as the file of its first entry has them, and answers by the
    names of entries."""

    sample: str
    prompt: str
    target: str
    answers: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Saturation:
    """How the scores on a task lie. `near_top` counts those at 95 % of the way from guessing to perfect, None where
    a metric has no such scale; `first` those that no other is shown to beat."""

    entries: int
    best: float
    middle: float
    worst: float
    near_top: int | None
    first: int


def every(site: Site) -> Iterable[Keys]:
    """All tasks of all boards."""
    return ({"task": slug} for view in site.views for slug in view.tasks.values())


def context(site: Site, task: str) -> Mapping[str, Any]:
    """The column, the entries that have it in the order of their ranks, its samples, and prompts."""
    view, name = site.task(task)
    rows = [(entry, entry.cells[name]) for entry in view.board.entries if name in entry.cells]
    column = next(column for column in view.board.columns if column.name == name)
    found = site.analysis(view.slug, name)
    numbers = _numbers(site, view, name)
    hardest = _hardest(column, found) if found else []
    listed = [*found.missed[:LISTED], *hardest, *found.backward[:LISTED]] if found else []
    imported = any(entry.provenance == "imported" for entry, _ in rows)
    return {
        "view": view,
        "slug": task,
        "column": column,
        "rows": sorted(rows, key=lambda row: (row[1].rank is None, row[1].rank or 0, row[0].name)),
        "saturation": saturation(column, [cell for _, cell in rows]),
        "analysis": found,
        "hardest": hardest,
        "imported": imported,
        "texts": _texts(site, view, column, listed) if imported and listed else [],
        "most": LISTED,
        "numbers": numbers,
        "versions": _versions(view, column),
        "prompts": _prompts(site, view, name),
    }


def saturation(column: Column, cells: Sequence[Cell]) -> Saturation | None:
    """How the scores lie; None where there are none."""
    values = [cell.value for cell in cells if cell.value is not None]
    if not values:
        return None
    scaled = column.higher_is_better and column.counts
    near = sum(normalise(value, column.chance) >= NEAR_TOP for value in values) if scaled else None
    return Saturation(
        len(values),
        max(values, key=column.goodness),
        median(values),
        min(values, key=column.goodness),
        near,
        sum(c.rank_low == 1 for c in cells),
    )


def _hardest(column: Column, found: ItemAnalysis) -> list[Item]:
    """The hardest samples that somebody got and somebody missed."""
    mixed = [item for item in found.items if found.lowest < item.mean < found.highest]
    return sorted(mixed, key=lambda item: column.goodness(item.mean))[:LISTED]


def _texts(site: Site, view: View, column: Column, listed: Sequence[Item]) -> list[Text]:
    """The texts of these samples, each once, of what was imported with them."""
    found = site.imported_texts(view.board, column, {item.name for item in listed})
    names = {entry.id: entry.name for entry in view.board.entries}
    return [
        Text(
            sample,
            next(_cut(text.prompt, LONGEST_TEXT) for text in said.values()),
            next(_cut(text.target, START) for text in said.values()),
            [(names[entry], _cut(text.answer, START)) for entry, text in list(said.items())[:ANSWERS]],
        )
        for sample in dict.fromkeys(item.name for item in listed)
        if (said := found.get(sample))
    ]


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]} …"


def _versions(view: View, column: Column) -> list[Column]:
    """Other columns of a task of this name: other data, prompt or metric."""
    base = column.name.partition(" #")[0]
    return [each for each in view.board.columns if each.name.partition(" #")[0] == base and each != column]


def _first_run(site: Site, view: View, name: str) -> str | None:
    for run_id, (_, cell) in view.run_places.items():
        if cell.task == name and site.snapshot.runs[run_id].run.answers_count:
            return run_id
    return None


def _numbers(site: Site, view: View, name: str) -> Mapping[str, tuple[str, int]]:
    """(run, number) of an answer to each sample, in the first run that has some."""
    run_id = _first_run(site, view, name)
    if run_id is None:
        return {}
    return {sample: (view.runs[run_id], number) for sample, number in site.numbers(run_id).items()}


def _prompts(site: Site, view: View, name: str) -> Sequence[ShownAnswer]:
    """The first answers of that run."""
    run_id = _first_run(site, view, name)
    return site.run_page(run_id).answers[:PROMPTS] if run_id else []


PAGE = Page(Address("t/{task}/"), "task.html", every, context)

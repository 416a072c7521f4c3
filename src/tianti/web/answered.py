"""Where the entries' answers to the samples of a task stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tianti.board import Entry
from tianti.web.marking import marking
from tianti.web.runs import shown
from tianti.web.samples import START, kind_of
from tianti.web.views import View

if TYPE_CHECKING:
    from tianti.web.site import Site

MOST_ENTRIES = 30
"""Entries whose answers are shown beside one; on larger boards the first ones."""


@dataclass(frozen=True)
class Brief:
    """An entry's answer to a sample: its number within the run, and its beginning."""

    entry: Entry
    run_id: str
    number: int
    kind: str
    mark: str
    prediction: str


Answered = Mapping[str, tuple[Brief, ...]]
"""The answers to each sample, by its id, in the order of the entries: of each entry's first run and first repeat."""


def answered(site: Site, view: View, task: str) -> Answered:
    """The answers of the first entries to the samples of a task that have pages.

    Raises:
        StoreError: answers are gone or were changed since they were sealed.
    """
    found: dict[str, list[Brief]] = defaultdict(list)
    for entry in _entries(view, task):
        run_id = entry.cells[task].run_ids[0]
        marked = marking(site.snapshot.runs[run_id].scores)
        for number, answer in enumerate(site.read_answers(run_id)[: site.extent.samples], 1):
            if answer.repeat == 0:
                brief = shown(answer, marked, START)
                kind = kind_of(answer, marked)
                found[answer.sample_id].append(
                    Brief(entry, run_id, number, kind, brief.mark, brief.prediction)
                )
    return {sample: tuple(briefs) for sample, briefs in found.items()}


def _entries(view: View, task: str) -> list[Entry]:
    has = [entry for entry in view.board.entries if task in entry.cells and entry.cells[task].run_ids]
    return has[:MOST_ENTRIES]

"""One answer: the prompt as sent, the choices, the answer, its values, why it was given, and what others answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tianti.web.choices import choices_of
from tianti.web.page import Address, Keys, NoSuchPageError, Page
from tianti.web.runs import flat, shown
from tianti.web.samples import (
    LONGEST_SAMPLE,
    explanation_of,
    kind_of,
    responses_of,
    thoughts_of,
)

if TYPE_CHECKING:
    from tianti.web.site import Site

LOCAL = ("nano", "folder", "hub")
"""Sources of models that can be loaded again and have gradients to follow."""


def every(site: Site) -> Iterable[Keys]:
    """All answers that have a page, task by task, since what is read for one run of a task serves the others."""
    for view in site.views:
        for task in view.tasks:
            for run_id, slug in view.runs.items():
                if view.run_places[run_id][1].task == task:
                    for number in range(1, site.listing(run_id).paged + 1):
                        yield {"run": slug, "number": str(number)}


def context(site: Site, run: str, number: str) -> Mapping[str, Any]:
    """The answer of this number, and the others to the same sample."""
    view, run_id = site.run(run)
    entry, cell = view.run_places[run_id]
    listed = site.listing(run_id)
    if number not in map(str, range(1, listed.paged + 1)):
        raise NoSuchPageError(number)
    answer = listed.answers[int(number) - 1]
    recorded = site.snapshot.runs[run_id]
    choices = choices_of(answer, recorded.run.manifest)
    return {
        "view": view,
        "entry": entry,
        "task": cell.task,
        "slug": run,
        "run": recorded.run,
        "number": int(number),
        "listed": listed,
        "answer": shown(answer, listed.marking, LONGEST_SAMPLE),
        "kind": kind_of(answer, listed.marking),
        "values": list(flat(answer.values)),
        "choices": choices,
        "thoughts": thoughts_of(answer),
        "responses": responses_of(answer),
        "explanation": explanation_of(recorded, answer),
        "explains": explains(recorded.run.manifest["model"]["source"], len(choices.shown)),
        "others": [
            brief
            for brief in site.answered(view.slug, cell.task).get(answer.sample_id, ())
            if brief.entry.id != entry.id
        ],
    }


def explains(source: str, choices: int) -> bool:
    """Whether `tianti explain` may explain such an answer: chosen by a model whose weights are here."""
    return choices > 0 and source in LOCAL


PAGE = Page(Address("r/{run}/s/{number}/"), "sample.html", every, context)

"""The data of a site as files: the same text from the API and in an export, at the same addresses.

api/v1/index.json                     what there is: the snapshot, and every board, model, task and run by its slug
api/v1/boards/{board}.{ending}        a board, in each format that `tianti board --output` writes
api/v1/boards/{board}/table.json      the same as the columns of a table, for its page (tianti.web.table)
api/v1/models/{model}.json            a model: its entries
api/v1/tasks/{task}.json              a task: its column, and each entry's cell
api/v1/tasks/{task}/items.json        its samples: how hard they are, and how well they tell entries apart
api/v1/runs/{run}.json                a run: manifest, environment, cost, scores, every answer
api/v1/runs/{run}/samples/{number}.json   fifty answers with their raw responses and explanations
api/v1/compare/{board}/{entries}.json     two to four entries (their ids, `~` between them), task by task
api/v1/transfer.json                  what was learned × what was asked, where there is such a thing
api/v1/reported.json                  what papers report, as a board
api/v1/words/{language}.json          the words of the pages, by the English ones, for the scripts
favicon.ico  robots.txt               what browsers and search engines ask every site for
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tianti.board.cut import cut
from tianti.board.filters import EVERYTHING
from tianti.board.formats import FORMATS, Format
from tianti.board.rounding import rounded
from tianti.web.page import Address, File, Keys, NoSuchPageError, once
from tianti.web.pages import answers as answers_page
from tianti.web.pages import board as board_page
from tianti.web.pages import comparison as comparison_page
from tianti.web.pages import model as model_page
from tianti.web.pages import run as run_page
from tianti.web.pages import task as task_page
from tianti.web.table import table_json
from tianti.web.words import LANGUAGES, catalog

if TYPE_CHECKING:
    from tianti.web.site import Site

ROOT = "api/v1/"
JSON = "application/json"


def index(site: Site) -> str:
    """What there is, by slug."""
    return _json(
        {
            "snapshot": site.snapshot.id,
            "boards": {view.slug: view.board.title for view in site.views},
            "models": {
                slug: {"board": view.slug, "model": name}
                for view in site.views
                for name, slug in view.models.items()
            },
            "tasks": {
                slug: {"board": view.slug, "task": name}
                for view in site.views
                for name, slug in view.tasks.items()
            },
            "runs": {
                slug: {"board": view.slug, "run": run_id}
                for view in site.views
                for run_id, slug in view.runs.items()
            },
            "transfer": bool(site.snapshot.transfer),
        }
    )


def board_in(format: Format) -> Callable[..., bytes]:
    """A board with its streams, in a format."""

    def content(site: Site, board: str) -> bytes:
        view = site.view(board)
        return format.write(
            cut(view.board, EVERYTHING), site.snapshot.streams if view is site.views[0] else ()
        )

    return content


def table(site: Site, board: str) -> str:
    """A board as the columns of a table."""
    return table_json(site.view(board), site.snapshot.id)


def model(site: Site, model: str) -> str:
    """A model's entries, as they stand on the board."""
    view, name = site.model(model)
    return _json({"board": view.slug, "model": name, "entries": rounded(view.entries[name])})


def task(site: Site, task: str) -> str:
    """A task's column, and the cell of each entry that has it, by the entry's id."""
    view, name = site.task(task)
    column = next(column for column in view.board.columns if column.name == name)
    cells = {entry.id: rounded(entry.cells[name]) for entry in view.board.entries if name in entry.cells}
    return _json({"board": view.slug, "column": rounded(column), "cells": cells})


def run(site: Site, run: str) -> str:
    """A run with every answer."""
    _, run_id = site.run(run)
    return _json(site.run_page(run_id).data)


def items(site: Site, task: str) -> str:
    """The samples of a task; `samples` is null where no entry has values per sample."""
    view, name = site.task(task)
    found = site.analysis(view.slug, name)
    return _json(
        {
            "board": view.slug,
            "task": name,
            "entries": found.entries if found else 0,
            "smallest_gap": rounded(found.smallest_gap) if found else None,
            "level": view.board.level,
            "samples": rounded(found.items) if found else None,
        }
    )


def samples(site: Site, run: str, number: str) -> str:
    """Answers of a run with everything that the store keeps of them; pages are numbered from 1."""
    _, run_id = site.run(run)
    listed = site.listing(run_id)
    if number not in map(str, range(1, answers_page.count_pages(len(listed.answers)) + 1)):
        raise NoSuchPageError(number)
    first = (int(number) - 1) * answers_page.ROWS
    explained = {
        (each.sample_id, each.repeat): each.found for each in site.snapshot.runs[run_id].explanations
    }
    return _json(
        {
            "run": run_id,
            "answers_count": listed.total,
            "first": first + 1,
            "answers": [
                {**asdict(answer), "explanation": explained.get((answer.sample_id, answer.repeat))}
                for answer in listed.answers[first : first + answers_page.ROWS]
            ],
        }
    )


def compare(site: Site, board: str, entries: str) -> str:
    """The first entry against each of the others, as `tianti compare --json` gives two; and where all differ."""
    found = site.comparing(board, entries)
    return _json(
        {
            "board": board,
            "entries": [entry.id for entry in found.entries],
            "comparisons": rounded(found.comparisons),
            "disagreements": rounded(found.disagreements),
        }
    )


def _sample_pages(site: Site) -> Iterable[Keys]:
    for view in site.views:
        for run_id, slug in view.runs.items():
            for number in range(1, answers_page.count_pages(len(site.listing(run_id).answers)) + 1):
                yield {"run": slug, "number": str(number)}


def transfer(site: Site) -> str:
    """The transfer matrices of the first board, as `tianti board --transfer --json` gives them."""
    if not site.snapshot.transfer:
        raise NoSuchPageError("transfer")
    return _json(rounded(site.snapshot.transfer))


def reported(site: Site) -> str:
    """Published figures with their sources."""
    return site.snapshot.reported.to_json()


def words(_: Site, language: str) -> str:
    """The messages of the pages in a language."""
    if language not in LANGUAGES:
        raise NoSuchPageError(language)
    return _json(dict(catalog(language)))


def icon(_: Site) -> bytes:
    """static/icon.svg in 16, 32 and 48 dots, for what asks for an icon without reading a page."""
    return (files("tianti.web") / "icon.ico").read_bytes()


def robots(_: Site) -> str:
    """Anybody may read everything (RFC 9309)."""
    return "User-agent: *\nAllow: /\n"


def _languages(_: Site) -> Iterable[Keys]:
    return ({"language": language} for language in LANGUAGES)


def _where_transfer(site: Site) -> Iterable[Keys]:
    return [{}] if site.snapshot.transfer else []


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1)


FILES: tuple[File, ...] = (
    File(Address(f"{ROOT}index.json"), JSON, once, index),
    *(
        File(Address(f"{ROOT}boards/{{board}}.{ending}"), form.media_type, board_page.every, board_in(form))
        for ending, form in FORMATS.items()
    ),
    File(Address(f"{ROOT}boards/{{board}}/table.json"), JSON, board_page.every, table),
    File(Address(f"{ROOT}models/{{model}}.json"), JSON, model_page.every, model),
    File(Address(f"{ROOT}tasks/{{task}}.json"), JSON, task_page.every, task),
    File(Address(f"{ROOT}tasks/{{task}}/items.json"), JSON, task_page.every, items),
    File(Address(f"{ROOT}runs/{{run}}.json"), JSON, run_page.every, run),
    File(Address(f"{ROOT}runs/{{run}}/samples/{{number}}.json"), JSON, _sample_pages, samples),
    File(Address(f"{ROOT}compare/{{board}}/{{entries}}.json"), JSON, comparison_page.every, compare),
    File(Address(f"{ROOT}transfer.json"), JSON, _where_transfer, transfer),
    File(Address(f"{ROOT}reported.json"), JSON, once, reported),
    File(Address(f"{ROOT}words/{{language}}.json"), JSON, _languages, words),
    File(Address("favicon.ico"), "image/x-icon", once, icon),
    File(Address("robots.txt"), "text/plain", once, robots),
)

"""A board as a static site: files that any web server, or a browser without one, shows.

index.html          the board           zh/index.html    the same in Chinese, and so for every page
models/*.html       one page per model: its adaptations × tasks
tasks/*.html        one page per task: prompts, metric, ranking
runs/*.html         one page per run: settings, cost, command, scores, answers; runs/*.json has all answers
reported.html       what papers report of famous systems; reported.json as data
board.json          the board as data   board.csv
static/             one style sheet, one script
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from tianti.board import Board
from tianti.board.reported import reported_board
from tianti.board.slugs import slugs
from tianti.core.exceptions import InputError
from tianti.store import Store
from tianti.web.pages import Pages, Places
from tianti.web.runs import RunPage, read_run_page
from tianti.web.words import LANGUAGES

OWN_FOLDERS = ("models", "tasks", "runs", "static", *LANGUAGES)


@dataclass
class _Writer:
    """Writes below a folder and remembers what it wrote."""

    folder: Path
    written: set[Path] = field(default_factory=set)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.written.add(path)
        return path


def write_site(board: Board, store: Store, folder: Path, languages: Sequence[str] = LANGUAGES) -> Path:
    """Write the site and return the path of its first page. The first language lies at the top.

    A site that is there already is replaced: pages of runs that are gone are removed.

    Raises:
        InputError: the folder holds something that is no site.
        StoreError: answers are gone or were changed since they were sealed.
    """
    _check(folder)
    writer = _Writer(folder)
    places = _places(board)
    pages = [Pages(board, places, language, tuple(languages)) for language in languages]
    run_ids = list(places.runs)
    prompts: dict[str, RunPage] = {}
    for run_id in run_ids:
        run = read_run_page(store, run_id)
        prompts.setdefault(places.column_of_run[run_id], run)
        writer.write(f"runs/{places.runs[run_id]}.json", _json(run.data))
        for page in pages:
            writer.write(f"{page.prefix}runs/{places.runs[run_id]}.html", page.run(run))
    for page in pages:
        for model, slug in places.models.items():
            writer.write(f"{page.prefix}models/{slug}.html", page.model(model))
        for task, slug in places.tasks.items():
            writer.write(f"{page.prefix}tasks/{slug}.html", page.task(task, prompts.get(task)))
        writer.write(f"{page.prefix}index.html", page.board())
        writer.write(f"{page.prefix}reported.html", page.reported())
    writer.write("reported.json", reported_board().to_json())
    writer.write("board.json", board.to_json())
    writer.write("board.csv", board.to_csv())
    _copy_static(writer)
    _remove_old(folder, writer.written)
    return folder / "index.html"


def _places(board: Board) -> Places:
    """Where each page lies."""
    cells = [cell for entry in board.entries for cell in entry.cells.values()]
    column_of_run = {run_id: cell.task for cell in cells for run_id in cell.run_ids}
    return Places(
        models=slugs(dict.fromkeys(entry.model for entry in board.entries)),
        tasks=slugs(column.name for column in board.columns),
        runs=slugs(column_of_run),
        column_of_run=column_of_run,
        entry_of_run={
            run_id: entry.id
            for entry in board.entries
            for cell in entry.cells.values()
            for run_id in cell.run_ids
        },
    )


def _check(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is a file", remedy="name a folder for the site")
    if any(folder.iterdir()) and not _is_site(folder):
        raise InputError(
            f"{folder} holds something that is no site of tianti", remedy="name an empty or a new folder"
        )


def _is_site(folder: Path) -> bool:
    try:
        content = json.loads((folder / "board.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "snapshot" in content


def _copy_static(writer: _Writer) -> None:
    with as_file(files("tianti.web") / "static") as source:
        for path in sorted(source.iterdir()):
            target = writer.folder / "static" / path.name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, target)
            writer.written.add(target)


def _remove_old(folder: Path, written: Iterable[Path]) -> None:
    kept = set(written)
    for name in OWN_FOLDERS:
        for path in sorted((folder / name).rglob("*")):
            if path.suffix in (".html", ".json") and path not in kept:
                path.unlink()


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=1)

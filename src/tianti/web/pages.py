"""The pages in one language, rendered from templates. Every name and text of the data is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tianti import __version__
from tianti.board import Board, Cell, Column, Entry, show
from tianti.board.reported import layout, reported_scores
from tianti.web import draw
from tianti.web.runs import RunPage
from tianti.web.words import TAGS, translator

MOST_DRAWN = 4000
"""Cells with a drawing on one page; a larger board shows numbers in its task columns."""
PROMPTS = 3


@dataclass(frozen=True)
class Places:
    """The file names of pages, without ending, by model, task and run."""

    models: Mapping[str, str]
    tasks: Mapping[str, str]
    runs: Mapping[str, str]
    column_of_run: Mapping[str, str]
    entry_of_run: Mapping[str, str]


@dataclass(frozen=True)
class Pages:
    """Renders each page; `prefix` is the folder of the language, empty for the first."""

    all_of: Board
    places: Places
    language: str
    languages: tuple[str, ...]

    @property
    def prefix(self) -> str:
        return "" if self.language == self.languages[0] else f"{self.language}/"

    def board(self) -> str:
        """The ranked table."""
        return self._render("board.html", "index.html", drawn=len(self._cells) <= MOST_DRAWN)

    def reported(self) -> str:
        """What papers report, apart from what was measured."""
        return self._render("reported.html", "reported.html", scores=reported_scores(), layout=layout)

    def model(self, model: str) -> str:
        """A model under its adaptations."""
        entries = [entry for entry in self.all_of.entries if entry.model == model]
        return self._render(
            "model.html", f"models/{self.places.models[model]}.html", model=model, entries=entries
        )

    def task(self, task: str, example: RunPage | None) -> str:
        """A task with its ranking, and the first prompts of one run."""
        column = next(column for column in self.all_of.columns if column.name == task)
        rows = sorted(
            ((entry, entry.cells[task]) for entry in self.all_of.entries if task in entry.cells),
            key=lambda row: (row[1].rank is None, row[1].rank or 0, row[0].name),
        )
        return self._render(
            "task.html",
            f"tasks/{self.places.tasks[task]}.html",
            column=column,
            rows=rows,
            prompts=example.answers[:PROMPTS] if example else [],
        )

    def run(self, run: RunPage) -> str:
        """A run with its first answers."""
        run_id = run.run.run_id
        return self._render(
            "run.html",
            f"runs/{self.places.runs[run_id]}.html",
            page=run,
            entry=next(e for e in self.all_of.entries if e.id == self.places.entry_of_run[run_id]),
            task=self.places.column_of_run[run_id],
        )

    def _render(self, template: str, name: str, **context: Any) -> str:
        depth = (self.prefix + name).count("/")
        root = "../" * depth
        alternates = {
            language: root + ("" if language == self.languages[0] else f"{language}/") + name
            for language in self.languages
        }
        return self._environment.get_template(template).render(
            board=self.all_of,
            places=self.places,
            root=root,
            home=root + self.prefix,
            alternates=alternates,
            **context,
        )

    @cached_property
    def _cells(self) -> list[Cell]:
        return [
            cell for entry in self.all_of.entries for cell in (*entry.cells.values(), *entry.aspects.values())
        ]

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=PackageLoader("tianti.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(
            t=translator(self.language),
            words={language: translator(language) for language in self.languages},
            language=self.language,
            tags=TAGS,
            version=__version__,
            show=show,
            bar_of_mean=self._bar_of_mean,
            bar_of_cell=self._bar_of_cell,
            shade=draw.shade,
            letter=letter,
        )
        return environment

    def _bar_of_mean(self, entry: Entry) -> draw.Bar | None:
        return draw.bar(self._mean_axis, entry.mean, entry.low, entry.high)

    def _bar_of_cell(self, cell: Cell, column: Column) -> draw.Bar | None:
        return draw.bar(self._axes.get(column.name), cell.value, cell.low, cell.high)

    @cached_property
    def _mean_axis(self) -> draw.Axis | None:
        entries = self.all_of.entries
        return draw.axis([bound for e in entries for bound in (e.low, e.mean, e.high)], origin=0.0)

    @cached_property
    def _axes(self) -> dict[str, draw.Axis | None]:
        columns = [*self.all_of.columns, *self.all_of.aspects]
        bounds: dict[str, list[float | None]] = {column.name: [] for column in columns}
        for cell in self._cells:
            bounds[cell.task] += [cell.low, cell.value, cell.high]
        return {column.name: draw.axis(bounds[column.name], column.chance) for column in columns}


def letter(band: int) -> str:
    """1 → A, 26 → Z, 27 → AA."""
    text = ""
    while band > 0:
        band, digit = divmod(band - 1, 26)
        text = chr(ord("A") + digit) + text
    return text

"""Reported scores as a Board: entries of the provenance `reported`, without means, ranks and intervals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tianti.board.board import Board, Rules, as_recorded
from tianti.board.entries import Cell, Column, Entry, Source
from tianti.board.reported.scores import ReportedScore, reported_scores
from tianti.board.slugs import slugs

TITLE = "reported"


@dataclass(frozen=True)
class _Row:
    """What makes an entry."""

    model: str
    adaptation: str
    method: str

    @property
    def name(self) -> str:
        return f"{self.model} · {self.adaptation}"


def reported_board(scores: Sequence[ReportedScore] | None = None) -> Board:
    """The board of reported scores, by default of those that come in the package.

    A column is a benchmark with a metric, named `MMLU · acc`; an entry is a model under an adaptation. A cell holds
    every published figure as a `Source`, and has a `value` (a share from 0 to 1) where they agree. Nothing is ranked:
    without answers to single samples no test is possible, and the texts do not use the same prompts.
    """
    grouped: dict[_Row, dict[tuple[str, str], list[ReportedScore]]] = defaultdict(lambda: defaultdict(list))
    columns: dict[tuple[str, str], Column] = {}
    for score in reported_scores() if scores is None else scores:
        key = (score.task, score.metric)
        columns.setdefault(key, _column(*key))
        grouped[_Row(score.model, score.adaptation, score.method)][key].append(score)
    ids = slugs(row.name for row in grouped)
    entries = tuple(
        Entry(
            id=ids[row.name],
            name=row.name,
            model=row.model,
            model_fingerprint="",
            model_source="",
            architecture="",
            parameters=None,
            adaptation=row.adaptation,
            method=row.method,
            cells={columns[key].name: _cell(columns[key], found) for key, found in tasks.items()},
            tasks_done=len(tasks),
            provenance="reported",
        )
        for row, tasks in grouped.items()
    )
    return as_recorded(Board(TITLE, Rules(), tuple(columns.values()), entries, family=0))


def _column(task: str, metric: str) -> Column:
    return Column(
        name=f"{task} · {metric}",
        kind="",
        language="",
        split="",
        version="",
        fingerprint="",
        limit=None,
        metric=metric,
        chance=None,
        higher_is_better=True,
        scale="proportion",
        excluded="reported",
    )


def _cell(column: Column, scores: Sequence[ReportedScore]) -> Cell:
    sources = tuple(
        Source(
            score.score / 100,
            score.split,
            score.citation,
            score.url,
            score.status,
            score.quoted_in,
            score.note,
        )
        for score in scores
    )
    values = {source.value for source in sources}
    return Cell(column.name, "ok", value=values.pop() if len(values) == 1 else None, sources=sources)

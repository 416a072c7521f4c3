"""What the runs behind a model's cells tell: how it learned, what was run before, and the command of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tianti.adapt.transfer import FROM
from tianti.board.board import Board
from tianti.board.curves import Curve
from tianti.board.entries import Column, Entry
from tianti.board.results import main_score
from tianti.board.snapshot import RecordedRun, Snapshot
from tianti.evaluation.score import Score
from tianti.study import repeat_command
from tianti.web.charts import Chart, by_epoch, curve_chart, training_chart
from tianti.web.taught import taught

MOST_POINTS = 40
"""Of each training curve on the page of a model; the page of the run has all."""

Runs = Mapping[str, RecordedRun]


@dataclass(frozen=True)
class Training:
    """The training losses of several adaptations that learned the same task or tasks, by step or by epoch."""

    task: str
    by_epoch: bool
    chart: Chart


@dataclass(frozen=True)
class Past:
    """A finished run of a cell, `current` where it is the one behind the cell."""

    adaptation: str
    task: str
    finished: str
    run_id: str
    score: Score | None
    current: bool


def curve_charts(
    board: Board, found: Sequence[Curve], runs: Runs, *, log: bool
) -> list[tuple[Column | None, Chart]]:
    """A chart for each task that curves have two points on; where several tasks count, one of the mean (None) first."""
    if not found:
        return []
    columns: list[Column | None] = [None] if len(board.counting) > 1 else []
    charts = [
        (column, curve_chart(found, column, _examples(board, column, runs), log=log))
        for column in (*columns, *board.columns)
    ]
    return [(column, chart) for column, chart in charts if len(chart.rows) > 1]


def _examples(board: Board, column: Column | None, runs: Runs) -> dict[str, int]:
    """How many examples each entry learned from, by its name: on a task, or on average over those that count."""
    names = [column.name] if column else [each.name for each in board.counting]
    found = {}
    for entry in board.entries:
        numbers = [
            cost["examples"]
            for name in names
            if name in entry.cells
            for run_id in entry.cells[name].run_ids[:1]
            if (cost := _learned(runs, run_id)).get("examples")
        ]
        if numbers:
            found[entry.name] = round(sum(numbers) / len(numbers))
    return found


def trainings(board: Board, runs: Runs) -> list[Training]:
    """The training losses by what was learned, each training once, of the first seed of each adaptation that recorded
    some: one that was asked several tasks has a run for each, and all of them recorded the same losses."""
    manifests = {run_id: recorded.run.manifest for run_id, recorded in runs.items()}
    names = {each["task"]["fingerprint"]: each["task"]["name"] for each in manifests.values()}
    found: dict[tuple[str, bool], dict[str, Chart]] = defaultdict(dict)
    for column in board.columns:
        for entry in board.entries:
            for run_id in entry.cells[column.name].run_ids[:1] if column.name in entry.cells else ():
                cost = _learned(runs, run_id)
                learner = entry.adaptation.partition(FROM)[0]
                chart = training_chart(cost, learner, most=MOST_POINTS)
                if chart is not None:
                    found[taught(manifests[run_id], names), by_epoch(cost)].setdefault(learner, chart)
    return [
        Training(task, epochs, Chart("lines", [row for chart in charts.values() for row in chart.rows]))
        for (task, epochs), charts in found.items()
    ]


def history(board: Board, snapshot: Snapshot) -> list[Past]:
    """Every finished run of the cells that were run more than once, newest first within each."""
    found = []
    for entry, task, run_id in _places(board):
        earlier = snapshot.earlier.get(run_id, ())
        for recorded in (snapshot.runs[run_id], *earlier) if earlier else ():
            run = recorded.run
            score = main_score(recorded.scores)
            current = run.run_id == run_id
            found.append(
                Past(entry.adaptation, task, run.finished_at or run.state, run.run_id, score, current)
            )
    return found


def commands(board: Board, runs: Runs) -> list[tuple[Entry, list[tuple[str, str]]]]:
    """(task, command) of every run, by entry; entries without runs are left out."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for entry, task, run_id in _places(board):
        found[entry.id].append((task, repeat_command(runs[run_id].run.manifest)))
    return [(entry, found[entry.id]) for entry in board.entries if entry.id in found]


def _places(board: Board) -> list[tuple[Entry, str, str]]:
    return [
        (entry, task, run_id)
        for entry in board.entries
        for task, cell in entry.cells.items()
        for run_id in cell.run_ids
    ]


def _learned(runs: Runs, run_id: str) -> Mapping[str, Any]:
    """What its run recorded of making the model ready; empty where it was imported or did not finish."""
    cost: Mapping[str, Any] = runs[run_id].run.cost.get("adaptation", {}) if run_id in runs else {}
    return cost

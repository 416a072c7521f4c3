"""Further columns: how calibrated, robust, order-blind and fair the answers are. Never part of a mean or a rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from tianti.board.board import Rules
from tianti.board.cells import of_scores
from tianti.board.entries import AspectColumn, Cell, Column
from tianti.board.results import Result
from tianti.core.exceptions import InputError, UnknownNameError
from tianti.evaluation.score import Score
from tianti.tasks.metrics import aspect_of

ALL = "all"


def aspect_columns(results: Sequence[Result], columns: Mapping[str, Column]) -> dict[str, list[AspectColumn]]:
    """The further columns of each task, by task key, in the order of the task's metrics."""
    found: dict[str, dict[str, AspectColumn]] = {task: {} for task in columns}
    for result in results:
        for score in result.aspects:
            found[result.task_key].setdefault(score.metric, _column(columns[result.task_key], score))
    return {task: list(by_metric.values()) for task, by_metric in found.items()}


def aspect_cells(results: Sequence[Result], columns: Sequence[AspectColumn], rules: Rules) -> dict[str, Cell]:
    """An entry's cells of one task's further metrics, by column: the mean over seeds of value and bounds.

    The bounds are those that each run recorded; at another level than theirs there are none.
    """
    ordered = sorted(results, key=lambda result: -1 if result.seed is None else result.seed)
    cells = {}
    for column in columns:
        scored = [
            (result, score)
            for result in ordered
            for score in result.aspects
            if score.metric == column.metric and score.value is not None
        ]
        if scored:
            scores = [score for _, score in scored]
            same = all(score.level == rules.level for score in scores)
            cell = Cell(
                task=column.name,
                seeds=tuple(result.seed for result, _ in scored),
                by_seed=tuple(score.value for score in scores),
                run_ids=tuple(result.run_id for result, _ in scored),
                **of_scores(scores),  # type: ignore[arg-type]
            )
            cells[column.name] = cell if same else replace(cell, low=None, high=None)
    return cells


def chosen_aspects(columns: Sequence[AspectColumn], metrics: Sequence[str]) -> list[AspectColumn]:
    """The further columns of these metrics; `all` is every one.

    Raises:
        UnknownNameError: no task of the board has a metric of this name among its further ones.
        InputError: the board has no further metrics at all.
    """
    known = list(dict.fromkeys(column.metric for column in columns))
    if metrics and not known and list(metrics) != [ALL]:
        raise InputError(
            f"no run of this board measured {', '.join(metrics)}",
            remedy="name it in the task's metric_list, behind the metric that ranks, and run again",
        )
    for metric in metrics:
        if metric not in (*known, ALL):
            raise UnknownNameError("metric", metric, [*known, ALL], where="further metrics of this board")
    return [column for column in columns if column.metric in metrics or ALL in metrics]


def _column(column: Column, score: Score) -> AspectColumn:
    aspect = aspect_of(score.metric)
    own = {
        "name": f"{column.name} · {score.metric}",
        "metric": score.metric,
        "chance": None,
        "higher_is_better": score.higher_is_better,
        "scale": score.scale,
        "excluded": "aspect",
        "better": 0,
        "pairs": 0,
    }
    return AspectColumn(**{**asdict(column), **own}, task=column.name, aspect=aspect)

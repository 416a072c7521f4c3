"""A metric over a run's answers, with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tianti.core.seeds import derive_seed
from tianti.evaluation.answer import Answer
from tianti.stats.bootstrap import bca_interval
from tianti.stats.intervals import Interval, mean_interval, mean_over_repeats
from tianti.tasks.task import Metric, Task


@dataclass(frozen=True)
class Score:
    """A number that can be published: its value, its interval and what both rest on.

    `value`, `low` and `high` are None when no answer is `ok`: missing is missing, never 0. `errors` and `skipped`
    count the answers that are not in it. `main` marks the metric that ranks. Of what was imported `n`, `errors` and
    `skipped` are None where the file does not say.
    """

    metric: str
    value: float | None
    low: float | None
    high: float | None
    level: float
    method: str
    n: int | None
    clusters: int | None
    target: str
    errors: int | None
    skipped: int | None
    chance: float | None
    higher_is_better: bool
    scale: str
    main: bool


def score_answers(task: Task, answers: Sequence[Answer]) -> list[Score]:
    """Every metric of `task` over `answers`, which stand in the order of their positions."""
    return [_score(metric, answers, main=index == 0) for index, metric in enumerate(task.metrics)]


def _score(metric: Metric, answers: Sequence[Answer], *, main: bool) -> Score:
    scored = [answer for answer in answers if answer.state == "ok" and metric.name in answer.values]
    interval = _interval(metric, scored) if scored else None
    return Score(
        metric=metric.name,
        value=metric.aggregate([answer.values[metric.name] for answer in scored]) if scored else None,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        level=interval.level if interval else 0.95,
        method=interval.method if interval else "no answers",
        n=len({answer.sample_id for answer in scored}),
        clusters=interval.clusters if interval else None,
        target=interval.target if interval else "new items",
        errors=sum(answer.state == "error" for answer in answers),
        skipped=sum(answer.state == "skipped" for answer in answers),
        chance=metric.chance,
        higher_is_better=metric.higher_is_better,
        scale=metric.scale,
        main=main,
    )


def _interval(metric: Metric, answers: Sequence[Answer]) -> Interval | None:
    clusters = {answer.sample_id: answer.cluster or answer.sample_id for answer in answers}
    clustered = any(answer.cluster for answer in answers)
    if metric.interval is not None:
        return metric.interval(
            [answer.values[metric.name] for answer in answers],
            [clusters[answer.sample_id] for answer in answers] if clustered else None,
        )
    if metric.scale == "ratio":
        return bca_interval(
            [answer.values[metric.name] for answer in answers],
            metric.aggregate,
            clusters=[clusters[answer.sample_id] for answer in answers] if clustered else None,
            seed=derive_seed("interval", metric.name),
            over_draws=metric.over_draws,
        )
    values, items = mean_over_repeats(
        [float(answer.values[metric.name]) for answer in answers], [answer.sample_id for answer in answers]
    )
    return mean_interval(values, clusters=[clusters[str(item)] for item in items] if clustered else None)

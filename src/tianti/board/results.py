"""What a board is made of: the runs, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tianti.board.board import Price
from tianti.core.fingerprint import fingerprint
from tianti.evaluation.answer import Answer
from tianti.evaluation.bounds import Bounds, bounds_of
from tianti.evaluation.score import Score
from tianti.stats.intervals import mean_over_repeats
from tianti.stats.moments import Array
from tianti.store import Run, Store
from tianti.tasks.metrics import aspect_of


@dataclass(frozen=True)
class Items:
    """One run's values per item: the mean over the repeats of each, of which there are at least `repeats`.
    `clusters` is None where items stand alone."""

    names: tuple[str, ...]
    values: Array
    clusters: tuple[str, ...] | None = None
    repeats: int = 1


@dataclass(frozen=True)
class Result:
    """A run, as far as a board needs it. `score` and `items` are those of the metric that ranks.

    `items` is None where the metric is no mean over items (perplexity), or nothing was scored.
    """

    run_id: str
    state: str
    reason: str
    started_at: str
    model: Mapping[str, Any]
    adaptation: Mapping[str, Any]
    task: Mapping[str, Any]
    seed: int | None
    limit: int | None
    score: Score | None = None
    items: Items | None = None
    bounds: Bounds | None = None
    """What each sample is worth that was asked until the ranking was decided; None of a run that was asked all."""
    decided: Mapping[str, Any] = field(default_factory=dict)
    """How a run came to stop before its end: order, δ and level; empty of a run that was asked all."""
    aspects: tuple[Score, ...] = ()
    """The scores of metrics that do not rank and describe an aspect of the answers (calibration, fairness, …)."""
    answers: int = 0
    contamination: Mapping[str, Any] = field(default_factory=dict)
    """What was recorded of test items in the training data; empty where nothing was trained."""
    price: Price = field(default_factory=Price)
    templates: Mapping[str, float] = field(default_factory=dict)
    """The score under each template, where every sample was asked in all of them."""

    @property
    def metric(self) -> Mapping[str, Any]:
        """The task's metric that ranks, as the manifest describes it."""
        metric: Mapping[str, Any] = self.task["metrics"][0]
        return metric

    @cached_property
    def entry_key(self) -> str:
        """Runs with this key belong to one entry."""
        parts = [self.model["name"], self.model["fingerprint"], self.adaptation["name"]]
        return fingerprint([*parts, self.adaptation["settings"]])

    @cached_property
    def task_key(self) -> str:
        """Runs with this key belong to one column."""
        return f"{self.task['name']}\n{self.task['fingerprint']}"


def read_results(store: Store, study: str | None = None) -> list[Result]:
    """The run that stands for each trial of a study, or of the whole store."""
    return [read_result(store, run) for run in standing(store.runs(study))]


def standing(runs: Sequence[Run]) -> list[Run]:
    """For each trial its newest finished run, else its unfinished one; in the order of the runs."""
    superseded = {run.supersedes for run in runs}
    chosen: dict[str, Run] = {}
    for run in runs:
        if run.run_id not in superseded and (run.state == "finished" or run.trial_id not in chosen):
            chosen[run.trial_id] = run
    return list(chosen.values())


def read_result(store: Store, run: Run) -> Result:
    """One run with its main score and its values per item."""
    finished = run.state == "finished"
    scores = store.scores(run.run_id) if finished else []
    score = next((score for score in scores if score.main), None)
    by_item = score is not None and score.value is not None and score.scale != "ratio"
    answers = store.answers(run.run_id) if by_item else []
    decided = run.cost.get("decided", {}) if finished else {}
    return Result(
        run_id=run.run_id,
        state=run.state,
        reason=run.reason,
        started_at=run.started_at,
        model=run.manifest["model"],
        adaptation=run.manifest["adaptation"],
        task=run.manifest["task"],
        seed=run.manifest["seed"],
        limit=run.manifest["limit"],
        score=score,
        items=items_of(answers, score.metric) if score is not None and by_item else None,
        bounds=bounds_of(answers, score.metric) if score is not None and decided else None,
        decided=decided,
        aspects=tuple(score for score in scores if not score.main and aspect_of(score.metric)),
        answers=run.answers_count,
        contamination=run.cost.get("contamination", {}) if finished else {},
        templates=run.cost.get("templates", {}).get("scores", {}) if finished else {},
        price=_price(run.cost) if finished else Price(),
    )


def items_of(answers: Sequence[Answer], metric: str) -> Items | None:
    """The values of a metric per item, in the order of the items; None where nothing was scored."""
    scored = [answer for answer in answers if answer.state == "ok" and metric in answer.values]
    if not scored:
        return None
    values, names = mean_over_repeats(
        np.array([float(answer.values[metric]) for answer in scored]), [answer.sample_id for answer in scored]
    )
    cluster = {answer.sample_id: answer.cluster or answer.sample_id for answer in scored}
    clustered = any(answer.cluster for answer in scored)
    items = tuple(str(name) for name in names)
    repeats = min(Counter(answer.sample_id for answer in scored).values())
    return Items(items, values, tuple(cluster[name] for name in items) if clustered else None, repeats)


def _price(cost: Mapping[str, Any]) -> Price:
    training = cost.get("adaptation", {})
    return Price(
        trainable_parameters=int(training.get("trainable_parameters", 0)),
        training_seconds=float(training.get("seconds", 0.0)),
        evaluation_seconds=float(cost.get("evaluation_seconds", 0.0)),
        training_tokens=int(training.get("tokens", 0)),
        evaluation_tokens=int(cost.get("evaluation_tokens", 0)),
    )

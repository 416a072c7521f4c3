"""What a board is made of: the runs, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from tianti.adapt import Continual, label, parse_adaptation
from tianti.adapt.continual import parse_strategy, short
from tianti.board.entries import Price, Provenance
from tianti.core.call import Call
from tianti.core.exceptions import UnknownNameError
from tianti.core.fingerprint import fingerprint
from tianti.evaluation.answer import Answer
from tianti.evaluation.bounds import Bounds, bounds_of
from tianti.evaluation.score import Score
from tianti.stats.intervals import mean_over_repeats
from tianti.stats.moments import Array
from tianti.store import Run, Store
from tianti.tasks.metrics import aspect_of

if TYPE_CHECKING:
    from tianti.adapt.continual.strategy import Strategy


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
    kept_bytes: int = 0
    """The size of what was trained, on disk, and of what a strategy keeps to go on."""
    added_memory_bytes: int | None = None
    """The most memory that training added to what was in use before; None of a run that did not count it."""
    router_accuracy: float | None = None
    """The share of the task's held-out examples that a strategy's router sends to it; None where nothing routes."""
    stderr: float | None = None
    """The standard error of the score, as the file says it that it was imported from."""
    provenance: Provenance = "measured"

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


class Choice:
    """Patterns of task names, such as `nano/*`; none is all. Remembers what it was asked, to name the nearest."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.patterns = tuple(patterns)
        self._asked: dict[str, bool] = {}
        self._used: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether the task is chosen."""
        if name not in self._asked:
            matching = [pattern for pattern in self.patterns if fnmatchcase(name, pattern)]
            self._used.update(matching)
            self._asked[name] = bool(matching) or not self.patterns
        return self._asked[name]

    def check(self) -> None:
        """
        Raises:
            UnknownNameError: a pattern fits no task that was asked for.
        """
        for pattern in self.patterns:
            if pattern not in self._used:
                raise UnknownNameError("task", pattern, self._asked)


def read_results(store: Store, study: str | None = None) -> list[Result]:
    """The run that stands for each trial of a study, or of the whole store; of a stream those after its last stage."""
    return last_stages([read_result(store, run) for run in board_runs(store, study)])


def board_runs(store: Store, study: str | None = None) -> list[Run]:
    """The runs that stand for the trials of a study, or of the whole store.

    Of the whole store those are left out that a version is made of which `tianti update` refused, unless a study asked
    for them: nobody is served by them.
    """
    runs = standing(store.runs(study))
    refused = store.deployments.refused_runs() if study is None else frozenset()
    if not refused:
        return runs
    asked = {trial for record in store.studies() for trial in record.trial_ids}
    return [run for run in runs if run.run_id not in refused or run.trial_id in asked]


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
    score = main_score(scores)
    by_item = score is not None and has_items(score)
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
        kept_bytes=int(run.cost.get("adaptation", {}).get("saved_bytes", 0)) if finished else 0,
        added_memory_bytes=run.cost.get("adaptation", {}).get("added_memory_bytes") if finished else None,
        router_accuracy=run.cost.get("backend", {}).get("router", {}).get("accuracy") if finished else None,
    )


def main_score(scores: Sequence[Score]) -> Score | None:
    """The score of the metric that ranks; None where nothing was scored."""
    return next((score for score in scores if score.main), None)


def has_items(score: Score) -> bool:
    """Whether the score is a mean over values that each sample has."""
    return score.value is not None and score.scale != "ratio"


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
    """What a run recorded; runs of before lack what was not counted then."""
    training = cost.get("adaptation", {})
    return Price(
        trainable_parameters=training.get("trainable_parameters"),
        training_seconds=training.get("seconds"),
        evaluation_seconds=cost.get("evaluation_seconds"),
        training_tokens=training.get("tokens"),
        evaluation_tokens=cost.get("evaluation_tokens"),
        training_examples=training.get("examples"),
    )


def last_stages(results: Sequence[Result]) -> list[Result]:
    """Without the runs of earlier stages of a stream: a board compares what its entries are in the end.

    The last stage of one entry is one row, also where each task has a model of its own. What it took to learn the
    stream stands at the task that was learned last, and is counted once.
    """
    return [last for result in results if (last := _last_stage(result)) is not None]


def _last_stage(result: Result) -> Result | None:
    if result.adaptation["name"] != Continual.name:
        return result
    place = StreamPlace.of(result.adaptation, result.task)
    if place.stage != place.policy.asked_at(place.tasks, place.task, place.tasks):
        return None
    said = {"method": label(place.method), "strategy": short(place.policy)}
    adaptation = {
        **result.adaptation,
        "label": str(Call(Continual.name, said)),
        "settings": {
            **result.adaptation["settings"],
            "stream": result.adaptation["stream"],
            "stage": place.tasks,
        },
    }
    counted = place.policy.learns == "one alone" or place.task == place.tasks - 1
    price = result.price
    if not counted:
        price = replace(price, training_seconds=0.0, training_tokens=0, training_examples=0)
    return replace(result, adaptation=adaptation, price=price)


@dataclass(frozen=True)
class StreamPlace:
    """Where a run stands in its stream: the stage after which, and the place of the task (from 0) that was asked."""

    method: Any
    policy: Strategy
    stage: int
    task: int
    tasks: int

    @classmethod
    def of(cls, adaptation: Mapping[str, Any], task: Mapping[str, Any]) -> StreamPlace:
        """From what a manifest says of the adaptation and of the task."""
        settings, stream = adaptation["settings"], [each["fingerprint"] for each in adaptation["stream"]]
        return cls(
            parse_adaptation(settings["method"]),
            parse_strategy(settings["strategy"]),
            settings["stage"],
            stream.index(task["fingerprint"]),
            len(stream),
        )

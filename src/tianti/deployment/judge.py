"""The version before and the new one on every task, on the same samples, and whether the new one may take its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tianti.board.rounding import rounded
from tianti.core.exceptions import InputError
from tianti.core.seeds import derive_seed
from tianti.stats import TaskPair, bca_interval, paired_difference
from tianti.stats.intervals import Interval
from tianti.store import Store
from tianti.tasks.task import Metric, Task

LEVEL = 0.95
Role = Literal["old", "new examples", "new"]


@dataclass(frozen=True)
class Rules:
    """When a new version is promoted: no task falls by more than `margin`, in points (per cent of the old value where
    the metric is no share).

    `by` estimate looks at the measured fall; by `bound` the whole interval of the fall must lie within the margin.
    `must_learn` also asks that the task that was taught is shown to have gained: its interval lies above 0.
    """

    margin: float = 2.0
    by: Literal["estimate", "bound"] = "estimate"
    must_learn: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.margin <= 100:
            raise InputError(
                f"margin: expected points from 0 to 100, got {self.margin:g}", remedy="2 is usual"
            )
        if self.by not in ("estimate", "bound"):
            raise InputError(f"by: expected estimate or bound, got {self.by!r}", remedy="estimate is usual")


@dataclass(frozen=True)
class Change:
    """A task before and after, on the `n` samples that both versions answered; each seed's values averaged first.

    `gain` is after minus before in favour of the new version (a smaller error is a gain), `low` … `high` its paired
    95 % interval (of a metric that is no mean over samples, by the bootstrap), in points where `unit` is points, else
    in per cent of the value before. They are None where a version had no answer, and the bounds where the samples are
    too few for an interval. `unchanged`: the same
    runs answer in both versions, so there is nothing to differ. `overlap` says what the new version has learned of
    the task's test samples; empty where that is none.
    """

    task: str
    role: Role
    before: float | None
    after: float | None
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    unit: Literal["points", "%"] = "points"
    unchanged: bool = False
    overlap: str = ""

    def fall(self, by: str) -> float | None:
        """By how much it falls, at most if `by` is bound; None where that cannot be said."""
        gain = self.low if by == "bound" else self.gain
        return None if gain is None else -gain


def compare_runs(store: Store, task: Task, role: Role, before: Sequence[str], after: Sequence[str]) -> Change:
    """The change between these runs of one task; `before` is empty where the old version has no answer."""
    metric, name = task.metrics[0], task.info.name
    new, old = _Side.of(store, metric, after), _Side.of(store, metric, before)
    shared = old.samples & new.samples
    if not shared:
        return Change(name, role, old.value, new.value)
    values: tuple[float, float] = old.score(shared), new.score(shared)
    share = metric.higher_is_better and all(0 <= value <= 1 for value in values)
    unit: Literal["points", "%"] = "points" if share else "%"
    if list(before) == list(after):
        return Change(name, role, values[0], values[1], 0.0, 0.0, 0.0, len(shared), unit, unchanged=True)
    gap = _difference(metric, old, new, shared)
    scale = (1 if metric.higher_is_better else -1) * 100 / (1 if share else abs(values[0]) or 1)
    bounds = [scale * bound for bound in (gap.low, gap.high) if bound is not None] if gap else []
    low, high = (min(bounds), max(bounds)) if len(bounds) == 2 else (None, None)
    before_value, after_value, gain, low, high = rounded(
        [*values, scale * (values[1] - values[0]), low, high]
    )
    return Change(name, role, before_value, after_value, gain, low, high, len(shared), unit)


@dataclass(frozen=True)
class _Side:
    """One version's answers to a task: for each seed the metric's values (of every repeat) by sample."""

    metric: Metric
    answers: tuple[Mapping[str, Sequence[Any]], ...]
    clusters: Mapping[str, str]

    @classmethod
    def of(cls, store: Store, metric: Metric, runs: Sequence[str]) -> _Side:
        found: list[dict[str, list[Any]]] = []
        clusters: dict[str, str] = {}
        for run in runs:
            by_sample: dict[str, list[Any]] = {}
            for answer in store.answers(run):
                if answer.state == "ok" and metric.name in answer.values:
                    by_sample.setdefault(answer.sample_id, []).append(answer.values[metric.name])
                    if answer.cluster:
                        clusters[answer.sample_id] = answer.cluster
            found.append(by_sample)
        return cls(metric, tuple(found), clusters)

    @property
    def samples(self) -> set[str]:
        """Those that every seed has an answer to."""
        return set.intersection(*map(set, self.answers)) if self.answers else set()

    @property
    def value(self) -> float | None:
        return self.score(self.samples) if self.samples else None

    def values(self, sample: str) -> list[Sequence[Any]]:
        """The values of one sample, a list for each seed."""
        return [each[sample] for each in self.answers]

    def score(self, samples: Collection[str]) -> float:
        return self.over([self.values(sample) for sample in sorted(samples)])

    def over(self, values: Sequence[Sequence[Sequence[Any]]]) -> float:
        """The metric over these samples, averaged over the seeds."""
        seeds = range(len(self.answers))
        scores = [self.metric.aggregate([value for each in values for value in each[seed]]) for seed in seeds]
        return float(np.mean(scores))


def _difference(metric: Metric, old: _Side, new: _Side, shared: Collection[str]) -> Interval | None:
    """After minus before with a paired interval: of the mean of the differences, else by drawing samples anew."""
    names = sorted(shared)
    clusters = {**old.clusters, **new.clusters}
    keys = [clusters.get(name, name) for name in names] if clusters else None
    if metric.scale != "ratio" and metric.interval is None:
        then, now = (np.array([_mean(side.values(name)) for name in names]) for side in (old, new))
        found = paired_difference([TaskPair(now, then, clusters=keys)], level=LEVEL, normalised=False)
        return found.interval if found else None

    def gap(values: Sequence[Any]) -> float:
        return new.over([after for _, after in values]) - old.over([before for before, _ in values])

    both = [(old.values(name), new.values(name)) for name in names]
    return bca_interval(both, gap, keys, seed=derive_seed("update", metric.name), level=LEVEL)


def _mean(values: Sequence[Sequence[Any]]) -> float:
    return float(np.mean([float(value) for each in values for value in each]))


def verdict(changes: Sequence[Change], rules: Rules) -> tuple[bool, str]:
    """Whether the new version is promoted, and why (not)."""
    fallen = [change for change in changes if change.before is not None and _falls(change, rules)]
    if fallen:
        return False, "; ".join(_said(change, rules) for change in fallen)
    taught = next(change for change in changes if change.role != "old")
    if taught.after is None:
        return False, f"{taught.task} has no score"
    if rules.must_learn and not _learned(taught):
        return False, f"{taught.task} is not shown to be learned: {_gained(taught)}"
    kept = sum(change.before is not None for change in changes)
    gained = "has gained" if _learned(taught) else "is not shown to have gained"
    gained = gained if taught.before is not None else "had no score before"
    seen = ", ".join(change.task for change in changes if change.overlap and not change.unchanged)
    return True, (
        f"none of {kept} tasks falls by more than {rules.margin:g} points; {taught.task} {gained}"
        + (f"; it has learned test samples of {seen}, which flatters" if seen else "")
    )


def _falls(change: Change, rules: Rules) -> bool:
    fall = change.fall(rules.by)
    return fall is None or fall > rules.margin + 1e-9


def _learned(change: Change) -> bool:
    return change.before is None or (change.low is not None and change.low > 0)


def _said(change: Change, rules: Rules) -> str:
    if change.gain is None:
        return f"{change.task} has no score now"
    if change.fall(rules.by) is None:
        return f"{change.task} has too few samples for an interval of its change"
    verb = "falls by" if rules.by == "estimate" else "may fall by more than the margin:"
    return f"{change.task} {verb} {-change.gain:.1f} {change.unit} {_interval(change)}".rstrip()


def _gained(change: Change) -> str:
    return f"{change.gain or 0.0:+.1f} {change.unit} {_interval(change)}".rstrip()


def _interval(change: Change) -> str:
    if change.low is None or change.high is None:
        return ""
    return f"[gain {change.low:+.1f} to {change.high:+.1f}]"

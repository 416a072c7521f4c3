"""One entry on one task: its runs (one per seed) become a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tianti.board.board import Rules
from tianti.board.entries import Cell, Column, Price, known_sum
from tianti.board.inflation import overlap_note
from tianti.board.prices import mean_price
from tianti.board.results import Items, Result
from tianti.evaluation.bounds import Bounds, mean_bounds
from tianti.evaluation.score import Score
from tianti.evaluation.templates import spread
from tianti.stats import mean_interval, normalise
from tianti.stats.moments import quantile


@dataclass(frozen=True)
class Measured:
    """A cell with what it was computed from, for the tests between entries."""

    cell: Cell
    items: Items | None
    price: Price | None
    """What it took; None where nothing was scored."""
    bounds: Bounds | None = None
    """What the samples are worth that were asked until the ranking was decided, over all seeds."""


def measure(results: Sequence[Result], column: Column, rules: Rules) -> Measured:
    """The cell of an entry's runs on a task, one run per seed."""
    ordered = sorted(results, key=lambda result: -1 if result.seed is None else result.seed)
    scored = [result for result in ordered if result.score is not None and result.score.value is not None]
    items = average([result.items for result in scored if result.items is not None])
    reasons = dict.fromkeys(result.reason for result in ordered if result.reason)
    facts = {
        "task": column.name,
        "seeds": tuple(result.seed for result in scored if result.run_id),
        "by_seed": tuple(result.score.value for result in scored if result.score and result.run_id),
        "errors": known_sum([result.score.errors for result in ordered if result.score]),
        "skipped": known_sum([result.score.skipped for result in ordered if result.score]),
        "run_ids": tuple(result.run_id for result in ordered if result.run_id),
        "reason": "; ".join(reasons),
        "overlap": overlap_note([result.contamination for result in scored]),
        "templates": _over_templates([result.templates for result in scored if result.templates]),
    }
    if not scored:
        cell = Cell(**{**facts, **_missing(ordered)})  # type: ignore[arg-type]
    elif items is None:
        cell = Cell(**facts, **of_scores([result.score for result in scored if result.score]))  # type: ignore[arg-type]
        cell = _of_stderr(cell, scored[0].stderr, rules.level) if len(scored) == 1 else cell
        if column.counts and cell.value is not None:
            cell = replace(cell, normalised=normalise(cell.value, column.chance))
    else:
        cell = Cell(**facts, **_of_items(items, column, rules))  # type: ignore[arg-type]
    bounds = [result.bounds for result in ordered if result.bounds is not None]
    return Measured(cell, items, mean_price([result.price for result in scored]), _over_seeds(bounds))


def _over_templates(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean over runs of the score under each template that all have, and how far these lie apart."""
    names = [name for name in runs[0] if all(name in run for run in runs)] if runs else []
    if len(names) < 2:
        return {}
    scores = {name: float(np.mean([run[name] for run in runs])) for name in names}
    return scores | spread(list(scores.values()))


def _over_seeds(bounds: Sequence[Bounds]) -> Bounds | None:
    if not bounds:
        return None
    every = set.intersection(*(set(each) for each in bounds))
    return {sample: mean_bounds(bounds, sample) for sample in bounds[0] if sample in every}


def average(runs: Sequence[Items]) -> Items | None:
    """The mean of each item over the runs (seeds) that answered it; the unit of sampling stays the item."""
    if not runs:
        return None
    if len(runs) == 1:
        return runs[0]
    names = tuple(dict.fromkeys(name for run in runs for name in run.names))
    place = {name: index for index, name in enumerate(names)}
    total, count = np.zeros(len(names)), np.zeros(len(names))
    clusters: dict[str, str] = {}
    for run in runs:
        where = [place[name] for name in run.names]
        total[where] += run.values
        count[where] += 1
        clusters.update(zip(run.names, run.clusters or run.names, strict=True))
    clustered = any(run.clusters is not None for run in runs)
    keys = tuple(clusters[name] for name in names) if clustered else None
    return Items(names, total / count, keys, int(count.min()) * min(run.repeats for run in runs))


def _of_items(items: Items, column: Column, rules: Rules) -> dict[str, object]:
    independent = items.clusters is None and bool(np.isin(items.values, (0.0, 1.0)).all())
    method = rules.intervals if independent else None
    interval = mean_interval(items.values, items.clusters, level=rules.level, method=method)
    if interval is None:
        raise AssertionError("items without values")
    return {
        "state": "ok",
        "value": interval.estimate,
        "low": interval.low,
        "high": interval.high,
        "method": interval.method,
        "n": interval.n,
        "clusters": interval.clusters,
        "repeats": items.repeats,
        "target": interval.target,
        "normalised": normalise(interval.estimate, column.chance) if column.counts else None,
    }


def of_scores(scores: Sequence[Score]) -> dict[str, object]:
    """A metric that is no mean over items: the mean over seeds of value and bounds.

    Averaging the bounds takes the seeds as fully dependent (they share their items), so it is never too
    narrow.
    """
    return {
        "state": "ok",
        "value": _mean([score.value for score in scores]),
        "low": _mean([score.low for score in scores]),
        "high": _mean([score.high for score in scores]),
        "method": scores[0].method,
        "n": max((score.n for score in scores if score.n is not None), default=None),
        "clusters": scores[0].clusters,
        "repeats": len(scores),
    }


def _of_stderr(cell: Cell, stderr: float | None, level: float) -> Cell:
    """With the interval that a standard error gives by the normal law. One of 0 says nothing: all answers were right,
    or all were wrong."""
    if cell.value is None or not stderr:
        return cell
    half = quantile(level) * stderr
    method = "normal, standard error as imported"
    return replace(cell, low=cell.value - half, high=cell.value + half, method=method)


def _missing(results: Sequence[Result]) -> dict[str, object]:
    finished = [result for result in results if result.state == "finished"]
    if finished:
        counts = [result.score.n for result in finished if result.score and result.score.n is not None]
        return {"state": "empty", "n": max(counts, default=None)}
    if any(result.state == "running" for result in results):
        return {"state": "running"}
    return {"state": "failed"}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None

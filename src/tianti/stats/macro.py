"""One number over several tasks, with its interval."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from tianti.stats.intervals import NEW_ITEMS, Interval
from tianti.stats.moments import Array, Moments, pooled_freedom, quantile, steady_moments
from tianti.stats.normalise import check_chance


@dataclass(frozen=True)
class TaskValues:
    """One task's item values in [0, 1] (repeats and seeds averaged already), and what guessing gives
    there."""

    values: Array
    chance: float | None = None
    clusters: Sequence[Hashable] | None = None


def macro_interval(
    tasks: Sequence[TaskValues], weights: Sequence[float] | None = None, *, level: float = 0.95
) -> Interval | None:
    """The mean over these tasks of their normalised means; None where a task has no values.

    The tasks are fixed, their items drawn: SE² = Σ w_k² SE_k² with w_k = 1/K unless weights (that sum to 1)
    are given, each SE_k divided by 1 − chance. Near a ceiling a task with no spread would claim certainty, so
    the Agresti–Coull correction is spread over the tasks: each is given z²/K imagined items, half right and
    half wrong. Clustered tasks take CR1. The quantile is Student's t with Welch and Satterthwaite's degrees
    of freedom.
    """
    if not tasks or any(not len(task.values) for task in tasks):
        return None
    added = quantile(level) ** 2 / len(tasks)
    found = [steady_moments(task.values, task.clusters, added=added) for task in tasks]
    scales = [1 - check_chance(task.chance) for task in tasks]
    shares = [1 / len(tasks)] * len(tasks) if weights is None else list(weights)
    floors = [
        share * check_chance(task.chance) / scale
        for share, task, scale in zip(shares, tasks, scales, strict=True)
    ]
    return weighted_sum(
        found,
        [float(task.values.mean()) for task in tasks],
        [share / scale for share, scale in zip(shares, scales, strict=True)],
        offset=-sum(floors),
        reach=(0.0, 1.0),
        level=level,
        method=f"macro-average of {len(tasks)} {'task' if len(tasks) == 1 else 'tasks'}, +z²/K",
    )


def weighted_sum(
    found: Sequence[Moments],
    means: Sequence[float],
    weights: Sequence[float],
    *,
    reach: tuple[float, float] | None,
    level: float,
    method: str,
    offset: float = 0.0,
) -> Interval:
    """The interval of offset + Σ w_k θ_k for independent θ_k: variances add up, degrees of freedom are
    pooled.

    Args:
        found: how well each θ_k is known; their means, drawn in by imagined items, are the centre of the
            interval. means: the plain means: the estimate, which always lies inside.
        reach: the least and the most that a θ_k can be; the interval holds nothing that is impossible.
    """
    centre = offset + sum(weight * each.mean for weight, each in zip(weights, found, strict=True))
    estimate = offset + sum(weight * mean for weight, mean in zip(weights, means, strict=True))
    variances = [weight**2 * each.variance for weight, each in zip(weights, found, strict=True)]
    freedom = pooled_freedom(variances, [each.freedom for each in found])
    half = quantile(level, freedom) * math.sqrt(sum(variances))
    low, high = centre - half, centre + half
    if reach is not None:
        least, most = (offset + sum(weights) * end for end in reach)
        low, high = max(low, least), min(high, most)
    clustered = any(each.clusters is not None for each in found)
    return Interval(
        estimate,
        min(low, estimate),
        max(high, estimate),
        level,
        method,
        n=sum(each.n for each in found),
        clusters=sum(each.clusters or each.n for each in found) if clustered else None,
        target=f"these tasks, {NEW_ITEMS}",
    )

"""The gap between two groups of items that one entry answered: public and fresh ones, or seen and unseen ones.

A score on items that leaked is inflated by some points; the size is what matters, so a gap is told with a lower
bound and never as yes or no.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr

from tianti.core.exceptions import InputError
from tianti.stats.intervals import NEW_ITEMS, Interval
from tianti.stats.moments import (
    Array,
    Moments,
    as_array,
    cluster_codes,
    moments,
    pooled_freedom,
    quantile,
)
from tianti.stats.paired import holm_adjusted

IMAGINED_PAIR = 2.0
"""Agresti and Caffo's: one success and one failure are imagined in each group."""


@dataclass(frozen=True)
class Group:
    """The values of some items; `clusters` has one key per item, and groups may share clusters."""

    values: Array
    clusters: Sequence[Hashable] | None = None


@dataclass(frozen=True)
class Gap:
    """The mean of the first group minus that of the second, times a given weight.

    `least` is the lower bound that holds with probability `interval.level` (one-sided; for all gaps of the family
    at once), None where the data cannot tell. `p` is one-sided, for the hypothesis that there is no gap upwards;
    `p_holm` is corrected for the `family` of hypotheses. `n_first` and `n_second` count items.
    """

    interval: Interval
    least: float | None
    p: float | None
    p_holm: float | None
    family: int
    n_first: int
    n_second: int

    @property
    def shown(self) -> bool:
        """Whether there is a gap upwards, with the family's error rate."""
        return self.p_holm is not None and self.p_holm <= 1 - self.interval.level


def gap(first: Group, second: Group, *, weight: float = 1.0, level: float = 0.95) -> Gap | None:
    """The gap of two independent groups (not paired: no item is in both); None where a group has no items."""
    return gaps([(first, second)], weights=[weight], level=level)[0]


def gaps(
    pairs: Sequence[tuple[Group, Group]], *, weights: Sequence[float] | None = None, level: float = 0.95
) -> list[Gap | None]:
    """Several gaps as one family: p-values by Holm (1979), lower bounds by Bonferroni.

    Var = Var(first) + Var(second), with Welch's degrees of freedom (1947). Values in [0, 1] are given two imagined
    items in each group, one at 0 and one at 1 (Agresti and Caffo 2000), so that few items that are all right do
    not claim certainty. Where there are cluster keys the variance is CR1's over all clusters, which may reach over
    both groups, and at least that of items that stand alone.

    Args:
        weights: what each gap is multiplied by, such as the share of seen items for the inflation of a whole
            score. Not negative.

    Raises:
        InputError: a value is not finite, or cluster keys are missing for one group of two.
    """
    weights = [1.0] * len(pairs) if weights is None else list(weights)
    found = [_moments(*pair) for pair in pairs]
    p_values = [None if each is None else _p_value(each[0]) for each in found]
    adjusted = iter(holm_adjusted([p for p in p_values if p is not None]))
    family = sum(p is not None for p in p_values)
    result: list[Gap | None] = []
    for each, p, weight, (first, second) in zip(found, p_values, weights, pairs, strict=True):
        if each is None:
            result.append(None)
            continue
        spread, estimate, method = each
        result.append(
            Gap(
                interval=_interval(spread, estimate, weight, level, method),
                least=None if p is None else _least(spread, estimate, weight, level, family),
                p=p,
                p_holm=None if p is None else next(adjusted),
                family=family,
                n_first=len(first.values),
                n_second=len(second.values),
            )
        )
    return result


def _moments(first: Group, second: Group) -> tuple[Moments, float, str] | None:
    """How well the difference is known, the plain difference, and the method."""
    one, other = as_array(first.values), as_array(second.values)
    if (first.clusters is None) != (second.clusters is None):
        raise InputError("one group has cluster keys, the other has none", remedy="give both or neither")
    if not len(one) or not len(other):
        return None
    every = np.concatenate([one, other])
    bounded = bool(((every >= 0) & (every <= 1)).all())
    added = IMAGINED_PAIR if bounded else 0.0
    parts = [moments(one, added=added), moments(other, added=added)]
    variances = [part.variance for part in parts]
    alone = Moments(
        parts[0].mean - parts[1].mean,
        sum(variances),
        pooled_freedom(variances, [part.freedom for part in parts]),
        len(every),
    )
    estimate = float(one.mean() - other.mean())
    if first.clusters is None or second.clusters is None:
        return alone, estimate, "two samples, Agresti–Caffo·t" if bounded else "two samples, Welch's t"
    robust = _clustered(one, other, [*first.clusters, *second.clusters])
    variance = alone.variance if math.isnan(robust.variance) else max(alone.variance, robust.variance)
    if not bounded and math.isnan(robust.variance):
        variance = math.nan
    freedom = min(alone.freedom, max(robust.freedom, 1))
    return Moments(alone.mean, variance, freedom, len(every), robust.clusters), estimate, "two samples, CR1·t"


def _clustered(first: Array, second: Array, clusters: Sequence[Hashable]) -> Moments:
    """CR1 of a difference of means: each item's share of it, (s − s̄)/n with the sign of its group, summed over
    clusters."""
    n = len(first) + len(second)
    codes, count = cluster_codes(clusters, n)
    shares = np.concatenate([(first - first.mean()) / len(first), -(second - second.mean()) / len(second)])
    sums = np.bincount(codes, weights=shares, minlength=count)
    factor = count / (count - 1) if count > 1 else math.nan
    mean = float(first.mean() - second.mean())
    return Moments(mean, factor * float(np.square(sums).sum()), count - 1, n, count)


def _p_value(spread: Moments) -> float | None:
    """P(T ≥ difference / SE); None where the spread is unknown."""
    if math.isnan(spread.variance):
        return None
    if spread.variance == 0:
        return 0.0 if spread.mean > 0 else 1.0
    t = spread.mean / spread.error
    return float(ndtr(-t) if math.isinf(spread.freedom) else stdtr(spread.freedom, -t))


def _interval(spread: Moments, estimate: float, weight: float, level: float, method: str) -> Interval:
    low = high = None
    if not math.isnan(spread.variance):
        half = quantile(level, spread.freedom) * spread.error
        low, high = min(spread.mean - half, estimate) * weight, max(spread.mean + half, estimate) * weight
    return Interval(
        estimate * weight, low, high, level, method, spread.n, spread.clusters, f"these groups, {NEW_ITEMS}"
    )


def _least(spread: Moments, estimate: float, weight: float, level: float, family: int) -> float:
    """The one-sided bound of level 1 − α/m is the lower end of a two-sided interval of level 1 − 2α/m."""
    half = quantile(1 - 2 * (1 - level) / family, spread.freedom) * spread.error
    return min(spread.mean - half, estimate) * weight

"""Intervals for one mean."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import betaincinv

from tianti.core.exceptions import InputError
from tianti.stats.moments import (
    Array,
    Moments,
    as_array,
    clustered_moments,
    moments,
    quantile,
    steady_moments,
)

NEW_ITEMS = "new items of the same kind"
THIS_BANK = "this bank"
"""All N items of a benchmark, with the answers that were given: nothing is drawn but the order of asking."""

SHARES = (0.0, 1.0)
"""What the mean of shares can be at the least and at the most."""

ProportionMethod = Literal["wilson", "clopper-pearson"]


@dataclass(frozen=True)
class Interval:
    """A number and the range that holds its target with probability `level`.

    `low` and `high` are None where the data cannot tell (one unbounded value, one cluster). `n` counts items,
    and `clusters` the groups of items that depend on each other, None where items stand alone. `target` says
    what is estimated.
    """

    estimate: float
    low: float | None
    high: float | None
    level: float
    method: str
    n: int
    clusters: int | None = None
    target: str = NEW_ITEMS


def wilson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Wilson's score interval (1927) for a proportion:

    (p̂ + z²/2n ± z·√(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n).

    Raises:
        InputError: not 0 ≤ successes ≤ n, n ≥ 1.
    """
    _check_counts(successes, n)
    z = quantile(level)
    share = successes / n
    centre = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends the bound is exactly 0 or 1; rounding must not put the estimate outside its own interval.
    low = 0.0 if successes == 0 else max((centre - half) / scale, 0.0)
    high = 1.0 if successes == n else min((centre + half) / scale, 1.0)
    return Interval(share, low, high, level, "Wilson", n)


def clopper_pearson(successes: int, n: int, level: float = 0.95) -> Interval:
    """Clopper and Pearson's interval (1934): coverage never below `level`, at the price of width.

    Quantiles of Beta(k, n−k+1) and Beta(k+1, n−k).

    Raises:
        InputError: not 0 ≤ successes ≤ n, n ≥ 1.
    """
    _check_counts(successes, n)
    quantile(level)
    tail = (1 - level) / 2
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, tail))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - tail))
    return Interval(successes / n, low, high, level, "Clopper–Pearson", n)


def mean_interval(
    values: Sequence[float] | Array,
    clusters: Sequence[Hashable] | None = None,
    *,
    level: float = 0.95,
    method: ProportionMethod | None = None,
) -> Interval | None:
    """The interval of a mean over items, by the method that suits the values; None for no values.

    | values                      | method                                                               |
    |-----------------------------|----------------------------------------------------------------------|
    | with cluster keys           | CR1 standard error, Student's t with G−1 degrees of freedom          |
    | 0 and 1                     | Wilson; Clopper–Pearson on request                                   |
    | in [0, 1], not only 0 and 1 | Agresti–Coull with t: z² items are imagined, half at 0, half at 1    |
    | any other                   | Student's t                                                          |

    Cluster keys are never ignored: where they exist the plain interval is far too narrow. No interval of
    values in [0, 1] has zero width: 50 right answers of 50 do not prove perfection. That of clustered ones is
    never narrower than if the items stood alone; where the clusters agree exactly, each counts as one item.

    Args:
        values: one value per item; average the repeats of an item first (`mean_over_repeats`).
        clusters: one key per item; items that share a passage or template share the key.
        method: insist on an interval for proportions of independent items.

    Raises:
        InputError: a value is not finite, there is not one cluster key per value, or the values are not what
            `method` is for.
    """
    array = as_array(values)
    if not len(array):
        return None
    bounded = bool(((array >= 0) & (array <= 1)).all())
    binary = bool(((array == 0) | (array == 1)).all())
    if method is not None:
        _check_method(method, binary=binary, clustered=clusters is not None)
    if clusters is not None:
        return _clustered(array, clusters, level, bounded)
    if binary:
        proportion = clopper_pearson if method == "clopper-pearson" else wilson
        return proportion(int(array.sum()), len(array), level)
    if bounded:
        found = moments(array, added=quantile(level) ** 2)
        return _around(found, float(array.mean()), level, "Agresti–Coull·t", SHARES)
    return _around(moments(array), float(array.mean()), level, "Student's t", None)


def difference_interval(
    values: Sequence[float] | Array, clusters: Sequence[Hashable] | None = None, level: float = 0.95
) -> Interval:
    """The interval of a mean of differences within items, in [−1, 1]: two imagined items, at −1 and +1, keep it from
    having zero width (Bonett and Price 2012); CR1 where there are cluster keys.

    Raises:
        InputError: there are no values, one is not finite, or there is not one cluster key per value.
    """
    array = as_array(values)
    if not len(array):
        raise InputError("no differences")
    found = steady_moments(array, clusters, added=2.0, added_values=(-1.0, 1.0))
    method = "paired difference, t" if clusters is None else "paired difference, CR1·t"
    return _around(found, float(array.mean()), level, method, (-1.0, 1.0))


def mean_over_repeats(
    values: Sequence[float] | Array, items: Sequence[Hashable]
) -> tuple[Array, tuple[Hashable, ...]]:
    """The mean of each item over its repeats, and the items in the order of their first appearance.

    The unit of sampling is the item: pooling all answers as if they were independent would make intervals too
    narrow.
    """
    array = as_array(values)
    order = tuple(dict.fromkeys(items))
    place = {item: index for index, item in enumerate(order)}
    if len(items) != len(array):
        raise InputError(f"{len(array)} values but {len(items)} items", remedy="give one item per value")
    codes = np.asarray([place[item] for item in items], dtype=np.intp)
    counts = np.bincount(codes, minlength=len(order))
    return np.bincount(codes, weights=array, minlength=len(order)) / np.maximum(counts, 1), order


def _clustered(array: Array, clusters: Sequence[Hashable], level: float, bounded: bool) -> Interval:
    if bounded:
        found = steady_moments(array, clusters, added=quantile(level) ** 2)
    else:
        found = clustered_moments(array, clusters)
    return _around(found, found.mean, level, "CR1·t", SHARES if bounded else None)


def _around(
    found: Moments, estimate: float, level: float, method: str, reach: tuple[float, float] | None
) -> Interval:
    """mean ± t·SE, kept inside what the values can be; open where the spread is unknown."""
    if math.isnan(found.variance):
        return Interval(estimate, None, None, level, method, found.n, found.clusters)
    half = quantile(level, found.freedom) * found.error
    low, high = min(found.mean - half, estimate), max(found.mean + half, estimate)
    if reach is not None:
        low, high = max(low, reach[0]), min(high, reach[1])
    return Interval(estimate, low, high, level, method, found.n, found.clusters)


def _check_method(method: ProportionMethod, *, binary: bool, clustered: bool) -> None:
    if clustered:
        raise InputError(
            f"{method} takes items as independent, and these are in clusters: its interval would be far too narrow",
            remedy="leave the method open: CR1 with Student's t is used where there are cluster keys",
        )
    if not binary:
        raise InputError(
            f"{method} is for values of 0 and 1, and some lie between",
            remedy="leave the method open, or average nothing before",
        )


def _check_counts(successes: int, n: int) -> None:
    if n < 1 or not 0 <= successes <= n:
        raise InputError(
            f"{successes} successes of {n} are no proportion", remedy="give 0 ≤ successes ≤ n and n ≥ 1"
        )

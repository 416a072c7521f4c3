"""A mean and how well it is known: the one computation under intervals, differences and macro-averages."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from tianti.core.exceptions import InputError

Array = NDArray[np.float64]

NO_SPREAD = 1e-15
"""A variance below this is rounding."""


@dataclass(frozen=True)
class Moments:
    """`variance` is that of the mean; `freedom` are the degrees of freedom that it rests on."""

    mean: float
    variance: float
    freedom: float
    n: int
    clusters: int | None = None

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return math.sqrt(self.variance)


def as_array(values: Sequence[float] | Array) -> Array:
    """`values` as a vector of finite numbers.

    Raises:
        InputError: one is not finite, or they are not a plain list.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise InputError(f"expected a list of numbers, got an array of shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(
            f"value {int(np.flatnonzero(~np.isfinite(array))[0])} is not finite",
            remedy="leave out answers in error: they are counted, not scored",
        )
    return array


def cluster_codes(clusters: Sequence[Hashable], n: int) -> tuple[NDArray[np.intp], int]:
    """A number from 0 for each item's cluster (in the order of appearance), and how many clusters there are.

    Raises:
        InputError: there is not one key per item.
    """
    if len(clusters) != n:
        raise InputError(
            f"{n} values but {len(clusters)} cluster keys", remedy="give one cluster key per value"
        )
    numbers: dict[Hashable, int] = {}
    codes = [numbers.setdefault(key, len(numbers)) for key in clusters]
    return np.asarray(codes, dtype=np.intp), len(numbers)


def moments(values: Array, *, added: float = 0.0, added_values: tuple[float, float] = (0.0, 1.0)) -> Moments:
    """Mean and variance of the mean for independent items.

    With `added` = 0 this is Var = Σ(s − s̄)² / (n(n−1)), the central limit theorem's (Miller 2024,
    arXiv:2411.00640).

    With `added` > 0 so many imagined items are joined to the real ones, half of them at each of
    `added_values`, and Var = (Σs²/ñ − s̃²)/ñ. Zero spread among the real items then does not mean certainty.
    Adding z² items at 0 and 1 to 0/1 values is the interval of Agresti and Coull (1998); adding 2 at −1 and
    +1 to differences is Bonett and Price's (2012).
    """
    n = len(values)
    if not added:
        variance = float(values.var(ddof=1)) / n if n > 1 else math.nan
        return Moments(float(values.mean()), variance, n - 1, n)
    low, high = added_values
    total = n + added
    mean = (float(values.sum()) + added * (low + high) / 2) / total
    square = (float(np.square(values).sum()) + added * (low * low + high * high) / 2) / total
    return Moments(mean, max(square - mean * mean, 0.0) / total, max(n - 1, 1), n)


def clustered_moments(values: Array, clusters: Sequence[Hashable]) -> Moments:
    """Mean and its cluster-robust variance CR1, with G−1 degrees of freedom.

    With u_c = Σ_{i∈c}(s_i − s̄): Var = G/(G−1) · Σ_c u_c² / n² (Liang and Zeger 1986; the factor is CR1's).
    The variance is NaN for a single cluster, which tells nothing about the spread between clusters.
    """
    codes, count = cluster_codes(clusters, len(values))
    mean = float(values.mean())
    sums = np.bincount(codes, weights=values - mean, minlength=count)
    factor = count / (count - 1) if count > 1 else math.nan
    return Moments(
        mean, factor * float(np.square(sums).sum()) / len(values) ** 2, count - 1, len(values), count
    )


def steady_moments(
    values: Array,
    clusters: Sequence[Hashable] | None,
    *,
    added: float,
    added_values: tuple[float, float] = (0.0, 1.0),
) -> Moments:
    """`moments` with imagined items, or their clustered counterpart: never a spread of zero.

    The clustered variance is CR1's, but at least what the same items would have if they stood alone; where
    the clusters agree exactly, or there is only one, each cluster counts as one item.
    """
    if clusters is None:
        return moments(values, added=added, added_values=added_values)
    robust = clustered_moments(values, clusters)
    agree = math.isnan(robust.variance) or robust.variance < NO_SPREAD
    items = np.full(robust.clusters or 1, robust.mean) if agree else values
    alone = moments(items, added=added, added_values=added_values)
    variance = alone.variance if agree else max(robust.variance, alone.variance)
    return Moments(robust.mean, variance, max(robust.freedom, 1), robust.n, robust.clusters)


def pooled_freedom(variances: Sequence[float], freedoms: Sequence[float]) -> float:
    """Degrees of freedom of a sum of independent estimates: (Σv)² / Σ(v²/ν) (Welch 1947, Satterthwaite
    1946)."""
    denominator = sum(v * v / f for v, f in zip(variances, freedoms, strict=True) if v > 0)
    return sum(variances) ** 2 / denominator if denominator > 0 else math.inf


def quantile(level: float, freedom: float = math.inf) -> float:
    """The two-sided quantile of Student's t, of the normal where `freedom` is infinite.

    Raises:
        InputError: `level` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise InputError(
            f"a confidence level of {level} makes no sense", remedy="give one between 0 and 1, such as 0.95"
        )
    tail = (1 + level) / 2
    return float(ndtri(tail) if math.isinf(freedom) else stdtrit(freedom, tail))

"""Intervals for what is not a mean over items: perplexity, corpus F1 and other ratios."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from tianti.stats.intervals import Interval
from tianti.stats.moments import cluster_codes, quantile

MAX_JACKKNIFE = 500
"""Units left out one at a time; more than these are left out in as many blocks."""

Statistic = Callable[[Sequence[Any]], float]


def bca_interval(
    values: Sequence[Any],
    statistic: Statistic,
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int,
    level: float = 0.95,
    resamples: int = 2000,
) -> Interval | None:
    """The bias-corrected and accelerated bootstrap interval (Efron 1987) of `statistic` over items; None for
    none.

    α₁ = Φ(ẑ₀ + (ẑ₀+z_α)/(1 − â(ẑ₀+z_α))), with ẑ₀ from the share of resampled statistics below the estimate
    (ties count half) and the acceleration â from the jackknife. Whole clusters are drawn where there are
    cluster keys.

    Resamples whose statistic is not finite are left out. The bounds are None where fewer than half are left,
    or where there is a single unit. Not meant for proportions: resampling 50 right answers of 50 shows no
    spread at all.

    Args:
        values: what `statistic` takes, one per item, in its order.
        seed: the same seed gives the same interval, bit for bit.
    """
    if not len(values):
        return None
    estimate = float(statistic(values))
    units = _units(len(values), clusters)
    count = len(units) if clusters is not None else None
    low: float | None = None
    high: float | None = None
    if len(units) > 1 and math.isfinite(estimate):
        drawn = _resample(values, statistic, units, seed, resamples)
        if len(drawn) * 2 >= resamples:
            low, high = _bounds(drawn, estimate, _acceleration(values, statistic, units), level)
    return Interval(estimate, low, high, level, "BCa bootstrap", len(values), count)


def _units(n: int, clusters: Sequence[Hashable] | None) -> list[NDArray[np.intp]]:
    """The indices of the items of each unit that is drawn whole."""
    if clusters is None:
        return list(np.arange(n, dtype=np.intp)[:, None])
    codes, count = cluster_codes(clusters, n)
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes, minlength=count))[:-1])


def _resample(
    values: Sequence[Any], statistic: Statistic, units: list[NDArray[np.intp]], seed: int, resamples: int
) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    drawn = np.empty(resamples)
    for index in range(resamples):
        chosen = generator.integers(0, len(units), len(units))
        drawn[index] = statistic([values[item] for unit in chosen for item in units[unit]])
    return drawn[np.isfinite(drawn)]


def _acceleration(values: Sequence[Any], statistic: Statistic, units: list[NDArray[np.intp]]) -> float:
    """â = Σ(θ̄ − θ₍ᵢ₎)³ / (6 [Σ(θ̄ − θ₍ᵢ₎)²]^{3/2}) over the statistics without block i."""
    blocks = np.array_split(np.arange(len(units)), min(len(units), MAX_JACKKNIFE))
    without = []
    for block in blocks:
        left_out = {int(item) for unit in block for item in units[unit]}
        without.append(
            float(statistic([value for index, value in enumerate(values) if index not in left_out]))
        )
    found = np.asarray(without)
    deviations = found[np.isfinite(found)].mean() - found[np.isfinite(found)]
    spread = float(np.square(deviations).sum()) ** 1.5
    return float((deviations**3).sum()) / (6 * spread) if spread > 0 else 0.0


def _bounds(
    drawn: NDArray[np.float64], estimate: float, acceleration: float, level: float
) -> tuple[float, float]:
    below = (np.count_nonzero(drawn < estimate) + np.count_nonzero(drawn <= estimate)) / (2 * len(drawn))
    # One resample's worth away from 0 and 1, so that the bias stays finite.
    bias = float(ndtri(min(max(below, 1 / (2 * len(drawn))), 1 - 1 / (2 * len(drawn)))))
    z = quantile(level)
    shares = []
    for shifted in (bias - z, bias + z):
        denominator = 1 - acceleration * shifted
        shares.append(float(ndtr(bias + shifted / denominator)) if denominator > 0 else float(shifted > 0))
    low, high = np.quantile(drawn, shares)
    return min(float(low), estimate), max(float(high), estimate)

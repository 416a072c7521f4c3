"""Intervals for what is not a mean over items: perplexity, corpus F1 and other ratios."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from tianti.stats.draws import Draws, Units
from tianti.stats.intervals import Interval
from tianti.stats.moments import Array, quantile

MAX_JACKKNIFE = 500
"""Units left out one at a time; more than these are left out in as many blocks."""
AT_ONCE = 500_000
"""So many drawn items are held in memory at once."""

Statistic = Callable[[Sequence[Any]], float]
OverDraws = Callable[[Sequence[Any], Draws], Sequence[float] | Array]
"""(values, samples of them) → a statistic of each sample."""


def bca_interval(
    values: Sequence[Any],
    statistic: Statistic,
    clusters: Sequence[Hashable] | None = None,
    *,
    seed: int,
    level: float = 0.95,
    resamples: int = 2000,
    over_draws: OverDraws | None = None,
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
        over_draws: gives for many samples at once what `statistic` gives for each of them, bit for bit.
    """
    if not len(values):
        return None
    over = over_draws or _one_by_one(statistic)
    estimate = float(statistic(values))
    units = Units(len(values), clusters)
    count = len(units) if clusters is not None else None
    low: float | None = None
    high: float | None = None
    if len(units) > 1 and math.isfinite(estimate):
        drawn = _finite(values, over, _resampled(units, len(values), seed, resamples))
        if len(drawn) * 2 >= resamples:
            without = _finite(values, over, _left_out(units, len(values)))
            low, high = _bounds(drawn, estimate, _acceleration(without), level)
    return Interval(estimate, low, high, level, "BCa bootstrap", len(values), count)


def _one_by_one(statistic: Statistic) -> OverDraws:
    return lambda values, draws: [float(statistic(sample)) for sample in draws.each(values)]


def _finite(values: Sequence[Any], over: OverDraws, blocks: Iterator[Draws]) -> NDArray[np.float64]:
    """The finite ones of the statistics of all samples."""
    found = np.concatenate([np.asarray(over(values, draws), dtype=np.float64) for draws in blocks])
    finite: NDArray[np.float64] = found[np.isfinite(found)]
    return finite


def _resampled(units: Units, n: int, seed: int, resamples: int) -> Iterator[Draws]:
    """Samples of as many units as there are, drawn with putting back."""
    generator = np.random.default_rng(seed)
    block = max(AT_ONCE // n, 1)
    for start in range(0, resamples, block):
        yield units.taken(generator.integers(0, len(units), (min(block, resamples - start), len(units))))


def _left_out(units: Units, n: int) -> Iterator[Draws]:
    """The samples of the jackknife: all units but one, or one block of them."""
    blocks = np.array_split(np.arange(len(units)), min(len(units), MAX_JACKKNIFE))
    block = max(AT_ONCE // n, 1)
    for start in range(0, len(blocks), block):
        yield units.left_out(blocks[start : start + block])


def _acceleration(without: NDArray[np.float64]) -> float:
    """â = Σ(θ̄ − θ₍ᵢ₎)³ / (6 [Σ(θ̄ − θ₍ᵢ₎)²]^{3/2}) over the statistics without block i."""
    deviations = without.mean() - without
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

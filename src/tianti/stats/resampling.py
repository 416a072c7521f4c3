"""Places under resampled items: for aggregates that no test between pairs fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tianti.core.exceptions import InputError
from tianti.stats.aggregates import AggregateName, aggregate, places_of
from tianti.stats.moments import Array, cluster_codes
from tianti.stats.normalise import check_chance
from tianti.stats.pair_sums import TaskMatrix

RESAMPLES = 500
CHUNK = 50
"""Resamples that are held at once."""
METHOD = "bootstrap over items, marginal, not corrected"


@dataclass(frozen=True)
class ResampledPlaces:
    """Shape (M,) each: the range of an entry's value and of its place in `level` of the resamples, and the
    share of them in which it is first (places that are shared count). NaN for an entry that was never ranked.

    Marginal: each range is about its entry alone, and so is far too narrow for "all at once". Among entries
    that are nearly equal it is too narrow even for one: resampling takes the order that was seen for the true
    one (Xie, Singh and Zhang 2009).
    """

    value_low: Array
    value_high: Array
    low: Array
    high: Array
    first: Array
    resamples: int
    seed: int
    level: float


def normalised_means(tasks: Sequence[TaskMatrix], chances: Sequence[float | None]) -> Array:
    """The normalised mean of each entry on each task over the items that it has, shape (M, K); NaN for
    none."""
    columns = [
        _means(task.values, np.ones((1, task.values.shape[1])), chance)[0]
        for task, chance in zip(tasks, chances, strict=True)
    ]
    return np.stack(columns, axis=1)


def resampled_places(
    tasks: Sequence[TaskMatrix],
    chances: Sequence[float | None],
    by: AggregateName,
    *,
    seed: int,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> ResampledPlaces:
    """The percentile bootstrap (Efron 1979) of the whole way from items to places.

    In each resample every task's items are drawn anew with replacement, the same ones for all entries, whole
    clusters where there are clusters; then come means, normalisation, aggregate and places.

    Args:
        tasks: `weight` is the task's weight in the aggregate; it is not divided by 1 − chance.
        seed: the same seed gives the same ranges, bit for bit.

    Raises:
        InputError: as `aggregate` does; or too few resamples to have such quantiles.
    """
    tail = (1 - level) / 2
    if resamples * tail < 1:
        raise InputError(f"{resamples} resamples have no {tail:.3%} quantile", remedy="draw more of them")
    weights = np.array([task.weight for task in tasks])
    items = np.stack([(~np.isnan(task.values)).sum(axis=1) for task in tasks], axis=1).astype(np.float64)
    values = np.stack(
        [
            aggregate(by, scores, weights, items=items).values
            for scores in _resampled_means(tasks, chances, seed, resamples)
        ]
    )
    places = places_of(values)
    never = np.isnan(values).all(axis=0)
    return ResampledPlaces(
        value_low=_quantile(values, tail),
        value_high=_quantile(values, 1 - tail),
        low=_quantile(places, tail),
        high=_quantile(places, 1 - tail),
        first=np.where(never, np.nan, (places == 1).mean(axis=0)),
        resamples=resamples,
        seed=seed,
        level=level,
    )


def _quantile(values: Array, share: float) -> Array:
    """One of the drawn values, so that a place stays whole; resamples without a value are left out."""
    never = np.isnan(values).all(axis=0)
    filled = np.where(never, 0.0, values)
    found: Array = np.nanquantile(filled, share, axis=0, method="inverted_cdf")
    return np.where(never, np.nan, found)


def _resampled_means(
    tasks: Sequence[TaskMatrix], chances: Sequence[float | None], seed: int, resamples: int
) -> Iterator[Array]:
    """Normalised means, shape (M, K), of one resample after the other."""
    generator = np.random.default_rng(seed)
    for start in range(0, resamples, CHUNK):
        size = min(CHUNK, resamples - start)
        columns = [
            _means(task.values, _counts(task, generator, size), chance)
            for task, chance in zip(tasks, chances, strict=True)
        ]
        yield from np.stack(columns, axis=2)


def _counts(task: TaskMatrix, generator: np.random.Generator, size: int) -> Array:
    """How often each item is drawn, shape (size, n)."""
    n = task.values.shape[1]
    if task.clusters is None:
        return generator.multinomial(n, np.full(n, 1 / n), size=size).astype(np.float64)
    codes, groups = cluster_codes(task.clusters, n)
    drawn = generator.multinomial(groups, np.full(groups, 1 / groups), size=size)
    return drawn[:, codes].astype(np.float64)


def _means(values: Array, counts: Array, chance: float | None) -> Array:
    """Normalised means, shape (size, M), of items that count `counts` times."""
    present = ~np.isnan(values)
    total = counts @ np.where(present, values, 0.0).T
    count = counts @ present.T.astype(np.float64)
    floor = check_chance(chance)
    mean = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
    return np.asarray((mean - floor) / (1 - floor))

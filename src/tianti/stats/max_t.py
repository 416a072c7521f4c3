"""Rank intervals by the joint distribution of all differences, an option beside Holm's correction.

Entries that answer alike make tests that depend on each other; Holm allows for any dependence, max-T uses the one
there is. Its intervals are a few per cent narrower, hold for large n only, and rest on random numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array
from tianti.stats.pair_sums import Summable, TaskMatrix
from tianti.stats.pairs import blocks, p_values_from, prepare_all, sum_all
from tianti.stats.ranks import RankIntervals, intervals_from

DRAWS = 2000
"""The fewest draws that tell a quantile of 95 % well."""

ROWS = 32
"""Rows of a block of pairs that are looked at together."""

Floats = NDArray[np.float32]


def max_t_intervals(
    tasks: Sequence[TaskMatrix], *, seed: int, level: float = 0.95, draws: int = DRAWS
) -> RankIntervals:
    """Simultaneous rank intervals by the step-down max-T procedure (Romano and Wolf 2005; for ranks Mogstad,
    Romano, Shaikh, Wilhelm 2024, REStud).

    A multiplier bootstrap Z = Σ_k w_k g·(Y_k − Ȳ_k)/n_k, g normal and one number per item (or cluster), has the
    covariance of the means. c is the `level` quantile of the largest (Z_i − Z_j)/σ_ij among the ordered pairs that
    are not rejected yet; those of a p-value (`pairwise_p_values`) of at most Φ(−c) are rejected, until none is
    added. What Bonferroni's threshold rejects goes first, which leaves few pairs to draw for.

    Raises:
        InputError: an answer is missing: the differences would not be those of one vector Z.
    """
    ready = prepare_all(tasks)
    for number, task in enumerate(ready):
        if task.present is not None:
            raise InputError(
                f"task {number + 1} of {len(ready)} lacks {int((task.present == 0).sum()):,} answers: max-T needs "
                "every entry's answer to every item",
                remedy="use the method holm, or leave out the entries with missing answers",
            )
    p, scale = _tests(ready)
    drawn = _draw(ready, seed, draws)
    count = len(p)
    family = count * (count - 1)
    alpha = 1 - level
    better = p <= alpha / max(family, 1)
    while True:
        threshold = float(ndtr(-np.quantile(_largest(drawn, scale, ~better), level)))
        added = (p <= threshold) & ~better
        if not added.any():
            break
        better |= added
    return replace(intervals_from(better, level, family, "max-t"), draws=draws, seed=seed)


def _tests(tasks: Sequence[Summable]) -> tuple[Array, Floats]:
    """The p-values of all ordered pairs, and 1/σ of their differences (0 where there is no spread)."""
    count = tasks[0].values.shape[0]
    p = np.empty((count, count))
    scale = np.empty((count, count), dtype=np.float32)
    for first, second in blocks(count):
        found = sum_all(tasks, first, second)
        p[first, second], transposed = p_values_from(tasks, found)
        p[second, first] = transposed.T
        spread = np.sqrt(found.variance)
        inverse = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
        scale[first, second], scale[second, first] = inverse, inverse.T
    np.fill_diagonal(p, 1.0)
    np.fill_diagonal(scale, 0.0)
    return p, scale


def _draw(tasks: Sequence[Summable], seed: int, draws: int) -> Floats:
    """Z, of shape (M, draws)."""
    generator = np.random.default_rng(seed)
    total = np.zeros((tasks[0].values.shape[0], draws), dtype=np.float32)
    for task in tasks:
        n = task.values.shape[1]
        means = task.totals / n
        if task.clusters is None:
            deviations, correction = task.values - means[:, None].astype(task.values.dtype), 1.0
        else:
            sizes = task.clusters.sizes
            deviations = task.clusters.sums - means[:, None] * sizes
            correction = float(np.sqrt(len(sizes) / max(len(sizes) - 1, 1)))  # CR1's factor
        multipliers = generator.standard_normal((deviations.shape[1], draws), dtype=np.float32)
        weight = np.float32(task.weight * task.unit * correction / n)
        total += weight * (deviations.astype(np.float32, copy=False) @ multipliers)
    return total


def _largest(drawn: Floats, scale: Floats, active: NDArray[np.bool_]) -> Array:
    """The largest (Z_i − Z_j)/σ_ij over the active ordered pairs, for each draw; never below 0."""
    draws = np.ascontiguousarray(drawn.T)
    largest = np.zeros(len(draws))
    # A block of rows stays in the cache while all draws pass over it.
    for start in range(0, len(scale), ROWS):
        rows = slice(start, start + ROWS)
        scales = np.where(active[rows], scale[rows], np.float32(0))
        apart = np.empty_like(scales)
        for number, z in enumerate(draws):
            np.subtract(z[rows, None], z, out=apart)
            apart *= scales
            largest[number] = max(largest[number], apart.max(initial=0))
    return largest

"""Ranks with uncertainty: from pairwise p-values to an interval of ranks for each entry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array


@dataclass(frozen=True)
class RankIntervals:
    """`low[j]` … `high[j]` hold the true rank of entry j, for all j at once with probability `level`.

    `better[i, j]`: i is shown to be better than j. `family` is the number of hypotheses that were corrected
    for.
    """

    low: NDArray[np.intp]
    high: NDArray[np.intp]
    better: NDArray[np.bool_]
    level: float
    family: int


def rank_intervals(p_values: Array, *, level: float = 0.95) -> RankIntervals:
    """Simultaneous rank intervals from one-sided p-values (Mogstad, Romano, Shaikh, Wilhelm 2024, REStud).

    Every ordered pair is tested with a family-wise error of at most 1 − level (Holm). Then
    L_j = 1 + #{i shown better than j} and U_j = M − #{k that j is shown better than}.

    Args:
        p_values: shape (M, M); [i, j] is the p-value of "i is not better than j". The diagonal is not looked
            at.

    Raises:
        InputError: the matrix is not square, or an entry is not a probability.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 2 or p.shape[0] != p.shape[1]:
        raise InputError(f"expected a square matrix of p-values, got shape {p.shape}")
    count = p.shape[0]
    pairs = ~np.eye(count, dtype=bool)
    if not ((p[pairs] >= 0) & (p[pairs] <= 1)).all():
        raise InputError("a p-value is not between 0 and 1")
    better = np.zeros((count, count), dtype=bool)
    better[pairs] = holm(p[pairs], 1 - level)
    return RankIntervals(
        low=1 + better.sum(axis=0),
        high=count - better.sum(axis=1),
        better=better,
        level=level,
        family=count * (count - 1),
    )


def holm(p_values: Array, alpha: float) -> NDArray[np.bool_]:
    """Which hypotheses fall (Holm 1979): sort, and reject while p₍ₖ₎ ≤ α/(m − k + 1). Valid under any
    dependence."""
    p = np.asarray(p_values, dtype=np.float64)
    candidates = np.flatnonzero(p <= alpha)  # none above α can fall, so only these are sorted
    order = candidates[np.argsort(p[candidates], kind="stable")]
    passed = p[order] <= alpha / (len(p) - np.arange(len(order)))
    rejected = np.zeros(len(p), dtype=bool)
    rejected[order[: len(order) if passed.all() else int(passed.argmin())]] = True
    return rejected

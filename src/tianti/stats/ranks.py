"""Ranks with uncertainty: from pairwise p-values to an interval of ranks for each entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array

RankMethod = Literal["holm", "max-t"]


@dataclass(frozen=True)
class RankIntervals:
    """`low[j]` … `high[j]` hold the true rank of entry j, for all j at once with probability `level`.

    `better[i, j]`: i is shown to be better than j. `family` is the number of hypotheses that were corrected
    for, and `method` how; max-T draws `draws` times from `seed`.
    """

    low: NDArray[np.intp]
    high: NDArray[np.intp]
    better: NDArray[np.bool_]
    level: float
    family: int
    method: RankMethod = "holm"
    draws: int = 0
    seed: int | None = None


@dataclass(frozen=True)
class MarginalRank:
    """`low` … `high` holds the true rank of one entry with probability `level`: of this one alone.

    Narrower than its simultaneous interval, and valid for an entry that was chosen before looking. `better` and
    `worse` (M,) say which others are shown to be better, or worse, than it.
    """

    low: int
    high: int
    better: NDArray[np.bool_]
    worse: NDArray[np.bool_]
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
    p, count = _checked(p_values)
    family = count * (count - 1)
    better = p <= _holm_threshold(p[p <= 1 - level], family, 1 - level)
    return intervals_from(better, level, family, "holm")


def intervals_from(better: NDArray[np.bool_], level: float, family: int, method: RankMethod) -> RankIntervals:
    """The rank intervals of what is shown: `better` of shape (M, M)."""
    return RankIntervals(
        low=1 + better.sum(axis=0),
        high=better.shape[0] - better.sum(axis=1),
        better=better,
        level=level,
        family=family,
        method=method,
    )


def marginal_rank(row: Array, column: Array, entry: int, *, level: float = 0.95) -> MarginalRank:
    """The rank interval of one entry, corrected for its own 2(M − 1) hypotheses only.

    Args:
        row: p-values of "the entry is not better than k"; column: of "k is not better than the entry"; (M,) each.
    """
    others = np.arange(len(row)) != entry
    fallen = np.zeros((2, len(row)), dtype=bool)
    fallen[:, others] = holm(np.concatenate([row[others], column[others]]), 1 - level).reshape(2, -1)
    worse, better = fallen
    return MarginalRank(
        low=1 + int(better.sum()),
        high=len(row) - int(worse.sum()),
        better=better,
        worse=worse,
        level=level,
        family=2 * (len(row) - 1),
    )


def holm(p_values: Array, alpha: float) -> NDArray[np.bool_]:
    """Which hypotheses fall (Holm 1979): sort, and reject while p₍ₖ₎ ≤ α/(m − k + 1). Valid under any
    dependence."""
    p = np.asarray(p_values, dtype=np.float64)
    fallen: NDArray[np.bool_] = p <= _holm_threshold(p[p <= alpha], p.size, alpha)
    return fallen


def _checked(p_values: Array) -> tuple[Array, int]:
    """The matrix with a diagonal of ones, and how many entries it has."""
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 2 or p.shape[0] != p.shape[1]:
        raise InputError(f"expected a square matrix of p-values, got shape {p.shape}")
    p = p.copy()
    np.fill_diagonal(p, 1.0)
    if not (p.min(initial=1.0) >= 0 and p.max(initial=0.0) <= 1):
        raise InputError("a p-value is not between 0 and 1")
    return p, p.shape[0]


def _holm_threshold(small: Array, family: int, alpha: float) -> float:
    """Where Holm's procedure stops, without sorting: reject what is at most α/m; with c hypotheses fallen reject
    what is at most α/(m − c), until no more fall. The first step at which none is added is where p₍c+1₎ > α/(m − c).

    Args:
        small: the p-values that are at most α; no other can fall.

    Returns:
        What is at most this falls; −1 where nothing does.
    """
    fallen = 0
    while fallen < family:
        threshold = alpha / (family - fallen)
        found = int(np.count_nonzero(small <= threshold))
        if found == fallen:
            return threshold if fallen else -1.0
        fallen = found
    return alpha

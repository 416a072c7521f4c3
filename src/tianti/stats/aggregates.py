"""One number per entry from its scores on several tasks: five ways, for none is the only right one.

All take a matrix of shape (M, K), entries × tasks, of normalised scores (0 is guessing, 1 perfect, greater is
better), NaN where an entry has no score, and one weight per task. All give one value per entry, greater is
better, NaN where an entry cannot be ranked in this way.

| aggregate  | what it is                                        | a missing cell                             |
|------------|---------------------------------------------------|--------------------------------------------|
| `mean`     | weighted mean of the normalised scores            | the entry is not ranked                    |
| `common`   | the mean over the largest common set of tasks     | the task or the entry is left out          |
| `borda`    | mean share of all entries that it is ahead of     | earns nothing there, as a last place       |
| `win-rate` | mean share of the entries on a task that it beats | the task is left out for this entry        |
| `latent`   | ability under a logistic model (`latent.py`)      | the others say how hard the task was       |

Where nothing is missing `borda` and `win-rate` give the same order, and `common` is `mean`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tianti.core.exceptions import InputError, UnknownNameError
from tianti.stats.latent import latent_index
from tianti.stats.moments import Array

AggregateName = Literal["mean", "common", "borda", "win-rate", "latent"]
AGGREGATES: tuple[AggregateName, ...] = get_args(AggregateName)
DIGITS = 10
"""Decimals that count: values that agree in so many are equal."""


@dataclass(frozen=True)
class Aggregate:
    """`values` has one number per entry, NaN for those that are not ranked; `tasks`, shape (K,), says which
    tasks made it up."""

    by: AggregateName
    values: Array
    tasks: NDArray[np.bool_]


def aggregate(
    by: AggregateName, scores: Array, weights: Array | None = None, *, items: Array | None = None
) -> Aggregate:
    """The aggregate of this name.

    Args:
        scores: shape (M, K), normalised, NaN where missing.
        weights: shape (K,), not negative; only their proportions count, and a task of weight 0 is not looked
            at. Equal where None.
        items: shape (M, K), how many items stand behind each score; only `latent` asks.

    Raises:
        UnknownNameError: no aggregate has this name.
        InputError: shapes or weights do not fit; for `latent` the entries fall into groups that no task connects.
    """
    if by not in AGGREGATES:
        raise UnknownNameError("aggregate", by, AGGREGATES)
    scores = np.asarray(scores, dtype=np.float64)
    shares = task_weights(scores, weights)
    used = shares > 0
    kept, share = scores[:, used], shares[used]
    tasks = used.copy()
    if by == "mean":
        values = kept @ share
    elif by == "common":
        values, common = mean_on_common_tasks(kept, share)
        tasks[used] = common
    elif by == "borda":
        values = borda(kept, share)
    elif by == "win-rate":
        values = mean_win_rate(kept, share)
    else:
        values = _latent(kept, share, None if items is None else items[:, used])
    # Equal scores must share a place whatever the last bits of a matrix product say.
    return Aggregate(by, np.round(values, DIGITS), tasks)


def task_weights(scores: Array, weights: Array | None) -> Array:
    """The weights as shares that sum to 1; equal ones where there are none.

    Raises:
        InputError: not one per task, one is negative or not finite, or all are 0.
    """
    if scores.ndim != 2 or 0 in scores.shape:
        raise InputError(f"expected a matrix of entries × tasks, got shape {scores.shape}")
    count = scores.shape[1]
    found = np.ones(count) if weights is None else np.asarray(weights, dtype=np.float64)
    if found.shape != (count,):
        raise InputError(f"{count} tasks, but weights of shape {found.shape}", remedy="give one per task")
    if not np.isfinite(found).all() or (found < 0).any() or not found.any():
        raise InputError(
            f"weights {found.tolist()} make no mean", remedy="weights are not negative, and not all are 0"
        )
    return np.asarray(found / found.sum(), dtype=np.float64)


def mean_on_common_tasks(scores: Array, weights: Array) -> tuple[Array, NDArray[np.bool_]]:
    """(The weighted mean over a set of tasks that many entries have in common, that set).

    The rule: of the sets of tasks that some entry has, and of the tasks that all entries have, take the one
    with most cells (its tasks × the entries that have them all); of equal ones that with more tasks, then
    with the earlier ones. Entries that lack one of its tasks are not ranked. To find the largest block of a
    matrix without gaps is NP-hard; this rule is quick, and takes every task if most entries are complete.

    Returns:
        values, shape (M,), NaN for entries outside; and the tasks, shape (K,).
    """
    has = np.asarray(~np.isnan(scores))
    candidates = np.unique(np.vstack([has, np.asarray(has.all(axis=0))[None, :]]), axis=0)
    candidates = candidates[candidates.any(axis=1)]
    if not len(candidates):
        return np.full(len(scores), np.nan), np.zeros(scores.shape[1], dtype=bool)
    size = candidates.sum(axis=1)
    whole = candidates.astype(np.float64) @ has.T.astype(np.float64) == size[:, None]
    cells = size * whole.sum(axis=1)
    # np.unique sorts rows, so that of equal ones the last has the earlier tasks.
    chosen = candidates[max(range(len(size)), key=lambda index: (cells[index], size[index], index))]
    return scores[:, chosen] @ (weights[chosen] / weights[chosen].sum()), chosen


def borda(scores: Array, weights: Array) -> Array:
    """Σ_k w_k (M − rank_ik)/(M − 1): the share of all M entries that entry i is ahead of (de Borda 1781).

    Ties take the mean of their ranks. A missing cell earns nothing, as a last place does; so the embedding
    board MTEB counts too. ½ for a lone entry.
    """
    return np.asarray(borda_points(scores) @ weights)


def borda_points(scores: Array) -> Array:
    """(M − rank)/(M − 1) on each task, shape (M, K): 1 for the best, 0 for the last and where missing."""
    count = len(scores)
    if count == 1:
        return np.full(scores.shape, 0.5)
    points = (count - _ranks(scores)) / (count - 1)
    return np.where(np.isnan(points), 0.0, points)


def mean_win_rate(scores: Array, weights: Array) -> Array:
    """Σ_k w_k · share of the other entries on task k that entry i beats, ties ½; over the tasks that i has,
    with their weights (HELM, Liang et al. 2022, arXiv:2211.09110).

    It depends on who else is listed: one more entry can turn the order of two others around. NaN for an entry
    that meets nobody.
    """
    present = ~np.isnan(scores)
    others = present.sum(axis=0) - 1
    met = present & (others > 0)
    rate = np.where(met, (others + 1 - _ranks(scores)) / np.maximum(others, 1), 0.0)
    weight = met @ weights
    return np.where(weight > 0, rate @ weights / np.where(weight > 0, weight, 1.0), np.nan)


def _latent(scores: Array, weights: Array, items: Array | None) -> Array:
    """The ability as a score; NaN for an entry without any score."""
    rows = np.asarray(~np.isnan(scores)).any(axis=1)
    values = np.full(len(scores), np.nan)
    values[rows] = latent_index(scores[rows], weights, items=None if items is None else items[rows]).expected
    return values


def places_of(values: Array) -> Array:
    """1 + the number of greater values, along the last axis; equal ones share their place, NaN has none."""
    return _ranked(values, "min", -1)


def _ranks(scores: Array) -> Array:
    """Ranks from 1 (the best) on each task, ties averaged, among the entries that have it; NaN elsewhere."""
    return _ranked(scores, "average", 0)


def _ranked(values: Array, method: str, axis: int) -> Array:
    # It takes a third of the start of whatever shows a board, and few boards need it.
    from scipy.stats import rankdata

    missing = np.isnan(values)
    # What is missing comes last, so that it takes no place from others.
    ranks = rankdata(np.where(missing, np.inf, -values), method=method, axis=axis)
    return np.where(missing, np.nan, ranks)

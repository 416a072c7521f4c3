"""A latent index: one ability per entry that explains its scores on tasks of different difficulty.

The two-parameter logistic model of item response theory (Birnbaum 1968) with tasks in the place of items, as
in Epoch's Capabilities Index: score_ik ≈ σ(a_k θ_i − b_k). θ is the ability of an entry, b the difficulty of
a task, a how sharply it tells good entries from bad ones. An entry that was not run on all tasks is placed by
those that it was run on, as the others' scores say how hard these are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from tianti.core.exceptions import InputError
from tianti.stats.latent_fit import Parameters, dispersion_of, fit, information_of, variances_of
from tianti.stats.moments import Array

SPREAD = 0.5
"""The standard deviation of the log-normal prior on a_k: how far discriminations are expected to differ."""
ITEMS = 100.0
"""How many items are thought to stand behind a score where nobody says."""


@dataclass(frozen=True)
class LatentIndex:
    """`ability` θ (logits, mean 0) with its standard `error`, shape (M,); `difficulty` b and
    `discrimination` a (geometric mean 1), shape (K,).

    `expected`, shape (M,), is the ability as a score: the weighted mean over all tasks that the model gives
    an entry. `dispersion` is the variance of the scores about the model, in units of p(1 − p); it and the
    errors are NaN where there are too few cells to tell.
    """

    ability: Array
    error: Array
    difficulty: Array
    discrimination: Array
    expected: Array
    dispersion: float


def latent_index(
    scores: Array,
    weights: Array | None = None,
    *,
    items: Array | None = None,
    discrimination: bool = True,
) -> LatentIndex:
    """Fit the model to the cells that are there, by Fisher scoring on the weighted quasi-likelihood

    Σ w_k [y η − log(1 + e^η)] − φ Σ (log a_k)² / (2·0.5²), η = a_k θ_i − b_k.

    The dispersion φ comes from the model with a_k = 1 (Rasch 1960), so that tasks discriminate differently
    only as far as the data show it; with `discrimination` False, or too few cells, that model is the result.
    Its order is that of the weighted mean wherever nothing is missing: θ_i depends on Σ_k w_k y_ik alone.

    A score is kept inside (0, 1): below chance counts as chance, and half an item is imagined right and half
    wrong, so that a perfect entry has a finite ability. Standard errors are √φ times those of the
    information: they treat how well an entry happens to suit a task as noise, and so are for tasks like
    these.

    Args:
        scores: shape (M, K), normalised, NaN where missing.
        weights: shape (K,), positive. items: shape (M, K), how many stand behind each score.

    Raises:
        InputError: an entry or a task has no score, or entries and tasks fall into groups that nothing
            connects: their abilities cannot be compared.
    """
    present = ~np.isnan(scores)
    _check(present)
    entries, tasks = scores.shape
    share = np.ones(tasks) if weights is None else np.asarray(weights, dtype=np.float64)
    weight = np.where(present, share * (tasks / share.sum()), 0.0)
    y = _inside(scores, items)
    start = Parameters(np.zeros(entries), -logit((weight * y).sum(0) / weight.sum(0)), np.zeros(tasks))
    found = fit(start, y, weight, None)
    spare = int(present.sum()) - entries - tasks + 1
    dispersion = dispersion_of(found, y, weight, spare)
    if discrimination and min(spare, tasks - 1) > 0:
        # A perfect fit still has a scale: the penalty must not vanish.
        penalty = max(dispersion, 1e-6) / SPREAD**2
        found = fit(found, y, weight, penalty)
        dispersion = dispersion_of(found, y, weight, spare - tasks + 1)
        information = information_of(found, weight, penalty)
    else:
        information = information_of(found, weight, None)
    return LatentIndex(
        ability=found.theta,
        error=np.sqrt(dispersion * variances_of(information)),
        difficulty=found.b,
        discrimination=np.exp(found.log_a),
        expected=expit(found.linear) @ (share / share.sum()),
        dispersion=dispersion,
    )


def connected_groups(present: Array) -> Array:
    """A number from 0 for each entry's group: entries of one group are linked by tasks that both have, or by
    a chain of such entries. Shape (M,)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    entries, tasks = present.shape
    rows, columns = np.nonzero(present)
    size = entries + tasks
    links = csr_array((np.ones(len(rows)), (rows, columns + entries)), shape=(size, size))
    _, labels = connected_components(links, directed=False)
    return np.unique(labels[:entries], return_inverse=True)[1].astype(np.float64)


def _check(present: Array) -> None:
    for axis, what in ((1, "entry"), (0, "task")):
        empty = np.flatnonzero(~present.any(axis=axis))
        if len(empty):
            raise InputError(
                f"{what} {int(empty[0])} (counted from 0) has no score at all",
                remedy="leave it out: nothing can be said about it",
            )
    groups = connected_groups(present)
    if groups.max() > 0:
        raise InputError(
            f"the entries fall into {int(groups.max()) + 1} groups that share no task, such as "
            f"{np.flatnonzero(groups == groups.max())[:5].tolist()} (counted from 0)",
            remedy="abilities are comparable only through shared tasks: run one entry on tasks of both groups",
        )


def _inside(scores: Array, items: Array | None) -> Array:
    """The scores as shares between 0 and 1, pulled in by one imagined item, half right; 0 where missing."""
    count = np.full(scores.shape, ITEMS) if items is None else np.asarray(items, dtype=np.float64)
    clipped = np.clip(np.where(np.isnan(scores), 0.0, scores), 0.0, 1.0)
    count = np.where(np.isnan(scores), 1.0, count)
    return np.asarray((count * clipped + 0.5) / (count + 1), dtype=np.float64)

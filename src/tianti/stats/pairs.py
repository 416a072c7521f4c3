"""Every entry against every other: one-sided p-values from paired items, for thousands of entries at once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, ndtr, stdtr

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array, cluster_codes

EXACT_BELOW = 25
"""With fewer differing items than this the normal approximation is not used."""


@dataclass(frozen=True)
class TaskMatrix:
    """The values of M entries on the n items of one task: shape (M, n), NaN where an entry has no answer.

    `weight` is the task's share in the mean, divided by 1 − chance.
    """

    values: Array
    weight: float = 1.0
    clusters: Sequence[Hashable] | None = None


@dataclass(frozen=True)
class _Sums:
    """Sums over the items that each ordered pair shares.

    `variance` is that of the weighted mean `difference` if the two are equal; `units` are the items or
    clusters that differ, `wins` those of them where i has 1 and j has 0. All of shape (M, M). `quartic` is Σ
    variance²/(G−1) over clustered tasks, for the degrees of freedom.
    """

    difference: Array
    variance: Array
    quartic: Array
    units: Array
    wins: Array
    shared: NDArray[np.bool_]


def pairwise_p_values(tasks: Sequence[TaskMatrix]) -> Array:
    """p[i, j], shape (M, M): how surprising the data are if entry i is not better than entry j.

    With d the differences on shared items, b and c the wins and losses of i:

    - z = Σ_k w_k d̄_k / √(Σ_k w_k² Σd²/n_k²), McNemar's score test (1947) for one task of 0/1 values, where
      it is (b − c)/√(b + c). For several tasks Σd² bounds the variance, so the test is conservative.
    - Where fewer than 25 items differ: the binomial P(B ≥ b | b + c, ½) for one task of 0/1 values; otherwise
      exp(−z²/2), Hoeffding's bound for sums of symmetric differences, which holds at any n.
    - With clusters: t = Σ w_k d̄_k / SE, SE from CR1 and Welch–Satterthwaite degrees of freedom.

    How many items differ is counted exactly for 0/1 values, and from below (Σd² over the largest d²) for
    others. No p-value is below 2⁻ᵐ, m being the independent units (items or clusters) that differ: not even a
    test that flips every sign could be surer. A pair that lacks shared items in some task has p = 1.

    Raises:
        InputError: the tasks are not of the same entries.
    """
    sizes = {task.values.shape[0] for task in tasks}
    if len(sizes) != 1:
        raise InputError(f"tasks with different numbers of entries: {sorted(sizes)}")
    clustered = any(task.clusters is not None for task in tasks)
    binary = len(tasks) == 1 and not clustered and _is_binary(tasks[0].values)
    sums = reduce(_add, map(_sums, tasks))
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(sums.variance > 0, sums.difference / np.sqrt(sums.variance), 0.0)
        # All clusters agree to the last digit: no spread, and only the bound 2⁻ᵐ speaks.
        score = np.where(
            (sums.variance == 0) & (sums.difference != 0), np.sign(sums.difference) * np.inf, score
        )
    p = _student(score, sums) if clustered else ndtr(-score)
    few = sums.units < EXACT_BELOW
    if binary:
        p[few] = _binomial(sums.wins[few], sums.units[few])
    elif not clustered:
        bound = np.exp(-np.square(np.maximum(score[few], 0.0)) / 2)
        p[few] = np.where(score[few] > 0, bound, 1.0)
    p = np.maximum(p, np.exp2(-np.minimum(sums.units, 1000.0)))
    p[~sums.shared] = 1.0
    np.fill_diagonal(p, 1.0)
    return np.minimum(p, 1.0)


def _is_binary(values: Array) -> bool:
    return bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())


def _student(score: Array, sums: _Sums) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.maximum(np.square(sums.variance) / sums.quartic, 1.0)
        p: Array = np.where(sums.quartic > 0, stdtr(freedom, -score), ndtr(-score))
    return p


def _binomial(wins: Array, differing: Array) -> Array:
    """P(B ≥ wins) for B ~ Binomial(differing, ½), by the incomplete beta function; 1 for no wins."""
    p: Array = np.where(wins > 0, betainc(np.maximum(wins, 1.0), differing - wins + 1, 0.5), 1.0)
    return p


def _add(first: _Sums, second: _Sums) -> _Sums:
    return _Sums(
        difference=first.difference + second.difference,
        variance=first.variance + second.variance,
        quartic=first.quartic + second.quartic,
        units=first.units + second.units,
        wins=first.wins + second.wins,
        shared=first.shared & second.shared,
    )


def _sums(task: TaskMatrix) -> _Sums:
    if task.clusters is not None:
        return _clustered_sums(task, task.clusters)
    present = ~np.isnan(task.values)
    values = np.where(present, task.values, 0.0)
    product = values @ values.T
    if present.all():
        # Nothing is missing, so sums over shared items are sums over all: one matrix product instead of four.
        shared = np.full_like(product, values.shape[1])
        total = np.broadcast_to(values.sum(axis=1)[:, None], product.shape)
        square = np.broadcast_to(np.square(values).sum(axis=1)[:, None], product.shape)
    else:
        mask = present.astype(np.float64)
        shared = mask @ mask.T
        total = values @ mask.T  # Σ x_i over the items that i and j share
        square = np.square(values) @ mask.T
    difference = total - total.T
    squares = np.maximum(square + square.T - 2 * product, 0.0)
    count = np.maximum(shared, 1.0)
    # |d| ≤ reach, so Σd²/reach² items differ at least; for 0/1 values it is their exact number.
    reach = float(np.ptp(task.values[present])) if present.any() else 0.0
    return _Sums(
        difference=task.weight * difference / count,
        variance=task.weight**2 * squares / count**2,
        quartic=np.zeros_like(squares),
        units=squares / (reach or 1.0) ** 2,
        wins=total - product,
        shared=shared > 0,
    )


def _clustered_sums(task: TaskMatrix, clusters: Sequence[Hashable]) -> _Sums:
    """CR1: with s_c = Σ_{i∈c} d_i and n_c shared items, Var = G/(G−1) Σ_c (s_c − n_c d̄)² / n²."""
    entries, n = task.values.shape
    codes, groups = cluster_codes(clusters, n)
    present = ~np.isnan(task.values)
    values, mask = np.where(present, task.values, 0.0), present.astype(np.float64)
    sums, squares, cross, counts_squared, counts = (np.zeros((entries, entries)) for _ in range(5))
    shared_groups, differing = np.zeros((entries, entries)), np.zeros((entries, entries))
    for group in range(groups):
        inside = codes == group
        x, m = values[:, inside], mask[:, inside]
        reached = x @ m.T
        s, c = reached - reached.T, m @ m.T
        sums += s
        squares += np.square(s)
        cross += c * s
        counts_squared += np.square(c)
        counts += c
        shared_groups += c > 0
        differing += np.abs(s) > 1e-12
    size = np.maximum(counts, 1.0)
    mean = sums / size
    spread = np.maximum(squares - 2 * mean * cross + np.square(mean) * counts_squared, 0.0)
    spread[spread < 1e-9 * np.maximum(squares, 1e-300)] = 0.0
    freedom = np.maximum(shared_groups - 1, 1.0)
    variance = task.weight**2 * shared_groups / freedom * spread / size**2
    return _Sums(
        difference=task.weight * mean,
        variance=variance,
        quartic=np.square(variance) / freedom,
        units=differing,
        wins=np.zeros_like(sums),
        shared=counts > 0,
    )

"""Sums over the items that two entries share, for blocks of pairs at a time: what every paired test is made of.

Where the values are multiples of some 1/K (0/1 answers, or such averaged over K seeds) the sums are sums of whole
numbers, exact in any order: the same on every machine and with any number of threads.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array, cluster_codes

LARGEST_UNIT = 720
"""Values are looked at as multiples of 1/K for K up to this; others are summed as they are."""

FEW_CLUSTERS = 40
"""Below so many differing clusters they are counted one by one; 2⁻⁴⁰ is below any threshold that is used."""

EXACT_SINGLE = 2**24
"""Whole numbers up to this are exact in single precision."""


@dataclass(frozen=True)
class TaskMatrix:
    """The values of M entries on the n items of one task: shape (M, n), NaN where an entry has no answer.

    Any number type will do; 0/1 answers may come as `bool` or `uint8`. `weight` is the task's share in the mean,
    divided by 1 − chance (negative where lower is better). Items with equal keys in `clusters` depend on each other.
    """

    values: NDArray[Any]
    weight: float = 1.0
    clusters: Sequence[Hashable] | None = None


@dataclass(frozen=True)
class PairSums:
    """Sums of the pairs (i, j) of two blocks of entries, each of shape (|I|, |J|).

    `variance` is that of the weighted mean `difference` if the two are equal; `units` are the items or clusters that
    differ, `wins` those of them where i has 1 and j has 0, `losses` the reverse. `quartic` is Σ variance²/(G−1) over
    clustered tasks, for the degrees of freedom. `shared`: the two have an item in common in every task.
    """

    difference: Array
    variance: Array
    quartic: Array
    units: Array
    wins: Array
    losses: Array
    shared: NDArray[np.bool_]

    def __add__(self, other: PairSums) -> PairSums:
        return PairSums(
            difference=self.difference + other.difference,
            variance=self.variance + other.variance,
            quartic=self.quartic + other.quartic,
            units=self.units + other.units,
            wins=self.wins + other.wins,
            losses=self.losses + other.losses,
            shared=self.shared & other.shared,
        )


@dataclass(frozen=True)
class Clusters:
    """`sums` (M, G) of the values of each cluster, in units; `codes` (n,) say which cluster an item is in."""

    codes: NDArray[np.intp]
    sizes: Array
    sums: Array


@dataclass(frozen=True)
class Summable:
    """A task made ready: `values` (M, n) are whole numbers of `unit`, or `unit` is 1; 0 where nothing was answered.

    `present` is None where nothing is missing. `reach` is the largest possible |difference| of an item, in units.
    """

    weight: float
    unit: float
    values: NDArray[Any]
    present: NDArray[Any] | None
    totals: Array
    squares: Array
    reach: float
    binary: bool
    clusters: Clusters | None


def prepare(task: TaskMatrix) -> Summable:
    """Bring the values of a task into the form that is summed.

    Raises:
        InputError: the values are no matrix, one is infinite, or there is not one cluster key per item.
    """
    given = np.asarray(task.values)
    if given.ndim != 2:
        raise InputError(f"expected a matrix of entries × items, got an array of shape {given.shape}")
    floating = np.issubdtype(given.dtype, np.floating)
    present = ~np.isnan(given) if floating else None
    if present is not None and present.all():
        present = None
    known = given if present is None else np.where(present, given, 0)
    if floating and not np.isfinite(known).all():
        raise InputError(
            "a value of the matrix is infinite", remedy="leave out answers that have no finite value"
        )
    per_unit = _per_unit(known)
    largest = max(abs(float(known.min(initial=0))), abs(float(known.max(initial=0)))) * (per_unit or 1)
    small = per_unit is not None and largest**2 * known.shape[1] < EXACT_SINGLE
    kind: type[np.floating[Any]] = np.float32 if small else np.float64
    values = known.astype(kind)
    if per_unit is not None and per_unit > 1:
        np.rint(values * per_unit, out=values)
    mask = None if present is None else present.astype(kind)
    return Summable(
        weight=task.weight,
        unit=1 / (per_unit or 1),
        values=values,
        present=mask,
        totals=values.sum(axis=1, dtype=np.float64),
        squares=np.array([np.dot(row, row) for row in values], dtype=np.float64),
        reach=_reach(values, present),
        binary=per_unit == 1 and bool(((values == 0) | (values == 1)).all()),
        clusters=None if task.clusters is None else _clusters(values, task.clusters),
    )


def sums(task: Summable, first: slice, second: slice) -> PairSums:
    """The sums of every pair of an entry of `first` with one of `second`."""
    if task.clusters is not None:
        return _clustered(task, task.clusters, first, second)
    x, y = task.values[first], task.values[second]
    product = (x @ y.T).astype(np.float64)
    if task.present is None:
        shared = np.full_like(product, task.values.shape[1])
        total, other_total = task.totals[first, None], task.totals[None, second]
        squares = task.squares[first, None] + task.squares[None, second]
    else:
        mask, other_mask = task.present[first], task.present[second]
        shared = (mask @ other_mask.T).astype(np.float64)
        # Σ over the items that both have.
        total, other_total = (x @ other_mask.T).astype(np.float64), (mask @ y.T).astype(np.float64)
        squares = (
            total + other_total if task.binary else np.square(x) @ other_mask.T + mask @ np.square(y).T
        ).astype(np.float64)
    count = np.maximum(shared, 1.0)
    spread = np.maximum(squares - 2 * product, 0.0)  # Σd²
    scale = task.weight * task.unit / count
    return PairSums(
        difference=scale * (total - other_total),
        variance=np.square(scale) * spread,
        quartic=np.zeros_like(product),
        # |d| ≤ reach, so Σd²/reach² items differ at least; for 0/1 values it is their exact number.
        units=spread / (task.reach or 1.0) ** 2,
        wins=total - product,
        losses=other_total - product,
        shared=shared > 0,
    )


def _clustered(task: Summable, clusters: Clusters, first: slice, second: slice) -> PairSums:
    """CR1: with s_c = Σ_{i∈c} d_i and n_c shared items, Var = G/(G−1) Σ_c (s_c − n_c d̄)² / n²."""
    whole = task.present is None
    found = (
        _whole_clusters(task, clusters, first, second)
        if whole
        else _cut_clusters(task, clusters, first, second)
    )
    size = np.maximum(found.items, 1.0)
    mean = found.total / size
    spread = np.maximum(found.squares - 2 * mean * found.cross + np.square(mean) * found.sizes_squared, 0.0)
    spread[spread < 1e-9 * np.maximum(found.squares, 1e-300)] = 0.0
    freedom = np.maximum(found.groups - 1, 1.0)
    scale = task.weight * task.unit
    variance = scale**2 * found.groups / freedom * spread / size**2
    nothing = np.zeros_like(variance)
    return PairSums(
        scale * mean,
        variance,
        np.square(variance) / freedom,
        found.differing,
        nothing,
        nothing,
        found.items > 0,
    )


@dataclass(frozen=True)
class _ClusterSums:
    """Per pair: Σ_c s_c, Σ_c s_c², Σ_c n_c s_c, Σ_c n_c², Σ_c n_c, the clusters shared, and those with s_c ≠ 0."""

    total: Array
    squares: Array
    cross: Array
    sizes_squared: Array
    items: Array
    groups: Array
    differing: Array


def _whole_clusters(task: Summable, clusters: Clusters, first: slice, second: slice) -> _ClusterSums:
    """Nothing is missing: Σ_c s_c² = Σ S_i² + Σ S_j² − 2 Σ S_i S_j, one product for all clusters."""
    x, y = clusters.sums[first], clusters.sums[second]
    squares = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1)[None, :] - 2 * (x @ y.T)
    squares = np.maximum(squares, 0.0)
    squares[squares < 1e-12 * max(float(np.square(x).sum(axis=1).max(initial=0)), 1e-300)] = 0.0
    total = task.totals[first, None] - task.totals[None, second]
    weighted = clusters.sums @ clusters.sizes
    largest = float(clusters.sizes.max(initial=0)) * (task.reach or 1.0)
    differing = squares / (largest or 1.0) ** 2  # at least so many
    rows, columns = np.nonzero(differing < FEW_CLUSTERS)
    for start in range(0, len(rows), 4096):
        chosen = slice(start, start + 4096)
        apart = np.abs(x[rows[chosen]] - y[columns[chosen]]) > 1e-12
        differing[rows[chosen], columns[chosen]] = apart.sum(axis=1)
    full = np.full_like(squares, task.values.shape[1])
    return _ClusterSums(
        total=total,
        squares=squares,
        cross=weighted[first, None] - weighted[None, second],
        sizes_squared=np.full_like(squares, float(np.square(clusters.sizes).sum())),
        items=full,
        groups=np.full_like(squares, len(clusters.sizes)),
        differing=differing,
    )


def _cut_clusters(task: Summable, clusters: Clusters, first: slice, second: slice) -> _ClusterSums:
    """Answers are missing: every pair has clusters of its own sizes, so cluster after cluster is added."""
    present = task.present
    if present is None:
        raise AssertionError("nothing is missing")
    x, y = task.values[first], task.values[second]
    mask, other_mask = present[first], present[second]
    total, squares, cross, sizes_squared, items, groups, differing = np.zeros((7, len(x), len(y)))
    order = np.argsort(clusters.codes, kind="stable")
    for inside in np.split(order, np.cumsum(clusters.sizes.astype(np.intp))[:-1]):
        s = (x[:, inside] @ other_mask[:, inside].T - mask[:, inside] @ y[:, inside].T).astype(np.float64)
        c = (mask[:, inside] @ other_mask[:, inside].T).astype(np.float64)
        total += s
        squares += np.square(s)
        cross += c * s
        sizes_squared += np.square(c)
        items += c
        groups += c > 0
        differing += np.abs(s) > 1e-12
    return _ClusterSums(total, squares, cross, sizes_squared, items, groups, differing)


def _clusters(values: NDArray[Any], keys: Sequence[Hashable]) -> Clusters:
    codes, count = cluster_codes(keys, values.shape[1])
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes, minlength=count)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    found = (
        np.add.reduceat(values[:, order], starts, axis=1, dtype=np.float64)
        if count
        else np.zeros((values.shape[0], 0))
    )
    return Clusters(codes, sizes.astype(np.float64), found)


def _per_unit(values: NDArray[Any]) -> int | None:
    """The smallest K such that all values are whole multiples of 1/K; None where no K ≤ 720 will do."""
    if not np.issubdtype(values.dtype, np.floating):
        return 1
    if bool(((values == 0) | (values == 1)).all()):
        return 1
    some = np.unique(values.ravel()[: 1 << 16])
    denominators = [
        Fraction(float(value)).limit_denominator(LARGEST_UNIT).denominator for value in some[:4096]
    ]
    unit = 1
    for denominator in denominators:
        unit = lcm(unit, denominator)
        if unit > LARGEST_UNIT:
            return None
    scaled = values * unit
    return unit if bool((np.abs(scaled - np.rint(scaled)) < 1e-9 * unit).all()) else None


def _reach(values: NDArray[Any], present: NDArray[np.bool_] | None) -> float:
    known = values if present is None else values[present]
    return float(np.ptp(known)) if known.size else 0.0

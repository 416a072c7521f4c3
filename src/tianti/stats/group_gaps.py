"""The largest gap between groups of items: the worst group against all, or the best against the worst.

The largest of several noisy differences is too large. Its interval therefore reaches down by Bonferroni over all
differences that might have been the largest; upwards each is taken at the level itself, and the highest bound holds,
for the truth is one of them. So the interval covers whatever the groups are, and however many.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from tianti.core.exceptions import InputError
from tianti.stats.intervals import Interval
from tianti.stats.moments import Array, as_array, cluster_codes, moments, quantile

IMAGINED = 2.0
"""Items that each group is given besides its own, half at 0 and half at 1 (Agresti and Caffo 2000): no group of few,
equal values looks certain."""


def worst_group_gap(
    values: Sequence[float] | Array,
    groups: Sequence[Hashable],
    clusters: Sequence[Hashable] | None = None,
    *,
    level: float = 0.95,
) -> Interval:
    """The mean over all items minus that of the group where it is lowest; never below 0.

    The items of a group are part of all items, which the interval knows: with θ the mean over all and θ_g that of a
    group, the influence of item i on θ − θ_g is (s_i − θ)/n − 1[i in g]·(s_i − θ_g)/n_g. Clusters are summed (CR1).

    Raises:
        InputError: there are fewer than two groups, or not one group and cluster key per value.
    """
    rows = _Rows.of(values, groups, clusters)
    shares = rows.sizes / rows.sizes.sum()
    contrasts = np.tile(shares, (len(shares), 1)) - np.eye(len(shares))
    return _largest(rows, contrasts, level, f"worst of {len(shares)} groups", composition=True)


def widest_gap(
    values: Sequence[float] | Array,
    groups: Sequence[Hashable],
    clusters: Sequence[Hashable],
    *,
    level: float = 0.95,
) -> Interval:
    """The highest mean of a group minus the lowest; `clusters` are the items, where one item stands in several groups.

    Raises:
        InputError: there are fewer than two groups, or not one group and cluster key per value.
    """
    rows = _Rows.of(values, groups, clusters)
    count = len(rows.sizes)
    contrasts = np.array(
        [np.eye(count)[i] - np.eye(count)[j] for i in range(count) for j in range(count) if i != j]
    )
    return _largest(rows, contrasts, level, f"widest of {count} groups", composition=False)


class _Rows:
    """Values with the codes of their group and unit (item or cluster)."""

    def __init__(
        self, values: Array, groups: NDArray[np.intp], units: NDArray[np.intp], clustered: bool
    ) -> None:
        self.values, self.groups, self.units, self.clustered = values, groups, units, clustered
        self.sizes = np.bincount(groups).astype(np.float64)
        self.means = np.bincount(groups, weights=values) / self.sizes

    @classmethod
    def of(
        cls,
        values: Sequence[float] | Array,
        groups: Sequence[Hashable],
        clusters: Sequence[Hashable] | None,
    ) -> _Rows:
        array = as_array(values)
        codes, count = cluster_codes(groups, len(array))
        if count < 2:
            raise InputError(
                f"{count} group: a gap needs two at least", remedy="name a field that tells items apart"
            )
        units, _ = cluster_codes(range(len(array)) if clusters is None else clusters, len(array))
        return cls(array, codes, units, clusters is not None)

    def influence(self, *, composition: bool) -> Array:
        """How each unit moves each group's mean, shape (units, groups); with `composition` a last column: the mean
        over all, as it is with the groups' sizes left to chance."""
        count = len(self.sizes)
        found = np.zeros((int(self.units.max()) + 1, count + composition))
        moved = (self.values - self.means[self.groups]) / self.sizes[self.groups]
        np.add.at(found, (self.units, self.groups), moved)
        if composition:
            np.add.at(found[:, count], self.units, (self.values - self.values.mean()) / len(self.values))
        return found


def _largest(rows: _Rows, contrasts: Array, level: float, name: str, *, composition: bool) -> Interval:
    found = contrasts @ rows.means
    influence = rows.influence(composition=composition)
    moved = influence[:, -1:] - influence[:, :-1] if composition else influence @ contrasts.T
    units = len(influence)
    variance = units / max(units - 1, 1) * np.square(moved).sum(axis=0)
    # As if the items stood alone, with imagined ones: no contrast is surer than that.
    alone = [moments(rows.values[rows.groups == g], added=IMAGINED).variance for g in range(len(rows.sizes))]
    error = np.sqrt(np.maximum(variance, np.square(contrasts) @ np.array(alone)))
    freedom = np.array([_freedom(rows, contrast, composition) for contrast in contrasts])
    strict = 1 - (1 - level) / len(contrasts)
    low = max(float(d - quantile(strict, f) * e) for d, f, e in zip(found, freedom, error, strict=True))
    high = max(float(d + quantile(level, f) * e) for d, f, e in zip(found, freedom, error, strict=True))
    estimate = max(float(found.max()), 0.0)
    inside = bool(((rows.values >= 0) & (rows.values <= 1)).all())
    return Interval(
        estimate=estimate,
        low=min(max(low, 0.0), estimate),
        high=max(min(high, 1.0) if inside else high, estimate),
        level=level,
        method=f"{name}, {'CR1·t' if rows.clustered else 't'}, Bonferroni",
        n=len(rows.values),
        clusters=units if rows.clustered else None,
    )


def _freedom(rows: _Rows, contrast: Array, composition: bool) -> float:
    """One less than the units of the smallest group that the contrast is about."""
    about = [int(contrast.argmin())] if composition else [int(g) for g in np.flatnonzero(contrast)]
    return float(max(min(len(np.unique(rows.units[rows.groups == g])) for g in about) - 1, 1))


def gap_of(values: Sequence[float] | Array, groups: Sequence[Hashable], *, against_all: bool) -> float:
    """The estimate alone: of `worst_group_gap`, or of `widest_gap`. 0 where there is one group, NaN for none."""
    array = as_array(values)
    if not len(array):
        return math.nan
    codes, _ = cluster_codes(groups, len(array))
    means = np.bincount(codes, weights=array) / np.bincount(codes)
    return max(float((array.mean() if against_all else means.max()) - means.min()), 0.0)

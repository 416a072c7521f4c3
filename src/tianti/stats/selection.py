"""The first of many: an interval that knows it was picked, and how little it would take to unseat it.

The best of several estimates is too high on average (the winner's curse): its plain 95 % interval covers far less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array
from tianti.stats.pair_sums import TaskMatrix

NEAREST = 20
"""Challengers that are looked at: those with the smallest differences to the first."""


def picked_level(level: float, candidates: int) -> float:
    """The level at which the interval of whichever of `candidates` entries was picked covers with `level`.

    Bonferroni: 1 − (1 − level)/M. All M intervals hold at once then, that of the winner among them, in
    whatever way it was picked.

    Raises:
        InputError: there are no candidates.

    >>> round(picked_level(0.95, 20), 4)
    0.9975
    """
    if candidates < 1:
        raise InputError(f"the winner of {candidates} candidates", remedy="give at least one candidate")
    return 1 - (1 - level) / candidates


@dataclass(frozen=True)
class Unseating:
    """Without `items` chosen items `challenger` (its index) would be ahead; `exact` where fewer cannot do."""

    items: int
    challenger: int
    exact: bool


def fewest_items_to_unseat(tasks: Sequence[TaskMatrix], first: int) -> Unseating | None:
    """How many items have to be taken away for another entry to be ahead of `first`; None where none can be.

    An item is taken away for all entries, and the means are over those that are left. On one task the items
    on which the first gains most are taken away in turn, which cannot be done with fewer; on several the
    item that lowers the difference of the weighted means most, so that the number is an upper bound. Items that
    only one of the two answered are not looked at.
    """
    values = [np.asarray(task.values, dtype=np.float64) for task in tasks]
    weights = [task.weight for task in tasks]
    means = sum(weight * np.nanmean(matrix, axis=1) for matrix, weight in zip(values, weights, strict=True))
    gaps = means[first] - means
    order = [int(entry) for entry in np.argsort(gaps, kind="stable") if entry != first][:NEAREST]
    found: Unseating | None = None
    for entry in order:
        differences = [_known(matrix[first] - matrix[entry]) for matrix in values]
        most = found.items if found is not None else None
        count = _removals(differences, weights, most)
        if count is not None and (found is None or count < found.items):
            found = Unseating(count, entry, exact=len(tasks) == 1)
    return found


def _known(differences: Array) -> Array:
    return differences[~np.isnan(differences)]


def _removals(differences: Sequence[Array], weights: Sequence[float], most: int | None) -> int | None:
    """Removals until Σ w_k d̄_k < 0; None where more than `most` are needed, or a task would be left empty."""
    if any(not len(d) for d in differences):
        return None
    # Sorted so that what speaks most for the first is taken away first, whatever the sign of the weight.
    steps = [
        _paths(np.sort(d * np.sign(weight))[::-1], abs(weight))
        for d, weight in zip(differences, weights, strict=True)
    ]
    taken = [0] * len(steps)
    total = sum(path[0] for path in steps)
    count = 0
    while total >= -1e-12:
        gains = [
            path[at] - path[at + 1] if at + 1 < len(path) else -np.inf
            for path, at in zip(steps, taken, strict=True)
        ]
        best = int(np.argmax(gains))
        if gains[best] <= 0 or (most is not None and count >= most):
            return None
        total -= gains[best]
        taken[best] += 1
        count += 1
    return count


def _paths(ordered: Array, weight: float) -> Array:
    """The weighted mean of what is left after 0, 1, 2, … of the `ordered` differences are gone."""
    left = ordered.sum() - np.concatenate([[0.0], np.cumsum(ordered)[:-1]])
    path: Array = weight * left / np.arange(len(ordered), 0, -1)
    return path

"""Every entry against every other: one-sided p-values from paired items, for thousands of entries at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add

import numpy as np
from scipy.special import betainc, ndtr, stdtr

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array
from tianti.stats.pair_sums import PairSums, Summable, TaskMatrix, prepare, sums

EXACT_BELOW = 25
"""With fewer differing items than this the normal approximation is not used."""

BLOCK = 512
"""Entries of a block: the sums of a pair of blocks stay in the processor's cache."""


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
    ready = prepare_all(tasks)
    count = ready[0].values.shape[0]
    p = np.empty((count, count))
    for first, second in blocks(count):
        better, worse = p_values_from(ready, sum_all(ready, first, second))
        p[first, second], p[second, first] = better, worse.T
    np.fill_diagonal(p, 1.0)
    return p


def p_values_of(tasks: Sequence[TaskMatrix], entry: int) -> tuple[Array, Array]:
    """The row and the column of `pairwise_p_values` that belong to one entry, each of shape (M,).

    This is what one more entry on a board costs: one matrix–vector product per task.

    Raises:
        InputError: the tasks are not of the same entries.
    """
    ready = prepare_all(tasks)
    row, column = np.empty((2, ready[0].values.shape[0]))
    for start in range(0, len(row), BLOCK):
        others = slice(start, start + BLOCK)
        better, worse = p_values_from(ready, sum_all(ready, slice(entry, entry + 1), others))
        row[others], column[others] = better[0], worse[0]
    row[entry] = column[entry] = 1.0
    return row, column


def with_entry(p_values: Array, row: Array, column: Array) -> Array:
    """The p-values of M + 1 entries from those of M and what `p_values_of` gives for the last of M + 1."""
    count = p_values.shape[0]
    grown = np.empty((count + 1, count + 1))
    grown[:count, :count] = p_values
    grown[count], grown[:, count] = row, column
    return grown


def prepare_all(tasks: Sequence[TaskMatrix]) -> list[Summable]:
    """The tasks made ready to be summed.

    Raises:
        InputError: there is no task, or they are not of the same entries.
    """
    if not tasks:
        raise InputError("no tasks to compare entries on")
    sizes = {np.shape(task.values)[0] for task in tasks}
    if len(sizes) != 1:
        raise InputError(f"tasks with different numbers of entries: {sorted(sizes)}")
    return [prepare(task) for task in tasks]


def blocks(count: int) -> Iterator[tuple[slice, slice]]:
    """Every pair of blocks once: the sums of (j, i) are those of (i, j) turned round."""
    starts = range(0, count, BLOCK)
    for first in starts:
        for second in starts:
            if second >= first:
                yield slice(first, first + BLOCK), slice(second, second + BLOCK)


def sum_all(tasks: Sequence[Summable], first: slice, second: slice) -> PairSums:
    """The sums of every pair of an entry of `first` with one of `second`, over all tasks."""
    return reduce(add, (sums(task, first, second) for task in tasks))


def p_values_from(tasks: Sequence[Summable], found: PairSums) -> tuple[Array, Array]:
    """p of "i is not better than j" and of "j is not better than i", both of the shape of the sums."""
    clustered = any(task.clusters is not None for task in tasks)
    binary = len(tasks) == 1 and not clustered and tasks[0].binary
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(found.variance > 0, found.difference / np.sqrt(found.variance), 0.0)
    # All clusters agree to the last digit: no spread, and only the bound 2⁻ᵐ speaks.
    agree = (found.variance == 0) & (found.difference != 0)
    score[agree] = np.sign(found.difference[agree]) * np.inf
    # Where lower is better the weight is negative, and a 1 is lost.
    wins, losses = (found.wins, found.losses) if tasks[0].weight >= 0 else (found.losses, found.wins)
    return (
        _one_sided(score, found, wins if binary else None, clustered),
        _one_sided(-score, found, losses if binary else None, clustered),
    )


def _one_sided(score: Array, found: PairSums, wins: Array | None, clustered: bool) -> Array:
    p = _student(score, found) if clustered else np.asarray(ndtr(-score))
    few = found.units < EXACT_BELOW
    if wins is not None:
        p[few] = _binomial(wins[few], found.units[few])
    elif not clustered:
        bound = np.exp(-np.square(np.maximum(score[few], 0.0)) / 2)
        p[few] = np.where(score[few] > 0, bound, 1.0)
    p = np.maximum(p, np.exp2(-np.minimum(found.units, 1000.0)))
    p[~found.shared] = 1.0
    return np.minimum(p, 1.0)


def _student(score: Array, found: PairSums) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = np.maximum(np.square(found.variance) / found.quartic, 1.0)
        p: Array = np.where(found.quartic > 0, stdtr(freedom, -score), ndtr(-score))
    return p


def _binomial(wins: Array, differing: Array) -> Array:
    """P(B ≥ wins) for B ~ Binomial(differing, ½), by the incomplete beta function; 1 for no wins."""
    p: Array = np.where(wins > 0, betainc(np.maximum(wins, 1.0), differing - wins + 1, 0.5), 1.0)
    return p

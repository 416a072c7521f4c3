"""Samples drawn anew from the same items, many at once: what a bootstrap and a jackknife compute their statistic on."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tianti.stats.moments import Array, cluster_codes

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Draws:
    """Several samples of the same items: `items` are the indices of those of each sample, one sample behind the other,
    `sizes` how many each has (at least one)."""

    items: Indices
    sizes: Indices

    def __len__(self) -> int:
        return len(self.sizes)

    @cached_property
    def rows(self) -> Indices:
        """The sample to which each of `items` belongs."""
        return np.repeat(np.arange(len(self)), self.sizes)

    @cached_property
    def starts(self) -> Indices:
        """Where in `items` each sample begins."""
        return np.asarray(np.cumsum(self.sizes) - self.sizes)

    def each(self, values: Sequence[Any]) -> Iterator[list[Any]]:
        """The values of each sample."""
        drawn = [values[item] for item in self.items.tolist()]
        for start, size in zip(self.starts.tolist(), self.sizes.tolist(), strict=True):
            yield drawn[start : start + size]

    def sums(self, values: NDArray[Any]) -> NDArray[Any]:
        """[items, columns] → the sum of each column over each sample, [samples, columns]; exact for whole numbers."""
        summed: NDArray[Any] = np.add.reduceat(values[self.items], self.starts, axis=0)
        return summed

    def counts(self, codes: Indices, kinds: int, weights: Array | None = None) -> NDArray[Any]:
        """How often each of the codes from 0 to `kinds` − 1 occurs in each sample, [samples, kinds].

        `codes` has one for each of `items`, as have the `weights` that are summed instead, in the order of `items`.
        """
        places = self.rows * kinds + codes
        return np.bincount(places, weights, len(self) * kinds).reshape(len(self), kinds)


def row_sums(values: Array, kept: NDArray[np.bool_]) -> Array:
    """The sum of the `kept` values of each row, bit for bit what numpy gives for each row's kept values alone: zeros
    between them would change in which order it adds."""
    found, counts = np.zeros(len(values)), kept.sum(axis=1)
    for count in np.unique(counts[counts > 0]):
        rows = counts == count
        found[rows] = values[rows][kept[rows]].reshape(-1, count).sum(axis=1)
    return found


def row_means(values: Array, kept: NDArray[np.bool_]) -> Array:
    """As `row_sums`: the mean; not a number where nothing is kept."""
    with np.errstate(invalid="ignore"):
        found: Array = row_sums(values, kept) / kept.sum(axis=1)
    return found


class Units:
    """Items in the units that are drawn whole: clusters where there are keys, else each item alone."""

    def __init__(self, n: int, clusters: Sequence[Hashable] | None) -> None:
        codes, count = (np.arange(n), n) if clusters is None else cluster_codes(clusters, n)
        self.codes = codes
        """The unit of each item."""
        self.order = np.argsort(codes, kind="stable")
        """The items, unit after unit."""
        self.lengths = np.bincount(codes, minlength=count)
        self.starts = np.cumsum(self.lengths) - self.lengths

    def __len__(self) -> int:
        return len(self.lengths)

    def taken(self, units: Indices) -> Draws:
        """The samples that consist of these units, [samples, units of each]."""
        lengths, flat = self.lengths[units], units.ravel()
        ends = np.cumsum(self.lengths[flat])
        # Counts up from its start within each unit.
        places = np.arange(ends[-1]) + np.repeat(
            self.starts[flat] - ends + self.lengths[flat], lengths.ravel()
        )
        return Draws(self.order[places], lengths.sum(axis=1))

    def left_out(self, blocks: Sequence[Indices]) -> Draws:
        """For each block of units the sample of all items but its own, in their order."""
        block_of = np.full(len(self), -1)
        for number, block in enumerate(blocks):
            block_of[block] = number
        kept = block_of[self.codes] != np.arange(len(blocks))[:, None]
        return Draws(np.nonzero(kept)[1], kept.sum(axis=1))

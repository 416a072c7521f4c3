"""The samples of one task over all entries: which are hard, which tell entries apart, what gap the task can show."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tianti.board.board import Board
from tianti.board.entries import Column
from tianti.board.entry_items import EntryItems
from tianti.board.ranking import task_matrix
from tianti.board.results import Items
from tianti.board.show import half_width
from tianti.stats import TaskPair, paired_difference
from tianti.stats.moments import Array

FEWEST = 3
"""Entries below which no correlation is told."""
AT_ONCE = 1024
"""Samples of which the correlations are computed together: thousands of entries times samples are held once only."""


@dataclass(frozen=True)
class Item:
    """A sample. `mean` is its value over the `entries` that answered it: of right and wrong the share of right ones.

    `discrimination` is the correlation, over these entries, of its value with the mean of the entry's other values
    (item–rest correlation). None where fewer than three entries answered it, or all of them alike.
    """

    name: str
    mean: float
    entries: int
    discrimination: float | None


@dataclass(frozen=True)
class ItemAnalysis:
    """The samples of a task in the order of the data.

    `entries` have values per sample. `smallest_gap` is the median, over neighbours in the order of the task, of half
    their paired interval: a difference that is smaller is as a rule not told from none. `lowest` and `highest` are the
    values with which a sample counts as missed, or got, by all.
    """

    task: str
    entries: int
    items: tuple[Item, ...]
    smallest_gap: float | None
    level: float
    lowest: float = 0.0
    highest: float = 1.0

    @property
    def missed(self) -> tuple[Item, ...]:
        """The samples that no entry got."""
        return tuple(item for item in self.items if item.mean <= self.lowest)

    @property
    def got(self) -> tuple[Item, ...]:
        """The samples that every entry got."""
        return tuple(item for item in self.items if item.mean >= self.highest)

    @property
    def backward(self) -> tuple[Item, ...]:
        """The samples that better entries get less often, the worst first: look at their right answers."""
        found = [item for item in self.items if (item.discrimination or 0.0) < 0]
        return tuple(sorted(found, key=lambda item: item.discrimination or 0.0))


def analyse_items(board: Board, items: EntryItems, column: Column) -> ItemAnalysis | None:
    """The samples of a task; None where no entry has values per sample.

    Raises:
        StoreError: answers are gone or were changed since they were sealed.
    """
    answered = [
        (entry.cells[column.name].value or 0.0, found)
        for entry in board.entries
        if column.name in entry.cells and (found := items.on(entry, column.name)) is not None
    ]
    if not answered:
        return None
    matrix = task_matrix([found for _, found in answered], 1.0)
    names = list(dict.fromkeys(name for _, found in answered for name in found.names))
    values = np.asarray(matrix.values, dtype=np.float64)
    answered.sort(key=lambda each: -column.goodness(each[0]))
    return ItemAnalysis(
        task=column.name,
        entries=len(answered),
        items=tuple(_items(names, values)),
        smallest_gap=smallest_gap([found for _, found in answered], board.level),
        level=board.level,
    )


def smallest_gap(ordered: Sequence[Items], level: float) -> float | None:
    """Half of the paired interval of two neighbours, the median over all; None for fewer than two entries that share
    samples."""
    halves = []
    for first, second in pairwise(ordered):
        matrix = task_matrix([first, second], 1.0)
        shared = ~np.isnan(matrix.values).any(axis=0)
        clusters = matrix.clusters
        kept = None if clusters is None else [key for key, has in zip(clusters, shared, strict=True) if has]
        pair = TaskPair(matrix.values[0, shared], matrix.values[1, shared], clusters=kept)
        found = paired_difference([pair], level=level, normalised=False)
        half = half_width(found.interval.low, found.interval.high) if found is not None else None
        if half is not None:
            halves.append(half)
    return float(np.median(halves)) if halves else None


def discriminations(values: Array) -> Array:
    """The item–rest correlation of each column, over the entries (rows) that answered it; NaN where there is none.

    Args:
        values: shape (entries, items); NaN where an entry has no answer.

    Returns:
        Shape (items,).
    """
    sums, counts = np.nansum(values, axis=1), (~np.isnan(values)).sum(axis=1)
    found = [
        _correlations(values[:, start : start + AT_ONCE], sums, counts)
        for start in range(0, values.shape[1], AT_ONCE)
    ]
    return np.concatenate(found) if found else np.empty(0)


def _correlations(values: Array, sums: Array, counts: Array) -> Array:
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # items of nobody have no mean
        rest = (sums[:, None] - values) / (counts - 1)[:, None]
        rest[~np.isfinite(rest)] = np.nan
        both = np.where(np.isnan(rest), np.nan, values)
        own, other = both - np.nanmean(both, axis=0), rest - np.nanmean(rest, axis=0)
        spread = np.sqrt(np.nansum(own**2, axis=0) * np.nansum(other**2, axis=0))
        found = np.nansum(own * other, axis=0) / spread
    few = (~np.isnan(both)).sum(axis=0) < FEWEST
    # Values that are equal but for the last bits have no direction.
    return np.where(few | (spread < 1e-12), np.nan, np.clip(found, -1.0, 1.0))


def _items(names: Sequence[str], values: Array) -> list[Item]:
    means, counts = np.nanmean(values, axis=0), (~np.isnan(values)).sum(axis=0)
    return [
        Item(name, float(mean), int(count), None if np.isnan(correlation) else float(correlation))
        for name, mean, count, correlation in zip(names, means, counts, discriminations(values), strict=True)
    ]

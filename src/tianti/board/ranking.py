"""Who is shown to be better than whom: entries × items matrices, paired tests, rank intervals."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tianti.board.board import Rules
from tianti.board.results import Items
from tianti.stats import (
    MarginalRank,
    RankIntervals,
    TaskMatrix,
    marginal_rank,
    max_t_intervals,
    pairwise_p_values,
    rank_intervals,
)
from tianti.stats.moments import Array


def task_matrix(entries: Sequence[Items], weight: float) -> TaskMatrix:
    """The values of these entries on one task, side by side; NaN where an entry has no answer to an item."""
    names = list(dict.fromkeys(name for each in dict.fromkeys(e.names for e in entries) for name in each))
    place = {name: index for index, name in enumerate(names)}
    values = np.full((len(entries), len(names)), np.nan)
    clusters: dict[Hashable, Hashable] = {}
    usual: tuple[str, ...] = ()
    usual_places: slice | NDArray[np.intp] = slice(0)  # most entries answered the same items: looked up once
    for row, items in enumerate(entries):
        if items.names != usual:
            usual, usual_places = items.names, _places_of(items.names, place)
        values[row, usual_places] = items.values
        if items.clusters is not None:
            clusters.update(zip(items.names, items.clusters, strict=True))
    keys = [clusters.get(name, name) for name in names] if clusters else None
    return TaskMatrix(values, weight, keys)


def _places_of(names: Sequence[str], place: Mapping[str, int]) -> slice | NDArray[np.intp]:
    """Where these items stand; a slice where they stand side by side, which is copied faster."""
    found = np.array([place[name] for name in names], dtype=np.intp)
    first = int(found[0]) if len(found) else 0
    together = bool((found == np.arange(first, first + len(found))).all())
    return slice(first, first + len(found)) if together else found


@dataclass(frozen=True)
class Ranking:
    """Who is shown to be better than whom: for all entries at once, and for each alone."""

    simultaneous: RankIntervals
    p_values: Array

    def marginal(self, entry: int) -> MarginalRank:
        """The interval of ranks of one entry, corrected for its own comparisons only."""
        p = self.p_values
        return marginal_rank(p[entry], p[:, entry], entry, level=self.simultaneous.level)


def task_matrices(items: Mapping[str, Sequence[Items]], weights: Mapping[str, float]) -> list[TaskMatrix]:
    """Entries × items of each task.

    Args:
        items: for each task the items of every entry, in the order of the entries.
        weights: each task's weight in the mean (negative where lower is better).
    """
    return [task_matrix(entries, weights[task]) for task, entries in items.items() if entries]


def rank(matrices: Sequence[TaskMatrix], rules: Rules) -> Ranking | None:
    """The intervals of ranks of entries; None for no tasks."""
    if not matrices:
        return None
    p = pairwise_p_values(matrices)
    if rules.ranks == "max-t":
        simultaneous = max_t_intervals(matrices, seed=rules.seed, level=rules.level)
    else:
        simultaneous = rank_intervals(p, level=rules.level)
    return Ranking(simultaneous, p)


def places(values: Sequence[float]) -> list[int]:
    """1 + the number of greater values, for each: equal values share their place."""
    array = np.asarray(values, dtype=float)
    ordered = np.sort(array)
    return [int(place) for place in 1 + len(array) - np.searchsorted(ordered, array, side="right")]


def bands(order: Sequence[int], better: NDArray[np.bool_]) -> dict[int, int]:
    """The band (from 1) of each entry, walking from the top.

    The first entry of a band is its anchor: the band ends where an entry is shown to be worse than the
    anchor. A moving anchor would chain nearly all entries into one band.

    Args:
        order: the entries' indices, best first.
        better: shape (M, M); [i, j] says that i is shown to be better than j.
    """
    found: dict[int, int] = {}
    band, anchor = 0, -1
    for index in order:
        if anchor < 0 or better[anchor, index]:
            band, anchor = band + 1, index
        found[index] = band
    return found

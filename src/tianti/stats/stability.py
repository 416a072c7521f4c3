"""How far an order depends on choices that could have been made otherwise: the aggregate and the tasks' weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tianti.core.exceptions import InputError
from tianti.stats.aggregates import (
    AGGREGATES,
    DIGITS,
    AggregateName,
    aggregate,
    borda,
    borda_points,
    mean_win_rate,
    places_of,
    task_weights,
)
from tianti.stats.moments import Array
from tianti.stats.weight_change import WeightChange, smallest_change

DRAWS = 1000
LATENT_DRAWS = 100
"""Each is a fit of its own."""
RANGE = 0.90
"""The share of the drawn weights under which a place lies in its range: from the 5 % to the 95 % quantile."""


@dataclass(frozen=True)
class Agreement:
    """Two aggregates on the `entries` that both rank. `tau` is Kendall's τ-b (1945), 1 for the same order,
    NaN for fewer than two entries. `mover` is the index of the entry that moves farthest, from its place
    under `first` to that under `second`, both counted among these entries; None where nobody moves."""

    first: AggregateName
    second: AggregateName
    entries: int
    tau: float
    mover: int | None
    place_first: int | None
    place_second: int | None


@dataclass(frozen=True)
class WeightRange:
    """Places under random weights, shape (M,) each: 5 % and 95 % quantiles, and the share of weights under
    which the entry is first. NaN for entries that are not ranked."""

    low: Array
    high: Array
    first: Array
    draws: int
    seed: int


@dataclass(frozen=True)
class Stability:
    """`places`, shape (M,), by aggregate, NaN where not ranked; `refused` says why one could not be computed.

    `without`, shape (K, M), are the places of the aggregate `by` without each task, among the entries that
    `by` ranks; `random` those under random weights. `weight_change` is None where no weights change the leader,
    or `by` is not linear in the weights (`win-rate`, `latent`).
    """

    by: AggregateName
    places: Mapping[AggregateName, Array]
    refused: Mapping[AggregateName, str]
    agreements: tuple[Agreement, ...]
    without: Array
    random: WeightRange
    weight_change: WeightChange | None


def stability(
    scores: Array,
    weights: Array | None = None,
    *,
    by: AggregateName = "mean",
    items: Array | None = None,
    seed: int = 0,
    draws: int | None = None,
) -> Stability:
    """All orders of these entries that other choices would have given.

    The random weights are drawn from the Dirichlet distribution whose mean are the given weights and whose
    parameters sum to the number of tasks: with equal weights, every set of weights is as likely as any other.

    Args:
        scores, weights, items: as `aggregate` takes them.
        draws: how many random weights; 1,000 unless given, 100 for `latent`.

    Raises:
        InputError: as `aggregate` does for `by`.
    """
    scores = np.asarray(scores, dtype=np.float64)
    share = task_weights(scores, weights)
    chosen = aggregate(by, scores, share, items=items)
    places: dict[AggregateName, Array] = {by: places_of(chosen.values)}
    refused: dict[AggregateName, str] = {}
    for name in AGGREGATES:
        try:
            places[name] = places_of(aggregate(name, scores, share, items=items).values)
        except InputError as error:
            refused[name] = error.message
    orders = {name: places[name] for name in AGGREGATES if name in places}
    board = _Board(by, scores, share, items, chosen.tasks, np.asarray(~np.isnan(chosen.values)))
    return Stability(
        by=by,
        places=orders,
        refused=refused,
        agreements=tuple(_agreement(a, b, orders) for a, b in combinations(orders, 2)),
        without=np.stack([board.places_without(task) for task in range(scores.shape[1])]),
        random=board.under_random_weights(seed, draws or (LATENT_DRAWS if by == "latent" else DRAWS)),
        weight_change=board.smallest_change(),
    )


@dataclass(frozen=True)
class _Board:
    """What one aggregate ranks: `used` tasks, `ranked` entries."""

    by: AggregateName
    scores: Array
    share: Array
    items: Array | None
    used: NDArray[np.bool_]
    ranked: NDArray[np.bool_]

    def places_without(self, task: int) -> Array:
        """Places among the ranked entries without one task, shape (M,); NaN where too little is left."""
        used = self.used.copy()
        used[task] = False
        places = np.full(len(self.scores), np.nan)
        rows = self.ranked & np.asarray(~np.isnan(self.scores[:, used])).any(axis=1)
        if used.any() and rows.any():
            items = None if self.items is None else self.items[rows][:, used]
            try:
                found = aggregate(self.by, self.scores[rows][:, used], self.share[used], items=items)
            except InputError:
                return places
            places[rows] = places_of(found.values)
        return places

    def under_random_weights(self, seed: int, draws: int) -> WeightRange:
        share = self.share[self.used] / self.share[self.used].sum()
        generator = np.random.default_rng(seed)
        weights = generator.dirichlet(np.maximum(len(share) * share, 1e-6), size=draws)
        places = np.full((draws, len(self.scores)), np.nan)
        places[:, self.ranked] = places_of(np.round(self._values(weights), DIGITS))
        low, high, first = (np.full(len(self.scores), np.nan) for _ in range(3))
        tail = (1 - RANGE) / 2
        for bound, quantile in ((low, tail), (high, 1 - tail)):
            bound[self.ranked] = np.quantile(places[:, self.ranked], quantile, axis=0, method="inverted_cdf")
        first[self.ranked] = (places[:, self.ranked] == 1).mean(axis=0)
        return WeightRange(low, high, first, draws, seed)

    def _values(self, weights: Array) -> Array:
        """The values of the ranked entries, shape (draws, ranked), under weights of shape (draws, used)."""
        scores = self.scores[self.ranked][:, self.used]
        if self.by == "borda":
            return borda(scores, weights.T).T
        if self.by == "win-rate":
            return mean_win_rate(scores, weights.T).T
        if self.by == "latent":
            items = None if self.items is None else self.items[self.ranked][:, self.used]
            # A weight of nothing could leave an entry without any task.
            weights = np.maximum(weights, 1e-6)
            return np.stack([aggregate("latent", scores, each, items=items).values for each in weights])
        return np.asarray(weights @ scores.T)

    def smallest_change(self) -> WeightChange | None:
        if self.by in ("win-rate", "latent") or not self.ranked.any():
            return None
        scores = self.scores[self.ranked][:, self.used]
        parts = borda_points(scores) if self.by == "borda" else scores
        share = self.share[self.used] / self.share[self.used].sum()
        leader = int(np.round(parts @ share, DIGITS).argmax())
        found = smallest_change(parts, share, leader)
        if found is None:
            return None
        # From the ranked entries and used tasks back to all of them.
        rows = np.flatnonzero(self.ranked)
        weights = np.zeros(len(self.share))
        weights[self.used] = found.weights
        return WeightChange(int(rows[found.leader]), int(rows[found.rival]), found.share, weights)


def _agreement(
    first: AggregateName, second: AggregateName, orders: Mapping[AggregateName, Array]
) -> Agreement:
    from scipy.stats import kendalltau

    both = np.flatnonzero(~np.isnan(orders[first]) & ~np.isnan(orders[second]))
    if not len(both):
        return Agreement(first, second, 0, float("nan"), None, None, None)
    # Places are counted anew among the entries that both rank: one that only one of them ranks moves nobody.
    one, other = (places_of(-orders[name][both]) for name in (first, second))
    moves = np.abs(one - other)
    tau = float(kendalltau(one, other).statistic) if len(both) > 1 else float("nan")
    if not moves.any():
        return Agreement(first, second, len(both), tau, None, None, None)
    moved = int(moves.argmax())
    return Agreement(first, second, len(both), tau, int(both[moved]), int(one[moved]), int(other[moved]))

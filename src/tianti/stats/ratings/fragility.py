"""How few votes hold up the first place.

A tiny, chosen set of votes can decide who is first (Huang, Shen, Wei and Broderick 2025, arXiv:2508.11847).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array
from tianti.stats.ratings.battles import Codes
from tianti.stats.ratings.existence import exist
from tianti.stats.ratings.likelihood import outcome_scores
from tianti.stats.ratings.newton import Cells, Fit, cell_counts, fit
from tianti.stats.ratings.rate import Ratings

CHALLENGERS = 5
LEVEL = 1e-9
"""Two strengths that differ by less are equal."""


@dataclass(frozen=True)
class Unseat:
    """Without `votes` of all votes, chosen for it, `successor` is first, or level with the first.

    An upper bound: these votes were found by a greedy search and verified by fitting again without them;
    fewer may do.
    """

    votes: int
    successor: int


def votes_to_unseat(ratings: Ratings) -> Unseat | None:
    """The fewest votes found, without which another model is first; None where none were found.

    For each of the five challengers whose distance to the first is smallest in standard errors, votes are
    ordered by their influence on that distance, (e₁ − e_j)ᵀ H⁻¹ s (Broderick, Giordano and Meager 2020,
    arXiv:2011.14999), and the smallest number to drop from the front of this order is found by bisection,
    each step a fit to what is left.
    """
    strengths = ratings.strengths
    leader = int(strengths.argmax())
    gaps = strengths[leader] - strengths
    errors = ratings.difference_errors()[leader]
    others = np.flatnonzero(np.arange(len(strengths)) != leader)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = np.where(np.isnan(errors[others]), gaps[others], gaps[others] / errors[others])
    best: Unseat | None = None
    for challenger in others[np.argsort(distance, kind="stable")][:CHALLENGERS]:
        if gaps[challenger] < LEVEL:
            return Unseat(0, int(challenger))
        order = _Order.by_influence(ratings, leader, int(challenger))
        found = _bisect(ratings, order, leader, float(gaps[challenger]), best.votes if best else None)
        if found is not None and (best is None or found.votes < best.votes):
            best = found
    return best


@dataclass(frozen=True)
class _Order:
    """Kinds of votes (cell and outcome, flattened), the most influential first, with how many there are of
    each and how much one moves the distance."""

    kinds: Codes
    counts: Array
    influence: Array

    @classmethod
    def by_influence(cls, ratings: Ratings, leader: int, challenger: int) -> _Order:
        fitted, cells = ratings.fit, ratings.cells
        direction = fitted.bread[:, leader] - fitted.bread[:, challenger]
        by_margin, by_tie = outcome_scores(cells.project(fitted.parameters), fitted.log_nu)
        influence = by_margin * cells.project(direction)[:, None]
        if fitted.log_nu is not None:
            influence = influence + by_tie * direction[-1]
        flat, counts = influence.ravel(), cells.weights.ravel()
        kinds = np.flatnonzero((flat > 0) & (counts > 0))
        kinds = kinds[np.argsort(-flat[kinds], kind="stable")].astype(np.intp)
        return cls(kinds, counts[kinds], flat[kinds])

    def without(self, cells: Cells, votes: int) -> Cells:
        """What is left when so many votes are dropped from the front."""
        before = np.concatenate([[0.0], np.cumsum(self.counts)[:-1]])
        dropped = np.clip(votes - before, 0.0, self.counts)
        weights = cells.weights.ravel().copy()
        weights[self.kinds] -= dropped
        return replace(cells, weights=weights.reshape(cells.weights.shape))

    def enough(self, distance: float) -> int:
        """How many votes move the distance to 0, by the first order of their influence."""
        moved = np.cumsum(self.counts * self.influence)
        place = int(np.searchsorted(moved, distance))
        if place == len(moved):
            return int(self.counts.sum())
        rest = distance - (moved[place - 1] if place else 0.0)
        return int(self.counts[:place].sum() + np.ceil(rest / self.influence[place]))


def _bisect(ratings: Ratings, order: _Order, leader: int, distance: float, beat: int | None) -> Unseat | None:
    """The smallest number of votes from the front of the order that unseats the leader; None where there is
    none below `beat`."""
    most = int(order.counts.sum()) if beat is None else min(beat - 1, int(order.counts.sum()))
    low, high = 0, min(order.enough(distance), most)
    start = ratings.fit
    while (first := _first_without(ratings.cells, order, high, leader, start)) == leader:
        if high >= most:
            return None
        low, high = high, min(high + max(high // 4, 1), most)
    found = None if first is None else Unseat(high, first)
    while high - low > 1:
        middle = (low + high) // 2
        first = _first_without(ratings.cells, order, middle, leader, start)
        if first == leader:
            low = middle
        else:  # another is first, or so much is gone that nobody is
            high, found = middle, found if first is None else Unseat(middle, first)
    return found


def _first_without(cells: Cells, order: _Order, votes: int, leader: int, start: Fit) -> int | None:
    """Who is first without these votes, another than the leader where they are level; None where what is left
    determines no ratings."""
    left = order.without(cells, votes)
    kept = left.all_weights.any(axis=1)
    left = Cells(
        left.first[kept], left.second[kept], left.style[kept], left.weights[kept], left.imagined[kept],
        left.models,
    )  # fmt: skip
    if not exist(cell_counts(left), ties=start.log_nu is not None):
        return None
    try:
        strengths = fit(left, ties=start.log_nu is not None, start=start.parameters).strengths
    except (InputError, np.linalg.LinAlgError):
        return None
    others = np.where(np.arange(len(strengths)) == leader, -np.inf, strengths)
    successor = int(others.argmax())
    return successor if others[successor] >= strengths[leader] - LEVEL else leader

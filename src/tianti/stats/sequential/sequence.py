"""The confidence sequence of one entry's score on the bank: an interval that holds at every moment at once."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tianti.core.exceptions import InputError
from tianti.stats.intervals import THIS_BANK, Interval
from tianti.stats.moments import Array, quantile
from tianti.stats.sequential.bank import Bank
from tianti.stats.sequential.betting import Bets
from tianti.stats.sequential.control import Control

METHOD = "betting without replacement"
_GRID, _ROUNDS = 24, 6


class OneMean:
    """Bets that the score of one entry is above, or below, each of some limits.

    "Above" bets on the values, "below" on what they lack to be perfect: both are not below 0. Answers that are
    missing count as the value that is worst for what would be shown.

    A `Control` makes the bets sharper: from the item on where its predictions were made, the draws are the values
    less their predictions, whose sum over the remaining items is known. It can bias nothing.
    """

    def __init__(self, limits: Sequence[float] | Array, bank: Bank, control: Control | None = None) -> None:
        """Args:
        limits: scores. control: predictions for the items, made when `control.start` of them had been asked.
        """
        means = np.array([bank.mean(float(limit)) for limit in np.asarray(limits)])
        self.bank, self.control = bank, control
        self.asked = 0
        self._above = Bets(means, bank.size)
        self._below = Bets(bank.unit_mean - means, bank.size)

    def take(self, low: Array, high: Array, tasks: Sequence[str]) -> None:
        """Take the next items: the bounds of their values in [0, 1], equal where there is an answer."""
        if not ((low >= 0) & (low <= high) & (high <= 1)).all():
            raise InputError("a value is not in [0, 1]")
        units = self.bank.units(tasks)
        start = self.control.start if self.control else self.bank.size
        before = max(0, min(len(units), start - self.asked))
        if before:
            for bets, values in ((self._above, low), (self._below, 1 - high)):
                bets.draw(values[:before] * units[:before], self.asked, least=0.0, remaining=np.zeros(before))
            self.asked += before
        if before == len(units) or self.control is None:
            return
        here = slice(self.asked, self.asked + len(units) - before)
        for bets, values, predicted in (
            (self._above, low, self.control.predicted),
            (self._below, 1 - high, 1 - self.control.predicted),
        ):
            expected = predicted * self.control.units
            if self.asked == start:
                bets.take_out(float(expected[start:].sum()))
            draws = values[before:] * units[before:] - expected[here]
            after = np.cumsum(expected[start:]) - expected[start:].sum()
            remaining = after[here.start - start : here.stop - start]
            bets.draw(draws, self.asked, least=-float(expected[start:].max()), remaining=remaining)
        self.asked = here.stop

    @property
    def above(self) -> Array:
        """log of the greatest E so far against "at most this limit", for each limit."""
        return self._above.best

    @property
    def below(self) -> Array:
        """log of the greatest E so far against "at least this limit", for each limit."""
        return self._below.best


def anytime_interval(
    low: Array,
    high: Array,
    tasks: Sequence[str],
    bank: Bank,
    *,
    level: float = 0.95,
    control: Control | None = None,
    estimate: float | None = None,
) -> Interval:
    """The scores that no bet has refuted so far, each side at half of 1 − level.

    It holds at all moments at once: it may be looked at after every item and used to stop (Waudby-Smith and Ramdas
    2020). After the last item it is one point, if no answer is missing.

    Args:
        low, high: the bounds of the values of the items asked so far, in the committed order. estimate: what to give
            as such; by default the mean of the values, missing ones half-way.
    """
    quantile(level)
    limit = math.log(2 / (1 - level))
    ends = (bank.score(0.0), bank.score(bank.unit_mean))
    bounds = []
    for side in ("above", "below"):
        left, right = ends
        for _ in range(_ROUNDS):
            grid = np.linspace(left, right, _GRID)
            bets = OneMean(grid, bank, control)
            bets.take(low, high, tasks)
            if side == "above":  # refuted from the left up to somewhere
                out = int((bets.above >= limit).sum())
                left, right = grid[max(out - 1, 0)], grid[min(out, _GRID - 1)]
            else:
                out = int((bets.below >= limit).sum())
                left, right = grid[max(_GRID - out - 1, 0)], grid[min(_GRID - out, _GRID - 1)]
        bounds.append(float(left if side == "above" else right))
    if estimate is None:
        units = bank.units(tasks)
        worth = float(((low + high) / 2 * units).sum() / units.sum()) if len(units) else 0.5
        estimate = bank.score(worth * bank.unit_mean)
    return Interval(
        estimate,
        min(bounds[0], estimate),
        max(bounds[1], estimate),
        level,
        METHOD,
        len(tasks),
        None,
        THIS_BANK,
    )

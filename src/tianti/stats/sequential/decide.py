"""Whether the ranking is decided: every two entries in order, or tied within δ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array, quantile
from tianti.stats.sequential.bank import Bank
from tianti.stats.sequential.betting import Bets

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Decisions:
    """What is shown so far, all of it at once with the level's probability.

    `better[i, j]`: i is better than j. `near[i, j]`: i is better than j, or worse by less than δ. `low[j]` … `high[j]`
    holds the true rank of j.
    """

    better: Flags
    near: Flags

    @property
    def decided(self) -> Flags:
        """Of which pairs the order is shown, or that they are tied within δ; shape (M, M)."""
        return np.asarray(self.better | self.better.T | (self.near & self.near.T))

    @property
    def settled(self) -> Flags:
        """Entries of which every comparison is decided."""
        return np.asarray((self.decided | np.eye(len(self.better), dtype=bool)).all(axis=1))

    @property
    def low(self) -> NDArray[np.intp]:
        low: NDArray[np.intp] = 1 + self.better.sum(axis=0)
        return low

    @property
    def high(self) -> NDArray[np.intp]:
        high: NDArray[np.intp] = len(self.better) - self.better.sum(axis=1)
        return high


class Ranking:
    """Takes the values of entries round by round, in the committed order, and says what they decide.

    For every ordered pair two hypotheses are tested by betting on the differences of their values (`Bets`):
    θ_i − θ_j ≤ 0, whose fall shows that i is better than j, and θ_i − θ_j ≤ −δ, whose fall shows that i is not
    worse by δ or more; two entries of which neither is worse by δ are tied within δ.

    An answer that is missing has the value that is worst for what would be shown, so it never helps to show anything.

    Holm's step-down (1979) on 1/max E: a hypothesis falls when its E ever reached (M(M−1) − r)/α, with r ordered pairs
    shown so far. The second hypothesis of a pair costs nothing: it lies within the first, whose E is never greater
    (`Bets`), so that a false statement about an ordered pair is always the work of one E that ought to stay small.
    What follows from what is shown (i > j > k) is shown too. All of it holds at any time, for any rule of stopping, and
    depends only on how many items each entry was asked.
    """

    def __init__(self, entries: int, bank: Bank, *, delta: float, level: float = 0.95) -> None:
        """Args:
        delta: how far apart tied entries may be, as a share (0.02 is two points).

        Raises:
            InputError: no entries, δ is not above 0, or the level not between 0 and 1.
        """
        if entries < 1:
            raise InputError("a ranking needs entries", remedy="give at least one")
        check_delta(delta)
        quantile(level)
        self.bank, self.level = bank, level
        self.family = entries * (entries - 1)
        self.asked = np.zeros(entries, dtype=np.intp)
        self._first, self._second = np.nonzero(~np.eye(entries, dtype=bool))
        self._order = Bets(np.zeros(self.family), bank.size)
        self._near = Bets(np.full(self.family, -delta / bank.reach), bank.size)
        self._units = bank.unit_mean * bank.size

    def take(self, low: Array, high: Array, tasks: Sequence[str], running: Sequence[int] | Flags) -> None:
        """Take the next items of the entries that still run.

        Args:
            low, high: shape (running entries, items); the least and the greatest value in [0, 1] that an answer can
                have, equal where there is one. tasks: the task of each item. running: the indices of the entries, or
                a flag for each; they have all been asked the same items so far.
        """
        flags = np.asarray(running)
        entries = np.flatnonzero(flags) if flags.dtype == bool else flags.astype(np.intp)
        starts = np.unique(self.asked[entries])
        if not len(starts) or not len(tasks):
            return
        if len(starts) > 1 or starts[0] != self.asked.max():
            raise InputError("entries that take items together were asked the same items before")
        if not ((low >= 0) & (low <= high) & (high <= 1)).all():
            raise InputError("a value is not in [0, 1]")
        units = self.bank.units(tasks)
        ends = self._units - np.cumsum(units)
        row = np.full(len(self.asked), -1)
        row[entries] = np.arange(len(entries))
        pairs = np.flatnonzero((row[self._first] >= 0) & (row[self._second] >= 0))
        firsts, seconds = row[self._first[pairs]], row[self._second[pairs]]
        asked, worth, best = int(starts[0]), low * units, high * units
        # So many pairs at once that their numbers stay in the processor's cache.
        for part in np.array_split(np.arange(len(pairs)), max(1, len(pairs) // 256)):
            draws = worth[firsts[part]] - best[seconds[part]]
            for bets in (self._order, self._near):
                bets.draw(draws, asked, least=-1.0, remaining=-ends, which=pairs[part])
        self._units = float(ends[-1])
        self.asked[entries] += len(tasks)

    def decisions(self) -> Decisions:
        """What is shown so far."""
        count = len(self.asked)
        order, near = self._square(self._order.best), self._square(self._near.best)
        better, close = np.zeros((count, count), dtype=bool), np.zeros((count, count), dtype=bool)
        shown = -1
        while self.family and shown < better.sum() + close.sum():
            shown = better.sum() + close.sum()
            if better.sum() >= self.family:
                break
            threshold = math.log((self.family - better.sum()) / (1 - self.level))
            better, close = _closed(better | (order >= threshold), close | (near >= threshold))
        contradicted = better & better.T
        return Decisions(better & ~contradicted, close & ~contradicted)

    def _square(self, values: Array) -> Array:
        square = np.full((len(self.asked),) * 2, -np.inf)
        square[self._first, self._second] = values
        return square


def rank_prefixes(
    low: Sequence[Array],
    high: Sequence[Array],
    tasks: Sequence[str],
    bank: Bank,
    *,
    delta: float,
    level: float = 0.95,
) -> Ranking:
    """The ranking of entries that were each asked a beginning of the committed order, some a longer one than others.

    Args:
        low, high: of each entry, the bounds of its values on the items that it was asked. tasks: those of all items
            that any was asked.
    """
    ranking = Ranking(len(low), bank, delta=delta, level=level)
    lengths = [len(values) for values in low]
    start = 0
    for end in sorted({*lengths} - {0}):
        running = [entry for entry, length in enumerate(lengths) if length >= end]
        ranking.take(
            np.array([low[entry][start:end] for entry in running]),
            np.array([high[entry][start:end] for entry in running]),
            tasks[start:end],
            running,
        )
        start = end
    return ranking


def check_delta(delta: float) -> None:
    """Raise InputError unless 0 < δ < 1."""
    if not 0 < delta < 1:
        raise InputError(
            f"a δ of {delta} decides no tie", remedy="give how far apart tied entries may be, such as 0.02"
        )


def _closed(better: Flags, near: Flags) -> tuple[Flags, Flags]:
    """What follows: i > j > k gives i > k; where one of the two steps is only near, i is near k."""
    while True:
        steps, close = better.astype(np.float32), (near | better).astype(np.float32)
        more = better | (steps @ steps > 0)
        nearer = near | better | (steps @ close > 0) | (close @ steps > 0)
        np.fill_diagonal(more, False)
        np.fill_diagonal(nearer, False)
        if (more == better).all() and (nearer == near).all():
            return better, near
        better, near = more, nearer

"""The place of one new entry among entries whose scores on the bank are known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array, quantile
from tianti.stats.sequential.bank import Bank
from tianti.stats.sequential.control import Control
from tianti.stats.sequential.decide import Flags, check_delta
from tianti.stats.sequential.sequence import OneMean

FIRST_ITEMS = 250
"""Items after which the control variate is fitted: enough to learn from, few to lose bets on."""


@dataclass(frozen=True)
class Place:
    """`above[k]`: incumbent k is shown to be better than the new entry; `below[k]`: to be worse; `tied[k]`: to be
    within δ of it. `low` … `high` holds the new entry's rank among all."""

    above: Flags
    below: Flags
    tied: Flags

    @property
    def settled(self) -> Flags:
        settled: Flags = self.above | self.below | self.tied
        return settled

    @property
    def low(self) -> int:
        return 1 + int(self.above.sum())

    @property
    def high(self) -> int:
        return 1 + len(self.below) - int(self.below.sum())


class Placing:
    """Takes the new entry's values in the committed order and says where it stands.

    The incumbents' scores on the bank are known numbers, so one confidence sequence of the new entry's score settles
    all comparisons at once, without a correction for their number.
    """

    def __init__(
        self,
        incumbents: Array,
        bank: Bank,
        *,
        delta: float,
        level: float = 0.95,
        control: Control | None = None,
    ) -> None:
        """Args:
        incumbents: shape (2, K): the least and the greatest score that each can have; equal where no answer is
            missing. delta: how far apart tied entries may be, as a share.

        Raises:
            InputError: no incumbents, δ is not above 0, or the level not between 0 and 1.
        """
        check_delta(delta)
        quantile(level)
        scores = np.asarray(incumbents, dtype=np.float64)
        if scores.ndim != 2 or scores.shape[0] != 2 or not scores.shape[1]:
            raise InputError("there is nobody to be placed among", remedy="give the scores of incumbents")
        least, greatest = scores
        self._count = scores.shape[1]
        self._limit = math.log(2 / (1 - level))
        # Above: greater than all that k can have, or than its least by −δ; below alike.
        self._limits = np.concatenate([greatest, greatest - delta, least, least + delta])
        self._bets = OneMean(self._limits, bank, control)

    @property
    def asked(self) -> int:
        return self._bets.asked

    def take(self, low: Array, high: Array, tasks: Sequence[str]) -> None:
        """Take the next items: the bounds of their values in [0, 1], equal where there is an answer."""
        self._bets.take(low, high, tasks)

    def place(self) -> Place:
        """What is shown so far."""
        over, under = self._bets.above >= self._limit, self._bets.below >= self._limit
        beats, not_below, _, _ = over.reshape(4, self._count)
        _, _, loses, not_above = under.reshape(4, self._count)
        tied: NDArray[np.bool_] = not_below & not_above & ~beats & ~loses
        return Place(above=loses & ~beats, below=beats & ~loses, tied=tied)

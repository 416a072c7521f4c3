"""Battles between pairs of models, and how often each pair met with which outcome."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array

FIRST_WINS, SECOND_WINS, TIE = 0, 1, 2
"""The outcomes of a battle. "Both are bad" is none of them: it says nothing about which is better, and a tie
between two good answers is something else."""
OUTCOMES = 3

Codes = NDArray[np.intp]


@dataclass(frozen=True)
class Battles:
    """n battles among `models` models.

    `first` and `second`, shape (n,), are the numbers of the two models, `outcome` what came of it. `style`,
    shape (n, K), holds covariates of first minus second, such as the difference of the answers' lengths; they
    must change their sign when the two change places. `clusters` holds for each way of grouping (by voter, by
    prompt) the number of each battle's group, from 0.
    """

    first: Codes
    second: Codes
    outcome: NDArray[np.int8]
    models: int
    style: Array | None = None
    clusters: tuple[Codes, ...] = ()

    def __post_init__(self) -> None:
        sizes = {len(self.first), len(self.second), len(self.outcome), *map(len, self.clusters)}
        if self.style is not None:
            sizes.add(len(self.style))
            if self.style.ndim != 2 or not np.isfinite(self.style).all():
                raise InputError("style: expected finite numbers of shape (battles, covariates)")
        if len(sizes) != 1:
            raise InputError(
                f"columns of different lengths: {sorted(sizes)}", remedy="give one value per battle"
            )
        if not len(self.first):
            raise InputError("there are no battles")
        for side in (self.first, self.second):
            if side.min() < 0 or side.max() >= self.models:
                raise InputError(f"a battle names a model that is not one of 0 … {self.models - 1}")
        if (self.first == self.second).any():
            raise InputError("a model stands against itself", remedy="leave such battles out")
        if self.outcome.min() < 0 or self.outcome.max() >= OUTCOMES:
            raise InputError("an outcome is not 0 (first wins), 1 (second wins) or 2 (tie)")

    def __len__(self) -> int:
        return len(self.first)

    def select(self, kept: NDArray[np.bool_]) -> Battles:
        """The battles that `kept` says, shape (n,)."""
        return Battles(
            self.first[kept],
            self.second[kept],
            self.outcome[kept],
            self.models,
            None if self.style is None else self.style[kept],
            tuple(codes[kept] for codes in self.clusters),
        )


@dataclass(frozen=True)
class Counts:
    """`wins[i, j]`: how often i won against j; `ties[i, j]` = `ties[j, i]`: how often they tied. Shape (M,
    M)."""

    wins: Array
    ties: Array

    @property
    def total(self) -> int:
        """How many battles there are."""
        return int(self.wins.sum() + self.ties.sum() / 2)


def count(battles: Battles) -> Counts:
    """Who won against whom how often: one pass over the battles."""
    size = battles.models
    cell = battles.first * (OUTCOMES * size)
    cell += battles.second * OUTCOMES
    cell += battles.outcome
    found = np.bincount(cell, minlength=size * size * OUTCOMES).astype(np.float64)
    first_wins, second_wins, ties = np.moveaxis(found.reshape(size, size, OUTCOMES), 2, 0)
    return Counts(wins=first_wins + second_wins.T, ties=ties + ties.T)

"""The likelihood of one battle: win, loss or tie, from how far the two models are apart.

Davidson (1970, JASA 65, 317–328) gives win, loss and tie the weights π_i : π_j : ν√(π_i π_j). With the margin
d = log π_i − log π_j these are e^(d/2) : e^(−d/2) : ν: an exponential family whose statistics are ±½ (0 for a
tie) and 1 for a tie. With ν = 0 it is Bradley and Terry's model (1952, Biometrika 39, 324–345), and a tie,
whose statistic is 0, then counts as half a win for each. So one formula serves both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tianti.stats.moments import Array
from tianti.stats.ratings.battles import TIE

MARGIN_STATISTIC = np.array([0.5, -0.5, 0.0])
"""What an outcome (first wins, second wins, tie) says about the margin."""


@dataclass(frozen=True)
class Slopes:
    """The log-likelihood of cells of battles, its gradient by margin and by log ν, and its information (minus
    the second derivatives), each of shape (cells,)."""

    value: float
    margin: Array
    tie: Array
    margin_margin: Array
    margin_tie: Array
    tie_tie: Array


def probabilities(margin: Array, log_nu: float | None) -> tuple[Array, Array]:
    """P(first wins) − P(second wins), and P(tie); `log_nu` None stands for ν = 0."""
    gap = np.tanh(margin / 2)
    if log_nu is None:
        return gap, np.zeros_like(margin)
    decided = np.logaddexp(margin / 2, -margin / 2)
    tie = 1 / (1 + np.exp(decided - log_nu))
    return gap * (1 - tie), tie


def slopes(margin: Array, log_nu: float | None, weights: Array) -> Slopes:
    """Value and derivatives of Σ weight · log P over the outcomes of each cell.

    Args:
        weights: shape (cells, 3), how often first won, second won, and they tied.
    """
    total = weights.sum(axis=1)
    gap, tie = probabilities(margin, log_nu)
    won = (weights[:, 0] - weights[:, 1]) / 2
    log_sum = np.logaddexp(margin / 2, -margin / 2)
    value = won @ margin
    if log_nu is not None:
        log_sum = np.logaddexp(log_sum, log_nu)
        value += log_nu * weights[:, TIE].sum()
    return Slopes(
        value=float(value - total @ log_sum),
        margin=won - total * gap / 2,
        tie=weights[:, TIE] - total * tie,
        # P(1) + P(2) − (P(1) − P(2))², without the cancellation where one side is sure to win.
        margin_margin=total * (1 - tie) * (1 / np.cosh(margin / 2) ** 2 + tie * np.tanh(margin / 2) ** 2) / 4,
        margin_tie=-total * gap * tie / 2,
        tie_tie=total * tie * (1 - tie),
    )


def outcome_scores(margin: Array, log_nu: float | None) -> tuple[Array, Array]:
    """The gradient that one battle of each outcome has, by margin and by log ν: two arrays of shape (cells,
    3)."""
    gap, tie = probabilities(margin, log_nu)
    by_margin = MARGIN_STATISTIC - gap[:, None] / 2
    by_tie = np.array([0.0, 0.0, 1.0]) - tie[:, None]
    return by_margin, by_tie


def battle_scores(margin: Array, log_nu: float | None, outcome: NDArray[np.int8]) -> tuple[Array, Array]:
    """The gradient of each battle by margin and by log ν: two arrays of shape (battles,)."""
    gap, tie = probabilities(margin, log_nu)
    return MARGIN_STATISTIC[outcome] - gap / 2, (outcome == TIE) - tie

"""The e-process of wins and losses, for new items of the same kind."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaln

from tianti.core.exceptions import InputError
from tianti.stats.moments import Array

PRIORS = (10.0, 100.0)
"""The a of the mixture: 10 wins where nearly all differences are on one side, 100 where they are nearly even."""


def log_beta_binomial(wins: ArrayLike, losses: ArrayLike) -> Array:
    """log E for the hypothesis "a win is at most as likely as a loss", from counts of both so far.

    The likelihood ratio of a win's probability p > ½, drawn from Beta(a, a) cut off at ½, to p = ½:
    log E = (W+L) log 2 + log 2 + log B(a+W, a+L) − log B(a, a) + log P(Beta(a+W, a+L) > ½), and the mean of the E
    over a ∈ {10, 100}. Its expectation is at most 1 at every p ≤ ½ and at any time, so that E ever reaches 1/α with
    a probability of at most α (Ville's inequality; the mixture is Robbins' of 1970).

    Raises:
        InputError: a count is negative.
    """
    won, lost = np.asarray(wins, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    if (won < 0).any() or (lost < 0).any():
        raise InputError("wins and losses are counts, from 0")
    logs = []
    for a in PRIORS:
        above = np.maximum(betainc(a + lost, a + won, 0.5), 1e-300)
        logs.append(betaln(a + won, a + lost) - betaln(a, a) + np.log(above))
    scale = (won + lost + 1) * math.log(2) - math.log(len(PRIORS))
    mixed = scale + np.logaddexp.reduce(logs, axis=0)
    # Far on the losing side the last factor is too small for a float; there E is below 1 all the same.
    kept: Array = np.where(won <= lost, np.minimum(mixed, 0.0), mixed)
    return kept

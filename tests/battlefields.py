"""Simulated battles with known strengths."""

from __future__ import annotations

import numpy as np

from tianti.stats.ratings import FIRST_WINS, SECOND_WINS, TIE, Battles
from tianti.stats.ratings.likelihood import probabilities


def fight(rng, strengths, n, *, nu=0.0, gamma=(), votes=1, taste=0.0):
    """n battles of random pairs under Davidson's model (Bradley and Terry's for ν = 0).

    `gamma` are the effects of standard normal covariates. With `votes` > 1 so many battles in a row are of
    one voter; `taste` is the standard deviation of what a voter adds to each strength.
    """
    models = len(strengths)
    first = rng.integers(models, size=n)
    second = (first + rng.integers(1, models, size=n)) % models
    style = rng.normal(size=(n, len(gamma))) if len(gamma) else None
    voter = np.arange(n) // votes
    tastes = rng.normal(scale=taste, size=(voter.max() + 1, models)) if taste else np.zeros((1, models))
    of = voter if taste else np.zeros(n, dtype=int)
    margin = strengths[first] - strengths[second] + tastes[of, first] - tastes[of, second]
    if style is not None:
        margin = margin + style @ np.asarray(gamma)
    lead, tie = probabilities(margin, np.log(nu) if nu else None)
    draw = rng.random(n)
    win = (1 - tie + lead) / 2
    outcome = np.where(draw < win, FIRST_WINS, np.where(draw < win + tie, TIE, SECOND_WINS)).astype(np.int8)
    return Battles(first, second, outcome, models, style, (voter,) if votes > 1 else ())

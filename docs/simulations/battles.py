"""Ratings from votes on pairs of answers, where the strengths are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tianti.stats.ratings import FIRST_WINS, SECOND_WINS, TIE, Battles, rate

STRENGTHS = np.linspace(-0.8, 0.8, 6)
TIE_RATE = 0.7
"""Davidson's ν: two equal models tie with probability ν/(2 + ν), 26 %."""
PAIRS = [(5, 0), (5, 4), (3, 2), (1, 0)]


def fight(rng, n, *, votes=1, taste=0.0, effect=0.0):
    """n votes on random pairs under Davidson's model.

    `votes` in a row are of one voter, who adds an own taste (standard deviation `taste`) to each strength; `effect`
    is that of a standard normal covariate of style.
    """
    models = len(STRENGTHS)
    first = rng.integers(models, size=n)
    second = (first + rng.integers(1, models, size=n)) % models
    voter = np.arange(n) // votes
    tastes = (
        rng.normal(scale=taste, size=(voter.max() + 1, models))
        if taste
        else np.zeros((voter.max() + 1, models))
    )
    style = rng.normal(size=(n, 1))
    strength = STRENGTHS + tastes[voter]
    rows = np.arange(n)
    margin = strength[rows, first] - strength[rows, second] + effect * style[:, 0]
    weights = np.stack([np.exp(margin / 2), np.exp(-margin / 2), np.full(n, TIE_RATE)])
    drawn = rng.random(n) * weights.sum(axis=0)
    outcome = np.select([drawn < weights[0], drawn < weights[0] + weights[1]], [FIRST_WINS, SECOND_WINS], TIE)
    return Battles(first, second, outcome.astype(np.int8), models, style if effect else None, (voter,))


def ties(votes=100_000):
    """Strengths that are found where ties are modelled, and where a tie counts as half a win for each."""
    battles = replace(fight(np.random.default_rng(20), votes), clusters=())
    found = {way: rate(battles, ties=way).strengths for way in ("davidson", "half")}
    slope = {way: float(np.polyfit(STRENGTHS, strengths, 1)[0]) for way, strengths in found.items()}
    return {"true": STRENGTHS, **found, "slope": slope}


def voters(boards=200, votes=2000, taste=1.0):
    """Coverage of differences by how many votes a voter casts, with tastes of their own."""
    truth = rate(
        replace(fight(np.random.default_rng(21), 500_000, votes=20, taste=taste), clusters=())
    ).strengths
    rng = np.random.default_rng(22)
    counts = [1, 5, 20, 50]
    found = {"clustered": [], "plain": []}
    for count in counts:
        hits = {"clustered": 0, "plain": 0}
        for _ in range(boards):
            battles = fight(rng, votes, votes=count, taste=taste)
            for name, given in (("clustered", battles), ("plain", replace(battles, clusters=()))):
                ratings = rate(given)
                for one, other in PAIRS:
                    gap = ratings.difference(one, other)
                    hits[name] += gap.low <= truth[one] - truth[other] <= gap.high
        for name, hit in hits.items():
            found[name].append(hit / (boards * len(PAIRS)))
    return {"votes": counts, **found}


def style(boards=1000, votes=800, effect=0.25):
    """How a planted effect of style is found: the mean estimate, and how often its interval holds the truth."""
    rng = np.random.default_rng(23)
    found = [rate(replace(fight(rng, votes, effect=effect), clusters=())).style()[0] for _ in range(boards)]
    return {
        "mean": float(np.mean([each.estimate for each in found])),
        "coverage": float(np.mean([each.low <= effect <= each.high for each in found])),
    }

"""One number over several tasks: how far the order depends on which one, and what missing scores do."""

from __future__ import annotations

import numpy as np
from scipy import stats
from scipy.special import expit

from tianti.stats import aggregate, normalise, places_of, stability


def _scores(rng, entries, tasks):
    """Normalised scores: abilities differ, tasks differ in difficulty and in how sharply they tell entries apart."""
    ability = rng.normal(size=(entries, 1))
    sharp, difficulty = rng.lognormal(sigma=0.3, size=tasks), rng.normal(scale=1.2, size=tasks)
    return expit(sharp * ability - difficulty + 0.4 * rng.normal(size=(entries, tasks)))


def orders(entries=12, tasks=6):
    """The places of one board's entries under several aggregates, and under random weights of its tasks."""
    scores = _scores(np.random.default_rng(50), entries, tasks)
    scores = scores[np.argsort(-scores.mean(axis=1))]
    found = stability(scores)
    return {
        "places": {name: found.places[name] for name in ("mean", "borda", "latent")},
        "weights": (found.random.low, found.random.high),
        "first": found.random.first,
        "change": found.weight_change.share,
    }


def missing(boards=100, entries=30, tasks=8):
    """How far places lie on average from those without gaps (by the same aggregate), by the share missing."""
    rng = np.random.default_rng(51)
    shares = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    found = {name: [] for name in ("average of what is there", "borda", "win-rate", "latent")}
    for share in shares:
        moved = dict.fromkeys(found, 0.0)
        for _ in range(boards):
            scores = _scores(rng, entries, tasks)
            gone = rng.random(scores.shape) < share
            gone[np.arange(entries), rng.integers(tasks, size=entries)] = False  # one at least is there
            cut = np.where(gone, np.nan, scores)
            for name in found:
                before, after = (_values(name, each) for each in (scores, cut))
                moved[name] += float(np.abs(places_of(before) - places_of(after)).mean()) / boards
        for name, distance in moved.items():
            found[name].append(distance)
    return {"share": shares, **found}


def _values(name, scores):
    if name == "average of what is there":
        return np.nanmean(scores, axis=1)
    return aggregate(name, scores).values


def one_more(boards=400, entries=10, tasks=6):
    """The share of boards on which one more entry turns the order of two others around."""
    rng = np.random.default_rng(52)
    turned = dict.fromkeys(("mean", "borda", "latent"), 0)
    for _ in range(boards):
        scores = _scores(rng, entries + 1, tasks)
        for name in turned:
            before, after = (aggregate(name, each).values[:entries] for each in (scores[:entries], scores))
            apart = np.sign(before[:, None] - before) * np.sign(after[:, None] - after)
            turned[name] += bool((apart < 0).any())
    return {name: count / boards for name, count in turned.items()}


def clipped(items=100, chance=0.25):
    """The expected normalised score of an entry that guesses, as it is and clipped at 0: a sum over all counts."""
    weights = stats.binom.pmf(np.arange(items + 1), items, chance)
    return {
        clip: float(weights @ [normalise(k / items, chance, clip=clip) for k in range(items + 1)])
        for clip in (False, True)
    }

"""How often the interval of a score holds the truth."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from simulations.common import Z, bounds, holds
from tianti.stats import (
    TaskValues,
    bca_interval,
    clopper_pearson,
    macro_interval,
    mean_interval,
    mean_over_repeats,
    wilson,
)


def target(boards=2000, bank=1000):
    """How far the score on the first n items is from that on the whole bank, and from that on new items.

    The items' difficulty is drawn anew for every board; 95 % of the distances are at most as large as given.
    """
    rng = np.random.default_rng(1)
    asked = np.array([25, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 950, 1000])
    # An item is right with a chance of its own; over all items of the kind the mean is 0.7.
    right = rng.random((boards, bank)) < rng.beta(1.4, 0.6, (boards, bank))
    means = np.cumsum(right, axis=1)[:, asked - 1] / asked
    found = [wilson(round(0.7 * n), int(n)) for n in asked]
    return {
        "n": asked,
        "bank": np.quantile(np.abs(means - means[:, -1:]), 0.95, axis=0),
        "new": np.quantile(np.abs(means - 0.7), 0.95, axis=0),
        "shown": np.array([(each.high - each.low) / 2 for each in found]),
    }


def shares(n=50):
    """The exact probability that an interval of k of n holds the true share: a sum over all k."""
    p = np.arange(0.5, 0.9951, 0.0025)
    k = np.arange(n + 1)
    plain = Z * np.sqrt(k / n * (1 - k / n) / n)
    ends = {
        "wald": (k / n - plain, k / n + plain),
        "wilson": bounds([wilson(int(each), n) for each in k]),
        "clopper": bounds([clopper_pearson(int(each), n) for each in k]),
    }
    weights = stats.binom.pmf(k, n, p[:, None])
    covered = {
        name: np.where((low <= p[:, None] + 1e-12) & (p[:, None] - 1e-12 <= high), weights, 0.0).sum(axis=1)
        for name, (low, high) in ends.items()
    }
    return {"p": p, **covered}


def clusters(boards=2000, size=5, share=0.6, correlation=0.3):
    """Coverage by the number of clusters, where the five items of a passage go right or wrong together."""
    rng = np.random.default_rng(2)
    counts = [5, 10, 20, 50, 100, 200]
    strength = (1 - correlation) / correlation
    found = {"plain": [], "clustered": []}
    for count in counts:
        keys = np.repeat(np.arange(count), size)
        hits = {"plain": 0, "clustered": 0}
        for _ in range(boards):
            chances = rng.beta(share * strength, (1 - share) * strength, count)
            values = (rng.random(count * size) < chances[keys]).astype(float)
            hits["plain"] += holds(mean_interval(values), share)
            hits["clustered"] += holds(mean_interval(values, keys.tolist()), share)
        for name, hit in hits.items():
            found[name].append(hit / boards)
    return {"clusters": counts, **found}


def averages(boards=4000, tasks=5, items=20):
    """Coverage of the mean over five tasks of twenty items, by how near the ceiling the tasks are."""
    rng = np.random.default_rng(3)
    levels = [0.6, 0.8, 0.9, 0.95, 0.98, 0.99]
    found = {"plain": [], "posterior": [], "ours": []}
    for level in levels:
        shares_of_tasks = np.linspace(2 * level - min(1.0, level + 0.2), min(1.0, level + 0.2), tasks)
        plain = ours = 0
        for _ in range(boards):
            values = (rng.random((tasks, items)) < shares_of_tasks[:, None]).astype(float)
            error = math.sqrt(values.var(axis=1, ddof=1).sum() / items) / tasks
            plain += bool(abs(values.mean() - level) <= Z * error)
            ours += holds(macro_interval([TaskValues(row) for row in values]), level)
        right = rng.binomial(items, shares_of_tasks, (boards // 4, tasks))
        found["plain"].append(plain / boards)
        found["posterior"].append(float(np.mean([_posterior_holds(rng, row, items, level) for row in right])))
        found["ours"].append(ours / boards)
    return {"level": levels, **found}


def _posterior_holds(rng, right, items, truth, draws=1000):
    """Whether the mean of the tasks' posteriors (Jeffreys' prior), drawn from, holds the truth with 95 %."""
    drawn = rng.beta(right + 0.5, items - right + 0.5, (draws, len(right))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return low <= truth <= high


def perplexity(values):
    """exp(Σ nats / Σ tokens) of documents (nats, tokens): a ratio, and no mean over documents."""
    nats, tokens = map(sum, zip(*values, strict=True))
    return math.exp(nats / tokens)


def ratio(boards=300, resamples=600):
    """Where the interval of a perplexity misses: below the truth or above it, by the number of documents."""
    rng = np.random.default_rng(4)
    counts = [15, 30, 60, 120]
    truth = _perplexity_of(_documents(rng, 1_000_000))
    found = {"plain": [], "bca": []}
    for count in counts:
        missed = {"plain": [0, 0], "bca": [0, 0]}
        for _ in range(boards):
            documents = _documents(rng, count)
            each = bca_interval([tuple(row) for row in documents], perplexity, seed=0, resamples=resamples)
            low, high = _symmetric(documents)
            for name, ends in (("plain", (low, high)), ("bca", (each.low, each.high))):
                missed[name][0] += ends[1] < truth
                missed[name][1] += ends[0] > truth
        for name, misses in missed.items():
            found[name].append([miss / boards for miss in misses])
    return {"documents": counts, **{name: np.array(rows) for name, rows in found.items()}}


def _documents(rng, count):
    """(nats, tokens) of documents: lengths differ much, and a few documents are far harder than the rest."""
    tokens = np.ceil(rng.lognormal(4.0, 0.8, count))
    return np.stack([tokens * rng.gamma(2.0, 1.3, count), tokens], axis=1)


def _perplexity_of(documents):
    nats, tokens = documents.sum(axis=0)
    return math.exp(nats / tokens)


def _symmetric(documents):
    """Perplexity ± 1.96 standard errors by the delta method."""
    nats, tokens = documents.T
    rate = nats.sum() / tokens.sum()
    error = math.sqrt(np.square(nats - rate * tokens).sum()) / tokens.sum()
    return math.exp(rate) * (1 - Z * error), math.exp(rate) * (1 + Z * error)


def repeats(boards=2000, items=100):
    """Coverage with K answers to each item: all n·K answers pooled, or averaged per item first."""
    rng = np.random.default_rng(5)
    counts = [1, 2, 4, 8, 16]
    found = {"pooled": [], "averaged": [], "width": []}
    for count in counts:
        keys = np.repeat(np.arange(items), count).tolist()
        pooled = averaged = width = 0.0
        for _ in range(boards):
            chances = rng.random(items)
            values = (rng.random((items, count)) < chances[:, None]).astype(float).ravel()
            interval = mean_interval(mean_over_repeats(values, keys)[0])
            pooled += holds(mean_interval(values), 0.5)
            averaged += holds(interval, 0.5)
            width += interval.high - interval.low
        for name, total in (("pooled", pooled), ("averaged", averaged), ("width", width)):
            found[name].append(total / boards)
    return {"repeats": counts, **found}

"""The numbers behind the pictures of docs/concepts/statistics.md: simulated from fixed seeds, or enumerated.

Everything that tianti shows is computed with tianti.stats; what a function calls plain or naive is what one
would write without thinking twice. `boards` is how often a simulation is repeated.

`python docs/simulations.py NAME…` prints the numbers of these functions.
"""

from __future__ import annotations

import math
import sys

import numpy as np
from scipy import stats

from tianti.board.ranking import bands
from tianti.stats import (
    TaskMatrix,
    TaskPair,
    TaskValues,
    bca_interval,
    clopper_pearson,
    fewest_items_to_unseat,
    macro_interval,
    marginal_rank,
    max_t_intervals,
    mean_interval,
    mean_over_repeats,
    paired_difference,
    pairwise_p_values,
    picked_level,
    rank_intervals,
    wilson,
)

Z = float(stats.norm.ppf(0.975))


def answers(rng, accuracies, items, spread=1.0):
    """0/1 answers (entries, items) to items of differing difficulty, the same difficulty for all entries."""
    accuracies = np.asarray(accuracies)
    logits = np.log(accuracies / (1 - accuracies))[:, None] * math.sqrt(1 + spread**2 / 2.9)
    chances = 1 / (1 + np.exp(-(logits + spread * rng.normal(size=items))))
    return (rng.random(chances.shape) < chances).astype(np.uint8)


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
    bounds = {
        "wald": (k / n - plain, k / n + plain),
        "wilson": _bounds([wilson(int(each), n) for each in k]),
        "clopper": _bounds([clopper_pearson(int(each), n) for each in k]),
    }
    weights = stats.binom.pmf(k, n, p[:, None])
    covered = {
        name: np.where((low <= p[:, None] + 1e-12) & (p[:, None] - 1e-12 <= high), weights, 0.0).sum(axis=1)
        for name, (low, high) in bounds.items()
    }
    return {"p": p, **covered}


def _bounds(intervals):
    return np.array([each.low for each in intervals]), np.array([each.high for each in intervals])


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
            hits["plain"] += _holds(mean_interval(values), share)
            hits["clustered"] += _holds(mean_interval(values, keys.tolist()), share)
        for name, hit in hits.items():
            found[name].append(hit / boards)
    return {"clusters": counts, **found}


def _holds(interval, truth):
    return interval.low <= truth <= interval.high


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
            ours += _holds(macro_interval([TaskValues(row) for row in values]), level)
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
            for name, bounds in (("plain", (low, high)), ("bca", (each.low, each.high))):
                missed[name][0] += bounds[1] < truth
                missed[name][1] += bounds[0] > truth
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
            pooled += _holds(mean_interval(values), 0.5)
            averaged += _holds(interval, 0.5)
            width += interval.high - interval.low
        for name, total in (("pooled", pooled), ("averaged", averaged), ("width", width)):
            found[name].append(total / boards)
    return {"repeats": counts, **found}


def pairing(items=1000):
    """The same true difference of four points, on items that the two find more and more alike."""
    rng = np.random.default_rng(6)
    found = []
    for alike in (0.0, 0.5, 0.8, 0.95):
        common = rng.normal(size=items)
        own = rng.normal(size=(2, items))
        luck = math.sqrt(alike) * common + math.sqrt(1 - alike) * own
        values = (luck < stats.norm.ppf([0.72, 0.68])[:, None]).astype(float)
        paired = paired_difference([TaskPair(values[0], values[1])])
        alone = [mean_interval(row) for row in values]
        half = math.hypot(*((each.high - each.low) / 2 for each in alone))
        found.append(
            {
                "differ": float((values[0] != values[1]).mean()),
                "estimate": paired.interval.estimate,
                "paired": (paired.interval.low, paired.interval.high),
                "unpaired": (paired.interval.estimate - half, paired.interval.estimate + half),
                "p": paired.p,
            }
        )
    return found


def ranked(boards=400, items=800):
    """Rank intervals by method on a board of four groups of five equal entries, ten points apart.

    Any place of a group is a true one of its entries. `held` is the share of boards on which the intervals of all
    entries hold all their true places; intervals and scores are those of the first board.
    """
    rng = np.random.default_rng(7)
    truth = np.repeat([0.75, 0.65, 0.55, 0.45], 5)
    best, worst = _ranks(truth[:, None] > truth[None, :])
    held = dict.fromkeys(("together", "alone", "every pair"), 0)
    shown = None
    for _ in range(boards):
        p = pairwise_p_values([TaskMatrix(answers(rng, truth, items))])
        together = rank_intervals(p)
        found = {
            "together": (together.low, together.high),
            "alone": _bounds([marginal_rank(p[entry], p[:, entry], entry) for entry in range(len(p))]),
            "every pair": _ranks(p <= 0.05),
        }
        shown = shown or found
        for name, (low, high) in found.items():
            held[name] += bool(((low <= best) & (worst <= high)).all())
    return {
        "true": (best, worst),
        "held": {name: hit / boards for name, hit in held.items()},
        **(shown or {}),
    }


def _ranks(better):
    return 1 + better.sum(axis=0), len(better) - better.sum(axis=1)


def bands_of_a_board(entries=20, items=800):
    """The bands of one board whose entries are two points apart, and what comparing neighbours would say."""
    rng = np.random.default_rng(7)
    values = answers(rng, np.linspace(0.78, 0.40, entries), items)
    values = values[np.argsort(-values.mean(axis=1), kind="stable")]
    better = rank_intervals(pairwise_p_values([TaskMatrix(values)])).better
    # A new band only where an entry is shown to be worse than the one above it.
    chained = [1 + int(sum(better[at - 1, at] for at in range(1, last + 1))) for last in range(entries)]
    return {
        "score": values.mean(axis=1),
        "bounds": _bounds([wilson(int(row.sum()), items) for row in values]),
        "anchored": list(bands(range(entries), better).values()),
        "chained": chained,
        "unseat": fewest_items_to_unseat([TaskMatrix(values)], 0),
    }


def false_order(boards=400, entries=100, items=500):
    """The share of boards of equal entries on which some entry is said to be better than another."""
    rng = np.random.default_rng(8)
    claimed = dict.fromkeys(("every pair", "apart", "max-t", "holm"), 0)
    for _ in range(boards):
        values = answers(rng, np.full(entries, 0.6), items)
        p = pairwise_p_values([TaskMatrix(values)])
        low, high = _bounds([wilson(int(row.sum()), items) for row in values])
        claimed["every pair"] += bool((p <= 0.05).any())
        claimed["apart"] += bool(low.max() > high.min())
        claimed["max-t"] += bool(max_t_intervals([TaskMatrix(values)], seed=0).better.any())
        claimed["holm"] += bool(rank_intervals(p).better.any())
    return {name: count / boards for name, count in claimed.items()}


def winner(boards=4000, items=500, share=0.6):
    """How often the interval of the best of M equal entries holds its true score."""
    rng = np.random.default_rng(9)
    counts = [1, 2, 5, 10, 20, 50, 100]
    found = {"plain": [], "allowed for": [], "too high": []}
    for count in counts:
        best = rng.binomial(items, share, (boards, count)).max(axis=1)
        for name, level in (("plain", 0.95), ("allowed for", picked_level(0.95, count))):
            held = {k: _holds(wilson(k, items, level), share) for k in set(best.tolist())}
            found[name].append(float(np.mean([held[k] for k in best.tolist()])))
        found["too high"].append(float(best.mean() / items - share))
    return {"entries": counts, **found}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, globals()[name]())

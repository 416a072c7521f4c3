"""What is said of the order of entries, and how often it is wrong."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from simulations.common import answers, bounds, holds
from tianti.board.ranking import bands
from tianti.stats import (
    TaskMatrix,
    TaskPair,
    fewest_items_to_unseat,
    marginal_rank,
    max_t_intervals,
    mean_interval,
    paired_difference,
    pairwise_p_values,
    picked_level,
    rank_intervals,
    wilson,
)


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
            "alone": bounds([marginal_rank(p[entry], p[:, entry], entry) for entry in range(len(p))]),
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
        "bounds": bounds([wilson(int(row.sum()), items) for row in values]),
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
        low, high = bounds([wilson(int(row.sum()), items) for row in values])
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
            held = {k: holds(wilson(k, items, level), share) for k in set(best.tolist())}
            found[name].append(float(np.mean([held[k] for k in best.tolist()])))
        found["too high"].append(float(best.mean() / items - share))
    return {"entries": counts, **found}

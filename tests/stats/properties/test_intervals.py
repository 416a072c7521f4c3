"""Intervals cover as often as they say: exactly enumerated for proportions, simulated for clusters and averages."""

import numpy as np
import pytest
from scipy import stats

from replicates import replicates
from tianti.stats import TaskValues, clopper_pearson, macro_interval, mean_interval, wilson


def coverage(interval, n, p):
    """The probability that the interval of a binomial count holds p: a sum over all n + 1 counts."""
    bounds = [interval(k, n) for k in range(n + 1)]
    inside = np.array([low <= p <= high for low, high in bounds])
    return float(stats.binom.pmf(np.arange(n + 1), n, p) @ inside)


def by_wilson(k, n):
    found = wilson(k, n)
    return found.low, found.high


def by_clopper_pearson(k, n):
    found = clopper_pearson(k, n)
    return found.low, found.high


def by_central_limit(k, n):
    half = 1.96 * np.sqrt(k / n * (1 - k / n) / n)
    return k / n - half, k / n + half


def test_wilson_covers_at_the_ceiling_where_the_central_limit_theorem_does_not():
    assert 0.93 <= coverage(by_wilson, 50, 0.95) <= 0.97
    assert coverage(by_wilson, 50, 0.95) == pytest.approx(0.962, abs=0.001)
    assert coverage(by_central_limit, 50, 0.99) == pytest.approx(0.395, abs=0.001)


@pytest.mark.parametrize("n", [50, 100, 300])
def test_coverage_is_right_on_average_and_never_far_below(n):
    shares = np.arange(0.5, 0.991, 0.01)
    found = [coverage(by_wilson, n, p) for p in shares]
    assert 0.94 <= np.mean(found) <= 0.96
    assert min(found) >= 0.91
    assert np.mean([coverage(by_central_limit, n, p) for p in shares]) < np.mean(found)
    assert min(coverage(by_clopper_pearson, n, p) for p in shares) >= 0.95


def test_clusters_are_covered_and_plain_intervals_are_not():
    rng = np.random.default_rng(0)
    boards, clusters, size, share, correlation = replicates(20_000, 2000), 20, 5, 0.6, 0.3
    keys = np.repeat(np.arange(clusters), size)
    concentration = (1 - correlation) / correlation
    inside = plain = 0
    for _ in range(boards):
        p = rng.beta(share * concentration, (1 - share) * concentration, clusters)
        values = (rng.random(clusters * size) < p[keys]).astype(float)
        found, naive = mean_interval(values, list(keys)), mean_interval(values)
        inside += found.low <= share <= found.high
        plain += naive.low <= share <= naive.high
    room = 3 * np.sqrt(0.05 * 0.95 / boards)
    assert 0.93 - room <= inside / boards <= 0.97 + room
    assert plain / boards < 0.88


def test_an_average_of_tasks_near_the_ceiling_is_covered():
    rng = np.random.default_rng(1)
    boards, shares, items = replicates(20_000, 2000), np.linspace(0.96, 1.0, 10), 50
    inside = plain = 0
    for _ in range(boards):
        values = (rng.random((10, items)) < shares[:, None]).astype(float)
        found = macro_interval([TaskValues(row) for row in values])
        inside += found.low <= shares.mean() <= found.high
        error = np.sqrt(values.var(axis=1, ddof=1).sum() / items) / 10
        plain += abs(values.mean() - shares.mean()) <= 1.96 * error
    room = 3 * np.sqrt(0.06 * 0.94 / boards)
    assert inside / boards >= 0.94 - room
    assert plain < inside

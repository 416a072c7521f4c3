import math

import numpy as np
import pytest
from scipy import stats

from tianti.stats import bca_interval


def geometric(values):
    return math.exp(sum(values) / len(values))


def test_agrees_with_scipy():
    values = np.random.default_rng(1).gamma(2.0, size=120)
    found = bca_interval(list(values), geometric, seed=4, resamples=4000)
    reference = stats.bootstrap(
        (values,), lambda v, axis=-1: np.exp(v.mean(axis=axis)), n_resamples=20000, method="BCa", rng=0
    ).confidence_interval
    width = reference.high - reference.low
    assert found.estimate == pytest.approx(geometric(values))
    assert found.low == pytest.approx(reference.low, abs=0.05 * width)
    assert found.high == pytest.approx(reference.high, abs=0.05 * width)


def test_takes_whatever_the_statistic_takes():
    pairs = [(float(index), 3) for index in range(20)]
    found = bca_interval(pairs, lambda rows: sum(a for a, _ in rows) / sum(b for _, b in rows), seed=0)
    assert found.estimate == pytest.approx(9.5 / 3)
    assert found.low < found.estimate < found.high


def test_is_repeatable_and_depends_on_the_seed():
    values = [0.1, 0.5, 2.0, 3.0, 9.0, 1.0]
    assert bca_interval(values, geometric, seed=1) == bca_interval(values, geometric, seed=1)
    assert bca_interval(values, geometric, seed=1) != bca_interval(values, geometric, seed=2)


def test_clusters_are_drawn_whole():
    rng = np.random.default_rng(2)
    values = list(np.repeat(rng.normal(size=15), 10) + 0.01 * rng.normal(size=150))
    clusters = [index // 10 for index in range(150)]
    whole = bca_interval(values, geometric, clusters, seed=0)
    items = bca_interval(values, geometric, seed=0)
    assert whole.clusters == 15
    assert whole.high - whole.low > 2 * (items.high - items.low)


def test_blocks_of_the_jackknife_leave_the_interval_in_place():
    values = list(np.random.default_rng(3).gamma(2.0, size=1300))
    found = bca_interval(values, geometric, seed=0, resamples=500)
    half = 1.96 * stats.sem(values) * found.estimate
    assert found.low == pytest.approx(found.estimate - half, abs=0.2 * half)


def test_what_cannot_be_known_is_none():
    assert bca_interval([], geometric, seed=0) is None
    assert bca_interval([1.0], geometric, seed=0).low is None
    assert bca_interval([1.0, 2.0], geometric, ["a", "a"], seed=0).high is None
    # A statistic that is rarely finite has no honest interval.
    rarely = bca_interval([0.0, 1.0], lambda v: float(v[0]) if v == [0.0, 1.0] else math.nan, seed=0)
    assert rarely.low is None


def test_constant_values_have_a_point():
    found = bca_interval([2.0] * 10, geometric, seed=0)
    assert found.low == found.high == found.estimate

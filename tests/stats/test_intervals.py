import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from tianti.core.exceptions import InputError
from tianti.stats import clopper_pearson, mean_interval, mean_over_repeats, wilson

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
levels = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@given(counts, levels)
def test_wilson_equals_statsmodels(count, level):
    k, n = count
    found = wilson(k, n, level)
    expected = proportion_confint(k, n, alpha=1 - level, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected, abs=1e-12)
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    assert found.low < found.high


@given(counts, levels)
def test_clopper_pearson_equals_statsmodels_and_holds_the_estimate(count, level):
    k, n = count
    found = clopper_pearson(k, n, level)
    assert (found.low, found.high) == pytest.approx(
        proportion_confint(k, n, alpha=1 - level, method="beta"), abs=1e-10
    )
    assert found.low <= found.estimate <= found.high


@pytest.mark.parametrize(("n", "p", "expected"), [(50, 0.95, 0.962), (50, 0.99, 0.911), (300, 0.99, 0.967)])
def test_exact_coverage_of_wilson(n, p, expected):
    covered = sum(
        stats.binom.pmf(k, n, p) for k in range(n + 1) if wilson(k, n).low <= p <= wilson(k, n).high
    )
    assert covered == pytest.approx(expected, abs=5e-4)


def test_average_coverage_of_wilson_is_nominal_and_never_far_below():
    shares = np.linspace(0.5, 0.99, 99)
    for n in (50, 100):
        bounds = [(wilson(k, n).low, wilson(k, n).high) for k in range(n + 1)]
        covered = [
            sum(stats.binom.pmf(k, n, p) for k, (low, high) in enumerate(bounds) if low <= p <= high)
            for p in shares
        ]
        assert 0.94 <= np.mean(covered) <= 0.96
        assert min(covered) >= 0.91


@pytest.mark.parametrize(("k", "n"), [(3, 2), (-1, 4), (0, 0)])
def test_impossible_counts_are_refused(k, n):
    with pytest.raises(InputError):
        wilson(k, n)
    with pytest.raises(InputError):
        clopper_pearson(k, n)


def test_a_level_outside_0_and_1_is_refused():
    with pytest.raises(InputError, match="confidence level"):
        wilson(3, 4, level=95)


def test_zeros_and_ones_get_wilson():
    found = mean_interval([1, 0, 1, 1])
    assert found.method == "Wilson"
    assert (found.low, found.high) == (wilson(3, 4).low, wilson(3, 4).high)
    assert (found.n, found.clusters) == (4, None)


@given(st.lists(st.floats(-1000, 1000), min_size=2, max_size=40).filter(lambda v: min(v) < -0.1))
def test_unbounded_values_get_the_t_interval_of_scipy(values):
    found = mean_interval(values)
    assert found.method == "Student's t"
    error = stats.sem(values)
    if error == 0:
        assert found.low == pytest.approx(found.high)
        return
    expected = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=error)
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_clusters_equal_statsmodels_cluster_robust_regression():
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(12), rng.integers(2, 9, 12))
    values = np.clip(
        0.5 + 0.2 * rng.standard_normal(12)[clusters] + 0.1 * rng.standard_normal(len(clusters)), 0, 1
    )
    fit = sm.OLS(values, np.ones(len(values))).fit()
    robust = fit.get_robustcov_results("cluster", groups=clusters, use_correction=False, use_t=True)
    error = float(robust.bse[0]) * np.sqrt(12 / 11)
    half = stats.t.ppf(0.975, 11) * error
    found = mean_interval(values, clusters=list(clusters))
    assert found.method == "CR1·t"
    assert found.clusters == 12
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=1e-12)


def test_clusters_cover_where_the_naive_interval_does_not():
    # 20 clusters of 5 items, intra-cluster correlation 0.3 from a Beta(a, a) chance of being right per cluster.
    rng = np.random.default_rng(11)
    a = (1 / 0.3 - 1) / 2
    clusters = [cluster for cluster in range(20) for _ in range(5)]
    robust, naive = 0, 0
    for _ in range(1000):
        values = (rng.random(100) < np.repeat(rng.beta(a, a, 20), 5)).astype(float)
        inside = mean_interval(values, clusters=clusters)
        robust += inside.low <= 0.5 <= inside.high
        outside = mean_interval(values)
        naive += outside.low <= 0.5 <= outside.high
    assert 0.92 <= robust / 1000 <= 0.975
    assert naive / 1000 < 0.87


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.booleans())
def test_bounded_means_stay_inside_and_never_claim_certainty(values, clustered):
    clusters = [index // 3 for index in range(len(values))] if clustered else None
    found = mean_interval(values, clusters=clusters)
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    assert found.high - found.low > 1e-6


def test_means_of_repeats_cover_near_the_ceiling():
    # Four answers per item, chances of being right of 0.98 on average: the plain t-interval covers too little.
    rng = np.random.default_rng(5)
    covered, plain = 0, 0
    for _ in range(2000):
        values = rng.binomial(4, rng.beta(9.8, 0.2, 40)) / 4
        found = mean_interval(values)
        covered += found.low <= 0.98 <= found.high
        half = stats.t.ppf(0.975, 39) * stats.sem(values)
        plain += abs(values.mean() - 0.98) <= half
    assert covered / 2000 >= 0.94
    assert plain / 2000 < 0.9


def test_none_one_and_one_cluster():
    assert mean_interval([]) is None
    one = mean_interval([3.0])
    assert (one.estimate, one.low, one.high) == (3.0, None, None)
    assert mean_interval([0.4]).low < 0.4
    assert mean_interval([5.0, 6.0], clusters=["a", "a"]).low is None
    bounded = mean_interval([0.0, 0.5, 1.0], clusters=["a", "a", "a"])
    assert (bounded.low, bounded.high) == (0.0, 1.0)


def test_agreeing_clusters_count_as_one_item_each():
    found = mean_interval([1.0] * 30, clusters=[index // 10 for index in range(30)])
    assert found.low < wilson(3, 3).low
    assert found.high == 1
    # One right and one wrong in each pair: no spread between pairs, yet no certainty.
    balanced = mean_interval([1.0, 0.0] * 20, clusters=[index // 2 for index in range(40)])
    assert balanced.high - balanced.low > 0.1


def test_bad_values_are_refused():
    with pytest.raises(InputError, match="value 1 is not finite"):
        mean_interval([1.0, float("nan")])
    with pytest.raises(InputError, match="cluster keys"):
        mean_interval([1.0, 0.0], clusters=["a"])
    with pytest.raises(InputError, match="shape"):
        mean_interval(np.ones((2, 2)))


def test_repeats_are_averaged_per_item_first():
    values, items = mean_over_repeats([1, 0, 1, 1, 0], ["b", "b", "a", "a", "c"])
    assert items == ("b", "a", "c")
    assert values.tolist() == [0.5, 1.0, 0.0]
    with pytest.raises(InputError, match="one item per value"):
        mean_over_repeats([1, 0], ["a"])


def test_an_interval_for_proportions_can_be_insisted_on_only_where_it_is_right():
    assert mean_interval([1, 1, 0, 1], method="clopper-pearson") == clopper_pearson(3, 4)
    assert mean_interval([1, 1, 0, 1], method="wilson") == wilson(3, 4)
    with pytest.raises(InputError, match="in clusters"):
        mean_interval([1, 1, 0, 1], ["a", "a", "b", "b"], method="wilson")
    with pytest.raises(InputError, match="0 and 1"):
        mean_interval([1, 0.5], method="clopper-pearson")

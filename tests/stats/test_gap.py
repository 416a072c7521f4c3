import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import ttest_ind

from replicates import replicates
from tianti.core.exceptions import InputError
from tianti.stats import Gap, Group, gap, gaps

values = hnp.arrays(float, st.integers(1, 30), elements=st.sampled_from([0.0, 0.5, 1.0]))


@given(values, values)
def test_the_least_gap_lies_below_the_gap_and_inside_the_interval(first, second):
    found = gap(Group(first), Group(second))
    assert found.interval.estimate == pytest.approx(first.mean() - second.mean())
    assert found.interval.low <= found.least <= found.interval.estimate + 1e-12
    assert found.interval.low < found.interval.high
    assert 0 <= found.p <= 1
    assert (found.n_first, found.n_second) == (len(first), len(second))


def test_unbounded_values_give_welchs_t():
    rng = np.random.default_rng(0)
    first, second = rng.normal(1, 2, 30), rng.normal(0, 5, 12)
    found = gap(Group(first), Group(second))
    reference = ttest_ind(first, second, equal_var=False, alternative="greater")
    assert found.p == pytest.approx(reference.pvalue)
    assert found.least == pytest.approx(reference.confidence_interval(0.95).low)
    assert "Welch" in found.interval.method


def test_one_binary_task_is_agresti_and_caffo():
    first, second = np.repeat([1.0, 0.0], [45, 5]), np.repeat([1.0, 0.0], [20, 20])
    found = gap(Group(first), Group(second))
    p1, p2 = 46 / 52, 21 / 42
    error = np.sqrt(p1 * (1 - p1) / 52 + p2 * (1 - p2) / 42)
    assert found.interval.low == pytest.approx(p1 - p2 - 1.99 * error, abs=2e-3)


def test_three_right_answers_do_not_prove_a_gap():
    found = gap(Group(np.ones(3)), Group(np.repeat([1.0, 0.0], [70, 30])))
    assert found.interval.estimate == pytest.approx(0.3)
    assert found.least < 0
    assert not found.shown


@pytest.mark.parametrize(("first", "second"), [(0.7, 0.7), (0.95, 0.9), (0.99, 0.99)])
def test_the_least_gap_holds_as_often_as_stated(first, second):
    rng, count = np.random.default_rng(0), replicates(4000)
    held = 0
    for _ in range(count):
        one, other = (rng.random(n) < p for n, p in ((60, first), (150, second)))
        held += gap(Group(one.astype(float)), Group(other.astype(float))).least <= first - second
    assert held / count >= 0.95 - 0.01 - 3 * np.sqrt(0.95 * 0.05 / count)


def test_clusters_over_both_groups_are_counted():
    rng, count = np.random.default_rng(0), replicates(2000)
    held = {"clustered": 0, "naive": 0}
    for _ in range(count):
        one, other = (
            np.repeat(rng.random(20), 10) > rng.random(200) for _ in range(2)
        )  # items of a cluster are right together
        keys = np.repeat(np.arange(20), 10)
        for name, clusters in (("clustered", (list(keys), list(keys + 20))), ("naive", (None, None))):
            found = gap(
                *(Group(each.astype(float), key) for each, key in zip((one, other), clusters, strict=True))
            )
            held[name] += found.least <= 0
    slack = 3 * np.sqrt(0.95 * 0.05 / count)
    assert held["clustered"] / count >= 0.94 - slack
    assert held["naive"] / count < 0.9


def test_clusters_may_reach_over_both_groups():
    """Nothing is made of a cluster's two halves moving together: the gap is not told surer than of lone items."""
    rng = np.random.default_rng(0)
    level = rng.normal(0, 5, 40)
    first, second = level + rng.normal(0, 1, 40), level + rng.normal(0, 1, 40)
    keys = list(range(40))
    shared = gap(Group(first, keys), Group(second, keys)).interval
    alone = gap(Group(first), Group(second)).interval
    assert (shared.clusters, alone.clusters) == (40, None)
    assert shared.high - shared.low == pytest.approx(alone.high - alone.low, rel=0.03)


def test_the_weight_scales_all_but_the_p_value():
    first, second = Group(np.repeat([1.0, 0.0], [30, 10])), Group(np.repeat([1.0, 0.0], [30, 70]))
    whole, tenth = gap(first, second), gap(first, second, weight=0.1)
    assert tenth.least == pytest.approx(whole.least / 10)
    assert tenth.interval.high == pytest.approx(whole.interval.high / 10)
    assert tenth.p == whole.p


def test_a_family_is_corrected_and_says_so():
    rng = np.random.default_rng(0)
    same = [(Group((rng.random(100) < 0.7).astype(float)), Group((rng.random(100) < 0.7).astype(float)))] * 9
    lifted = (Group(np.repeat([1.0, 0.0], [90, 10])), Group(np.repeat([1.0, 0.0], [50, 50])))
    alone, *_ = gaps([lifted])
    found = gaps([lifted, *same, (lifted[0], Group(np.empty(0)))])
    assert found[-1] is None
    assert [each.family for each in found[:-1]] == [10] * 10
    assert found[0].p == alone.p
    assert found[0].p_holm == pytest.approx(10 * alone.p)
    assert found[0].least < alone.least
    assert found[0].shown


def test_false_gaps_are_rare_in_a_family():
    rng, count = np.random.default_rng(0), replicates(1000)
    wrong = {"family": 0, "alone": 0}
    for _ in range(count):
        pairs = [tuple(Group((rng.random(80) < 0.6).astype(float)) for _ in range(2)) for _ in range(10)]
        wrong["family"] += any(each.shown or each.least > 0 for each in gaps(pairs))
        wrong["alone"] += any(gap(*pair).shown for pair in pairs)
    slack = 3 * np.sqrt(0.05 * 0.95 / count)
    assert wrong["family"] / count <= 0.05 + slack
    assert wrong["alone"] / count > 0.2


def test_what_cannot_be_told():
    assert gap(Group(np.empty(0)), Group(np.ones(3))) is None
    lone: Gap = gap(Group(np.array([5.0])), Group(np.array([1.0, 2.0])))
    assert lone.least is lone.p is lone.interval.low is None
    assert not lone.shown


def test_keys_for_one_group_only_are_refused():
    with pytest.raises(InputError, match="cluster keys"):
        gap(Group(np.ones(2), ["a", "b"]), Group(np.ones(2)))

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from tianti.core.exceptions import InputError
from tianti.stats import TaskMatrix, pairwise_p_values

binary = hnp.arrays(float, (2, 90), elements=st.sampled_from([0.0, 1.0]))


def table(first, second):
    return [[np.sum(first * second), np.sum(first * (1 - second))], [np.sum((1 - first) * second), 0]]


def two_sided(p):
    return min(1.0, 2 * min(p[0, 1], p[1, 0]))


@given(binary)
def test_one_binary_task_is_mcnemar_exact_below_25_and_score_above(values):
    first, second = values
    differing = int(np.abs(first - second).sum())
    p = pairwise_p_values([TaskMatrix(values)])
    if differing == 0:
        assert p.min() == 1
        return
    exact = differing < 25
    reference = mcnemar(table(first, second), exact=exact, correction=False).pvalue
    assert two_sided(p) == pytest.approx(reference, abs=1e-9)


def test_all_pairs_agree_with_each_pair_alone():
    rng = np.random.default_rng(0)
    values = (rng.random((7, 120)) < rng.random((7, 1))).astype(float)
    whole = pairwise_p_values([TaskMatrix(values)])
    for i in range(7):
        for j in range(7):
            if i != j:
                alone = pairwise_p_values([TaskMatrix(values[[i, j]])])[0, 1]
                assert whole[i, j] == pytest.approx(alone, abs=1e-12)


def test_missing_items_are_left_out_of_their_pairs_only():
    rng = np.random.default_rng(1)
    values = (rng.random((3, 150)) < np.array([[0.8], [0.6], [0.5]])).astype(float)
    with_holes = values.copy()
    with_holes[0, :40] = np.nan
    p = pairwise_p_values([TaskMatrix(with_holes)])
    assert p[0, 1] == pytest.approx(pairwise_p_values([TaskMatrix(values[:2, 40:])])[0, 1], abs=1e-12)
    assert p[1, 2] == pytest.approx(pairwise_p_values([TaskMatrix(values[1:])])[0, 1], abs=1e-12)
    alone = np.full((2, 4), np.nan)
    alone[0, :2], alone[1, 2:] = 1.0, 0.0
    assert pairwise_p_values([TaskMatrix(alone)]).min() == 1


@given(hnp.arrays(float, (4, 30), elements=st.sampled_from([0.0, 0.25, 1.0])))
def test_an_item_that_nobody_answered_changes_nothing(values):
    # The first goes the way of complete data, the second that of missing answers.
    padded = np.hstack([values, np.full((4, 1), np.nan)])
    assert pairwise_p_values([TaskMatrix(values)]) == pytest.approx(
        pairwise_p_values([TaskMatrix(padded)]), abs=1e-9
    )


def test_several_tasks_follow_the_weighted_formula():
    rng = np.random.default_rng(2)
    values = [(rng.random((2, n)) < np.array([[0.7], [0.5]])).astype(float) for n in (80, 200)]
    weights = (0.5 / 0.75, 0.5)
    numerator, variance = 0.0, 0.0
    for v, w in zip(values, weights, strict=True):
        b, c = np.sum(v[0] > v[1]), np.sum(v[0] < v[1])
        numerator += w * (b - c) / v.shape[1]
        variance += w**2 * (b + c) / v.shape[1] ** 2
    p = pairwise_p_values([TaskMatrix(v, w) for v, w in zip(values, weights, strict=True)])
    assert p[0, 1] == pytest.approx(stats.norm.sf(numerator / np.sqrt(variance)))


@given(hnp.arrays(float, (2, 12), elements=st.sampled_from([0.0, 0.5, 1.0])))
def test_few_fractional_differences_are_never_surer_than_the_sign_flip_test(values):
    difference = values[0] - values[1]
    nonzero = difference[difference != 0]
    p = pairwise_p_values([TaskMatrix(values)])[0, 1]
    flips = (
        np.array(np.meshgrid(*[[-1, 1]] * len(nonzero))).reshape(len(nonzero), -1) if len(nonzero) else None
    )
    if flips is None:
        assert p == 1
        return
    exact = np.mean(nonzero.__abs__() @ flips >= nonzero.sum() - 1e-9)
    assert p >= exact - 1e-9


def test_clusters_equal_statsmodels_on_the_differences():
    rng = np.random.default_rng(4)
    clusters = np.repeat(np.arange(30), 4)
    values = (rng.random((2, 120)) < np.repeat(rng.beta(2, 2, (2, 30)), 4, axis=1)).astype(float)
    difference = values[0] - values[1]
    fit = sm.OLS(difference, np.ones(120)).fit()
    error = fit.get_robustcov_results("cluster", groups=clusters, use_correction=False).bse[0] * np.sqrt(
        30 / 29
    )
    p = pairwise_p_values([TaskMatrix(values, clusters=list(clusters))])
    assert p[0, 1] == pytest.approx(stats.t.sf(difference.mean() / error, 29))
    holes = values.copy()
    holes[1, :10] = np.nan
    left = pairwise_p_values([TaskMatrix(holes, clusters=list(clusters))])
    cut = pairwise_p_values([TaskMatrix(values[:, 10:], clusters=list(clusters[10:]))])
    assert left[0, 1] == pytest.approx(cut[0, 1])


def test_few_clusters_that_agree_are_not_certainty():
    values = np.stack([np.ones(40), np.zeros(40)])
    p = pairwise_p_values([TaskMatrix(values, clusters=[index // 10 for index in range(40)])])
    assert p[0, 1] == 2.0**-4
    assert p[1, 0] == 1


def test_tasks_of_different_entries_are_refused():
    with pytest.raises(InputError, match="different numbers of entries"):
        pairwise_p_values([TaskMatrix(np.ones((2, 3))), TaskMatrix(np.ones((3, 3)))])


def test_where_lower_is_better_the_same_items_speak_for_the_other():
    values = (np.random.default_rng(3).random((2, 60)) < np.array([[0.3], [0.5]])).astype(float)
    p, turned = (pairwise_p_values([TaskMatrix(values, weight)]) for weight in (1.0, -1.0))
    assert p[0, 1] != p[1, 0]
    assert (turned == p.T).all()


def test_blocks_of_entries_make_no_difference(monkeypatch):
    rng = np.random.default_rng(7)
    values = (rng.random((23, 80)) < rng.random((23, 1))).astype(float)
    values[3, 5] = np.nan
    whole = pairwise_p_values([TaskMatrix(values)])
    monkeypatch.setattr("tianti.stats.pairs.BLOCK", 7)
    assert (pairwise_p_values([TaskMatrix(values)]) == whole).all()


def test_no_tasks_are_refused():
    with pytest.raises(InputError, match="no tasks"):
        pairwise_p_values([])

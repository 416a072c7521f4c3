import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from statsmodels.stats.multitest import multipletests

from tianti.core.exceptions import InputError
from tianti.stats import (
    TaskMatrix,
    holm,
    marginal_rank,
    p_values_of,
    pairwise_p_values,
    rank_intervals,
    with_entry,
)

probabilities = hnp.arrays(float, st.integers(1, 40), elements=st.floats(0, 1))


@pytest.mark.parametrize("seed", range(6))
def test_holm_equals_statsmodels(seed):
    # Powers of uniform numbers, so that some hypotheses fall.
    p = np.random.default_rng(seed).random(30) ** 6
    assert holm(p, 0.05).tolist() == multipletests(p, alpha=0.05, method="holm")[0].tolist()


@given(probabilities)
def test_holm_equals_its_definition(p):
    p = p**6
    expected = np.zeros(len(p), dtype=bool)
    for step, index in enumerate(np.argsort(p, kind="stable")):
        if p[index] > 0.05 / (len(p) - step):
            break
        expected[index] = True
    assert holm(p, 0.05).tolist() == expected.tolist()


def test_intervals_count_who_is_shown_better():
    p = np.array([[1, 1e-6, 1e-6], [1, 1, 0.4], [1, 0.6, 1]])
    found = rank_intervals(p)
    assert found.low.tolist() == [1, 2, 2]
    assert found.high.tolist() == [1, 3, 3]
    assert found.family == 6
    assert found.better.sum() == 2


def test_a_lone_entry_is_first():
    found = rank_intervals(np.ones((1, 1)))
    assert (found.low.tolist(), found.high.tolist()) == ([1], [1])


def test_bad_matrices_are_refused():
    with pytest.raises(InputError, match="square"):
        rank_intervals(np.ones((2, 3)))
    with pytest.raises(InputError, match="between 0 and 1"):
        rank_intervals(np.full((2, 2), 1.5))
    with pytest.raises(InputError, match="between 0 and 1"):
        rank_intervals(np.full((2, 2), np.nan))


def board(rng, accuracies, n):
    difficulty = rng.normal(size=n)
    logits = np.log(accuracies / (1 - accuracies))[:, None] * 1.2 - difficulty[None, :]
    return (rng.random((len(accuracies), n)) < 1 / (1 + np.exp(-logits))).astype(float)


@pytest.mark.parametrize("n", [60, 164, 500])
def test_equal_entries_are_not_ordered(n):
    rng = np.random.default_rng(n)
    wrong = sum(
        rank_intervals(pairwise_p_values([TaskMatrix(board(rng, np.full(30, 0.6), n))])).better.any()
        for _ in range(200)
    )
    # At most 5 % of boards may be ordered falsely; two Monte Carlo errors of room.
    assert wrong / 200 <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 200)


def test_true_ranks_lie_in_the_intervals_of_spread_and_clumped_boards():
    rng = np.random.default_rng(1)
    for accuracies in (np.linspace(0.8, 0.3, 25), np.repeat(np.linspace(0.8, 0.4, 5), 5)):
        lowest = 1 + (accuracies[None, :] > accuracies[:, None] + 1e-9).sum(axis=1)
        inside = 0
        for _ in range(60):
            values = board(rng, accuracies, 300)
            found = rank_intervals(pairwise_p_values([TaskMatrix(values)]))
            inside += bool(((found.low <= lowest) & (lowest <= found.high)).all())
            means = values.mean(axis=1)
            estimated = 1 + (means[None, :] > means[:, None]).sum(axis=1)
            assert ((found.low <= estimated) & (estimated <= found.high)).all()
        assert inside / 60 >= 0.95


def test_a_wide_gap_is_seen():
    values = board(np.random.default_rng(0), np.array([0.9, 0.5, 0.15]), 300)
    found = rank_intervals(pairwise_p_values([TaskMatrix(values)]))
    assert found.low.tolist() == found.high.tolist() == [1, 2, 3]


@given(st.permutations(range(6)), st.integers(0, 1000))
def test_permuting_entries_or_items_changes_nothing(order, seed):
    rng = np.random.default_rng(seed)
    values = board(rng, np.linspace(0.9, 0.2, 6), 80)
    first = rank_intervals(pairwise_p_values([TaskMatrix(values)]))
    shuffled = values[order][:, rng.permutation(80)]
    second = rank_intervals(pairwise_p_values([TaskMatrix(shuffled)]))
    assert second.low.tolist() == first.low[order].tolist()
    assert second.high.tolist() == first.high[order].tolist()


def test_one_more_entry_gives_the_matrix_of_all():
    values = board(np.random.default_rng(5), np.linspace(0.9, 0.3, 9), 150)
    values[2, :10] = np.nan
    tasks = [TaskMatrix(values[:, :60], 0.5, [i // 3 for i in range(60)]), TaskMatrix(values[:, 60:], 0.5)]
    before = pairwise_p_values([TaskMatrix(task.values[:8], task.weight, task.clusters) for task in tasks])
    assert (with_entry(before, *p_values_of(tasks, 8)) == pairwise_p_values(tasks)).all()


def test_the_marginal_set_corrects_for_one_entry_only():
    values = board(np.random.default_rng(6), np.linspace(0.8, 0.4, 12), 300)
    p = pairwise_p_values([TaskMatrix(values)])
    every = rank_intervals(p)
    narrower = 0
    for entry in range(12):
        found = marginal_rank(p[entry], p[:, entry], entry)
        assert found.family == 22
        assert every.low[entry] <= found.low <= found.high <= every.high[entry]
        fallen = holm(np.delete(np.stack([p[entry], p[:, entry]]), entry, axis=1).ravel(), 0.05)
        assert (found.worse.sum(), found.better.sum()) == tuple(fallen.reshape(2, -1).sum(axis=1))
        narrower += found.high - found.low < every.high[entry] - every.low[entry]
    assert narrower


@given(st.integers(0, 10_000))
def test_holm_needs_no_sorting_even_with_ties(seed):
    rng = np.random.default_rng(seed)
    p = rng.choice([0.0, 1e-9, 0.001, 0.0025, 0.01, 0.05, 0.3, 1.0], size=rng.integers(1, 30))
    assert holm(p, 0.05).tolist() == multipletests(p, alpha=0.05, method="holm")[0].tolist()

import numpy as np
import pytest

from tianti.core.exceptions import InputError
from tianti.stats import TaskMatrix, max_t_intervals, pairwise_p_values, rank_intervals


def board(rng, accuracies, n):
    easy = rng.normal(size=n)
    logits = np.log(accuracies / (1 - accuracies))[:, None] * 1.2 + easy
    return (rng.random((len(accuracies), n)) < 1 / (1 + np.exp(-logits))).astype(np.uint8)


def test_the_critical_value_is_the_quantile_of_the_largest_difference():
    # Two entries: the largest of ±Z/σ, so that c is the two-sided normal quantile of 90 % at level 90 %.
    values = board(np.random.default_rng(0), np.array([0.6, 0.55]), 1000)
    p = pairwise_p_values([TaskMatrix(values)])[0, 1]
    assert 0.001 < p < 0.05
    just_wider, just_narrower = 1 - 2.2 * p, 1 - 1.8 * p
    assert max_t_intervals([TaskMatrix(values)], seed=0, level=just_wider, draws=200_000).better[0, 1]
    assert not max_t_intervals([TaskMatrix(values)], seed=0, level=just_narrower, draws=200_000).better[0, 1]


def test_its_intervals_are_like_holm_s_and_not_wider():
    values = board(np.random.default_rng(1), np.linspace(0.85, 0.3, 40), 500)
    tasks = [TaskMatrix(values[:, :200], 0.7), TaskMatrix(values[:, 200:], 0.3, list(np.arange(300) // 3))]
    for chosen in (tasks, [TaskMatrix(values)]):
        holm, drawn = rank_intervals(pairwise_p_values(chosen)), max_t_intervals(chosen, seed=1)
        assert (drawn.method, drawn.seed, drawn.draws, drawn.family) == ("max-t", 1, 2000, 40 * 39)
        assert 0.7 < (drawn.high - drawn.low).mean() / (holm.high - holm.low).mean() <= 1.02
        again = max_t_intervals(chosen, seed=1)
        assert (again.better == drawn.better).all()


def test_entries_that_answer_alike_cost_less():
    # Ten pairs of twins: Holm counts 380 hypotheses, the joint distribution knows that there are fewer.
    rng = np.random.default_rng(2)
    values = np.repeat(board(rng, np.linspace(0.75, 0.4, 10), 400), 2, axis=0)
    holm = rank_intervals(pairwise_p_values([TaskMatrix(values)]))
    drawn = max_t_intervals([TaskMatrix(values)], seed=0)
    assert drawn.better.sum() > holm.better.sum()
    assert not drawn.better[::2, 1::2].diagonal().any()


def test_missing_answers_are_refused():
    values = np.ones((3, 10))
    values[1, 3] = np.nan
    with pytest.raises(InputError, match=r"(?s)lacks 1 answers.*method holm"):
        max_t_intervals([TaskMatrix(values)], seed=0)


def test_nothing_to_tell_apart():
    found = max_t_intervals([TaskMatrix(np.ones((3, 10)))], seed=0)
    assert found.high.tolist() == [3, 3, 3]

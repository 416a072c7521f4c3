"""What a board says of the order holds: no false order, ranks inside their intervals, pairs, winners, same bytes."""

import numpy as np
import pytest
from scipy import stats
from threadpoolctl import threadpool_limits

from replicates import replicates
from tianti.stats import (
    TaskMatrix,
    TaskPair,
    mean_interval,
    paired_difference,
    pairwise_p_values,
    picked_level,
    rank_intervals,
)

EASINESS = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
"""Quantiles of the normal distribution that the items' easiness is drawn from, to compute true values with."""
TRUE_SHARE = float(np.mean(1 / (1 + np.exp(-(np.log(0.6 / 0.4) * 1.2 + EASINESS)))))


def answers(rng, accuracies, n):
    """0/1 answers to items of differing difficulty, the same for all entries."""
    easy = rng.normal(size=n)
    logits = np.log(accuracies / (1 - accuracies))[:, None] * 1.2 + easy
    return (rng.random((len(accuracies), n)) < 1 / (1 + np.exp(-logits))).astype(np.uint8)


def ranks(values):
    return rank_intervals(pairwise_p_values([TaskMatrix(values)]))


@pytest.mark.parametrize("n", [164, 500, 2000])
def test_a_hundred_equal_entries_are_not_ordered(n):
    rng = np.random.default_rng(n)
    boards = replicates(2000, 200)
    wrong = unadjusted = 0
    for _ in range(boards):
        p = pairwise_p_values([TaskMatrix(answers(rng, np.full(100, 0.6), n))])
        wrong += rank_intervals(p).better.any()
        unadjusted += (p <= 0.05).any()
    assert wrong / boards <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / boards)
    assert unadjusted == boards


SHAPES = {
    "spread": np.linspace(0.8, 0.3, 50),
    "clumped": np.repeat(np.linspace(0.8, 0.4, 5), 10),
    "tied": np.full(50, 0.6),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_all_true_ranks_lie_in_their_intervals(shape):
    accuracies = SHAPES[shape]
    # Among equals any place from the first of them to the last is a true one.
    best = 1 + (accuracies[None, :] > accuracies[:, None] + 1e-9).sum(axis=1)
    worst = (accuracies[None, :] >= accuracies[:, None] - 1e-9).sum(axis=1)
    rng = np.random.default_rng(len(shape))
    boards = replicates(2000, 200)
    inside = unadjusted = 0
    for _ in range(boards):
        values = answers(rng, accuracies, 400)
        p = pairwise_p_values([TaskMatrix(values)])
        found = rank_intervals(p)
        inside += bool(((found.low <= best) & (worst <= found.high)).all())
        naive = p <= 0.05
        unadjusted += bool(((1 + naive.sum(0) <= best) & (worst <= len(p) - naive.sum(1))).all())
        means = values.mean(axis=1)
        estimated = 1 + (means[None, :] > means[:, None]).sum(axis=1)
        assert ((found.low <= estimated) & (estimated <= found.high)).all()
    assert inside / boards >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / boards)
    assert unadjusted < inside


def test_the_order_of_entries_and_items_changes_nothing():
    rng = np.random.default_rng(0)
    values = answers(rng, np.linspace(0.8, 0.4, 15), 300)
    first = ranks(values)
    for _ in range(10):
        entries, items = rng.permutation(15), rng.permutation(300)
        second = ranks(values[entries][:, items])
        assert (second.better == first.better[entries][:, entries]).all()


def test_differences_on_shared_items_stay_right_where_answers_are_missing():
    rng = np.random.default_rng(2)
    boards, n = replicates(20_000, 2000), 400

    def chances(easiness):
        # Both find the same items easy, so that pairing matters; the first is better on each.
        second = np.clip(0.55 + 0.2 * easiness, 0, 1)
        return np.stack([np.clip(second + 0.06, 0, 1), second])

    truth = float(np.subtract(*chances(EASINESS)).mean())
    inside, errors = 0, []
    for _ in range(boards):
        values = (rng.random((2, n)) < chances(rng.normal(size=n))).astype(float)
        kept = rng.random(n) >= 0.3
        found = paired_difference([TaskPair(values[0, kept], values[1, kept])]).interval
        errors.append(found.estimate - truth)
        inside += found.low <= truth <= found.high
    room = 3 * np.sqrt(0.05 * 0.95 / boards)
    assert 0.93 - room <= inside / boards <= 0.97 + room
    assert abs(np.mean(errors)) <= 4 * np.std(errors) / np.sqrt(boards)


def test_the_winner_of_twenty_equals_is_covered_only_if_the_picking_is_counted():
    rng = np.random.default_rng(3)
    boards = replicates(20_000, 2000)
    inside = naive = 0
    for _ in range(boards):
        values = answers(rng, np.full(20, 0.6), 500).astype(float)
        winner = values[values.mean(axis=1).argmax()]
        found, plain = mean_interval(winner, level=picked_level(0.95, 20)), mean_interval(winner)
        inside += found.low <= TRUE_SHARE <= found.high
        naive += plain.low <= TRUE_SHARE <= plain.high
    assert inside / boards >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / boards)
    assert naive / boards < 0.85


def test_the_same_answers_give_the_same_bytes_with_any_number_of_threads():
    rng = np.random.default_rng(4)
    values = (rng.integers(0, 4, (60, 700)) / 3).astype(float)  # means over three seeds
    values[rng.random(values.shape) < 0.05] = np.nan
    tasks = [TaskMatrix(values[:, :300], 0.5, list(np.arange(300) // 4)), TaskMatrix(values[:, 300:], 0.5)]
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            found.append(pairwise_p_values(tasks).tobytes())
    items = rng.permutation(300)
    shuffled = TaskMatrix(values[:, :300][:, items], 0.5, list((np.arange(300) // 4)[items]))
    found.append(pairwise_p_values([shuffled, tasks[1]]).tobytes())
    assert len(set(found)) == 1

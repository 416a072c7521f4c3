import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from statsmodels.stats.multitest import multipletests

from tianti.core.exceptions import InputError
from tianti.stats import TaskPair, holm_adjusted, paired_difference

values = hnp.arrays(float, 40, elements=st.sampled_from([0.0, 0.5, 1.0]))


@given(values, values)
def test_swapping_the_two_turns_the_sign(first, second):
    there = paired_difference([TaskPair(first, second)])
    back = paired_difference([TaskPair(second, first)])
    assert there.interval.estimate == pytest.approx(-back.interval.estimate)
    assert (there.interval.low, there.interval.high) == pytest.approx(
        (-back.interval.high, -back.interval.low)
    )
    assert there.p == pytest.approx(back.p)
    assert (there.wins, there.losses) == (back.losses, back.wins)
    assert there.interval.low <= there.interval.estimate <= there.interval.high
    assert there.interval.high > there.interval.low


def test_one_binary_task_is_bonett_and_price():
    rng = np.random.default_rng(0)
    first, second = (rng.random(4000) < 0.7).astype(float), (rng.random(4000) < 0.6).astype(float)
    b, c, n = np.sum(first > second), np.sum(first < second), 4000
    centre = (b - c) / (n + 2)
    error = np.sqrt((b + 1 + c + 1) / (n + 2) - centre**2) / np.sqrt(n + 2)
    found = paired_difference([TaskPair(first, second)]).interval
    assert (found.low, found.high) == pytest.approx(
        (centre - 1.9606 * error, centre + 1.9606 * error), abs=1e-5
    )


def test_deleting_items_at_random_keeps_coverage():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(1000):
        difficulty = rng.normal(size=200)
        first = rng.random(200) < 1 / (1 + np.exp(-1.0 + difficulty))
        second = rng.random(200) < 1 / (1 + np.exp(-0.4 + difficulty))
        kept = rng.random(200) < 0.7
        found = paired_difference([TaskPair(first[kept].astype(float), second[kept].astype(float))]).interval
        covered += found.low <= TRUE_DIFFERENCE <= found.high
    assert 0.93 <= covered / 1000 <= 0.97


def _true_difference() -> float:
    difficulty = np.linspace(-6, 6, 20001)
    weight = np.exp(-(difficulty**2) / 2)
    gap = 1 / (1 + np.exp(-1.0 + difficulty)) - 1 / (1 + np.exp(-0.4 + difficulty))
    return float((gap * weight).sum() / weight.sum())


TRUE_DIFFERENCE = _true_difference()


def test_normalised_and_averaged_over_tasks():
    first = TaskPair(np.array([1.0, 1, 1, 0]), np.array([0.0, 1, 1, 0]), chance=0.5)
    second = TaskPair(np.array([1.0, 0, 0, 0]), np.array([1.0, 1, 0, 0]), chance=None)
    assert paired_difference([first, second]).interval.estimate == pytest.approx((0.5 - 0.25) / 2)
    raw = paired_difference([first, second], normalised=False)
    assert raw.interval.estimate == pytest.approx(0)
    assert (raw.wins, raw.losses) == (1, 1)


def test_clusters_widen_it():
    rng = np.random.default_rng(2)
    first = np.repeat((rng.random(12) < 0.6).astype(float), 10)
    second = np.repeat((rng.random(12) < 0.5).astype(float), 10)
    clusters = [index // 10 for index in range(120)]
    plain = paired_difference([TaskPair(first, second)])
    robust = paired_difference([TaskPair(first, second, clusters=clusters)])
    assert robust.interval.clusters == 12
    assert robust.interval.high - robust.interval.low > 2 * (plain.interval.high - plain.interval.low)
    assert robust.p > plain.p


def test_no_shared_items_is_no_comparison():
    assert paired_difference([]) is None
    assert paired_difference([TaskPair(np.array([]), np.array([]))]) is None


def test_unequal_lengths_are_refused():
    with pytest.raises(InputError, match="shared items"):
        paired_difference([TaskPair(np.ones(3), np.ones(2))])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_corrected_p_values_equal_statsmodels(p):
    assert holm_adjusted(p) == pytest.approx(multipletests(p, method="holm")[1].tolist())


def test_the_test_behind_a_p_value_is_named():
    few, many = np.eye(2)[[0] * 10].T, np.tile([[1.0, 0.0], [0.0, 1.0]], 30)
    halves = np.where(np.arange(60) < 30, 0.5, [[1.0], [0.0]])
    named = [
        paired_difference([TaskPair(*values, clusters=clusters)]).test
        for values, clusters in (
            (few, None), (many, None), (many / 2, None), (halves[:, 25:45], None),
            (many, [index // 2 for index in range(60)]),
        )
    ]  # fmt: skip
    assert named == ["McNemar, exact", "McNemar, score", "paired score", "paired, Hoeffding's bound", "CR1·t"]

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tianti.stats import TaskValues, macro_interval, mean_interval, normalise

tasks = st.lists(
    st.builds(
        TaskValues,
        hnp.arrays(float, st.integers(1, 30), elements=st.floats(0, 1)),
        st.sampled_from([None, 0.25, 0.5]),
        st.none(),
    ),
    min_size=1,
    max_size=5,
)


@given(tasks)
def test_the_estimate_is_the_mean_of_normalised_means_and_lies_inside(given_tasks):
    found = macro_interval(given_tasks)
    expected = np.mean([normalise(task.values.mean(), task.chance) for task in given_tasks])
    assert found.estimate == pytest.approx(expected, abs=1e-12)
    assert found.low <= found.estimate <= found.high
    assert found.high - found.low > 1e-3
    assert found.n == sum(len(task.values) for task in given_tasks)


@given(tasks, st.randoms(use_true_random=False))
def test_order_of_tasks_and_items_does_not_matter(given_tasks, random):
    shuffled = [
        TaskValues(np.array(random.sample(list(t.values), len(t.values))), t.chance) for t in given_tasks
    ]
    random.shuffle(shuffled)
    first, second = macro_interval(given_tasks), macro_interval(shuffled)
    assert (first.low, first.high) == pytest.approx((second.low, second.high), abs=1e-12)


def test_coverage_near_the_ceiling():
    rng = np.random.default_rng(7)
    shares = np.linspace(0.97, 0.99, 10)
    covered = 0
    for _ in range(1500):
        found = macro_interval([TaskValues((rng.random(50) < p).astype(float)) for p in shares])
        covered += found.low <= shares.mean() <= found.high
    assert covered / 1500 >= 0.94


def test_large_samples_agree_with_the_plain_formula():
    rng = np.random.default_rng(8)
    values = [(rng.random(4000) < p).astype(float) for p in (0.4, 0.7)]
    error = np.sqrt(sum(v.var() / len(v) for v in values)) / 2
    found = macro_interval([TaskValues(v) for v in values])
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.01)


def test_clusters_widen_it():
    values = np.repeat([1.0, 0.0, 1.0, 1.0, 0.0, 1.0], 10)
    clusters = [index // 10 for index in range(60)]
    plain, robust = macro_interval([TaskValues(values)]), macro_interval([TaskValues(values, None, clusters)])
    assert robust.clusters == 6
    assert robust.high - robust.low > 2 * (plain.high - plain.low)
    alone = mean_interval(values, clusters)
    assert (robust.low, robust.high) == pytest.approx((alone.low, alone.high))
    perfect = macro_interval([TaskValues(np.ones(60), None, clusters)])
    assert perfect.low < 0.8


def test_nothing_beyond_perfect_or_below_no_answer_right_is_in_it():
    few = [TaskValues(np.array([1.0, 1, 1, 0]), 0.5), TaskValues(np.array([1.0, 1, 1, 1]), 0.5)]
    assert macro_interval(few).high == 1
    none = [TaskValues(np.array([0.0, 0, 0, 1]), 0.5), TaskValues(np.zeros(4))]
    assert macro_interval(none).low >= -0.5


def test_missing_is_missing():
    assert macro_interval([]) is None
    assert macro_interval([TaskValues(np.ones(3)), TaskValues(np.array([]))]) is None


def test_weights_that_differ():
    rng = np.random.default_rng(9)
    given_tasks = [
        TaskValues((rng.random(50) < p).astype(float), chance) for p, chance in ((0.6, 0.5), (0.3, None))
    ]
    equal, same = macro_interval(given_tasks), macro_interval(given_tasks, [0.5, 0.5])
    assert (equal.low, equal.high) == pytest.approx((same.low, same.high))
    found = macro_interval(given_tasks, [0.25, 0.75])
    means = [normalise(task.values.mean(), task.chance) for task in given_tasks]
    assert found.estimate == pytest.approx(0.25 * means[0] + 0.75 * means[1])
    error = np.sqrt(
        sum(
            (w * t.values.std() / (1 - (t.chance or 0))) ** 2 / 50
            for w, t in zip((0.25, 0.75), given_tasks, strict=True)
        )
    )
    assert (found.high - found.low) / 2 == pytest.approx(1.98 * error, rel=0.05)

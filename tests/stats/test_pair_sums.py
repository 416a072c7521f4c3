import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tianti.core.exceptions import InputError
from tianti.stats.pair_sums import TaskMatrix, prepare, sums

EVERYONE = slice(0, None)


@given(
    hnp.arrays(float, (5, 24), elements=st.sampled_from([0.0, 1 / 3, 0.5, 1.0, np.nan])),
    st.booleans(),
    st.sampled_from([0.5, -2.0]),
)
def test_sums_of_blocks_are_the_sums_of_each_pair(values, clustered, weight):
    keys = [index // 4 for index in range(24)] if clustered else None
    task = prepare(TaskMatrix(values, weight, keys))
    found = sums(task, slice(0, 2), slice(1, 5))
    for i in range(2):
        for j in range(1, 5):
            d = values[i] - values[j]
            shared = ~np.isnan(d)
            at = (i, j - 1)
            assert found.shared[at] == shared.any()
            if not shared.any():
                continue
            n = shared.sum()
            assert found.difference[at] == pytest.approx(weight * d[shared].mean(), abs=1e-12)
            if not clustered:
                assert found.variance[at] == pytest.approx(weight**2 * np.nansum(d**2) / n**2, abs=1e-12)
                continue
            u = [np.nansum(d[c * 4 : c * 4 + 4] - d[shared].mean()) for c in range(6)]
            groups = sum(shared[c * 4 : c * 4 + 4].any() for c in range(6))
            robust = groups / max(groups - 1, 1) * np.square(u).sum() * weight**2 / n**2
            assert found.variance[at] == pytest.approx(robust, abs=1e-9)
            assert found.units[at] == sum(abs(np.nansum(d[c * 4 : c * 4 + 4])) > 1e-9 for c in range(6))


@pytest.mark.parametrize("repeats", [1, 3, 7])
def test_means_over_repeats_are_summed_as_whole_numbers(repeats):
    rng = np.random.default_rng(repeats)
    values = rng.integers(0, repeats + 1, (4, 1000)) / repeats
    task = prepare(TaskMatrix(values))
    assert task.unit == 1 / repeats
    assert task.values.dtype == np.float32
    shuffled = prepare(TaskMatrix(values[:, rng.permutation(1000)]))
    first, second = (sums(each, EVERYONE, EVERYONE) for each in (task, shuffled))
    assert (first.difference == second.difference).all()
    assert (first.variance == second.variance).all()


def test_what_is_no_fraction_is_summed_as_it_is():
    values = np.random.default_rng(0).random((3, 500))
    task = prepare(TaskMatrix(values))
    assert (task.unit, task.values.dtype) == (1, np.float64)
    assert (task.values == values).all()


def test_answers_may_come_as_truth_values_and_small_numbers():
    values = np.random.default_rng(0).random((3, 50)) < 0.5
    expected = sums(prepare(TaskMatrix(values.astype(float))), EVERYONE, EVERYONE).variance
    for kind in (bool, np.uint8, np.int64):
        assert (sums(prepare(TaskMatrix(values.astype(kind))), EVERYONE, EVERYONE).variance == expected).all()


def test_large_numbers_keep_their_digits():
    values = np.array([[3000.0, 1.0, 5.0], [2999.0, 2.0, 5.0]])
    assert sums(prepare(TaskMatrix(values)), EVERYONE, EVERYONE).variance[0, 1] == 2 / 9


@pytest.mark.parametrize("values", [np.ones(3), np.array([[1.0, np.inf]])])
def test_what_cannot_be_summed_is_refused(values):
    with pytest.raises(InputError, match=r"matrix"):
        prepare(TaskMatrix(values))

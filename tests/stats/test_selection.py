from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tianti.core.exceptions import InputError
from tianti.stats import TaskMatrix, fewest_items_to_unseat, picked_level


def test_the_level_is_bonferroni_s():
    assert picked_level(0.95, 1) == pytest.approx(0.95)
    assert picked_level(0.9, 10) == pytest.approx(0.99)
    with pytest.raises(InputError, match="at least one"):
        picked_level(0.95, 0)


@given(hnp.arrays(float, (3, 7), elements=st.sampled_from([0.0, 0.5, 1.0])))
def test_on_one_task_no_smaller_set_of_items_unseats_the_first(values):
    first = int(values.mean(axis=1).argmax())
    found = fewest_items_to_unseat([TaskMatrix(values)], first)
    smallest = None
    for count in range(7):
        for removed in combinations(range(7), count):
            means = np.delete(values, removed, axis=1).mean(axis=1)
            if (np.delete(means, first) > means[first] + 1e-9).any():
                smallest = count
                break
        if smallest is not None:
            break
    assert (found.items if found else None) == smallest
    assert found is None or found.exact


def test_on_several_tasks_the_items_found_do_unseat_it():
    rng = np.random.default_rng(0)
    values = [(rng.random((4, n)) < np.array([[0.8], [0.74], [0.7], [0.5]])).astype(float) for n in (40, 90)]
    tasks = [TaskMatrix(matrix, 0.5) for matrix in values]
    means = sum(matrix.mean(axis=1) / 2 for matrix in values)
    first = int(means.argmax())
    found = fewest_items_to_unseat(tasks, first)
    assert found is not None
    assert not found.exact
    assert found.items < 30
    # Where lower is better the same items stand the other way round.
    turned = fewest_items_to_unseat([TaskMatrix(1 - task.values, -0.5) for task in tasks], first)
    assert turned == found


def test_an_entry_alone_or_never_worse_cannot_be_unseated():
    assert fewest_items_to_unseat([TaskMatrix(np.ones((1, 4)))], 0) is None
    assert fewest_items_to_unseat([TaskMatrix(np.array([[1.0, 1, 1], [0, 1, 0]]))], 0) is None

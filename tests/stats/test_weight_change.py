import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linprog

from tianti.stats import smallest_change

SIZES = st.tuples(st.integers(2, 5), st.integers(1, 5))
parts_of = SIZES.flatmap(
    lambda size: hnp.arrays(float, size, elements=st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0]))
)


def by_linear_programme(parts, weights, leader):
    """min Σ up_k over v = w + up − down ≥ 0, Σ up = Σ down, v·gap ≤ 0, for the best rival."""
    best = np.inf
    count = len(weights)
    for rival in range(len(parts)):
        if rival == leader:
            continue
        gap = parts[leader] - parts[rival]
        found = linprog(
            c=np.concatenate([np.ones(count), np.zeros(count)]),
            A_ub=np.concatenate([gap, -gap])[None, :],
            b_ub=[-float(gap @ weights)],
            A_eq=np.concatenate([np.ones(count), -np.ones(count)])[None, :],
            b_eq=[0.0],
            bounds=[(0, None)] * count + [(0, weight) for weight in weights],
        )
        if found.success:
            best = min(best, found.fun)
    return best


@given(parts_of, st.lists(st.floats(0.05, 1), min_size=5, max_size=5))
def test_it_is_the_optimum_of_the_linear_programme(parts, weights):
    share = np.array(weights[: parts.shape[1]]) / sum(weights[: parts.shape[1]])
    leader = int(np.round(parts @ share, 10).argmax())
    found = smallest_change(parts, share, leader)
    expected = by_linear_programme(parts, share, leader)
    if found is None:
        assert expected == np.inf
        return
    assert found.share == pytest.approx(expected, abs=1e-7)
    assert found.weights.min() >= -1e-12
    assert found.weights.sum() == pytest.approx(1)
    assert np.abs(found.weights - share).sum() / 2 == pytest.approx(found.share, abs=1e-9)
    assert found.weights @ parts[found.rival] >= found.weights @ parts[leader] - 1e-9


def test_a_leader_that_is_ahead_everywhere_stays():
    assert smallest_change(np.array([[0.9, 0.8], [0.5, 0.7]]), np.array([0.5, 0.5]), 0) is None
    assert smallest_change(np.array([[0.9, 0.8]]), np.array([0.5, 0.5]), 0) is None

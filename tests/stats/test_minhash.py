import math

import numpy as np
import pytest

from tianti.core.exceptions import InputError
from tianti.stats.minhash import ROWS, K, candidates, signatures, similarity, standard_error


def _pairs(count: int, size: int, shared: int, seed: int = 0):
    """`count` pairs of sets of `size` members with `shared` in common, as two rows of sets."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, 2**64, (count, 2 * size - shared), dtype=np.uint64)
    starts = np.arange(count) * size
    return drawn[:, :size].ravel(), drawn[:, size - shared :].ravel(), starts


@pytest.mark.parametrize(("size", "shared"), [(30, 5), (30, 20), (90, 80), (200, 100)])
def test_the_estimate_has_the_stated_standard_error(size, shared):
    count, jaccard = 2000, shared / (2 * size - shared)
    first, second, starts = _pairs(count, size, shared)
    errors = similarity(signatures(first, starts), signatures(second, starts)) - jaccard
    error = standard_error(jaccard)
    assert abs(errors.mean()) < 4 * error / math.sqrt(count)
    assert errors.std() == pytest.approx(error, rel=0.1)


def test_more_hash_functions_are_surer():
    first, second, starts = _pairs(500, 40, 30)
    errors = [
        (similarity(signatures(first, starts, k), signatures(second, starts, k)) - 0.6).std()
        for k in (16, 256)
    ]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.25)
    assert standard_error(0.8, 64) == pytest.approx(0.05)


def test_a_set_equals_itself_in_any_order():
    rng = np.random.default_rng(0)
    members = rng.integers(0, 2**64, 50, dtype=np.uint64)
    one, other = (signatures(rng.permutation(members), np.array([0])) for _ in range(2))
    assert np.array_equal(one, other)
    assert candidates(one, other).tolist() == [[0, 0]]


@pytest.mark.parametrize("shared", [10, 25, 36])
def test_pairs_are_found_as_often_as_stated(shared):
    count, size = 2000, 40
    jaccard = shared / (2 * size - shared)
    expected = 1 - (1 - jaccard**ROWS) ** (K / ROWS)
    first, second, starts = _pairs(count, size, shared, seed=1)
    pairs = candidates(signatures(first, starts), signatures(second, starts))
    found = np.mean([one == other for one, other in pairs]) * len(pairs) / count
    assert abs(found - expected) < 4 * math.sqrt(expected * (1 - expected) / count) + 1e-3


def test_nothing_is_near_nothing():
    nothing = signatures(np.empty(0, np.uint64), np.empty(0, np.intp))
    assert nothing.shape == (K, 0)
    assert candidates(nothing, nothing).shape == (0, 2)


@pytest.mark.parametrize(("jaccard", "k"), [(1.5, 64), (-0.1, 64), (0.5, 0)])
def test_a_standard_error_of_nonsense_is_refused(jaccard, k):
    with pytest.raises(InputError):
        standard_error(jaccard, k)
